"""One race of one of our models on the speed task, through the project's public API: ``bpr paper TASK``."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch._dynamo  # the first optimiser of a process imports it; imports are outside every contender's clock

import rec_msa.training.kernels  # noqa: F401 - numba, likewise
from bench.contenders import settings_of
from bench.measure import report
from bench.race import FinishedError, Race
from bench.speed_task import RECALL_AT, SpeedTask
from rec_msa.recommenders.checkpoint import build
from rec_msa.recommenders.ranking import rank_lists
from rec_msa.training.fit import fit
from rec_msa.training.recommender import task_of
from rec_msa.training.settings import TrainingSettings

if TYPE_CHECKING:
    import pandas as pd

    from bench.contenders import Setting
    from rec_msa.recommenders.base import Recommender
    from rec_msa.training.fit import Task


class RacingTask:
    """A task whose validations are looks of the race, outside the clock; all else is the task's own.

    Args:
        task: What is learned.
        race: The race.
    """

    def __init__(self, task: Task, race: Race) -> None:
        self.task, self.race = task, race

    def __getattr__(self, name: str) -> Any:
        return getattr(self.task, name)

    def quality(self) -> float:
        """Recall@50 on the held-out pairs."""
        return self.race.look()


def main() -> None:
    """Runs the race that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("setting")
    parser.add_argument("task", help="file that SpeedTask.save wrote")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    setting = settings_of(arguments.model)[arguments.setting]
    report(**run(arguments.model, setting, SpeedTask.load(arguments.task), arguments.seed))


def run(architecture: str, setting: Setting, speed_task: SpeedTask, seed: int) -> dict[str, float | None]:
    """Trains a model until the race is over, then ranks the catalogue for all users with it."""
    generator = torch.Generator().manual_seed(seed)
    model = build(architecture, torch.arange(speed_task.n_users), speed_task.n_items, setting.model)
    model.initialise(generator)
    train, held_out = speed_task.frames()
    race = train_in_a_race(model, train, held_out, setting, generator)
    start = time.perf_counter()
    rank_lists(model, np.arange(speed_task.n_users), train, RECALL_AT)
    return race.figures(len(train)) | {"top50_s": time.perf_counter() - start}


def train_in_a_race(
    model: Recommender, train: pd.DataFrame, held_out: pd.DataFrame, setting: Setting, generator: torch.Generator
) -> Race:
    """Trains a model, its parameters drawn, by the task of its kind until its race is over."""

    def recall() -> float:
        return task.quality()

    race = Race(recall, setting)  # before the task: preparing the data is a part of training
    task = task_of(model, train, held_out)
    try:
        fit(model, RacingTask(task, race), _training(setting, task.n_terms), generator, f"race {model.name}")
    except FinishedError:
        pass
    return race


def _training(setting: Setting, n_terms: int) -> TrainingSettings:
    """A loop that validates once an epoch and is stopped by the race alone."""
    plain = TrainingSettings.model_validate(setting.training)
    steps = -(-n_terms // plain.batch_size)
    limit = steps * setting.epochs
    return plain.model_copy(update={"validate_every": steps, "max_steps": limit, "patience": limit})


if __name__ == "__main__":
    main()
