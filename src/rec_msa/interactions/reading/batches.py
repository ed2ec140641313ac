"""A user's own file of any kind as batches of columns: delimited text, JSON lines, parquet, feather, Arrow streams.

Each reader yields the needed columns by name, and says where a row is that turns out to be wrong.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import compute as pc
from pyarrow import ipc, parquet

from rec_msa.foundation.errors import DataError, nearest
from rec_msa.interactions.reading.columns import is_list
from rec_msa.interactions.reading.files import mendable
from rec_msa.interactions.reading.layout import Layout, names_columns
from rec_msa.interactions.reading.rows import split
from rec_msa.interactions.reading.text import NoRowsError, TextFile, require_columns
from rec_msa.interactions.settings import REST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rec_msa.interactions.reading.files import Part
    from rec_msa.interactions.settings import DatasetSettings

    Batches = Iterator[Mapping[str, pa.Array]]

_BATCH = 1 << 20
"""Rows of a parquet file that are in memory as they stand there beside what they are converted to."""

_LINES = 1 << 16
_SHOWN = 1000
_ALWAYS = (".user", ".item")

# Numbers stay as they are written: an id of 20 digits is no float.
_OF_PYTHON = re.compile(r"[{,]\s*u?'[^']*'\s*:")
_decode = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str).decode


@dataclass
class OwnFile:
    """One of the files of a user's own table.

    Attributes:
        part: The file.
        dataset: Name of the data set.
        settings: Its settings.
        keys: The parameter that names each column that is read.
        is_alone: Whether it is the only file.
        n_breaks: After ``batches``: how many line breaks lie within quoted fields.
        has_unclear_header: After ``batches``: whether the first line may name the columns and was read as data.
    """

    part: Part
    dataset: str
    settings: DatasetSettings
    keys: Mapping[str, str]
    is_alone: bool
    n_breaks: int = field(default=0, init=False)
    has_unclear_header: bool = field(default=False, init=False)

    def batches(self) -> Batches:
        """Reads the columns in batches, with those that the names of folders say.

        Where those names say all that is needed the file is one row, whatever it holds.
        """
        given = {name: value for name, value in self.part.given.items() if name in self.keys}
        for columns in self._batches() if self._needed else [{}]:
            n = len(next(iter(columns.values()), [None]))
            yield {**columns, **{name: pa.repeat(pa.scalar(value, pa.string()), n) for name, value in given.items()}}

    def first_rows(self) -> list[list[str]]:
        """The fields of the first lines of text, names too; nothing of another kind of file."""
        with mendable(self.part.name):
            return self._text.first_rows() if self.part.kind == "text" else []

    @property
    def n_comments(self) -> int:
        """How many lines of text before the first row are comments."""
        return self._text.n_comments if self.part.kind == "text" else 0

    def place_of(self, row: int) -> str:
        """Where a row (counted from 0) is: ``line 7``, ``row 7`` where there are no lines, or in the folders' names."""
        if not self._needed:
            return "the names of its folders"
        match self.part.kind:
            case "json":
                filled = (number for number, line in self._text.numbered() if line.strip())
                return f"line {next(islice(filled, row, None))}"
            case "text":
                return self._text.place_of(row)
        return f"row {row + 1}"

    @cached_property
    def _needed(self) -> list[str]:
        return [name for name in self.keys if name not in self.part.given]

    @cached_property
    def _text(self) -> TextFile:
        settings = self.settings
        layout = Layout(
            delimiter=settings.separator or ",",
            columns=settings.columns or tuple(self._needed),
            header=settings.columns is None,
            quoted=None if settings.quotes == "none" else settings.quotes,
            keys={name: self.keys[name] for name in self._needed},
            dataset=self.dataset,
            encoding=settings.encoding,
            is_part=not self.is_alone,
        )
        return TextFile(self.part, layout)

    def _batches(self) -> Batches:
        if self.part.kind == "json":
            return _of_json(self._text, self._needed, self.keys)
        if self.part.kind != "text":
            return _of_arrow(self.part, self._needed, self.keys)
        columns = self.settings.columns
        if columns is None:
            return self._of_text()
        names = [name.removesuffix(REST) for name in columns]
        require_columns(f"datasets.{self.dataset}.columns", self._needed, names, self.keys)
        return self._of_lines(names) if columns[-1].endswith(REST) else self._of_text()

    def _of_text(self) -> Batches:
        self._text.require_header()
        self.n_breaks = self._text.require_sound_quotes()
        columns = self._text.columns()
        self.has_unclear_header = self.settings.columns is not None and self._text.may_name_columns()
        table = pa.table(columns)
        del columns
        for batch in table.to_batches():
            yield {name: batch.column(name) for name in table.column_names}

    def _of_lines(self, names: list[str]) -> Batches:
        """Lines that hold a few fields and then as many values as there are."""
        *single, rest = names
        start = 0
        self._look_at_first_line(names)
        for chunk in self._text.lines().chunks:
            fields = split(chunk, self._text.layout.delimiter, marks=False)
            short = pc.less(pc.fill_null(pc.list_value_length(fields), 0), len(single))
            if pc.any(short).as_py():
                line = self._text.place_of(start + pc.index(short, True).as_py())
                raise DataError(f"{self.part.name}, {line} has fewer than {len(single)} fields; mend the line")
            columns = {name: pc.list_element(fields, place) for place, name in enumerate(single)}
            columns[rest] = pc.list_slice(fields, len(single))
            yield {name: column for name, column in columns.items() if name in self.keys}
            start += len(chunk)

    def _look_at_first_line(self, names: Sequence[str]) -> None:
        """Refuses one that names the columns; notes one that may, since it begins with a word and the next does not."""
        first, *others = self._text.first_rows() or [[]]
        if not first:
            raise NoRowsError(f"{self.part.name} is empty: get it again")
        sure = names[:-1] or names  # what follows the last of them is data, whatever it is called
        if [text.strip().casefold() for text in first[: len(sure)]] == [name.casefold() for name in sure]:
            raise DataError(f"{self.part.name}, {self._text.place_of(0)} names the columns itself: take it out")
        self.has_unclear_header = bool(others) and names_columns([first[:1], others[0][:1]])


def _of_arrow(part: Part, needed: list[str], keys: Mapping[str, str]) -> Batches:
    try:
        source = part.seekable()
        if part.kind == "parquet":
            file = parquet.ParquetFile(source, pre_buffer=False)
            tops = _tops(part, file.schema_arrow, needed, keys)
            batches = file.iter_batches(_BATCH, columns=list(tops.values()))
        elif part.kind == "stream":
            batches = ipc.open_stream(source)
            tops = _tops(part, batches.schema, needed, keys)
        else:
            file = ipc.open_file(source)
            tops = _tops(part, file.schema, needed, keys)
            batches = map(file.get_batch, range(file.num_record_batches))
        for batch in batches:
            yield {name: _inner(batch.column(top), name[len(top) + 1 :]) for name, top in tops.items()}
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{part.name} can't be read as {part.kind}: {error}. Write it again") from error


def _tops(part: Part, schema: pa.Schema, needed: list[str], keys: Mapping[str, str]) -> dict[str, str]:
    """The columns that hold those that are needed, which may lie within: ``user`` of ``user.id``."""
    found = list(_dotted(schema))
    require_columns(part.name, needed, [name for name, _ in found], keys)
    for name, kind in found:
        if name in needed and pa.types.is_struct(kind):  # beside user R may have a column user.age
            raise _of_objects(part, name, next((f"{name}.{each.name}" for each in kind), None))
    return {name: max((top for top in schema.names if f"{name}.".startswith(f"{top}.")), key=len) for name in needed}


def _dotted(fields: Iterable[pa.Field], above: str = "") -> Iterator[tuple[str, pa.DataType]]:
    """Columns and what lies within them, also within lists of objects: names, and types without lists around them."""
    for each in fields:
        kind = each.type
        while is_list(kind):
            kind = kind.value_type
        yield above + each.name, kind
        if pa.types.is_struct(kind):
            yield from _dotted(kind, f"{above}{each.name}.")


def _inner(column: pa.Array, name: str) -> pa.Array:
    """What lies under a dotted name within a column; of lists of objects, lists."""
    if not name:
        return column
    if is_list(column.type):
        lists = pc.cast(column, pa.list_(column.type.value_type))
        # one that is cut out of another array takes no mask
        offsets = pc.add(lists.offsets, 0)
        return pa.ListArray.from_arrays(offsets, _inner(lists.values, name), mask=lists.is_null())
    top = max((each.name for each in column.type if f"{name}.".startswith(f"{each.name}.")), key=len)
    return _inner(pc.struct_field(column, top), name[len(top) + 1 :])


def _of_json(text: TextFile, needed: list[str], keys: Mapping[str, str]) -> Batches:
    """Fields as strings or lists of strings, null where a line lacks it: what a text file would hold."""

    def require(missing: Sequence[str]) -> None:
        for name in missing:
            raise DataError(f"{part.name}: there is no field '{name}' ({keys[name]}); {nearest(name, seen)}")

    part = text.part
    seen: set[str] = set()
    missing = set(needed)
    with mendable(part.name):
        records = _records(text)
        while batch := list(islice(records, _LINES)):
            if missing:
                seen.update(*map(_names, batch[:_SHOWN]))
                missing -= {name for name in missing if any(name in _names(record) for record in batch)}
            require([name for name in needed if name in missing and keys[name].endswith(_ALWAYS)])
            yield {name: _column(part, name, [_within(record, name) for record in batch]) for name in needed}
    require(sorted(missing))


def _names(record: Any, above: str = "") -> Iterator[str]:
    """Names of fields and of what lies within them, also within lists of objects."""
    if isinstance(record, list):
        yield from chain.from_iterable(_names(each, above) for each in record)
    elif isinstance(record, dict):
        for name, value in record.items():
            yield above + name
            yield from _names(value, f"{above}{name}.")


def _within(value: Any, name: str) -> Any:
    """The field of an object, or what lies under a dotted name; of lists of objects, a list; None where it is not."""
    if isinstance(value, list):
        return [_within(each, name) for each in value]
    if not isinstance(value, dict):
        return None
    if name in value:
        return value[name]
    top, _, rest = name.partition(".")
    return _within(value.get(top), rest) if rest else None


def _records(text: TextFile) -> Iterator[dict[str, Any]]:
    for number, line in text.numbered():
        where, again = f"{text.part.name}, line {number}", "mend the line or get the file again"
        try:
            record = _decode(bare) if (bare := line.strip()) else None
        except json.JSONDecodeError as error:
            if _OF_PYTHON.search(line):
                again = "it is as Python prints it: write each line anew by json.dumps(ast.literal_eval(line))"
            raise DataError(f"{where} is no JSON object ({error.msg}); {again}") from error
        except RecursionError as error:
            raise DataError(f"{where} has too many levels; mend the line") from error
        if isinstance(record, dict):
            yield record
        elif bare:
            raise DataError(f"{where} is no JSON object; {again}")


def _of_objects(part: Part, name: str, inner: str | None) -> DataError:
    remedy = "write what is needed of it as a field of its own" if inner is None else f"name what is needed, as {inner}"
    return DataError(f"{part.name}: the field '{name}' holds objects, or lists of them or of lists; {remedy}")


def _column(part: Part, name: str, values: list[Any]) -> pa.Array:
    within = (each for value in values if isinstance(value, list) for each in value)
    if any(isinstance(value, dict) for value in values) or any(isinstance(each, dict | list) for each in within):
        raise _of_objects(part, name, next(_names(values, f"{name}."), None))
    if not any(isinstance(value, list) for value in values):
        return pa.array(map(_plain, values), pa.string())
    lists = [value if value is None or isinstance(value, list) else [value] for value in values]
    plain = [value if value is None else [_plain(each) for each in value] for value in lists]
    return pa.array(plain, pa.list_(pa.string()))


def _plain(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return value if value is None or isinstance(value, str) else json.dumps(value)
