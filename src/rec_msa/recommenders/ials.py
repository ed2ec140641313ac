"""iALS: Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008.

The loss is that of Rendle et al., "Revisiting the performance of iALS on item recommendation benchmarks", RecSys 2022
(arXiv 2110.14037): all pairs count alpha_0, interactions 1 more, and the penalty on a vector grows with its pairs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from rec_msa.recommenders.base import SolvedRecommender

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from rec_msa.recommenders.histories import Histories
    from rec_msa.recommenders.settings import IalsSettings

INITIAL_NORM = 0.1
NUMBERS_AT_ONCE = 2**20
"""Of a block's item vectors or systems, 4 MiB."""


class Ials(SolvedRecommender):
    """r_ij = p_i . q_j; the vectors of one side are solved for while those of the other stand still.

    With S the interactions, the loss is the sum over S of (r_ij - 1)^2, plus alpha_0 times the sum over all pairs of
    r_ij^2, plus lambda times the sum over all vectors of (n_observed + alpha_0 n_all)^nu |v|^2, where a vector has
    n_observed interactions and n_all pairs. A user's vector always is the solution for the history that was read.
    """

    name = "ials"
    settings: IalsSettings
    users: Tensor
    items: Tensor

    def __init__(self, user_ids: Tensor, n_items: int, settings: IalsSettings) -> None:
        super().__init__(user_ids, n_items, settings)
        self.register_buffer("users", torch.zeros(self.n_users, settings.dimensions))
        self.register_buffer("items", torch.zeros(n_items, settings.dimensions))

    @property
    def n_sweeps(self) -> int:
        return self.settings.sweeps

    def read(self, interactions: pd.DataFrame) -> None:
        super().read(interactions)
        self.users = self._solved(self.histories, self.items)

    def initialise(self, generator: torch.Generator) -> None:
        nn.init.normal_(self.items, std=INITIAL_NORM * self.settings.dimensions**-0.5, generator=generator)

    def solve(self) -> Iterator[float]:
        across = self.histories.transposed()
        self.users = self._solved(self.histories, self.items)
        for _ in range(self.n_sweeps):
            self.items = self._solved(across, self.users)
            self.users = self._solved(self.histories, self.items)
            yield self.total_loss() / len(self.histories.items)

    def _solved(self, histories: Histories, others: Tensor) -> Tensor:
        """Each row's vector ``[n_rows, d]``: where the loss's slope in it is 0 while the others ``[n, d]`` stand."""
        d, vectors = others.shape[1], others.new_empty(len(histories.counts), others.shape[1])
        everywhere, penalty = self.settings.unobserved * others.T @ others, self._penalty(histories)
        for rows, items, there in histories.padded(NUMBERS_AT_ONCE // d, at_least=d):
            q = others[items] * there.unsqueeze(2)
            systems = everywhere + q.mT @ q + torch.diag_embed(penalty[rows].unsqueeze(1).expand(-1, d))
            vectors[rows] = torch.cholesky_solve(q.sum(1).unsqueeze(2), torch.linalg.cholesky(systems)).squeeze(2)
        return vectors

    def _penalty(self, histories: Histories) -> Tensor:
        pairs = histories.counts + self.settings.unobserved * histories.n_items
        return self.settings.l2 * pairs**self.settings.exponent

    def total_loss(self) -> float:
        """The loss as it stands above."""
        sides = ((self.histories, self.users), (self.histories.transposed(), self.items))
        penalties = sum(float(self._penalty(own) @ vectors.square().sum(1)) for own, vectors in sides)
        of_all = float(torch.sum((self.users.T @ self.users) * (self.items.T @ self.items)))
        return self._observed_loss() + self.settings.unobserved * of_all + penalties

    def _observed_loss(self) -> float:
        blocks = (part.split(NUMBERS_AT_ONCE) for part in (self.histories.rows, self.histories.items))
        scores = ((self.users[rows] * self.items[items]).sum(1) for rows, items in zip(*blocks, strict=True))
        return sum(float((one - 1).square().sum()) for one in scores)

    def score_all(self, users: Tensor) -> Tensor:
        return self.users[users] @ self.items.T
