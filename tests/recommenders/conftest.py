"""Small recommenders whose parameters are large enough for every part of a formula to show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import torch

from rec_msa.recommenders.checkpoint import RECOMMENDERS, build, fuse
from rec_msa.recommenders.items import FusedItemTable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rec_msa.recommenders.base import Recommender

SMALL: dict[str, dict[str, Any]] = {
    "ncf": {"layers": (8, 5)},
    "sasrec": {"length": 5},
    "stamp": {"length": 5},
    "gru4rec": {"length": 5, "hidden": 4, "negatives": 3},
}


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
    chosen = RECOMMENDERS[name].settings_class(**{"dimensions": 6} | SMALL.get(name, {}) | settings)
    model = build(name, torch.tensor(users), n_items, chosen)
    if fusion:
        fuse(model, attention=fusion == "attention")
    model.read(_histories(users, n_items))
    generator = torch.Generator().manual_seed(1)
    model.initialise(generator)
    with torch.no_grad():
        for parameter in filter(lambda p: p.requires_grad, model.parameters()):
            parameter.normal_(std=0.5, generator=generator)
        for table in model.tables():
            if isinstance(table, FusedItemTable):
                table.auxiliary.normal_(std=0.5, generator=generator)
    return model


def _histories(users: Sequence[int], n_items: int) -> pd.DataFrame:
    """Histories of 2, 3, 4 … items, so that the longest are longer than what is read."""
    pairs = [(user, (7 * place + 5 * user) % n_items) for n, user in enumerate(users, 2) for place in range(n)]
    return pd.DataFrame(pairs, columns=["user", "item"])
