"""The auxiliary model of an attack: the clone's architecture, trained on users that the target never saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro.pipeline import Pipeline, node

from rec_msa.pipelines.binding import bind
from rec_msa.pipelines.target.nodes import train_recommender

if TYPE_CHECKING:
    from rec_msa.experiments.cells import Cell


def create_pipeline(cell: Cell, architecture: str, fraction: float = 1.0) -> Pipeline:
    """Trains the auxiliary model of an architecture on a share of the auxiliary users."""
    data = cell.auxiliary_space(fraction)
    space = f"{data}.{architecture}"
    inputs = {
        "train": f"{data}.auxiliary_train",
        "validation": f"{data}.auxiliary_validation",
        "statistics": f"{cell.data_root}.statistics",
        "recommender": f"params:recommenders.{architecture}",
        "training": "params:auxiliary",
        "device": "params:device",
    }
    said = {"architecture": architecture, "seed": cell.seed, "role": "auxiliary", **cell.waiting(architecture)}
    train = bind(train_recommender, **said)
    outputs = [f"{space}.auxiliary_model", f"{space}.auxiliary_curve"]
    return Pipeline([node(train, inputs, outputs, name="train_auxiliary", namespace=space, tags=["auxiliary", "gpu"])])
