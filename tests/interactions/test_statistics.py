from __future__ import annotations

import json

import pandas as pd

from rec_msa.interactions import describe


def test_a_small_table_is_described() -> None:
    table = pd.DataFrame(
        {"user": [0, 0, 0, 1, 2], "item": [0, 1, 2, 0, 0], "timestamp": pd.array([1, 2, None, 4, None], dtype="Int64")}
    )
    assert describe(table) == {
        "users": 3,
        "items": 3,
        "interactions": 5,
        "density": 5 / 9,
        "per_user_min": 1,
        "per_user_median": 1.0,
        "per_user_max": 3,
        "per_item_min": 1,
        "per_item_median": 1.0,
        "per_item_max": 3,
        "share_with_time": 0.6,
    }
    assert json.loads(json.dumps(describe(table))) == describe(table)
