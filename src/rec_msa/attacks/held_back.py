"""What of the answers decides when a steal stage stops: some users' lists, or some places of each list."""

from __future__ import annotations

import numpy as np

from rec_msa.attacks.prefixes import PrefixLists
from rec_msa.foundation.errors import DataError
from rec_msa.foundation.lists import PADDING, Lists
from rec_msa.foundation.randomness import stream
from rec_msa.interactions.splits import count


def users_held_back(users: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """The queried users whose lists decide when to stop: floor(fraction x n), at least one.

    Raises:
        DataError: Fewer than two users were queried.
    """
    if len(users) < 2:  # noqa: PLR2004 - one to learn from, one to stop by
        raise DataError(
            f"only {len(users)} user was queried, but stealing needs one to learn from and one to stop by; "
            "raise split.attacker_fraction or query_fraction"
        )
    n = max(1, count(fraction, len(users)))
    return np.sort(stream(seed, "steal").permutation(users)[:n])


def places_held_back(lists: Lists, fraction: float, seed: int) -> tuple[Lists, Lists]:
    """Splits each list into places to learn and places held back, both in the served order.

    Returns:
        Two lists of each user, together holding every item once.

    Raises:
        DataError: The lists have fewer than two places.
    """
    n = max(1, count(fraction, lists.length))
    if n >= lists.length:
        msg = f"list_length: {lists.length} leaves no place to learn from once {n} are held back; serve longer lists"
        raise DataError(msg)
    rank = stream(seed, "steal").permuted(np.tile(np.arange(lists.length), (len(lists.users), 1)), axis=1)
    parts = (_kept(lists, rank >= n), _kept(lists, rank < n))
    return parts[0], parts[1]


def _kept(lists: Lists, mask: np.ndarray) -> Lists:
    """Lists with the unmarked places taken out and the rest moved up."""
    items = np.where(mask, lists.items, PADDING)
    order = np.argsort(items == PADDING, axis=1, kind="stable")
    width = int(mask.sum(axis=1).max())
    return Lists(lists.users, np.take_along_axis(items, order, axis=1)[:, :width])


def prefix_places_held_back(served: PrefixLists, fraction: float, seed: int) -> tuple[PrefixLists, PrefixLists]:
    """Splits the list of every prefix into places to learn and places held back, as ``places_held_back`` does.

    Raises:
        DataError: The lists have fewer than two places.
    """
    lists = served.lists.reshape(-1, served.lists.shape[2])
    parts = places_held_back(Lists(np.arange(len(lists), dtype=np.int32), lists), fraction, seed)
    shape = served.sequences.shape
    taught, held_back = (PrefixLists(served.sequences, part.items.reshape(*shape, -1)) for part in parts)
    return taught, held_back
