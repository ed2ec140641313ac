"""Small attackers' worlds: random interactions, lists and models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from rec_msa.foundation.lists import Lists
from tests.models import small_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rec_msa.recommenders.base import Recommender


@pytest.fixture(scope="session")
def random_interactions() -> Callable[..., pd.DataFrame]:
    """``random_interactions(users, n_items, per_user, seed)``: distinct pairs, columns user, item."""

    def make(users: Iterable[int], n_items: int, per_user: int, seed: int = 0) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        pairs = [(user, item) for user in users for item in rng.choice(n_items, per_user, replace=False)]
        return pd.DataFrame(pairs, columns=["user", "item"], dtype="int64")

    return make


@pytest.fixture(scope="session")
def random_lists() -> Callable[..., Lists]:
    """``random_lists(users, n_items, length, seed)``."""

    def make(users: Iterable[int], n_items: int, length: int, seed: int = 0) -> Lists:
        ids, rng = np.array(sorted(users)), np.random.default_rng(seed)
        return Lists(ids, np.array([rng.choice(n_items, length, replace=False) for _ in ids]))

    return make


@pytest.fixture(scope="session")
def make_model() -> Callable[..., Recommender]:
    """``make_model(name, users, n_items, fusion, seed)``: scores far apart, and auxiliary vectors where fused."""

    def make(
        name: str, users: Iterable[int], n_items: int, fusion: str | None = None, seed: int = 0, **settings: Any
    ) -> Recommender:
        users = list(users)
        histories = [(user, (3 * place + user) % n_items) for user in users for place in range(4)]
        read = pd.DataFrame(histories, columns=["user", "item"])
        return small_model(name, users, n_items, read, fusion, seed, **settings)

    return make
