"""What a data set looks like after filtering (Table 6), and what ingestion read and left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from rec_msa.interactions.reading.times import Times, moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_LARGE_SHARE = 0.1
_MANY_USERS = 50
"""A user with so large a share of all rows, where there are so many users, is hardly one person."""


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


def summarise(raw: pd.DataFrame, repeats: int) -> dict[str, Any]:
    """Gives an account of what was read.

    Args:
        raw: What ``read_raw`` returns.
        repeats: How many of its rows repeat a pair of user and item.

    Returns:
        ``rows_in_file``; ``rows_read``; ``rows_dropped``, how many by each reason; ``repeats``; ``time_from`` and
        ``time_to``, empty where there are no times; ``odd``, what a person should look at.
    """
    reading: dict[str, Any] = raw.attrs.get("reading", {})
    first, last = _span(raw["timestamp"])
    return {
        "rows_in_file": reading.get("rows", len(raw)),
        "rows_read": len(raw),
        "rows_dropped": reading.get("dropped", {}),
        "repeats": repeats,
        "time_from": reading.get("time_from", first),
        "time_to": reading.get("time_to", last),
        "odd": [*reading.get("odd", []), *_odd(raw)],
    }


def summary_line(statistics: Mapping[str, Any]) -> str:
    """The account in one line.

    Args:
        statistics: What ``describe`` and ``summarise`` return together.
    """
    rows, read = statistics["rows_in_file"], statistics["rows_read"]
    reasons = ", ".join(f"{n:,} for {reason}" for reason, n in statistics["rows_dropped"].items())
    filtered = read - statistics["repeats"] - statistics["interactions"]
    counted = ", ".join(f"{statistics[name]:,} {name}" for name in ("users", "items", "interactions"))
    span = f", {statistics['time_from']} to {statistics['time_to']}" if statistics["time_from"] else ", no times"
    left_out = f" ({reasons} left out)" if reasons else ""
    odd = f". To look at: {'; '.join(statistics['odd'])}" if statistics["odd"] else ""
    dropped = f"{statistics['repeats']:,} repeats and {filtered:,} below the filter dropped"
    return f"{rows:,} rows, {read:,} interactions read{left_out}, {dropped}: {counted}{span}{odd}"


def _span(times: pd.Series) -> tuple[str, str]:
    present = times.dropna()
    if not len(present):
        return "", ""
    unit = Times(pa.array([0]), 0, "number")
    return moment(int(present.min()), unit), moment(int(present.max()), unit)


def _odd(raw: pd.DataFrame) -> list[str]:
    counts = np.bincount(pd.factorize(raw["user"])[0])
    odd = []
    if len(counts) >= _MANY_USERS and counts.max() >= _LARGE_SHARE * len(raw):
        odd.append(f"one user has {100 * counts.max() / len(raw):.0f} % of the rows")
    n_missing = int(raw["timestamp"].isna().sum())
    if 0 < n_missing < len(raw):
        odd.append(f"{n_missing:,} interactions have no time")
    return odd
