"""Small recommenders whose parameters are large enough for every part of a formula to show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from rec_msa.recommenders.base import SolvedRecommender
from rec_msa.recommenders.checkpoint import build, fuse
from rec_msa.recommenders.items import FusedItemTable
from rec_msa.recommenders.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from rec_msa.recommenders.base import Recommender

SMALL: dict[str, dict[str, Any]] = {
    "ncf": {"layers": (8, 5)},
    "sasrec": {"length": 5},
    "stamp": {"length": 5},
    "gru4rec": {"length": 5, "hidden": 4, "negatives": 3},
    "ease": {"l2": 0.5},
    "lightgcn": {"layers": 2},
}
"""Settings that keep a model small."""


def small_model(
    name: str,
    users: Sequence[int],
    n_items: int,
    histories: pd.DataFrame,
    fusion: str | None = None,
    seed: int = 1,
    **settings: Any,
) -> Recommender:
    """A model with every trainable parameter, and auxiliary vector, from N(0, 1/4); one without any is solved."""
    chosen = {"dimensions": 6} if "dimensions" in SETTINGS[name].model_fields else {}
    model = build(name, torch.tensor(users), n_items, chosen | settings)
    if fusion:
        fuse(model, attention=fusion == "attention")
    model.read(histories)
    generator = torch.Generator().manual_seed(seed)
    model.initialise(generator)
    if isinstance(model, SolvedRecommender):
        list(model.solve())
        return model
    with torch.no_grad():
        for parameter in filter(lambda p: p.requires_grad, model.parameters()):
            parameter.normal_(std=0.5, generator=generator)
        for table in model.tables():
            if isinstance(table, FusedItemTable):
                table.auxiliary.normal_(std=0.5, generator=generator)
    return model
