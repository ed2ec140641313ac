"""EASE^R: Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019 (arXiv 1905.03375)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rec_msa.recommenders.base import SolvedRecommender

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rec_msa.recommenders.settings import EaseSettings

USERS_AT_ONCE = 1024


class Ease(SolvedRecommender):
    """A user's scores are x B, with x the ones of a history: the items' weights B predict each item from the others.

    B minimises |X - X B|^2 + lambda |B|^2 with a diagonal of zeros: with P = (X'X + lambda I)^-1 it is
    B_ij = -P_ij / P_jj (Eq. 8). It takes 4 n_items^2 bytes, and six times as many while it is solved for.
    """

    name = "ease"
    settings: EaseSettings
    weights: Tensor

    def __init__(self, user_ids: Tensor, n_items: int, settings: EaseSettings) -> None:
        super().__init__(user_ids, n_items, settings)
        self.register_buffer("weights", torch.zeros(n_items, n_items))

    def solve(self) -> Iterator[float]:
        gram = torch.zeros_like(self.weights, dtype=torch.float64)
        for rows in torch.arange(self.n_users, device=self.device).split(USERS_AT_ONCE):
            x = self.histories.of(rows).dense()
            gram += x.T @ x
        gram.diagonal().add_(self.settings.l2)
        inverse = torch.cholesky_inverse(torch.linalg.cholesky(gram))
        of_each = inverse.diagonal().clone()
        self.weights.copy_(inverse.div_(-of_each)).fill_diagonal_(0)
        # The loss at the minimum: with v = P_j / P_jj, item j's is v'(X'X)v + lambda |v - e_j|^2 = 1 / P_jj - lambda.
        yield float((1 / of_each - self.settings.l2).sum()) / len(self.histories.items)

    def score_all(self, users: Tensor) -> Tensor:
        return self.histories.of(users).sums(self.weights)
