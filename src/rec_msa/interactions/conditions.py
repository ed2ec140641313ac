"""Which rows of a user's own table count: comparisons and values that its settings give for columns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import reduce
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
from pyarrow import compute as pc

from rec_msa.interactions.columns import NUMBER, BadValueError, by_distinct, plain, refuse, stands_for_nothing

if TYPE_CHECKING:
    from collections.abc import Callable

_COMPARISON = re.compile(r"(>=|<=|==|!=|>|<|=)\s*(.*)", re.DOTALL)
_ORDERED: dict[str, Callable[..., pa.Array]] = {
    ">=": pc.greater_equal,
    "<=": pc.less_equal,
    ">": pc.greater,
    "<": pc.less,
}
_WORDS = {True: ("true", "t", "yes", "y", "1", "1.0"), False: ("false", "f", "no", "n", "0", "0.0")}


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

        Raises:
            ValueError: It is none.
        """
        if isinstance(asked, list | tuple):
            return cls("==", tuple(_value(each) for each in asked)) if asked else cls._refuse(asked)
        if not isinstance(asked, str):
            return cls("==", (_value(asked),))
        found = _COMPARISON.fullmatch(asked.strip())
        sign, value = (found[1], found[2].strip()) if found else ("==", asked.strip())
        sign = "==" if sign == "=" else sign
        if not value or (sign in _ORDERED and not _is_ordered(value)):
            return cls._refuse(asked)
        return cls(sign, (_value(value),))

    @staticmethod
    def _refuse(asked: Any) -> Condition:
        raise ValueError(
            f"{asked!r} is no condition; write a value, a list of values, or one of >=, <=, >, < with a number or "
            "an ISO date, or != with a value"
        )

    def fits(self, column: pa.Array) -> pa.Array:
        """Which rows fulfil it: a boolean array, false where the value is missing.

        Raises:
            BadValueError: A value can't be compared.
        """
        column = _without_words(plain(column), self.values)
        if self.sign in _ORDERED:
            return pc.fill_null(_compared(column, self.sign, str(self.values[0])), False)
        found = reduce(pc.or_, (pc.fill_null(_equals(column, value), False) for value in self.values))
        return pc.and_(column.is_valid(), pc.invert(found)) if self.sign == "!=" else found

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


def _is_ordered(value: str) -> bool:
    return re.fullmatch(NUMBER, value) is not None or _instant(value) is not None


def _instant(value: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _without_words(column: pa.Array, values: tuple[Any, ...]) -> pa.Array:
    """Strings without blanks around them; null are empty ones and unasked words for nothing."""
    if not pa.types.is_string(column.type):
        return column
    asked = pa.array([value for value in values if isinstance(value, str)], pa.string())

    def cleared(distinct: pa.Array) -> pa.Array:
        trimmed = pc.utf8_trim_whitespace(distinct)
        means_nothing = pc.and_not(stands_for_nothing(trimmed), pc.is_in(trimmed, value_set=asked))
        return pc.if_else(pc.or_(means_nothing, pc.equal(trimmed, "")), None, trimmed)

    return by_distinct(column, cleared)


def _compared(column: pa.Array, sign: str, bound: str) -> pa.Array:
    if re.fullmatch(NUMBER, bound):
        if pa.types.is_integer(column.type) and re.fullmatch("[+-]?[0-9]{1,18}", bound):
            return _whole_compared(column, sign, int(bound))
        return _ORDERED[sign](_numbers(column), float(bound))
    return _ORDERED[sign](_instants(column), pa.scalar(_instant(bound), pa.timestamp("us", "UTC")))


def _whole_compared(column: pa.Array, sign: str, bound: int) -> pa.Array:
    if not pa.types.is_uint64(column.type):
        return _ORDERED[sign](column, pa.scalar(bound, pa.int64()))
    if bound < 0:  # every value is above it
        sign, bound = (">=" if sign[0] == ">" else "<"), 0
    return _ORDERED[sign](column, pa.scalar(bound, pa.uint64()))


def _numbers(column: pa.Array) -> pa.Array:
    if pa.types.is_string(column.type):
        is_number = re.compile(NUMBER).fullmatch
        try:
            return pc.cast(column, pa.float64())
        except pa.ArrowInvalid:
            refuse(column, lambda value: is_number(value) is not None, "is not a number, as where compares it with")
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type)):
        raise BadValueError(0, f"is of the type {column.type}, and where compares it with a number")
    return pc.cast(column, pa.float64(), safe=False)


def _instants(column: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        return pc.cast(pc.cast(column, pa.timestamp("us"), safe=False), pa.timestamp("us", "UTC"))
    if not pa.types.is_string(column.type):
        raise BadValueError(0, f"is of the type {column.type}, and where compares it with a date")
    times = pd.to_datetime(column.to_pandas(), format="ISO8601", utc=True, errors="coerce")
    bad = times.isna().to_numpy() & column.is_valid().to_numpy(zero_copy_only=False)
    if bad.any():
        raise BadValueError(int(bad.argmax()), "is no ISO date, as where compares it with")
    return pa.array(times.dt.as_unit("us"))


def _equals(column: pa.Array, value: bool | int | float | str) -> pa.Array:
    if isinstance(value, bool):
        return _is_word_for(column, value)
    if pa.types.is_string(column.type):
        return by_distinct(column, lambda distinct: _text_equals(distinct, str(value)))
    if pa.types.is_boolean(column.type):
        raise BadValueError(0, f"is true or false, and where compares it with {value!r}")
    if not re.fullmatch(NUMBER, str(value)):
        return by_distinct(pc.cast(column, pa.string()), lambda distinct: _text_equals(distinct, str(value)))
    if _is_whole(str(value)) and pa.types.is_integer(column.type):
        return _whole_equals(column, int(Decimal(str(value))))
    if _is_whole(str(value)) and pa.types.is_decimal(column.type):
        return by_distinct(pc.cast(column, pa.string()), lambda distinct: _text_equals(distinct, str(value)))
    return pc.equal(_numbers(column), float(value))


def _is_whole(value: str) -> bool:
    """Whether a value is an integer; floats do not tell large ones apart."""
    return re.fullmatch(r"[+-]?[0-9]+(\.0*)?", value) is not None


def _whole_equals(column: pa.Array, value: int) -> pa.Array:
    kind = pa.uint64() if pa.types.is_uint64(column.type) else pa.int64()
    try:
        return pc.equal(column, pa.scalar(value, kind))
    except (OverflowError, pa.ArrowInvalid):  # no value of that type is it
        return pa.repeat(pa.scalar(False), len(column))


def _text_equals(distinct: pa.Array, value: str) -> pa.Array:
    """Whether strings are a value: as a number where it is one, else letter by letter, where ``*`` is anything."""
    if re.fullmatch(NUMBER, value):
        numeric = pc.match_substring_regex(distinct, NUMBER)
        near = pc.equal(pc.cast(pc.if_else(numeric, distinct, None), pa.float64()), float(value))
        if not _is_whole(value):
            return near
        exact = [each for each in distinct.filter(near).to_pylist() if Decimal(each) == Decimal(value)]
        return pc.is_in(distinct, value_set=pa.array(exact, pa.string()))
    pattern = ".*".join(re.escape(part) for part in value.split("*"))
    return pc.match_substring_regex(distinct, f"(?s)^{pattern}$")


def _is_word_for(column: pa.Array, value: bool) -> pa.Array:
    if pa.types.is_boolean(column.type):
        return pc.equal(column, value)
    words = column if pa.types.is_string(column.type) else pc.cast(column, pa.string())
    lower = by_distinct(words, pc.utf8_lower)
    known = pa.array([word for several in _WORDS.values() for word in several])
    unknown = pc.and_(pc.invert(pc.is_in(lower, value_set=known)), column.is_valid())
    if pc.any(unknown).as_py():
        raise BadValueError(pc.index(unknown, True).as_py(), "is neither true nor false, as where compares it with")
    return pc.is_in(lower, value_set=pa.array(_WORDS[value]))
