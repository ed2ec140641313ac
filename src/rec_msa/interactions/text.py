"""Delimited text as columns of strings, quickly; and, where it is bad, which line is to blame.

The good path is one pass of Arrow's reader over the columns that are needed. Only when something is wrong is the
file read again line by line, to name the line.
"""

from __future__ import annotations

import contextlib
import csv
import io
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
from pyarrow import csv as arrow_csv

from rec_msa.foundation.errors import DataError, nearest
from rec_msa.interactions.files import mendable
from rec_msa.interactions.header import advice
from rec_msa.interactions.quotes import look_at_quotes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rec_msa.interactions.files import Part

UTF_8 = "utf-8"


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
    """

    delimiter: str
    columns: tuple[str, ...]
    header: bool = False
    quoted: Literal["doubled", "backslash"] | None = None
    optional: frozenset[str] = frozenset()
    keys: Mapping[str, str] = field(default_factory=dict)
    dataset: str | None = None
    encoding: str = UTF_8


class NoRowsError(DataError):
    """A file has no rows: it is wrong where it is the only one."""


def read_text(part: Part, layout: Layout) -> dict[str, pa.ChunkedArray]:
    """Reads the columns of a delimited text file as strings.

    Args:
        part: The file, with or without a byte order mark.
        layout: How it is laid out.

    Returns:
        Each column that the file has, by name; of a user's own those that ``keys`` names. Blank lines are left out.

    Raises:
        NoRowsError: The file is empty, or has a header alone.
        DataError: It is missing, damaged or in another encoding, lacks a column, or has a line with the wrong number
            of fields.
    """
    with mendable(part.name):
        positions, n_fields = _positions(part, layout)
    try:
        table = _arrow_table(part, layout, list(positions.values()), n_fields)
    except (pa.ArrowInvalid, OSError, UnicodeError) as error:
        with mendable(part.name):
            _blame_a_line(part, layout, n_fields)
        raise DataError(f"{part.name} can't be read as delimited text: {error}. Get it again") from error
    if table.num_rows == 0:
        raise NoRowsError(f"{part.name} has no rows below its header: get it again")
    return dict(zip(positions, table.columns, strict=True))


def read_lines(part: Part, layout: Layout) -> pa.ChunkedArray:
    """Reads the lines of a text file as strings, without blank ones.

    Raises:
        DataError: The file is missing, empty, damaged or in another encoding.
    """
    never = "\x1f"
    try:
        with mendable(part.name):
            table = arrow_csv.read_csv(
                _arrow_input(part, layout),
                arrow_csv.ReadOptions(column_names=["line"]),
                arrow_csv.ParseOptions(delimiter=never, quote_char=False, newlines_in_values=False),
                arrow_csv.ConvertOptions(column_types={"line": pa.string()}),
            )
    except pa.ArrowInvalid as error:
        with mendable(part.name):
            _blame_a_line(part, layout, None)
        raise DataError(f"{part.name} can't be read as lines of text: {error}. Get it again") from error
    return table.column(0)


def place_of(part: Part, layout: Layout, row: int) -> str:
    """Says on which line a row (counted from 0, without the header) starts, as ``line 7``."""
    record = next(islice(_records(part, layout), int(layout.header) + row, None), None)
    # quotes in odd places may part records otherwise here than in Arrow's reader
    return f"row {row + 1}" if record is None else f"line {record[0]}"


def require_columns(name: str, needed: tuple[str, ...], present: list[str], keys: Mapping[str, str]) -> None:
    """Refuses a file that lacks a column or has it twice, with the nearest name that it does have."""
    for column in needed:
        key = f" ({keys[column]})" if column in keys else ""
        if column not in present:
            raise DataError(f"{name}: there is no column '{column}'{key}; {nearest(column, present)}")
        if present.count(column) > 1:
            raise DataError(f"{name}: {present.count(column)} columns are named '{column}'{key}: rename all but one")


def require_sound_quotes(part: Part, layout: Layout) -> int:
    """Refuses a file in which a stray quotation mark would swallow lines; counts line breaks within quoted fields.

    Raises:
        DataError: Text follows a closing quotation mark, or nothing closes one.
    """
    if layout.quoted is None:
        return 0
    with mendable(part.name):
        with _opened(part, layout) as file:
            sound, n_breaks = look_at_quotes(file, layout.delimiter)
        if not sound or layout.quoted == "backslash":
            records = _records(part, layout, strict_quotes=True)
            n_breaks = sum(text.count("\n") for _, fields in records for text in fields)
    return n_breaks


def first_rows(part: Part, layout: Layout, n: int) -> list[list[str]]:
    """The fields of the first records, the header too."""
    return [fields for _, fields in islice(_records(part, layout), n)]


def _positions(part: Part, layout: Layout) -> tuple[dict[str, int], int]:
    """Returns where the columns that are read are among the fields of a line, and the number of fields."""
    first = next(_records(part, layout, strict=True), None)
    if first is None:
        raise NoRowsError(f"{part.name} is empty: get it again")
    line, fields = first
    if layout.header:
        if line > 1:
            raise DataError(f"{part.name}, line 1 is blank: the first line must name the columns")
        if layout.dataset is not None and any(name not in fields for name in layout.columns):
            _advise(part, layout, fields)
        require_columns(part.name, layout.columns, fields, layout.keys)
        return {name: fields.index(name) for name in layout.columns}, len(fields)
    if layout.dataset is not None:
        _require_named_fields(part, layout, fields)
    fewest = len(layout.columns) - len(layout.optional)
    if not fewest <= len(fields) <= len(layout.columns):
        raise _wrong_number(part, line, len(fields), _either(fewest, len(layout.columns)), layout)
    places = enumerate(layout.columns[: len(fields)])
    return {name: index for index, name in places if not layout.keys or name in layout.keys}, len(fields)


def _advise(part: Part, layout: Layout, fields: list[str]) -> None:
    """Refuses a first line that does not name the columns, where how the file is laid out seems to be the reason."""
    sample = part.head.decode(layout.encoding, errors="replace").splitlines()
    said = advice(sample[0], first_rows(part, layout, 20), fields, layout.columns, layout.delimiter)
    if said is not None:
        lacking = next(name for name in layout.columns if name not in fields)
        raise DataError(
            f"{part.name}, line 1: there is no column '{lacking}' ({layout.keys[lacking]}); {said} to datasets."
            f"{layout.dataset}"
        )


def _require_named_fields(part: Part, layout: Layout, fields: list[str]) -> None:
    key = f"datasets.{layout.dataset}.columns"
    named = {name.casefold() for name in layout.keys}
    if any(text.strip().casefold() in named for text in fields):
        raise DataError(f"{part.name}, line 1 names the columns itself: leave out {key}")
    if len(fields) != len(layout.columns):
        shown = _shown(layout.delimiter)
        raise DataError(
            f"{part.name}, line 1 has {len(fields)} fields separated by '{shown}', and {key} names "
            f"{len(layout.columns)}: name each field, or set separator to what parts them"
        )


def _arrow_input(part: Part, layout: Layout) -> Any:
    stream = part.stream()
    return stream if layout.encoding == UTF_8 else pa.transcoding_input_stream(stream, layout.encoding, UTF_8)


def _arrow_table(part: Part, layout: Layout, positions: list[int], n_fields: int) -> pa.Table:
    """Reads the columns at some positions, as strings, in that order."""
    # Arrow splits at single characters: "::" then leaves a column between two fields, which must be empty
    step = len(layout.delimiter)
    gaps = [index for index in range((n_fields - 1) * step) if index % step]
    names = [str(index) for index in range((n_fields - 1) * step + 1)]
    needed = [names[position * step] for position in positions] + [names[gap] for gap in gaps]
    table = arrow_csv.read_csv(
        _arrow_input(part, layout),
        arrow_csv.ReadOptions(column_names=names, skip_rows=int(layout.header)),
        arrow_csv.ParseOptions(
            delimiter=layout.delimiter[0],
            quote_char='"' if layout.quoted else False,
            escape_char="\\" if layout.quoted == "backslash" else False,
            newlines_in_values=layout.quoted is not None,
        ),
        arrow_csv.ConvertOptions(include_columns=needed, column_types=dict.fromkeys(needed, pa.string())),
    )
    for gap in gaps:
        if len(table.column(names[gap]).unique()) > 1 or (table.num_rows and table.column(names[gap])[0].as_py()):
            raise pa.ArrowInvalid(f"a single '{layout.delimiter[0]}' between two fields")
    return table.select(needed[: len(positions)])


def _blame_a_line(part: Part, layout: Layout, n_fields: int | None) -> None:
    """Raises the error of the first line that is in another encoding or has the wrong number of fields."""
    for line, fields in _records(part, layout, strict=True):
        if n_fields is not None and len(fields) != n_fields:
            raise _wrong_number(part, line, len(fields), str(n_fields), layout)


def _wrong_number(part: Part, line: int, found: int, expected: str, layout: Layout) -> DataError:
    last = max((number for number, _ in _records(part, layout)), default=line)
    remedy = "the file ends there and may be truncated: get it again" if line == last else "mend the line"
    shown = _shown(layout.delimiter)
    return DataError(f"{part.name}, line {line}: {found} fields separated by '{shown}' instead of {expected}; {remedy}")


def _shown(delimiter: str) -> str:
    return {"\t": "tab", " ": "space"}.get(delimiter, delimiter)


def _either(fewest: int, most: int) -> str:
    return str(most) if fewest == most else f"{fewest} or {most}"


def _records(
    part: Part, layout: Layout, strict: bool = False, strict_quotes: bool = False
) -> Iterator[tuple[int, list[str]]]:
    """Yields the line and the fields of every record that is not blank: slow, for what Arrow can't tell.

    Args:
        part: The file.
        layout: Its delimiter and quotes.
        strict: Refuse a line that is not in the file's encoding, by its number.
        strict_quotes: Refuse text after a closing quotation mark, and one that nothing closes.
    """
    with _opened(part, layout) as file:
        lines = _decoded(part.name, file, strict, layout)
        if layout.quoted is None or len(layout.delimiter) > 1:
            for number, text in enumerate(lines, start=1):
                if bare := text.rstrip("\r\n"):
                    yield number, _unquoted(bare.split(layout.delimiter), layout)
            return
        escape = "\\" if layout.quoted == "backslash" else None
        reader = csv.reader(lines, delimiter=layout.delimiter, strict=strict_quotes, escapechar=escape)
        start = 1
        try:
            for fields in reader:
                if fields:
                    yield start, fields
                start = reader.line_num + 1
        except csv.Error as error:
            raise DataError(_wrong_quotes(part.name, start, error, layout)) from error


def _unquoted(fields: list[str], layout: Layout) -> list[str]:
    """Fields whose quotation marks stand at both ends, as the names in a header do."""
    if layout.quoted is None:
        return fields
    return [text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text for text in fields]


def _wrong_quotes(name: str, line: int, error: csv.Error, layout: Layout) -> str:
    if layout.dataset is None:
        remedy = "it may be truncated: get it again" if "end of data" in str(error) else "mend it or get the file again"
        return f"{name}, line {line}: {error}; {remedy}"
    others = "" if layout.quoted == "backslash" else ", or to backslash where \\ stands before those within a field"
    return (
        f"{name}, line {line}: a quotation mark opens a field and none closes it at the field's end, so that it would "
        f"swallow what follows; set datasets.{layout.dataset}.quotes to none where these are characters like others"
        f"{others}, or mend the line"
    )


@contextlib.contextmanager
def _opened(part: Part, layout: Layout) -> Iterator[io.BufferedIOBase]:
    """Opens a file as bytes of UTF-8."""
    with part.open() as file:
        if layout.encoding == UTF_8:
            yield file  # type: ignore[misc]
            return
        stream = pa.transcoding_input_stream(pa.PythonFile(file, mode="r"), layout.encoding, UTF_8)
        with io.BufferedReader(stream) as decoded:
            yield decoded


def _decoded(name: str, lines: Any, strict: bool, layout: Layout) -> Iterator[str]:
    # bytes, unlike strings, are split at line ends alone: an old one of a lone carriage return is one too
    for number, raw in enumerate(chain.from_iterable(line.splitlines(keepends=True) for line in lines), start=1):
        try:
            text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            if strict:
                raise DataError(
                    f"{name}, line {number} is not UTF-8 text: byte 0x{raw[error.start]:02x} at place "
                    f"{error.start + 1}; save the file as UTF-8{_or_encoding(raw, layout)}"
                ) from error
            text = raw.decode("utf-8", errors="replace")
        if strict and "\0" in text:
            remedy = f"save the file as UTF-8{_or_encoding(raw, layout)}"
            raise DataError(f"{name}, line {number} is not UTF-8 text: it has a zero byte; {remedy}")
        yield text


def _or_encoding(raw: bytes, layout: Layout) -> str:
    if layout.dataset is None:
        return " or get it again"
    likely = "utf-16" if b"\0" in raw or raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1"
    return f", or set datasets.{layout.dataset}.encoding, perhaps to {likely}, or get it again"
