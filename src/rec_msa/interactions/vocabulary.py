"""Raw ids as indices from 0, the same on every machine."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from rec_msa.foundation.errors import DataError
from rec_msa.interactions.filtering import filtered

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rec_msa.interactions.settings import DatasetSettings

logger = logging.getLogger(__name__)

_TABLE_PER_ROW = 4
"""Ids are counted off in a table as long as the largest of them, up to so many entries for each row."""


class Prepared(NamedTuple):
    """Interactions as they are split and trained on.

    Attributes:
        interactions: Columns ``user`` and ``item``, int32 indices, and ``timestamp``, Int64.
        users: Columns ``user`` (int32) and ``raw_user``.
        items: Columns ``item`` (int32) and ``raw_item``.
        repeats: How many raw interactions repeat a pair of user and item.
    """

    interactions: pd.DataFrame
    users: pd.DataFrame
    items: pd.DataFrame
    repeats: int


def prepare(raw: pd.DataFrame, settings: DatasetSettings) -> Prepared:
    """Turns raw interactions into what is split and trained on: no repeats, the k-core, indices.

    Of repeated pairs the earliest stays, or the first in the table where no time is known. Then users and items with
    fewer than ``min_interactions`` (``min_per_user``, ``min_per_item``) are dropped, again and again until nothing
    changes. What stays is numbered from 0 in the order of the raw ids: numbers by value, strings by code point.

    Raises:
        DataError: The k-core is empty.
    """
    user, raw_users = _codes(raw["user"])
    item, raw_items = _codes(raw["item"])
    times = raw["timestamp"].astype("Int64")
    rows, repeats = filtered(user, item, times, settings.cores)
    user, raw_users = _indices(user[rows], raw_users)
    item, raw_items = _indices(item[rows], raw_items)
    interactions = pd.DataFrame({"user": user, "item": item, "timestamp": times.array.take(rows)}, copy=False)
    users = pd.DataFrame({"user": np.arange(len(raw_users), dtype=np.int32), "raw_user": raw_users})
    items = pd.DataFrame({"item": np.arange(len(raw_items), dtype=np.int32), "raw_item": raw_items})
    return Prepared(interactions, users, items, repeats)


def _codes(ids: pd.Series) -> tuple[NDArray[np.int32], pd.Index]:
    """Numbers ids from 0 in any order: the code of each row, and the id of each code."""
    if ids.dtype == np.int64 and len(ids) and ids.min() >= 0 and ids.max() < _TABLE_PER_ROW * len(ids):
        values = ids.to_numpy()
        is_there = np.zeros(values.max() + 1, dtype=bool)
        is_there[values] = True
        code_of = np.cumsum(is_there, dtype=np.int32)
        code_of -= 1
        return code_of[values], pd.Index(np.flatnonzero(is_there))
    codes, distinct = pd.factorize(ids)
    return codes.astype(np.int32), pd.Index(distinct)


def _indices(codes: NDArray[np.int32], ids: pd.Index) -> tuple[NDArray[np.int32], pd.Index]:
    """Renumbers the codes that are left in the order of their ids; returns them and these ids."""
    is_left = np.zeros(len(ids), dtype=bool)
    is_left[codes] = True
    index_of = np.zeros(len(ids), dtype=np.int32)
    index_of[is_left], left = pd.factorize(ids[is_left], sort=True)
    return index_of[codes], left


def codes_of(ids: pd.Series, ours: pd.Series, side: str, key: str, remedy: str | None) -> NDArray[np.int64]:
    """The indices of ids that another file has ``[n]``, -1 of those without an interaction.

    Numbers in one and strings in the other are compared as they are written.

    Args:
        ids: As the file has them.
        ours: As the interactions have them, by index.
        side: ``user`` or ``item``, for messages.
        key: The parameter that names the file, for messages.
        remedy: The parameter that leaves unknown ones out; None: they are, with a warning.

    Raises:
        DataError: None is known, or one is not and a remedy is named.
    """
    as_text = pd.api.types.is_integer_dtype(ids) != pd.api.types.is_integer_dtype(ours)
    index = pd.Index(ours.astype(str)) if as_text else pd.Index(ours)
    codes = index.get_indexer(pd.Index(ids.astype(str) if as_text else ids))
    unknown = codes < 0
    if unknown.all():
        shown = f"{ids.iloc[0]} here, {ours.iloc[0]} there"
        raise DataError(f"{key}: no {side} of the file is in the interactions ({shown}): ids must be the same")
    if unknown.any():
        few = ", ".join(map(str, ids[unknown].drop_duplicates().head(3)))
        n_unknown = ids[unknown].nunique()
        found = (
            f"{n_unknown} {side}s in {unknown.sum()} of {len(ids)} rows are in no interaction that min_interactions "
            f"kept ({few}, ...){_with_zeros(ids[unknown], ours)}"
        )
        if remedy is not None:
            raise DataError(f"{key}: {found}; {remedy} leaves these out")
        logger.warning("%s: %s, and are left out", key, found)
    return codes.astype(np.int64)


def _with_zeros(unknown: pd.Series, ours: pd.Series) -> str:
    """Says where unknown ids are there with zeros at their start, which one of the two files has lost."""
    if pd.api.types.is_integer_dtype(ours):
        return ""
    bare = dict(zip(ours.str.lstrip("0"), ours, strict=True))
    texts = unknown.astype(str).drop_duplicates()
    lost = texts[texts.str.lstrip("0").isin(bare)]
    if lost.empty:
        return ""
    first = lost.iloc[0]
    return f"; {len(lost)} of these are there with other zeros at the start, as {bare[first.lstrip('0')]} for {first}"
