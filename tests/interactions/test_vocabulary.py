from __future__ import annotations

import pandas as pd
import pytest

from rec_msa.errors import DataError
from rec_msa.interactions import DatasetSettings, index_interactions, prepare


def raw(user: list[object], item: list[object]) -> pd.DataFrame:
    return pd.DataFrame({"user": user, "item": item, "timestamp": pd.array([None] * len(user), dtype="Int64")})


def test_numbers_are_indexed_by_value_and_strings_by_code_point() -> None:
    interactions, users, items = index_interactions(raw([10, 9, 10], ["b", "é", "B"]))
    assert users.to_dict("list") == {"user": [0, 1], "raw_user": [9, 10]}
    assert items.to_dict("list") == {"item": [0, 1, 2], "raw_item": ["B", "b", "é"]}
    assert interactions["user"].to_list() == [1, 0, 1]
    assert interactions["item"].to_list() == [1, 2, 0]


def test_indices_do_not_depend_on_the_order_of_rows() -> None:
    table = raw([3, 1, 2], ["x", "y", "z"])
    shuffled = table.iloc[[2, 0, 1]]
    for one, other in zip(index_interactions(table)[1:], index_interactions(shuffled)[1:], strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_the_types_are_small() -> None:
    interactions, users, items = index_interactions(raw([3, 1], ["x", "y"]))
    assert interactions.dtypes.astype(str).to_dict() == {"user": "int32", "item": "int32", "timestamp": "Int64"}
    assert str(users["user"].dtype) == str(items["item"].dtype) == "int32"


def test_preparing_drops_repeats_before_it_filters() -> None:
    table = raw([1, 1, 1, 2, 2, 3], ["x", "y", "x", "x", "y", "x"])
    interactions, users, _ = prepare(table, DatasetSettings(min_interactions=2))
    assert users["raw_user"].to_list() == [1, 2]
    assert len(interactions) == 4


def test_preparing_too_little_data_is_refused() -> None:
    with pytest.raises(DataError, match="min_interactions: 5 leaves no interaction"):
        prepare(raw([1, 1], ["x", "y"]), DatasetSettings())
