"""Times of a user's own table as whole numbers that keep their order, in the coarsest unit that loses nothing.

Numbers stay what they are where all are whole. Fractions of numbers and of seconds count in thousandths, millionths or
billionths, so that a file gives the same times however it writes them.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Literal, NamedTuple, NoReturn

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute as pc

from rec_msa.interactions.reading.columns import (
    EXACT,
    NUMBER,
    BadValueError,
    as_written,
    by_distinct,
    iso_dates,
    plain,
    require,
    stands_for_nothing,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_UNITS = {0: "s", 3: "ms", 6: "us", 9: "ns"}
"""Arrow's units by the places after the point that they count."""

_NEVER = r"^0000-00-00([ T]00:00:00(\.0*)?)?$"
_CLOCK = r"(?i)^\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?(\s*[ap]\.?m\.?)?$"
_CLOCK_PARTS = re.compile(r"^(\d+):(\d+)(?::(\d+))?(?:[.,](\d+))?\s*([aApP]?)")
_NO_DATE = (
    "is a clock time without a date: write both into one column and name it as time, or name it as order beside a "
    "column of days"
)
_WIDTHS = {**dict.fromkeys("dmyHIMSUW", 2), "Y": 4, "j": 3}
"""Digits of a directive, padded with zeros."""
_TOO_LARGE = "is too large or too fine for whole numbers of 64 bits: round the times"
_NOT_64_BITS = "is not a whole number that fits 64 bits"
_HINT = "; other dates need time_format, as %d/%m/%Y %H:%M"


class Times(NamedTuple):
    """Times of a batch.

    Attributes:
        values: int64, null where there is no time.
        digits: Places after the point of a number or a second that the values count: 0, 3, 6 or 9.
        kind: Whether they are numbers or dates; None where all are missing.
        n_rounded: How many may have lost digits before they were written, as ``1.49E+12``.
    """

    values: pa.Array
    digits: int = 0
    kind: Literal["number", "date"] | None = None
    n_rounded: int = 0


def times_of(column: pa.Array, time_format: str | None = None, clocks: bool = False) -> Times:
    """Reads the times of a batch.

    Args:
        column: Numbers in any unit, dates, or strings of either, ``[n]``.
        time_format: How dates are written that are no ISO dates, in the directives of ``strptime``.
        clocks: Whether clock times without a date are times, too: microseconds since midnight.

    Returns:
        The times; dates count from 1970 in UTC.

    Raises:
        BadValueError: A value is no time.
    """
    column = plain(column)
    if clocks and (clock := _of_clock(column)) is not None:
        return clock
    if pa.types.is_time(column.type):
        require(column.is_null(), _NO_DATE)
    times = _of_a_type(column, time_format)
    return times if times.values.null_count < len(column) else Times(pa.nulls(len(column), pa.int64()))


def _of_clock(column: pa.Array) -> Times | None:
    """Clock times as microseconds since midnight; None where these are others, or none at all."""
    if pa.types.is_time(column.type):
        return Times(pc.cast(pc.cast(column, pa.time64("us"), safe=False), pa.int64()), 6, "number")
    if not pa.types.is_string(column.type):
        return None
    column = _without_words(_trimmed(column))
    if pc.all(pc.match_substring_regex(column, _CLOCK)).as_py() is not True or column.null_count == len(column):
        return None
    counts = by_distinct(column, lambda distinct: pa.array(map(_microseconds, distinct.to_pylist()), pa.int64()))
    return Times(counts, 6, "number")


def _microseconds(clock: str | None) -> int | None:
    if clock is None:
        return None
    hour, minute, second, fraction, half = _CLOCK_PARTS.findall(clock)[0]
    hours = int(hour) % 12 + 12 * (half in "pP") if half else int(hour)
    return (hours * 3600 + int(minute) * 60 + int(second or 0)) * 10**6 + int(f"{fraction:0<6}"[:6])


def _of_a_type(column: pa.Array, time_format: str | None) -> Times:
    kind = column.type
    if time_format is not None:
        if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            column = _whole(column)
        if pa.types.is_integer(column.type) or pa.types.is_string(column.type):
            return _of_format(_without_words(_trimmed(pc.cast(column, pa.string()))), time_format)
    if pa.types.is_string(kind):
        return _of_strings(_trimmed(column))
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _of_timestamps(column)
    if pa.types.is_integer(kind) or pa.types.is_null(kind):
        if pa.types.is_uint64(kind):
            require(pc.less_equal(column, pa.scalar(2**63 - 1, pa.uint64())), _NOT_64_BITS)
        return Times(pc.cast(column, pa.int64()), 0, "number")
    if pa.types.is_floating(kind):
        return _of_floats(pc.cast(column, pa.float64()), EXACT[str(kind)])
    if pa.types.is_decimal(kind):
        return _of_strings(pc.cast(column, pa.string()))
    raise BadValueError(0, f"is of the type {kind}; times are numbers, dates or ISO strings")


def as_instants(times: Times) -> pa.Array:
    """Dates as Arrow's timestamps of microseconds in UTC."""
    values = pc.cast(pc.cast(times.values, pa.timestamp(_UNITS[times.digits])), pa.timestamp("us"), safe=False)
    return pc.cast(values, pa.timestamp("us", "UTC"))


def whole_times(batches: Sequence[Times]) -> Times:
    """Puts the times of all batches together in the finest of their units; of one kind, as ``times_of`` gave them.

    Raises:
        OverflowError: In that unit one of them does not fit 64 bits.
    """
    digits = max(batch.digits for batch in batches)
    kind = next((batch.kind for batch in batches if batch.kind is not None), None)
    try:
        values = [pc.multiply_checked(batch.values, 10 ** (digits - batch.digits)) for batch in batches]
    except pa.ArrowInvalid as error:
        raise OverflowError(_TOO_LARGE) from error
    return Times(pa.chunked_array(values, pa.int64()), digits, kind)


def _trimmed(column: pa.Array) -> pa.Array:
    """Without blanks around them; an empty one is missing."""
    column = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(column, ""), None, column)


def _without_words(column: pa.Array) -> pa.Array:
    """Null where a word stands for no time, or a date that no calendar has."""
    is_none = pc.or_(stands_for_nothing(column), pc.match_substring_regex(column, _NEVER))
    return pc.if_else(is_none, None, column)


def _whole(column: pa.Array) -> pa.Array:
    """Floats and decimals that are whole as integers, as pandas has made them of integers where some are missing."""
    wrong = "is not whole, and time_format reads its digits"
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
        require(pc.is_finite(column), wrong)
    require(pc.equal(pc.floor(column), column), wrong)
    return pc.cast(column, pa.int64())


def _of_format(column: pa.Array, time_format: str) -> Times:
    """Dates in a format; where it is digits alone, with the zeros that a number has lost at its start."""
    directives = re.findall("%(.)", time_format)
    width = sum(_WIDTHS.get(each, 0) for each in directives)
    if all(each in _WIDTHS for each in directives) and 2 * len(directives) == len(time_format):
        column = pc.if_else(pc.match_substring_regex(column, "^[0-9]+$"), pc.utf8_lpad(column, width, "0"), column)
    return _dates(column, time_format)


def _of_strings(column: pa.Array) -> Times:
    """Strings as whole numbers, else as numbers, else as ISO dates: the first reading that suits every value."""
    if (whole := as_written(column)) is not None:
        return Times(whole, 0, "number")
    column = _without_words(column)
    if (whole := as_written(column)) is not None:
        return Times(whole, 0, "number")
    is_number = pc.match_substring_regex(column, NUMBER)
    if is_number.drop_null()[0].as_py():
        require(is_number, "is not a number")
        return _of_numbers(column)._replace(n_rounded=_rounded(column))
    return _dates(column, None)


def _rounded(column: pa.Array) -> int:
    """How many numbers have an exponent greater than the places that their first part has."""
    parts = pc.extract_regex(column, r"^[+-]?[0-9]+(?:\.(?P<places>[0-9]*))?[eE]\+?(?P<exponent>[0-9]{1,3})$")
    exponent = pc.cast(pc.struct_field(parts, "exponent"), pa.int64())
    return pc.sum(pc.greater(exponent, pc.binary_length(pc.struct_field(parts, "places")))).as_py() or 0


def _of_numbers(column: pa.Array) -> Times:
    """Strings of numbers with a point or an exponent: exactly, and in as few places as hold them all."""
    digits = 0
    for digits in _UNITS:
        try:
            exact = pc.cast(column, pa.decimal128(38, digits))
        except pa.ArrowInvalid:  # some have more places
            continue
        unscaled = pa.Array.from_buffers(pa.decimal128(38), len(exact), exact.buffers(), offset=exact.offset)
        try:
            return Times(pc.cast(unscaled, pa.int64()), digits, "number")
        except pa.ArrowInvalid:
            break
    _refuse_too_large(column, digits)


def _refuse_too_large(column: pa.Array, digits: int) -> NoReturn:
    counts = [Decimal(text or 0).scaleb(digits) for text in column.to_pylist()]
    too_fine = (row for row, value in enumerate(counts) if value != value.to_integral_value())
    too_large = (row for row, value in enumerate(counts) if abs(value) >= 2**63)
    raise BadValueError(next(chain(too_fine, too_large)), _TOO_LARGE)


def _of_floats(column: pa.Array, exact: int) -> Times:
    """Read as they would be written: so a float is the same time here as in a text file; exact below a number."""
    column = pc.if_else(pc.is_nan(column), None, column)
    require(pc.is_finite(column), _NOT_64_BITS)
    if pc.all(pc.equal(pc.floor(column), column)).as_py() is False:
        return _of_numbers(pc.cast(column, pa.string()))
    require(pc.and_(pc.less(column, 2.0**63), pc.greater_equal(column, -(2.0**63))), _NOT_64_BITS)
    n_rounded = pc.sum(pc.greater_equal(pc.abs(column), exact)).as_py() or 0
    return Times(pc.cast(column, pa.int64()), 0, "number", n_rounded)


def _of_timestamps(column: pa.Array) -> Times:
    for digits, unit in _UNITS.items():
        try:
            return Times(pc.cast(pc.cast(column, pa.timestamp(unit)), pa.int64()), digits, "date")
        except pa.ArrowInvalid:  # it would lose something
            continue
    raise BadValueError(0, _TOO_LARGE)


def _dates(column: pa.Array, time_format: str | None) -> Times:
    if time_format is None:
        require(pc.invert(pc.match_substring_regex(column, _CLOCK)), _NO_DATE)
        times = iso_dates(column)
    else:
        times = pd.to_datetime(column.to_pandas(), format=time_format, utc=True, errors="coerce")
    wrong = f"is neither a number nor an ISO date{_HINT}" if time_format is None else f"is not written as {time_format}"
    require(pc.or_(pa.array(times.notna()), column.is_null()), wrong)
    return _of_timestamps(pa.array(times.dt.tz_convert(None)))


def moment(value: int, times: Times) -> str:
    """Shows a time to a person: as a date where that is what it is, or where a number can hardly be anything else.

    Args:
        value: One of the times.
        times: Their unit and kind.
    """
    seconds = number = value / 10**times.digits
    if times.kind == "number":
        power = _power_of(number)
        seconds = np.nan if power is None else number / 10**power
    try:
        if np.isfinite(seconds):
            return pd.Timestamp(seconds, unit="s").strftime("%Y-%m-%d")
    except (ValueError, OverflowError):
        pass
    return str(value) if times.digits == 0 else f"{number:.15g}"


def outside(values: pa.ChunkedArray, times: Times) -> str | None:
    """Says how many times can hardly be true, as what programs write for none: 0, -1, the years 1 and 9999."""
    least, largest = (value / 10**times.digits for value in pc.min_max(values).as_py().values())
    if times.kind == "date":
        early, late = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 10**times.digits for year in (1900, 2200))
        n = pc.sum(pc.or_(pc.less(values, early), pc.greater_equal(values, late))).as_py() or 0
        return f"{n:,} times are before 1900 or after 2199" if n else None
    if least > 0 or _power_of(largest) is None:
        return None
    n = pc.sum(pc.less_equal(values, 0)).as_py()
    return f"{n:,} times are 0 or less, and others look like times since 1970"


def mixes_units(least: int, largest: int, times: Times) -> bool:
    """Whether some numbers look like seconds since 1970 and others like parts of them, which puts them out of order."""
    if times.kind != "number":
        return False
    powers = [_power_of(value / 10**times.digits) for value in (least, largest)]
    return None not in powers and powers[0] != powers[1]


def _power_of(number: float) -> int | None:
    """Whether a number is seconds (0), milliseconds (3) … since 1970, of the years 1973 to 2096; else None."""
    return next((power for power in _UNITS if 10 ** (8 + power) <= number < 4 * 10 ** (9 + power)), None)
