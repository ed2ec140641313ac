"""What attacks took: of the attacker's own nodes, each once."""

from __future__ import annotations

import pandas as pd
import pytest

from rec_msa.bookkeeping.costs import attacker_seconds, mean_seconds
from tests.small_project import SmallProject


def made(node: str, seconds: float, *inputs: str, tags: tuple[str, ...] = ("attack",)):
    return inputs, {"node": node, "tags": list(tags), "seconds": seconds}


ARTIFACTS = {
    "lists": made("gate", 100.0, "target", tags=("gate",)),
    "target": made("train_target", 1000.0, tags=("gpu", "target")),
    "auxiliary": made("train_auxiliary", 8.0, tags=("auxiliary", "gpu")),
    "clone": made("train_clone", 4.0, "auxiliary"),
    "curve": made("train_clone", 4.0, "auxiliary"),
    "stolen": made("steal", 2.0, "clone", "curve", "lists", "auxiliary"),
    "here.agreement": made("measure", 50.0, "stolen", tags=("evaluation",)),
}


def test_a_node_counts_once_and_the_targets_side_never():
    assert attacker_seconds("here.agreement", ARTIFACTS.get) == 14.0


def test_where_something_behind_it_is_unknown_nothing_is_said():
    assert attacker_seconds("here.agreement", {**ARTIFACTS, "auxiliary": None}.get) is None


def test_the_mean_is_over_cells_of_which_it_is_known():
    other = {"there.agreement": made("measure", 1.0, "clone", tags=("evaluation",))}
    spaces = {"ptaq": ["here", "there", "nowhere"], "qsd": ["nowhere"]}
    assert mean_seconds(spaces, {**ARTIFACTS, **other}.get) == {"ptaq": pytest.approx((14.0 + 12.0) / 2)}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    project = SmallProject(tmp_path_factory.mktemp("costs"))
    for attack in ("ptd", "pta"):
        project.run(f"attack_{attack}", only_missing_outputs=True)
    return project


def test_each_run_says_what_its_attacks_took(project):
    costs = pd.read_parquet(project.folder / "data/08_reporting/costs.parquet").set_index("attack")["seconds"]
    assert set(costs.index) == {"ptd", "pta"}
    assert 0 < costs["ptd"] < 600
    assert costs["pta"] > 0


def test_both_attacks_and_the_page_of_an_audit_read_the_same_records(project):
    records = project.load("small.costs")
    table = pd.read_parquet(project.folder / "data/08_reporting/costs.parquet").iloc[0]
    [name] = [name for name in records if name.endswith(f".none.{table['attack']}.agreement")]
    assert attacker_seconds(name, records.get) == table["seconds"]
