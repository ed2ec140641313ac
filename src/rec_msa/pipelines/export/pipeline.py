"""The attack up to its clone, and what is handed on of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro.pipeline import Pipeline, node

from rec_msa.experiments.parameters import HISTORIES
from rec_msa.pipelines.attack.pipeline import create_pipeline as create_attack_pipeline
from rec_msa.pipelines.binding import bind
from rec_msa.pipelines.export import nodes

if TYPE_CHECKING:
    from rec_msa.experiments.cells import NamedAttack


def create_pipeline(attack: NamedAttack, *, histories: bool) -> Pipeline:
    """Runs an attack and hands its clone on, for the attacker users or for those of a file of histories."""
    space, data = attack.space, attack.cell.data_root
    inputs = {
        "clone_model": attack.stolen,
        "attacker_train": f"{attack.attacker.users_space}.attacker_train",
        "users": f"{data}.users",
        "items": f"{data}.items",
        "clone_settings": "params:clone",
        "list_length": "params:list_length",
        "device": "params:device",
    }
    found = []
    if histories:
        made = [f"{space}.histories", f"{space}.history_users"]
        inputs |= {"histories": made[0], "history_users": made[1]}
        read, settings = bind(nodes.read_histories, dataset=HISTORIES), f"params:reading.{HISTORIES}"
        found.append(node(read, [settings, f"{data}.items"], made, name="read_histories", namespace=space))
    export = bind(nodes.export_clone, seed=attack.cell.seed)
    outputs = [f"{space}.exported_lists", f"{space}.exported_vectors"]
    found.append(node(export, inputs, outputs, name="export_clone", namespace=space))
    return create_attack_pipeline(attack) + Pipeline(found, tags=["export"])
