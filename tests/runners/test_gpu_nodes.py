"""Which nodes ask for a GPU on a cluster that says it has one: those that train or rank, and no others."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from kedro.framework.project import pipelines
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline, node

from rec_msa.bookkeeping.study_progress import TRAINS
from rec_msa.datasets.files import JSONDataset
from rec_msa.runners import RayRunner

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from kedro.pipeline.node import Node

    from tests.small_project import SmallProject

TRAIN = {
    *("train_recommender", "train_clone", "steal", "steal_from_lists_alone", "steal_listwise"),
    *("teach_folds", "stack", "distil", "correct", "average"),
}
RANK = {
    *("assess_target", "query_target", "choose_whom_to_ask", "rank_target", "rank_clone", "solve_references"),
    "export_clone",
}


def gpus_of_the_task(_: object) -> float:
    import ray

    return float(ray.get_runtime_context().get_assigned_resources().get("GPU", 0))


@cache
def stand_in(on_device: bool, trains: bool) -> Node:
    """A node that says what Ray gave it; one for all that are alike, since each worker that had a GPU ends with it."""
    name = f"on_device_{on_device}_trains_{trains}".lower()
    reads = "params:device" if on_device else "params:value"
    return node(gpus_of_the_task, reads, name, name=name, tags={TRAINS} if trains else set())


def stand_ins(project: SmallProject) -> dict[str, Node]:
    """For each function of any pipeline the node that has its tags and its device."""
    project.session().load_context()
    ours = {one.func.__name__: one for pipeline in dict(pipelines).values() for one in pipeline.nodes}
    return {name: stand_in("params:device" in one.inputs, TRAINS in one.tags) for name, one in ours.items()}


def gpus_given(nodes: dict[str, Node], folder: Path, device: str, **options: Any) -> dict[str, float]:
    given = {"params:device": MemoryDataset(device), "params:value": MemoryDataset(1)}
    files = {one.name: JSONDataset(filepath=str(folder / f"{one.name}.json")) for one in nodes.values()}
    catalog = DataCatalog({**given, **files})
    RayRunner(**options).run(Pipeline([*set(nodes.values())]), catalog)
    return {name: catalog.load(one.name) for name, one in nodes.items()}


def test_what_trains_or_ranks_asks_for_its_share_of_a_gpu_and_nothing_else_does(
    cluster: Any, small_project: SmallProject
) -> None:
    given = gpus_given(stand_ins(small_project), small_project.folder, "cuda", gpus=0.25)
    assert given == {name: 0.25 if name in TRAIN | RANK else 0.0 for name in given}
    assert {*given} >= TRAIN | RANK
