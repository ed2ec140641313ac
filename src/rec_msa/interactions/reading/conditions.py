"""Which rows of a user's own table count: comparisons and values that its settings give for columns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import reduce
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import compute as pc

from rec_msa.interactions.reading.columns import (
    NUMBER,
    BadValueError,
    by_distinct,
    iso_dates,
    plain,
    require,
    stands_for_nothing,
)
from rec_msa.interactions.reading.times import as_instants, times_of

if TYPE_CHECKING:
    from collections.abc import Callable

_SIGNS = (">=", "<=", "==", "!=", ">", "<", "=")
_ORDERED: dict[str, Callable[..., pa.Array]] = {
    ">=": pc.greater_equal,
    "<=": pc.less_equal,
    ">": pc.greater,
    "<": pc.less,
}
_WORDS = {True: ("true", "t", "yes", "y", "1", "1.0"), False: ("false", "f", "no", "n", "0", "0.0")}
_EXACT = pa.decimal128(38)
"""Holds every integer of 64 bits, with sign or without."""


@dataclass(frozen=True)
class Condition:
    """What a row's value must be: one comparison, or any of some values.

    Attributes:
        sign: ``>=``, ``<=``, ``>``, ``<``, ``==`` (any of the values) or ``!=`` (none of them).
        values: What is compared with: one of the four, any number for the last two.
    """

    sign: str
    values: tuple[Any, ...]

    @classmethod
    def of(cls, asked: Any) -> Condition:
        """Reads a condition as a person writes it: ``">= 4"``, ``purchase``, ``"!= C*"``, ``false``, ``[cart, buy]``.

        Of a list each value counts or, with ``!=`` before each, none.

        Raises:
            ValueError: It is none.
        """
        sign, values = "==", tuple(map(_value, asked if isinstance(asked, list | tuple) else [asked]))
        if isinstance(asked, list | tuple) and all(str(value).startswith("!=") for value in values):
            sign, values = "!=", tuple(value.removeprefix("!=").strip() for value in values)
        elif isinstance(asked, str):
            written = next((each for each in _SIGNS if values[0].startswith(each)), "")
            sign, values = written if written not in ("", "=") else "==", (values[0].removeprefix(written).strip(),)
        is_empty = not values or ((isinstance(asked, str) or sign == "!=") and not all(values))
        if is_empty or (sign in _ORDERED and not _is_number(values[0]) and _instant(values[0]) is None):
            raise ValueError(
                f"{asked!r} is no condition; write a value, a list of values, or one of >=, <=, >, < with a number or "
                "an ISO date, or != with a value"
            )
        return cls(sign, values)

    def fits(self, column: pa.Array, time_format: str | None = None) -> pa.Array:
        """Which rows fulfil it: a boolean array, false where the value is missing.

        Args:
            column: The values ``[n]``.
            time_format: How dates are written that are no ISO dates.

        Raises:
            BadValueError: A value can't be compared.
        """
        column = _without_words(plain(column), self.values)
        if self.sign in _ORDERED:
            return pc.fill_null(_compared(column, self.sign, str(self.values[0]), time_format), False)
        found = reduce(pc.or_, (pc.fill_null(_equals(column, value), False) for value in self.values))
        return pc.and_not(column.is_valid(), found) if self.sign == "!=" else found

    def __str__(self) -> str:
        shown = " or ".join(map(str, self.values))
        return shown if self.sign == "==" else f"{self.sign} {shown}"


def _value(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, str):
        return value.strip()
    raise ValueError(f"{value!r} is no value to compare with")


def _is_number(value: str) -> bool:
    return re.fullmatch(NUMBER, value) is not None


def _instant(value: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _without_words(column: pa.Array, values: tuple[Any, ...]) -> pa.Array:
    """Strings without blanks around them; null are empty ones, unasked words for nothing, and floats that are none."""
    if pa.types.is_floating(column.type):
        return pc.if_else(pc.is_nan(column), None, column)
    if not pa.types.is_string(column.type):
        return column
    asked = pa.array([value for value in values if isinstance(value, str)], pa.string())

    def cleared(distinct: pa.Array) -> pa.Array:
        trimmed = pc.utf8_trim_whitespace(distinct)
        means_nothing = pc.and_not(stands_for_nothing(trimmed), pc.is_in(trimmed, value_set=asked))
        return pc.if_else(pc.or_(means_nothing, pc.equal(trimmed, "")), None, trimmed)

    return by_distinct(column, cleared)


def _compared(column: pa.Array, sign: str, bound: str, time_format: str | None) -> pa.Array:
    if not _is_number(bound):
        instant = _instant(bound)
        return _ORDERED[sign](_instants(column, time_format, instant), pa.scalar(instant, pa.timestamp("us", "UTC")))
    if pa.types.is_integer(column.type) and re.fullmatch("[+-]?[0-9]{1,18}", bound):
        return _ORDERED[sign](pc.cast(column, _EXACT), pa.scalar(Decimal(bound), _EXACT))
    return _ORDERED[sign](_numbers(column), float(bound))


def _numbers(column: pa.Array) -> pa.Array:
    if pa.types.is_string(column.type):
        try:
            return pc.cast(column, pa.float64())
        except pa.ArrowInvalid:
            require(pc.match_substring_regex(column, NUMBER), "is not a number, as where compares it with")
            raise
    _require_numbers(column)
    return pc.cast(column, pa.float64(), safe=False)


def _require_numbers(column: pa.Array) -> None:
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    if not any(test(column.type) for test in tests):
        raise BadValueError(0, f"is of the type {column.type}, and where compares it with a number")


def _instants(column: pa.Array, time_format: str | None, bound: datetime | None) -> pa.Array:
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        return pc.cast(pc.cast(column, pa.timestamp("us"), safe=False), pa.timestamp("us", "UTC"))
    if time_format is not None:
        return as_instants(times_of(column, time_format))
    as_number = "" if bound is None else f": compare numbers with a number, as {bound.timestamp():.0f} for seconds"
    if not pa.types.is_string(column.type):
        raise BadValueError(0, f"is of the type {column.type}, and where compares it with a date{as_number}")
    times = iso_dates(column)
    require(pc.or_(pa.array(times.notna()), column.is_null()), f"is no ISO date, as where compares it with{as_number}")
    return pa.array(times.dt.as_unit("us"))


def _equals(column: pa.Array, value: bool | int | float | str) -> pa.Array:
    if isinstance(value, bool):
        return _is_word_for(column, value)
    if pa.types.is_boolean(column.type):
        raise BadValueError(0, f"is true or false, and where compares it with {value!r}")
    if _is_number(str(value)) and not pa.types.is_string(column.type):
        _require_numbers(column)
    return _by_text(column, lambda distinct: _text_equals(distinct, str(value)))


def _by_text(column: pa.Array, test: Callable[[pa.Array], pa.Array]) -> pa.Array:
    if pa.types.is_nested(column.type):
        raise BadValueError(0, f"is of the type {column.type}, and where compares single values")
    return by_distinct(column, lambda distinct: test(pc.cast(distinct, pa.string())))


def _text_equals(distinct: pa.Array, value: str) -> pa.Array:
    """Whether strings are a value: as a number where it is one, else letter by letter, where ``*`` is anything."""
    if _is_number(value):
        numeric = pc.match_substring_regex(distinct, NUMBER)
        near = pc.equal(pc.cast(pc.if_else(numeric, distinct, None), pa.float64()), float(value))
        if not re.fullmatch(r"[+-]?[0-9]+(\.0*)?", value):
            return near
        exact = [each for each in distinct.filter(near).to_pylist() if Decimal(each) == Decimal(value)]
        return pc.is_in(distinct, value_set=pa.array(exact, pa.string()))  # floats do not tell large ones apart
    pattern = ".*".join(re.escape(part) for part in value.split("*"))
    return pc.match_substring_regex(distinct, f"(?s)^{pattern}$")


def _is_word_for(column: pa.Array, value: bool) -> pa.Array:
    if pa.types.is_boolean(column.type):
        return pc.equal(column, value)
    lower = _by_text(column, pc.utf8_lower)
    known = pa.array([word for several in _WORDS.values() for word in several])
    is_word = pc.or_(pc.is_in(lower, value_set=known), column.is_null())
    require(is_word, "is neither true nor false, as where compares it with")
    return pc.is_in(lower, value_set=pa.array(_WORDS[value]))
