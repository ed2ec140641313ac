"""The files that a raw table lies in: found by path, pattern or URL, decompressed, and told by their first bytes."""

from __future__ import annotations

import bz2
import contextlib
import glob
import gzip
import io
import lzma
import re
import zipfile
import zlib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, cast
from urllib.parse import unquote

import pyarrow as pa

from rec_msa.foundation.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from rec_msa.interactions.settings import DatasetSettings

Kind = Literal["text", "json", "parquet", "arrow", "stream"]

_COMPRESSIONS = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bz2",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\xfd7zXZ\x00": "xz",
    b"\x04\x22\x4d\x18": "lz4",
}
_OF_ARROW = ("gzip", "zstd", "lz4")
_OF_PYTHON: dict[str, Callable[[BinaryIO], Any]] = {
    "gzip": lambda file: gzip.GzipFile(fileobj=file),
    "bz2": lambda file: _Streams(file, bz2.BZ2Decompressor),
    "xz": lambda file: _Streams(file, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ), padding=4),
}
"""Those whose damage is told better by Python than by Arrow, which does not read an empty stream of bz2 at all."""

DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile)
"""What these raise."""

_BZ2 = re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)")
"""With the first block behind it or, of an empty stream, the end: text may begin with the first three."""

_KINDS: dict[bytes, Kind] = {b"PAR1": "parquet", b"ARROW1": "arrow", b"\xff\xff\xff\xff": "stream"}
_BOM = rb"(\xef\xbb\xbf|\xff\xfe|\xfe\xff)?"
_FOREIGN = {
    rb"\xd0\xcf\x11\xe0": ("an old Excel workbook", "save its sheet as CSV"),
    rb"SQLite format 3": ("an SQLite database", "write the table as CSV: sqlite3 -header -csv FILE 'select ...'"),
    rb"\x89HDF": ("an HDF5 file", "write the table as parquet"),
    rb"Obj\x01": ("an Avro file", "write the table as parquet"),
    rb"FEA1\x00": ("a feather file of version 1", "write it again with pyarrow or pandas"),
    rb"(?s)ORC(\n|.{1,3}\x00)": ("an ORC file", "write the table as parquet"),
    rb"7z\xbc\xaf": ("a 7z archive", "unpack it, or pack it as zip"),
    rb"Rar!": ("a RAR archive", "unpack it, or pack it as zip"),
    rb"\x80[\x02-\x05]|[}\]]q\x00|\([dl]p0\n|c(copy_reg|pandas|numpy)[\w.]*\n": (
        "a pickle, which may run anything when it is read",
        "write the table as parquet",
    ),
    rb"%PDF": ("a PDF document", "get the table itself"),
    rb"RDX|[XAB]\n\x00\x00\x00[\x02\x03]": ("R's own file", "write the table as CSV"),
    rb"\x93NUMPY|MATLAB ": ("a file of NumPy or MATLAB", "write the table as CSV, a row for each interaction"),
    rb"<stata_dta>|\$FL2@|\x00{12}\xc2\xea\x81\x60": ("a file of Stata, SPSS or SAS", "write the table as CSV"),
    rb"(?i)(%[^\n]*\n|\s)*@relation": ("an ARFF file", "write the table as CSV"),
    rb"(?i)\s*(--[^\n]*(sql|dump)|/\*!|insert into |(create|drop) table )": (
        "SQL",
        "load it and write the table as CSV",
    ),
    rb"PK\x03\x04|\x1f\x8b|BZh\d1AY|\x28\xb5\x2f\xfd|\xfd7zXZ": ("packed or compressed twice", "unpack it once"),
    rb"\x1f\x9d|LZIP|\x5d\x00\x00|x\x9c|\xff\x06\x00\x00sNaPpY": ("of a compression that is not read", "unpack it"),
    rb"(?s).{257}ustar {0,2}\x00": ("a tar archive", "unpack it and name its file or folder"),
    rb"version https://(git-lfs|hawser)\.github\.com/": ("a pointer that Git LFS left", "get the file: git lfs pull"),
    rb"/annex/objects/": ("a pointer that git-annex left", "get the file: git annex get"),
    rb"(?i)" + _BOM + rb"\s*<(!doctype|html|\?xml)": (
        "a web page or XML document",
        "if it was downloaded, the address wants a log-in: get the file itself",
    ),
    _BOM + rb"\s*(\[\s*[\[{]|\{[ \t]*\r?\n)": (
        "one JSON document",
        "write an object a line (JSON lines), as jq -c '.[]' does of an array and jq -c '.playlists[]' of one within",
    ),
}
"""What is not read, by the pattern of its first bytes, and what to do with it."""

_OFFICE = {"[Content_Types].xml": "an Excel workbook", "mimetype": "an OpenDocument workbook"}
"""What an archive is, by a file that lies in it."""

_LAKES = {"_delta_log": "Delta Lake", ".hoodie": "Hudi"}
_HEAD = 4096
_CHUNK = 1 << 20
_PATTERN = re.compile(r"[*?\[]")
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Part:
    """One file of a raw table, or one that lies in a zip archive.

    Attributes:
        place: Its path or URL.
        member: Its name in the archive that lies there.
        given: Columns whose one value the names of its folders say (``day=2020-09-24``); None where it is missing.
    """

    place: str
    member: str | None = None
    given: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """How messages call it."""
        return self.place if self.member is None else f"{self.place} ({self.member})"

    @cached_property
    def compression(self) -> str | None:
        """What it is compressed with, by its first bytes."""
        with self._stored() as file:
            start = file.read(10)
        if start.startswith(b"BZh") and not _BZ2.match(start):
            return None
        return next((name for magic, name in _COMPRESSIONS.items() if start.startswith(magic)), None)

    @cached_property
    def head(self) -> bytes:
        """Its first bytes, uncompressed."""
        with self.open() as file:
            return file.read(_HEAD)

    @cached_property
    def kind(self) -> Kind:
        """What it is, by its first bytes.

        Raises:
            DataError: It is of a kind that is not read.
        """
        for magic, kind in _KINDS.items():
            if self.head.startswith(magic):
                return kind
        bare = self.head.replace(b"\0", b"")  # so that UTF-16 looks like UTF-8
        for pattern, (what, remedy) in _FOREIGN.items():
            if re.match(pattern, self.head) or re.match(pattern, bare):
                raise DataError(f"{self.name} is {what}; {remedy}. Read are CSV, JSON lines, parquet and feather")
        return "json" if re.match(_BOM + rb"\s*\{\s*(u?'|[\"}])", bare) else "text"

    def open(self) -> BinaryIO:
        """Opens its uncompressed bytes."""
        compression = self.compression  # first: in memory, two that open a file have one place in it
        file = self._stored()
        if compression is None:
            return file
        if compression in _OF_PYTHON:
            return _Layered(_OF_PYTHON[compression](file), file)
        return _Layered(pa.CompressedInputStream(pa.PythonFile(file, mode="r"), compression), file)

    def chunks(self) -> Iterator[bytes]:
        """Reads its uncompressed bytes piece by piece, so that a file of any size takes little memory."""
        with mendable(self.name), self.open() as file:
            while chunk := file.read(_CHUNK):
                yield chunk

    def stream(self) -> Any:
        """Opens its uncompressed bytes for Arrow, by Arrow's own means where it has them."""
        if self.member is None and self._is_local and self.compression in (None, *_OF_ARROW):
            file = pa.OSFile(self.place)
            return file if self.compression is None else pa.CompressedInputStream(file, self.compression)
        return pa.PythonFile(self.open(), mode="r")

    def seekable(self) -> Any:
        """Opens it for Arrow to read here and there; what is compressed or in an archive goes into memory."""
        if self.member is None and self.compression is None:
            return pa.OSFile(self.place) if self._is_local else pa.PythonFile(self._stored(), mode="r")
        with self.open() as file:
            return pa.BufferReader(file.read())

    @property
    def _is_local(self) -> bool:
        return not is_url(self.place)

    def _stored(self) -> BinaryIO:
        """Opens its bytes as they lie there, but for an archive."""
        file = _opened(self.place)
        if self.member is None:
            return file
        return _Layered(zipfile.ZipFile(file).open(self.member), file)


class _Layered(io.BufferedReader):
    """Bytes that are read out of another file, which is closed with them."""

    def __init__(self, upper: Any, lower: BinaryIO) -> None:
        super().__init__(upper)
        self._lower = lower

    def close(self) -> None:
        super().close()
        self._lower.close()


class _Streams(io.RawIOBase):
    """Compressed streams one behind the other: whatever else stands behind one is damage, which Python's files skip."""

    def __init__(self, file: BinaryIO, new: Callable[[], Any], padding: int = 0) -> None:
        """Takes how a stream is decoded, and how many zeros at a time may stand behind one."""
        self._file, self._new, self._padding = file, new, padding
        self._decoder = new()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        read, given = b"", b""
        while not read:
            if self._decoder.eof:
                if not (given := self._behind()):
                    return 0
                self._decoder = self._new()
            elif self._decoder.needs_input and not (given := self._file.read(_CHUNK)):
                raise EOFError("it ends within a stream")
            try:
                read = self._decoder.decompress(given, len(buffer))
            except (OSError, lzma.LZMAError) as error:
                raise EOFError(f"{error}, or something else behind the end of a stream") from error
            given = b""
        buffer[: len(read)] = read
        return len(read)

    def _behind(self) -> bytes:
        """What follows the end of a stream, without zeros that may stand there."""
        rest: bytes = self._decoder.unused_data
        n_zeros = 0
        while rest or (rest := self._file.read(_CHUNK)):
            bare = rest.lstrip(b"\0" if self._padding else b"")
            n_zeros += len(rest) - len(bare)
            if rest := bare:
                break
        if self._padding and n_zeros % self._padding:
            raise EOFError(f"{n_zeros} zeros stand behind a stream")
        return rest


def is_url(place: str) -> bool:
    """Whether a path is a URL that fsspec opens."""
    return re.match(r"[a-z][a-z0-9+.-]+:(//|:)|[a-z0-9]+::", place, re.IGNORECASE) is not None and "://" in place


def parts_of(dataset: str, settings: DatasetSettings) -> list[Part]:
    """Finds the files of a user's own table: at least one, those of a folder or pattern by their names, 10 after 9.

    Raises:
        DataError: There is none, a zip archive holds several and none is named, or one can't be opened.
    """
    found = []
    for path in settings.paths:
        with mendable(path):
            parts = [part for place in _places(path) for part in _members(dataset, place, path, settings)]
        if not parts:
            raise DataError(f"datasets.{dataset}.path: {_nothing_at(path)}")
        found += parts
    return found


@contextlib.contextmanager
def mendable(name: str) -> Iterator[None]:
    """Turns what goes wrong in opening or decompressing a file into an error with a remedy."""
    try:
        yield
    except pa.ArrowException:  # who reads by Arrow says what is wrong
        raise
    except DAMAGED as error:
        raise DataError(f"{name} is not a whole {_packed(name)} file ({error}): get it again") from error
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise DataError(f"{name} is not a whole zip archive ({error}): get it again, or unpack it") from error
    except UnicodeError as error:
        raise DataError(f"{name} is not in the encoding that is set ({error}): set the one it is in") from error
    except (ImportError, ValueError) as error:
        raise DataError(f"{name} can't be opened: {error}") from error
    except RuntimeError as error:  # zipfile's word for a password
        raise DataError(f"{name} can't be opened ({error}): unpack it") from error
    except OSError as error:
        raise DataError(f"{name} can't be read: {error.strerror or error}") from error


def _packed(name: str) -> str:
    try:
        return Part(name).compression or "compressed"
    except (OSError, ValueError):
        return "compressed"


def _opened(place: str) -> BinaryIO:
    if not is_url(place):
        return Path(place).open("rb")
    import fsspec

    return cast("BinaryIO", fsspec.open(place, "rb").open())


def _places(path: str) -> list[str]:
    """The files at a path, as paths or URLs."""
    if is_url(path):
        return _places_at_url(path)
    here = Path(path)
    if here.is_file():
        return [path]
    for log, lake in _LAKES.items():
        if (here / log).exists():
            raise DataError(f"{path} is a table of {lake}, whose folder keeps rows of before: write it as parquet")
    if here.exists() or not _PATTERN.search(path):
        return _sorted(str(file) for file in here.rglob("*") if file.is_file() and _is_data(file, here))
    matches = _sorted(glob.glob(path, recursive=True))
    inside = {str(Path(match)) for match in matches}
    # what "**" finds within a folder that it found as well is there once
    top = [match for match in matches if not any(str(above) in inside for above in Path(match).parents)]
    return [place for match in top for place in _places(match)]


def _places_at_url(url: str) -> list[str]:
    from fsspec.core import url_to_fs

    file_system, path = url_to_fs(url)
    if _PATTERN.search(url):
        found = [place for place in file_system.glob(path) if file_system.isfile(place)]
    elif file_system.isfile(path):
        return [url]
    else:
        found = file_system.find(path)
    kept = [place for place in found if _is_data(PurePosixPath(place), PurePosixPath(path))]
    return [file_system.unstrip_protocol(place) for place in _sorted(kept)]


def _is_data(file: Path | PurePosixPath, folder: Path | PurePosixPath) -> bool:
    """Whether a file of a folder holds rows: programs put what does not under names with _ or . at their start."""
    inside = file.parts[len(folder.parts) :] if file.is_relative_to(folder) else (file.name,)
    return not any(part[0] in "_." for part in inside)


def _sorted(names: Iterable[str]) -> list[str]:
    """By their numbers where they have some."""

    def key(name: str) -> list[Any]:
        return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"([0-9]+)", name)]

    return sorted(names, key=key)


def _members(dataset: str, place: str, path: str, settings: DatasetSettings) -> list[Part]:
    given = _folders_say(place, path)
    with _opened(place) as file:
        is_archive = file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
    if not is_archive:
        return [Part(place, None, given)]
    with _opened(place) as file, zipfile.ZipFile(file) as archive:
        names = [info.filename for info in archive.infolist() if not info.is_dir()]
    for name, what in _OFFICE.items():
        if name in names:
            raise DataError(f"{place} is {what}: save its sheet as CSV")
    held = [name for name in names if not name.startswith("__MACOSX/") and PurePosixPath(name).name[0] not in "_."]
    asked = settings.member or "*"
    chosen = [name for name in held if name == asked] or [name for name in held if fnmatchcase(name, asked)]
    if len(set(chosen)) < len(chosen):
        twice = max(chosen, key=chosen.count)
        raise DataError(f"{place} holds several files of one name, {twice}: pack it anew with a name for each")
    if not held or not chosen or (settings.member is None and len(chosen) > 1):
        wrong = "holds no file" if not held else f"holds {len(held)} files" if chosen else f"has no {settings.member}"
        remedy = f"say which in datasets.{dataset}.member: {', '.join(_sorted(held)[:10])}"
        raise DataError(f"{place} {wrong}" + (f"; {remedy}" if held else ""))
    return [Part(place, name, given) for name in _sorted(chosen)]


def _folders_say(place: str, path: str) -> dict[str, str | None]:
    """Columns that the folders between a path and a file name, as ``day=2020-09-24``."""
    above = PurePosixPath(path).parts[:-1]
    folders = [folder for folder in PurePosixPath(place).parent.parts if "=" in folder and folder not in above]
    pairs = [folder.partition("=") for folder in folders]
    return {name: None if value == _NO_VALUE else unquote(value) for name, _, value in pairs if name}


def _nothing_at(path: str) -> str:
    if is_url(path):
        return f"there is no file at {path}"
    if Path(path).is_dir():
        return f"the folder {path} holds no file (names that begin with _ or . do not count)"
    return f"no file fits {path}" if _PATTERN.search(path) else f"there is no file {path}"
