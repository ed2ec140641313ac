"""The target of a cell, its quality, and its twin from another start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kedro.pipeline import Pipeline, node

from rec_msa.attacks.settings import RETRAIN
from rec_msa.pipelines.binding import bind
from rec_msa.pipelines.target import nodes
from rec_msa.targets.settings import LISTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from rec_msa.experiments.cells import Cell


def create_pipeline(cell: Cell) -> Pipeline:
    """Checks the lists to be served, trains the target and measures it, undefended and as it serves."""
    check = Pipeline(create_check_pipeline(cell, cell.served_space), tags=["target"])
    made = _train(cell, "target", "train_target") if cell.made_elsewhere is None else _take(cell, "target")
    return check + made + _assess(cell)


def create_retrain_pipeline(cell: Cell, times: int = 1) -> Pipeline:
    """Trains the target again on the same data from other starts: the measure of run-to-run variation.

    Where it cannot be trained here, there is nothing to run.
    """
    roles = retrained_roles(cell, times)
    if cell.made_elsewhere is not None:
        return Pipeline([_take(cell, role) for role in roles])
    return Pipeline([_train(cell, role, f"{role}_target") for role in roles])


def retrained_roles(cell: Cell, times: int) -> list[str]:
    """The random streams of targets trained again, which name their models, too; the first does not know of others."""
    return [RETRAIN + (str(number) if number > 1 else "") for number in range(1, cell.times_retrained(times) + 1)]


def _train(cell: Cell, role: str, name: str) -> Pipeline:
    space, split = cell.target_space, cell.split_space
    inputs = {
        "train": f"{split}.target_train",
        "validation": f"{split}.target_validation",
        "statistics": f"{cell.data_root}.statistics",
        "recommender": f"params:recommenders.{cell.model}",
        "training": "params:target",
        "device": "params:device",
    }
    model = cell.model
    train = bind(nodes.train_recommender, architecture=model, seed=cell.seed, role=role, **cell.waiting(model))
    outputs = [f"{space}.{role}_model", f"{space}.{role}_curve"]
    return Pipeline([node(train, inputs, outputs, name=name, namespace=space, tags=["target", "gpu"])])


def _take(cell: Cell, role: str) -> Pipeline:
    """A target that others trained: as lists that were recorded, as a function, or fitted by one."""
    target, space = cell.made_elsewhere, cell.target_space
    assert target is not None
    inputs = {
        "settings": f"params:targets.{cell.model}",
        "target_train": f"{cell.split_space}.target_train",
    }
    ids = {"users": f"{cell.data_root}.users", "items": f"{cell.data_root}.items"}
    fixed: dict[str, Any] = {"target": cell.model}
    tags = ["target"]
    take: Callable[..., Any]
    model = f"{space}.{role}_model"
    makes: str | list[str] = model
    match target.kind:
        case "recorded":
            take = nodes.record_target
            inputs |= {"lists": f"{cell.all_seeds_space}.{LISTS}", "list_length": "params:list_length"}
            inputs["statistics"] = f"{cell.data_root}.statistics"
            tags.append("check")
        case "called":
            take = nodes.call_target
            inputs |= {**ids, "list_length": "params:list_length"}
            fixed["code"] = [one for one in (target.recommend, target.recommend_sequences) if one]
            fixed["version"] = target.version
            tags.append("check")
        case "fitted":
            inputs |= ids
            fixed |= {"code": [target.fit], "seed": cell.seed}
            if role == "target":
                take, makes = nodes.fit_target, [model, f"{space}.fit_check"]
            else:
                take, fixed["role"] = nodes.refit_target, role
    name = take.__name__ if role == "target" else f"{role}_target"
    return Pipeline([node(bind(take, **fixed), inputs, makes, name=name, namespace=space, tags=tags)])


def create_check_pipeline(cell: Cell, space: str, list_length: int | None = None) -> Pipeline:
    """Refuses lists that cannot be served, before anything is trained.

    Args:
        cell: The cell.
        space: Where the check is noted.
        list_length: An attack's own; None: the cell's.
    """
    # It reads the split and not the target's data, so that it comes before the trainings, which do.
    inputs = {
        "split": f"{cell.split_space}.split",
        "statistics": f"{cell.data_root}.statistics",
        **cell.defense_settings,
    }
    own = {} if list_length is None else {"list_length": list_length}
    if list_length is None:
        inputs["list_length"] = "params:list_length"
    if cell.made_elsewhere is not None and cell.made_elsewhere.lists is not None:
        inputs["recorded"] = f"{cell.all_seeds_space}.{LISTS}"
    check = bind(nodes.check_lists, defense=cell.defense, **own)
    output = f"{space}.list_check"
    return Pipeline([node(check, inputs, output, name="check_lists", namespace=space, tags=["check"])])


def _assess(cell: Cell) -> Pipeline:
    parts = ("train", "validation", "test")
    inputs = {
        "target_model": f"{cell.target_space}.target_model",
        **{f"target_{part}": f"{cell.split_space}.target_{part}" for part in parts},
        "list_length": "params:list_length",
        "device": "params:device",
        **cell.defense_settings,
    }
    answers = cell.made_elsewhere is not None and cell.made_elsewhere.kind == "called"
    assess = bind(nodes.assess_target, facts=cell.facts, **({"validation_known": False} if answers else {}))
    output = f"{cell.served_space}.target_quality"
    tags = ["target", "evaluation"]
    return Pipeline([node(assess, inputs, output, name="assess_target", namespace=cell.served_space, tags=tags)])
