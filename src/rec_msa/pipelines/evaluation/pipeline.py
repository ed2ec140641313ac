"""Lists of target, clones and references for the attacker users, and their agreement.

These nodes alone may see the target's undefended lists; no attack is downstream of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kedro.pipeline import Pipeline, node

from rec_msa.attacks.settings import ENSEMBLE, REFERENCES, RETRAIN
from rec_msa.pipelines.attack.pipeline import target_side
from rec_msa.pipelines.binding import bind
from rec_msa.pipelines.evaluation import nodes
from rec_msa.pipelines.ingestion.pipeline import create_attacker_pipeline, create_auxiliary_data_pipeline
from rec_msa.pipelines.target.pipeline import create_check_pipeline, retrained_roles

if TYPE_CHECKING:
    from kedro.pipeline.node import Node

    from rec_msa.experiments.cells import Attacker, NamedAttack

TAGS = ["evaluation"]


def create_pipeline(attack: NamedAttack) -> Pipeline:
    """Ranks with the attack's clone and measures its agreement."""
    space, learnt = attack.space, {}
    if "served_lists" in attack.knowledge:
        learnt["ledger"] = f"{space}.ledger"
    if any("steal_curve" in stage.writes for stage in attack.stages):
        learnt |= {"steal_curve": f"{space}.steal_curve", "step_limit": "params:steal.training.max_steps"}
    groups = {"attackers": attack.groups}
    return _rank_and_measure(attack.attacker, space, {"clone_model": attack.stolen}, attack.facts, {**learnt, **groups})


def create_retrain_pipeline(attacker: Attacker, times: int = 1) -> Pipeline:
    """Ranks with the retrained target and measures how far it agrees with its twin; with several averaged, too.

    Where the target cannot be trained here, there is nothing to run.
    """
    roles = retrained_roles(attacker.cell, times)
    models = {f"model{n}": f"{attacker.cell.target_space}.{role}_model" for n, role in enumerate(roles)}
    alone = [_of_retrained(attacker, RETRAIN, {"clone_model": models["model0"]})] if models else []
    return Pipeline([*alone, *([_of_retrained(attacker, ENSEMBLE, models)] if len(models) > 1 else [])])


def _of_retrained(attacker: Attacker, reference: str, models: dict[str, str]) -> Pipeline:
    facts = {**_facts(reference, "reference", attacker), "clone": attacker.cell.model}
    return _rank_and_measure(attacker, attacker.retrain_space(reference), models, facts, {})


def create_reference_pipeline(attacker: Attacker) -> Pipeline:
    """The target's lists for the attacker users, and the references that attacks are compared with."""
    knowledge = create_attacker_pipeline(attacker) + create_auxiliary_data_pipeline(attacker.cell)
    ranked = [_rank_target(attacker), _solve_references(attacker), _rank_references(attacker)]
    measured = [*ranked, _measure_references(attacker)]
    return knowledge + Pipeline([_checked(attacker), Pipeline(measured)], tags=TAGS)


def _checked(attacker: Attacker) -> Pipeline:
    """Lists of another length than the cell's are checked apart: the cell's own are where its target is made."""
    if attacker.list_length == attacker.defaults[1]:
        return Pipeline([])
    return create_check_pipeline(attacker.cell, attacker.reference_space, attacker.list_length)


def _rank_target(attacker: Attacker) -> Node:
    space, lists = attacker.reference_space, _target_lists(attacker)
    rank = bind(nodes.rank_target, serving=attacker.serving)
    outputs = [lists["undefended_lists"], lists["served_lists"]]
    return node(rank, target_side(attacker), outputs, name="rank_target", namespace=space)


def _known(attacker: Attacker) -> dict[str, str]:
    """What references are made of, whoever is attacked."""
    return {
        "attacker_train": f"{attacker.users_space}.attacker_train",
        "auxiliary_train": f"{attacker.cell.auxiliary_space(1.0)}.auxiliary_train",
        "statistics": f"{attacker.cell.data_root}.statistics",
        "settings": "params:references",
    }


def _solve_references(attacker: Attacker) -> Node:
    """Lists of round lengths, so that a longer or shorter one that is served solves nothing again."""
    known = {**_known(attacker), "attackers": f"{attacker.users_space}.attackers", "device": "params:device"}
    solve = bind(nodes.solve_references, list_length=attacker.solved_length, seed=attacker.cell.seed)
    return node(solve, known, attacker.solved_lists, name="solve_references", namespace=attacker.users_space)


def _rank_references(attacker: Attacker) -> Node:
    space = attacker.reference_space
    known = {
        **_known(attacker),
        "served_lists": _target_lists(attacker)["served_lists"],
        "solved_lists": attacker.solved_lists,
        "attackers": f"{attacker.groups_space}.attackers",
    }
    rank = bind(nodes.rank_references, list_length=attacker.list_length, seed=attacker.cell.seed)
    return node(rank, known, f"{space}.reference_lists", name="rank_references", namespace=space)


def _measure_references(attacker: Attacker) -> Node:
    space = attacker.reference_space
    facts = [_facts(name, "reference", attacker) for name in REFERENCES] + [_facts("target", "target", attacker)]
    measure = bind(nodes.measure_references, facts=facts, list_length=attacker.list_length)
    measured = {"reference_lists": f"{space}.reference_lists", **_target_lists(attacker)}
    return node(measure, measured, _agreement(space), name="measure_references", namespace=space)


def _rank_and_measure(
    attacker: Attacker, space: str, models: dict[str, str], facts: dict[str, Any], learnt: dict[str, str]
) -> Pipeline:
    # The evaluator takes out all that the target itself does not recommend to these users.
    known = {"exclude": f"{attacker.users_space}.attacker_train", "attackers": f"{attacker.groups_space}.attackers"}
    ranked = {**models, **known, "device": "params:device"}
    rank = bind(nodes.rank_clone if len(models) == 1 else nodes.rank_together, list_length=attacker.list_length)
    measured = {"clone_lists": f"{space}.clone_lists", **_target_lists(attacker), **learnt}
    measure = bind(nodes.measure_agreement, facts=facts, list_length=attacker.list_length)
    return Pipeline(
        [
            node(rank, ranked, f"{space}.clone_lists", name=rank.__name__, namespace=space),
            node(measure, measured, _agreement(space), name="measure_agreement", namespace=space),
        ],
        tags=TAGS,
    )


def _facts(reference: str, kind: str, attacker: Attacker) -> dict[str, Any]:
    """The columns of the results of what is no attack."""
    return {**attacker.facts, "attack": attacker.named(reference), "base": reference, "kind": kind, "otherwise": ""}


def _target_lists(attacker: Attacker) -> dict[str, str]:
    space = attacker.reference_space
    return {
        "undefended_lists": f"{space}.undefended_target_lists",
        "served_lists": f"{space}.served_target_lists",
        "attackers": f"{attacker.groups_space}.attackers",
    }


def _agreement(space: str) -> list[str]:
    return [f"{space}.agreement", f"{space}.agreement_per_user"]
