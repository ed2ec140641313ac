"""Recommendation lists: the one form in which targets serve, clones answer and evaluation compares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rec_msa.foundation.errors import DataError, SettingsError
from rec_msa.foundation.tables import require_table

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

PADDING = -1
MAX_LENGTH = int(np.iinfo(np.int16).max)


@dataclass(frozen=True, eq=False)
class Lists:
    """The recommendation lists of some users, best item first.

    Attributes:
        users: Global user ids ``[n_users]``, int32, ascending, each once.
        items: Item ids ``[n_users, list_length]``, int32; a user with fewer candidates has ``-1`` at the end.

    Raises:
        DataError: If users are not ascending and unique, or a list repeats an item, or has a gap or a bad id.

    Examples:
        >>> import rec_msa
        >>> lists = rec_msa.Lists(users=[3, 5], items=[[10, 11], [12, -1]])
        >>> lists.to_frame()
           user  rank  item
        0     3     1    10
        1     3     2    11
        2     5     1    12
    """

    users: NDArray[np.int32]
    items: NDArray[np.int32]

    def __post_init__(self) -> None:
        """Brings both arrays to int32 and checks them."""
        object.__setattr__(self, "users", np.asarray(self.users, dtype=np.int32))
        object.__setattr__(self, "items", np.asarray(self.items, dtype=np.int32))
        _check_shape(self.users, self.items)
        _check_rows(self.users, self.items)

    @property
    def length(self) -> int:
        """The list length, padding included."""
        return int(self.items.shape[1])

    def of(self, users: ArrayLike) -> Lists:
        """Returns the lists of these users, ascending by user whatever the order asked in.

        Args:
            users: Global user ids ``[n]``.

        Raises:
            DataError: If a user has no list here.
        """
        wanted = np.unique(np.asarray(users, dtype=np.int64))
        missing = wanted[~np.isin(wanted, self.users)]
        if missing.size:
            others = f" and {missing.size - 1} more" if missing.size > 1 else ""
            raise DataError(f"user {missing[0]}{others}: no list among those of {self.users.size} users")
        rows = np.searchsorted(self.users, wanted)
        return Lists(self.users[rows], self.items[rows])

    def to_frame(self) -> pd.DataFrame:
        """Returns a row per place: ``user``, ``rank`` (from 1, int16), ``item``, sorted by user and rank.

        Padding is left out, so a user without a single item has no row.
        """
        rows, places = np.nonzero(self.items != PADDING)
        ranks = (places + 1).astype(np.int16)
        return pd.DataFrame({"user": self.users[rows], "rank": ranks, "item": self.items[rows, places]})

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, list_length: int | None = None) -> Lists:
        """Builds lists from rows ``user, rank, item`` in any order.

        Args:
            frame: As ``to_frame`` returns it.
            list_length: Places per list: longer lists are cut, shorter ones padded. Without it, the highest rank.

        Raises:
            DataError: If a column is missing, a value empty, a rank below 1 or given twice, or a list is damaged.
        """
        require_table("lists", frame, ("user", "rank", "item"))
        if frame[["user", "rank", "item"]].isna().any(axis=None):
            raise DataError("lists: a user, rank or item is empty; drop or mend such rows")
        users, rows = np.unique(frame["user"].to_numpy(), return_inverse=True)
        places = frame["rank"].to_numpy().astype(np.int64) - 1
        width = int(places.max(initial=-1)) + 1
        _check_ranks(users, rows, places, width)
        length = width if list_length is None else list_length
        items = np.full((users.size, max(width, length)), PADDING, dtype=np.int32)
        items[rows, places] = frame["item"].to_numpy()
        return cls(users, items[:, :length])


def check_length(list_length: int, n_items: int) -> None:
    """Refuses lists that are longer than the catalogue (``SettingsError``)."""
    if list_length > n_items:
        msg = f"list_length: {list_length} is more than the {n_items} items of the catalogue; choose at most {n_items}"
        raise SettingsError(msg)


def check_room(list_length: int, n_items: int, longest: int) -> None:
    """Refuses lists that leave some user nothing outside: what a user knows is never recommended.

    Such lists hold everything that can be recommended. A random order agrees with them as a clone does, and a clone
    that is taught them has no item that they stand above.

    Args:
        longest: Items of the user who knows most.

    Raises:
        SettingsError: This user does not know more items than the list has places.
    """
    check_length(list_length, n_items)
    left = n_items - longest
    if list_length >= left:
        known = f"{n_items} items less the {longest} that one user knows leave {left}, and one must be in no list"
        remedy = f"choose at most {left - 1}" if left > 1 else "leave out users who know nearly all items, or add items"
        raise SettingsError(f"list_length: {list_length} is more than some user can be served: {known}; {remedy}")


def _check_shape(users: NDArray[np.int32], items: NDArray[np.int32]) -> None:
    if users.ndim != 1 or items.ndim != 2 or users.size != items.shape[0]:  # noqa: PLR2004 - a table has two axes
        raise DataError(f"lists: users {users.shape} and items {items.shape} do not fit: one row per user")
    if items.shape[1] > MAX_LENGTH:
        raise DataError(f"list_length={items.shape[1]}: at most {MAX_LENGTH} is supported")
    if np.any(np.diff(users) <= 0):
        raise DataError("lists: users must be ascending and each there once; sort them or drop repeats")


def _check_rows(users: NDArray[np.int32], items: NDArray[np.int32]) -> None:
    padded = items == PADDING
    ordered = np.sort(items, axis=1)
    faults = {
        "holds an item id below 0": np.any(items < PADDING, axis=1),
        "has a gap: a place without an item before one with": np.any(padded[:, :-1] & ~padded[:, 1:], axis=1),
        "holds an item twice": np.any((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] != PADDING), axis=1),
    }
    for fault, rows in faults.items():
        if rows.any():
            raise DataError(f"lists: the list of user {users[int(rows.argmax())]} {fault}")


def _check_ranks(users: NDArray[np.int_], rows: NDArray[np.int_], places: NDArray[np.int64], width: int) -> None:
    if places.min(initial=0) < 0:
        raise DataError(f"lists: rank {places.min() + 1} is below 1; the best item has rank 1")
    if width > MAX_LENGTH:
        raise DataError(f"lists: rank {width} is above {MAX_LENGTH}, the longest list supported")
    counts = np.bincount(rows * width + places) if rows.size else np.zeros(0, dtype=np.int64)
    if np.any(counts > 1):
        row, place = divmod(int(counts.argmax()), width)
        raise DataError(f"lists: rank {place + 1} of user {users[row]} is given twice")
