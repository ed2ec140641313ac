"""What a clone learns from served lists (Eq. 9-12): the losses, the batches, and the agreement that stops it.

Beside the paper's sampled items stand two variants that are not the paper's: against the items that the clone itself
ranks highest, and against the whole catalogue. They show what sampling costs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from rec_msa.foundation.errors import DataError
from rec_msa.foundation.lists import PADDING, Lists
from rec_msa.recommenders.lookups import hinge_sum
from rec_msa.recommenders.ranking import Exclusions, best_items
from rec_msa.training.interactions import shuffled
from rec_msa.training.negatives import NegativeSampler
from rec_msa.training.probes import are_found

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from rec_msa.attacks.settings import Outside, PairLoss, StealSettings
    from rec_msa.recommenders.base import GradientRecommender, Recommender
    from rec_msa.training.fit import Batch, Task

Losses = tuple["PairLoss", "PairLoss"]
Pairs = tuple[Tensor, Tensor]
"""Contexts and items, a pair each: a context is a user's row, or a place in a sequence."""


def pair_loss(kind: PairLoss, better: Tensor, worse: Tensor, margin: float) -> Tensor:
    """The loss of scores that should be in this order, elementwise (Eq. 4 and 9).

    ``bpr`` is -ln sigmoid(better - worse), ``hinge`` max(0, margin - (better - worse)).
    """
    difference = better - worse
    return F.softplus(-difference) if kind == "bpr" else F.relu(margin - difference)


def list_loss(listed: Tensor, outside: Tensor, there: Tensor, losses: Losses, margin: float) -> Tensor:
    """L_S = L_r + L_p of some lists (Eq. 10-12): the sums as they stand, both divided by the number of list places.

    Every place is compared with all of its list's negatives: n_j is the same for each item j of a list.

    Args:
        listed: Scores of the lists' items, best place first ``[n_lists, length]``.
        outside: Scores of each list's negatives ``[n_lists, n]``.
        there: Whether a list has the place; padding has none after it ``[n_lists, length]``.
    """
    # An item that is not there stands above everything: its loss is 0, and so is its slope.
    above = listed.masked_fill(~there, torch.inf)
    if losses[1] == "hinge":
        l_p = hinge_sum(above, outside, margin)
    else:
        l_p = pair_loss(losses[1], above.unsqueeze(2), outside.unsqueeze(1), margin).sum()
    return (ranking_sum(listed, there, losses[0], margin) + l_p) / there.sum()


def ranking_sum(listed: Tensor, there: Tensor, kind: PairLoss, margin: float) -> Tensor:
    """The sum in L_r: every item of a list and the one after it; the last has none."""
    return torch.where(there[:, 1:], pair_loss(kind, listed[:, :-1], listed[:, 1:], margin), 0.0).sum()


class ListTask(ABC):
    """Lists served in contexts (of users, or after sequences) as training terms, and agreement on what was held back.

    A step takes whole lists, so that an item is scored once for all the terms that it is in. A batch is what says the
    contexts, then their lists ``[n, length]``, -1 at the end of shorter ones, and negatives ``[n, m]``.

    Args:
        seen: Contexts and items ``[n_pairs]`` that are no negatives there: whole lists and known histories.
        probe: Measures the clone on what was held back.
    """

    n_terms: int

    def __init__(
        self, n_items: int, seen: Pairs, n_contexts: int, probe: ListProbe, settings: StealSettings, losses: Losses
    ) -> None:
        self.settings, self.losses, self.probe = settings, losses, probe
        self.measure, self.start_counts = probe.measure, probe.start_counts
        self.sampler = NegativeSampler(*seen, n_contexts, n_items)

    @abstractmethod
    def epoch(self, batch_size: int, generator: torch.Generator) -> Iterator[Batch]:
        """Yields every list once, in steps of so many places."""

    @abstractmethod
    def score(self, contexts: Sequence[Tensor], items: Tensor) -> Tensor:
        """The clone's scores of items ``[n, m]`` in the contexts of a batch."""

    def loss(self, batch: Batch) -> Tensor:
        *contexts, items, negatives = batch
        scores = self.score(contexts, torch.cat([items.clamp(min=0), negatives], dim=1))
        listed, outside = scores.tensor_split([items.shape[1]], dim=1)
        return list_loss(listed, outside, items != PADDING, self.losses, self.settings.margin)

    def quality(self) -> float:
        return self.probe()


class ListProbe(ABC):
    """Agreement of a clone's lists with lists held back, some items left out of both.

    It decides when to stop, over fewer places than a list has: no figure of a result, and not named like one.

    Args:
        wanted: Contexts and items ``[n_pairs]`` that the clone should say.
        left_out: Contexts and items that it must not say.
        k: The most items wanted in a context.
        start_counts: Whether the state before the first step may be the best one.
    """

    measure = "held-back"

    def __init__(self, n_items: int, wanted: Pairs, left_out: Pairs, k: int, *, start_counts: bool) -> None:
        self.n_items, self.k, self.start_counts = n_items, k, start_counts
        self.asked = torch.unique(wanted[0])
        inside = torch.isin(left_out[0], self.asked)
        rows = torch.searchsorted(self.asked, left_out[0][inside])
        self.excluded = Exclusions(rows, left_out[1][inside], len(self.asked))
        self.keys = wanted[0] * n_items + wanted[1]

    @abstractmethod
    def best(self) -> Tensor:
        """The clone's first k items in each context asked about ``[n_asked, k]``; n_items where there are fewer."""

    def __call__(self) -> float:
        """Measures the model as it is now: the share of the held-back items among its first k."""
        return float(are_found(self.keys, self.asked, self.best(), self.n_items).double().mean())


class StealTask(ListTask):
    """Lists of users; a list's negatives are drawn anew in each epoch.

    Args:
        lists: What to learn, of users that the clone knows.
        forbidden: Interactions (columns user, item) that are no negatives: whole lists and known histories.

    Raises:
        DataError: For some user everything is forbidden, so that nothing is a negative.
    """

    def __init__(
        self,
        model: GradientRecommender,
        lists: Lists,
        forbidden: pd.DataFrame,
        probe: ListProbe,
        settings: StealSettings,
        losses: Losses,
    ) -> None:
        self.model, self.forbidden = model, model.pairs(forbidden)
        super().__init__(model.n_items, self.forbidden, model.n_users, probe, settings, losses)
        taught = lists.of(lists.users[(lists.items != PADDING).any(axis=1)])
        self.rows = model.rows_of(torch.from_numpy(taught.users.astype(np.int64)))
        self.items = torch.from_numpy(taught.items.astype(np.int64)).to(model.device)
        self.n_terms = int((taught.items != PADDING).sum())
        if not bool((self.sampler.unseen[self.rows] > 0).all()):
            msg = "a served list and its user's history cover the whole catalogue, so nothing is a negative"
            raise DataError(f"list_length: {msg}")

    def epoch(self, batch_size: int, generator: torch.Generator) -> Iterator[Batch]:
        """Yields (rows ``[n]``, lists ``[n, length]``, negatives ``[n, m]``) of so many places in a new order."""
        negatives = self.sampler.draw(self.rows, self.settings.negatives, generator)
        at_once = max(1, batch_size // self.items.shape[1])
        yield from shuffled((self.rows, self.items, negatives), at_once, generator)

    def score(self, contexts: Sequence[Tensor], items: Tensor) -> Tensor:
        (rows,) = contexts
        return self.model.score_pairs(rows, items)


class AgreementProbe(ListProbe):
    """Agreement with lists of users.

    Args:
        lists: What the clone should say, -1 where a place is not asked for.
        exclude: Interactions (columns user, item) that the clone must not recommend.

    Raises:
        DataError: No place is asked for.
    """

    def __init__(self, model: Recommender, lists: Lists, exclude: pd.DataFrame, *, start_counts: bool) -> None:
        self.model, there = model, lists.items != PADDING
        if not there.any():
            msg = "list_length: the served lists are so short that no place can be held back; serve longer lists"
            raise DataError(msg)
        wanted = model.pairs(lists.to_frame())
        left_out = model.pairs(exclude[exclude["user"].isin(lists.users)])
        super().__init__(model.n_items, wanted, left_out, int(there.sum(axis=1).max()), start_counts=start_counts)

    def best(self) -> Tensor:
        return best_items(self.model, self.asked, self.excluded, self.k, fill=self.n_items)


class CatalogueTask(StealTask):
    """Scores the whole catalogue for each list; batches and their order are those of ``StealTask``."""

    def scored(self, rows: Tensor, items: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Scores of lists' items ``[n, length]``, of all items ``[n, n_items]``, and of all outside list and history.

        The last have -inf in the place of what is inside.
        """
        scores = self.model.score_all(rows)
        return self.parted(scores, rows, items)

    def parted(self, scores: Tensor, rows: Tensor, items: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Scores ``[n, n_items]`` taken apart, as ``scored`` has it."""
        return scores.gather(1, items.clamp(min=0)), scores, scores.masked_fill(self._inside(rows), -torch.inf)

    def _inside(self, rows: Tensor) -> Tensor:
        """Whether an item is in a user's list or history ``[n, n_items]``."""
        place = rows.new_full((self.model.n_users,), len(rows))  # behind them all, for users who are not asked about
        place[rows] = torch.arange(len(rows), device=rows.device)
        users, items = self.forbidden
        inside = torch.zeros(len(rows) + 1, self.model.n_items, dtype=torch.bool, device=rows.device)
        inside[place[users], items] = True
        return inside[:-1]


class HardestTask(CatalogueTask):
    """Eq. 9-12 with n_j the items outside list and history that the clone itself now ranks highest."""

    def loss(self, batch: Batch) -> Tensor:
        rows, items, _ = batch
        listed, scores, rest = self.scored(rows, items)
        hardest = rest.detach().topk(min(self.settings.negatives, self.model.n_items), dim=1)
        # A row with fewer items outside has -inf in their place, which no margin reaches.
        outside = scores.gather(1, hardest.indices).where(hardest.values > -torch.inf, -torch.inf)
        return list_loss(listed, outside, items != PADDING, self.losses, self.settings.margin)


class SoftmaxTask(CatalogueTask):
    """L_r as in Eq. 11; in place of L_p each list item against all items outside list and history, by a softmax."""

    def loss(self, batch: Batch) -> Tensor:
        rows, items, _ = batch
        listed, _, rest = self.scored(rows, items)
        there = items != PADDING
        above = torch.where(there, F.softplus(rest.logsumexp(dim=1, keepdim=True) - listed), 0.0).sum()
        return (ranking_sum(listed, there, self.losses[0], self.settings.margin) + above) / there.sum()


class ListwiseTask(CatalogueTask):
    """Whole lists against the whole catalogue: Plackett and Luce's likelihood of a list's order before all outside.

    Items are drawn one after the other by a softmax of the user's standardised scores, divided by the temperature:
    L = -tau / n sum over places r of (z_r / tau - ln sum over later places and all outside of exp(z_j / tau)).
    Standardised, by a deviation that counts as given, larger scores alone are no way to a lower loss; a low temperature
    looks at the border of the list and not at the thousands of items far below it.
    """

    def __init__(self, *args: Any, temperature: float) -> None:
        super().__init__(*args)
        self.temperature = temperature

    def loss(self, batch: Batch) -> Tensor:
        rows, items, _ = batch
        scores = self.model.score_all(rows)
        deviation = scores.detach().std(dim=1, keepdim=True, correction=0)
        listed, _, rest = self.parted(scores / deviation / self.temperature, rows, items)
        return self.temperature * plackett_luce(listed, rest.logsumexp(dim=1), items != PADDING)


def plackett_luce(listed: Tensor, outside: Tensor, there: Tensor) -> Tensor:
    """-ln of the likelihood of some lists, for each list place (Plackett 1975; Xia et al., ICML 2008: ListMLE).

    Args:
        listed: Scores of the lists' items, best place first ``[n_lists, length]``.
        outside: ln of the sum of exp of the scores of all other candidates ``[n_lists]``.
        there: Whether a list has the place; padding has none after it ``[n_lists, length]``.
    """
    backwards = torch.cat([outside.unsqueeze(1), listed.masked_fill(~there, -torch.inf).flip(1)], dim=1)
    left = backwards.logcumsumexp(dim=1)[:, 1:].flip(1)
    return torch.where(there, left - listed, 0.0).sum() / there.sum()


class BesideTask:
    """What a clone learnt from interactions is learnt on while it learns lists, a batch of each in a step.

    Args:
        lists: Says what an epoch is and which state is kept.
        own: The task of the clone stage.
        weight: What the clone's own loss counts beside that of the lists.
    """

    def __init__(self, lists: ListTask, own: Task, weight: float) -> None:
        self.lists, self.own, self.weight = lists, own, weight
        self.measure, self.start_counts, self.n_terms = lists.measure, lists.start_counts, lists.n_terms
        self._own_batches: Iterator[Batch] = iter(())

    def epoch(self, batch_size: int, generator: torch.Generator) -> Iterator[Batch]:
        """Yields the parts of a batch of lists, then those of a batch of interactions."""
        for batch in self.lists.epoch(batch_size, generator):
            own = next(self._own_batches, None)
            if own is None:
                self._own_batches = iter(self.own.epoch(batch_size, generator))
                own = next(self._own_batches)
            self.n_parts = len(batch)
            yield *batch, *own

    def loss(self, batch: Batch) -> Tensor:
        return self.lists.loss(batch[: self.n_parts]) + self.weight * self.own.loss(batch[self.n_parts :])

    def quality(self) -> float:
        return self.lists.quality()


TASKS: dict[Outside, type[StealTask]] = {"sampled": StealTask, "hardest": HardestTask, "catalogue": SoftmaxTask}
"""The task of each kind of items that a list's must stand above."""
