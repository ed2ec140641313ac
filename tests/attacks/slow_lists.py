"""What tests of learning from lists share: small lists, and a slow count of agreement."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rec_msa.foundation.lists import Lists
from rec_msa.recommenders.ranking import rank_lists

if TYPE_CHECKING:
    from rec_msa.recommenders.base import Recommender

Losses = tuple[Any, Any]
ALL_LOSSES = list(product(("bpr", "hinge"), repeat=2))
USERS, N_ITEMS, LENGTH = range(10, 30), 60, 10
NOTHING = pd.DataFrame({"user": [], "item": []}, dtype="int64")
RAGGED = Lists(np.array([4, 6, 9]), np.array([[3, 1, 7, 5], [2, 8, -1, -1], [6, -1, -1, -1]]))
SINGLE = Lists(RAGGED.users, RAGGED.items[:, :1])


def slow_agreement(model: Recommender, lists: Lists, exclude: pd.DataFrame) -> float:
    """The share of the listed items among the model's first, over all listed items."""
    own = rank_lists(model, lists.users, exclude, lists.length)
    hits = [len((set(a) & set(b)) - {-1}) for a, b in zip(lists.items.tolist(), own.items.tolist(), strict=True)]
    return sum(hits) / int((lists.items != -1).sum())
