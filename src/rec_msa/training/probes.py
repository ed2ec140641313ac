"""Figures on held-back data that decide when a training stops and which state is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rec_msa.recommenders.ranking import Exclusions, best_items

if TYPE_CHECKING:
    import pandas as pd

    from rec_msa.recommenders.base import Recommender

RECALL_AT = 50
PROBED_SCORES = 1 << 27
"""Scores that a look reads at the most: of a catalogue of 27,000 items those of 5,000 users."""


class RecallProbe:
    """Recall@50 of a model on chosen interactions, its training items left out; a mean over users.

    Of more users than the settings' ``n_probed``, or more than ``PROBED_SCORES`` scores, every second, third ... user
    counts, so that a look's cost has a bound.
    Known interactions (columns user, item) are not recommended, those held back should be.
    """

    def __init__(self, model: Recommender, known: pd.DataFrame, held_back: pd.DataFrame) -> None:
        self.model, self.k = model, min(RECALL_AT, model.n_items)
        (known_rows, known_items), (rows, items) = model.pairs(known), model.pairs(held_back)
        users = torch.unique(rows)
        most = max(1, min(model.settings.n_probed, PROBED_SCORES // model.n_items))
        self.rows = users[:: max(1, -(-len(users) // most))].contiguous()
        asked, inside = torch.isin(rows, self.rows), torch.isin(known_rows, self.rows)
        known_places = torch.searchsorted(self.rows, known_rows[inside])
        self.excluded = Exclusions(known_places, known_items[inside], len(self.rows))
        place = torch.searchsorted(self.rows, rows[asked])
        self.keys = place * model.n_items + items[asked]
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
