"""The progress of a training as a person sees it: steps, time left, loss and validation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import rich
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from types import TracebackType


class TrainingProgress:
    """A bar on rich's shared console, so that it and the log do not tear each other.

    Args:
        title: What is trained, as ``target bpr``.
        total: Steps at the most.
        measure: Name of the validation figure.
    """

    def __init__(self, title: str, total: int, measure: str) -> None:
        self.measure = measure
        self.bar = Progress(
            TextColumn("{task.description:<28}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeElapsedColumn(),
            TextColumn("<"),
            TimeRemainingColumn(),
            console=rich.get_console(),
            refresh_per_second=4,
        )
        self.task = self.bar.add_task(title, total=total, figures="")

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()

    def show(self, step: int, loss: float, quality: float, best: float) -> None:
        """Shows the state after a validation."""
        figures = f"loss {loss:.4f}  {self.measure} {quality:.4f} (best {best:.4f})"
        self.bar.update(self.task, completed=step, figures=figures)

    def finish(self, step: int) -> None:
        """Marks an early end: what was done becomes the whole."""
        self.bar.update(self.task, completed=step, total=step)
