from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rec_msa.errors import DataError
from rec_msa.interactions import drop_repeats, k_core

Rows = list[tuple[int, int, int | None]]

ROWS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6), st.none() | st.integers(-3, 3)), min_size=1, max_size=40
)


def table(rows: Rows) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["user", "item", "timestamp"])
    return frame.astype({"user": "int64", "item": "int64", "timestamp": "Int64"})


def pairs(frame: pd.DataFrame) -> list[tuple[int, int]]:
    return list(zip(frame["user"], frame["item"], strict=True))


def slow_k_core(rows: list[tuple[int, int]], k: int) -> list[tuple[int, int]]:
    while True:
        users, items = [user for user, _ in rows], [item for _, item in rows]
        kept = [(user, item) for user, item in rows if users.count(user) >= k and items.count(item) >= k]
        if kept == rows:
            return rows
        rows = kept


def slow_repeats(rows: Rows) -> Rows:
    best: dict[tuple[int, int], int] = {}
    for place, (user, item, time) in enumerate(rows):
        kept = best.setdefault((user, item), place)
        kept_time = rows[kept][2]
        if time is not None and (kept_time is None or time < kept_time):
            best[(user, item)] = place
    return [rows[place] for place in sorted(best.values())]


def test_the_earliest_repeat_stays() -> None:
    kept = drop_repeats(table([(1, 1, 5), (1, 2, 9), (1, 1, 3), (1, 1, 3)]))
    assert kept.to_dict("list") == {"user": [1, 1], "item": [2, 1], "timestamp": [9, 3]}


def test_the_first_repeat_stays_where_there_is_no_time() -> None:
    rows = pd.DataFrame({"user": ["a", "b", "a"], "item": ["x", "x", "x"], "timestamp": pd.array([None] * 3, "Int64")})
    kept = drop_repeats(rows.assign(mark=[0, 1, 2]))
    assert kept["mark"].to_list() == [0, 1]


@given(ROWS)
def test_repeats_are_dropped_as_a_slow_loop_does(rows: Rows) -> None:
    pd.testing.assert_frame_equal(drop_repeats(table(rows)), table(slow_repeats(rows)))


@given(ROWS, st.integers(1, 4))
def test_the_k_core_is_what_a_slow_loop_leaves(rows: Rows, k: int) -> None:
    distinct = drop_repeats(table(rows))
    expected = slow_k_core(pairs(distinct), k)
    if expected:
        assert pairs(k_core(distinct, k)) == expected
    else:
        with pytest.raises(DataError, match="min_interactions"):
            k_core(distinct, k)


def test_a_filter_that_leaves_nothing_says_what_would_leave_something() -> None:
    square = table([(user, item, None) for user in range(3) for item in range(3)] + [(9, 9, None)])
    with pytest.raises(DataError, match=r"100 leaves no interaction; set it to 3 or less \(3 leaves 3 users, 3 items"):
        k_core(square, 100)


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(DataError, match="the table has none"):
        k_core(table([]), 1)
