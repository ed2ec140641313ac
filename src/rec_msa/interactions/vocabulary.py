"""Raw ids as indices from 0, the same on every machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rec_msa.interactions.filtering import drop_repeats, k_core

if TYPE_CHECKING:
    from rec_msa.interactions.settings import DatasetSettings


def prepare(raw: pd.DataFrame, settings: DatasetSettings) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Turns raw interactions into what is split and trained on: no repeats, the k-core, indices.

    Args:
        raw: What ``read_raw`` returns.
        settings: The data set's settings, for ``min_interactions``.

    Returns:
        The interactions, the users and the items, as ``index_interactions`` returns them.

    Raises:
        DataError: The k-core is empty.
    """
    return index_interactions(k_core(drop_repeats(raw), settings.min_interactions))


def index_interactions(interactions: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Numbers users and items from 0, in the order of their raw ids: numbers by value, strings by code point.

    Args:
        interactions: Columns ``user`` and ``item`` with raw ids, and ``timestamp``.

    Returns:
        The interactions in their order, with ``user`` and ``item`` as int32 indices and ``timestamp`` as Int64; the
        users, columns ``user`` (int32) and ``raw_user``; and the items, columns ``item`` (int32) and ``raw_item``.
    """
    user, raw_users = pd.factorize(interactions["user"], sort=True)
    item, raw_items = pd.factorize(interactions["item"], sort=True)
    indexed = pd.DataFrame(
        {
            "user": user.astype(np.int32),
            "item": item.astype(np.int32),
            "timestamp": interactions["timestamp"].astype("Int64").array,
        }
    )
    users = pd.DataFrame({"user": np.arange(len(raw_users), dtype=np.int32), "raw_user": raw_users})
    items = pd.DataFrame({"item": np.arange(len(raw_items), dtype=np.int32), "raw_item": raw_items})
    return indexed, users, items
