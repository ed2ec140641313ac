"""A batch of rows of a user's own table: which of them count, and fields that hold several values as a row each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyarrow import compute as pc

from rec_msa.interactions.reading.columns import is_list, plain, require
from rec_msa.interactions.reading.layout import WHITESPACE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


_BRACKETS = [rf"(?s)^\{left}+([^\{left}\{right}]*)\{right}+$" for left, right in ("[]", "()", "{}")]
"""A pair around a whole field; one that belongs to a value, as in ``Alien (1979)``, is none."""
_MARKS = [rf"(?s)^{mark}(.*){mark}$" for mark in "'\""]


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
        texts = {name: self.columns[name] for name in names}
        if not all(text.type == pa.string() for text in texts.values()):
            return self
        again = [pc.or_(pc.equal(text, name), pc.equal(text, f"\ufeff{name}")) for name, text in texts.items()]
        return self.only(pc.invert(pc.fill_null(reduce(pc.and_, again), False)))

    def one_each(self) -> Rows:
        """A row for each value of the fields that are lists; of several lists the first with the first, and so on.

        Raises:
            BadValueError: A row's lists are of different lengths, or it has one list and lacks the other.
        """
        lists = {name: _as_list(column) for name, column in self.columns.items() if is_list(plain(column).type)}
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


def split(column: pa.Array, separator: str) -> pa.Array:
    """Fields as lists of strings: without brackets around a field, and quotation marks around its values."""
    column = plain(column)
    if not pa.types.is_string(column.type):
        return column
    bare = pc.utf8_trim(column, " \t")
    for pair in _BRACKETS:
        bare = pc.utf8_trim(pc.replace_substring_regex(bare, pair, r"\1"), " \t")
    bare = pc.if_else(pc.equal(bare, ""), None, bare)
    is_white = separator in (" ", WHITESPACE)
    parted = pc.utf8_split_whitespace(bare) if is_white else pc.split_pattern(bare, separator)
    values = pc.utf8_trim(parted.values, " \t")
    for marks in _MARKS:
        values = pc.replace_substring_regex(values, marks, r"\1")
    return pa.ListArray.from_arrays(parted.offsets, values, mask=parted.is_null())


def _as_list(column: pa.Array) -> pa.Array:
    """With a list of one missing value where the list itself is missing."""
    column = plain(column)
    column = pc.cast(column, pa.list_(column.type.value_type))
    if not column.null_count:
        return column
    with_none = pa.concat_arrays([column, pa.array([[None]], column.type)])
    return with_none.take(pc.if_else(column.is_null(), len(column), pa.array(np.arange(len(column)))))
