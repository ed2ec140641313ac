"""Figures and the page of what was measured."""

from __future__ import annotations

from typing import Any

import pandas as pd


def draw_comparison(*agreement: pd.DataFrame) -> tuple[Any, Any]:
    """Attacks beside the references: an interactive figure and a picture."""
    from rec_msa.reporting.comparison import comparison_figure, comparison_picture

    table = pd.concat(agreement, ignore_index=True).drop_duplicates(ignore_index=True)
    return comparison_figure(table), comparison_picture(table)


def write_reproduction(agreement: pd.DataFrame, agreement_per_user: pd.DataFrame, target_quality: pd.DataFrame) -> str:
    """What was measured beside the paper's tables 4 and 5, in Markdown."""
    from rec_msa.reporting.reproduction import reproduction_page

    return reproduction_page(agreement, agreement_per_user, target_quality)
