"""Figures and the page of what was measured."""

from __future__ import annotations

from typing import Any

import pandas as pd


def draw_comparison(*agreement: pd.DataFrame) -> tuple[Any, Any]:
    """Attacks beside the references: an interactive figure and a picture."""
    from rec_msa.reporting.comparison import comparison_figure, comparison_picture

    table = pd.concat(agreement, ignore_index=True).drop_duplicates(ignore_index=True)
    return comparison_figure(table), comparison_picture(table)


def draw_defenses(agreement: pd.DataFrame, target_quality: pd.DataFrame) -> tuple[Any, Any, Any, Any]:
    """Agreement against utility, and both over the mixed items: each an interactive figure and a picture."""
    from rec_msa.reporting.defense import defense_points, mixing, trade_off

    points = defense_points(agreement, target_quality)
    against_utility, over_mixed = trade_off(points), mixing(points)
    return against_utility.preview(), against_utility.picture(), over_mixed.preview(), over_mixed.picture()


def draw_defended_cells(*tables: Any, cells: list[dict[str, Any]]) -> tuple[Any, Any, Any, Any]:
    """The same of one run's cells: their qualities first, in the order of ``cells``, then the agreement."""
    quality = [{**cell, **figures} for cell, figures in zip(cells, tables, strict=False)]
    agreement = pd.concat(tables[len(cells) :], ignore_index=True).drop_duplicates(ignore_index=True)
    return draw_defenses(agreement, pd.DataFrame(quality))


def write_defenses(agreement: pd.DataFrame, target_quality: pd.DataFrame) -> str:
    """What defenses hide and cost, and verdicts on the paper's claims, in Markdown."""
    from rec_msa.reporting.defense_page import defense_page

    return defense_page(agreement, target_quality)


def write_report(
    agreement: pd.DataFrame,
    agreement_per_user: pd.DataFrame,
    target_quality: pd.DataFrame,
    dataset_statistics: pd.DataFrame,
    raw_files: pd.DataFrame,
    journal: pd.DataFrame,
) -> tuple[str, str, dict[str, Any]]:
    """Every table, figure and claim of the paper: as an HTML file, and as Markdown with its pictures and tables."""
    from rec_msa.reporting.report.build import build_report
    from rec_msa.reporting.report.html import to_page
    from rec_msa.reporting.report.markdown_page import files_of, to_markdown
    from rec_msa.reporting.report.measured import Measured

    measured = Measured(agreement, target_quality, agreement_per_user, dataset_statistics, journal, raw_files)
    report = build_report(measured)
    return to_page(report), to_markdown(report), files_of(report)


def draw_previews(agreement: pd.DataFrame, target_quality: pd.DataFrame, figures: tuple[str, ...]) -> tuple[Any, ...]:
    """Figures of the report on their own, in the order of ``figures``."""
    from rec_msa.reporting.report.figures import drawing_of
    from rec_msa.reporting.report.measured import Measured

    measured = Measured(agreement, target_quality)
    return tuple(drawing_of(measured, name).preview() for name in figures)
