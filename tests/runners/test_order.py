"""In which order nodes run."""

from __future__ import annotations

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline, node

from rec_msa.bookkeeping.study_progress import StudyProgress
from rec_msa.runners.order import Urgency, by_cell, cells_of, ways
from rec_msa.runners.sequential import CellByCellRunner
from tests.two_cells import SPACES, cell


@pytest.fixture
def nodes() -> list:
    return Pipeline([part for space in SPACES for part in cell(space)]).nodes


def test_one_cell_comes_after_the_other_with_all_that_describes_it(nodes):
    spaces = [each.namespace for each in by_cell(Pipeline(nodes))]
    assert spaces == [SPACES[0]] * 4 + [SPACES[1]] * 4


def test_what_cells_share_comes_first(nodes):
    first = node(lambda: 1, None, "raw", name="read")
    assert by_cell(Pipeline([*nodes, first]))[0].name == "read"


def test_what_refuses_settings_comes_before_every_cell(nodes):
    check = node(lambda raw: raw, "raw", "checked", name="check", tags=["check"])
    assert cells_of(Pipeline([*nodes, check]))[check] == -1
    assert by_cell(Pipeline([*nodes, check]))[0] == check


def test_the_sequential_runner_runs_cell_by_cell(nodes):
    ran = []
    traced = [each._copy(func=lambda value, name=each.name: ran.append(name) or value) for each in nodes]
    given = DataCatalog({"raw": MemoryDataset(1)})
    CellByCellRunner().run(Pipeline(traced), given)
    assert [name.rpartition(".")[0] for name in ran] == [SPACES[0]] * 4 + [SPACES[1]] * 4


def test_a_node_s_way_is_its_own_time_and_the_longest_chain_behind_it(nodes):
    seconds = {"train": 5.0, "attack": 3.0, "draw": 1.0, "assess": 7.0}
    found = ways(Pipeline(nodes), lambda each: seconds[each._name])
    assert {each._name: way for each, way in found.items()} == {
        "train": 12.0,
        "attack": 4.0,
        "draw": 1.0,
        "assess": 7.0,
    }


def test_of_a_cell_the_longest_way_goes_first_once_its_like_has_run(nodes):
    pipeline = Pipeline(nodes)
    progress = StudyProgress(nodes, 0, DataCatalog(), 0.0)
    urgency = Urgency(pipeline, progress)
    first, second = ({each._name: each for each in nodes if each.namespace == space} for space in SPACES)
    behind = [second["assess"], second["attack"], first["assess"], first["attack"]]
    assert {*urgency.first(behind)[:2]} == {first["attack"], first["assess"]}
    for name, seconds in {"train": 5.0, "attack": 1.0, "assess": 9.0}.items():
        progress.finish(first[name], seconds, seconds)
    assert urgency.first(behind) == [first["assess"], first["attack"], second["assess"], second["attack"]]
