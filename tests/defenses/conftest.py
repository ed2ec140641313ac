"""A small target: lists, tails, and interactions in which item 0 is the most popular one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from rec_msa.defenses.defended import Defended
from rec_msa.defenses.settings import build_defense
from rec_msa.foundation.lists import Lists

if TYPE_CHECKING:
    from collections.abc import Callable

N_ITEMS, LENGTH, TAIL = 120, 20, 40


@pytest.fixture(scope="session")
def interactions() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    weights = np.linspace(3, 0.2, N_ITEMS)
    pairs = [(user, item) for user in range(60) for item in np.flatnonzero(rng.random(N_ITEMS) < weights / 6)]
    return pd.DataFrame(pairs, columns=["user", "item"])


@pytest.fixture(scope="session")
def ranked(interactions: pd.DataFrame) -> Lists:
    """Lists of twenty items with the forty that come next, without training items, popular ones first."""
    rng = np.random.default_rng(2)
    rows = []
    for user in range(60):
        new = np.setdiff1d(np.arange(N_ITEMS), interactions.loc[interactions["user"] == user, "item"])
        rows.append(new[np.argsort(new + rng.gumbel(scale=30, size=new.size))][: LENGTH + TAIL])
    return Lists(np.arange(60), np.stack(rows))


@pytest.fixture(scope="session")
def defended(interactions: pd.DataFrame) -> Callable[..., Defended]:
    """``defended("popular_mixing_4", pool=40, seed=1)``."""

    def make(name: str, seed: int = 0, data: pd.DataFrame = interactions, **settings: object) -> Defended:
        defaults = {"pool": 60} if name.startswith("popular_mixing") else {}
        rule, strength = build_defense(name, {**defaults, **settings})
        return Defended(rule, strength, data, N_ITEMS, LENGTH, seed)

    return make
