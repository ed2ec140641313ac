"""Figures and the page of what was measured."""

from __future__ import annotations

from typing import Any

import pandas as pd

from rec_msa.evaluation.results import unlabelled


def draw_comparison(*agreement: pd.DataFrame) -> Any:
    """Attacks beside the references, as a picture."""
    from rec_msa.reporting.drawing import strips
    from rec_msa.reporting.panels import panels_of

    return strips(panels_of(_together(agreement))).picture()


def draw_beliefs(beliefs: pd.DataFrame) -> Any:
    """How much a stacked attack believes each source, as a picture."""
    from rec_msa.reporting.beliefs import beliefs_drawing

    return beliefs_drawing(beliefs).picture()


def write_defenses(agreement: pd.DataFrame, target_quality: pd.DataFrame) -> tuple[Any, Any, str]:
    """What defenses hide and cost: against utility and over mixed items, as pictures, and verdicts in Markdown.

    Runs with a label are left out.
    """
    from rec_msa.reporting.defenses import defense_page
    from rec_msa.reporting.writing import to_markdown

    plain = unlabelled(agreement), unlabelled(target_quality)
    return *_drawn(*plain), to_markdown(defense_page(*plain))


def draw_defended_cells(*tables: Any, cells: list[dict[str, Any]]) -> tuple[Any, Any]:
    """The pictures of one run's cells: their qualities first, in the order of ``cells``, then the agreement."""
    quality = [{**cell, **figures} for cell, figures in zip(cells, tables, strict=False)]
    return _drawn(_together(tables[len(cells) :]), pd.DataFrame(quality))


def write_runs(
    agreement: pd.DataFrame,
    target_quality: pd.DataFrame,
    raw_files: pd.DataFrame,
    journal: pd.DataFrame,
    training_curves: pd.DataFrame,
) -> str:
    """All that was measured, as an HTML file."""
    from rec_msa.reporting.measured import Measured
    from rec_msa.reporting.runs import runs_page
    from rec_msa.reporting.writing import to_page

    measured = Measured(agreement, target_quality, journal=journal, raw_files=raw_files)
    return to_page(runs_page(measured, training_curves))


def write_report(
    agreement: pd.DataFrame,
    target_quality: pd.DataFrame,
    agreement_per_user: pd.DataFrame,
    dataset_statistics: pd.DataFrame,
    raw_files: pd.DataFrame,
    journal: pd.DataFrame,
    costs: pd.DataFrame,
    previews: tuple[str, ...],
) -> tuple[Any, ...]:
    """Every table, figure and claim of the paper, as an HTML file and as Markdown with its files; and ``previews``."""
    from rec_msa.reporting.figures import drawing_of
    from rec_msa.reporting.measured import Measured
    from rec_msa.reporting.report import build_report
    from rec_msa.reporting.writing import files_of, to_markdown, to_page

    measured = Measured(agreement, target_quality, agreement_per_user, dataset_statistics, journal, raw_files, costs)
    report = build_report(measured)
    files = files_of(report)
    shown = [files.get(f"{name}.png") or drawing_of(measured, name).picture() for name in previews]
    return to_page(report), to_markdown(report), files, *shown


def _drawn(agreement: pd.DataFrame, quality: pd.DataFrame) -> tuple[Any, Any]:
    """Agreement against utility, and both over the mixed items, as pictures."""
    from rec_msa.reporting.figures import defense_points, mixing, trade_off

    points = defense_points(agreement, quality)
    return trade_off(points).picture(), mixing(points).picture()


def compare_labels(agreement: pd.DataFrame, made_with: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """What runs with different labels measured, with the settings that differ: as Markdown, and as a table."""
    from rec_msa.reporting.comparing import comparison_page, comparison_rows, side_by_side
    from rec_msa.reporting.writing import to_markdown

    found = side_by_side(agreement, made_with)
    return to_markdown(comparison_page(found)), comparison_rows(found)


def _together(agreement: tuple[pd.DataFrame, ...]) -> pd.DataFrame:
    return pd.concat(agreement, ignore_index=True).drop_duplicates(ignore_index=True)
