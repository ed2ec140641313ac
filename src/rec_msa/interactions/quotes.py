"""Quotation marks of delimited text: whether each that opens a field is closed where the field ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CHUNK = 1 << 22
_QUOTE, _LINE_FEED, _RETURN = ord('"'), ord("\n"), ord("\r")
_MARK = b"\xef\xbb\xbf"


def look_at_quotes(file: Any, delimiter: str) -> tuple[bool, int]:
    """Looks at every quotation mark in one pass over the bytes.

    The first, third … mark must stand where a field begins, the second, fourth … where one ends; two side by side
    within a field are one that is written double. Marks in the middle of a field that is not quoted break that rule
    and do no harm: who needs to know must read the file record by record.

    Args:
        file: An open binary file.
        delimiter: What parts fields; one character or the same several times.

    Returns:
        Whether the rule holds, and how many line breaks lie within quoted fields.
    """
    around = np.zeros(256, dtype=bool)
    around[[_QUOTE, _LINE_FEED, _RETURN, ord(delimiter[0]) if delimiter[0].isascii() else _LINE_FEED]] = True
    n_quotes, n_breaks, sound = 0, 0, True
    before, chunk = b"\n", file.read(_CHUNK).removeprefix(_MARK)
    while chunk:
        following = file.read(_CHUNK)
        if b'"' in chunk or n_quotes % 2:
            bytes_ = np.frombuffer(before + chunk + (following[:1] or b"\n"), dtype=np.uint8)
            places = np.flatnonzero(bytes_[1:-1] == _QUOTE) + 1
            sound = sound and _alternate(bytes_, places, n_quotes, around)
            breaks = np.flatnonzero(bytes_[1:-1] == _LINE_FEED) + 1
            n_breaks += int(((np.searchsorted(places, breaks) + n_quotes) % 2).sum())
            n_quotes += len(places)
        before, chunk = chunk[-1:], following
    return sound and n_quotes % 2 == 0, n_breaks


def _alternate(text: NDArray[np.uint8], places: NDArray[np.intp], n_before: int, around: NDArray[np.bool_]) -> bool:
    closes = (np.arange(len(places)) + n_before) % 2 == 1
    neighbours = text[np.where(closes, places + 1, places - 1)]
    return bool(around[neighbours].all())
