"""BPR-MF: Rendle et al., "BPR: Bayesian personalized ranking from implicit feedback", UAI 2009 (arXiv 1205.2618)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rec_msa.recommenders.lookups import gather
from rec_msa.recommenders.matrix import MatrixRecommender

if TYPE_CHECKING:
    from rec_msa.recommenders.base import DotLoss
    from rec_msa.recommenders.settings import BprSettings


class Bpr(MatrixRecommender):
    """Matrix factorisation, r_ij = p_i . q_j, trained by -ln sigmoid(r_ip - r_in); an item bias is an option.

    In the fusion only the vectors are fused: an item bias stays the clone's own.
    """

    name = "bpr"
    settings: BprSettings

    def __init__(self, user_ids: Tensor, n_items: int, settings: BprSettings) -> None:
        super().__init__(user_ids, n_items, settings)
        self.item_bias = nn.Parameter(torch.zeros(n_items)) if self.settings.bias else None

    def _draw(self, generator: torch.Generator) -> None:
        super()._draw(generator)
        if self.item_bias is not None:
            nn.init.zeros_(self.item_bias)

    def row_parameters(self) -> list[nn.Parameter]:
        biases = [] if self.item_bias is None else [self.item_bias]
        return [self.users.weight, self.items.weight, *biases]

    def dot_loss(self) -> DotLoss | None:
        return self._dots(None, self.item_bias, pairwise=True)

    def loss(self, users: Tensor, positives: Tensor, negatives: Tensor) -> Tensor:
        items = torch.cat([positives.unsqueeze(1), negatives], dim=1)
        p = self.users(users)
        products, penalty = self.items.regularised_products(p, items, self.settings.l2)
        scores = self._with_bias(products, items)
        return -F.logsigmoid(scores[:, :1] - scores[:, 1:]).mean() + penalty

    def score_pairs(self, users: Tensor, items: Tensor) -> Tensor:
        p = self.users(users)
        return self._with_bias(self.items.pair_products(p, p, items), items)

    def score_all(self, users: Tensor) -> Tensor:
        p = self.users(users)
        products = self.items.products(p, p)
        return products if self.item_bias is None else products.add_(self.item_bias)

    def _with_bias(self, products: Tensor, items: Tensor) -> Tensor:
        return products if self.item_bias is None else products + gather(self.item_bias, items)
