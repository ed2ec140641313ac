"""LMF: Johnson, "Logistic matrix factorization for implicit feedback data", NIPS workshop 2014.

Differs from the paper: every interaction weighs the same (no confidence weights), the unobserved part of the
likelihood is sampled, and Adam replaces alternating gradient ascent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from rec_msa.recommenders.base import cross_entropy
from rec_msa.recommenders.lookups import gather
from rec_msa.recommenders.matrix import MatrixRecommender

if TYPE_CHECKING:
    from rec_msa.recommenders.base import DotLoss
    from rec_msa.recommenders.settings import LmfSettings


class Lmf(MatrixRecommender):
    """r_ij = p_i . q_j + b_i + b_j is the log-odds of an interaction; negatives are sampled.

    In the fusion only the vectors are fused: the item bias stays the clone's own.
    """

    name = "lmf"
    settings: LmfSettings

    def __init__(self, user_ids: Tensor, n_items: int, settings: LmfSettings) -> None:
        super().__init__(user_ids, n_items, settings)
        self.user_bias = nn.Parameter(torch.zeros(self.n_users), requires_grad=self.settings.bias)
        self.item_bias = nn.Parameter(torch.zeros(n_items), requires_grad=self.settings.bias)

    def _draw(self, generator: torch.Generator) -> None:
        super()._draw(generator)
        nn.init.zeros_(self.user_bias)
        nn.init.zeros_(self.item_bias)

    def row_parameters(self) -> list[nn.Parameter]:
        return [self.users.weight, self.items.weight, self.user_bias, self.item_bias]

    def dot_loss(self) -> DotLoss | None:
        biases = (self.user_bias, self.item_bias) if self.settings.bias else (None, None)
        return self._dots(*biases, pairwise=False)

    def loss(self, users: Tensor, positives: Tensor, negatives: Tensor) -> Tensor:
        items = torch.cat([positives.unsqueeze(1), negatives], dim=1)
        p = self.users(users)
        products, penalty = self.items.regularised_products(p, items, self.settings.l2)
        return cross_entropy(self._with_biases(products, users, items)) + penalty

    def score_pairs(self, users: Tensor, items: Tensor) -> Tensor:
        p = self.users(users)
        return self._with_biases(self.items.pair_products(p, p, items), users, items)

    def score_all(self, users: Tensor) -> Tensor:
        p = self.users(users)
        products = self.items.products(p, p)
        if not self.settings.bias:
            return products
        return products.add_(self.user_bias[users].unsqueeze(1)).add_(self.item_bias)

    def _with_biases(self, products: Tensor, users: Tensor, items: Tensor) -> Tensor:
        if not self.settings.bias:
            return products
        return products + gather(self.item_bias, items) + gather(self.user_bias, users).unsqueeze(1)
