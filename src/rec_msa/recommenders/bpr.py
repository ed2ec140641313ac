"""BPR-MF: Rendle et al., "BPR: Bayesian personalized ranking from implicit feedback", UAI 2009 (arXiv 1205.2618)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rec_msa.recommenders.base import Recommender, normal_, squared_norms
from rec_msa.recommenders.items import ItemTable
from rec_msa.recommenders.settings import BprSettings

if TYPE_CHECKING:
    from rec_msa.recommenders.settings import RecommenderSettings


class Bpr(Recommender):
    """Matrix factorisation, r_ij = p_i . q_j, trained by -ln sigmoid(r_ip - r_in)."""

    name = "bpr"
    settings_class = BprSettings

    def __init__(self, user_ids: Tensor, n_items: int, settings: RecommenderSettings) -> None:
        super().__init__(user_ids, n_items, settings)
        self.users = nn.Embedding(self.n_users, settings.dimensions)
        self.items = ItemTable(n_items, settings.dimensions)

    def _draw(self, generator: torch.Generator) -> None:
        normal_(self.users, generator)
        self.items.initialise(generator)

    def loss(self, users: Tensor, positives: Tensor, negatives: Tensor) -> Tensor:
        p = self.users(users)
        q = self.items.pairs(p, torch.cat([positives.unsqueeze(1), negatives], dim=1))
        scores = torch.einsum("bd,bmd->bm", p, q)
        loss = -F.logsigmoid(scores[:, :1] - scores[:, 1:]).mean()
        if self.settings.l2:
            loss = loss + 0.5 * self.settings.l2 * squared_norms(p, q[:, 0], q[:, 1:])
        return loss

    def score_pairs(self, users: Tensor, items: Tensor) -> Tensor:
        p = self.users(users)
        return torch.einsum("bd,bmd->bm", p, self.items.pairs(p, items))

    def score_all(self, users: Tensor) -> Tensor:
        p = self.users(users)
        return self.items.products(p, p)
