"""Columns as they stand in a file, checked and converted: whole columns at once, single values only to name a bad one.

Every converter takes a column ``[n_rows]`` and returns one of the same length, or raises ``BadValueError``.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

import pandas as pd
import pyarrow as pa
from pyarrow import compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable

_ID_PATTERN = r"^(0|-?[1-9][0-9]{0,17})$"  # ids that lose nothing as numbers: "007" would become 7
_SOMETHING = "(?s)^.+$"
_NUMBER_PATTERN = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"


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


def whole(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Ids that are whole numbers from 0, as int64."""
    # Arrow alone would take 0x4, too
    _require_match(column, "^[0-9]{1,18}$", "is not a whole number of 0 or more")
    return pc.cast(column, pa.int64())


def number(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Finite numbers such as ratings, as float64."""
    # Arrow alone would take nan and inf, too
    _require_match(column, _NUMBER_PATTERN, "is not a number")
    return pc.cast(column, pa.float64())


def seconds(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Times in whole seconds, as int64; an empty one is missing."""
    try:
        return pc.cast(_empty_as_null(column), pa.int64())
    except pa.ArrowInvalid:
        holds = re.compile(r"|-?[0-9]{1,18}").fullmatch
        _refuse(column, lambda value: holds(value) is not None, "is not a time in whole seconds")


def us_date(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Dates as month/day/year, as int64 seconds since 1970 in UTC. Each distinct date is parsed once."""
    encoded = column.combine_chunks().dictionary_encode()
    parsed = [_us_date_seconds(text) for text in encoded.dictionary.to_pylist()]
    if None in parsed:
        _refuse(column, lambda value: _us_date_seconds(value) is not None, "is not a date as month/day/year")
    return pa.chunked_array([pa.array(parsed, pa.int64()).take(encoded.indices)])


def digits(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Ids made of digits that are strings, since zeros at their start count."""
    _require_match(column, "^[0-9]+$", "is not an id made of digits")
    return column


def text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Names that must not be empty."""
    _require_match(column, _SOMETHING, "is empty")
    return column


def behaviour(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Steam's two behaviours, both of them an interaction."""
    _require_match(column, "^(purchase|play)$", "is neither purchase nor play")
    return column


def own_ids(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Ids of a user's own table, of any type: int64 where all are whole numbers, else strings."""
    column = _plain(column)
    if column.null_count:
        raise BadValueError(pc.index(column.is_null(), True).as_py(), "is no id")
    if pa.types.is_string(column.type):
        _require_match(column, _SOMETHING, "is no id")
        if not _all_match(column, _ID_PATTERN):
            return column
    elif not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise BadValueError(0, f"is of the type {column.type}; ids are whole numbers or strings")
    values = _as_int64(column)
    if len(values) and pc.min(values).as_py() < 0:
        raise BadValueError(pc.index(pc.less(values, 0), True).as_py(), "is negative, which is no id")
    return values


def own_times(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Times of a user's own table, as int64: whole numbers in any unit as they are, fractions rounded down, and dates
    as seconds since 1970 in UTC; an empty one is missing."""
    column = _plain(column)
    if pa.types.is_string(column.type):
        column = _parsed_times(_empty_as_null(column))
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        return pc.cast(pc.cast(column, pa.timestamp("s"), safe=False), pa.int64())
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
        return _as_int64(pc.floor(column))
    if pa.types.is_integer(column.type):
        return _as_int64(column)
    raise BadValueError(0, f"is of the type {column.type}; times are numbers, dates or ISO strings")


def _refuse(column: pa.ChunkedArray, holds: Callable[[str], bool], requirement: str) -> NoReturn:
    """Raises for the first value that does not hold: one by one, since this ends the run."""
    bad = (row for row, value in enumerate(column.to_pylist()) if value is not None and not holds(value))
    raise BadValueError(next(bad), requirement)


def _require_match(column: pa.ChunkedArray, pattern: str, requirement: str) -> None:
    if not _all_match(column, pattern):
        _refuse(column, lambda value: re.fullmatch(pattern, value) is not None, requirement)


def _all_match(column: pa.ChunkedArray, pattern: str) -> bool:
    matches = pc.all(pc.match_substring_regex(column.unique(), pattern)).as_py()
    return matches is not False  # None where there are no rows


def _empty_as_null(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.equal(column, ""), None, column)


def _us_date_seconds(value: str) -> int | None:
    try:
        return int(datetime.strptime(value, "%m/%d/%Y").replace(tzinfo=UTC).timestamp())
    except ValueError:
        return None


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column without dictionary encoding, and with one of Arrow's three types for strings."""
    if pa.types.is_dictionary(column.type):
        column = pc.cast(column, column.type.value_type)
    if pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
        column = pc.cast(column, pa.string())
    return column


def _as_int64(column: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return pc.cast(column, pa.int64())
    except pa.ArrowInvalid:
        for row, value in enumerate(column.to_pylist()):
            if value is not None and not (math.isfinite(value) and value == int(value) and abs(value) < 2**63):
                raise BadValueError(row, "is not a whole number that fits 64 bits") from None
        raise


def _parsed_times(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Strings as whole numbers, else as numbers, else as ISO dates: the first reading that suits every value."""
    for kind in (pa.int64(), pa.float64()):
        try:
            return pc.cast(column, kind)
        except pa.ArrowInvalid:
            continue
    first = column.drop_null()[0].as_py()
    if re.fullmatch(_NUMBER_PATTERN, first):
        _refuse(column, lambda value: re.fullmatch(_NUMBER_PATTERN, value) is not None, "is not a number")
    times = pd.to_datetime(column.to_pandas(), format="ISO8601", utc=True, errors="coerce")
    bad = times.isna().to_numpy() & ~column.is_null().to_numpy()
    if bad.any():
        raise BadValueError(int(bad.argmax()), "is neither a number nor an ISO date")
    return pa.chunked_array([pa.Array.from_pandas(times)])
