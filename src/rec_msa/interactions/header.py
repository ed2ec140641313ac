"""What a first line tells of how a text file is laid out: what to set where it does not name the columns.

Values of a person's row are never shown: names are, and only where the line surely holds names.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rec_msa.interactions.columns import NUMBER

if TYPE_CHECKING:
    from collections.abc import Sequence

_CANDIDATES = (",", ";", "\t", "|", "::", " ", ":")
_NAMES = {"\t": "tab", " ": "space"}
_VALUE = re.compile(rf"({NUMBER[1:-1]})|\d{{1,4}}[-./]\d{{1,2}}[-./]\d{{1,4}}.*|true|false|", re.IGNORECASE)
"""What no column is named: a number, a date, a truth value, nothing."""


def advice(
    line: str, rows: Sequence[Sequence[str]], fields: Sequence[str], needed: Sequence[str], delimiter: str
) -> str | None:
    """Says how a file may be laid out whose first line lacks a column.

    Args:
        line: The first line.
        rows: The fields of the first records, as they are read now.
        fields: Those of the first one.
        needed: The columns that must be there.
        delimiter: What parts fields now.

    Returns:
        What to set; None where the line names columns, but not all of those that are needed.
    """
    n_found = sum(name in fields for name in needed)
    best = max(_CANDIDATES, key=lambda other: sum(name in _split(line, other) for name in needed))
    if sum(name in _split(line, best) for name in needed) > n_found:
        return f"it looks separated by '{_shown(best)}': add separator: {_quoted(best)}"
    if n_found or names_columns(rows):
        return None
    likely = delimiter if len(fields) > 1 else max(_CANDIDATES, key=lambda other: len(_split(line, other)))
    n_fields = len(fields) if likely == delimiter else len(_split(line, likely))
    other = (
        ""
        if likely == delimiter
        else f"it looks separated by '{_shown(likely)}': add separator: {_quoted(likely)}, and "
    )
    return (
        f"{other}none of its {n_fields} fields is {' or '.join(needed)}: name the columns as it does or, if it is "
        "data, add columns: [...] with a name for each field in their order"
    )


def names_columns(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row surely names columns: it has no value where a row below it does."""
    if not rows or any(_VALUE.fullmatch(text.strip()) for text in rows[0]):
        return False
    below = [row for row in rows[1:] if len(row) == len(rows[0])]
    return any(_are_values([row[place] for row in below]) for place in range(len(rows[0])))


def _are_values(texts: Sequence[str]) -> bool:
    present = [text for text in texts if text.strip()]
    return bool(present) and all(_VALUE.fullmatch(text.strip()) for text in present)


def _split(line: str, delimiter: str) -> list[str]:
    return [text.strip().strip('"\ufeff') for text in line.split(delimiter)]


def _shown(delimiter: str) -> str:
    return _NAMES.get(delimiter, delimiter)


def _quoted(delimiter: str) -> str:
    return _NAMES.get(delimiter, f"'{delimiter}'")
