"""Recommendation lists keep what they are given and refuse what is damaged."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rec_msa.foundation.errors import DataError, SettingsError
from rec_msa.foundation.lists import Lists, check_room


@st.composite
def some_lists(draw: st.DrawFn) -> Lists:
    """Lists of some users, of different lengths, each with at least one item."""
    users = sorted(draw(st.sets(st.integers(0, 1000), max_size=6)))
    length = draw(st.integers(1, 6))
    items = np.full((len(users), length), -1)
    for row in items:
        listed = draw(st.lists(st.integers(0, 20), unique=True, min_size=1, max_size=length))
        row[: len(listed)] = listed
    return Lists(np.array(users), items)


def lists(rows: dict[int, list[int]]) -> Lists:
    """Lists written as user: items."""
    return Lists(np.array(list(rows)), np.array(list(rows.values())))


def test_the_frame_has_a_row_per_place_and_no_padding() -> None:
    frame = lists({3: [9, 4], 7: [5, -1]}).to_frame()
    assert frame.to_dict("list") == {"user": [3, 3, 7], "rank": [1, 2, 1], "item": [9, 4, 5]}
    assert [str(kind) for kind in frame.dtypes] == ["int32", "int16", "int32"]


@given(some_lists(), st.randoms(use_true_random=False))
def test_lists_survive_the_way_through_a_shuffled_frame(original: Lists, random: object) -> None:
    frame = original.to_frame()
    order = list(range(len(frame)))
    random.shuffle(order)  # type: ignore[attr-defined]
    back = Lists.from_frame(frame.iloc[order], original.length)
    assert np.array_equal(back.users, original.users)
    assert np.array_equal(back.items, original.items)
    assert back.items.dtype == np.int32


def test_the_length_comes_from_the_highest_rank_unless_given() -> None:
    frame = lists({3: [9, 4, 1]}).to_frame()
    assert Lists.from_frame(frame).length == 3
    assert Lists.from_frame(frame, 5).items.tolist() == [[9, 4, 1, -1, -1]]
    assert Lists.from_frame(frame, 2).items.tolist() == [[9, 4]]


def test_users_are_picked_in_ascending_order() -> None:
    picked = lists({1: [5], 4: [6], 9: [7]}).of([9, 1])
    assert picked.users.tolist() == [1, 9]
    assert picked.items.tolist() == [[5], [7]]


def test_a_user_without_a_list_is_named() -> None:
    with pytest.raises(DataError, match="user 2 and 1 more: no list among those of 1 users"):
        lists({1: [5]}).of([1, 2, 3])


@pytest.mark.parametrize(
    ("users", "items", "message"),
    [
        ([2, 1], [[1], [2]], "ascending"),
        ([1, 1], [[1], [2]], "ascending"),
        ([1], [[1], [2]], "do not fit"),
        ([1, 2], [[3, 4], [5, 5]], "user 2 holds an item twice"),
        ([1], [[-1, 5]], "user 1 has a gap"),
        ([1], [[-2]], "user 1 holds an item id below 0"),
    ],
)
def test_damaged_lists_are_refused(users: list[int], items: list[list[int]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Lists(np.array(users), np.array(items))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"user": [1], "rank": [1]}, "'item' is missing"),
        ({"user": [1], "rank": [0], "item": [3]}, "rank 0 is below 1"),
        ({"user": [1, 1], "rank": [1, 1], "item": [3, 4]}, "rank 1 of user 1 is given twice"),
        ({"user": [1], "rank": [2], "item": [3]}, "user 1 has a gap"),
        ({"user": [1], "rank": [1], "item": [None]}, "empty"),
        ({"user": [1], "rank": [40_000], "item": [3]}, "40000 is above 32767"),
    ],
)
def test_a_damaged_frame_is_refused(rows: dict[str, list[int]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Lists.from_frame(pd.DataFrame(rows))


def test_lists_that_leave_one_user_nothing_outside_are_refused_with_the_largest_that_work():
    check_room(25, n_items=55, longest=29)
    for too_long in (26, 50):
        with pytest.raises(SettingsError, match=r"less the 29 that one user knows leave 26, .*; choose at most 25"):
            check_room(too_long, n_items=55, longest=29)
    for known in (4, 5):
        with pytest.raises(SettingsError, match=rf"leave {5 - known}, .*; leave out users who know nearly all items"):
            check_room(1, n_items=5, longest=known)
