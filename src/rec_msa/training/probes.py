"""Figures on held-back data that decide when a training stops and which state is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rec_msa.recommenders.ranking import Exclusions, best_items

if TYPE_CHECKING:
    from rec_msa.recommenders.base import Recommender

RECALL_AT = 50
PROBED_USERS = 10_000


class RecallProbe:
    """Recall@50 of a model on chosen interactions, its training items left out; a mean over users.

    Of more than ``PROBED_USERS`` users every second, third ... counts, so that a look's cost has a bound.
    Known rows and items ``[n_pairs]`` are not recommended, those held back ``[n_held]`` should be.
    """

    def __init__(self, model: Recommender, known: tuple[Tensor, Tensor], held_back: tuple[Tensor, Tensor]) -> None:
        self.model = model
        self.k = min(RECALL_AT, model.n_items)
        users = torch.unique(held_back[0])
        self.rows = users[:: -(-len(users) // PROBED_USERS)].contiguous() if len(users) else users
        asked = torch.isin(held_back[0], self.rows)
        held_back = held_back[0][asked], held_back[1][asked]
        place = torch.searchsorted(self.rows, held_back[0])
        inside = torch.isin(known[0], self.rows)
        self.excluded = Exclusions(torch.searchsorted(self.rows, known[0][inside]), known[1][inside], len(self.rows))
        self.keys = place * model.n_items + held_back[1]
        counts = torch.bincount(place, minlength=len(self.rows))
        self.weights = 1.0 / (counts[place] * len(self.rows)).double()

    def __call__(self) -> float:
        """Measures the model as it is now; 0 where nothing was held back."""
        if not len(self.rows):
            return 0.0
        found = best_items(self.model, self.rows, self.excluded, self.k, fill=self.model.n_items)
        places = torch.arange(len(self.rows), device=found.device)
        return float(self.weights[are_found(self.keys, places, found, self.model.n_items)].sum())


def are_found(keys: Tensor, places: Tensor, found: Tensor, n_items: int) -> Tensor:
    """Which of some held-back items are among the items that a model found ``[n_keys]``.

    Args:
        keys: Held-back items as place x n_items + item ``[n_keys]``.
        places: The place of each row of ``found`` ``[n]``.
        found: Items ``[n, k]``; n_items fills a row that is shorter.
    """
    return torch.isin(keys, (places.unsqueeze(1) * n_items + found)[found < n_items])
