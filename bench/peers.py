"""One race of a peer on the speed task, through the peer's public API: ``cornac-bpr TASK``."""

from __future__ import annotations

import argparse
import json
import time
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy import sparse

from bench.contenders import PEERS, Setting
from bench.measure import report
from bench.race import FinishedError, Race
from bench.speed_task import RECALL_AT, SpeedTask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DIMENSIONS = 64
Result = tuple[Race, "Callable[[], object]"]
"""A finished race, and what ranks the catalogue for all users."""


def main() -> None:
    """Runs the race that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("task", help="file that SpeedTask.save wrote")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, help="epochs at the most, if not the setting's")
    parser.add_argument("--set", type=json.loads, default={}, help="other settings: '{\"learning_rate\": 0.03}'")
    arguments = parser.parse_args()
    setting = PEERS[arguments.peer]
    setting = replace(setting, epochs=arguments.epochs or setting.epochs, model=setting.model | arguments.set)
    task = SpeedTask.load(arguments.task)
    library, model = arguments.peer.split("-")
    race, rank = (
        cornac(task, setting, arguments.seed) if library == "cornac" else implicit(task, setting, arguments.seed, model)
    )
    start = time.perf_counter()
    rank()
    report(**race.figures(len(task.train_users)), top50_s=time.perf_counter() - start)


class EpochBar:
    """Stands in for cornac's progress bar, the one thing that its loop calls after each epoch."""

    def __init__(self, race: Race) -> None:
        self.race = race

    def __call__(self, epochs: int, **_: Any) -> Self:
        self.epochs = epochs
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leaves errors alone."""

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.epochs))

    def set_postfix(self, _: dict[str, str]) -> None:
        """Called at the end of an epoch."""
        self.race.look()


def cornac(task: SpeedTask, setting: Setting, seed: int) -> Result:
    """Cornac's BPR: SGD in C++, sampled pairs one after the other; its data set is made before the clock starts."""
    from cornac.data import Dataset
    from cornac.models import BPR
    from cornac.models.bpr import recom_bpr

    names = [OrderedDict((k, k) for k in range(n)) for n in (task.n_users, task.n_items)]
    ratings = np.ones(len(task.train_users))
    data = Dataset(task.n_users, task.n_items, *names, (task.train_users, task.train_items, ratings), seed=seed)
    model = BPR(k=DIMENSIONS, max_iter=setting.epochs, num_threads=1, seed=seed, **setting.model)
    race = Race(lambda: task.recall_of_factors(model.u_factors, model.i_factors, model.i_biases), setting)
    recom_bpr.trange = EpochBar(race)
    _run(race, lambda: model.fit(data))
    return race, lambda: [
        model.recommend(user, k=RECALL_AT, remove_seen=True, train_set=data) for user in range(task.n_users)
    ]


def implicit(task: SpeedTask, setting: Setting, seed: int, name: str) -> Result:
    """The models of implicit: BPR by SGD, LMF by alternating gradient ascent with sampled negatives."""
    from implicit.cpu.bpr import BayesianPersonalizedRanking
    from implicit.cpu.lmf import LogisticMatrixFactorization

    matrix = sparse.csr_matrix(
        (np.ones(len(task.train_users), np.float32), (task.train_users, task.train_items)),
        shape=(task.n_users, task.n_items),
    )
    library_class = BayesianPersonalizedRanking if name == "bpr" else LogisticMatrixFactorization
    shared = {"factors": DIMENSIONS, "iterations": setting.epochs, "num_threads": 1, "random_state": seed}
    model = library_class(**shared, **setting.model)
    race = Race(lambda: task.recall_of_factors(model.user_factors, model.item_factors), setting)
    _run(race, lambda: model.fit(matrix, show_progress=False, callback=lambda *_: race.look()))
    return race, lambda: model.recommend(np.arange(task.n_users), matrix, N=RECALL_AT)


def _run(race: Race, train: Callable[[], object]) -> None:
    race.start()
    try:
        train()
    except FinishedError:
        pass


if __name__ == "__main__":
    main()
