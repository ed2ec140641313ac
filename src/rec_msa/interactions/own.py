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
import pandas as pd
import pyarrow as pa
from pyarrow import compute as pc
from pyarrow import ipc, parquet

from rec_msa.foundation.errors import DataError
from rec_msa.interactions.columns import BadValueError, plain
from rec_msa.interactions.conditions import Condition
from rec_msa.interactions.files import mendable, parts_of
from rec_msa.interactions.header import names_columns
from rec_msa.interactions.ids import NO_ID, ids_of, look_alikes, whole_ids
from rec_msa.interactions.json_lines import line_of, read_json
from rec_msa.interactions.rows import Rows, split
from rec_msa.interactions.settings import REST
from rec_msa.interactions.text import (
    Layout,
    NoRowsError,
    first_rows,
    place_of,
    read_lines,
    read_text,
    require_columns,
    require_sound_quotes,
)
from rec_msa.interactions.times import Times, mixes_units, moment, times_of, whole_times

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rec_msa.interactions.files import Part
    from rec_msa.interactions.settings import DatasetSettings

_BATCH = 1 << 20
"""Rows of a parquet file that are in memory as they stand there beside what they are converted to."""

_FEW = 20
"""Up to so many different values of a column are shown where none of them was asked for."""

_SIDES = ("user", "item")


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
    parts = _without_empty(parts_of(dataset, settings))
    _require_one_kind(parts)
    table = _Table(dataset, settings)
    for part in parts:
        with contextlib.suppress(*([NoRowsError] if len(parts) > 1 else [])):  # if none has rows, whole() refuses
            table.read(part)
    return table.whole(), table.account()


def _without_empty(parts: list[Part]) -> list[Part]:
    """The files that have a byte, where several are there and one has: Spark writes empty ones beside them."""
    if len(parts) == 1:
        return parts
    held = []
    for part in parts:
        with mendable(part.name):
            held += [part] if part.head else []
    return held or parts


def _require_one_kind(parts: list[Part]) -> None:
    kinds: dict[str, Part] = {}
    for part in parts:
        with mendable(part.name):
            kinds.setdefault(part.kind, part)
    if len(kinds) > 1:
        shown = " and ".join(f"{part.name} ({kind})" for kind, part in kinds.items())
        raise DataError(f"the files are of different kinds: {shown}; name those that belong together")


@dataclass
class _Table:
    """What was read so far."""

    dataset: str
    settings: DatasetSettings
    ids: dict[str, list[pa.Array]] = field(default_factory=lambda: {side: [] for side in _SIDES})
    times: dict[str, list[Times]] = field(default_factory=lambda: {"time": [], "order": []})
    notes: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    negative: dict[str, DataError] = field(default_factory=dict)
    seen: dict[str, list[str]] = field(default_factory=dict)
    n_rows: int = 0
    unclear_header: str | None = None

    def __post_init__(self) -> None:
        self.conditions = {column: Condition.of(asked) for column, asked in self.settings.where.items()}
        self.keys = {column: f"datasets.{self.dataset}.{role}" for role, column in self.settings.roles.items()}
        self.layout = _layout(self.dataset, self.settings, self.keys)

    # ---- the batches of a file

    def read(self, part: Part) -> None:
        """Adds the rows of a file."""
        start = 0
        for columns in self._batches(part):
            n = len(next(iter(columns.values())))
            given = {name: pa.repeat(pa.scalar(value, pa.string()), n) for name, value in self._given(part).items()}
            self._add(part, Rows({**columns, **given}, start))
            start += n
        self.n_rows += start

    def _given(self, part: Part) -> dict[str, str | None]:
        return {name: value for name, value in part.given.items() if name in self.keys}

    def _batches(self, part: Part) -> Iterator[Mapping[str, pa.Array]]:
        needed = [name for name in self.keys if name not in part.given]
        match part.kind:
            case "parquet":
                return self._of_parquet(part, needed)
            case "arrow" | "stream":
                return self._of_arrow(part, needed)
            case "json":
                return read_json(part, needed, self.keys)
        if self.settings.columns is not None:
            names = [name.removesuffix(REST) for name in self.settings.columns]
            require_columns(f"datasets.{self.dataset}.columns", tuple(needed), names, self.keys)
        return self._of_lines(part) if self._has_rest else self._of_text(part, needed)

    @property
    def _has_rest(self) -> bool:
        return bool(self.settings.columns) and self.settings.columns[-1].endswith(REST)  # type: ignore[index]

    def _of_text(self, part: Part, needed: list[str]) -> Iterator[Mapping[str, pa.Array]]:
        layout = self.layout(needed)
        self.notes["line breaks"] += require_sound_quotes(part, layout)
        columns = read_text(part, layout)
        if self.settings.columns and names_columns(first_rows(part, layout, _FEW)):
            self.unclear_header = part.name
        table = pa.table(columns)
        del columns
        for batch in table.to_batches():
            yield {name: batch.column(name) for name in table.column_names}

    def _of_lines(self, part: Part) -> Iterator[Mapping[str, pa.Array]]:
        """Lines that hold a few fields and then as many values as there are."""
        *names, rest = (name.removesuffix(REST) for name in self.settings.columns or ())
        layout = self.layout([*names, rest])
        start = 0
        for chunk in read_lines(part, layout).chunks:
            fields = split(chunk, layout.delimiter)
            short = pc.less(pc.fill_null(pc.list_value_length(fields), 0), len(names))
            if pc.any(short).as_py():
                line = place_of(part, layout, start + pc.index(short, True).as_py())
                raise DataError(f"{part.name}, {line} has fewer than {len(names)} fields; mend the line")
            columns = {name: pc.list_element(fields, place) for place, name in enumerate(names)}
            columns[rest] = pc.list_slice(fields, len(names))
            yield {name: column for name, column in columns.items() if name in self.keys}
            start += len(chunk)

    def _of_parquet(self, part: Part, needed: list[str]) -> Iterator[Mapping[str, pa.Array]]:
        with _readable(part):
            file = parquet.ParquetFile(part.seekable(), pre_buffer=False)
            require_columns(part.name, tuple(needed), file.schema_arrow.names, self.keys)
            for batch in file.iter_batches(_BATCH, columns=needed):
                yield {name: batch.column(name) for name in needed}

    def _of_arrow(self, part: Part, needed: list[str]) -> Iterator[Mapping[str, pa.Array]]:
        with _readable(part):
            source = part.seekable()
            if part.kind == "stream":
                batches, schema = (stream := ipc.open_stream(source)), stream.schema
            else:
                file = ipc.open_file(source)
                batches, schema = map(file.get_batch, range(file.num_record_batches)), file.schema
            require_columns(part.name, tuple(needed), schema.names, self.keys)
            for batch in batches:
                yield {name: batch.column(name) for name in needed}

    # ---- the rows of a batch

    def _add(self, part: Part, rows: Rows) -> None:
        rows = self._counting(part, rows)
        if self.settings.list_separator is not None:
            parted = split(rows.columns[str(self.settings.item)], self.settings.list_separator)
            rows = Rows({**rows.columns, str(self.settings.item): parted}, rows.start, rows.places)
        with self._blaming(part, rows, "item"):
            rows = rows.one_each()
        read = {side: self._ids(part, rows, side) for side in _SIDES}
        kept = self._present(part, rows, read)
        for role in self.times:
            if (column := getattr(self.settings, role)) is not None:
                with self._blaming(part, rows, role):
                    times = times_of(rows.columns[column], self.settings.time_format if role == "time" else None)
                self._require_kind(part, rows, role, times)
                self.times[role].append(times._replace(values=_kept(times.values, kept)))
        for side, values in read.items():
            self.ids[side].append(_kept(values, kept))

    def _counting(self, part: Part, rows: Rows) -> Rows:
        """The rows that fulfil every condition."""
        for column, condition in self.conditions.items():
            if not len(rows):
                return rows
            with self._blaming(part, rows, f"where.{column}"):
                fits = condition.fits(rows.columns[column])
            if column not in self.seen:
                distinct = pc.unique(plain(rows.columns[column]))
                self.seen[column] = [str(value) for value in distinct.to_pylist()] if len(distinct) <= _FEW else []
            n_before, rows = len(rows), rows.only(fits)
            self.dropped[f"where {column}: {condition}"] += n_before - len(rows)
        return rows

    def _ids(self, part: Part, rows: Rows, side: str) -> pa.Array:
        column = rows.columns[getattr(self.settings, side)]
        with self._blaming(part, rows, side):
            values, n_trimmed, n_pointed = ids_of(column, self.settings.missing == "keep")
        self.notes[f"{side} trimmed"] += n_trimmed
        self.notes[f"{side} pointed"] += n_pointed
        self.notes[f"{side} written"] += len(values) - values.null_count
        if pa.types.is_int64(values.type) and side not in self.negative and (pc.min(values).as_py() or 0) < 0:
            requirement = (
                f"is negative, which is no id; where: {{{getattr(self.settings, side)}: '>= 0'}} leaves it out"
            )
            error = BadValueError(pc.index(pc.less(values, 0), True).as_py(), requirement)
            self.negative[side] = self._bad_value(part, rows, side, error)
        return values

    def _present(self, part: Part, rows: Rows, read: Mapping[str, pa.Array]) -> pa.Array | None:
        """Which rows have a user and an item; None where all have."""
        kept = None
        for side, values in read.items():
            if not values.null_count:
                continue
            if self.settings.missing != "drop":
                row = pc.index(values.is_null(), True).as_py()
                raise self._bad_value(part, rows, side, BadValueError(row, NO_ID + self._on_missing(rows, side, row)))
            present = values.is_valid()
            lost = pc.invert(present) if kept is None else pc.and_(kept, pc.invert(present))
            self.dropped[f"no {side}"] += pc.sum(lost).as_py() or 0
            kept = present if kept is None else pc.and_(kept, present)
        return kept

    def _on_missing(self, rows: Rows, side: str, row: int) -> str:
        key = f"datasets.{self.dataset}.missing"
        value = plain(rows.columns[getattr(self.settings, side)])[row].as_py()
        or_keep = f", {key}: keep if this is one" if isinstance(value, str) and value.strip() else ""
        return f"; set {key}: drop to leave out rows without {side}{or_keep}"

    def _require_kind(self, part: Part, rows: Rows, role: str, times: Times) -> None:
        kinds = {batch.kind for batch in self.times[role]} - {None}
        if times.kind is not None and kinds - {times.kind}:
            row = pc.index(times.values.is_valid(), True).as_py()
            error = BadValueError(row, f"is a {times.kind}, and other times are not")
            raise self._bad_value(part, rows, role, error)

    # ---- all of it

    def whole(self) -> pd.DataFrame:
        """The table."""
        if not sum(map(len, self.ids["user"])):
            raise DataError(self._why_nothing())
        columns = {}
        for side in _SIDES:
            ids = whole_ids(self.ids.pop(side))
            if pa.types.is_int64(ids.type) and side in self.negative:
                raise self.negative[side]
            self.notes[f"{side} look-alikes"] = look_alikes(ids)
            columns[side] = ids.to_pandas() if pa.types.is_string(ids.type) else pd.Series(ids.to_numpy(), copy=False)
        self.whole_time = self._whole_times("time")
        times = pd.Series(pd.NA, index=columns["user"].index, dtype="Int64")
        if self.whole_time is not None:
            times = pd.Series(as_integers(self.whole_time.values), copy=False)
        table = pd.DataFrame({**columns, "timestamp": times}, copy=False)
        order = self._whole_times("order")
        return table if order is None else table.iloc[_in_order(order)].reset_index(drop=True)

    def _whole_times(self, role: str) -> Times | None:
        batches = self.times.pop(role)
        try:
            return whole_times(batches) if batches else None
        except OverflowError as error:
            raise DataError(
                f"{', '.join(self.settings.paths)}, column {getattr(self.settings, role)}: {error}"
            ) from error

    def account(self) -> dict[str, Any]:
        """What was read and what was not; after ``whole``."""
        dropped = {reason: n for reason, n in self.dropped.items() if n}
        account: dict[str, Any] = {"rows": self.n_rows, "dropped": dropped, "odd": self._odd()}
        if self.whole_time is not None and self.whole_time.kind is not None:
            bounds = pc.min_max(self.whole_time.values).as_py()
            if mixes_units(bounds["min"], bounds["max"], self.whole_time):
                account["odd"].append("some times look like seconds and others like parts of them")
            account |= {
                f"time_{end}": moment(bounds[of], self.whole_time) for end, of in (("from", "min"), ("to", "max"))
            }
        return account

    def _odd(self) -> list[str]:
        said = {
            "line breaks": "line breaks within quoted fields",
            **{f"{side} trimmed": f"{side} ids had blanks around them, which were taken off" for side in _SIDES},
            **{f"{side} pointed": f"{side} ids were written as 12.0 and are 12" for side in _SIDES},
            **{
                f"{side} look-alikes": f"{side} ids differ from others only in capitals or zeros at the start"
                for side in _SIDES
            },
        }
        for side in _SIDES:  # where all are written so, nothing is odd
            self.notes[f"{side} pointed"] %= self.notes[f"{side} written"]
        odd = [f"{self.notes[note]:,} {text}" for note, text in said.items() if self.notes[note]]
        if self.unclear_header is not None:
            odd.append(f"the first line of {self.unclear_header} may name the columns and was read as data")
        return odd

    def _why_nothing(self) -> str:
        where = ", ".join(self.settings.paths)
        if not self.n_rows:
            return f"{where} has no rows: write it again"
        reasons = (
            "; ".join(f"{n:,} left out by {reason}" for reason, n in self.dropped.items() if n) or "no list has items"
        )
        seen = "".join(
            f"; {column} has {', '.join(values)}"
            for column, values in self.seen.items()
            if values and any(n for reason, n in self.dropped.items() if reason.startswith(f"where {column}:"))
        )
        return f"{where} has {self.n_rows:,} rows and none of them counts: {reasons}{seen}"

    # ---- what is wrong, and where

    @contextlib.contextmanager
    def _blaming(self, part: Part, rows: Rows, role: str) -> Iterator[None]:
        try:
            yield
        except BadValueError as error:
            raise self._bad_value(part, rows, role, error) from error

    def _bad_value(self, part: Part, rows: Rows, role: str, error: BadValueError) -> DataError:
        name = self.settings.roles[role]
        value = rows.columns[name][error.row].as_py() if error.row < len(rows) else None
        return DataError(
            f"{part.name}, {self._place(part, rows.place(error.row))}, column {name}: {value!r} {error.requirement}; "
            "mend the row or get the file again"
        )

    def _place(self, part: Part, row: int) -> str:
        if part.kind == "json":
            return f"line {line_of(part, row)}"
        return place_of(part, self.layout(list(self.keys)), row) if part.kind == "text" else f"row {row + 1}"


def _layout(dataset: str, settings: DatasetSettings, keys: Mapping[str, str]) -> Any:
    """How text files are laid out, given the columns that are read of them."""
    quoted = None if settings.quotes == "none" else settings.quotes

    def of(needed: list[str]) -> Layout:
        return Layout(
            delimiter=settings.separator or ",",
            columns=settings.columns or tuple(needed),
            header=settings.columns is None,
            quoted=quoted,
            keys={name: keys[name] for name in needed if name in keys},
            dataset=dataset,
            encoding=settings.encoding,
        )

    return of


def as_integers(column: pa.ChunkedArray) -> pd.arrays.IntegerArray:
    """Whole numbers with their gaps as pandas has them."""
    values = column.fill_null(0).to_numpy() if column.null_count else column.to_numpy()
    return pd.arrays.IntegerArray(values, column.is_null().to_numpy())


def _kept(values: pa.Array, kept: pa.Array | None) -> pa.Array:
    return values if kept is None else values.filter(kept)


def _in_order(order: Times) -> np.ndarray:
    """The rows by what orders them, those without it last; equal ones as they stand."""
    missing = order.values.is_null().to_numpy()
    return np.lexsort((order.values.fill_null(0).to_numpy(), missing))


@contextlib.contextmanager
def _readable(part: Part) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{part.name} can't be read as {part.kind}: {error}. Write it again") from error
