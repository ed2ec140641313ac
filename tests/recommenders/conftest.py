"""Small recommenders whose parameters are large enough for every part of a formula to show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from tests.models import SMALL, small_model

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rec_msa.recommenders.base import Recommender


@pytest.fixture(scope="session")
def make_model() -> Callable[..., Recommender]:
    """``make_model(name, fusion)``: a model with every trainable parameter (and auxiliary vector) from N(0, 1/4)."""
    return _make_model


def _make_model(
    name: str,
    fusion: str | None = None,
    *,
    users: Sequence[int] = (2, 3, 5, 7, 11),
    n_items: int = 13,
    **settings: Any,
) -> Recommender:
    return small_model(name, users, n_items, _histories(users, n_items), fusion, **SMALL.get(name, {}) | settings)


def _histories(users: Sequence[int], n_items: int) -> pd.DataFrame:
    """Histories of 2, 3, 4 … items, so that the longest are longer than what is read."""
    pairs = [(user, (7 * place + 5 * user) % n_items) for n, user in enumerate(users, 2) for place in range(n)]
    return pd.DataFrame(pairs, columns=["user", "item"])
