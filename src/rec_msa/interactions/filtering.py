"""Repeated pairs and the k-core: which interactions stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rec_msa.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def drop_repeats(interactions: pd.DataFrame) -> pd.DataFrame:
    """Keeps one row of each (user, item) pair: the earliest, or the first in the table where no time is known.

    Args:
        interactions: Columns ``user``, ``item`` and ``timestamp``, which may be missing.

    Returns:
        The rows that stay, in their order, numbered from 0.
    """
    user, item = _codes(interactions)
    pair = user * (int(item.max(initial=0)) + 1) + item
    if not pd.Series(pair).duplicated().any():
        return interactions.reset_index(drop=True)
    missing = interactions["timestamp"].isna().to_numpy()
    time = interactions["timestamp"].to_numpy(dtype=np.int64, na_value=0)
    order = np.lexsort((time, missing, pair))  # stable: equal rows stay in the table's order
    first = np.ones(len(order), dtype=bool)
    first[1:] = pair[order][1:] != pair[order][:-1]
    return interactions.iloc[np.sort(order[first])].reset_index(drop=True)


def k_core(interactions: pd.DataFrame, k: int) -> pd.DataFrame:
    """Drops users and items with fewer than k interactions, again and again until nothing changes.

    Args:
        interactions: Columns ``user`` and ``item``, without repeated pairs.
        k: The fewest interactions that a user or an item may have, 1 or more.

    Returns:
        The rows that stay, in their order, numbered from 0.

    Raises:
        DataError: Nothing stays.
    """
    user, item = _codes(interactions)
    rows = _core_rows(user, item, k)
    if len(rows) == 0:
        raise DataError(f"min_interactions: {k} leaves no interaction; {_largest_core(user, item, k)}")
    return interactions.iloc[rows].reset_index(drop=True)


def _codes(interactions: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    user, _ = pd.factorize(interactions["user"])
    item, _ = pd.factorize(interactions["item"])
    return user.astype(np.int64, copy=False), item.astype(np.int64, copy=False)


def _core_rows(user: NDArray[np.int64], item: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    rows = np.arange(len(user))
    while True:
        enough = (np.bincount(user)[user] >= k) & (np.bincount(item)[item] >= k)
        if enough.all():
            return rows
        rows, user, item = rows[enough], user[enough], item[enough]


def _largest_core(user: NDArray[np.int64], item: NDArray[np.int64], k: int) -> str:
    """Says which largest value would leave something, and what."""
    fits, fails = 0, k  # a 0-core is everything, a k-core nothing
    while fails - fits > 1:
        middle = (fits + fails) // 2
        if len(_core_rows(user, item, middle)):
            fits = middle
        else:
            fails = middle
    if fits == 0:
        return "the table has none"
    rows = _core_rows(user, item, fits)
    n_users, n_items = len(np.unique(user[rows])), len(np.unique(item[rows]))
    return (
        f"set it to {fits} or less ({fits} leaves {n_users} users, {n_items} items and {len(rows)} interactions) or "
        f"give more data"
    )
