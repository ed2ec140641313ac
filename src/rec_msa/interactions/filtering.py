"""Repeated pairs and the k-core: which interactions stay.

Everything here works on codes: users and items as int32 numbers from 0, as ``rec_msa.interactions.vocabulary`` gives
them. A pair of codes is one number of 64 bits, and sorting these is what repeats and neighbours are found by.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rec_msa.foundation.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray


_BLOCK = 1 << 20
"""Rows that are worked on at once where a step would else need a second copy of all."""


def pair_keys(user: NDArray[np.int32], item: NDArray[np.int32]) -> NDArray[np.int64]:
    """One number for each pair of codes of 0 or more ``[n]``, ordered by user, then item."""
    keys = user.astype(np.int64)
    keys <<= 32
    keys |= item
    return keys


class Kept(NamedTuple):
    """What the filter leaves.

    Attributes:
        rows: The rows that stay, in their order.
        repeats: How many rows repeat a pair of user and item, before the k-core is taken.
    """

    rows: NDArray[np.intp]
    repeats: int


def filtered(user: NDArray[np.int32], item: NDArray[np.int32], times: pd.Series, cores: tuple[int, int]) -> Kept:
    """Finds the interactions that stay, and counts repeats.

    The k-core depends on which pairs there are and not on which row stands for a pair, so it is taken first and repeats
    are looked for in what it leaves.

    Args:
        user: Codes, ``[n]``.
        item: Codes, ``[n]``.
        times: Int64, ``[n]``, where missing is later than any time.
        cores: The fewest distinct pairs that a user and that an item may have, each 1 or more.

    Raises:
        DataError: Nothing stays.
    """
    pairs = pair_keys(user, item)
    pairs.sort()
    pairs, repeated = _distinct(pairs)
    graph = _Graph.of(pairs)
    del pairs
    users, items = graph.core(*cores)
    if not users.any():
        raise DataError(_nothing_left(graph, cores))
    del graph
    stays = users[user]
    stays &= items[item]
    rows = np.flatnonzero(stays)
    stay = rows[_are_earliest(rows, user, item, repeated, times)] if len(repeated) else rows
    return Kept(stay, len(repeated))


def _distinct(pairs: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Moves the distinct pairs of a sorted array to its front; returns these and the others."""
    n_distinct, last, repeated = 0, -1, [pairs[:0]]
    for block in _blocks(len(pairs)):
        keys = pairs[block].copy()
        is_first = np.ones(len(keys), dtype=bool)
        is_first[0] = keys[0] != last
        np.not_equal(keys[1:], keys[:-1], out=is_first[1:])
        distinct, last = keys[is_first], keys[-1]
        repeated.append(keys[~is_first])
        pairs[n_distinct : n_distinct + len(distinct)] = distinct
        n_distinct += len(distinct)
    return pairs[:n_distinct], np.concatenate(repeated)


def _are_earliest(
    rows: NDArray[np.intp],
    user: NDArray[np.int32],
    item: NDArray[np.int32],
    repeated: NDArray[np.int64],
    times: pd.Series,
) -> NDArray[np.bool_]:
    """Marks the earliest row of each pair, or the first in the table where times are equal or unknown."""
    doubtful = _maybe_among(repeated, rows, user, item)
    row = rows[doubtful]
    pairs, time = pair_keys(user[row], item[row]), times.array.take(row)
    # stable: rows that are equal stay in the table's order
    order = np.lexsort((time.to_numpy(dtype=np.int64, na_value=0), time.isna(), pairs))
    ordered = pairs[order]
    is_later = ordered[1:] == ordered[:-1]
    is_earliest = np.ones(len(rows), dtype=bool)
    is_earliest[doubtful[order[1:][is_later]]] = False
    return is_earliest


def _maybe_among(
    wanted: NDArray[np.int64], rows: NDArray[np.intp], user: NDArray[np.int32], item: NDArray[np.int32]
) -> NDArray[np.intp]:
    """Places of the rows whose pair is among the wanted ones, and of a few that share a slot with one."""
    n_bits = max(16, (8 * len(wanted)).bit_length())
    is_wanted = np.zeros(1 << n_bits, dtype=bool)
    is_wanted[_slots(wanted, n_bits)] = True
    packed = np.packbits(is_wanted, bitorder="little")  # an eighth: looked up at random, it had better fit a cache
    found = []
    for block in _blocks(len(rows)):
        row = rows[block]
        slots = _slots(pair_keys(user[row], item[row]), n_bits)
        hits = (packed[slots >> np.uint64(3)] >> (slots & np.uint64(7)).astype(np.uint8)) & 1
        found.append(np.flatnonzero(hits) + block.start)
    return np.concatenate(found)


def _slots(keys: NDArray[np.int64], n_bits: int) -> NDArray[np.uint64]:
    mixed = keys.astype(np.uint64)
    mixed *= np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: Knuth's multiplicative hashing
    mixed >>= np.uint64(64 - n_bits)
    return mixed


def _blocks(n: int) -> Iterator[slice]:
    for start in range(0, n, _BLOCK):
        yield slice(start, min(start + _BLOCK, n))


class _Side(NamedTuple):
    """The neighbours of users among items, or of items among users.

    Attributes:
        start: Where each one's neighbours start, ``[n + 1]``.
        neighbours: Codes of the other side, ``[n_pairs]``.
    """

    start: NDArray[np.int64]
    neighbours: NDArray[np.int32]

    @classmethod
    def of(cls, pairs: NDArray[np.int64]) -> _Side:
        """From distinct pairs in order: the neighbours of what stands first in them."""
        n = int(pairs[-1] >> 32) + 1 if len(pairs) else 0
        start = np.zeros(n + 1, dtype=np.int64)
        for block in _blocks(len(pairs)):
            code = pairs[block] >> 32
            n_each = np.bincount(code - code[0])
            start[1 + code[0] :][: len(n_each)] += n_each
        np.cumsum(start, out=start)
        return cls(start, pairs.astype(np.int32))  # the lower half

    def neighbours_of(self, codes: NDArray[np.intp]) -> NDArray[np.int32]:
        """The neighbours of some, one after another."""
        n_each = self.start[codes + 1] - self.start[codes]
        before = np.cumsum(n_each) - n_each
        places = np.repeat(self.start[codes] - before, n_each)
        places += np.arange(len(places))
        found: NDArray[np.int32] = self.neighbours[places]
        return found


class _Graph(NamedTuple):
    """Users and items joined by their distinct pairs: the sides of the users and of the items."""

    users: _Side
    items: _Side

    @classmethod
    def of(cls, pairs: NDArray[np.int64]) -> _Graph:
        """From distinct pairs in order, which are overwritten."""
        users = _Side.of(pairs)
        for block in _blocks(len(pairs)):
            pairs[block] = (pairs[block] << 32) | (pairs[block] >> 32)
        pairs.sort()
        return cls(users, _Side.of(pairs))

    def core(self, *cores: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Marks the users and the items of the core, given the fewest neighbours of a user and of an item.

        Whoever has too few neighbours leaves, and so do those that have too few without it. Everybody leaves once at
        most, so that the cost is linear in the pairs however long such a chain is.
        """
        degrees = [np.diff(side.start).astype(np.int32) for side in self]
        stays = [degree >= k for degree, k in zip(degrees, cores, strict=True)]
        leaving = [np.flatnonzero(~stay) for stay in stays]
        one, other = 0, 1
        while len(leaving[0]) or len(leaving[1]):
            bereft = self[one].neighbours_of(leaving[one])
            np.subtract.at(degrees[other], bereft, np.int32(1))
            bereft = bereft[stays[other][bereft] & (degrees[other][bereft] < cores[other])]
            stays[other][bereft] = False
            leaving[other] = np.concatenate([leaving[other], np.unique(bereft)])
            leaving[one] = leaving[one][:0]
            one, other = other, one
        return stays[0], stays[1]


def _nothing_left(graph: _Graph, cores: tuple[int, int]) -> str:
    """Says that nothing stays, and which largest values would leave something, and what."""
    k_users, k_items = cores
    same = k_users == k_items
    asked = f"min_interactions: {k_users}" if same else f"min_per_user and min_per_item: {k_users} and {k_items}"
    head = f"datasets.<name>.{asked} leaves no interaction"
    # a 1-core is everything, and what was asked for is nothing
    fits = bisect_left(range(1, max(cores)), True, key=lambda k: not graph.core(*_at_most(k, cores))[0].any())
    if fits == 0:
        return f"{head}; the table has none"
    users, items = graph.core(*_at_most(fits, cores))
    n_pairs = int(items[graph.users.neighbours_of(np.flatnonzero(users))].sum())
    shown = f"it to {fits}" if same else f"them to {' and '.join(map(str, _at_most(fits, cores)))}"
    left = f"{users.sum()} users, {items.sum()} items and {n_pairs} interactions"
    return f"{head}; set {shown} or less ({fits if same else 'these'} leaves {left}) or give more data"


def _at_most(k: int, cores: tuple[int, int]) -> tuple[int, int]:
    return min(k, cores[0]), min(k, cores[1])
