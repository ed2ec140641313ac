"""Recommendation quality: Recall and NDCG of lists on test interactions.

Source: NDCG of Järvelin and Kekäläinen, ACM TOIS 20 (2002), with binary relevance and the discount log2(rank + 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rec_msa.foundation.errors import SettingsError

if TYPE_CHECKING:
    from rec_msa.foundation.lists import Lists


def recall_ndcg(lists: Lists, test: pd.DataFrame, k: int) -> pd.DataFrame:
    """Returns Recall@k and NDCG@k of every user with a list and a test item.

    Recall divides by the number of the user's test items, also where it is above ``k``. The ideal DCG has the
    first ``min(k, number of test items)`` places filled.

    Args:
        test: The test interactions ``user, item``; those of users without a list are left out.

    Returns:
        The columns ``user, recall, ndcg``, sorted by user; users without a test item are left out.

    Raises:
        SettingsError: If ``k`` does not fit the lists.
    """
    if not 0 < k <= lists.length:
        raise SettingsError(f"k={k}: the lists have {lists.length} places; use 1 to {lists.length}")
    judged = test.loc[test["user"].isin(lists.users), ["user", "item"]].drop_duplicates()
    rows = np.searchsorted(lists.users, judged["user"].to_numpy()).astype(np.int64)
    items = judged["item"].to_numpy().astype(np.int64)
    n_test = np.bincount(rows, minlength=lists.users.size)
    n_items = int(max(items.max(initial=0), lists.items.max(initial=0))) + 1
    listed = lists.items[:, :k].astype(np.int64)
    keys = np.arange(lists.users.size, dtype=np.int64)[:, None] * n_items + listed
    hits = np.isin(keys, rows * n_items + items) & (listed >= 0)
    discounts = 1 / np.log2(np.arange(2, k + 2))
    shown = n_test > 0
    n_shown = n_test[shown]
    ideal = np.cumsum(discounts)[np.minimum(n_shown, k) - 1]
    recall = hits[shown].sum(axis=1) / n_shown
    return pd.DataFrame({"user": lists.users[shown], "recall": recall, "ndcg": hits[shown] @ discounts / ideal})


def mean_quality(lists: Lists, test: pd.DataFrame, k: int) -> dict[str, float | int]:
    """Returns the means over users: ``recall``, ``ndcg``, and ``n_users``.

    Args:
        test: The test interactions ``user, item``.

    Returns:
        The means are NaN where no user has a test item (``n_users`` is 0).

    Raises:
        SettingsError: If ``k`` does not fit the lists.
    """
    table = recall_ndcg(lists, test, k)
    return {"recall": float(table["recall"].mean()), "ndcg": float(table["ndcg"].mean()), "n_users": len(table)}
