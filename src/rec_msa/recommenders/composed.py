"""Recommenders made of others: what they are made of, and how they become a checkpoint."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from rec_msa.recommenders.base import Recommender
from rec_msa.recommenders.settings import RecommenderSettings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    import pandas as pd
    from torch import Tensor


class Composed(Recommender):
    """A recommender that asks its members, which are recommenders of one catalogue, for their scores.

    Args:
        members: At least one.
        user_ids: Users whom all of them know.
    """

    def __init__(self, members: Sequence[Recommender], user_ids: Tensor) -> None:
        super().__init__(user_ids, members[0].n_items, RecommenderSettings())
        self.members = list(members)

    @property
    def floats_per_score(self) -> int:
        return 2 * (1 + len(self.members)) + max(one.floats_per_score for one in self.members)

    def read(self, interactions: pd.DataFrame) -> None:
        for one in self.members:
            one.read(interactions)

    @classmethod
    @abstractmethod
    def of(cls, members: Sequence[Recommender], state: dict[str, Tensor]) -> Self:
        """Restores one from its members and its own tensors."""

    def own_state(self) -> dict[str, Tensor]:
        """Its own tensors, without those of its members."""
        return {name: value for name, value in self.state_dict().items() if name != "user_ids"}
