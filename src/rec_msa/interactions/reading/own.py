"""A user's own table: files of many kinds as user, item and time, and an account of what was read and what was not.

Files are read one after another and in batches. Of each batch the rows that count are taken, lists become rows, and
ids and times are converted; what all batches together are is decided at the end.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import compute as pc

from rec_msa.foundation.errors import DataError
from rec_msa.interactions.reading.batches import OwnFile
from rec_msa.interactions.reading.columns import BadValueError, interactions, plain
from rec_msa.interactions.reading.conditions import Condition
from rec_msa.interactions.reading.files import mendable, parts_of
from rec_msa.interactions.reading.ids import NO_ID, Ids, few_words, ids_of, odd_ids, whole_ids
from rec_msa.interactions.reading.rows import Rows, n_in_one, with_lists
from rec_msa.interactions.reading.text import NoRowsError
from rec_msa.interactions.reading.times import Times, mixes_units, moment, outside, times_of, whole_times

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from rec_msa.interactions.reading.files import Part
    from rec_msa.interactions.settings import DatasetSettings

_FEW = 20
"""Up to so many different values of a column are shown where none of them was asked for."""

_SHOWN = 5
_SIDES = ("user", "item")
_ODD = {
    "trimmed": "had blanks around them, which were taken off",
    "pointed": "were written as 12.0 and are 12",
    "unclear": "were written as 1.000 and are 1: if that is a thousand, write ids without points or commas",
    "nobody": "are -1, which may stand for nobody: where leaves them out",
    "lists": "look like lists: set list_separator to what parts their values",
    "cut": "end with a comma, semicolon or bar: list_separator or separator may be that",
    "look-alikes": "differ from others only in capitals or zeros at the start",
}


def read_own(dataset: str, settings: DatasetSettings) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Reads a user's own table.

    Args:
        dataset: Name of the data set.
        settings: Its settings.

    Returns:
        The columns ``user`` and ``item`` (int64 where all are whole numbers, else strings) and ``timestamp`` (Int64),
        a row for each interaction in the files' order; and an account: ``rows`` in the files, those ``dropped`` by
        reason, ``time_from`` and ``time_to``, and what is ``odd``.

    Raises:
        DataError: A file is missing, damaged, not laid out as said, or has a bad value; the message names the file,
            line, column, value and remedy.
    """
    parts = _of_one_kind(parts_of(dataset, settings))
    keys = {column: f"datasets.{dataset}.{role}" for role, column in settings.roles.items()}
    table = _Table(dataset, settings)
    for part in parts:
        with contextlib.suppress(*([NoRowsError] if len(parts) > 1 else [])):  # if none has rows, whole() refuses
            table.read(OwnFile(part, dataset, settings, keys, is_alone=len(parts) == 1))
    return table.whole(), table.account()


def _of_one_kind(parts: list[Part]) -> list[Part]:
    """Refuses files of several kinds; leaves out empty ones, which Spark writes, where others are not."""
    held: list[Part] = []
    for part in parts:
        with mendable(part.name):
            held += [part] if len(parts) == 1 or part.head else []
    kinds: dict[str, str] = {}
    for part in (kept := held or parts):
        with mendable(part.name):
            kinds.setdefault(part.kind, part.name)
    if len(kinds) > 1:
        shown = " and ".join(f"{name} ({kind})" for kind, name in kinds.items())
        raise DataError(f"the files are of different kinds: {shown}; name those that belong together")
    return kept


@dataclass
class _Table:
    """What was read so far."""

    dataset: str
    settings: DatasetSettings
    ids: dict[str, list[Ids]] = field(default_factory=lambda: {side: [] for side in _SIDES})
    times: dict[str, list[Times]] = field(default_factory=lambda: {"time": [], "order": []})
    notes: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    negative: dict[str, DataError] = field(default_factory=dict)
    seen: dict[str, list[str]] = field(default_factory=dict)
    words: dict[str, tuple[list[str], int]] = field(default_factory=dict)
    unclear_header: str | None = None
    n_rows: int = 0
    whole_time: Times | None = None

    def __post_init__(self) -> None:
        self.conditions = {column: Condition.of(asked) for column, asked in self.settings.where.items()}

    def read(self, file: OwnFile) -> None:
        """Adds the rows of a file."""
        start = 0
        for columns in file.batches():
            rows = Rows(columns, start)
            start += len(rows)
            self._add(file, rows)
        self.n_rows += start
        self.notes.update({"line breaks": file.n_breaks, "comments": file.n_comments})
        if file.has_unclear_header:
            self.unclear_header = file.part.name

    # ---- the rows of a batch

    def _add(self, file: OwnFile, rows: Rows) -> None:
        if file.part.kind == "text":
            names = [self.settings.roles[side] for side in _SIDES]
            for reason, taken_out in {
                "lines of dashes": Rows.without_rules,
                "the header again": Rows.without_names,
            }.items():
                n_before, rows = len(rows), taken_out(rows, names)
                self.dropped[reason] += n_before - len(rows)
        item, lists = self.settings.roles["item"], rows.lists()
        lists = lists if item in lists else []  # then a condition on one beside it is about each value
        rows = self._counting(file, rows, [name for name in self.conditions if name not in lists])
        with self._blaming(file, rows, "item"):
            if self.settings.list_separator is not None:
                beside = [name for role, name in self.settings.roles.items() if role in self.times]
                self.notes["in one"] += n_in_one(rows.columns[item], self.settings.list_separator)
                rows = with_lists(rows, item, beside, self.settings.list_separator)
            rows = rows.one_each()
        rows = self._counting(file, rows, [name for name in self.conditions if name in lists])
        read = {side: self._ids(file, rows, side) for side in _SIDES}
        kept = self._present(file, rows, {side: ids.values for side, ids in read.items()})
        for role in self.times:
            if role in self.settings.roles:
                times = self._times(file, rows, role)
                self.times[role].append(times._replace(values=_kept(times.values, kept)))
        for side, ids in read.items():
            written = None if ids.written is None else _kept(ids.written, kept)
            self.ids[side].append(ids._replace(values=_kept(ids.values, kept), written=written))

    def _counting(self, file: OwnFile, rows: Rows, columns: Sequence[str]) -> Rows:
        """The rows that fulfil the conditions on some columns."""
        for column in columns:
            if not len(rows):
                return rows
            condition, is_time = self.conditions[column], column == self.settings.time
            with self._blaming(file, rows, f"where.{column}"):
                fits = condition.fits(rows.columns[column], self.settings.time_format if is_time else None)
            if column not in self.seen:
                distinct = pc.unique(plain(rows.columns[column]))
                self.seen[column] = [str(value) for value in distinct.to_pylist()] if len(distinct) <= _FEW else []
            n_before, rows = len(rows), rows.only(fits)
            self.dropped[f"where {column}: {condition}"] += n_before - len(rows)
        return rows

    def _ids(self, file: OwnFile, rows: Rows, side: str) -> Ids:
        name = self.settings.roles[side]
        with self._blaming(file, rows, side):
            values, *counts = ids = ids_of(rows.columns[name], self.settings.missing == "keep")
        notes = [f"{side} {note}" for note in ("written", "trimmed", "pointed", "unclear")]
        self.notes.update(dict(zip(notes, (len(values) - values.null_count, *counts[:3]), strict=True)))
        is_whole = pa.types.is_int64(values.type)
        self.notes[f"{side} nobody"] += pc.sum(pc.equal(values, -1 if is_whole else "-1")).as_py() or 0
        if is_whole and side not in self.negative and (pc.min(values).as_py() or 0) < 0:
            remedy = "" if name in rows.from_lists else f"; where: {{{name}: '>= 0'}} leaves it out"
            wrong = f"is negative, which is no id{remedy}"
            row = pc.index(pc.less(values, 0), True).as_py()
            self.negative[side] = self._bad_value(file, rows, side, BadValueError(row, wrong))
        return ids

    def _present(self, file: OwnFile, rows: Rows, read: Mapping[str, pa.Array]) -> pa.Array | None:
        """Which rows have a user and an item; None where all have."""
        kept = None
        for side, values in read.items():
            if not values.null_count:
                continue
            if self.settings.missing != "drop":
                row = pc.index(values.is_null(), True).as_py()
                raise self._bad_value(file, rows, side, BadValueError(row, NO_ID + self._on_missing(rows, side, row)))
            present = values.is_valid() if kept is None else pc.and_(kept, values.is_valid())
            self.dropped[f"no {side}"] += (len(values) if kept is None else kept.true_count) - present.true_count
            kept = present
        return kept

    def _on_missing(self, rows: Rows, side: str, row: int) -> str:
        key = f"datasets.{self.dataset}.missing"
        value = plain(rows.columns[self.settings.roles[side]])[row].as_py()
        or_keep = f", {key}: keep if this is one" if isinstance(value, str) and value.strip() else ""
        return f"; set {key}: drop to leave out rows without {side}{or_keep}"

    def _times(self, file: OwnFile, rows: Rows, role: str) -> Times:
        with self._blaming(file, rows, role):
            column = rows.columns[self.settings.roles[role]]
            times = times_of(column, self.settings.time_format) if role == "time" else times_of(column, clocks=True)
            self.notes["rounded times"] += times.n_rounded
            others = {batch.kind for batch in self.times[role]} - {None, times.kind}
            if times.kind is not None and others:
                row = pc.index(times.values.is_valid(), True).as_py()
                raise BadValueError(row, f"is a {times.kind}, and other times are not")
        return times

    # ---- all of it

    def whole(self) -> pd.DataFrame:
        """The table."""
        if not any(len(ids.values) for ids in self.ids["user"]):
            raise DataError(self._why_nothing())
        columns = {}
        for side in _SIDES:
            columns[side] = self._whole_ids(side)
            if pa.types.is_int64(columns[side].type) and side in self.negative:
                raise self.negative[side]
            if pa.types.is_string(columns[side].type):
                distinct = pc.unique(columns[side])
                self.words[side] = few_words(distinct)
                self.notes.update({f"{side} {note}": n for note, n in odd_ids(distinct).items()})
        self.whole_time = self._whole_times("time")
        if self.whole_time is not None:
            columns["timestamp"] = self.whole_time.values
        table = interactions(columns)
        order = self._whole_times("order")
        if order is None:
            return table
        keys = order.values.fill_null(0).to_numpy(), order.values.is_null().to_numpy()  # those without it last
        return table.iloc[np.lexsort(keys)].reset_index(drop=True)

    def _whole_ids(self, side: str) -> pa.ChunkedArray:
        batches = self.ids.pop(side)
        if not any(batch.has_thousands for batch in batches):
            return whole_ids([batch.values for batch in batches])
        self.notes[f"{side} pointed"] -= self.notes.pop(f"{side} unclear", 0)  # 1.000 is a thousand, too
        return whole_ids([batch.values if batch.written is None else batch.written for batch in batches])

    def _whole_times(self, role: str) -> Times | None:
        batches = self.times.pop(role)
        try:
            return whole_times(batches) if batches else None
        except OverflowError as error:
            where = f"{', '.join(self.settings.paths)}, column {self.settings.roles[role]}"
            raise DataError(f"{where}: {error}") from error

    def account(self) -> dict[str, Any]:
        """What was read and what was not; after ``whole``."""
        dropped = {reason: n for reason, n in self.dropped.items() if n}
        account: dict[str, Any] = {"rows": self.n_rows, "dropped": dropped, "odd": self._odd()}
        times = self.whole_time
        if times is not None and times.values.null_count < len(times.values):
            first, last = pc.min_max(times.values).as_py().values()
            if (said := outside(times.values, times)) is not None:
                account["odd"].append(said)
            if mixes_units(first, last, times):
                account["odd"].append("some times look like seconds and others like parts of them")
            account |= {"time_from": moment(first, times), "time_to": moment(last, times)}
        return account

    def _odd(self) -> list[str]:
        for side in _SIDES:  # where all are written so, nothing is odd
            if self.notes[f"{side} pointed"] == self.notes[f"{side} written"]:
                self.notes[f"{side} pointed"] = self.notes[f"{side} unclear"] = 0
        said = {
            "line breaks": "line breaks within quoted fields",
            "comments": "lines before the first row are comments",
            "in one": "lists are one value with blanks in it: another list_separator may part them",
            "rounded times": "times may have lost digits: written as 1.49E+12, or floats too large to be exact",
        }
        said |= {f"{side} {note}": f"{side} ids {text}" for note, text in _ODD.items() for side in _SIDES}
        odd = [f"{self.notes[note]:,} {text}" for note, text in said.items() if self.notes[note]]
        odd += [self._of_words(side, *words) for side, words in self.words.items() if words[0]]
        if self.unclear_header is not None:
            odd.append(f"the first line of {self.unclear_header} may name the columns and was read as data")
        return odd

    def _of_words(self, side: str, words: list[str], n_ids: int) -> str:
        shown = [word if len(word) <= _FEW else f"{word[:_FEW]}*" for word in words[:_SHOWN]]
        asked = ", ".join(f"'!= {word}'" for word in shown) + (", ..." if len(words) > _SHOWN else "")
        return (
            f"{len(words)} of {n_ids:,} {side} ids are no whole numbers: if they are no {side}s, "
            f"where: {{{self.settings.roles[side]}: [{asked}]}} leaves them out"
        )

    def _why_nothing(self) -> str:
        where = ", ".join(self.settings.paths)
        if not self.n_rows:
            return f"{where} has no rows: write it again"
        reasons = {reason: n for reason, n in self.dropped.items() if n}
        said = "; ".join(f"{n:,} left out by {reason}" for reason, n in reasons.items()) or "no list has items"
        seen = "".join(
            f"; {column} has {', '.join(values)}"
            for column, values in self.seen.items()
            if values and any(reason.startswith(f"where {column}:") for reason in reasons)
        )
        return f"{where} has {self.n_rows:,} rows and none of them counts: {said}{seen}"

    # ---- what is wrong, and where

    @contextlib.contextmanager
    def _blaming(self, file: OwnFile, rows: Rows, role: str) -> Iterator[None]:
        try:
            yield
        except BadValueError as error:
            raise self._bad_value(file, rows, role, error) from error

    def _bad_value(self, file: OwnFile, rows: Rows, role: str, error: BadValueError) -> DataError:
        name = self.settings.roles[role]
        value = rows.columns[name][error.row].as_py() if error.row < len(rows) else None
        return error.at(f"{file.part.name}, {file.place_of(rows.place(error.row))}", name, value)


def _kept(values: pa.Array, kept: pa.Array | None) -> pa.Array:
    return values if kept is None else values.filter(kept)
