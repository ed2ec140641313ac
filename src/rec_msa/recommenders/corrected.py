"""A recommender corrected by what was learnt of some users: kernel ridge regression on its own scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rec_msa.recommenders.averaged import standardised
from rec_msa.recommenders.composed import Composed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    import pandas as pd

    from rec_msa.recommenders.base import Recommender

USERS_AT_ONCE = 256


class Corrected(Composed):
    """A user's scores are a model's, standardised, and the corrections of other users, weighed by likeness.

    s_ui = z_ui + sum over the taught users q of k(u, q) a_qi, with k as ``likeness`` has it and a the corrections.

    Args:
        model: What is corrected.
        taught: Ids of the users of whom something was learnt ``[n_taught]``.
        corrections: What each of them adds to the scores of users like them ``[n_taught, n_items]``.
    """

    name = "corrected"
    taught: Tensor
    corrections: Tensor

    def __init__(self, model: Recommender, taught: Tensor, corrections: Tensor) -> None:
        super().__init__([model], model.user_ids)
        self.register_buffer("taught", taught.long().to(model.device))
        self.register_buffer("corrections", corrections.float().to(model.device))
        self._of_taught: Tensor | None = None

    @classmethod
    def of(cls, members: Sequence[Recommender], state: dict[str, Tensor]) -> Self:
        return cls(members[0], state["taught"], state["corrections"])

    def read(self, interactions: pd.DataFrame) -> None:
        super().read(interactions)
        self._of_taught = None

    def score_all(self, users: Tensor) -> Tensor:
        scores = standardised(self.members[0].score_all(users))
        if self._of_taught is None:
            self._of_taught = standardised_of(self.members[0], self.taught)
        return scores + likeness(scores, self._of_taught) @ self.corrections


def standardised_of(model: Recommender, users: Tensor) -> Tensor:
    """The standardised scores of users by their ids ``[n]``: ``[n, n_items]``."""
    parts = model.rows_of(users).split(USERS_AT_ONCE)
    return torch.cat([standardised(model.score_all(part)) for part in parts])


def likeness(scores: Tensor, others: Tensor) -> Tensor:
    """How alike users are to a model: the square of the correlation of their scores.

    Of standardised scores ``[n, n_items]`` and ``[m, n_items]``, from 0 to 1 ``[n, m]``.
    """
    return (scores @ others.T / scores.shape[1]).square()
