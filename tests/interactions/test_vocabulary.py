from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import plain_ingestion
from rec_msa.foundation.errors import DataError
from rec_msa.interactions import DatasetSettings, prepare


def raw(user: list[object], item: list[object]) -> pd.DataFrame:
    return pd.DataFrame({"user": user, "item": item, "timestamp": pd.array([None] * len(user), dtype="Int64")})


def prepare_all(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    return prepare(table, DatasetSettings(min_interactions=1))[:3]


def test_numbers_are_indexed_by_value_and_strings_by_code_point() -> None:
    interactions, users, items = prepare_all(raw([10, 9, 10], ["b", "é", "B"]))
    assert users.to_dict("list") == {"user": [0, 1], "raw_user": [9, 10]}
    assert items.to_dict("list") == {"item": [0, 1, 2], "raw_item": ["B", "b", "é"]}
    assert interactions["user"].to_list() == [1, 0, 1]
    assert interactions["item"].to_list() == [1, 2, 0]


def test_indices_do_not_depend_on_the_order_of_rows() -> None:
    table = raw([3, 1, 2], ["x", "y", "z"])
    shuffled = table.iloc[[2, 0, 1]]
    for one, other in zip(prepare_all(table)[1:], prepare_all(shuffled)[1:], strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_the_types_are_small() -> None:
    interactions, users, items = prepare_all(raw([3, 1], ["x", "y"]))
    assert interactions.dtypes.astype(str).to_dict() == {"user": "int32", "item": "int32", "timestamp": "Int64"}
    assert str(users["user"].dtype) == str(items["item"].dtype) == "int32"


def test_preparing_drops_repeats_before_it_filters() -> None:
    table = raw([1, 1, 1, 2, 2, 3], ["x", "y", "x", "x", "y", "x"])
    interactions, users, *_ = prepare(table, DatasetSettings(min_interactions=2))
    assert users["raw_user"].to_list() == [1, 2]
    assert len(interactions) == 4


def test_preparing_too_little_data_is_refused() -> None:
    with pytest.raises(DataError, match="min_interactions: 5 leaves no interaction"):
        prepare(raw([1, 1], ["x", "y"]), DatasetSettings())


def test_an_id_of_any_size_is_indexed() -> None:
    largest = 2**63 - 1
    _, users, items = prepare_all(raw([largest, 0, 2**40], [10**12 + 1, 10**12, 10**12]))
    assert users["raw_user"].to_list() == [0, 2**40, largest]
    assert items["raw_item"].to_list() == [10**12, 10**12 + 1]


IDS: dict[str, st.SearchStrategy[object]] = {
    "small numbers": st.integers(0, 9),
    "large numbers": st.integers(2**63 - 10, 2**63 - 1),
    "scattered numbers": st.sampled_from([0, 1, 7, 2**31, 2**32 + 7, 10**12, 2**62]),
    "strings": st.sampled_from(["7", "07", "B", "b", "é", "日", "\U0001f600", "\uffee"]),
}


@pytest.mark.parametrize("kind", IDS)
@given(data=st.data(), k=st.integers(1, 3))
def test_tables_are_prepared_as_the_plain_way_prepares_them(kind: str, data: st.DataObject, k: int) -> None:
    row = st.tuples(IDS[kind], IDS[kind], st.none() | st.integers(-3, 3))
    rows = data.draw(st.lists(row, min_size=1, max_size=40))
    user, item, times = (list(column) for column in zip(*rows, strict=True))
    table = raw(user, item).assign(timestamp=pd.array(times, dtype="Int64"))
    expected, expected_users, expected_items = plain_ingestion.prepare(table, k)
    if expected.empty:
        with pytest.raises(DataError, match="min_interactions"):
            prepare(table, DatasetSettings(min_interactions=k))
        return
    interactions, users, items, _ = prepare(table, DatasetSettings(min_interactions=k))
    pd.testing.assert_frame_equal(interactions, expected)
    assert users["raw_user"].to_list() == expected_users
    assert items["raw_item"].to_list() == expected_items


def test_a_dense_and_a_scattered_numbering_give_the_same_indices() -> None:
    rng = np.random.default_rng(0)
    user, item = rng.integers(0, 200, 3_000), rng.integers(0, 300, 3_000)
    dense, _, items = prepare_all(raw(user.tolist(), item.tolist()))
    scattered, _, other = prepare_all(raw((user * 10**9).tolist(), (item * 10**12 + 5).tolist()))
    pd.testing.assert_frame_equal(dense, scattered)
    assert (items["raw_item"] * 10**12 + 5).to_list() == other["raw_item"].to_list()
