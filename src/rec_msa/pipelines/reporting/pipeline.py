"""Figures: the attacks of one run, and everything that lies in ``agreement.parquet``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kedro.pipeline import Pipeline, node

from rec_msa.bookkeeping.study_progress import LAST_OF_A_CELL
from rec_msa.pipelines.binding import bind
from rec_msa.pipelines.reporting.nodes import (
    compare_labels,
    draw_beliefs,
    draw_comparison,
    draw_defended_cells,
    write_defenses,
    write_report,
    write_runs,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rec_msa.experiments.cells import NamedAttack

PREVIEWS = ("figure2", "figure3", "figure4", "figure6", "figure9")
"""Figures of the report that kedro viz shows; figures 7 and 8 and the comparison have entries of their own."""


def create_comparison_pipeline(space: str, attacks: Sequence[NamedAttack], *, retrained: int) -> Pipeline:
    """Draws attacks beside their references; the figure lies in ``space``, a cell's, a study's or an attack's."""
    spaces = [attack.space for attack in attacks] + [attack.attacker.reference_space for attack in attacks]
    spaces += [space for attack in attacks for space in attack.attacker.retrain_spaces(retrained)]
    inputs = [f"{measured}.agreement" for measured in dict.fromkeys(spaces)]
    # In an attack's own namespace it would make kedro viz see a circle: that box would read what it leads to.
    cell = attacks[0].cell.served_space
    # Several attacks on one cell may run at once.
    name = f"draw_comparison_{attacks[0].name}" if space == attacks[0].space else "draw_comparison"
    tags, output = ["reporting", LAST_OF_A_CELL], f"{space}.comparison_picture"
    return Pipeline([node(draw_comparison, inputs, output, name=name, namespace=cell, tags=tags)])


def create_beliefs_pipeline(attack: NamedAttack) -> Pipeline:
    """Draws whom an attack believes; empty where it has no sources to believe."""
    if not any("beliefs" in stage.writes for stage in attack.stages):
        return Pipeline([])
    space = attack.space
    drawn = [f"{space}.beliefs"], f"{space}.beliefs_picture"
    return Pipeline([node(draw_beliefs, *drawn, name="draw_beliefs", namespace=space, tags=["reporting"])])


def create_overview_pipeline() -> Pipeline:
    """Writes the pages on all that ``agreement.parquet`` holds, from whatever runs, and on the paper beside it."""
    space, drawn = "overview", ["agreement", "target_quality"]
    measured = [*drawn, "agreement_per_user", "dataset_statistics", "raw_files", "journal", "costs"]
    made = ["report_page", "report_markdown", "report_files", *(f"report.{name}_preview" for name in PREVIEWS)]
    runs = [*drawn, "raw_files", "journal", "training_curves"]
    about: Any = {"namespace": space, "tags": ["reporting"]}
    return Pipeline(
        [
            node(write_runs, runs, "runs_page", name="write_runs", **about),
            node(bind(write_report, previews=PREVIEWS), measured, made, name="write_report", **about),
            node(write_defenses, drawn, [*_figures(space), "defense_page"], name="write_defenses", **about),
        ]
    )


def create_label_pipeline() -> Pipeline:
    """Sets what runs of different labels measured side by side."""
    inputs, outputs = ["agreement", "made_with"], ["compared_page", "compared"]
    compare = node(compare_labels, inputs, outputs, name="compare_labels", namespace="overview", tags=["reporting"])
    return Pipeline([compare])


def create_defense_pipeline(attacks: Sequence[NamedAttack]) -> Pipeline:
    """Draws what a target's defenses do to attacks on it, and what they cost; the figures lie in the target's space."""
    space = attacks[0].cell.target_space
    cells = list(dict.fromkeys(attack.cell for attack in attacks))
    measured = dict.fromkeys(name for attack in attacks for name in (attack.space, attack.attacker.reference_space))
    inputs = [f"{cell.served_space}.target_quality" for cell in cells] + [f"{name}.agreement" for name in measured]
    draw = bind(draw_defended_cells, cells=[cell.facts for cell in cells])
    return Pipeline([node(draw, inputs, _figures(space), name="draw_defenses", namespace=space, tags=["reporting"])])


def _figures(space: str) -> list[str]:
    return [f"{space}.trade_off_picture", f"{space}.mixing_picture"]
