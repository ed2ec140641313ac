"""What a run says before it begins: what it will do and about how long that takes."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline, node

from rec_msa.bookkeeping.plan import Earlier, plan_of
from rec_msa.bookkeeping.run_entry import processor
from rec_msa.bookkeeping.study_progress import TRAINS, StudyProgress
from rec_msa.pipelines.binding import bind
from tests.two_cells import SPACES, assess, attack, cell, train

NODES = Pipeline([part for space in SPACES for part in cell(space)]).nodes
TRAINING = node(train, "raw", "small.seed0.bpr.model", name="t", namespace="small.seed0.bpr", tags=[TRAINS])


def ask(attackers: pd.DataFrame, asking: SimpleNamespace) -> int:
    return len(attackers)


def gate(space: str, calls: int) -> object:
    asks = bind(ask, asking=SimpleNamespace(calls_per_user=calls))
    return node(asks, "users.attackers", f"{space}.lists", name="query", namespace=space, tags=["gate"])


def earlier(*runs: dict, machine: str = "") -> Earlier:
    return Earlier.of(pd.DataFrame([{"machine": machine or processor(), "nodes": nodes} for nodes in runs]))


def test_earlier_runs_are_averaged_by_kind_on_this_machine_alone():
    known = earlier({"small/bpr/train": [1, 4.0]}, {"small/bpr/train": [3, 4.0]}, float("nan"))
    assert known == Earlier({"small/bpr/train": 2.0}, 2)
    assert earlier({"small/bpr/train": [1, 4.0]}, machine="another").n_runs == 0
    assert Earlier.of(pd.DataFrame()).n_runs == 0


def test_a_plan_counts_nodes_cells_trainings_and_calls():
    attackers = pd.DataFrame({"group": ["queried", "queried", "heldout"]})
    catalog = DataCatalog({"users.attackers": MemoryDataset(attackers)})
    plan = plan_of([*NODES, TRAINING, gate("a", 1), gate("b", 5)], 4, catalog, Earlier({}, 0))
    assert (len(plan.nodes), plan.n_cells, plan.trainings, plan.calls) == (11, 2, [TRAINING], 12)
    assert str(plan).startswith("To run: 11 nodes, 2 cells, 1 training, 2 attacks that ask: 12 calls to the target, 4 ")


def test_calls_are_not_known_before_the_users_are_drawn():
    catalog = DataCatalog({"users.attackers": MemoryDataset()})
    assert plan_of([gate("a", 1)], 0, catalog, Earlier({}, 0)).calls is None


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (Earlier({}, 0), "is not known"),
        (
            Earlier({"small/bpr/train": 30.0, "small/bpr/assess": 2.0}, 3),
            "It takes about 32 s, one node after the other, by 3 ea",
        ),
        (
            Earlier({"small/bpr/assess": 2.0}, 1),
            "not known: 1 training whose like never ran here (bpr on small); the rest about 2.0 s",
        ),
    ],
)
def test_the_time_is_what_like_nodes_took_and_says_what_it_does_not_know(known, said):
    nodes = [TRAINING, node(assess, "x", "y", name="a", namespace="small.seed0.bpr")]
    assert said in plan_of(nodes, 0, DataCatalog(), known).time()


def test_time_left_is_told_from_earlier_runs_and_not_while_a_training_is_unknown():
    nodes = [TRAINING, node(attack, "x", "y", name="a", namespace="small.seed0.bpr")]
    assert StudyProgress(nodes, 0, DataCatalog(), 0.0, {"small/bpr/attack": 1.0}).seconds_left() is None
    known = {"small/bpr/train": 30.0, "small/bpr/attack": 1.0}
    assert StudyProgress(nodes, 0, DataCatalog(), 0.0, known).seconds_left() == 31


def test_what_nodes_took_is_told_by_kind():
    progress = StudyProgress([TRAINING], 0, DataCatalog(), 0.0)
    progress.finish(TRAINING, 1.0, 1.25)
    assert progress.took() == {"small/bpr/train": (1, 1.25)}
