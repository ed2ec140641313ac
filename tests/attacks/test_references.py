"""References: lists made from what an attacker knows, without a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from rec_msa.attacks import references
from rec_msa.attacks.references import (
    Knowledge,
    cache_lists,
    knn_lists,
    list_popularity,
    popularity_lists,
    random_lists,
    rank_blocks,
)
from rec_msa.foundation.errors import DataError
from rec_msa.foundation.lists import Lists

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

NOTHING = pd.DataFrame({"user": [], "item": []}, dtype="int64")


def interactions(rows: dict[int, list[int]]) -> pd.DataFrame:
    """Interactions written as user: items."""
    return pd.DataFrame([(user, item) for user, items in rows.items() for item in items], columns=["user", "item"])


def lists(rows: dict[int, list[int]]) -> Lists:
    """Lists written as user: items."""
    return Lists(np.array(list(rows)), np.array(list(rows.values())))


NOBODY = Lists(np.empty(0), np.empty((0, 3)))


def knowledge(users: ArrayLike, n_items: int, known: pd.DataFrame, queried: Lists = NOBODY) -> Knowledge:
    """What an attacker without auxiliary data has."""
    return Knowledge(np.asarray(users), known, NOTHING, queried, n_items)


def rank_by_sorting(scores: NDArray[np.float64], excluded: NDArray[np.bool_], length: int) -> list[list[int]]:
    """The definition, one user at a time."""
    ranked = []
    for row, out in zip(scores, excluded, strict=True):
        best = sorted(np.flatnonzero(~out).tolist(), key=lambda item: (-row[item], item))[:length]
        ranked.append(best + [-1] * (length - len(best)))
    return ranked


@given(st.integers(0, 6), st.integers(1, 12), st.integers(1, 15), st.integers(0, 999))
def test_ranking_equals_plain_sorting(n_users: int, n_items: int, length: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(4, size=(n_users, n_items)).astype(float)
    excluded = rng.random((n_users, n_items)) < 0.4
    ranked = rank_blocks(lambda rows: scores[rows], csr_array(excluded), length)
    assert ranked.tolist() == rank_by_sorting(scores, excluded, length)
    assert ranked.dtype == np.int32


def test_ranking_leaves_the_scores_alone() -> None:
    scores = np.array([[1.0, 2.0]])
    rank_blocks(lambda rows: scores[rows], csr_array(np.array([[1, 0]])), 2)
    assert scores.tolist() == [[1, 2]]


def test_the_matrix_has_a_row_per_user_and_leaves_others_out() -> None:
    known = knowledge([3, 8], 3, interactions({8: [1, 1], 3: [0], 5: [2]}))
    assert known.own.toarray().tolist() == [[1, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize("item", [-1, 3])
def test_an_item_out_of_range_is_refused(item: int) -> None:
    with pytest.raises(DataError, match=f"item {item}: there are 3 items"):
        random_lists(knowledge([1], 3, interactions({1: [item]})), 2, seed=0)
    with pytest.raises(DataError, match=f"item {item}"):
        popularity_lists(knowledge([1], 3, NOTHING), interactions({1: [item]}), 2)


def test_an_item_of_a_served_list_out_of_range_is_refused() -> None:
    with pytest.raises(DataError, match="item 7: there are 3 items"):
        list_popularity(knowledge([1], 3, NOTHING, lists({1: [7]})), 2)


def test_popularity_counts_interactions_and_breaks_ties_by_item() -> None:
    counted = interactions({10: [2, 3], 11: [2, 1], 12: [3, 2]})
    made = popularity_lists(knowledge([4, 5], 5, interactions({5: [3]})), counted, 4)
    assert made.users.tolist() == [4, 5]
    assert made.items.tolist() == [[2, 3, 1, 0], [2, 1, 0, 4]]


def test_list_popularity_goes_by_frequency_then_mean_rank_then_item() -> None:
    # Item 4 is listed three times, 0 and 1 twice (mean ranks 2.5 and 2), 3 and 2 once (rank 1 both).
    queried = lists({1: [3, 4, 0], 2: [2, 0, 4], 6: [4, 1, -1], 7: [5, 1, -1]})
    made = list_popularity(knowledge([1, 9], 7, interactions({9: [4, 6]}), queried), 6)
    assert made.items.tolist() == [[4, 1, 0, 2, 3, 5], [1, 0, 2, 3, 5, -1]]


def test_random_lists_are_seeded_and_nested_in_longer_ones() -> None:
    known = knowledge([1, 2], 40, NOTHING)
    short, long = (random_lists(known, length, seed=3) for length in (10, 20))
    assert np.array_equal(short.items, long.items[:, :10])
    assert not np.array_equal(short.items, random_lists(known, 10, seed=4).items)
    assert not np.array_equal(short.items[0], short.items[1])


def test_random_lists_draw_every_item_alike() -> None:
    made = random_lists(knowledge(np.arange(4000), 10, NOTHING), 3, seed=0)
    shares = np.bincount(made.items.ravel(), minlength=10) / 4000
    assert shares == pytest.approx(np.full(10, 0.3), abs=0.04)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def every() -> list[Lists]:
        own = interactions({user: [user % 5, user % 7] for user in range(20)})
        served = random_lists(knowledge(np.arange(0, 20, 3), 30, own), 6, seed=8)
        known = knowledge(np.arange(20), 30, own, served)
        return [random_lists(known, 6, 1), knn_lists(known, 6)]

    whole = every()
    monkeypatch.setattr(references, "_CELLS_AT_ONCE", 70)
    assert all(np.array_equal(a.items, b.items) for a, b in zip(whole, every(), strict=True))


def test_knn_repeats_the_list_of_the_most_alike_user_and_fills_by_list_popularity() -> None:
    known = interactions({1: [0, 1], 2: [4], 3: [0, 1, 2]})
    queried = lists({1: [5, 6], 2: [6, 7]})
    made = knn_lists(knowledge([2, 3], 9, known, queried), 4, neighbours=1)
    # User 3 is like user 1; the rest is 6 and 7 by list popularity, then items in no list.
    assert made.items.tolist() == [[6, 7, 5, 0], [5, 6, 7, 3]]


def test_knn_weighs_lists_by_cosine() -> None:
    own = interactions({1: [0, 1, 2], 2: [3, 8], 3: [3, 9], 4: [0, 1, 2, 3]})
    known = knowledge([4], 10, own, lists({1: [5], 2: [6], 3: [6]}))
    # The cosine to user 1 is 3 / sqrt(12) = 0.87; to users 2 and 3 it is 1 / sqrt(8) = 0.35 each, 0.71 in all.
    assert knn_lists(known, 2).items.tolist() == [[5, 6]]
    assert knn_lists(known, 2, neighbours=1).items.tolist() == [[5, 6]]
    assert list_popularity(known, 2).items.tolist() == [[6, 5]]


def test_knn_of_a_queried_user_leads_with_its_own_list() -> None:
    known = interactions({1: [0, 1], 2: [1, 2]})
    queried = lists({1: [5, 6], 2: [7, 8]})
    assert knn_lists(knowledge([1], 9, known, queried), 2).items.tolist() == [[5, 6]]


def test_knn_of_a_user_like_nobody_is_list_popularity() -> None:
    known = knowledge([3], 9, interactions({1: [0], 2: [1], 3: [2]}), lists({1: [5, 6], 2: [6, 7]}))
    assert np.array_equal(knn_lists(known, 4).items, list_popularity(known, 4).items)


def test_knn_without_a_queried_list_is_refused() -> None:
    with pytest.raises(DataError, match="no queried list"):
        knn_lists(knowledge([1], 5, interactions({1: [0]})), 3)


def caching(users: list[int], served: list[int]) -> Knowledge:
    """Knowledge of one list, user 2's."""
    return knowledge(users, 10, NOTHING, lists({2: served}))


def test_the_cache_repeats_what_was_served() -> None:
    made = cache_lists(caching([1, 2, 3], [7, 8, 9]), lists({1: [0, 1], 2: [0, 1], 3: [1, 0]}))
    assert made.users.tolist() == [1, 2, 3]
    assert made.items.tolist() == [[0, 1], [7, 8], [1, 0]]


def test_the_cache_pads_short_served_lists_and_needs_a_fallback() -> None:
    assert cache_lists(caching([2], [7]), lists({1: [0, 1]})).items.tolist() == [[7, -1]]
    with pytest.raises(DataError, match="user 4"):
        cache_lists(caching([2, 4], [7]), lists({1: [0, 1]}))


@given(st.integers(1, 8), st.integers(2, 12), st.integers(1, 14), st.integers(0, 999))
def test_no_list_has_an_item_that_the_user_has_and_all_are_as_full_as_can_be(
    n_users: int, n_items: int, length: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    users = np.arange(n_users) * 3
    owned = rng.random((n_users, n_items)) < 0.5
    rows, items = np.nonzero(owned)
    own = pd.DataFrame({"user": users[rows], "item": items})
    queried = random_lists(knowledge(users[: (n_users + 1) // 2], n_items, own), length, seed)
    known = knowledge(users, n_items, own, queried)
    fallback = list_popularity(known, length)
    for made in (
        random_lists(known, length, seed),
        popularity_lists(known, own, length),
        fallback,
        knn_lists(known, length, neighbours=2),
        cache_lists(known, fallback),
    ):
        filled = made.items >= 0
        assert made.users.tolist() == users.tolist()
        assert not owned[np.nonzero(filled)[0], made.items[filled]].any()
        assert filled.sum(axis=1).tolist() == np.minimum((~owned).sum(axis=1), length).tolist()
