"""What a run notes of its nodes, in a process that runs more than once too."""

from __future__ import annotations

import time

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import node

from rec_msa.bookkeeping.progress import StudyProgress
from rec_msa.framework.hooks import Runs


def part(name: str):
    return node(lambda x: (x, x), f"{name}_in", [f"{name}_a", f"{name}_b"], name=name)


NODES = [part("one"), part("two"), part("three")]


@pytest.fixture
def runs() -> Runs:
    """Hooks in the middle of a run of three nodes."""
    hooks = Runs()
    hooks.journal = DataCatalog({"journal": MemoryDataset()})
    hooks.progress = progress()
    return hooks


def progress() -> StudyProgress:
    return StudyProgress(NODES, 0, DataCatalog({}), time.monotonic())


def work(hooks: Runs, which, n_saved: int) -> None:
    hooks.before_dataset_loaded(which)
    hooks.before_node_run(which)
    hooks.after_node_run(which)
    for _ in range(n_saved):
        hooks.after_dataset_saved(which)


def test_nodes_that_failed_or_never_ran_were_counted_as_nodes_that_ran(runs):
    journal = runs.journal
    work(runs, NODES[0], n_saved=2)
    runs.progress.drop(NODES[1])
    runs.progress.drop(NODES[2])
    runs.end()
    assert journal.load("journal")["n_nodes"] == 1


def test_a_run_of_which_every_node_failed_has_no_entry(runs):
    journal = runs.journal
    for each in NODES:
        runs.progress.drop(each)
    runs.end()
    assert not journal.exists("journal")


def test_a_node_that_failed_between_two_saves_was_never_begun_in_the_next_run(runs):
    work(runs, NODES[0], n_saved=1)
    runs.end()
    runs.progress = following = progress()
    work(runs, NODES[0], n_saved=1)
    assert following.running.keys() == {"one"}
    runs.after_dataset_saved(NODES[0])
    assert following.n_done == 1
    assert following.in_tasks < 1
