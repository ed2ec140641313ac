"""A user's own file of any kind as batches of columns: delimited text, JSON lines, parquet, feather, Arrow streams.

Each reader yields the needed columns by name, and says where a row is that turns out to be wrong.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import compute as pc
from pyarrow import ipc, parquet

from rec_msa.foundation.errors import DataError, nearest
from rec_msa.interactions.reading.files import mendable
from rec_msa.interactions.reading.layout import Layout, names_columns
from rec_msa.interactions.reading.rows import split
from rec_msa.interactions.reading.text import TextFile, require_columns
from rec_msa.interactions.settings import REST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rec_msa.interactions.reading.files import Part
    from rec_msa.interactions.settings import DatasetSettings

    Batches = Iterator[Mapping[str, pa.Array]]

_BATCH = 1 << 20
"""Rows of a parquet file that are in memory as they stand there beside what they are converted to."""

_LINES = 1 << 16
_SHOWN = 1000
_ALWAYS = (".user", ".item")

# Numbers stay as they are written: an id of 20 digits is no float.
_decode = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str).decode


@dataclass
class OwnFile:
    """One of the files of a user's own table.

    Attributes:
        part: The file.
        dataset: Name of the data set.
        settings: Its settings.
        keys: The parameter that names each column that is read.
        n_breaks: After ``batches``: how many line breaks lie within quoted fields.
        has_unclear_header: After ``batches``: whether the first line may name the columns and was read as data.
    """

    part: Part
    dataset: str
    settings: DatasetSettings
    keys: Mapping[str, str]
    n_breaks: int = field(default=0, init=False)
    has_unclear_header: bool = field(default=False, init=False)

    def batches(self) -> Batches:
        """Reads the columns in batches, with those that the names of folders say."""
        given = {name: value for name, value in self.part.given.items() if name in self.keys}
        for columns in self._batches():
            n = len(next(iter(columns.values())))
            yield {**columns, **{name: pa.repeat(pa.scalar(value, pa.string()), n) for name, value in given.items()}}

    @property
    def has_header(self) -> bool:
        """Whether it is text whose first line names the columns."""
        return self.part.kind == "text" and self.settings.columns is None

    def place_of(self, row: int) -> str:
        """Where a row (counted from 0) is: ``line 7``, or ``row 7`` where there are no lines."""
        match self.part.kind:
            case "json":
                with self.part.open() as file:
                    filled = (number for number, line in enumerate(file, start=1) if line.strip())
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
        )
        return TextFile(self.part, layout)

    def _batches(self) -> Batches:
        if self.part.kind == "json":
            return _of_json(self.part, self._needed, self.keys)
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
        self.has_unclear_header = self.settings.columns is not None and names_columns(self._text.first_rows())
        table = pa.table(columns)
        del columns
        for batch in table.to_batches():
            yield {name: batch.column(name) for name in table.column_names}

    def _of_lines(self, names: list[str]) -> Batches:
        """Lines that hold a few fields and then as many values as there are."""
        *single, rest = names
        start = 0
        for chunk in self._text.lines().chunks:
            fields = split(chunk, self._text.layout.delimiter)
            short = pc.less(pc.fill_null(pc.list_value_length(fields), 0), len(single))
            if pc.any(short).as_py():
                line = self._text.place_of(start + pc.index(short, True).as_py())
                raise DataError(f"{self.part.name}, {line} has fewer than {len(single)} fields; mend the line")
            columns = {name: pc.list_element(fields, place) for place, name in enumerate(single)}
            columns[rest] = pc.list_slice(fields, len(single))
            yield {name: column for name, column in columns.items() if name in self.keys}
            start += len(chunk)


def _of_arrow(part: Part, needed: list[str], keys: Mapping[str, str]) -> Batches:
    try:
        source = part.seekable()
        if part.kind == "parquet":
            file = parquet.ParquetFile(source, pre_buffer=False)
            batches, schema = file.iter_batches(_BATCH, columns=needed), file.schema_arrow
        elif part.kind == "stream":
            batches, schema = (stream := ipc.open_stream(source)), stream.schema
        else:
            file = ipc.open_file(source)
            batches, schema = map(file.get_batch, range(file.num_record_batches)), file.schema
        require_columns(part.name, needed, schema.names, keys)
        for batch in batches:
            yield {name: batch.column(name) for name in needed}
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{part.name} can't be read as {part.kind}: {error}. Write it again") from error


def _of_json(part: Part, needed: list[str], keys: Mapping[str, str]) -> Batches:
    """Fields as strings or lists of strings, null where a line lacks it: what a text file would hold."""

    def require(missing: Sequence[str]) -> None:
        for name in missing:
            raise DataError(f"{part.name}: there is no field '{name}' ({keys[name]}); {nearest(name, seen)}")

    seen: set[str] = set()
    missing = set(needed)
    with mendable(part.name), part.open() as file:
        records = _records(part, file)
        while batch := list(islice(records, _LINES)):
            seen.update(*(batch[:_SHOWN] if missing else ()))
            missing -= set().union(*batch) if missing else set()
            require([name for name in needed if name in missing and keys[name].endswith(_ALWAYS)])
            yield {name: _column(part, name, [record.get(name) for record in batch]) for name in needed}
    require(sorted(missing))


def _records(part: Part, file: Any) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(file, start=1):
        where, again = f"{part.name}, line {number}", "mend the line or get the file again"
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            record = _decode(text) if text else None
        except ValueError as error:  # UnicodeDecodeError and JSONDecodeError
            reason = error.msg if isinstance(error, json.JSONDecodeError) else "it is not UTF-8 text"
            if re.match(rb"\s*\{\s*u?'", line):
                again = "it is as Python prints it: write each line anew by json.dumps(ast.literal_eval(line))"
            raise DataError(f"{where} is no JSON object ({reason}); {again}") from error
        except RecursionError as error:
            raise DataError(f"{where} has too many levels; mend the line") from error
        if isinstance(record, dict):
            yield record
        elif text:
            raise DataError(f"{where} is no JSON object; {again}")


def _column(part: Part, name: str, values: list[Any]) -> pa.Array:
    within = (each for value in values if isinstance(value, list) for each in value)
    if any(isinstance(value, dict) for value in values) or any(isinstance(each, dict | list) for each in within):
        remedy = "write what is needed of it as a field of its own"
        raise DataError(f"{part.name}: the field '{name}' holds objects, or lists of them or of lists; {remedy}")
    if not any(isinstance(value, list) for value in values):
        return pa.array(map(_plain, values), pa.string())
    lists = [value if value is None or isinstance(value, list) else [value] for value in values]
    plain = [value if value is None else [_plain(each) for each in value] for value in lists]
    return pa.array(plain, pa.list_(pa.string()))


def _plain(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return value if value is None or isinstance(value, str) else json.dumps(value)
