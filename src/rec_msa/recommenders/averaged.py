"""Several recommenders as one: their standardised scores, averaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rec_msa.recommenders.composed import Composed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from rec_msa.recommenders.base import Recommender


class Averaged(Composed):
    """Ranks by the mean of its members' scores; each member's, of a user, have mean 0 and deviation 1 over all items.

    Args:
        members: Recommenders of one catalogue. The users that all of them know are known.
    """

    name = "averaged"

    def __init__(self, members: Sequence[Recommender]) -> None:
        shared = members[0].user_ids
        for one in members[1:]:
            shared = shared[torch.isin(shared, one.user_ids)]
        super().__init__(members, shared)

    @classmethod
    def of(cls, members: Sequence[Recommender], state: dict[str, Tensor]) -> Self:
        return cls(members)

    def score_all(self, users: Tensor) -> Tensor:
        ids = self.user_ids[users]
        return torch.stack([standardised(one.score_all(one.rows_of(ids))) for one in self.members]).mean(dim=0)


def standardised(scores: Tensor) -> Tensor:
    """Scores ``[n, n_items]`` less each row's mean, divided by its deviation; a row without any is all zeros."""
    centred = scores - scores.mean(dim=1, keepdim=True)
    deviation = centred.square().mean(dim=1, keepdim=True).sqrt()
    return centred / deviation.clamp(min=torch.finfo(scores.dtype).tiny)
