"""A recommender of which nothing is known but lists: it ranks what was recorded, and nothing behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from rec_msa.foundation.lists import PADDING
from rec_msa.recommenders.base import Recommender

if TYPE_CHECKING:
    from rec_msa.foundation.lists import Lists
    from rec_msa.recommenders.settings import RecordedSettings


class Recorded(Recommender):
    """The first place of a user's list scores highest; what is in no place scores -inf, so that it is never ranked."""

    name: ClassVar[str] = "recorded"
    settings: RecordedSettings
    lists: Tensor

    def __init__(self, user_ids: Tensor, n_items: int, settings: RecordedSettings) -> None:
        super().__init__(user_ids, n_items, settings)
        self.register_buffer("lists", torch.full((self.n_users, settings.length), PADDING, dtype=torch.int32))

    def score_all(self, users: Tensor) -> Tensor:
        lists = self.lists[users].long()
        scores = torch.full((len(users), self.n_items + 1), -torch.inf, device=self.device)
        places = torch.arange(lists.shape[1], 0, -1.0, device=self.device).expand(lists.shape)
        # padding falls into a column of its own, behind the catalogue
        scores.scatter_(1, lists.where(lists != PADDING, self.n_items), places)
        return scores[:, : self.n_items]

    def record(self, lists: Lists) -> None:
        """Takes the lists of all its users."""
        self.lists = torch.from_numpy(lists.of(self.user_ids.cpu().numpy()).items).to(self.device)
