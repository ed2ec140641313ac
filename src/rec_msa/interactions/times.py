"""Times of a user's own table as whole numbers that keep their order, in the coarsest unit that loses nothing.

Numbers stay what they are where all are whole. Fractions of numbers and of seconds count in thousandths, millionths or
billionths, so that a file gives the same times however it writes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute as pc

from rec_msa.interactions.columns import NUMBER, BadValueError, as_written, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_DECIMAL = r"^(?P<sign>[+-]?)(?P<whole>[0-9]*)\.?(?P<fraction>[0-9]*)$"
_ZONE = r"\s*(UTC|GMT|utc|gmt|\[UTC\]|Z\[UTC\])$"
_FINEST = 9
_TOO_LARGE = "is too large or too fine for whole numbers of 64 bits: round the times"
_HINT = "; other dates need time_format, as %d/%m/%Y %H:%M"


class Times(NamedTuple):
    """Times of a batch.

    Attributes:
        values: int64, null where there is no time.
        digits: Places after the point of a number or a second that the values count: 0, 3, 6 or 9.
        kind: Whether they are numbers or dates; None where all are missing.
    """

    values: pa.Array
    digits: int = 0
    kind: Literal["number", "date"] | None = None


def times_of(column: pa.Array, time_format: str | None = None) -> Times:  # noqa: PLR0911 - one for each type
    """Reads the times of a batch.

    Args:
        column: Numbers in any unit, dates, or strings of either, ``[n]``.
        time_format: How dates are written that are no ISO dates, in the directives of ``strptime``.

    Returns:
        The times; dates count from 1970 in UTC.

    Raises:
        BadValueError: A value is no time.
    """
    column = plain(column)
    kind = column.type
    if time_format is not None and (pa.types.is_integer(kind) or pa.types.is_string(kind)):
        return _dates(_trimmed(pc.cast(column, pa.string())), time_format)
    if pa.types.is_string(kind):
        return _of_strings(_trimmed(column))
    if pa.types.is_null(kind):
        return Times(pa.nulls(len(column), pa.int64()))
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _of_timestamps(column)
    if pa.types.is_integer(kind):
        return _known(_as_int64(column), 0, "number")
    if pa.types.is_floating(kind):
        return _of_floats(column)
    if pa.types.is_decimal(kind):
        return _of_strings(pc.cast(column, pa.string()))
    raise BadValueError(0, f"is of the type {kind}; times are numbers, dates or ISO strings")


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


def _known(values: pa.Array, digits: int, kind: Literal["number", "date"]) -> Times:
    """In the coarsest unit that loses nothing."""
    if values.null_count == len(values):
        return Times(values)
    present = values.drop_null().to_numpy()
    fewest = next(kept for kept in (0, 3, 6, 9) if kept >= digits or not (present % 10 ** (digits - kept)).any())
    return Times(_divided(values, 10 ** (digits - fewest)), fewest, kind)


def _divided(values: pa.Array, by: int) -> pa.Array:
    return values if by == 1 else pc.divide(values, by)


def _as_int64(column: pa.Array) -> pa.Array:
    try:
        return pc.cast(column, pa.int64())
    except pa.ArrowInvalid:
        row = pc.index(pc.greater(column, 2**63 - 1), True).as_py()
        raise BadValueError(row, "is not a whole number that fits 64 bits") from None


def _trimmed(column: pa.Array) -> pa.Array:
    """Without blanks around them; an empty one is missing."""
    column = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(column, ""), None, column)


def _of_strings(column: pa.Array) -> Times:
    """Strings as whole numbers, else as numbers, else as ISO dates: the first reading that suits every value."""
    if column.null_count == len(column):
        return Times(pa.nulls(len(column), pa.int64()))
    if (whole := as_written(column)) is not None:
        return _known(whole, 0, "number")
    numeric = pc.match_substring_regex(column, NUMBER)
    if pc.all(numeric).as_py():
        return _of_numbers(column)
    first = pc.index(column.is_valid(), True).as_py()
    if numeric[first].as_py():
        raise BadValueError(pc.index(numeric, False).as_py(), "is not a number")
    return _dates(pc.replace_substring_regex(column, _ZONE, "Z"), None)


def _of_numbers(column: pa.Array) -> Times:
    plain_numbers = pc.match_substring_regex(column, _DECIMAL)
    if not pc.all(plain_numbers).as_py():  # 1.6e9
        column = pc.if_else(plain_numbers, column, _spelt_out(column))
        _require(pc.match_substring_regex(column, _DECIMAL), _TOO_LARGE)
    parts = pc.extract_regex(column, _DECIMAL)
    fraction = pc.utf8_rtrim(parts.field("fraction"), "0")
    n_digits = pc.max(pc.utf8_length(fraction)).as_py()
    digits = 3 * -(-n_digits // 3)
    _require(pc.less_equal(pc.utf8_length(fraction), _FINEST), _TOO_LARGE)
    text = pc.binary_join_element_wise(parts.field("whole"), pc.utf8_rpad(fraction, digits, "0"), "")
    text = pc.binary_join_element_wise(pc.replace_substring(parts.field("sign"), "+", ""), text, "")
    values = _fitting(pc.if_else(column.is_valid(), text, None))
    return _known(values, digits, "number")


def _fitting(text: pa.Array) -> pa.Array:
    try:
        return pc.cast(text, pa.int64())
    except pa.ArrowInvalid:
        for row, value in enumerate(text.to_pylist()):
            if value is not None and abs(int(value)) >= 2**63:
                raise BadValueError(row, _TOO_LARGE) from None
        raise


def _spelt_out(column: pa.Array) -> pa.Array:
    """Numbers with an exponent without one, where they are not too large for that."""
    values = pc.cast(column, pa.float64())
    is_whole = pc.and_(pc.equal(values, pc.floor(values)), pc.less(pc.abs(values), 2.0**62))
    whole = pc.cast(pc.cast(pc.if_else(is_whole, values, 0), pa.int64()), pa.string())
    return pc.if_else(is_whole, whole, pc.cast(values, pa.string()))


def _of_floats(column: pa.Array) -> Times:
    """Read as they would be written: so a float is the same time here as in a text file."""
    if not pa.types.is_float64(column.type):
        column = pc.cast(column, pa.float64())
    column = pc.if_else(pc.is_nan(column), None, column)
    _require(pc.is_finite(column), "is not a whole number that fits 64 bits")
    if pc.all(pc.equal(pc.floor(column), column)).as_py() is not False:
        try:
            return _known(pc.cast(column, pa.int64()), 0, "number")
        except pa.ArrowInvalid:
            _require(pc.less(pc.abs(column), 2.0**63), "is not a whole number that fits 64 bits")
            raise
    return _of_numbers(pc.cast(column, pa.string()))


def _of_timestamps(column: pa.Array) -> Times:
    if pa.types.is_date(column.type):
        column = pc.cast(column, pa.timestamp("ms" if pa.types.is_date64(column.type) else "s"))
    digits = {"s": 0, "ms": 3, "us": 6, "ns": 9}[column.type.unit]
    return _known(pc.cast(column, pa.int64()), digits, "date")


def _dates(column: pa.Array, time_format: str | None) -> Times:
    # of nothing but nulls pandas makes no times
    times = pd.to_datetime(column.to_pandas(), format=time_format or "ISO8601", utc=True, errors="coerce")
    missing = column.is_null().to_numpy(zero_copy_only=False)
    bad: NDArray[np.bool_] = times.isna().to_numpy() & ~missing
    if bad.any():
        wrong = "is neither a number nor an ISO date" + _HINT
        raise BadValueError(int(bad.argmax()), wrong if time_format is None else f"is not written as {time_format}")
    return _of_timestamps(pa.array(times.dt.tz_convert(None)))


def _require(holds: pa.Array, requirement: str) -> None:
    if pc.all(holds).as_py() is False:
        raise BadValueError(pc.index(holds, False).as_py(), requirement)


def moment(value: int, times: Times) -> str:
    """Shows a time to a person: as a date where that is what it is, or where a number can hardly be anything else.

    Args:
        value: One of the times.
        times: Their unit and kind.
    """
    seconds = value / 10**times.digits
    if times.kind == "number":
        power = _power_of(seconds)
        seconds = np.nan if power is None else seconds / 10**power
    try:
        return pd.Timestamp(seconds, unit="s").strftime("%Y-%m-%d") if np.isfinite(seconds) else _shown(value, times)
    except (ValueError, OverflowError):
        return _shown(value, times)


def mixes_units(least: int, largest: int, times: Times) -> bool:
    """Whether some numbers look like seconds since 1970 and others like parts of them, which puts them out of order."""
    if times.kind != "number":
        return False
    powers = [_power_of(value / 10**times.digits) for value in (least, largest)]
    return None not in powers and powers[0] != powers[1]


def _shown(value: int, times: Times) -> str:
    return str(value) if times.digits == 0 else f"{value / 10**times.digits:.15g}"


def _power_of(number: float) -> int | None:
    """Whether a number is seconds (0), milliseconds (3) … since 1970, of the years 1973 to 2096; else None."""
    return next((power for power in (0, 3, 6, 9) if 10 ** (8 + power) <= number < 4 * 10 ** (9 + power)), None)
