"""References beside the attacks: what an attacker gets without a clone model.

Each knows no more than an attacker does: the attacker users' interactions (D_t), interactions of the auxiliary
users, and the lists of the queried users. Each returns lists for all users asked for, without the items that D_t
has for them. ``retrain``, which needs the target's own data, is a model and not made here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from rec_msa.foundation.errors import DataError
from rec_msa.foundation.lists import PADDING, Lists
from rec_msa.foundation.randomness import stream

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from rec_msa.attacks.settings import ReferenceSettings

FROM_QUERIES = ("list_popularity", "knn_lists", "cache")
"""The references that need queried lists."""

_CELLS_AT_ONCE = 2_000_000
_NEIGHBOUR_MEBIBYTES = 64


@dataclass(frozen=True)
class Knowledge:
    """What an attacker without a clone has.

    Attributes:
        users: The attacker users, ascending ``[n_users]``.
        attacker_train: D_t (columns user, item).
        auxiliary_train: Auxiliary interactions (columns user, item).
        queried: The lists that the target served.
        n_items: The number of items.
    """

    users: NDArray[np.int_]
    attacker_train: pd.DataFrame
    auxiliary_train: pd.DataFrame
    queried: Lists
    n_items: int


def all_references(known: Knowledge, list_length: int, settings: ReferenceSettings, seed: int) -> dict[str, Lists]:
    """Returns the lists of every reference for all attacker users, by name.

    Where nobody was asked, the references that need answers are left out.

    Args:
        known: What the attacker has.
        list_length: Places per list.
        settings: Neighbours of ``knn_lists``.
        seed: The cell's seed, for ``random``.
    """
    users, n_items, exclude = known.users, known.n_items, known.attacker_train
    ranked = {
        "random": random_lists(users, n_items, exclude, list_length, seed),
        "popularity": popularity_lists(users, exclude, n_items, exclude, list_length),
        "auxiliary_popularity": popularity_lists(users, known.auxiliary_train, n_items, exclude, list_length),
    }
    if not len(known.queried.users):
        return ranked
    by_lists = list_popularity(users, known.queried, n_items, exclude, list_length)
    return ranked | {
        "list_popularity": by_lists,
        "knn_lists": knn_lists(users, known.queried, exclude, n_items, list_length, neighbours=settings.neighbours),
        "cache": cache_lists(users, known.queried, by_lists),
    }


def interaction_matrix(users: ArrayLike, interactions: pd.DataFrame, n_items: int) -> csr_array:
    """Returns the users' interactions as a 0/1 matrix ``[n_users, n_items]``.

    Args:
        users: Global user ids ``[n_users]``, ascending and unique; interactions of others are left out.
        interactions: The columns ``user, item``.
        n_items: The number of items.

    Raises:
        DataError: If an item id is below 0 or not below ``n_items``.
    """
    ids = np.asarray(users, dtype=np.int64)
    kept = interactions.loc[interactions["user"].isin(ids), ["user", "item"]].drop_duplicates()
    items = _checked(kept["item"].to_numpy(), n_items)
    rows = np.searchsorted(ids, kept["user"].to_numpy())
    return csr_array((np.ones(len(kept)), (rows, items)), shape=(ids.size, n_items))


def rank_scores(scores: NDArray[np.float64], exclude: csr_array, list_length: int) -> NDArray[np.int32]:
    """Returns each user's best items by score, ties by item id (the lower first).

    Args:
        scores: Scores ``[n_users, n_items]``, a broadcast view too; not changed.
        exclude: The items that a user must not get: a matrix ``[n_users, n_items]`` of what is stored there.
        list_length: Places per list.

    Returns:
        Item ids ``[n_users, list_length]``, ``-1`` where a user has fewer candidates.
    """
    return _rank_blocks(lambda rows: scores[rows], exclude, list_length)


def random_lists(users: ArrayLike, n_items: int, exclude: pd.DataFrame, list_length: int, seed: int) -> Lists:
    """Returns items drawn uniformly without replacement (``random``).

    Args:
        users: Global user ids ``[n_users]``.
        n_items: The number of items.
        exclude: The interactions ``user, item`` of D_t, kept out of the lists.
        list_length: Places per list; a shorter list is the head of a longer one.
        seed: The cell's seed.

    Raises:
        DataError: If an item id is out of range.
    """
    ids, excluded = _users_and_exclusions(users, exclude, n_items)
    rng = stream(seed, "references")
    # Blocks are asked for in order and drawn from one stream, so their size changes nothing.
    return Lists(ids, _rank_blocks(lambda rows: rng.random((len(ids[rows]), n_items)), excluded, list_length))


def popularity_lists(
    users: ArrayLike, interactions: pd.DataFrame, n_items: int, exclude: pd.DataFrame, list_length: int
) -> Lists:
    """Returns the items with most interactions, ties by item id.

    With D_t as the interactions this is ``popularity``, with the auxiliary ones ``auxiliary_popularity``.

    Args:
        users: Global user ids ``[n_users]``.
        interactions: The interactions that count, ``user, item``.
        n_items: The number of items.
        exclude: The interactions ``user, item`` of D_t, kept out of the lists.
        list_length: Places per list.

    Raises:
        DataError: If an item id is out of range.
    """
    ids, excluded = _users_and_exclusions(users, exclude, n_items)
    counts = np.bincount(_checked(interactions["item"].to_numpy(), n_items), minlength=n_items)
    return Lists(ids, _rank_alike(counts.astype(np.float64), excluded, list_length))


def list_popularity(users: ArrayLike, queried: Lists, n_items: int, exclude: pd.DataFrame, list_length: int) -> Lists:
    """Returns the items that the queried lists hold most often, ties by mean rank, then by item id.

    Args:
        users: Global user ids ``[n_users]``.
        queried: The lists that the target served.
        n_items: The number of items.
        exclude: The interactions ``user, item`` of D_t, kept out of the lists.
        list_length: Places per list; items in no queried list follow by item id.

    Raises:
        DataError: If an item id is out of range.
    """
    ids, excluded = _users_and_exclusions(users, exclude, n_items)
    return Lists(ids, _rank_alike(_list_popularity_scores(queried, n_items), excluded, list_length))


def knn_lists(
    users: ArrayLike,
    queried: Lists,
    attacker_train: pd.DataFrame,
    n_items: int,
    list_length: int,
    *,
    neighbours: int = 10,
) -> Lists:
    """Returns what the target served to the queried users whose interactions are most like the user's.

    Over the nearest queried users by cosine of their rows of D_t, an item scores the sum of cosine times discount,
    where the discount falls linearly from 1 at rank 1 to about 1/2 at the last rank: that the item is listed
    counts more than where. Remaining places are filled by list popularity. A queried user is its own nearest
    neighbour: for the group ``queried`` the lists lean on a list that the attacker already holds.

    Args:
        users: Global user ids ``[n_users]``.
        queried: The lists that the target served.
        attacker_train: D_t, ``user, item``: for the cosine, and kept out of the lists.
        n_items: The number of items.
        list_length: Places per list.
        neighbours: Queried users looked at; all of them where there are fewer.

    Raises:
        DataError: If no user was queried, or an item id is out of range.
    """
    if not queried.users.size:
        raise DataError("knn_lists: no queried list; at least one user must be queried")
    ids, known = _users_and_exclusions(users, attacker_train, n_items)
    likeness = _likeness(known, interaction_matrix(queried.users, attacker_train, n_items), neighbours)
    served = _discounted(queried, n_items)
    filling = -_places(_list_popularity_scores(queried, n_items))

    def scores(rows: slice) -> NDArray[np.float64]:
        block = (likeness[rows] @ served).toarray()
        return np.where(block > 0, block, filling)

    return Lists(ids, _rank_blocks(scores, known, list_length))


def cache_lists(users: ArrayLike, queried: Lists, fallback: Lists) -> Lists:
    """Returns the queried lists for the users who were queried and the fallback for the others (``cache``).

    Args:
        users: Global user ids ``[n_users]``.
        queried: The lists that the target served, cut or padded to the fallback's length.
        fallback: A list for every user who was not queried, such as list popularity.

    Raises:
        DataError: If a user was not queried and has no fallback.
    """
    ids = np.unique(np.asarray(users, dtype=np.int32))
    asked = np.isin(ids, queried.users)
    items = np.full((ids.size, fallback.length), PADDING, dtype=np.int32)
    items[~asked] = fallback.of(ids[~asked]).items
    width = min(fallback.length, queried.length)
    items[asked, :width] = queried.of(ids[asked]).items[:, :width]
    return Lists(ids, items)


def _users_and_exclusions(users: ArrayLike, exclude: pd.DataFrame, n_items: int) -> tuple[NDArray[np.int32], csr_array]:
    ids = np.unique(np.asarray(users, dtype=np.int32))
    return ids, interaction_matrix(ids, exclude, n_items)


def _checked(items: NDArray[np.integer[Any]], n_items: int) -> NDArray[np.integer[Any]]:
    wrong = items[(items < 0) | (items >= n_items)]
    if wrong.size:
        raise DataError(f"item {wrong[0]}: there are {n_items} items, ids 0 to {n_items - 1}")
    return items


def _list_entries(
    queried: Lists, n_items: int
) -> tuple[NDArray[np.integer[Any]], NDArray[np.integer[Any]], NDArray[np.integer[Any]]]:
    """Returns row, place (from 0) and item of every filled place."""
    rows, places = np.nonzero(queried.items != PADDING)
    return rows, places, _checked(queried.items[rows, places], n_items)


def _places(scores: NDArray[np.float64]) -> NDArray[np.integer[Any]]:
    """Returns the place of every item by falling score, ties by item id, from 0."""
    places = np.empty(scores.size, dtype=np.int64)
    places[np.argsort(-scores, kind="stable")] = np.arange(scores.size)
    return places


def _list_popularity_scores(queried: Lists, n_items: int) -> NDArray[np.float64]:
    """Returns frequency, less a part below 1 that grows with the mean rank ``[n_items]``."""
    _, places, items = _list_entries(queried, n_items)
    counts = np.bincount(items, minlength=n_items).astype(np.float64)
    ranks = np.bincount(items, weights=places + 1, minlength=n_items)
    return counts - ranks / np.maximum(counts, 1) / (queried.length + 1)


def _discounted(queried: Lists, n_items: int) -> csr_array:
    rows, places, items = _list_entries(queried, n_items)
    return csr_array((1 - places / (2 * queried.length), (rows, items)), shape=(queried.users.size, n_items))


def _likeness(known: csr_array, known_of_queried: csr_array, neighbours: int) -> csr_array:
    """Returns the cosine to the nearest queried users, 0 elsewhere ``[n_users, n_queried]``."""
    # scikit-learn takes a second to import, which only this reference needs.
    from sklearn import config_context
    from sklearn.neighbors import NearestNeighbors

    n_queried = known_of_queried.shape[0]
    search = NearestNeighbors(n_neighbors=min(neighbours, n_queried), metric="cosine", algorithm="brute")
    with config_context(working_memory=_NEIGHBOUR_MEBIBYTES):
        distances, nearest = search.fit(known_of_queried).kneighbors(known)
    rows = np.repeat(np.arange(known.shape[0]), nearest.shape[1])
    cosines = np.maximum(1 - distances.ravel(), 0)
    return csr_array((cosines, (rows, nearest.ravel())), shape=(known.shape[0], n_queried))


def _rank_alike(scores: NDArray[np.float64], exclude: csr_array, list_length: int) -> NDArray[np.int32]:
    """Ranks the same scores ``[n_items]`` for every user."""
    return rank_scores(np.broadcast_to(scores, exclude.shape), exclude, list_length)


def _rank_blocks(
    scores: Callable[[slice], NDArray[np.float64]], exclude: csr_array, list_length: int
) -> NDArray[np.int32]:
    """Ranks blocks of users, so that scores never exist for all users at once."""
    n_users, n_items = exclude.shape
    lists = np.full((n_users, list_length), PADDING, dtype=np.int32)
    step = max(1, _CELLS_AT_ONCE // n_items)
    for start in range(0, n_users, step):
        rows = slice(start, start + step)
        block = np.array(scores(rows), dtype=np.float64)
        block[exclude[rows].nonzero()] = -np.inf
        lists[rows, : min(list_length, n_items)] = _best(block, min(list_length, n_items))
    return lists


def _best(scores: NDArray[np.float64], n: int) -> NDArray[np.int32]:
    """Returns the ``n`` best items of each row, ``-1`` in place of items with score -inf.

    A partition finds the score of the n-th item; of the items tied there, the lowest ids are taken.
    """
    worst = np.partition(scores, scores.shape[1] - n, axis=1)[:, scores.shape[1] - n, None]
    above, tied = scores > worst, scores == worst
    room = n - above.sum(axis=1, keepdims=True)
    taken = above | (tied & (np.cumsum(tied, axis=1, dtype=np.int32) <= room))
    items = np.nonzero(taken)[1].reshape(-1, n)
    found = np.take_along_axis(scores, items, axis=1)
    order = np.argsort(-found, axis=1, kind="stable")
    ranked = np.take_along_axis(items, order, axis=1)
    return np.where(np.take_along_axis(found, order, axis=1) == -np.inf, PADDING, ranked).astype(np.int32)
