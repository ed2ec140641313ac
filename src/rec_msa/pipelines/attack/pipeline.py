"""A named attack on a cell: auxiliary model and clone stage (no target), gate, steal stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro.pipeline import Pipeline, node

from rec_msa.pipelines.attack import nodes
from rec_msa.pipelines.auxiliary.pipeline import create_pipeline as create_auxiliary_pipeline
from rec_msa.pipelines.binding import bind
from rec_msa.pipelines.ingestion.pipeline import create_attacker_pipeline, create_auxiliary_data_pipeline

if TYPE_CHECKING:
    from rec_msa.experiments.cells import NamedAttack


def create_pipeline(attack: NamedAttack) -> Pipeline:
    """All that the attacker does: data, auxiliary model, clone, questions, theft."""
    base = attack.settings.behind
    stages = create_attacker_pipeline(attack)
    if base.auxiliary:
        stages += create_auxiliary_data_pipeline(attack) + create_auxiliary_pipeline(attack)
    if base.variant == "joint":
        stages += create_auxiliary_data_pipeline(attack)
    if base.variant is not None:
        stages += _clone_stage(attack)
    if base.queries:
        stages += _gate(attack) + _steal_stage(attack)
    return stages


def clone_of(attack: NamedAttack) -> str:
    """The dataset that holds the attack's final clone."""
    return f"{attack.space}.stolen_model" if attack.settings.behind.queries else f"{attack.clone_space}.clone_model"


def target_side(attack: NamedAttack) -> dict[str, str]:
    """What a node reads that ranks with the target for the attacker users: the gate's, or the evaluation's."""
    return {
        "target_model": f"{attack.cell.target_space}.target_model",
        "target_train": f"{attack.cell.split_space}.target_train",
        "attackers": f"{attack.groups_space}.attackers",
        "device": "params:device",
        **attack.cell.defense_settings,
    }


def _clone_stage(attack: NamedAttack) -> Pipeline:
    base, space, seed = attack.settings.behind, attack.clone_space, attack.cell.seed
    inputs = {
        "attacker_train": f"{attack.users_space}.attacker_train",
        "statistics": f"{attack.cell.dataset}.statistics",
        "recommender": f"params:recommenders.{attack.clone}",
        "clone_settings": "params:clone",
        "device": "params:device",
    }
    if base.auxiliary:
        inputs["auxiliary_model"] = f"{attack.auxiliary_space}.auxiliary_model"
    if base.variant == "joint":
        inputs["auxiliary_train"] = f"{attack.auxiliary_data_space}.auxiliary_train"
    train = bind(
        nodes.train_clone,
        variant=base.variant,
        architecture=attack.clone,
        item_fraction=attack.settings.item_fraction,
        seed=seed,
        **attack.cell.waiting(attack.clone),
    )
    outputs = [f"{space}.clone_model", f"{space}.clone_curve"]
    return Pipeline([node(train, inputs, outputs, name="train_clone", namespace=space, tags=["attack", "gpu"])])


def _gate(attack: NamedAttack) -> Pipeline:
    """The one node of an attack that sees the target."""
    cell, space = attack.cell, attack.space
    served = {"list_length": attack.list_length, "defense": cell.defense, "seed": cell.seed}
    if attack.asks_sequences:
        asks = attack.settings.model_dump(include={"calls_per_user", "sequences"})
        ask = bind(nodes.query_with_sequences, **served, **asks)
        inputs = {**target_side(attack), "recommender": f"params:recommenders.{attack.clone}"}
    else:
        # An attack that asks once is made from nothing but what it always was.
        asks = attack.settings.model_dump(include={"calls_per_user", "denoise"}) if attack.settings.denoise else {}
        ask, inputs = bind(nodes.query_target, **served, **asks), target_side(attack)
    outputs = [f"{space}.served_lists", f"{space}.ledger"]
    return Pipeline([node(ask, inputs, outputs, name="query_target", namespace=space, tags=["gate"])])


def _steal_stage(attack: NamedAttack) -> Pipeline:
    space, seed, waiting = attack.space, attack.cell.seed, attack.cell.waiting(attack.clone)
    inputs = {
        "served_lists": f"{space}.served_lists",
        "attack": f"params:attacks.{attack.name}",
        "steal_settings": "params:steal",
        "device": "params:device",
    }
    if attack.settings.behind.variant is None:
        inputs["attackers"] = f"{attack.users_space}.attackers"
        inputs["statistics"] = f"{attack.cell.dataset}.statistics"
        inputs["recommender"] = f"params:recommenders.{attack.clone}"
        learn = nodes.steal_from_sequences if attack.asks_sequences else nodes.steal_from_lists_alone
        steal = bind(learn, architecture=attack.clone, seed=seed, **waiting)
    else:
        inputs["clone_model"] = f"{attack.clone_space}.clone_model"
        inputs["attacker_train"] = f"{attack.users_space}.attacker_train"
        steal = bind(nodes.steal, seed=seed, **waiting)
    outputs = [f"{space}.stolen_model", f"{space}.steal_curve"]
    return Pipeline([node(steal, inputs, outputs, name="steal", namespace=space, tags=["attack", "gpu"])])
