"""LightGCN: He et al., "LightGCN: simplifying and powering graph convolution network for recommendation", SIGIR 2020
(arXiv 2002.02126).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from rec_msa.recommenders.base import squared_norms
from rec_msa.recommenders.histories import Histories
from rec_msa.recommenders.lookups import gather
from rec_msa.recommenders.matrix import MatrixRecommender

if TYPE_CHECKING:
    import pandas as pd

    from rec_msa.recommenders.settings import LightgcnSettings


class Lightgcn(MatrixRecommender):
    """r_ij = p_i . q_j with vectors smoothed over the graph of what was read, trained as BPR is.

    The tables hold layer 0. Fusion acts on the smoothed vectors: a user's attention cannot go through the graph, where
    an item's vector would be another one for each user. L2 is on the first vectors of a batch.
    """

    name = "lightgcn"
    settings: LightgcnSettings

    def __init__(self, user_ids: Tensor, n_items: int, settings: LightgcnSettings) -> None:
        super().__init__(user_ids, n_items, settings)
        self.histories = Histories(self.n_users, n_items)

    def read(self, interactions: pd.DataFrame) -> None:
        self.histories.read(*self.known_pairs(interactions))
        self.histories.transposed()  # here, and not within a step

    def item_vectors(self) -> list[Tensor]:
        return [self._smoothed()[1].detach()]

    def loss(self, users: Tensor, positives: Tensor, negatives: Tensor) -> Tensor:
        scores = self.score_pairs(users, torch.cat([positives.unsqueeze(1), negatives], dim=1))
        loss = -F.logsigmoid(scores[:, :1] - scores[:, 1:]).mean()
        if self.settings.l2:
            first = self.users(users), self.items(positives), self.items(negatives)
            loss = loss + 0.5 * self.settings.l2 * squared_norms(*first)
        return loss

    def score_pairs(self, users: Tensor, items: Tensor) -> Tensor:
        of_users, of_items = self._smoothed()
        p = gather(of_users, users)
        return self.items.standing_for(of_items).pair_products(p, p, items)

    def score_all(self, users: Tensor) -> Tensor:
        of_users, of_items = self._smoothed()
        p = of_users[users]
        return self.items.standing_for(of_items).products(p, p)

    def _smoothed(self) -> tuple[Tensor, Tensor]:
        """The vectors of all users ``[n_users, d]`` and items ``[n_items, d]``."""
        return smooth(self.users.weight, self.items.weight, self.histories, self.settings.layers)


def smooth(users: Tensor, items: Tensor, histories: Histories, layers: int) -> tuple[Tensor, Tensor]:
    """The mean of layers 0 to K (Eq. 4), each from the one before by E <- D^-1/2 A D^-1/2 E (Eq. 3, 7 and 8).

    A joins users and items that interacted, D has their numbers of neighbours; who has none is 0 from layer 1 on.

    Layer 0 of users ``[n_users, d]`` and items ``[n_items, d]`` becomes vectors of the same shapes.
    """
    return _Smooth.apply(users, items, histories, layers)  # type: ignore[no-any-return, no-untyped-call]


class _Smooth(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, users: Tensor, items: Tensor, histories: Histories, layers: int) -> tuple[Tensor, Tensor]:
        ctx.graph = histories, layers
        return _mean_of_layers(users, items, histories, layers)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_users: Tensor, to_items: Tensor) -> tuple[Tensor, Tensor, None, None]:
        # The matrix of the map is symmetric, so gradients go back as vectors went.
        return *_mean_of_layers(to_users, to_items, *ctx.graph), None, None


def _mean_of_layers(users: Tensor, items: Tensor, histories: Histories, layers: int) -> tuple[Tensor, Tensor]:
    across = histories.transposed()
    of_users, of_items = (side.counts.clamp(min=1).rsqrt().unsqueeze(1) for side in (histories, across))
    mean_users, mean_items = users.clone(), items.clone()
    for _ in range(layers):
        users, items = histories.sums(items * of_items) * of_users, across.sums(users * of_users) * of_items
        mean_users += users
        mean_items += items
    return mean_users.div_(layers + 1), mean_items.div_(layers + 1)
