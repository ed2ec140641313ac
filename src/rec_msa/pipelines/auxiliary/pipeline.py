"""The auxiliary model of an attack: the clone's architecture, trained on users that the target never saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro.pipeline import Pipeline, node

from rec_msa.pipelines.binding import bind
from rec_msa.pipelines.target.nodes import train_recommender

if TYPE_CHECKING:
    from rec_msa.experiments.cells import NamedAttack


def create_pipeline(attack: NamedAttack) -> Pipeline:
    """Trains the auxiliary model."""
    space, data = attack.auxiliary_space, attack.auxiliary_data_space
    inputs = {
        "train": f"{data}.auxiliary_train",
        "validation": f"{data}.auxiliary_validation",
        "statistics": f"{attack.cell.dataset}.statistics",
        "recommender": f"params:recommenders.{attack.clone}",
        "training": "params:auxiliary",
        "device": "params:device",
    }
    cell, model = attack.cell, attack.clone
    train = bind(train_recommender, architecture=model, seed=cell.seed, role="auxiliary", **cell.waiting(model))
    outputs = [f"{space}.auxiliary_model", f"{space}.auxiliary_curve"]
    return Pipeline([node(train, inputs, outputs, name="train_auxiliary", namespace=space, tags=["auxiliary", "gpu"])])
