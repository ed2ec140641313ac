"""Columns as they stand in a file, checked and converted: whole columns at once, single values only to name a bad one.

Every converter takes a column ``[n_rows]`` and returns one of the same length, or raises ``BadValueError``.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

import pyarrow as pa
from pyarrow import compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable

_SOMETHING = "(?s)^.+$"
NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
"""A number as it may be written."""

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


def whole(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Ids that are whole numbers from 0, as int64."""
    # Arrow alone would take 0x4, too
    _require_match(column, "^[0-9]{1,18}$", "is not a whole number of 0 or more")
    return pc.cast(column, pa.int64())


def number(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Finite numbers such as ratings, as float64."""
    # Arrow alone would take nan and inf, too
    _require_match(column, NUMBER, "is not a number")
    return pc.cast(column, pa.float64())


def seconds(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Times in whole seconds, as int64; an empty one is missing."""
    try:
        return pc.cast(_empty_as_null(column), pa.int64())
    except pa.ArrowInvalid:
        holds = re.compile(r"|-?[0-9]{1,18}").fullmatch
        refuse(column, lambda value: holds(value) is not None, "is not a time in whole seconds")


def us_date(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Dates as month/day/year, as int64 seconds since 1970 in UTC. Each distinct date is parsed once."""
    encoded = column.combine_chunks().dictionary_encode()
    parsed = [_us_date_seconds(text) for text in encoded.dictionary.to_pylist()]
    if None in parsed:
        refuse(column, lambda value: _us_date_seconds(value) is not None, "is not a date as month/day/year")
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


def plain(column: pa.Array) -> pa.Array:
    """A column of a user's own table in one of few types: what other types hold as numbers, strings, lists or times.

    Dictionaries and extension types become what they hold, UUIDs and binary values strings (of bytes that are no text,
    the hexadecimal digits), and of Arrow's several types for strings one is left.
    """
    if pa.types.is_dictionary(column.type):
        return plain(pc.cast(column, column.type.value_type))
    if isinstance(column.type, pa.BaseExtensionType):
        is_uuid = column.type.extension_name == "arrow.uuid"
        return pa.array(map(_text_of, column.to_pylist()), pa.string()) if is_uuid else plain(column.storage)
    if pa.types.is_run_end_encoded(column.type):
        return plain(pc.run_end_decode(column))
    if pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
        return pc.cast(column, pa.string())
    if _is_binary(column.type):
        return _decoded(column)
    return column


def is_list(kind: pa.DataType) -> bool:
    """Whether a column of that type holds several values in each row."""
    tests = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list, pa.types.is_list_view)
    return any(test(kind) for test in tests)


def stands_for_nothing(column: pa.Array) -> pa.Array:
    """Which strings are words that programs write where a value is missing."""
    return pc.is_in(pc.utf8_lower(column), value_set=_NOTHING)


def by_distinct(column: pa.Array, test: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Tests or converts each distinct string once; nulls stay null."""
    encoded = column.dictionary_encode()
    return test(encoded.dictionary).take(encoded.indices)


def as_written(column: pa.Array) -> pa.Array | None:
    """Strings as int64 where each is just what its number is written as; None where one is not, as 007 and 1e3."""
    try:
        numbers = pc.cast(column, pa.int64())
    except pa.ArrowInvalid:
        return None
    return None if pc.all(pc.equal(pc.cast(numbers, pa.string()), column)).as_py() is False else numbers


def _is_binary(kind: pa.DataType) -> bool:
    tests = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary)
    return any(test(kind) for test in tests)


def _decoded(column: pa.Array) -> pa.Array:
    try:
        return pc.cast(pc.cast(column, pa.binary()), pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.array([None if value is None else value.hex() for value in column.to_pylist()], pa.string())


def _text_of(value: object) -> str | None:
    return None if value is None else str(value)


def refuse(column: pa.ChunkedArray, holds: Callable[[str], bool], requirement: str) -> NoReturn:
    """Raises for the first value that does not hold: one by one, since this ends the run."""
    bad = (row for row, value in enumerate(column.to_pylist()) if value is not None and not holds(value))
    raise BadValueError(next(bad), requirement)


def _require_match(column: pa.ChunkedArray, pattern: str, requirement: str) -> None:
    if not _all_match(column, pattern):
        refuse(column, lambda value: re.fullmatch(pattern, value) is not None, requirement)


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
