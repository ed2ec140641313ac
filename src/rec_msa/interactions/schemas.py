"""What the tables must look like where data enter, as pandera schemas for the catalog's ``validator:`` entries."""

from __future__ import annotations

from typing import Any

import pandas as pd
from pandera.pandas import Check, Column, DataFrameSchema

from rec_msa.interactions.filtering import pair_keys


def _no_negative_numbers(ids: pd.Series) -> bool:
    return not pd.api.types.is_numeric_dtype(ids) or bool((ids >= 0).all())


def _has_no_repeats(table: pd.DataFrame) -> bool:
    pairs = pair_keys(table["user"].to_numpy(), table["item"].to_numpy())
    pairs.sort()
    return not bool((pairs[1:] == pairs[:-1]).any())


class _Schema(DataFrameSchema):
    """A schema that changes nothing, and so needs no copy of the table to validate."""

    @classmethod
    def get_backend(cls, *args: Any, **kwargs: Any) -> Any:
        return DataFrameSchema.get_backend(*args, **kwargs)  # they are registered for that class alone

    def validate(self, check_obj: pd.DataFrame, *args: Any, **kwargs: Any) -> pd.DataFrame:
        return super().validate(check_obj, *args, **{"inplace": True, **kwargs})


def _id() -> Column:
    error = "ids are numbers of 0 or more, or strings"
    return Column(None, Check(_no_negative_numbers, error=error), nullable=False)


raw_interactions = _Schema(
    {"user": _id(), "item": _id(), "timestamp": Column("Int64", nullable=True)},
    strict=True,
    name="raw_interactions",
)
"""Interactions as they stand in the raw file: ids as numbers or strings, repeats allowed, times may be missing."""

interactions = _Schema(
    {
        "user": Column("int32", Check.ge(0)),
        "item": Column("int32", Check.ge(0)),
        "timestamp": Column("Int64", nullable=True),
    },
    checks=[
        Check(lambda table: len(table) > 0, error="there are no interactions"),
        Check(_has_no_repeats, error="a pair of user and item is there twice"),
    ],
    strict=True,
    name="interactions",
)
"""Interactions after filtering: indices instead of ids, every pair once."""
