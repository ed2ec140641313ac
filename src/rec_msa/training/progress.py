"""The progress of a training as a person sees it: steps, loss, validation and time left."""

from __future__ import annotations

import time
from contextvars import ContextVar
from typing import NamedTuple, Self

import rich
from rich.progress import BarColumn, Progress, TextColumn


class Watched(NamedTuple):
    """What whoever starts a training knows of it, and the training itself does not.

    Attributes:
        name: Whose it is, as an attack's; empty for nobody's.
        seconds: What its like took; None where it never ran.
    """

    name: str = ""
    seconds: float | None = None


_watched: ContextVar[Watched | None] = ContextVar("watched", default=None)


def watch(watched: Watched) -> None:
    """Has the bars of trainings that begin in this thread from now on say whose they are."""
    _watched.set(watched)


class TrainingProgress:
    """A bar on rich's shared console, so that it and the log do not tear each other.

    The bar ends where the training would end if nothing got better any more, and moves on when something does: the time
    left is told by what its like took, or else is the least that it can take. It fits a terminal of 80 columns.
    """

    def __init__(self, title: str, measure: str) -> None:
        self.measure, self.watched = measure, _watched.get() or Watched()
        self.bar = Progress(
            TextColumn("{task.description:<20}"),
            BarColumn(bar_width=6),
            TextColumn("{task.completed:>5.0f}"),
            TextColumn("{task.fields[figures]}"),
            TextColumn("{task.fields[time]}", style="progress.remaining"),
            console=rich.get_console(),
            refresh_per_second=4,
        )
        self.task = self.bar.add_task(self._named(title), total=None, figures="", time="")
        self.start = time.perf_counter()

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def show(self, step: int, earliest_end: int, loss: float, quality: float, best: float) -> None:
        """Shows the state after a validation; ``earliest_end`` is the last step if nothing gets better."""
        figures = f"loss {loss:.3f} {self.measure} {quality:.3f} best {best:.3f}"
        clock = self.clock(time.perf_counter() - self.start, step, earliest_end)
        self.bar.update(self.task, completed=step, total=earliest_end, figures=figures, time=clock)

    def clock(self, seconds: float, step: int, earliest_end: int) -> str:
        """The time left after so many seconds and steps, or at the end the time that it took."""
        # rich's own estimate starts anew whenever the total moves.
        least = seconds * (earliest_end - step) / step
        if not least:
            return f"{seconds:.1f} s"
        expected = (self.watched.seconds or 0.0) - seconds
        return f"~{expected:.0f} s left" if expected > least else f"≥{least:.0f} s left"

    def _named(self, title: str) -> str:
        """Whose training it is stands before the title, where that does not say it."""
        name = self.watched.name
        return title if not name or name in title else f"{name}: {title}"
