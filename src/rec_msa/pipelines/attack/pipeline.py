"""A named attack on a cell, made from what the attack declares: data, auxiliary model, gate, stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kedro.pipeline import Pipeline, node

from rec_msa.pipelines.attack import nodes
from rec_msa.pipelines.auxiliary.pipeline import create_pipeline as create_auxiliary_pipeline
from rec_msa.pipelines.binding import bind
from rec_msa.pipelines.ingestion.pipeline import create_attacker_pipeline, create_auxiliary_data_pipeline

if TYPE_CHECKING:
    from kedro.pipeline.node import Node

    from rec_msa.attacks.base import Asking, Stage
    from rec_msa.experiments.cells import Attacker, NamedAttack


def create_pipeline(attack: NamedAttack) -> Pipeline:
    """All that the attacker does: data, auxiliary model, questions, and the attack's own stages."""
    known = attack.knowledge
    parts = create_attacker_pipeline(attack.attacker)
    if {"auxiliary_train", "auxiliary_model"} & set(known):
        parts += create_auxiliary_data_pipeline(attack.cell, attack.auxiliary_fraction)
    fed = [attack.architecture_of(stage) for stage in attack.stages if "auxiliary_model" in stage.reads]
    for architecture in dict.fromkeys(fed):
        parts += create_auxiliary_pipeline(attack.cell, architecture, attack.auxiliary_fraction)
    asking = attack.settings.asking(attack.cell.as_target)
    gate = [_gate(attack, asking)] if asking else []
    return parts + Pipeline([*gate, *(_stage(attack, stage) for stage in attack.stages)])


def target_side(attacker: Attacker) -> dict[str, str]:
    """What a node reads that ranks with the target for the attacker users: the gate's, or the evaluation's."""
    return {
        "target_model": f"{attacker.cell.target_space}.target_model",
        "target_train": f"{attacker.cell.split_space}.target_train",
        "attackers": f"{attacker.groups_space}.attackers",
        "device": "params:device",
        **attacker.cell.defense_settings,
    }


def _gate(attack: NamedAttack, asking: Asking) -> Node:
    """The one node of an attack that sees the target."""
    space = attack.space
    ask = bind(nodes.query_target, serving=attack.attacker.serving, asking=asking)
    whom = {"attackers": attack.groups}
    inputs = {**target_side(attack.attacker), **whom, **{name: _places(attack)[name] for name in asking.reads}}
    outputs = [f"{space}.served_lists", f"{space}.ledger"]
    return node(ask, inputs, outputs, name="query_target", namespace=space, tags=["gate"])


def _stage(attack: NamedAttack, stage: Stage) -> Node:
    """A stage gets what it names, from where it lies; what the cell says is part of the function."""
    architecture = attack.architecture_of(stage)
    said: dict[str, Any] = {"seed": attack.cell.seed, "architecture": architecture}
    constants = {name: said[name] for name in stage.reads if name in said}
    waiting = attack.cell.waiting(architecture) if stage.waits else {}
    function = bind(stage.function, **stage.settings, **constants, **waiting)
    places = _places(attack, stage)
    inputs = {name: places[name] for name in stage.reads if name not in said}
    space = attack.space_of(stage)
    made = [f"{space}.{name}" for name in stage.writes]
    outputs = made if len(made) > 1 else made[0]
    return node(function, inputs, outputs, name=stage.name, namespace=space, tags=["attack", "gpu"])


def _places(attack: NamedAttack, stage: Stage | None = None) -> dict[str, str]:
    """The dataset that a stage, or the gate, means by the name of an argument."""
    cell, who = attack.cell, attack.attacker
    offered = [(one, *names) for one in attack.stages for names in one.offers.items()]
    made = {known_as: f"{attack.space_of(one)}.{name}" for one, known_as, name in offered}
    architecture = attack.clone if stage is None else attack.architecture_of(stage)
    places = {
        "attacker_train": f"{who.users_space}.attacker_train",
        "attackers": f"{who.users_space}.attackers",
        "auxiliary_train": f"{cell.auxiliary_space(attack.auxiliary_fraction)}.auxiliary_train",
        "auxiliary_model": f"{cell.auxiliary_space(attack.auxiliary_fraction)}.{architecture}.auxiliary_model",
        "served_lists": f"{attack.space}.served_lists",
        "statistics": f"{cell.data_root}.statistics",
        "recommender": f"params:recommenders.{architecture}",
        "clone_settings": "params:clone",
        "steal_settings": "params:steal",
        "learner_settings": "params:learner",
        "device": "params:device",
    }
    return places | made
