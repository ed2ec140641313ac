"""The training loop: every target, auxiliary model, clone and steal stage passes through ``fit``."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import pandas as pd
import torch
from torch import Tensor

from rec_msa.training.progress import TrainingProgress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rec_msa.recommenders.base import Recommender
    from rec_msa.training.settings import TrainingSettings

Batch = tuple[Tensor, ...]


class Task(Protocol):
    """What is to be learned: batches, a loss, and a figure on held-back data that decides which state is kept."""

    measure: str
    start_counts: bool
    """Whether the state before the first step may be the best one."""

    def epoch(self, batch_size: int, generator: torch.Generator) -> Iterator[Batch]:
        """Yields the shuffled batches of one pass."""

    def loss(self, batch: Batch) -> Tensor:
        """The loss of a batch, a scalar."""

    def quality(self) -> float:
        """The figure on held-back data, higher is better."""


class _Best:
    """Keeps the best state seen, in buffers made once."""

    def __init__(self, model: Recommender) -> None:
        self.live: list[Tensor] = [p for p in model.parameters() if p.requires_grad]
        self.kept = [p.detach().clone() for p in self.live]
        self.quality, self.step = float("-inf"), 0

    @torch.no_grad()
    def offer(self, quality: float, step: int) -> None:
        if quality > self.quality:
            self.quality, self.step = quality, step
            torch._foreach_copy_(self.kept, self.live)

    @torch.no_grad()
    def restore(self) -> None:
        torch._foreach_copy_(self.live, self.kept)


def fit(
    model: Recommender, task: Task, settings: TrainingSettings, generator: torch.Generator, title: str
) -> pd.DataFrame:
    """Fits a model with Adam, stops early and leaves the best state in it.

    Args:
        model: The recommender; changed in place.
        task: Batches, loss and validation.
        settings: Steps, patience and step size.
        generator: The stream for shuffling and sampling.
        title: What the progress bar calls it.

    Returns:
        The training curve, a row a validation: step, loss (mean since the last one, NaN at step 0), validation, kept
        (whether this row's state is the one kept).
    """
    best, curve = _Best(model), [_Point(0, float("nan"), task.quality())]
    if task.start_counts:
        best.offer(curve[0].validation, 0)
    optimiser = torch.optim.Adam(best.live, lr=settings.learning_rate, fused=True)
    losses, since = torch.zeros((), device=model.device), 0
    with TrainingProgress(title, settings.max_steps, task.measure) as progress:
        for step, batch in enumerate(_endless(task, settings, generator), start=1):
            loss = task.loss(batch)
            optimiser.zero_grad(set_to_none=False)
            loss.backward()
            optimiser.step()
            losses += loss.detach()
            since += 1
            if step % settings.validate_every == 0 or step == settings.max_steps:
                curve.append(_Point(step, losses.item() / since, task.quality()))
                best.offer(curve[-1].validation, step)
                losses, since = losses.zero_(), 0
                progress.show(step, curve[-1].loss, curve[-1].validation, best.quality)
                if step - best.step >= settings.patience or step == settings.max_steps:
                    progress.finish(step)
                    break
    best.restore()
    return pd.DataFrame(curve).assign(kept=lambda points: points["step"] == best.step)


class _Point(NamedTuple):
    step: int
    loss: float
    validation: float


def _endless(task: Task, settings: TrainingSettings, generator: torch.Generator) -> Iterator[Batch]:
    while True:
        yield from task.epoch(settings.batch_size, generator)
