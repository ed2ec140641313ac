"""A denoising attacker: asks again and again, and tells the target's own items from those that a defense put in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from rec_msa.attacks.base import Asking
from rec_msa.foundation.lists import PADDING, Lists

if TYPE_CHECKING:
    from rec_msa.attacks.gate import Ask


class DenoiseSettings(BaseModel):
    """How a denoising attacker makes one list of a user's repeated answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    discount: float = Field(0.5, ge=0, le=1, description="what an item loses by being in the answers of others")
    kept: float = Field(1.0, gt=0, le=1, description="share of the list length that is kept")


class Denoise(DenoiseSettings, Asking):
    """A query strategy: the items of several answers, counted, those discounted that stand in everybody's answers.

    An item's score for a user is the share of the user's answers that hold it, less ``discount`` times the share of the
    other users' answers that do. The best by score are kept, as many as a share ``kept`` of a list, in the order of
    their mean rank. Against answers that are always the same, counting says nothing, and only the discount works.
    """

    def __call__(self, ask: Ask, users: np.ndarray, stream: np.random.Generator) -> Lists:
        """Asks about every user ``calls_per_user`` times, in rounds of random order."""
        rounds = []
        for _ in range(self.calls_per_user):
            order = stream.permutation(len(users))
            answers = np.asarray(ask(users[order]))
            rounds.append(answers[np.argsort(order)])
        return denoised(users, np.stack(rounds, axis=1), self.discount, self.kept)


def denoised(users: np.ndarray, answers: np.ndarray, discount: float, kept: float) -> Lists:
    """What several answers about each user, ascending, come to.

    They are lists ``[n_users, n_answers, list_length]``, padded with -1.
    """
    n_users, n_answers, length = answers.shape
    user, answer, place = np.nonzero(answers != PADDING)
    n_items = int(answers.max(initial=0)) + 1
    keys, entry = np.unique(user * n_items + answers[user, answer, place], return_inverse=True)
    row, item = np.divmod(keys, n_items)
    count = np.bincount(entry)
    mean_rank = np.bincount(entry, weights=place) / np.maximum(count, 1)
    own = count / n_answers
    others = (np.bincount(item, weights=own)[item] - own) / max(1, n_users - 1)
    score = np.round(own - discount * others, 9)  # a tie shall not hang on rounding
    n_kept = max(1, round(kept * length))
    best = _ranks(row, -score, mean_rank) < n_kept
    row, item, mean_rank = row[best], item[best], mean_rank[best]
    items = np.full((n_users, n_kept), PADDING)
    items[row, _ranks(row, mean_rank, item)] = item
    return Lists(users, items)


def _ranks(row: np.ndarray, by: np.ndarray, then: np.ndarray) -> np.ndarray:
    """The place of each entry among those of its row, by one value and then another, from 0."""
    order = np.lexsort((then, by, row))
    places = np.empty(len(row), dtype=np.int64)
    places[order] = np.arange(len(row)) - np.searchsorted(row[order], row[order])
    return places
