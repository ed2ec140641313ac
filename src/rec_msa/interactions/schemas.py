"""What the tables must look like where data enter, as pandera schemas for the catalog's ``validator:`` entries."""

from __future__ import annotations

import pandas as pd
from pandera.pandas import Check, Column, DataFrameSchema


def _no_negative_numbers(ids: pd.Series) -> bool:
    return not pd.api.types.is_numeric_dtype(ids) or bool((ids >= 0).all())


def _id() -> Column:
    error = "ids are numbers of 0 or more, or strings"
    return Column(None, Check(_no_negative_numbers, error=error), nullable=False)


raw_interactions = DataFrameSchema(
    {"user": _id(), "item": _id(), "timestamp": Column("Int64", nullable=True)},
    strict=True,
    name="raw_interactions",
)
"""Interactions as they stand in the raw file: ids as numbers or strings, repeats allowed, times may be missing."""

interactions = DataFrameSchema(
    {
        "user": Column("int32", Check.ge(0)),
        "item": Column("int32", Check.ge(0)),
        "timestamp": Column("Int64", nullable=True),
    },
    checks=Check(lambda table: len(table) > 0, error="there are no interactions"),
    unique=["user", "item"],
    strict=True,
    name="interactions",
)
"""Interactions after filtering: indices instead of ids, every pair once."""
