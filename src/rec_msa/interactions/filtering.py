"""Repeated pairs and the k-core: which interactions stay.

Everything here works on codes: users and items as int32 numbers from 0, as ``rec_msa.interactions.vocabulary`` gives
them. A pair of codes is one number of 64 bits, and sorting these is what repeats and neighbours are found by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rec_msa.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray


_BLOCK = 1 << 20
"""Rows that are worked on at once where a step would else need a second copy of all."""


def pair_keys(user: NDArray[np.int32], item: NDArray[np.int32]) -> NDArray[np.int64]:
    """One number for each pair of codes, ordered by user, then item.

    Args:
        user: Codes, ``[n]``, 0 or more.
        item: Codes, ``[n]``, 0 or more.
    """
    keys = user.astype(np.int64)
    keys <<= 32
    keys |= item
    return keys


def kept_rows(user: NDArray[np.int32], item: NDArray[np.int32], times: pd.Series, k: int) -> NDArray[np.intp]:
    """Finds the interactions that stay: of each pair the earliest, of these the k-core.

    The k-core depends on which pairs there are and not on which row stands for a pair, so it is taken first and repeats
    are looked for in what it leaves.

    Args:
        user: Codes, ``[n]``.
        item: Codes, ``[n]``.
        times: Int64, ``[n]``, where missing is later than any time.
        k: The fewest distinct pairs that a user or an item may have, 1 or more.

    Returns:
        The rows that stay, in their order.

    Raises:
        DataError: Nothing stays.
    """
    pairs = pair_keys(user, item)
    pairs.sort()
    pairs, repeated = _distinct(pairs)
    graph = _Graph.of(pairs)
    del pairs
    users, items = graph.core(k)
    if not users.any():
        raise DataError(f"datasets.<name>.min_interactions: {k} leaves no interaction; {_largest_core(graph, k)}")
    del graph
    stays = users[user]
    stays &= items[item]
    rows = np.flatnonzero(stays)
    return rows[_are_earliest(rows, user, item, repeated, times)] if len(repeated) else rows


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

    def core(self, k: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Marks the users and the items of the k-core.

        Whoever has too few neighbours leaves, and so do those that have too few without it. Everybody leaves once at
        most, so that the cost is linear in the pairs however long such a chain is.
        """
        degrees = [np.diff(side.start).astype(np.int32) for side in self]
        stays = [degree >= k for degree in degrees]
        leaving = [np.flatnonzero(~stay) for stay in stays]
        one, other = 0, 1
        while len(leaving[0]) or len(leaving[1]):
            bereft = self[one].neighbours_of(leaving[one])
            np.subtract.at(degrees[other], bereft, np.int32(1))
            bereft = bereft[stays[other][bereft] & (degrees[other][bereft] < k)]
            stays[other][bereft] = False
            leaving[other] = np.concatenate([leaving[other], np.unique(bereft)])
            leaving[one] = leaving[one][:0]
            one, other = other, one
        return stays[0], stays[1]


def _largest_core(graph: _Graph, k: int) -> str:
    """Says which largest value below k would leave something, and what."""
    fits, fails = 0, k  # a 0-core is everything, a k-core nothing
    while fails - fits > 1:
        middle = (fits + fails) // 2
        if graph.core(middle)[0].any():
            fits = middle
        else:
            fails = middle
    if fits == 0:
        return "the table has none"
    users, items = graph.core(fits)
    n_pairs = int(items[graph.users.neighbours_of(np.flatnonzero(users))].sum())
    return (
        f"set it to {fits} or less ({fits} leaves {users.sum()} users, {items.sum()} items and {n_pairs} interactions) "
        f"or give more data"
    )
