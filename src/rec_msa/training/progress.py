"""The progress of a training as a person sees it: steps, loss, validation and time left."""

from __future__ import annotations

import time
from typing import Self

import rich
from rich.progress import BarColumn, Progress, TextColumn


class TrainingProgress:
    """A bar on rich's shared console, so that it and the log do not tear each other.

    The bar ends where the training would end if nothing got better any more, and moves on when something does: the time
    left is the least that it can take. It fits a terminal of 80 columns.
    """

    def __init__(self, title: str, measure: str) -> None:
        self.measure = measure
        self.bar = Progress(
            TextColumn("{task.description:<20}"),
            BarColumn(bar_width=8),
            TextColumn("{task.completed:>5.0f}"),
            TextColumn("{task.fields[figures]}"),
            TextColumn("{task.fields[time]}", style="progress.remaining"),
            console=rich.get_console(),
            refresh_per_second=4,
        )
        self.task = self.bar.add_task(title, total=None, figures="", time="")
        self.start = time.perf_counter()

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def show(self, step: int, earliest_end: int, loss: float, quality: float, best: float) -> None:
        """Shows the state after a validation; ``earliest_end`` is the last step if nothing gets better."""
        figures = f"loss {loss:.3f}  {self.measure} {quality:.3f} best {best:.3f}"
        # rich's own estimate starts anew whenever the total moves.
        seconds = time.perf_counter() - self.start
        left = seconds * (earliest_end - step) / step
        clock = f"{left:.0f} s left" if left else f"{seconds:.1f} s"
        self.bar.update(self.task, completed=step, total=earliest_end, figures=figures, time=clock)
