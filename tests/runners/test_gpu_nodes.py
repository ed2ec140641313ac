"""Which nodes ask for a GPU on a cluster that says it has one: those that train or rank, and no others."""

from __future__ import annotations

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


def stand_ins(project: SmallProject) -> list[Node]:
    """A node for each function of any pipeline, with its tags and its device; it says what Ray gave it."""
    project.session().load_context()
    ours = {one.func.__name__: one for pipeline in dict(pipelines).values() for one in pipeline.nodes}
    reads = {name: "params:device" if "params:device" in one.inputs else "params:value" for name, one in ours.items()}
    return [
        node(gpus_of_the_task, reads[name], name, name=name, tags=one.tags & {TRAINS}) for name, one in ours.items()
    ]


def gpus_given(nodes: list[Node], folder: Path, device: str, **options: Any) -> dict[str, float]:
    given = {"params:device": MemoryDataset(device), "params:value": MemoryDataset(1)}
    files = {one.name: JSONDataset(filepath=str(folder / f"{one.name}.json")) for one in nodes}
    catalog = DataCatalog({**given, **files})
    RayRunner(**options).run(Pipeline(nodes), catalog)
    return {one.name: catalog.load(one.name) for one in nodes}


def test_what_trains_or_ranks_asks_for_its_share_of_a_gpu_and_nothing_else_does(
    cluster: Any, small_project: SmallProject
) -> None:
    given = gpus_given(stand_ins(small_project), small_project.folder, "cuda", gpus=0.25)
    assert given == {name: 0.25 if name in TRAIN | RANK else 0.0 for name in given}
    assert {*given} >= TRAIN | RANK
