from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rec_msa.interactions import DatasetSettings, describe, prepare, summarise, summary_line
from tests.interactions.reading.own_files import csv, own

if TYPE_CHECKING:
    from pathlib import Path


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


LINE = (
    "7 rows, 5 interactions read (1 for where stars: >= 4, 1 for no user left out), 1 repeats and 0 below the filter "
    "dropped: 2 users, 2 items, 4 interactions, 10 to 40. To look at: 1 interactions have no time"
)


def account(raw: pd.DataFrame, **settings: Any) -> dict[str, Any]:
    prepared = prepare(raw, DatasetSettings(**settings))
    return describe(prepared.interactions) | summarise(raw, prepared.repeats)


def test_one_line_says_what_was_read_and_what_was_left_out(tmp_path: Path) -> None:
    rows = [(1, 1, 5, 10), (1, 2, 5, 20), (1, 1, 5, 30), (2, 1, 5, 40), (2, 2, 5, ""), ("NA", 1, 5, 50), (3, 1, 1, 60)]
    raw = own(tmp_path, csv(rows, "user,item,stars,time"), time="time", missing="drop", where={"stars": ">= 4"})
    statistics = account(raw, min_interactions=2)
    assert summary_line(statistics) == LINE
    assert json.loads(json.dumps(statistics)) == statistics


def test_known_data_are_accounted_for_by_their_table_alone() -> None:
    times = pd.array([881250949, 881250950, None], "Int64")
    raw = pd.DataFrame({"user": [1, 1, 2], "item": [1, 2, 1], "timestamp": times})
    statistics = account(raw, min_interactions=2, min_per_user=1, min_per_item=1)
    assert (statistics["rows_in_file"], statistics["rows_read"], statistics["rows_dropped"]) == (3, 3, {})
    assert (statistics["time_from"], statistics["time_to"]) == ("1997-12-04", "1997-12-04")


def test_a_user_with_a_tenth_of_the_rows_is_said() -> None:
    user = np.concatenate([np.arange(90), np.full(10, 90)])
    raw = pd.DataFrame({"user": user, "item": np.arange(100), "timestamp": pd.array([None] * 100, "Int64")})
    statistics = account(raw, min_interactions=1)
    assert statistics["odd"] == ["one user has 10 % of the rows"]
    assert statistics["time_from"] == ""


def test_users_and_items_may_have_a_core_each() -> None:
    user, item = [0, 0, 0, 1, 2], [0, 1, 2, 0, 0]
    raw = pd.DataFrame({"user": user, "item": item, "timestamp": pd.array([None] * 5, "Int64")})
    assert account(raw, min_interactions=1, min_per_item=3)["interactions"] == 3
    assert account(raw, min_interactions=3, min_per_item=1)["interactions"] == 3
    assert account(raw, min_interactions=1, min_per_user=2)["users"] == 1
