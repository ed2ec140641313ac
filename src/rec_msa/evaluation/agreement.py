"""Agreement of two models' recommendation lists: the share of a target's list that a clone repeats.

Source: Agr@k in arXiv 2312.11571, section 5; the groups of users are this project's (the paper names none).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rec_msa.evaluation.intervals import bootstrap_interval
from rec_msa.foundation.errors import DataError, SettingsError
from rec_msa.foundation.lists import PADDING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rec_msa.foundation.lists import Lists

GROUPS = ("heldout", "queried")
SUMMARY_TYPES = {
    "group": "str",
    "k": "int64",
    "agreement": "float64",
    "ci_low": "float64",
    "ci_high": "float64",
    "n_users": "int64",
}
PER_USER_TYPES = {"user": "int32", "group": "str", "k": "int64", "agreement": "float64"}
_STEP = 10
_CELLS_AT_ONCE = 2_000_000
# A sort key packs item, list and place: 47 bits, 1 bit, 15 bits.
_PLACE_BITS = 15
_ITEM_SHIFT = _PLACE_BITS + 1


def cutoffs(list_length: int) -> list[int]:
    """Returns the k of Agr@k: 10, 20, … up to the list length, which is always the last.

    Raises:
        SettingsError: If the list length is below 1.
    """
    if list_length < 1:
        raise SettingsError(f"list_length={list_length}: a list needs at least 1 item")
    return [*range(_STEP, list_length, _STEP), list_length]


def overlap(a_items: NDArray[np.int32], b_items: NDArray[np.int32], ks: Sequence[int]) -> NDArray[np.float64]:
    """Returns |first k of a ∩ first k of b| / k for every user and k.

    An item in both lists counts from the later of its two places on, so one sort per user serves every k.
    Padding never counts, and the divisor stays k where a list is shorter.

    Args:
        a_items: Lists ``[n_users, a_length]``, best first, ``-1`` as padding, no item twice in a row.
        b_items: Lists of the same users in the same order ``[n_users, b_length]``.
        ks: The cutoffs ``[n_ks]``, in any order.

    Returns:
        Shares ``[n_users, n_ks]`` from 0 to 1.

    Raises:
        SettingsError: If a k is below 1 or above the length of the shorter lists.
        DataError: If the numbers of users differ.
    """
    if a_items.shape[0] != b_items.shape[0]:
        raise DataError(f"lists of {a_items.shape[0]} and of {b_items.shape[0]} users cannot be compared")
    length = min(a_items.shape[1], b_items.shape[1])
    for k in ks:
        if not 0 < k <= length:
            raise SettingsError(f"k={k}: the lists have {length} places; use 1 to {length}")
    wanted = np.asarray(ks, dtype=np.int64)
    shares = np.empty((a_items.shape[0], wanted.size))
    step = max(1, _CELLS_AT_ONCE // (a_items.shape[1] + b_items.shape[1]))
    for start in range(0, shares.shape[0], step):
        rows = slice(start, start + step)
        shares[rows] = _common(a_items[rows, :length], b_items[rows, :length])[:, wanted - 1] / wanted
    return shares


def _common(a_items: NDArray[np.int32], b_items: NDArray[np.int32]) -> NDArray[np.int64]:
    """Returns how many items the first 1, 2, … places of both lists share ``[n_users, length]``."""
    n_users, length = a_items.shape
    places = np.arange(length, dtype=np.int64)
    keys = np.concatenate(
        [
            (a_items.astype(np.int64) << _ITEM_SHIFT) | places,
            (b_items.astype(np.int64) << _ITEM_SHIFT) | (1 << _PLACE_BITS) | places,
        ],
        axis=1,
    )
    keys.sort(axis=1)
    items = keys >> _ITEM_SHIFT
    rows, first = np.nonzero((items[:, 1:] == items[:, :-1]) & (items[:, 1:] != PADDING))
    place = keys & ((1 << _PLACE_BITS) - 1)
    later = np.maximum(place[rows, first], place[rows, first + 1])
    counts = np.bincount(rows * length + later, minlength=n_users * length).reshape(n_users, length)
    return np.cumsum(counts, axis=1)


def agreement_tables(
    target: Lists, clone: Lists, groups: pd.DataFrame, ks: Sequence[int], seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns the agreement of a clone with its target by group of users.

    Args:
        target: The target's lists, of at least the users of both groups.
        clone: The clone's lists, likewise.
        groups: A row per attacker user: ``user``, ``group``. Groups other than ``heldout`` and ``queried`` are
            left out; a group without a user gives no row.
        ks: The cutoffs.
        seed: The cell's seed, for the bootstrap over users.

    Returns:
        The summary ``group, k, agreement, ci_low, ci_high, n_users`` (mean over users and its 95 % interval) and
        the table per user ``user, group, k, agreement``.

    Raises:
        DataError: If a user of a group has no list or is in two groups.
        SettingsError: If a k does not fit the lists.
    """
    shown = groups.loc[groups["group"].isin(GROUPS), ["user", "group"]].sort_values("user")
    twice = shown["user"][shown["user"].duplicated()]
    if len(twice):
        raise DataError(f"groups: user {twice.iloc[0]} is there twice; a user belongs to one group")
    users, labels = shown["user"].to_numpy(dtype=np.int32), shown["group"].to_numpy(dtype=object)
    shares = overlap(target.of(users).items, clone.of(users).items, ks)
    members = {group: labels == group for group in GROUPS if np.any(labels == group)}
    summaries = [_summary(group, shares[rows], ks, seed) for group, rows in members.items()]
    per_user = [_per_user(group, users[rows], shares[rows], ks) for group, rows in members.items()]
    return _table(summaries, SUMMARY_TYPES), _table(per_user, PER_USER_TYPES)


def agreement(
    target: Lists, clone: Lists, users: pd.DataFrame, ks: Sequence[int] | None = None, seed: int = 0
) -> pd.DataFrame:
    """Returns how far a clone agrees with its target, for held-out and queried users apart.

    Args:
        target: The target's lists, of at least the users of both groups.
        clone: The clone's lists, likewise.
        users: A row per attacker user: ``user``, ``group`` (``heldout`` or ``queried``).
        ks: The cutoffs; None: the whole lists alone.
        seed: Of the bootstrap over users.

    Returns:
        A row per group and cutoff: ``group, k, agreement, ci_low, ci_high, n_users``; the mean over users and its 95 %
        bootstrap interval.

    Raises:
        DataError: If a user of a group has no list or is in two groups.
        SettingsError: If a k does not fit the lists.

    Examples:
        >>> import pandas as pd, rec_msa
        >>> target = rec_msa.Lists([3, 5], [[10, 11, 12, 13], [20, 21, 22, 23]])
        >>> clone = rec_msa.Lists([3, 5], [[11, 10, 30, 31], [20, 21, 22, 40]])
        >>> users = pd.DataFrame({"user": [3, 5], "group": ["heldout", "queried"]})
        >>> rec_msa.agreement(target, clone, users)[["group", "k", "agreement", "n_users"]]
             group  k  agreement  n_users
        0  heldout  4       0.50        1
        1  queried  4       0.75        1
    """
    return agreement_tables(target, clone, users, [target.length] if ks is None else ks, seed)[0]


def _summary(group: str, shares: NDArray[np.float64], ks: Sequence[int], seed: int) -> pd.DataFrame:
    low, high = bootstrap_interval(shares, seed)
    means = shares.mean(axis=0)
    columns = {"group": group, "k": ks, "agreement": means, "ci_low": low, "ci_high": high, "n_users": len(shares)}
    return pd.DataFrame(columns)


def _per_user(group: str, users: NDArray[np.int32], shares: NDArray[np.float64], ks: Sequence[int]) -> pd.DataFrame:
    repeated = {"user": np.repeat(users, len(ks)), "group": group, "k": np.tile(ks, users.size)}
    return pd.DataFrame({**repeated, "agreement": shares.ravel()})


def _table(parts: list[pd.DataFrame], types: dict[str, str]) -> pd.DataFrame:
    whole = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(types))
    return whole.astype(types)
