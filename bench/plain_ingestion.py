"""What anybody would write with pandas: a yardstick of the ingestion, and what its tests compare with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def kept_rows(raw: pd.DataFrame, k: int) -> pd.DataFrame:
    """Drops repeated pairs but for the earliest, then users and items with fewer than k rows until none has.

    Args:
        raw: Columns ``user``, ``item`` and ``timestamp``; a missing time is later than any.
        k: The fewest rows that a user or an item may have.

    Returns:
        The rows that stay, in their order and with their index.
    """
    rows = raw.sort_values("timestamp", kind="stable").drop_duplicates(["user", "item"]).sort_index()
    while True:
        of_user = rows.groupby("user")["item"].transform("size")
        of_item = rows.groupby("item")["user"].transform("size")
        enough = (of_user >= k) & (of_item >= k)
        if enough.all():
            return rows
        rows = rows[enough]


def prepare(raw: pd.DataFrame, k: int) -> tuple[pd.DataFrame, list[object], list[object]]:
    """Like ``rec_msa.interactions.prepare``: the interactions with indices, and the ids of the users and the items."""
    rows = kept_rows(raw, k)
    users, items = sorted(rows["user"].unique()), sorted(rows["item"].unique())
    numbers = {
        "user": rows["user"].map({user: index for index, user in enumerate(users)}).astype(np.int32),
        "item": rows["item"].map({item: index for index, item in enumerate(items)}).astype(np.int32),
    }
    return rows.assign(**numbers).reset_index(drop=True), users, items
