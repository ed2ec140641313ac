"""How cost grows: an epoch of ``--interactions N`` made-up pairs, or a step with a catalogue of ``--items N``.

The clock is the processor's, since points that are minutes apart are set on one line.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from bench.figure import BY_ROW
from bench.measure import report
from rec_msa.recommenders.checkpoint import build
from rec_msa.training.fit import fit
from rec_msa.training.interactions import InteractionTask
from rec_msa.training.settings import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rec_msa.recommenders.base import Recommender
    from rec_msa.training.fit import Batch

PAIRS, USERS, ITEMS = 410_380, 3020, 3706  # ML-1M's half: the smallest point of both curves
DEFAULT_SECONDS = 10.0


class DeadlineError(Exception):
    """Enough steps were timed."""


class TimedTask(InteractionTask):
    """One epoch, or as many of its steps as fit into some seconds; nothing is validated.

    Args:
        model: The recommender.
        train: Its interactions.
        limit: Seconds of steps at the most.
    """

    def __init__(self, model: Recommender, train: pd.DataFrame, limit: float) -> None:
        super().__init__(model, train, train.iloc[:0])
        self.limit, self.steps = limit, 0
        self.begun = self.first = self.last = 0.0

    def quality(self) -> float:
        """Nothing is measured."""
        return 0.0

    def epoch(self, batch_size: int, generator: torch.Generator) -> Iterator[Batch]:
        """The epoch's batches, the time of each taken."""
        self.begun = time.process_time()
        for batch in super().epoch(batch_size, generator):
            self.last = time.process_time()
            self.first = self.first or self.last
            if self.last - self.first > self.limit:
                raise DeadlineError
            yield batch
            self.steps += 1
        self.last = time.process_time()
        raise DeadlineError


def main() -> None:
    """Measures one point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="bpr")
    parser.add_argument("--interactions", type=int, default=PAIRS)
    parser.add_argument("--items", type=int, help="size of the catalogue; default: grows with the root of the pairs")
    parser.add_argument("--seconds", type=float, default=DEFAULT_SECONDS, help="timed steps of an epoch at the most")
    arguments = parser.parse_args()
    growth = arguments.interactions / PAIRS
    n_users, n_items = round(USERS * growth), arguments.items or round(ITEMS * growth**0.5)
    once = made_up(PAIRS, BY_ROW, ITEMS)
    measure(
        arguments.model, once, BY_ROW, ITEMS, limit=0.0
    )  # compiled code is loaded outside the clock, as imports are
    train = made_up(arguments.interactions, n_users, n_items)
    report(**measure(arguments.model, train, n_users, n_items, arguments.seconds))


def made_up(n_pairs: int, n_users: int, n_items: int) -> pd.DataFrame:
    """Interactions whose users and items follow power laws, as activity and popularity do; repeats are kept."""
    random = np.random.default_rng(0)
    columns = {}
    for name, n, exponent, shift in (("user", n_users, 0.9, n_users / 20), ("item", n_items, 1.0, 50.0)):
        share = np.cumsum((np.arange(n) + 1 + shift) ** -exponent)
        columns[name] = np.searchsorted(share / share[-1], random.random(n_pairs)).clip(max=n - 1)
    return pd.DataFrame(columns)


def measure(architecture: str, train: pd.DataFrame, n_users: int, n_items: int, limit: float) -> dict[str, float]:
    """Seconds an epoch (from the share of its steps that was timed) and milliseconds a step."""
    generator = torch.Generator().manual_seed(0)
    model = build(architecture, torch.arange(n_users), n_items, {})
    model.initialise(generator)
    start = time.process_time()
    task = TimedTask(model, train, limit)
    setup = time.process_time() - start
    settings = TrainingSettings(validate_every=10**9, max_steps=10**9, patience=10**9)
    try:
        fit(model, task, settings, generator, "scaling")
    except DeadlineError:
        pass
    n_steps = -(-task.n_terms // settings.batch_size)
    step = (task.last - task.first) / task.steps
    seconds = task.first - task.begun + n_steps * step
    figures = {"epoch_s": seconds, "step_ms": 1000 * step, "timed_share": task.steps / n_steps, "setup_s": setup}
    return figures | {"interactions": len(train), "users": n_users, "items": n_items}


if __name__ == "__main__":
    main()
