"""What a run notes of its nodes, in a process that runs more than once too."""

from __future__ import annotations

import threading
import time

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline, node

from rec_msa.bookkeeping.study_progress import StudyProgress
from rec_msa.framework.clear_error import ClearError
from rec_msa.framework.hooks import Runs, runs
from rec_msa.framework.hooks.node_times import VARIABLE, Tally
from rec_msa.framework.hooks.runs import Run


def part(name: str):
    return node(lambda x: (x, x), f"{name}_in", [f"{name}_a", f"{name}_b"], name=name)


NODES = [part("one"), part("two"), part("three")]


@pytest.fixture(autouse=True)
def _no_results(monkeypatch):
    monkeypatch.setattr(runs, "show_results", lambda *_, **__: None)


@pytest.fixture
def hooks() -> Runs:
    """Hooks in the middle of a run of three nodes."""
    hooks = Runs()
    hooks.run = begun()
    return hooks


def begun(**how: object) -> Run:
    catalog = DataCatalog({"journal": MemoryDataset()})
    asked = {"env": None, "pipeline_names": None, "runtime_params": {}}
    return Run(asked, Pipeline(NODES), catalog, StudyProgress(NODES, 0, catalog, time.monotonic()), **how)


def work(hooks: Runs, which, n_saved: int) -> None:
    hooks.before_dataset_loaded(which)
    hooks.before_node_run(which)
    hooks.after_node_run(which, DataCatalog({}))
    for _ in range(n_saved):
        hooks.after_dataset_saved(which)


def test_nodes_that_failed_or_never_ran_were_counted_as_nodes_that_ran(hooks):
    journal = hooks.run.catalog
    work(hooks, NODES[0], n_saved=2)
    hooks.run.progress.drop(NODES[1])
    hooks.run.progress.drop(NODES[2])
    hooks.on_pipeline_error()
    assert journal.load("journal")["n_nodes"] == 1


def test_a_run_of_which_every_node_failed_has_no_entry(hooks):
    journal = hooks.run.catalog
    for each in NODES:
        hooks.run.progress.drop(each)
    hooks.on_pipeline_error()
    assert not journal.exists("journal")


def test_a_node_that_failed_between_two_saves_was_never_begun_in_the_next_run(hooks):
    work(hooks, NODES[0], n_saved=1)
    hooks.on_pipeline_error()
    hooks.run = begun()
    following = hooks.run.progress
    work(hooks, NODES[0], n_saved=1)
    assert following.running.keys() == {"one"}
    hooks.after_dataset_saved(NODES[0])
    assert following.n_done == 1
    assert following.in_tasks < 1


def test_what_other_processes_ran_is_counted_at_the_end(monkeypatch):
    monkeypatch.setenv(VARIABLE, "")
    hooks, worker = Runs(), Runs()
    hooks.run = run = begun(tally=Tally())
    for each in NODES[:2]:
        work(worker, each, n_saved=2)
    with run.tally.path.open("a") as file:
        file.write('["three", 0.')
    hooks.after_pipeline_run()
    assert run.catalog.load("journal")["n_nodes"] == 2
    assert run.progress.waiting.keys() == {"three"}


def test_a_fork_of_a_run_s_process_shows_nothing(hooks):
    hooks.run.process = 1
    work(hooks, NODES[0], n_saved=2)
    assert not hooks.run.progress.running
    assert not hooks.run.progress.n_done


def test_a_second_run_of_a_server_ended_the_first(hooks):
    first = hooks.run
    refused: list[ClearError] = []

    def second() -> None:
        with pytest.raises(ClearError, match="another run goes on in this process") as refusal:
            hooks.before_pipeline_run({}, Pipeline([]), DataCatalog({}))
        refused.append(refusal.value)

    other = threading.Thread(target=second)
    other.start()
    other.join()
    assert hooks.run is first
    assert refused
