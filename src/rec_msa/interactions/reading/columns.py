"""Columns as they stand in a file: whole columns at once, single values only to name a bad one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute as pc

from rec_msa.foundation.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
"""A number as it may be written."""

EXACT = {"halffloat": 2**11, "float": 2**24, "double": 2**53}
"""From where on floats no longer tell whole numbers apart."""

_OF_HASHES = 16

_ZONE = r"\s*(UTC|GMT|utc|gmt|\[UTC\]|Z\[UTC\])$"

_NOTHING = pa.array(
    ["na", "n/a", "<na>", "#n/a", "#na", "nan", "-nan", "nat", "null", "(null)", "none", "nil", "undefined", r"\n"]
)
"""What pandas, R, databases, spreadsheets and others write for a value that is missing, in lower case."""


class BadValueError(Exception):
    """A column has a value that it must not have.

    Attributes:
        row: Where, counted from 0.
        requirement: What is wrong with it, to be read after the value.
    """

    def __init__(self, row: int, requirement: str) -> None:
        super().__init__(row, requirement)
        self.row = row
        self.requirement = requirement

    def at(self, place: str, name: str, value: object) -> DataError:
        """The error that a person sees."""
        remedy = "mend the row or get the file again"
        return DataError(f"{place}, column {name}: {value!r} {self.requirement}; {remedy}")


def require(holds: pa.Array, requirement: str) -> None:
    """Refuses the first row of which something does not hold; what is null holds."""
    if pc.all(holds).as_py() is False:
        raise BadValueError(pc.index(holds, False).as_py(), requirement)


def plain(column: pa.Array) -> pa.Array:
    """A column of a user's own table in one of few types: what other types hold as numbers, strings, lists or times.

    Dictionaries and extension types become what they hold, UUIDs and binary values strings, and of Arrow's several
    types for strings one is left.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        return plain(pc.cast(column, kind.value_type))
    if isinstance(kind, pa.BaseExtensionType):
        if kind.extension_name != "arrow.uuid":
            return plain(column.storage)
        return pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string())
    if pa.types.is_run_end_encoded(kind):
        return plain(pc.run_end_decode(column))
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pc.cast(column, pa.string())
    return _decoded(column) if "binary" in str(kind) and not pa.types.is_nested(kind) else column


def _decoded(column: pa.Array) -> pa.Array:
    """Binary values, each spelt alone and so alike in every file: text where one is UTF-8, else its hexadecimal digits.

    Values of 16 bytes are UUIDs and hashes, a few of which look like text by chance: all of them become digits.
    """
    is_hash = pa.types.is_fixed_size_binary(column.type) and column.type.byte_width == _OF_HASHES
    spelt = bytes.hex if is_hash else _text_or_digits
    return by_distinct(
        pc.cast(column, pa.binary()), lambda values: pa.array(map(spelt, values.to_pylist()), pa.string())
    )


def _text_or_digits(value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return value.hex()
    return value.hex() if "\0" in text else text  # numbers have zero bytes


def is_list(kind: pa.DataType) -> bool:
    """Whether a column of that type holds several values in each row."""
    tests = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list, pa.types.is_list_view)
    return any(test(kind) for test in tests)


def stands_for_nothing(column: pa.Array) -> pa.Array:
    """Which strings are words that programs write where a value is missing."""
    return pc.is_in(pc.utf8_lower(column), value_set=_NOTHING)


def iso_dates(column: pa.Array) -> pd.Series:
    """Strings as times in UTC where they are ISO dates, also with the zone's name behind; NaT where they are none."""
    written: pd.Series = pc.replace_substring_regex(column, _ZONE, "Z").to_pandas()
    return pd.to_datetime(written, format="ISO8601", utc=True, errors="coerce")


def by_distinct(column: pa.Array, test: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Tests or converts each distinct value once; nulls stay null."""
    encoded = column.dictionary_encode()
    return test(encoded.dictionary).take(encoded.indices)


def as_written(column: pa.Array) -> pa.Array | None:
    """Strings as int64 where each is just what its number is written as; None where one is not, as 007 and 1e3."""
    try:
        numbers = pc.cast(column, pa.int64())
    except pa.ArrowInvalid:
        return None
    return None if pc.all(pc.equal(pc.cast(numbers, pa.string()), column)).as_py() is False else numbers


def interactions(columns: dict[str, pa.ChunkedArray]) -> pd.DataFrame:
    """The table of what was read, from ``user``, ``item`` and maybe ``timestamp``, which are taken out one by one."""
    table = {side: _as_series(columns.pop(side)) for side in ("user", "item")}
    times = pd.Series(pd.NA, index=table["user"].index, dtype="Int64")
    if (column := columns.pop("timestamp", None)) is not None:
        values = column.fill_null(0).to_numpy() if column.null_count else column.to_numpy()
        times = pd.Series(pd.arrays.IntegerArray(values, np.asarray(column.is_null())), copy=False)
    return pd.DataFrame({**table, "timestamp": times}, copy=False)


def _as_series(ids: pa.ChunkedArray) -> pd.Series:
    return ids.to_pandas() if pa.types.is_string(ids.type) else pd.Series(ids.to_numpy(), copy=False)
