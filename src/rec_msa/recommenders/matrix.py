"""What matrix factorisations share: a vector for each user and each item."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rec_msa.recommenders.base import DotLoss, FusableRecommender
from rec_msa.recommenders.items import FusedItemTable, ItemTable
from rec_msa.recommenders.lookups import Table

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from rec_msa.recommenders.settings import GradientSettings


class MatrixRecommender(FusableRecommender):
    """A table of users p ``[n_users, d]`` and one of items q ``[n_items, d]``."""

    def __init__(self, user_ids: Tensor, n_items: int, settings: GradientSettings) -> None:
        super().__init__(user_ids, n_items, settings)
        self.users = Table(self.n_users, settings.dimensions)
        self.items = ItemTable(n_items, settings.dimensions)

    def _draw(self, generator: torch.Generator) -> None:
        self.users.initialise(generator)
        self.items.initialise(generator)

    def _dots(
        self, user_bias: nn.Parameter | None, item_bias: nn.Parameter | None, *, pairwise: bool
    ) -> DotLoss | None:
        """A loss of this model's products; a fused item has another vector for each user, so there is none."""
        if isinstance(self.items, FusedItemTable):
            return None
        return DotLoss(self.users.weight, self.items.weight, user_bias, item_bias, self.settings.l2, pairwise)
