"""A batch of rows of a user's own table: which of them count, and fields that hold several values as a row each."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyarrow import compute as pc

from rec_msa.interactions.reading.columns import BadValueError, is_list, plain, require
from rec_msa.interactions.reading.layout import WHITESPACE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray


_BRACKETS = [rf"(?s)^\{left}+([^\{left}\{right}]*)\{right}+$" for left, right in ("[]", "()", "{}")]
"""A pair around a whole field; one that belongs to a value, as in ``Alien (1979)``, is none."""
_MARKS = [rf"(?s)^{mark}(.*){mark}$" for mark in "'\""]
_OF_NUMPY = r"(?s)^array\((.*?)(,\s*dtype=[^)\]]*)?\)$"
_BLANKS = " \t\r\n"
_MORE_THAN_WORDS = r"['\"\[({]|\.\.\."
_OPEN = r"""(?s)^(['"]$|'.*[^']$|".*[^"]$)"""
"""A value whose quotation mark nothing closes: the rest of it lies behind a separator."""
_OBJECTS = "holds objects or lists of lists; write what is needed of it as a field of its own"
_PRINTED = (
    "holds what a program prints of its objects; write plain values within [ ], as tolist() gives them, and strings in "
    "quotation marks"
)
_WRONG = {
    r"^\.\.\.$": "is cut: numpy writes ... for the rest of a long list; write it in full",
    r"""(?s)^(\{.*:.*\}|[\[({][^\])}]*|['"][^'"]*['"]\s*:.*)$""": _OBJECTS,
    r"""(?s)^('[^']*'\s+'.*'|"[^"]*"\s+".*")$""": "has values with blanks between them: set list_separator to space",
}
_NOT_PARTED = "has numbers that something else parts: set list_separator to what stands between them"

_CALL = r"[A-Za-z_][\w.]*\("
_ENCLOSED = r"(?s)^(\[.*\]|\(.*\)|\{.*\})$"
_NUMBER = r"[+-]?\d[\d.]*"


@dataclass(frozen=True)
class Rows:
    """Some rows of a file.

    Attributes:
        columns: Their columns, by name, each ``[n]``.
        start: Place in the file of the first of those that were read together.
        places: Where they are among these, ``[n]``; None where all of them are there.
        from_lists: Columns whose values stood in lists, which have a row each now.
    """

    columns: Mapping[str, pa.Array]
    start: int = 0
    places: NDArray[np.int64] | None = None
    from_lists: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def place(self, row: int) -> int:
        """Where a row is in the file, counted from 0."""
        return self.start + (row if self.places is None else int(self.places[row]))

    def only(self, chosen: pa.Array) -> Rows:
        """The rows that a boolean array marks."""
        kept = chosen.to_numpy(zero_copy_only=False)
        if kept.all():
            return self
        return self._placed({name: column.filter(chosen) for name, column in self.columns.items()}, kept.nonzero()[0])

    def without_names(self, names: Sequence[str]) -> Rows:
        """The rows that do not name the columns once more, as in files that were put together as they were."""
        return self._without(names, lambda name, text: pc.is_in(text, value_set=_spellings(name)))

    def without_rules(self, names: Sequence[str]) -> Rows:
        """The rows that are more than a line of dashes, as sqlcmd, SQL*Plus and Markdown draw below names."""
        return self._without(names, lambda _, text: _is_rule(text))

    def _without(self, names: Sequence[str], test: Callable[[str, pa.Array], pa.Array]) -> Rows:
        texts = {name: self.columns[name] for name in names}
        if not all(text.type == pa.string() for text in texts.values()):
            return self
        found = pa.repeat(True, len(self))
        for name, text in texts.items():
            found = pc.and_(found, pc.fill_null(test(name, text), False))
            if not pc.any(found).as_py():  # most often the first column tells
                return self
        return self.only(pc.invert(found))

    def lists(self) -> list[str]:
        """The columns whose fields are lists."""
        return [name for name, column in self.columns.items() if is_list(plain(column).type)]

    def one_each(self) -> Rows:
        """A row for each value of the fields that are lists; of several lists the first with the first, and so on.

        Raises:
            BadValueError: A row's lists are of different lengths, or it has one list and lacks the other.
        """
        lists = {name: _as_list(self.columns[name]) for name in self.lists()}
        if not lists:
            return self
        first, *others = lists.values()
        for other in others:
            same = pc.fill_null(pc.equal(pc.list_value_length(first), pc.list_value_length(other)), False)
            require(same, f"and {' and '.join(lists)} have not as many values")
        parents = pc.list_parent_indices(first)
        columns = {name: column.take(parents) for name, column in self.columns.items() if name not in lists}
        flat = {name: pc.list_flatten(column) for name, column in lists.items()}
        rows = self._placed({**columns, **flat}, parents.to_numpy(zero_copy_only=False))
        return replace(rows, from_lists=frozenset(lists))

    def _placed(self, columns: Mapping[str, pa.Array], rows: NDArray[np.int64]) -> Rows:
        return replace(self, columns=columns, places=rows if self.places is None else self.places[rows])


def _is_rule(text: pa.Array) -> pa.Array:
    """Which fields are dashes and the like, two at the least: one alone may be an id."""
    is_drawn = pc.equal(pc.ascii_trim(text, f"-=:{_BLANKS}"), "")
    if not pc.any(is_drawn).as_py():  # as in nearly all batches
        return is_drawn
    return pc.and_(is_drawn, pc.greater_equal(pc.binary_length(pc.ascii_trim(text, _BLANKS)), 2))


def _spellings(name: str) -> pa.Array:
    """How a name may be written once more: in other capitals, with a blank around it."""
    cases = dict.fromkeys((name, name.lower(), name.upper(), name.capitalize()))
    return pa.array([before + case + after for case in cases for before in ("", " ") for after in ("", " ")])


def with_lists(rows: Rows, item: str, beside: Sequence[str], separator: str) -> Rows:
    """Rows whose items are parted at a separator, and columns beside them where these have lists in brackets.

    Raises:
        BadValueError: A list has been cut, or holds something else than values.
    """
    columns = {**rows.columns, item: split(rows.columns[item], separator)}
    for name in beside:
        column = plain(columns[name])
        if pa.types.is_string(column.type) and pc.any(pc.match_substring_regex(column, r"^\s*[\[(]")).as_py():
            columns[name] = split(column, separator)
    return replace(rows, columns=columns)


def split(column: pa.Array, separator: str, *, marks: bool = True) -> pa.Array:
    """Fields as lists of strings: without brackets around a field, and quotation marks around its values.

    Args:
        column: The fields ``[n]``.
        separator: What parts them.
        marks: Whether quotation marks stand around values and make it a character like others.

    Raises:
        BadValueError: A list has been cut, or holds something else than values.
    """
    column = plain(column)
    if not pa.types.is_string(column.type):
        return column
    bare = pc.utf8_trim(column, " \t")
    fields = bare = pc.replace_substring_regex(bare, _OF_NUMPY, r"\1")
    if marks:
        _require_lists(fields, separator)
    for pair in _BRACKETS:
        bare = pc.utf8_trim(pc.replace_substring_regex(bare, pair, r"\1"), _BLANKS)
    is_white = separator in (" ", WHITESPACE)
    if not is_white:  # one behind the last value, as in (5,)
        bare = pc.replace_substring_regex(bare, rf"{re.escape(separator)}\s*$", "")
    bare = pc.if_else(pc.equal(bare, ""), None, bare)
    parted = pc.ascii_split_whitespace(bare) if is_white else pc.split_pattern(bare, separator)
    has_marks = marks and pc.any(pc.match_substring_regex(bare, _MORE_THAN_WORDS)).as_py()
    if has_marks:
        parted = _parted_by_marks(bare, parted, separator, is_white)
        _require_values(parted, pc.match_substring_regex(fields, _ENCLOSED))
    values = pc.utf8_trim(parted.values, _BLANKS)
    return pa.ListArray.from_arrays(parted.offsets, _unmarked(values) if has_marks else values, mask=parted.is_null())


def _parted_by_marks(fields: pa.Array, parted: pa.Array, separator: str, is_white: bool) -> pa.Array:
    """Fields parted anew where a separator lies within quotation marks."""
    is_open = pc.match_substring_regex(pc.utf8_trim(parted.values, _BLANKS), _OPEN)
    rows = pc.unique(pc.list_parent_indices(parted).filter(is_open))
    if not len(rows):
        return parted
    anew = pa.array(_by_marks(fields.take(rows).to_pylist(), separator, is_white), pa.list_(pa.string()))
    places = np.arange(len(parted))
    places[rows.to_numpy()] = len(parted) + np.arange(len(rows))
    return pa.concat_arrays([parted, anew]).take(pa.array(places))


def _require_lists(fields: pa.Array, separator: str) -> None:
    """Refuses fields whose first value tells that they are no lists, or parted by something else."""
    white = separator in (" ", WHITESPACE)
    others = "".join(mark for mark in ",;|" if mark not in separator) + ("" if separator.isspace() else r"\s")
    parts = r"\s" if white else re.escape(separator)
    wrong = {
        rf"""(?s)^{_CALL}(\s*|\s*([\[{{('"]|{_CALL}).*|[^)]*{parts}.*)\)$""": _PRINTED,
        rf"""^[\[(]*\{{\s*([^'"{{}},]*:\s|{_NUMBER}\s*:|\w+=>?[^=,}}\s])""": _OBJECTS,
        rf"(?s)^[\[({{]+\s*{_NUMBER}(\s*[{others}]\s*{_NUMBER})+\s*({parts}.*)?[\])}}]+$": _NOT_PARTED,
    } | ({rf"^[\[({{]*\s*{_NUMBER}[,;|]\s": _NOT_PARTED} if white else {})
    for pattern, said in wrong.items():
        require(pc.invert(pc.match_substring_regex(fields, pattern)), said)


def _require_values(parted: pa.Array, enclosed: pa.Array) -> None:
    """Refuses values that are none; ``C(89)`` is one where no brackets are around all of them."""
    values, parents = pc.utf8_trim(parted.values, _BLANKS), pc.list_parent_indices(parted)
    for wrong, said in {rf"^[\[({{\s]*{_CALL}": _PRINTED, **_WRONG}.items():
        found = pc.match_substring_regex(values, wrong)
        if said == _PRINTED:
            found = pc.and_(found, enclosed.take(parents))
        if pc.any(found).as_py():
            raise BadValueError(parents[pc.index(found, True).as_py()].as_py(), said)


def n_in_one(column: pa.Array, separator: str) -> int:
    """How many fields in brackets would be one value of several words."""
    column = plain(column)
    if separator in (" ", WHITESPACE) or not pa.types.is_string(column.type):
        return 0
    word = rf"""[^\s'"{re.escape(separator)}]+"""
    found = pc.match_substring_regex(pc.utf8_trim(column, " \t"), rf"^[\[({{]\s*{word}(\s+{word})+\s*[\])}}]$")
    return pc.sum(found).as_py() or 0


def _unmarked(values: pa.Array) -> pa.Array:
    """Values without quotation marks around them, and without backslashes before such within."""
    for marks in _MARKS:
        bare = pc.replace_substring_regex(values, marks, r"\1")
        escaped = pc.replace_substring_regex(bare, r"""\\(['"\\])""", r"\1")
        values = pc.if_else(pc.equal(bare, values), values, escaped)
    return values


def _by_marks(fields: Sequence[str], separator: str, is_white: bool) -> Iterator[list[str]]:
    """Lists whose values may have the separator within quotation marks, each with its marks; slow."""
    around = "[" + "".join(blank for blank in _BLANKS if blank != separator) + "]*"
    end = r"\s+" if is_white else rf"{around}{re.escape(separator)}{around}"
    quoted = "|".join(rf"{mark}(?:[^{mark}\\]|\\.)*{mark}(?={end}|\s*$)" for mark in "'\"")
    # by ASCII a blank that does not break parts nothing
    value = re.compile(rf"(?s)({quoted}|(?:(?!{end}).)*)(?:{end}|\s*$)", re.ASCII)
    for field in fields:
        yield list(_matches(value, field))


def _matches(value: re.Pattern[str], field: str) -> Iterator[str]:
    place, is_open = 0, True
    while is_open:
        found = value.match(field, place)
        assert found is not None
        yield found[1]
        place, is_open = found.end(), found.end() < len(field)


def _as_list(column: pa.Array) -> pa.Array:
    """With a list of one missing value where the list itself is missing."""
    column = plain(column)
    column = pc.cast(column, pa.list_(column.type.value_type))
    if not column.null_count:
        return column
    with_none = pa.concat_arrays([column, pa.array([[None]], column.type)])
    return with_none.take(pc.if_else(column.is_null(), len(column), pa.array(np.arange(len(column)))))
