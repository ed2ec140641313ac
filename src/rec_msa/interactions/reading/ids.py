"""Ids of a user's own table: one id each, however a file spells it, and no id where there is none.

Ids come in batches, and only all of them together say whether they are whole numbers or strings. What a batch is made
of is the same in every kind of file: a number, a float without fraction and a string of digits are one id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import compute as pc

from rec_msa.interactions.reading.columns import (
    EXACT,
    BadValueError,
    as_written,
    plain,
    require,
    stands_for_nothing,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_LARGEST = 10**18
"""Whole numbers below it are ids as numbers; where one has more digits, all are strings."""

_WITH_POINT = r"^-?[0-9]+[.,]0+$"
_PARTED = r"^-?[1-9][0-9]{0,2}([.,][0-9]{3})+$"
"""Thousands with points or commas between them; of ``1.000`` only other ids can tell whether it is a float."""

_FEW = 20
_LOST_DIGITS = r"^-?[0-9](\.[0-9]+[eE]\+?|([.,][0-9]+)?[eE]\+)[0-9]+$"
_LOOKS = {
    "lists": r"""(?s)^(\[['"].*['"]\]|\[[\d.\s]+\]|[\[({][^\[\](){}]*[,;|][^\[\](){}]*[\])}])$""",
    "cut": r"[^,;|][,;|]$",
}
_AROUND = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\ufeff\u200b\u200c\u200d\u2060"
"""Blanks, and what is not seen either: byte order marks and joiners of no width."""

NO_ID = "is no id"
_TOO_LARGE = (
    "may have lost digits: a float so large no longer tells whole numbers apart; write ids as whole numbers or strings"
)


class Ids(NamedTuple):
    """Ids of a batch.

    Attributes:
        values: Whole numbers as int64, or strings; null where there is no id.
        n_trimmed: Ids with blanks around them, which were taken off.
        n_pointed: Ids that were written as ``12.0`` or ``12,0`` and are 12.
        n_unclear: How many of these were written as ``1.000``.
        written: The values with ``1.000`` as it stands there; None where none is written so.
        has_thousands: Whether others are written as ``1.001``, so that ``1.000`` is not 1.
    """

    values: pa.Array
    n_trimmed: int = 0
    n_pointed: int = 0
    n_unclear: int = 0
    written: pa.Array | None = None
    has_thousands: bool = False


def ids_of(column: pa.Array, words_are_ids: bool = False) -> Ids:
    """Reads the ids of a batch.

    Args:
        column: Values as they stand in the file, ``[n]``.
        words_are_ids: Whether ``NA``, ``NULL`` and the like are ids, too.

    Raises:
        BadValueError: A value is no id, or one that has lost digits.
    """
    column = plain(column)
    kind = column.type
    if pa.types.is_string(kind):
        return _of_strings(column, words_are_ids)
    if pa.types.is_null(kind) or pa.types.is_integer(kind):
        return Ids(pc.cast(column, pa.int64() if _are_small(column) else pa.string()))
    if pa.types.is_floating(kind):
        return Ids(_of_floats(column))
    if pa.types.is_decimal(kind):
        require(pc.equal(pc.floor(column), column), "is not a whole number")
        return Ids(_as_numbers(pc.cast(pc.cast(column, pa.decimal256(76, 0)), pa.string())))
    raise BadValueError(0, f"is of the type {kind}; ids are whole numbers or strings")


def whole_ids(batches: Sequence[pa.Array]) -> pa.ChunkedArray:
    """Puts the ids of all batches together: int64 where all are whole numbers, else strings."""
    if all(pa.types.is_int64(batch.type) for batch in batches):
        return pa.chunked_array(batches, pa.int64())
    return pa.chunked_array([pc.cast(batch, pa.string()) for batch in batches], pa.string())


def odd_ids(distinct: pa.Array) -> dict[str, int]:
    """How many of distinct ids look like lists, end with what parts these, or are look-alikes.

    Of these one differs from another only in capitals, in zeros at the start, or in how letters are encoded.
    """
    keys = pc.utf8_normalize(pc.utf8_lower(distinct), "NFKC")
    alike = len(distinct) - len(pc.unique(pc.replace_substring_regex(keys, "^0+(.)", r"\1")))
    found = {note: pc.sum(pc.match_substring_regex(distinct, look)).as_py() or 0 for note, look in _LOOKS.items()}
    return {**found, "look-alikes": alike}


def few_words(distinct: pa.Array) -> tuple[list[str], int]:
    """Of distinct ids those that are no whole numbers, where nearly all others are; and how many there are with these.

    A footer, a second header or a spreadsheet's error is an id or two; many are what ids are.
    """
    if len(distinct) < _FEW:
        return [], 0
    words = distinct.filter(pc.invert(pc.match_substring_regex(distinct, "^-?[0-9]+$")))
    return words.to_pylist() if len(words) <= min(_FEW, max(2, len(distinct) // 100)) else [], len(distinct)


def _of_floats(column: pa.Array) -> pa.Array:
    values = column.to_numpy(zero_copy_only=False)
    absent = np.isnan(values)
    is_whole = (np.floor(values) == values) & np.isfinite(values)
    require(pa.array(absent | is_whole), "is not a whole number that fits 64 bits")
    require(pa.array(absent | (np.abs(values) < EXACT[str(column.type)])), _TOO_LARGE)
    return pa.array(np.where(absent, 0, values).astype(np.int64), mask=absent)


def _of_strings(column: pa.Array, words_are_ids: bool) -> Ids:
    """Most often all are plain whole numbers; else each distinct string is looked at once."""
    if pa.types.is_int64((numbers := _as_numbers(column)).type):
        return Ids(numbers)
    encoded = column.dictionary_encode()
    found = encoded.dictionary
    require(pc.invert(pc.match_substring(found, "\0")).take(encoded.indices), "has a zero byte")
    trimmed = pc.utf8_trim(found, _AROUND)
    nothing = pc.equal(trimmed, "")
    if not words_are_ids:
        nothing = pc.or_(nothing, stands_for_nothing(trimmed))
    kept_digits = pc.invert(pc.match_substring_regex(trimmed, _LOST_DIGITS))
    remedy = "looks like a whole number that lost digits in a spreadsheet or as a float: write ids in full"
    require(kept_digits.take(encoded.indices), remedy)
    has_point, is_parted = (pc.match_substring_regex(trimmed, pattern) for pattern in (_WITH_POINT, _PARTED))
    bare = pc.if_else(has_point, pc.replace_substring_regex(trimmed, "[.,]0+$", ""), trimmed)
    was_float = pc.cast(pc.if_else(has_point, bare, "0"), pa.float64())
    require(pc.less(pc.abs(was_float), EXACT["double"]).take(encoded.indices), _TOO_LARGE)
    ids = _as_numbers(pc.if_else(nothing, None, bare)).take(encoded.indices)
    n_each = np.bincount(encoded.indices.drop_null().to_numpy(), minlength=len(found))
    is_trimmed, unclear = pc.and_not(pc.not_equal(trimmed, found), nothing), pc.and_(has_point, is_parted)
    trims, points, doubts = (int(n_each[np.asarray(chosen)].sum()) for chosen in (is_trimmed, has_point, unclear))
    written = pc.if_else(nothing, None, pc.if_else(unclear, trimmed, bare)).take(encoded.indices)
    has_thousands = bool(pc.any(pc.and_not(is_parted, has_point)).as_py())
    return Ids(ids, trims, points, doubts, written if doubts else None, has_thousands)


def _as_numbers(column: pa.Array) -> pa.Array:
    """Strings as whole numbers, where all are and are small enough."""
    numbers = as_written(column)
    return numbers if numbers is not None and _are_small(numbers) else column


def _are_small(numbers: pa.Array) -> bool:
    bounds = pc.min_max(numbers).as_py()
    return bounds["min"] is None or (bounds["max"] < _LARGEST and bounds["min"] > -_LARGEST)
