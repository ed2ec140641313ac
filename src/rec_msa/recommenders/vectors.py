"""What of a model belongs to users and what to items: the vectors that can be handed on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import torch

from rec_msa.foundation.errors import SettingsError
from rec_msa.recommenders.checkpoint import build, fuse

if TYPE_CHECKING:
    from rec_msa.recommenders.base import Recommender
    from rec_msa.recommenders.checkpoint import Checkpoint

Side = Literal["user", "item"]


def untrained_like(checkpoint: Checkpoint, users: np.ndarray, n_items: int | None = None) -> Recommender:
    """An untrained model of the same kind for other users (global ids ``[n]``), and perhaps another catalogue.

    Raises:
        SettingsError: The model is made of others, which know their own users.
    """
    if "members" in checkpoint:
        made = f"'{checkpoint['architecture']}' models are made of others and know their own users alone"
        raise SettingsError(f"export.histories: {made}; leave it out, or name another attack")
    ids = torch.from_numpy(users.astype(np.int64))
    size = checkpoint["n_items"] if n_items is None else n_items
    model = build(checkpoint["architecture"], ids, size, checkpoint["settings"])
    if checkpoint["fusion"]:
        fuse(model, attention=checkpoint["fusion"] == "attention")
    return model


def rows_of(checkpoint: Checkpoint, side: Side) -> list[str]:
    """The tensors of a model that have a row for each user, or each item: those that grow by one with one more."""
    more = {"user": (2, checkpoint["n_items"]), "item": (1, checkpoint["n_items"] + 1)}[side]
    grown = untrained_like(checkpoint, np.arange(more[0]), more[1]).state_dict()
    plain = untrained_like(checkpoint, np.arange(1)).state_dict()
    own = {name: tensor.shape for name, tensor in plain.items() if not name.startswith("histories.")}
    return [name for name, shape in own.items() if shape != grown[name].shape and shape[1:] == grown[name].shape[1:]]


def vectors_of(checkpoint: Checkpoint, raw_users: pd.Series, raw_items: pd.Series) -> pd.DataFrame:
    """The vectors of a model's users and items; empty where it has none.

    A fused clone's item table is ``items.weight`` and the auxiliary one ``items.auxiliary``; how much each counts
    depends on the user.

    Args:
        raw_users: The id of each user, by our number.
        raw_items: The id of each item, by our number.

    Returns:
        Columns side (user or item), table, id (as text) and vector (a list of numbers).
    """
    empty = pd.DataFrame({"side": [], "table": [], "id": [], "vector": []})
    if "members" in checkpoint:
        return empty
    state, parts = checkpoint["state"], []
    ids = {"user": raw_users.iloc[state["user_ids"].numpy()], "item": raw_items}
    for side in ("user", "item"):
        for name in rows_of(checkpoint, side):
            table = state[name]
            if table.ndim == 2 and table.is_floating_point():  # noqa: PLR2004 - a table of vectors
                columns = {"side": side, "table": name, "id": ids[side].astype(str), "vector": list(table.numpy())}
                parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True) if parts else empty
