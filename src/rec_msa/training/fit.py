"""The training loop: every target, auxiliary model, clone and steal stage passes through ``fit``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, Protocol

import pandas as pd
import torch
from torch import Tensor
from torch.optim.lr_scheduler import LinearLR

from rec_msa.foundation.errors import SettingsError
from rec_msa.recommenders.lookups import set_row_sparse
from rec_msa.training.compiled import compiled_loss
from rec_msa.training.device import tiny_is_nothing
from rec_msa.training.progress import TrainingProgress
from rec_msa.training.row_adam import RowAdam

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rec_msa.recommenders.base import DotLoss, GradientRecommender
    from rec_msa.training.settings import TrainingSettings

Batch = tuple[Tensor, ...]

LOOKS = 10
"""Looks at the held-back data in an epoch at the most: one costs the same however few steps lie between two."""


class Task(Protocol):
    """What is to be learned: batches, a loss, and a figure on held-back data that decides which state is kept.

    A task whose loss is one of dot products may say so (``dot_loss``, as a model's): then its steps may be compiled.
    """

    measure: str
    start_counts: bool
    """Whether the state before the first step may be the best one."""
    n_terms: int
    """Training terms in an epoch."""

    def epoch(self, batch_size: int, generator: torch.Generator) -> Iterator[Batch]:
        """Yields the shuffled batches of one pass."""

    def loss(self, batch: Batch) -> Tensor:
        """The loss of a batch, a scalar."""

    def quality(self) -> float:
        """The figure on held-back data, higher is better."""


class Point(NamedTuple):
    """A look at a training: steps done, mean loss since the last look, the figure on held-back data."""

    step: int
    loss: float
    validation: float


class _Fitting:
    """The state of a training: optimiser, curve, and the best state seen, in buffers made once."""

    def __init__(self, model: GradientRecommender, task: Task, settings: TrainingSettings, title: str) -> None:
        self.task, self.settings, self.title = task, settings, title
        self.live: list[Tensor] = [p for p in model.parameters() if p.requires_grad]
        self.kept = [p.detach().clone() for p in self.live]
        products: DotLoss | None = getattr(task, "dot_loss", lambda: None)()
        rows = _by_row(model, products is not None, settings)
        self.compiled = compiled_loss(products, rows)
        self.optimisers = _optimisers(self.live, rows, settings)
        falling = self.optimisers if settings.schedule == "linear" else []
        self.schedules = [LinearLR(one, 1.0, 0.0, total_iters=settings.max_steps) for one in falling]
        self.patience = max(settings.patience, settings.patience_epochs * -(-task.n_terms // settings.batch_size))
        self.losses, self.steps = torch.zeros((), device=model.device), 0
        self.curve = [Point(0, float("nan"), task.quality())]
        self.best = self.curve[0] if task.start_counts else Point(0, float("nan"), float("-inf"))
        self.lowest = Point(0, float("inf"), float("nan"))

    def step(self, batch: Batch) -> None:
        """One step of Adam; the loss stays on the device."""
        self.losses += self.compiled(batch) if self.compiled else self._backward(batch)
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=isinstance(optimiser, RowAdam))
        for schedule in self.schedules:
            schedule.step()
        self.steps += 1

    def _backward(self, batch: Batch) -> Tensor:
        loss = self.task.loss(batch)
        loss.backward()
        return loss.detach()

    @torch.no_grad()
    def look(self, step: int) -> bool:
        """Validates, keeps the state where it is the best one, and says whether to go on."""
        loss = self.losses.item() / self.steps
        if not math.isfinite(loss):
            found = f"{self.settings.learning_rate} makes the loss of '{self.title}' {loss} within {step} steps"
            raise SettingsError(f"learning_rate: {found}; choose a lower one")
        point = Point(step, loss, self.task.quality())
        self.losses, self.steps = self.losses.zero_(), 0
        self.curve.append(point)
        if point.validation > self.best.validation:
            self.best = point
            torch._foreach_copy_(self.kept, self.live)
        if loss < self.lowest.loss - self.settings.least_gain:
            self.lowest = point
        return step < self.earliest_end

    @property
    def earliest_end(self) -> int:
        """The step at which the training ends if nothing gets better."""
        last_gain = self.lowest if self.settings.stop_by == "loss" else self.best
        return min(max(last_gain.step + self.patience, self.settings.least_steps), self.settings.max_steps)

    @torch.no_grad()
    def restore_best(self) -> pd.DataFrame:
        """Puts the best state back into the model and returns the curve."""
        torch._foreach_copy_(self.live, self.kept)
        for learned in self.live:
            learned.grad = None
        return pd.DataFrame(self.curve).assign(kept=lambda points: points["step"] == self.best.step)


def _by_row(model: GradientRecommender, all_or_none: bool, settings: TrainingSettings) -> list[Tensor]:
    """The tables that are updated by row: the large ones; or all where one is large, if the loss reads them by row."""
    tables = [p for p in model.row_parameters() if p.requires_grad]
    large = [table for table in tables if len(table) >= settings.row_sparse_from]
    rows: list[Tensor] = [*(tables if large and all_or_none else large)]
    for parameter in model.row_parameters():
        set_row_sparse(parameter, any(parameter is table for table in rows))
    return rows


def _optimisers(live: list[Tensor], rows: list[Tensor], settings: TrainingSettings) -> list[torch.optim.Optimizer]:
    """Adam, and for tables so large that it would spend its time on rows that no batch touched, Adam on rows."""
    by_row = {id(table) for table in rows}
    whole = [p for p in live if id(p) not in by_row]
    optimisers: list[torch.optim.Optimizer] = []
    if whole:
        for learned in whole:
            learned.grad = torch.zeros_like(learned)  # look-ups add to it in place
        optimisers.append(torch.optim.Adam(whole, lr=settings.learning_rate, fused=True))
    if rows:
        optimisers.append(RowAdam(rows, lr=settings.learning_rate))
    return optimisers


def fit(
    model: GradientRecommender, task: Task, settings: TrainingSettings, generator: torch.Generator, title: str
) -> pd.DataFrame:
    """Fits a model with Adam, stops when nothing gets better any more, and leaves the best state in it.

    Returns:
        The training curve, a row a validation: step, loss (mean since the last one, NaN at step 0), validation, kept
        (whether this row's state is the one kept).

    Raises:
        SettingsError: The loss is no longer finite: the step size is too large.
    """
    fitting = _Fitting(model, task, settings, title)
    every = max(settings.validate_every, task.n_terms // settings.batch_size // LOOKS)
    with tiny_is_nothing(), TrainingProgress(title, task.measure) as progress:
        for step, batch in enumerate(_endless(task, settings, generator), start=1):
            fitting.step(batch)
            if step % every == 0 or step == settings.max_steps:
                go_on = fitting.look(step)
                last = fitting.curve[-1]
                end = fitting.earliest_end if go_on else step
                progress.show(step, end, last.loss, last.validation, fitting.best.validation)
                if not go_on:
                    break
    return fitting.restore_best()


def _endless(task: Task, settings: TrainingSettings, generator: torch.Generator) -> Iterator[Batch]:
    while True:
        yield from task.epoch(settings.batch_size, generator)
