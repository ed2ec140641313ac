"""Figures: the attacks of one run, and everything that lies in ``agreement.parquet``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro.pipeline import Pipeline, node

from rec_msa.pipelines.reporting.nodes import draw_comparison, write_reproduction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rec_msa.experiments import NamedAttack


def create_comparison_pipeline(space: str, attacks: Sequence[NamedAttack], *, retrain: bool) -> Pipeline:
    """Draws attacks beside their references; the figure lies in ``space``."""
    spaces = [attack.space for attack in attacks] + [attack.reference_space for attack in attacks]
    if retrain:
        spaces += [attack.retrain_space for attack in attacks]
    inputs = [f"{measured}.agreement" for measured in dict.fromkeys(spaces)]
    # In an attack's own namespace it would make kedro viz see a circle: that box would read what it leads to.
    return _draw(inputs, space, namespace=attacks[0].cell.served_space)


def create_overview_pipeline() -> Pipeline:
    """Draws every cell that ``agreement.parquet`` holds, from whatever runs, and sets them beside the paper's."""
    inputs = ["agreement", "agreement_per_user", "target_quality"]
    page = node(
        write_reproduction,
        inputs,
        "reproduction_page",
        name="write_reproduction",
        namespace="overview",
        tags=["reporting"],
    )
    return _draw(["agreement"], "overview", namespace="overview") + Pipeline([page])


def _draw(inputs: list[str], space: str, namespace: str) -> Pipeline:
    outputs = [f"{space}.comparison_figure", f"{space}.comparison_picture"]
    return Pipeline(
        [node(draw_comparison, inputs, outputs, name="draw_comparison", namespace=namespace, tags=["reporting"])]
    )
