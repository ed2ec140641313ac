from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from pandera.errors import SchemaError, SchemaErrors

from rec_msa.interactions import schemas

TIMES = pd.array([5, None], dtype="Int64")
GOOD: dict[str, Any] = {
    "user": pd.array([0, 1], dtype="int32"),
    "item": pd.array([0, 0], dtype="int32"),
    "timestamp": TIMES,
}


def test_good_tables_pass() -> None:
    schemas.interactions.validate(pd.DataFrame(GOOD))
    schemas.raw_interactions.validate(pd.DataFrame({"user": [1, 1], "item": ["a", "a"], "timestamp": TIMES}))


@pytest.mark.parametrize(
    "change",
    [
        {"user": pd.array([0, -1], dtype="int32")},
        {"item": pd.array([0, 1], dtype="int64")},
        {"user": pd.array([0, 0], dtype="int32")},
        {"timestamp": [0.5, 1.0]},
        {"more": [1, 2]},
    ],
    ids=["negative", "wide type", "repeated pair", "fractional time", "another column"],
)
def test_bad_interactions_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises((SchemaError, SchemaErrors)):
        schemas.interactions.validate(pd.DataFrame(GOOD | change))


def test_no_interactions_are_refused() -> None:
    with pytest.raises(SchemaError, match="there are no interactions"):
        schemas.interactions.validate(pd.DataFrame(GOOD).iloc[:0])


@pytest.mark.parametrize("user", [[1, -1], ["a", None], [1.0, None]], ids=["negative", "no string", "no number"])
def test_bad_raw_interactions_are_refused(user: list[Any]) -> None:
    with pytest.raises(SchemaError):
        schemas.raw_interactions.validate(pd.DataFrame({"user": user, "item": ["a", "b"], "timestamp": TIMES}))
