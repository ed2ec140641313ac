"""Ingestion: what depends on the dataset, on the seed, and on the share of attacker users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro.pipeline import Pipeline, node

from rec_msa.experiments.cells import SERVED
from rec_msa.pipelines.binding import bind
from rec_msa.pipelines.ingestion import nodes
from rec_msa.targets.settings import LEFT_OUT, LISTS, OTHERS

if TYPE_CHECKING:
    from kedro.pipeline.node import Node

    from rec_msa.experiments.cells import Attacker, Cell

TAGS = ["ingestion"]


def create_pipeline(cell: Cell) -> Pipeline:
    """From the raw file of a cell's dataset to its split and the target's data."""
    data, split = cell.data_root, cell.split_space
    reading, filtering = f"params:reading.{cell.dataset}", f"params:filtering.{cell.dataset}"
    tables = [f"{data}.{name}" for name in ("interactions", "users", "items", "statistics")]
    target_data = [f"{split}.target_{part}" for part in ("train", "validation", "test")]
    acquire = bind(nodes.acquire_raw_file, dataset=cell.dataset)
    return Pipeline(
        [
            node(acquire, [reading, "params:raw_folder"], f"{data}.raw_file", name="acquire_raw_file", namespace=data),
            node(
                nodes.read_raw_interactions,
                [f"{data}.raw_file", reading, "params:raw_folder"],
                f"{data}.raw_interactions",
                name="read_raw_interactions",
                namespace=data,
            ),
            node(
                nodes.filter_and_index,
                [f"{data}.raw_interactions", filtering],
                tables,
                name="filter_and_index",
                namespace=data,
            ),
            *_made_elsewhere(cell),
            _split(cell),
            node(nodes.select_target_data, f"{split}.split", target_data, name="select_target_data", namespace=split),
        ],
        tags=TAGS,
    )


def _made_elsewhere(cell: Cell) -> list[Node]:
    """The files of a target that others trained, in our numbers: recorded lists, and whom it was not trained on."""
    target = cell.made_elsewhere
    if target is None:
        return []
    found = []
    for what, there in {LISTS: target.lists, LEFT_OUT: target.auxiliary_file}.items():
        if there is None:
            continue
        name, space = f"{cell.model}-{what}", cell.all_seeds_space
        acquire = bind(nodes.acquire_target_file, dataset=name, target=cell.model)
        root = cell.rooted(name)
        raw, settings = f"{root}.raw_file", f"params:reading.{name}"
        known = {
            "raw_file": raw,
            "dataset_settings": settings,
            "raw_folder": "params:raw_folder",
            "settings": f"params:targets.{cell.model}",
            "users": f"{cell.data_root}.users",
            "items": f"{cell.data_root}.items",
        }
        read = bind(nodes.read_target_file, target=cell.model, what=what)
        found += [
            node(acquire, [settings, "params:raw_folder"], raw, name="acquire_raw_file", namespace=root),
            node(read, known, f"{space}.{what}", name=f"read_{what}", namespace=space),
        ]
        if what == LISTS:  # who has a list is known to all who split; what stands in it only behind the gate
            served = f"{space}.served_users"
            found.append(node(nodes.name_users, f"{space}.{LISTS}", served, name="name_users", namespace=space))
    return found


def _split(cell: Cell) -> Node:
    space = cell.split_space
    if cell.protocol.startswith(SERVED):
        return _split_by_target(cell)
    shares = {f"{part}_fraction": f"params:split.{part}_fraction" for part in ("target", "validation", "test")}
    inputs = {"interactions": f"{cell.data_root}.interactions", **shares}
    if cell.sequential:
        by_time = bind(nodes.split_by_time, seed=cell.seed)
        inputs["sequence"] = "params:sequence"
        return node(by_time, inputs, f"{space}.split", name="split_by_time", namespace=space)
    by_seed = bind(nodes.split_by_seed, seed=cell.seed)
    return node(by_seed, inputs, f"{space}.split", name="split_by_seed", namespace=space)


def _split_by_target(cell: Cell) -> Node:
    """The target's users are those whom it serves, and all their interactions are what it was trained on."""
    target, space = cell.made_elsewhere, cell.split_space
    assert target is not None
    inputs = {
        "interactions": f"{cell.data_root}.interactions",
        "validation_fraction": "params:split.validation_fraction",
        "sequence": "params:sequence",
    }
    if target.lists is not None:
        inputs["served"] = f"{cell.all_seeds_space}.served_users"
    if target.auxiliary_file is not None:
        inputs["left_out"] = f"{cell.all_seeds_space}.{LEFT_OUT}"
    split = bind(nodes.split_by_target, seed=cell.seed, others=target.source == OTHERS, in_order=target.sequential)
    return node(split, inputs, f"{space}.split", name="split_by_target", namespace=space)


def create_auxiliary_data_pipeline(cell: Cell, fraction: float = 1.0) -> Pipeline:
    """The auxiliary data: the interactions of a share of the auxiliary users."""
    space = cell.auxiliary_space(fraction)
    select = bind(nodes.select_auxiliary_data, fraction=fraction)
    parts = [f"{space}.auxiliary_train", f"{space}.auxiliary_validation"]
    split = f"{cell.split_space}.split"
    return Pipeline([node(select, split, parts, name="select_auxiliary_data", namespace=space)], tags=TAGS)


def create_attacker_pipeline(attacker: Attacker) -> Pipeline:
    """The attacker users, their groups and their interactions."""
    split, space = f"{attacker.cell.split_space}.split", attacker.users_space
    inputs, output = [split, f"{space}.attackers"], f"{space}.attacker_train"
    select = node(nodes.select_attacker_data, inputs, output, name="select_attacker_data", namespace=space)
    known = _choose(attacker, space, 1.0)
    asked = _choose(attacker, attacker.groups_space, attacker.query_fraction)
    return known + asked + Pipeline([select], tags=TAGS)


def _choose(attacker: Attacker, space: str, query_fraction: float) -> Pipeline:
    fixed = {"attacker_fraction": attacker.attacker_fraction, "query_fraction": query_fraction}
    inputs = {"split": f"{attacker.cell.split_space}.split", "heldout_fraction": "params:split.heldout_fraction"}
    if not attacker.held_out_of_known:
        inputs["cell_attacker_fraction"] = "params:split.attacker_fraction"
    choose = bind(nodes.choose_attackers, **fixed)
    chosen = node(choose, inputs, f"{space}.attackers", name="choose_attackers", namespace=space)
    return Pipeline([chosen], tags=TAGS)
