"""Delimited text as columns of strings, quickly; and, where it is bad, which line is to blame.

The good path is one pass of Arrow's reader over the columns that are needed. Only when something is wrong is the
file read again line by line, to name the line.
"""

from __future__ import annotations

import contextlib
import csv
import zlib
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import csv as arrow_csv

from rec_msa.errors import DataError, nearest
from rec_msa.interactions.acquisition import open_raw

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """How a delimited text file is laid out.

    Attributes:
        delimiter: One character, or the same character twice.
        columns: The columns to read: all of the file's in their order or, where it has a header, the needed ones.
        header: Whether the first line names the columns.
        quoted: Whether fields may be in double quotes.
        optional: Columns at the end that the whole file may lack.
        keys: For a user's own file, the parameter that names each column.
    """

    delimiter: str
    columns: tuple[str, ...]
    header: bool = False
    quoted: bool = False
    optional: frozenset[str] = frozenset()
    keys: Mapping[str, str] = field(default_factory=dict)


def read_text(path: Path, layout: Layout) -> dict[str, pa.ChunkedArray]:
    """Reads the columns of a delimited text file as strings; a ``.gz`` is decompressed.

    Args:
        path: The file, UTF-8 with or without a byte order mark.
        layout: How it is laid out.

    Returns:
        Each column that the file has, by name. Blank lines are left out.

    Raises:
        DataError: The file is missing, empty, damaged or not UTF-8, lacks a column, or has a line with the wrong
            number of fields.
    """
    with _mendable(path):
        positions, n_fields = _positions(path, layout)
    try:
        table = _arrow_table(path, layout, list(positions.values()), n_fields)
    except (pa.ArrowInvalid, OSError) as error:
        with _mendable(path):
            _blame_a_line(path, layout, n_fields)
        raise DataError(f"{path} can't be read as delimited text: {error}. Get it again") from error
    if table.num_rows == 0:
        raise DataError(f"{path} has no rows below its header: get it again")
    return dict(zip(positions, table.columns, strict=True))


def place_of(path: Path, layout: Layout, row: int) -> str:
    """Says on which line a row (counted from 0, without the header) starts, as ``line 7``."""
    record = next(islice(_records(path, layout), int(layout.header) + row, None), None)
    # quotes in odd places may part records otherwise here than in Arrow's reader
    return f"row {row + 1}" if record is None else f"line {record[0]}"


def require_columns(path: Path, needed: tuple[str, ...], present: list[str], keys: Mapping[str, str]) -> None:
    """Refuses a file that lacks a column or has it twice, with the nearest name that it does have."""
    for name in needed:
        key = f" ({keys[name]})" if name in keys else ""
        if name not in present:
            raise DataError(f"{path}: there is no column '{name}'{key}; {nearest(name, present)}")
        if present.count(name) > 1:
            raise DataError(f"{path}: {present.count(name)} columns are named '{name}'{key}: rename all but one")


def _positions(path: Path, layout: Layout) -> tuple[dict[str, int], int]:
    """Returns where the layout's columns are among the fields of a line, and the number of fields."""
    first = next(_records(path, layout, strict=True), None)
    if first is None:
        raise DataError(f"{path} is empty: get it again")
    line, fields = first
    if layout.header:
        if line > 1:
            raise DataError(f"{path}, line 1 is blank: the first line must name the columns")
        require_columns(path, layout.columns, fields, layout.keys)
        return {name: fields.index(name) for name in layout.columns}, len(fields)
    fewest = len(layout.columns) - len(layout.optional)
    if not fewest <= len(fields) <= len(layout.columns):
        raise _wrong_number(path, line, len(fields), _either(fewest, len(layout.columns)), layout)
    return {name: index for index, name in enumerate(layout.columns[: len(fields)])}, len(fields)


def _arrow_table(path: Path, layout: Layout, positions: list[int], n_fields: int) -> pa.Table:
    """Reads the columns at some positions, as strings, in that order."""
    # Arrow splits at single characters: "::" then leaves a column between two fields, which must be empty
    step = len(layout.delimiter)
    gaps = [index for index in range((n_fields - 1) * step) if index % step]
    names = [str(index) for index in range((n_fields - 1) * step + 1)]
    needed = [names[position * step] for position in positions] + [names[gap] for gap in gaps]
    table = arrow_csv.read_csv(
        path,
        arrow_csv.ReadOptions(column_names=names, skip_rows=int(layout.header)),
        arrow_csv.ParseOptions(
            delimiter=layout.delimiter[0],
            quote_char='"' if layout.quoted else False,
            newlines_in_values=layout.quoted,
        ),
        arrow_csv.ConvertOptions(include_columns=needed, column_types=dict.fromkeys(needed, pa.string())),
    )
    for gap in gaps:
        if len(table.column(names[gap]).unique()) > 1 or (table.num_rows and table.column(names[gap])[0].as_py()):
            raise pa.ArrowInvalid(f"a single '{layout.delimiter[0]}' between two fields")
    return table.select(needed[: len(positions)])


def _blame_a_line(path: Path, layout: Layout, n_fields: int) -> None:
    """Raises the error of the first line that is not UTF-8 or has the wrong number of fields."""
    for line, fields in _records(path, layout, strict=True):
        if len(fields) != n_fields:
            raise _wrong_number(path, line, len(fields), str(n_fields), layout)


def _wrong_number(path: Path, line: int, found: int, expected: str, layout: Layout) -> DataError:
    last = max((number for number, _ in _records(path, layout)), default=line)
    remedy = "the file ends there and may be truncated: get it again" if line == last else "mend the line"
    shown = "tab" if layout.delimiter == "\t" else layout.delimiter
    return DataError(f"{path}, line {line}: {found} fields separated by '{shown}' instead of {expected}; {remedy}")


def _either(fewest: int, most: int) -> str:
    return str(most) if fewest == most else f"{fewest} or {most}"


def _records(path: Path, layout: Layout, strict: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Yields the line and the fields of every record that is not blank: slow, for what Arrow can't tell.

    Args:
        path: The file.
        layout: Its delimiter and quotes.
        strict: Refuse a line that is not UTF-8, by its number.
    """
    with open_raw(path) as file:
        lines = _decoded(path, file, strict)
        if not layout.quoted:
            for number, text in enumerate(lines, start=1):
                if bare := text.rstrip("\r\n"):
                    yield number, bare.split(layout.delimiter)
            return
        reader = csv.reader(lines, delimiter=layout.delimiter)
        start = 1
        try:
            for fields in reader:
                if fields:
                    yield start, fields
                start = reader.line_num + 1
        except csv.Error as error:
            raise DataError(f"{path}, line {start}: {error}; mend the line or get the file again") from error


def _decoded(path: Path, lines: io.IOBase | Iterator[bytes], strict: bool) -> Iterator[str]:
    # bytes, unlike strings, are split at line ends alone: an old one of a lone carriage return is one too
    for number, raw in enumerate(chain.from_iterable(line.splitlines(keepends=True) for line in lines), start=1):
        try:
            text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            if strict:
                raise DataError(
                    f"{path}, line {number} is not UTF-8 text: byte 0x{raw[error.start]:02x} at place "
                    f"{error.start + 1}; save the file as UTF-8 or get it again"
                ) from error
            text = raw.decode("utf-8", errors="replace")
        if strict and "\0" in text:
            raise DataError(f"{path}, line {number} is not UTF-8 text: it has a zero byte; save the file as UTF-8")
        yield text


@contextlib.contextmanager
def _mendable(path: Path) -> Iterator[None]:
    """Turns what goes wrong in opening or decompressing a file into an error with a remedy."""
    try:
        yield
    except (EOFError, zlib.error) as error:
        raise DataError(f"{path} is not a whole gzip file ({error}): get it again") from error
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror or error}") from error
