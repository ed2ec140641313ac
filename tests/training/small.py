"""Small interactions, a model with scores far apart, and its recall by a slow count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from rec_msa.recommenders.checkpoint import build
from rec_msa.recommenders.settings import BprSettings

if TYPE_CHECKING:
    from rec_msa.recommenders.base import Recommender

USERS = (4, 10, 11, 30)


def bpr(n_items: int, seed: int = 0) -> Recommender:
    """A model with scores far apart."""
    model = build("bpr", torch.tensor(USERS), n_items, BprSettings(dimensions=4))
    model.initialise(torch.Generator().manual_seed(seed))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(100)
    return model


def frame(*pairs: tuple[int, int]) -> pd.DataFrame:
    return pd.DataFrame(pairs, columns=["user", "item"], dtype="int64")


def random_interactions(n_items: int, per_user: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return frame(*((user, int(i)) for user in USERS for i in rng.choice(n_items, per_user, replace=False)))


def slow_recall(model: Recommender, known: pd.DataFrame, held_back: pd.DataFrame, k: int = 50) -> float:
    recalls = []
    for user, items in held_back.groupby("user")["item"]:
        with torch.no_grad():
            scores = model.score_all(model.rows_of(torch.tensor([user])))[0].tolist()
        seen = set(known.loc[known["user"] == user, "item"])
        ranked = sorted(set(range(model.n_items)) - seen, key=lambda item: -scores[item])
        recalls.append(len(set(ranked[:k]) & set(items)) / len(items))
    return float(np.mean(recalls))
