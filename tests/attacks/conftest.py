"""Small attackers' worlds: random interactions, lists and models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch

from rec_msa.lists import Lists
from rec_msa.recommenders.checkpoint import RECOMMENDERS, build, fuse
from rec_msa.recommenders.items import FusedItemTable

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
        chosen = RECOMMENDERS[name].settings_class(**{"dimensions": 6} | settings)
        users = list(users)
        model = build(name, torch.tensor(users), n_items, chosen)
        if fusion:
            fuse(model, attention=fusion == "attention")
        histories = [(user, (3 * place + user) % n_items) for user in users for place in range(4)]
        model.read(pd.DataFrame(histories, columns=["user", "item"]))
        generator = torch.Generator().manual_seed(seed)
        model.initialise(generator)
        with torch.no_grad():
            for parameter in filter(lambda p: p.requires_grad, model.parameters()):
                parameter.normal_(std=0.5, generator=generator)
            for table in model.tables():
                if isinstance(table, FusedItemTable):
                    table.auxiliary.normal_(std=0.5, generator=generator)
        return model

    return make
