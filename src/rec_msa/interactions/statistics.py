"""What a data set looks like after filtering: Table 6."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


def describe(interactions: pd.DataFrame) -> dict[str, int | float]:
    """Counts users, items and interactions, and how they spread.

    Args:
        interactions: At least one row; columns ``user`` and ``item`` with indices from 0, and ``timestamp``, which may
            be missing.

    Returns:
        ``users``, ``items`` and ``interactions``; ``density``, the share of all pairs that are present;
        ``per_user_min``, ``per_user_median``, ``per_user_max`` and the same ``per_item``: interactions of one user or
        item; ``share_with_time``.
    """
    of_user, of_item = _counts(interactions["user"]), _counts(interactions["item"])
    return {
        "users": len(of_user),
        "items": len(of_item),
        "interactions": len(interactions),
        "density": len(interactions) / (len(of_user) * len(of_item)),
        "per_user_min": int(of_user.min()),
        "per_user_median": float(np.median(of_user)),
        "per_user_max": int(of_user.max()),
        "per_item_min": int(of_item.min()),
        "per_item_median": float(np.median(of_item)),
        "per_item_max": int(of_item.max()),
        "share_with_time": float(interactions["timestamp"].notna().mean()),
    }


def _counts(indices: pd.Series) -> NDArray[np.intp]:
    n_each = np.bincount(indices.to_numpy())
    return n_each[n_each > 0]
