"""What holds of every graph of an attack, whatever its nodes are tagged: a list of what is wrong with one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rec_msa.pipelines.attack import nodes
from rec_msa.pipelines.ingestion import nodes as ingestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node

FORBIDDEN = {
    "target_train",
    "target_validation",
    "target_test",
    "undefended_target_lists",
    "served_target_lists",
    "target_quality",
    "agreement",
    "agreement_per_user",
    "reference_lists",
    "clone_lists",
    "ledger",
    "lists",
}
"""The target, its data and all that was measured on it; the ledger is for those who check."""

TARGETS = re.compile(r"(target|retrain\d*)_model")
STOLEN = {"clone_model", "stolen_model", "taught_models", "ensemble_model", "beliefs"}
NAMES_USERS = ingestion.name_users.__name__
"""Hands out who has a recorded list, and of the lists nothing: its own test holds that."""
GATES = {nodes.query_target.__name__}


def kind(name: str) -> str:
    """The last part of a dataset's name."""
    return name.rpartition(".")[2]


def data_of(node: Node) -> set[str]:
    """What a node reads that is no parameter."""
    return {name for name in node.inputs if not name.startswith("params:")}


def faults(pipeline: Pipeline) -> list[str]:
    """What is wrong: a line for each fault."""
    return [
        fault
        for node in pipeline.nodes
        for fault in (*_of_gate(node), *_of_maker(pipeline, node), *_of_reader(node), *_of_names(node))
    ]


def _of_gate(node: Node) -> Iterator[str]:
    if "gate" not in node.tags:
        return
    if node.func.__name__ not in GATES:
        yield f"{node.name} is tagged as a gate and is {node.func.__name__}"
    if node.tags != {"gate"}:
        yield f"{node.name} is a gate and more: {sorted(node.tags)}"
    if {kind(name) for name in node.outputs} != {"served_lists", "ledger"} or len(node.outputs) != 2:
        yield f"{node.name} hands out {node.outputs}"
    whom = {"attackers", "asked_attackers"} & set(map(kind, data_of(node)))
    if len(whom) != 1 or {kind(name) for name in data_of(node)} != {*whom, "target_model", "target_train"}:
        yield f"{node.name} is given {sorted(data_of(node))}"


def _of_maker(pipeline: Pipeline, node: Node) -> Iterator[str]:
    """Who makes a clone sees nothing of the target but answers; nor does who chooses whom to ask, not even these."""
    made = set(map(kind, node.outputs))
    if "asked_attackers" in made:
        seen = {kind(name) for name in seen_without_gates(pipeline, node)} & {*FORBIDDEN, "served_lists"}
        yield from (f"{node.name} chooses whom to ask and sees {name}" for name in sorted(seen))
    if not STOLEN & made:
        return
    if not {"attack"} <= node.tags or "gate" in node.tags:
        yield f"{node.name} makes a clone and is tagged {sorted(node.tags)}"
    for name in sorted(seen_without_gates(pipeline, node)):
        if kind(name) in FORBIDDEN or TARGETS.fullmatch(kind(name)):
            yield f"{node.name} sees {name}"
        elif kind(name) == "served_lists" and name.rpartition(".")[0] != node.namespace:
            yield f"{node.name} learns what another attack asked: {name}"


def _of_reader(node: Node) -> Iterator[str]:
    models = {name for name in data_of(node) if TARGETS.fullmatch(kind(name))}
    if models and not node.tags & {"gate", "evaluation"}:
        yield f"{node.name} takes {sorted(models)}"


def _of_names(node: Node) -> Iterator[str]:
    if node.func.__name__ == NAMES_USERS and list(map(kind, node.outputs)) != ["served_users"]:
        yield f"{node.name} hands out {node.outputs}"


def seen_without_gates(pipeline: Pipeline, node: Node) -> set[str]:
    """Every dataset that a node descends from, not looking behind gates."""
    makers = {output: maker for maker in pipeline.nodes for output in maker.outputs}
    found, open_names = set(), list(node.inputs)
    while open_names:
        name = open_names.pop()
        if name in found:
            continue
        found.add(name)
        maker = makers.get(name)
        if maker is not None and "gate" not in maker.tags and maker.func.__name__ != NAMES_USERS:
            open_names += maker.inputs
    return found
