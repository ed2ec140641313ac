"""Delimited text as columns of strings, quickly; and, where it is bad, which line is to blame.

The good path is one pass of Arrow's reader over the columns that are needed. Only when something is wrong is the
file read again line by line, to name the line.
"""

from __future__ import annotations

import contextlib
import csv
import io
import re
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice, takewhile
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import compute as pc
from pyarrow import csv as arrow_csv

from rec_msa.foundation.errors import DataError, nearest
from rec_msa.interactions.reading.files import DAMAGED, mendable
from rec_msa.interactions.reading.layout import (
    DRAWN,
    UTF_8,
    WHITESPACE,
    advice,
    look_at_quotes,
    names_columns,
    split_at,
    split_strings,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rec_msa.interactions.reading.files import Part
    from rec_msa.interactions.reading.layout import Layout

_NEVER = "\x1f"
_FIRST = 20
_BLOCKS = (1 << 24, 1 << 30)
"""Bytes that Arrow takes at once: a line must fit. The second where one does not."""
_LONGEST_FIELD = 1 << 27
"""Characters of a field, so that one that no quotation mark closes does not take a whole file into memory."""
_LINE_BREAK = re.compile(r"\r\n?|\n")
_BLANK_BEFORE_QUOTES = re.compile(r'(?s) +"[^"]*"\s*')
_OF_BLANKS = re.compile(r"got 1:\s*$")
_FOOTER = re.compile(r"\(?[\d.,]+ (rows?|records?|lines?|tuples?|entries)\b|total\b|completion time", re.IGNORECASE)
_MARK = b"\xef\xbb\xbf"
_MARKED, _MAY_BE_CUT = re.compile(rb"([\r\n])(?:\xef\xbb\xbf)+"), re.compile(rb"[\r\n]\xef?\xbb?\Z")
"""Byte order marks within a file, as where files were put together: a quotation mark behind one would open nothing."""
_AFTER_BACKSLASH = re.compile(rb"\\(.)", re.DOTALL)


class NoRowsError(DataError):
    """A file has no rows: it is wrong where it is the only one."""


def require_columns(name: str, needed: Sequence[str], present: list[str], keys: Mapping[str, str]) -> None:
    """Refuses a file that lacks a column or has it twice, with the nearest name that it does have."""
    for column in needed:
        key = f" ({keys[column]})" if column in keys else ""
        if column not in present:
            raise DataError(f"{name}: there is no column '{column}'{key}; {nearest(column, present)}")
        if present.count(column) > 1:
            raise DataError(f"{name}: {present.count(column)} columns are named '{column}'{key}: rename all but one")


@dataclass(frozen=True)
class TextFile:
    """A delimited text file, with or without a byte order mark, and how it is laid out. Blank lines do not count."""

    part: Part
    layout: Layout

    def columns(self) -> dict[str, pa.ChunkedArray]:
        """Reads the columns as strings, by name: each that the file has, or of a user's own those that have a key.

        Raises:
            NoRowsError: The file is empty, or has a header alone.
            DataError: It is missing, damaged or in another encoding, lacks a column, or has a line with the wrong
                number of fields.
        """
        with mendable(self.part.name):
            positions, n_fields = self._positions()
        with self._blaming_a_line(n_fields, "delimited text"):
            table = self._table(list(positions.values()), n_fields)
        if table.num_rows == 0:
            raise self._no_rows()
        return dict(zip(positions, table.columns, strict=True))

    def _no_rows(self) -> NoRowsError:
        return NoRowsError(f"{self.part.name} has no rows below its header: get it again")

    def lines(self) -> pa.ChunkedArray:
        """Reads the lines as strings.

        Raises:
            DataError: The file is missing, empty, damaged or in another encoding.
        """
        with self._blaming_a_line(None, "lines of text"):
            return self._lines()

    def place_of(self, row: int) -> str:
        """Says on which line a row (counted from 0, without the header) starts, as ``line 7``."""
        record = next(islice(self._records(), self._n_names + row, None), None)
        # quotes in odd places may part records otherwise here than in Arrow's reader
        return f"row {row + 1}" if record is None else f"line {record[0]}"

    def require_sound_quotes(self) -> int:
        """Refuses a file in which a stray quotation mark would swallow lines; counts line breaks within quoted fields.

        Raises:
            DataError: Text follows a closing quotation mark, or nothing closes one.
        """
        if self.layout.quoted is None or self.layout.is_split:
            return 0
        with mendable(self.part.name):
            with self._opened() as file:
                sound, n_breaks = look_at_quotes(file, self.layout.delimiter)
            if not sound or self.layout.quoted == "backslash":
                records = self._records(strict_quotes=True)
                n_breaks = sum(len(_LINE_BREAK.findall(text)) for _, fields in records for text in fields)
        return n_breaks

    def require_header(self) -> None:
        """Refuses a file whose first line lacks a column; whether its quotation marks are sound is another question."""
        with mendable(self.part.name):
            self._positions()

    def first_rows(self) -> list[list[str]]:
        """The fields of the first records, the header too."""
        return [fields for _, fields in islice(self._records(), _FIRST)]

    def may_name_columns(self) -> bool:
        """Whether the first line of a file without a header seems to be one, and is not just what was said."""
        rows = self.first_rows()
        return names_columns(rows) and not self.layout.are_names(rows[0])

    def numbered(self) -> Iterator[tuple[int, str]]:
        """Yields every line with its number; refuses one that is not in the encoding that is set."""
        with self._opened() as file:
            yield from enumerate(self._decoded(file, strict=True), start=1)

    @cached_property
    def n_comments(self) -> int:
        """How many lines before the first row are comments; in Matrix Market's files the size, too."""
        if self.layout.dataset is None:
            return 0
        with mendable(self.part.name), self._opened() as file:
            text = self._decoded(file, strict=False)
            is_matrix = (first := next(text, "")).lower().startswith("%%matrixmarket")
            mark = ("%",) if is_matrix else ()  # there a blank behind it is not needed
            is_comment = self.layout.is_comment
            lines = list(takewhile(lambda line: line.startswith(mark) or is_comment(line), chain([first], text)))
        return len(lines) + is_matrix if any(map(str.strip, lines)) else 0

    # ---- which columns there are

    def _positions(self) -> tuple[dict[str, int], int]:
        """Returns where the columns that are read are among the fields of a line, and the number of fields."""
        part, layout = self.part, self.layout
        first = next(self._records(strict=True), None)
        if first is None:
            raise NoRowsError(f"{part.name} is empty: get it again")
        line, fields = first
        self._require_no_blocks(fields)
        if layout.header:
            if line > self.n_comments + 1:
                raise DataError(f"{part.name}, line {line - 1} is blank: the first line must name the columns")
            fields = layout.names(fields)
            self._advise(line, fields)
            require_columns(part.name, layout.columns, fields, layout.keys)
            return self._readable({name: fields.index(name) for name in layout.columns}), len(fields)
        self._require_named_fields(line, fields)
        most, fewest = len(layout.columns), len(layout.columns) - len(layout.optional)
        if not fewest <= len(fields) <= most:
            raise self._wrong_number(line, len(fields), str(most) if fewest == most else f"{fewest} or {most}")
        places = enumerate(layout.columns[: len(fields)])
        read = {name: index for index, name in places if not layout.keys or name in layout.keys}
        return self._readable(read), len(fields)

    def _require_no_blocks(self, fields: list[str]) -> None:
        """Refuses the Netflix Prize's blocks: an item and a colon, and below it a line for each of its users."""
        if self.layout.dataset is not None and re.fullmatch("[0-9]+:", self.layout.delimiter.join(fields)):
            raise DataError(
                f"{self.part.name} has Netflix's blocks, an item before the lines of its users; write it into each "
                """line: awk -F: 'NF > 1 {item = $1; next} {print item "," $0}' FILE"""
            )

    def _readable(self, positions: dict[str, int]) -> dict[str, int]:
        """Refuses rows where quotation marks of what is read stand behind a blank, so that they belong to the field."""
        if self.layout.dataset is None or self.layout.quoted is None or self.layout.is_split:
            return positions
        for line, fields in islice(self._records(), self._n_names, _FIRST):
            read = [fields[place] for place in positions.values() if place < len(fields)]
            if any(_BLANK_BEFORE_QUOTES.fullmatch(text) for text in read):
                remedy = rf"""sed -E 's/(^|{self.layout.delimiter}) +"/\1"/g' FILE"""
                raise DataError(
                    f"{self.part.name}, line {line}: a blank stands before a quotation mark, which is a character like "
                    f"others there; take such blanks off: {remedy}"
                )
        return positions

    @cached_property
    def _n_names(self) -> int:
        """How many records name the columns: one, or none."""
        if self.layout.header or not self.layout.is_part:
            return int(self.layout.header)
        first = next(self._records(), None)
        return int(first is not None and self.layout.are_names(first[1]))

    def _advise(self, number: int, fields: list[str]) -> None:
        """Refuses a first line that does not name the columns, where its layout seems to be the reason."""
        layout = self.layout
        lacking = next((name for name in layout.columns if name not in fields), None)
        if layout.dataset is None or lacking is None:
            return
        line = next(text for each, text in self.numbered() if each == number).rstrip("\r\n")
        if layout.quoted and layout.delimiter in line and line[0] + line[-1] == '"' * line.count('"'):
            remedy = """take these off: sed 's/^"//; s/"$//' FILE"""
            raise DataError(f"{self.part.name}, line {number}: whole lines are in quotation marks; {remedy}")
        for below, texts in () if DRAWN.fullmatch(line) else islice(self._records(), 1, _FIRST):
            if set(layout.columns) <= {text.strip() for text in texts}:
                remedy = f"take off what is above the names of columns, as tail -n +{below} FILE does"
                raise DataError(f"{self.part.name}, line {number} does not name the columns: {remedy}")
        said = advice(line, self.first_rows(), layout.columns, layout.delimiter)
        if said is not None:
            where = f"{self.part.name}, line {number}: there is no column '{lacking}' ({layout.keys[lacking]})"
            raise DataError(f"{where}; {said}{f' to datasets.{layout.dataset}' if 'add ' in said else ''}")

    def _require_named_fields(self, number: int, fields: list[str]) -> None:
        layout, line = self.layout, f"{self.part.name}, line {number}"
        if layout.dataset is None:
            return
        key = f"datasets.{layout.dataset}.columns"
        if self._n_names:  # of one of several files: they are left out
            return
        named = {name.casefold() for name in layout.keys}
        if any(text.strip().casefold() in named for text in fields):
            raise DataError(f"{line} names the columns itself: leave out {key}")
        if len(fields) != len(layout.columns):
            n_parted = len(split_at(layout.delimiter.join(fields), WHITESPACE))
            separator = "whitespace, which" if n_parted == len(layout.columns) else "what"
            raise DataError(
                f"{line} has {len(fields)} fields separated by '{layout.shown}', and {key} names "
                f"{len(layout.columns)}: name each field, or set separator to {separator} parts them"
            )

    # ---- by Arrow

    def _table(self, positions: list[int], n_fields: int) -> pa.Table:
        """Reads the columns at some positions, as strings, in that order."""
        if self.layout.is_split:
            return self._split_lines(positions, n_fields)
        names = [str(index) for index in range(n_fields)]
        quoting = {
            "quote_char": '"' if self.layout.quoted else False,
            "escape_char": self.layout.escape or False,
            "newlines_in_values": self.layout.quoted is not None,
        }
        read = [names[position] for position in positions]
        delimiter = self.layout.delimiter
        return self._by_arrow(names, read, self._n_names, delimiter=delimiter, **quoting)

    def _split_lines(self, positions: list[int], n_fields: int) -> pa.Table:
        """The same where a delimiter is none of Arrow's: lines, split at it."""
        lines = self._lines(self._n_names)
        chunks = [split_strings(chunk, self.layout.delimiter) for chunk in lines.chunks]
        if not all(pc.all(pc.equal(pc.list_value_length(chunk), n_fields)).as_py() is not False for chunk in chunks):
            raise pa.ArrowInvalid("not as many fields in every line")
        columns = [[self._bare(pc.list_element(chunk, position)) for chunk in chunks] for position in positions]
        names = [str(place) for place in range(len(positions))]
        return pa.table([pa.chunked_array(each, pa.string()) for each in columns], names)

    def _lines(self, skipped: int = 0) -> pa.ChunkedArray:
        lines = self._by_arrow(["line"], ["line"], skipped, delimiter=_NEVER, quote_char=False).column(0)
        blank = pc.equal(pc.utf8_trim(lines, self.layout.blanks), "")
        return lines.filter(pc.invert(blank)) if pc.any(blank).as_py() else lines

    def _bare(self, column: pa.Array) -> pa.Array:
        """Without quotation marks at both ends, where fields may have them."""
        if self.layout.quoted is None:
            return column
        return pc.replace_substring_regex(column, r'(?s)^"(.*)"$', r"\1")

    def _by_arrow(self, names: list[str], read: list[str], skipped: int = 0, **parsing: Any) -> pa.Table:
        block, blanks = _BLOCKS[0], None
        while True:
            try:
                return arrow_csv.read_csv(
                    self._stream(),
                    arrow_csv.ReadOptions(
                        column_names=names,
                        skip_rows=self.n_comments,
                        skip_rows_after_names=skipped,  # names in quotation marks may have line breaks
                        block_size=block,
                    ),
                    arrow_csv.ParseOptions(**parsing, invalid_row_handler=blanks),
                    arrow_csv.ConvertOptions(include_columns=read, column_types=dict.fromkeys(read, pa.string())),
                )
            except pa.ArrowInvalid as error:
                if "straddling" in str(error) and block == _BLOCKS[0]:
                    block = _BLOCKS[1]
                elif "straddling" in str(error) and len(list(islice(self._records(), skipped + 1))) == skipped:
                    raise self._no_rows() from error
                elif blanks is None and _OF_BLANKS.search(str(error)):
                    blanks = _without_blanks
                else:
                    raise

    def _stream(self) -> Any:
        """The file's bytes as UTF-8; where a backslash means something, nothing in the place of MySQL's ``\\N``."""
        stream = self.part.stream()
        if self.layout.encoding != UTF_8:
            stream = pa.transcoding_input_stream(stream, self.layout.encoding, UTF_8)
        stream = pa.TransformInputStream(stream, _without_marks())
        return pa.TransformInputStream(stream, _without_nulls()) if self.layout.escape else stream

    # ---- line by line, and which is to blame

    @contextlib.contextmanager
    def _blaming_a_line(self, n_fields: int | None, what: str) -> Iterator[None]:
        """Raises the error of the first line that is in another encoding or has the wrong number of fields."""
        try:
            yield
        except (pa.ArrowInvalid, OSError, UnicodeError, *DAMAGED) as error:
            with mendable(self.part.name):
                for line, fields in self._records(strict=True):
                    if n_fields is not None and len(fields) != n_fields:
                        raise self._wrong_number(line, len(fields), str(n_fields)) from error
            raise DataError(f"{self.part.name} can't be read as {what}: {error}. Get it again") from error

    def _wrong_number(self, line: int, found: int, expected: str) -> DataError:
        first_field, last = "", line
        for last, fields in self._records():
            first_field = fields[0] if last == line else first_field
        remedy = "the file ends there and may be truncated: get it again" if line == last else "mend the line"
        if _FOOTER.match(first_field.strip()):
            remedy = "it looks like what a program writes below the rows and is none: take the line out"
        elif self.layout.header and line == self.n_comments + 2:
            remedy = f"mend the line or the first one, which names {expected}"
        counted = f"{found} fields separated by '{self.layout.shown}' instead of {expected}"
        return DataError(f"{self.part.name}, line {line}: {counted}; {remedy}")

    def _records(self, strict: bool = False, strict_quotes: bool = False) -> Iterator[tuple[int, list[str]]]:
        """Yields the line and the fields of every record that is not blank: slow, for what Arrow can't tell.

        Args:
            strict: Refuse a line that is not in the file's encoding, by its number.
            strict_quotes: Refuse text after a closing quotation mark, and one that nothing closes.
        """
        layout, n_before = self.layout, self.n_comments  # before it is opened: as of a part's compression
        with self._opened() as file:
            lines = islice(self._decoded(file, strict), n_before, None)
            if layout.quoted is None or layout.is_split:
                for number, text in enumerate(lines, start=n_before + 1):
                    if text.strip(layout.blanks):
                        yield number, self._unquoted(split_at(text.rstrip("\r\n"), layout.delimiter))
                return
            csv.field_size_limit(_LONGEST_FIELD)
            reader = csv.reader(lines, delimiter=layout.delimiter, strict=strict_quotes, escapechar=layout.escape)
            start, is_table = n_before + 1, False
            try:
                for fields in reader:
                    if fields and not (is_table and len(fields) == 1 and fields[0] and not fields[0].strip()):
                        yield start, fields
                        is_table = is_table or len(fields) > 1
                    start = n_before + reader.line_num + 1
            except csv.Error as error:
                raise DataError(f"{self.part.name}, line {start}: {self._wrong_quotes(error)}") from error

    def _unquoted(self, fields: list[str]) -> list[str]:
        """Fields whose quotation marks stand at both ends, as the names in a header do."""
        if self.layout.quoted is None:
            return fields
        return [text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text for text in fields]

    def _wrong_quotes(self, error: csv.Error) -> str:
        if self.layout.dataset is None:
            is_cut = "end of data" in str(error)
            return f"{error}; {'it may be truncated: get it again' if is_cut else 'mend it or get the file again'}"
        others = "" if self.layout.escape else ", or to backslash where \\ stands before those within a field"
        return (
            "a quotation mark opens a field and none closes it at the field's end, so that it would swallow what "
            f"follows; set datasets.{self.layout.dataset}.quotes to none where these are characters like others"
            f"{others}, or mend the line"
        )

    @contextlib.contextmanager
    def _opened(self) -> Iterator[io.BufferedIOBase]:
        """Opens the file as bytes of UTF-8."""
        with self.part.open() as file:
            if self.layout.encoding == UTF_8:
                yield file  # type: ignore[misc]
                return
            stream = pa.transcoding_input_stream(pa.PythonFile(file, mode="r"), self.layout.encoding, UTF_8)
            with io.BufferedReader(stream) as decoded:
                yield decoded

    def _decoded(self, file: Any, strict: bool) -> Iterator[str]:
        # bytes, unlike strings, are split at line ends alone: an old one of a lone carriage return is one too
        for number, raw in enumerate(chain.from_iterable(line.splitlines(keepends=True) for line in file), start=1):
            wrong = None
            try:
                text = raw.decode().lstrip("\ufeff")  # each file of those that were put together may begin with a mark
                if "\0" in text:
                    wrong = "it has a zero byte"
            except UnicodeDecodeError as error:
                wrong = f"byte 0x{raw[error.start]:02x} at place {error.start + 1}"
                text = raw.decode("utf-8", errors="replace")
            if strict and wrong is not None:
                raise DataError(
                    f"{self.part.name}, line {number} is not UTF-8 text: {wrong}; save the file as UTF-8"
                    f"{self._or_encoding(raw)} or get it again"
                )
            yield _without_null(text.encode()).decode() if self.layout.escape else text

    def _or_encoding(self, raw: bytes) -> str:
        if self.layout.dataset is None:
            return ""
        likely = "utf-16" if b"\0" in raw or raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1"
        return f", or set datasets.{self.layout.dataset}.encoding, perhaps to {likely},"


def _without_blanks(row: Any) -> str:
    """What Arrow does with a row that has not as many fields as others: one of blanks alone is none."""
    return "error" if row.text.strip() else "skip"


def _without_marks() -> Callable[[Any], bytes]:
    """Takes byte order marks out of the starts of lines, piece by piece; what may be one cut in two waits."""
    waiting = b""

    def changed(piece: Any) -> bytes:
        nonlocal waiting
        text = waiting + bytes(piece)
        if not text.isascii() and _MARK in text:
            text = _MARKED.sub(rb"\1", text)
        cut = _MAY_BE_CUT.search(text[-len(_MARK) :])
        n_kept = len(text) - (len(cut[0]) if cut and len(piece) else 0)
        text, waiting = text[:n_kept], text[n_kept:]
        return text

    return changed


def _without_null(text: bytes) -> bytes:
    return _AFTER_BACKSLASH.sub(lambda found: b"" if found[1] == b"N" else found[0], text)


def _without_nulls() -> Callable[[Any], bytes]:
    """Takes ``\\N`` out of bytes that come piece by piece; a backslash at the end of one waits for the next."""
    waiting = b""

    def changed(piece: Any) -> bytes:
        nonlocal waiting
        text = waiting + bytes(piece)
        n_last = len(text) - len(text.rstrip(b"\\"))
        text, waiting = (text[:-1], text[-1:]) if n_last % 2 and len(piece) else (text, b"")
        return _without_null(text)

    return changed
