"""What several models and look-ups say together: weighted signals of every source, one score for each item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from rec_msa.foundation.lists import PADDING
from rec_msa.recommenders.base import Recommender
from rec_msa.recommenders.histories import Histories
from rec_msa.recommenders.settings import RecommenderSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    Checkpoint = dict[str, Any]

PLACES = 500
"""Places after which all are the last one: what is far down a ranking is in no list."""
TINY = 1e-9
FLOATS_OF_SIGNALS = 8
EVERYBODY = -1
PLACE, BY_HISTORY = " place", " by history"


@dataclass(frozen=True, eq=False)
class Committee:
    """Models whose standardised scores are averaged; of some users only one of them may speak.

    Attributes:
        models: All know the users of the ensemble.
        speaker: For each of these the place of the model that speaks, ``EVERYBODY`` where all do ``[n_users]``. A model
            that was taught the served lists does not speak of the users whose lists it was taught.
    """

    models: Sequence[Recommender]
    speaker: Tensor

    @classmethod
    def of_all(cls, models: Sequence[Recommender], n_users: int) -> Committee:
        """Models that may all speak of all users."""
        return cls(models, torch.full((n_users,), EVERYBODY))


class Ensemble(Recommender):
    """A user's score of an item is the weighted sum of what the sources signal.

    A source is a committee of models, a look-up (weights of a user on served lists: an item scores the sum of the
    weights of the lists that hold it, times a discount for its place) or a constant (a number for each item, the same
    for all users). A source signals its scores, standardised over the items that a user does not have: mean 0,
    variance 1; a committee signals -ln of the item's place, too. Each signal comes a second time, times how much more
    the user has read than the others: whom to believe may depend on that.

    Args:
        user_ids: Those of the users to rank for, ascending.
        committees: Models by name.
        lists: Served lists, -1 at the end of shorter ones ``[n_lists, length]``.
        lookups: Weights on these lists by name ``[n_users, n_lists]``; a user has none on the own list.
        constants: Numbers by name ``[n_items]``.

    Attributes:
        weights: What each signal counts; those that are missing count nothing.
        usual: Mean and standard deviation of ln(1 + items of a history).
    """

    name = "ensemble"
    lists: Tensor

    def __init__(
        self,
        user_ids: Tensor,
        n_items: int,
        committees: Mapping[str, Committee],
        lists: Tensor,
        lookups: Mapping[str, Tensor],
        constants: Mapping[str, Tensor],
    ) -> None:
        super().__init__(user_ids, n_items, RecommenderSettings())
        self.committees, self.lookups, self.constants = dict(committees), dict(lookups), dict(constants)
        self.models = nn.ModuleList(model for committee in committees.values() for model in committee.models)
        self.histories = Histories(self.n_users, n_items)
        self.register_buffer("lists", lists.long())
        self.weights: dict[str, float] = {}
        self.usual = 0.0, 1.0

    @property
    def floats_per_score(self) -> int:
        return FLOATS_OF_SIGNALS + max((cast("Recommender", one).floats_per_score for one in self.models), default=0)

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of all sources; each is that of its scores' signal, too."""
        return (*self.committees, *self.lookups, *self.constants)

    def signals_of_source(self, source: str) -> tuple[str, ...]:
        """The names of what a source signals."""
        plain = (source, f"{source}{PLACE}") if source in self.committees else (source,)
        return (*plain, *(f"{name}{BY_HISTORY}" for name in plain))

    def read(self, interactions: pd.DataFrame) -> None:
        self.histories.read(*self.known_pairs(interactions))
        for model in self.models:
            cast("Recommender", model).read(interactions)

    def take_as_usual(self) -> None:
        """Takes what the users have read by now as usual."""
        read = self.histories.counts.float().log1p()
        self.usual = float(read.mean()), float(read.std(correction=0))

    def scores_of(self, source: str, rows: Tensor, known: Tensor) -> Tensor:
        """Standardised scores of a source for rows ``[n]``: ``[n, n_items]``; what is known of them is left out."""
        if source in self.committees:
            return standardised_outside(self._averaged(self.committees[source], rows, known), known)
        if source in self.lookups:
            weights = self.lookups[source][rows.to(self.lookups[source].device)].to(self.device)
            return standardised_outside(weights @ discounted(self.lists, self.n_items), known)
        return standardised_outside(self.constants[source].to(self.device).expand(len(rows), -1), known)

    def _averaged(self, committee: Committee, rows: Tensor, known: Tensor) -> Tensor:
        speaker, total = committee.speaker[rows.to(committee.speaker.device)].to(self.device), 0.0 * known
        for place, model in enumerate(committee.models):
            asked = torch.nonzero((speaker == EVERYBODY) | (speaker == place)).squeeze(1)
            scores = model.score_all(model.rows_of(self.user_ids[rows[asked]]))
            share = torch.where(speaker[asked] == EVERYBODY, 1 / len(committee.models), 1.0)
            total[asked] += share.unsqueeze(1) * standardised_outside(scores, known[asked])
        return total

    def signals(self, rows: Tensor, names: Sequence[str]) -> Iterator[tuple[str, Tensor]]:
        """Yields chosen signals of rows ``[n]`` by name ``[n, n_items]``, those of a source one after the other."""
        known, read = self.histories.of(rows).dense() > 0, self._read_more()[rows].unsqueeze(1)
        for source in self.sources:
            wanted = {name for name in self.signals_of_source(source) if name in names}
            plain = {name.removesuffix(BY_HISTORY) for name in wanted}
            scores = self.scores_of(source, rows, known) if plain else known
            for name in sorted(plain):
                signal = scores if name == source else places(scores, known)
                told = {name: signal, name + BY_HISTORY: signal * read}
                yield from ((one, told[one]) for one in told if one in wanted)

    def _read_more(self) -> Tensor:
        """ln(1 + items of each user's history), standardised by what is usual ``[n_users]``."""
        mean, spread = self.usual
        return (self.histories.counts.float().log1p() - mean) / max(spread, TINY)

    def score_all(self, users: Tensor) -> Tensor:
        total = torch.zeros(len(users), self.n_items, device=self.device)
        for name, signal in self.signals(users, tuple(self.weights)):
            total.add_(signal, alpha=self.weights[name])
        return total


def discounted(lists: Tensor, n_items: int) -> Tensor:
    """Lists ``[n, length]`` as a matrix ``[n, n_items]``: 1 for the first place, about 1/2 for the last, 0 outside."""
    n, length = lists.shape
    worth = (1 - torch.arange(length, device=lists.device) / (2 * length)).expand(n, -1)
    matrix = torch.zeros(n, n_items + 1, device=lists.device)
    return matrix.scatter_(1, torch.where(lists == PADDING, n_items, lists), worth)[:, :n_items]


def standardised_outside(scores: Tensor, known: Tensor) -> Tensor:
    """Scores ``[n, n_items]`` of the items outside a history, less their mean, by their deviation; 0 of known items."""
    there = (~known).to(scores)
    n = there.sum(1, keepdim=True).clamp(min=1)
    scores = scores.masked_fill(known, 0)
    apart = (scores - scores.sum(1, keepdim=True) / n) * there
    return apart / (apart.square().sum(1, keepdim=True) / n).sqrt().clamp(min=TINY)


def places(scores: Tensor, known: Tensor) -> Tensor:
    """-ln of each item's place by falling score among those that are not known ``[n, n_items]``."""
    depth = min(PLACES, scores.shape[1])
    best = scores.masked_fill(known, -torch.inf).topk(depth, dim=1).indices
    of_place = -torch.arange(1, depth + 1, device=scores.device).to(scores).log()
    return of_place[-1].expand_as(scores).scatter(1, best, of_place.expand(len(best), -1))


def ensemble_to_checkpoint(ensemble: Ensemble, checkpoints: Mapping[str, Sequence[Checkpoint]]) -> Checkpoint:
    """A plain dictionary on the CPU; the checkpoints are those of the committees' models."""
    return {
        "architecture": ensemble.name,
        "n_items": ensemble.n_items,
        "user_ids": ensemble.user_ids.cpu(),
        "committees": {name: list(models) for name, models in checkpoints.items()},
        "speakers": {name: committee.speaker.cpu() for name, committee in ensemble.committees.items()},
        "lists": ensemble.lists.int().cpu(),
        "lookups": {name: weights.cpu() for name, weights in ensemble.lookups.items()},
        "constants": {name: numbers.cpu() for name, numbers in ensemble.constants.items()},
        "weights": dict(ensemble.weights),
        "usual": list(ensemble.usual),
    }
