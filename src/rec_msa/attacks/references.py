"""References beside the attacks: what an attacker gets without a clone model.

Each knows no more than an attacker does: the attacker users' interactions (D_t), interactions of the auxiliary
users, and the lists of the queried users. Each returns lists for all users asked for, without the items that D_t
has for them. ``retrain``, which needs the target's own data, is a model and not made here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from rec_msa.foundation.errors import DataError
from rec_msa.foundation.lists import PADDING, Lists
from rec_msa.foundation.randomness import stream

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from rec_msa.attacks.settings import ReferenceSettings

    Ids = NDArray[np.integer[Any]]

FROM_QUERIES = ("list_popularity", "knn_lists", "cache")
"""The references that need queried lists."""

_CELLS_AT_ONCE = 2_000_000
_NEIGHBOUR_MEBIBYTES = 64


@dataclass(frozen=True, eq=False)
class Knowledge:
    """What an attacker without a clone has, and for whom it makes lists.

    Attributes:
        users: The attacker users, ascending and each once ``[n_users]``.
        attacker_train: D_t (columns user, item): what its users must not get.
        auxiliary_train: Auxiliary interactions (columns user, item).
        queried: The lists that the target served.
        n_items: The number of items.
    """

    users: NDArray[np.int32]
    attacker_train: pd.DataFrame
    auxiliary_train: pd.DataFrame
    queried: Lists
    n_items: int

    def matrix_of(self, users: ArrayLike) -> csr_array:
        """D_t of some users, ascending and each once, as ones in ``[n, n_items]``."""
        ids, interactions = np.asarray(users, dtype=np.int64), self.attacker_train
        kept = interactions.loc[interactions["user"].isin(ids), ["user", "item"]].drop_duplicates()
        items = self.checked(kept["item"].to_numpy())
        rows = np.searchsorted(ids, kept["user"].to_numpy())
        return csr_array((np.ones(len(kept)), (rows, items)), shape=(ids.size, self.n_items))

    @cached_property
    def own(self) -> csr_array:
        """What the users have in D_t ``[n_users, n_items]``."""
        return self.matrix_of(self.users)

    @cached_property
    def entries(self) -> tuple[Ids, Ids, Ids]:
        """Row, place (from 0) and item of every filled place of the served lists."""
        rows, places = np.nonzero(self.queried.items != PADDING)
        return rows, places, self.checked(self.queried.items[rows, places])

    def checked(self, items: Ids) -> Ids:
        """The items as they are.

        Raises:
            DataError: One is below 0 or not below ``n_items``.
        """
        wrong = items[(items < 0) | (items >= self.n_items)]
        if wrong.size:
            raise DataError(f"item {wrong[0]}: there are {self.n_items} items, ids 0 to {self.n_items - 1}")
        return items

    def ranked(self, scores: Callable[[slice], NDArray[np.float64]], list_length: int) -> Lists:
        """The best of all users by the scores of some of them."""
        return Lists(self.users, rank_blocks(scores, self.own, list_length))

    def ranked_alike(self, scores: NDArray[np.float64], list_length: int) -> Lists:
        """The best of all users by the same scores ``[n_items]``."""
        everyone = np.broadcast_to(scores, self.own.shape)
        return self.ranked(lambda rows: everyone[rows], list_length)


def all_references(
    known: Knowledge, solved: Mapping[str, Lists], list_length: int, settings: ReferenceSettings, seed: int
) -> dict[str, Lists]:
    """The lists of every reference for all attacker users, by name; those from answers where somebody was asked."""
    ranked = {
        "random": random_lists(known, list_length, seed),
        "popularity": popularity_lists(known, known.attacker_train, list_length),
        "auxiliary_popularity": popularity_lists(known, known.auxiliary_train, list_length),
        **solved,
    }
    if not len(known.queried.users):
        return ranked
    by_lists = list_popularity(known, list_length)
    return ranked | {
        "list_popularity": by_lists,
        "knn_lists": knn_lists(known, list_length, settings.neighbours),
        "cache": cache_lists(known, by_lists),
    }


def random_lists(known: Knowledge, list_length: int, seed: int) -> Lists:
    """Items drawn uniformly without replacement; a shorter list is the head of a longer one."""
    rng = stream(seed, "references")
    # Blocks are asked for in order and drawn from one stream, so their size changes nothing.
    return known.ranked(lambda rows: rng.random((len(known.users[rows]), known.n_items)), list_length)


def popularity_lists(known: Knowledge, interactions: pd.DataFrame, list_length: int) -> Lists:
    """The items with most of some interactions, those of D_t or the auxiliary ones, ties by item id."""
    counts = np.bincount(known.checked(interactions["item"].to_numpy()), minlength=known.n_items)
    return known.ranked_alike(counts.astype(np.float64), list_length)


def list_popularity(known: Knowledge, list_length: int) -> Lists:
    """The items that served lists hold most often, ties by mean rank, then by item id; those in no list follow."""
    return known.ranked_alike(_list_popularity_scores(known), list_length)


def knn_lists(known: Knowledge, list_length: int, neighbours: int = 10) -> Lists:
    """What the target served to the queried users whose interactions are most like the user's.

    Over the nearest queried users (all where there are fewer) by cosine of their rows of D_t, an item scores the sum
    of cosine times discount, where the discount falls linearly from 1 at rank 1 to about 1/2 at the last rank: that
    the item is listed counts more than where. Remaining places are filled by list popularity. A queried user is its
    own nearest neighbour: for the group ``queried`` the lists lean on a list that the attacker already holds.

    Raises:
        DataError: No user was queried.
    """
    if not known.queried.users.size:
        raise DataError("knn_lists: no queried list; at least one user must be queried")
    likeness = _likeness(known.own, known.matrix_of(known.queried.users), neighbours)
    served, filling = _discounted(known), -_places(_list_popularity_scores(known))

    def scores(rows: slice) -> NDArray[np.float64]:
        block = (likeness[rows] @ served).toarray()
        return np.where(block > 0, block, filling)

    return known.ranked(scores, list_length)


def cache_lists(known: Knowledge, fallback: Lists) -> Lists:
    """The served lists, cut or padded to the fallback's length, and the fallback for users who were not queried.

    Raises:
        DataError: A user was not queried and has no fallback.
    """
    asked = np.isin(known.users, known.queried.users)
    items = np.full((known.users.size, fallback.length), PADDING, dtype=np.int32)
    items[~asked] = fallback.of(known.users[~asked]).items
    width = min(fallback.length, known.queried.length)
    items[asked, :width] = known.queried.of(known.users[asked]).items[:, :width]
    return Lists(known.users, items)


def _places(scores: NDArray[np.float64]) -> Ids:
    """The place of every item by falling score, ties by item id, from 0."""
    places = np.empty(scores.size, dtype=np.int64)
    places[np.argsort(-scores, kind="stable")] = np.arange(scores.size)
    return places


def _list_popularity_scores(known: Knowledge) -> NDArray[np.float64]:
    """Frequency, less a part below 1 that grows with the mean rank ``[n_items]``."""
    _, places, items = known.entries
    counts = np.bincount(items, minlength=known.n_items).astype(np.float64)
    ranks = np.bincount(items, weights=places + 1, minlength=known.n_items)
    return counts - ranks / np.maximum(counts, 1) / (known.queried.length + 1)


def _discounted(known: Knowledge) -> csr_array:
    rows, places, items = known.entries
    discounts = 1 - places / (2 * known.queried.length)
    return csr_array((discounts, (rows, items)), shape=(known.queried.users.size, known.n_items))


def _likeness(known: csr_array, known_of_queried: csr_array, neighbours: int) -> csr_array:
    """The cosine to the nearest queried users, 0 elsewhere ``[n_users, n_queried]``."""
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


def rank_blocks(
    scores: Callable[[slice], NDArray[np.float64]], exclude: csr_array, list_length: int
) -> NDArray[np.int32]:
    """Each user's best items by score, ties by item id (the lower first), without those that ``exclude`` stores.

    Scores ``[n, n_items]``, a broadcast view too, are asked for in blocks of users, so that they never exist for all
    at once; they are not changed. Of items ``[n_users, list_length]`` those that a user runs out of are ``-1``.
    """
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
    """The ``n`` best items of each row, ``-1`` in place of items with score -inf.

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
