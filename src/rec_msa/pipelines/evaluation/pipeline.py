"""Agreement of a named attack, of the references and of the retrained target, on one cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro.pipeline import Pipeline, node

from rec_msa.attacks.settings import REFERENCES
from rec_msa.pipelines.attack.pipeline import clone_of, target_side
from rec_msa.pipelines.binding import bind
from rec_msa.pipelines.evaluation import nodes
from rec_msa.pipelines.ingestion.pipeline import create_attacker_pipeline, create_auxiliary_data_pipeline
from rec_msa.pipelines.target.pipeline import create_check_pipeline

if TYPE_CHECKING:
    from kedro.pipeline.node import Node

    from rec_msa.experiments.cells import Cell, NamedAttack

TAGS = ["evaluation"]


def create_pipeline(attack: NamedAttack) -> Pipeline:
    """Ranks with the attack's clone and measures its agreement."""
    space, learnt = attack.space, {}
    if attack.settings.behind.queries:
        learnt = {"ledger": f"{space}.ledger", "steal_curve": f"{space}.steal_curve", "steal_settings": "params:steal"}
    labels = {"attack": attack.name, "base": attack.settings.base, "clone": attack.clone}
    return _rank_and_measure(attack, space, clone_of(attack), labels, learnt)


def create_retrain_pipeline(attack: NamedAttack) -> Pipeline:
    """Ranks with the retrained target and measures how far it agrees with its twin."""
    space = attack.retrain_space
    labels = {"attack": _named("retrain", attack), "base": "retrain", "clone": attack.cell.model}
    return _rank_and_measure(attack, space, f"{attack.cell.target_space}.retrain_model", labels, {})


def create_reference_pipeline(attack: NamedAttack) -> Pipeline:
    """The target's lists for the attacker users, and the references that an attack is compared with."""
    attack = attack.reference
    knowledge = create_attacker_pipeline(attack) + create_auxiliary_data_pipeline(attack)
    measured = [_rank_target(attack), _rank_references(attack), _measure_references(attack)]
    return knowledge + Pipeline([_checked(attack), Pipeline(measured)], tags=TAGS)


def _checked(attack: NamedAttack) -> Pipeline:
    """Lists of another length than the cell's are checked apart: the cell's own are where its target is made."""
    if attack.list_length == attack.defaults[1]:
        return Pipeline([])
    return create_check_pipeline(attack.cell, attack.reference_space, attack.list_length)


def _rank_target(attack: NamedAttack) -> Node:
    cell, space = attack.cell, attack.reference_space
    rank = bind(nodes.rank_target, list_length=attack.list_length, defense=cell.defense, seed=cell.seed)
    lists = _target_lists(attack)
    outputs = [lists["undefended_lists"], lists["served_lists"]]
    return node(rank, target_side(attack), outputs, name="rank_target", namespace=space)


def _rank_references(attack: NamedAttack) -> Node:
    space, cell = attack.reference_space, attack.cell
    known = {
        "attacker_train": f"{attack.users_space}.attacker_train",
        "auxiliary_train": f"{attack.auxiliary_data_space}.auxiliary_train",
        "served_lists": _target_lists(attack)["served_lists"],
        "attackers": f"{attack.groups_space}.attackers",
        "statistics": f"{cell.dataset}.statistics",
        "settings": "params:references",
    }
    rank = bind(nodes.rank_references, list_length=attack.list_length, seed=cell.seed)
    return node(rank, known, f"{space}.reference_lists", name="rank_references", namespace=space)


def _measure_references(attack: NamedAttack) -> Node:
    space = attack.reference_space
    names = {name: _named(name, attack) for name in (*REFERENCES, "target")}
    identity = _identity(attack.cell)
    measure = bind(nodes.measure_references, identity=identity, names=names, list_length=attack.list_length)
    measured = {"reference_lists": f"{space}.reference_lists", **_target_lists(attack)}
    return node(measure, measured, _agreement(space), name="measure_references", namespace=space)


def _rank_and_measure(
    attack: NamedAttack, space: str, model: str, labels: dict[str, str], learnt: dict[str, str]
) -> Pipeline:
    # The evaluator takes out all that the target itself does not recommend to these users.
    ranked = [model, f"{attack.users_space}.attacker_train", f"{attack.groups_space}.attackers", "params:device"]
    rank = bind(nodes.rank_clone, list_length=attack.list_length)
    measured = {"clone_lists": f"{space}.clone_lists", **_target_lists(attack), **learnt}
    measure = bind(
        nodes.measure_agreement, identity={**_identity(attack.cell), **labels}, list_length=attack.list_length
    )
    return Pipeline(
        [
            node(rank, ranked, f"{space}.clone_lists", name="rank_clone", namespace=space),
            node(measure, measured, _agreement(space), name="measure_agreement", namespace=space),
        ],
        tags=TAGS,
    )


def _named(reference: str, attack: NamedAttack) -> str:
    """A reference's name in the results; one with other shares or another list length than the cell's says so."""
    return f"{reference}-{attack.apart}" if attack.apart else reference


def _target_lists(attack: NamedAttack) -> dict[str, str]:
    space = attack.reference_space
    return {
        "undefended_lists": f"{space}.undefended_target_lists",
        "served_lists": f"{space}.served_target_lists",
        "attackers": f"{attack.groups_space}.attackers",
    }


def _agreement(space: str) -> list[str]:
    return [f"{space}.agreement", f"{space}.agreement_per_user"]


def _identity(cell: Cell) -> dict[str, str | int]:
    return {"dataset": cell.dataset, "target": cell.model, "seed": cell.seed, "defense": cell.defense}
