"""A training as a race: its clock stands still while recall is measured, for everyone alike."""

from __future__ import annotations

import statistics
import time
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from bench.speed_task import THRESHOLDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.contenders import Setting

EARLY = 3
"""The epoch after which the plain loop ends: recall there shows that both compute the same."""


class FinishedError(Exception):
    """The race is over: raised out of a library's own loop, which has no other way to end it."""


class Look(NamedTuple):
    """The state after an epoch.

    Attributes:
        seconds: Of training so far.
        recall: Recall@50.
        processor: Seconds of the processor so far, which a busy machine does not change.
    """

    seconds: float
    recall: float
    processor: float


class Race:
    """Takes times after each epoch and ends the race.

    Args:
        recall: Measures the model as it is now.
        setting: Says how many epochs at the most, and how many without a better recall.
    """

    def __init__(self, recall: Callable[[], float], setting: Setting) -> None:
        self.recall, self.epochs, self.patience = recall, setting.epochs, setting.patience
        self.looks: list[Look] = []
        self.before = (0.0, 0.0)
        self.resumed = _clocks()

    def start(self) -> None:
        """Starts the clock for a library that shows nothing of its state before the first epoch ends."""
        self.looks = [Look(0.0, 0.0, 0.0)]
        self.resumed = _clocks()

    def look(self) -> float:
        """Measures recall while the clock stands still. The first look is before the first epoch.

        Raises:
            FinishedError: The race is over.
        """
        seconds, processor = (b + now - r for b, now, r in zip(self.before, _clocks(), self.resumed, strict=True))
        self.looks.append(Look(seconds, self.recall(), processor))
        if self.over:
            raise FinishedError
        self.before, self.resumed = (seconds, processor), _clocks()
        return self.looks[-1].recall

    @property
    def over(self) -> bool:
        """Whether all epochs are done or nothing has got better for long."""
        recalls = [look.recall for look in self.looks]
        return len(self.looks) > self.epochs or len(recalls) - 1 - recalls.index(max(recalls)) >= self.patience

    def figures(self, n_pairs: int) -> dict[str, float | None]:
        """Seconds an epoch, pairs a second, the best recall, and the seconds to each threshold (None: never)."""
        early = self.looks[EARLY].recall if len(self.looks) > EARLY else None
        epoch = statistics.median(after.seconds - before.seconds for before, after in pairwise(self.looks))
        processor = statistics.median(after.processor - before.processor for before, after in pairwise(self.looks))
        best = max(self.looks, key=lambda look: look.recall)
        return {
            "epoch_s": epoch,
            "epoch_cpu_s": processor,
            "samples_per_s": n_pairs / epoch,
            f"recall_{EARLY}": early,
            "best_recall": best.recall,
            "best_at_s": best.seconds,
            "setup_s": self.looks[0].seconds,
            "epochs": len(self.looks) - 1,
            **{f"to_{limit:g}_s": _seconds(self._first(limit)) for limit in THRESHOLDS},
            **{f"to_{limit:g}_cpu_s": _processor(self._first(limit)) for limit in THRESHOLDS},
        }

    def _first(self, limit: float) -> Look | None:
        return next((look for look in self.looks if look.recall >= limit), None)


def _seconds(look: Look | None) -> float | None:
    return look.seconds if look else None


def _processor(look: Look | None) -> float | None:
    return look.processor if look else None


def _clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()
