"""How a delimited text file is laid out: what is said of it, and what its first lines and quotation marks tell.

Values of a person's row are never shown: names are, and only where a line surely holds names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
from pyarrow import compute as pc

from rec_msa.interactions.reading.columns import NUMBER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

UTF_8 = "utf-8"
WHITESPACE = " \t"
"""Stands for any number of blanks and tabs between fields, and around them."""

_CANDIDATES = (",", ";", "\t", "|", "::")
_VALUE = re.compile(rf"({NUMBER[1:-1]})|\d{{1,4}}[-./]\d{{1,2}}[-./]\d{{1,4}}.*|true|false|", re.IGNORECASE)
"""What no column is named: a number, a date, a truth value, nothing."""

_NAME = re.compile(
    r"(user|customer|client|visitor|reviewer|member|session|item|product|article|movie|artist|track|book|parent)s?"
    r"[ _.-]?(ids?|no|nr|number|code|key|name|asin)|asin|user|item",
    re.IGNORECASE,
)
"""What columns of users and items are called most often, and nobody and nothing else is."""

_COMMENT = re.compile(r'[#%]([\s#%=*-]|$)|"?sep=."?\s*$|\s*$')
"""As of KONECT, SNAP, Matrix Market and Excel; what has no blank behind its mark may be a name or an id."""

DRAWN = re.compile(r"\s*[+|][-+|=\s]+")
"""The first line of a table as MySQL draws it."""
_CHUNK = 1 << 22
_QUOTE, _LINE_FEED, _RETURN = ord('"'), ord("\n"), ord("\r")


@dataclass(frozen=True)
class Layout:
    """How a delimited text file is laid out.

    Attributes:
        delimiter: One character, or the same character several times.
        columns: The columns to read: all of the file's in their order or, where it has a header, the needed ones.
        header: Whether the first line names the columns.
        quoted: Whether fields may be in double quotes, and how one within them is written.
        optional: Columns at the end that the whole file may lack.
        keys: For a user's own file, the parameter that names each column that is read.
        dataset: For a user's own file, the name of its data set.
        encoding: How its characters are written.
        is_part: Whether it is one of several files, of which the first may name the columns that are named for all.
    """

    delimiter: str
    columns: tuple[str, ...] = ()
    header: bool = False
    quoted: Literal["doubled", "backslash"] | None = None
    optional: frozenset[str] = frozenset()
    keys: Mapping[str, str] = field(default_factory=dict)
    dataset: str | None = None
    encoding: str = UTF_8
    is_part: bool = False

    @property
    def shown(self) -> str:
        """The delimiter as messages have it."""
        return spelt(self.delimiter)

    @property
    def blanks(self) -> str:
        """What a blank line is made of."""
        return "".join(blank for blank in " \t\r\n" if blank != self.delimiter or blank == " ")

    @property
    def is_split(self) -> bool:
        """Whether the delimiter is none that Arrow and csv know, so that lines are split at it."""
        return len(self.delimiter) > 1 or not self.delimiter.isascii()

    def names(self, fields: Sequence[str]) -> list[str]:
        """What a first line names: without blanks and marks around names, if needed ones are found so."""
        bare = [text.strip(" \t\u00a0\ufeff") for text in fields]
        if self.quoted is not None:  # marks behind a blank are not taken off by csv
            bare = [text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text for text in bare]
        return bare if set(self.columns) <= set(bare) else list(fields)

    def are_names(self, fields: Sequence[str]) -> bool:
        """Whether a line names the columns just as they are named for a file without a header."""
        return tuple(self.names(fields)) == self.columns

    def is_comment(self, line: str) -> bool:
        """Whether a line before the first row is a comment or blank, and does not name the columns."""
        fields = self.names(split_at(line.rstrip("\r\n"), self.delimiter))
        return _COMMENT.match(line) is not None and not (self.header and set(self.columns) <= set(fields))

    @property
    def escape(self) -> str | None:
        """What stands before a quotation mark within a quoted field."""
        return "\\" if self.quoted == "backslash" else None


def split_at(text: str, delimiter: str) -> list[str]:
    """Parts a line."""
    return re.split("[ \t]+", text.strip(WHITESPACE)) if delimiter == WHITESPACE else text.split(delimiter)


def split_strings(lines: pa.Array, delimiter: str) -> pa.Array:
    """Parts many strings as ``split_at`` does."""
    if delimiter == WHITESPACE:
        return pc.split_pattern_regex(pc.utf8_trim(lines, WHITESPACE), "[ \t]+")
    return pc.split_pattern(lines, delimiter)


def spelt(delimiter: str) -> str:
    """A delimiter by its name, where nobody would see it."""
    return {"\t": "tab", " ": "space", WHITESPACE: "whitespace"}.get(delimiter, delimiter)


def advice(line: str, rows: Sequence[Sequence[str]], needed: Sequence[str], delimiter: str) -> str | None:
    """Says how a file may be laid out whose first line lacks a column.

    Args:
        line: The first line.
        rows: The fields of the first records, as they are read now.
        needed: The columns that must be there.
        delimiter: What parts fields now.

    Returns:
        What to set; None where the line names columns, but not all of those that are needed.
    """
    if DRAWN.fullmatch(line):
        return "it is drawn as a table: write it with tabs, as mysql --batch does, and add separator: tab"
    blank = WHITESPACE if "" in line.split(" ") else " "
    splits = {
        other: [text.strip().strip('"\ufeff') for text in split_at(line, other)] for other in (*_CANDIDATES, blank, ":")
    }
    found = {other: sum(name in fields for name in needed) for other, fields in splits.items()}
    n_found, best = sum(name in rows[0] for name in needed), max(found, key=found.__getitem__)
    if found[best] > n_found and best == delimiter:
        return "its names are in quotation marks, which are read as characters: add quotes: doubled"
    if found[best] == len(needed) or (found[best] > n_found and len(rows[0]) == 1):
        return _separated_by(best)
    if n_found or names_columns(rows):
        return None
    likely, n_fields = delimiter, len(rows[0])
    if n_fields == 1:
        likely = max(splits, key=lambda other: len(splits[other]))
        n_fields = len(splits[likely])
    return (
        f"{'' if likely == delimiter else f'{_separated_by(likely)}, and '}none of its {n_fields} fields is "
        f"{' or '.join(needed)}: name the columns as it does or, if it is data, add columns: [...] with a name for "
        "each field in their order"
    )


def _separated_by(delimiter: str) -> str:
    shown = spelt(delimiter)
    return f"it looks separated by '{shown}': add separator: " + (shown if shown != delimiter else f"'{shown}'")


def names_columns(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row surely names columns: it has no value where a row below it does, or a well-known name."""
    if not rows or any(_VALUE.fullmatch(text.strip()) for text in rows[0]):
        return False
    if any(_NAME.fullmatch(text.strip()) for text in rows[0]):
        return True
    below = zip(*(row for row in rows[1:] if len(row) == len(rows[0])), strict=True)
    present = ([text.strip() for text in column if text.strip()] for column in below)
    return any(texts and all(map(_VALUE.fullmatch, texts)) for texts in present)


def look_at_quotes(file: Any, delimiter: str) -> tuple[bool, int]:
    """Looks at every quotation mark in one pass over the bytes.

    The first, third … mark must stand where a field begins, the second, fourth … where one ends; two side by side
    within a field are one that is written double. Marks in the middle of a field that is not quoted break that rule
    and do no harm: who needs to know must read the file record by record.

    Returns:
        Whether the rule holds, and how many line breaks lie within quoted fields.
    """
    around = np.zeros(256, dtype=bool)
    around[[_QUOTE, _LINE_FEED, _RETURN, ord(delimiter[0]) if delimiter[0].isascii() else _LINE_FEED]] = True
    n_quotes, n_breaks, sound = 0, 0, True
    before, chunk = b"\n", file.read(_CHUNK).removeprefix(b"\xef\xbb\xbf")
    while chunk:
        following = file.read(_CHUNK)
        if b'"' in chunk or n_quotes % 2:
            bytes_ = np.frombuffer(before + chunk + (following[:1] or b"\n"), dtype=np.uint8)
            places = np.flatnonzero(bytes_[1:-1] == _QUOTE) + 1
            sound = sound and _alternate(bytes_, places, n_quotes, around)
            breaks = np.flatnonzero(_ends_line(bytes_[1:-1], bytes_[2:])) + 1
            n_breaks += int(((np.searchsorted(places, breaks) + n_quotes) % 2).sum())
            n_quotes += len(places)
        before, chunk = chunk[-1:], following
    return sound and n_quotes % 2 == 0, n_breaks


def _ends_line(text: NDArray[np.uint8], following: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """A line feed, or a carriage return that none follows."""
    ends: NDArray[np.bool_] = (text == _LINE_FEED) | ((text == _RETURN) & (following != _LINE_FEED))
    return ends


def _alternate(text: NDArray[np.uint8], places: NDArray[np.intp], n_before: int, around: NDArray[np.bool_]) -> bool:
    closes = (np.arange(len(places)) + n_before) % 2 == 1
    return bool(around[text[np.where(closes, places + 1, places - 1)]].all())
