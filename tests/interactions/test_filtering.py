from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import plain_ingestion
from rec_msa.foundation.errors import DataError
from rec_msa.interactions import filtering
from rec_msa.interactions.filtering import filtered

Rows = list[tuple[int, int, int | None]]

ROWS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6), st.none() | st.integers(-3, 3)), min_size=1, max_size=40
)


def kept(rows: Rows, k: int) -> list[int]:
    """The places of the rows that stay."""
    user, item, times = zip(*rows, strict=True) if rows else ((), (), ())
    return filtered(
        np.array(user, dtype=np.int32),
        np.array(item, dtype=np.int32),
        pd.Series(times, dtype="Int64"),
        (k, k),
    ).rows.tolist()


def earliest(rows: Rows) -> list[int]:
    """The place of the row that stays of each pair, found by a slow loop."""
    best: dict[tuple[int, int], int] = {}
    for place, (user, item, time) in enumerate(rows):
        first = best.setdefault((user, item), place)
        earliest_time = rows[first][2]
        if time is not None and (earliest_time is None or time < earliest_time):
            best[(user, item)] = place
    return sorted(best.values())


def slow_core(rows: Rows, places: list[int], k: int) -> list[int]:
    while True:
        users, items = [rows[place][0] for place in places], [rows[place][1] for place in places]
        enough = [p for p in places if users.count(rows[p][0]) >= k and items.count(rows[p][1]) >= k]
        if enough == places:
            return places
        places = enough


def test_the_earliest_repeat_stays() -> None:
    assert kept([(1, 1, 5), (1, 2, 9), (1, 1, 3), (1, 1, 3)], k=1) == [1, 2]


def test_the_first_repeat_stays_where_there_is_no_time() -> None:
    assert kept([(0, 0, None), (1, 0, None), (0, 0, None)], k=1) == [0, 1]


def test_a_known_time_is_earlier_than_a_missing_one() -> None:
    assert kept([(0, 0, None), (0, 0, 7)], k=1) == [1]


@given(ROWS)
def test_repeats_are_dropped_as_a_slow_loop_does(rows: Rows) -> None:
    assert kept(rows, k=1) == earliest(rows)


@given(ROWS, st.integers(1, 4))
def test_the_k_core_is_what_a_slow_loop_leaves(rows: Rows, k: int) -> None:
    expected = slow_core(rows, earliest(rows), k)
    if expected:
        assert kept(rows, k) == expected
    else:
        with pytest.raises(DataError, match="min_interactions"):
            kept(rows, k)


@pytest.mark.parametrize("k", [3, 4])
def test_many_rows_are_kept_as_the_plain_way_keeps_them(k: int) -> None:
    rng = np.random.default_rng(k)
    n = 30_000
    table = pd.DataFrame(
        {
            "user": (rng.random(n) ** 2 * 6_000).astype(np.int32),
            "item": (rng.random(n) ** 2 * 4_000).astype(np.int32),
            "timestamp": pd.array(rng.integers(0, 50, n), dtype="Int64"),
        }
    )
    table.loc[rng.random(n) < 0.2, "timestamp"] = pd.NA
    table = pd.concat([table, table.sample(5_000, random_state=0)], ignore_index=True)
    rows = filtered(table["user"].to_numpy(), table["item"].to_numpy(), table["timestamp"], (k, k)).rows
    assert rows.tolist() == plain_ingestion.kept_rows(table, k).index.to_list()


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    rows = [(int(user), int(item), None) for user, item in rng.integers(0, 12, (150, 2))]
    whole = kept(rows, k=6)
    monkeypatch.setattr(filtering, "_BLOCK", 7)
    assert kept(rows, k=6) == whole == slow_core(rows, earliest(rows), k=6) != earliest(rows)


def test_a_long_chain_falls_link_by_link() -> None:
    chain = [(link, link + step, None) for link in range(2_000) for step in (0, 1)]
    square = [(3_000 + user, 3_000 + item, None) for user in range(2) for item in range(2)]
    assert kept(chain + square, k=2) == [4_000, 4_001, 4_002, 4_003]


def test_a_filter_that_leaves_nothing_says_what_would_leave_something() -> None:
    square = [(user, item, None) for user in range(3) for item in range(3)]
    remedy = r"100 leaves no interaction; set it to 3 or less \(3 leaves 3 users, 3 items and 9 interactions\)"
    with pytest.raises(DataError, match=remedy):
        kept([*square, (9, 9, None), (0, 0, None)], k=100)


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(DataError, match="the table has none"):
        kept([], k=1)


def test_an_empty_core_of_two_kinds_names_what_would_leave_something() -> None:
    user, item = np.array([0, 0, 1, 1], np.int32), np.array([0, 1, 0, 1], np.int32)
    times = pd.Series([None] * 4, dtype="Int64")
    with pytest.raises(
        DataError, match="min_per_user and min_per_item: 3 and 1 leaves no interaction; set them to 2 and 1"
    ):
        filtered(user, item, times, (3, 1))
