"""Finding a data set's raw file: a local copy first, else one that is fetched, checked and kept."""

from __future__ import annotations

import contextlib
import logging
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rec_msa.foundation.errors import DataError, SettingsError, nearest
from rec_msa.interactions.checksums import checksum, checksum_of_all, is_original
from rec_msa.interactions.fetching import fetch
from rec_msa.interactions.known import KNOWN, Original
from rec_msa.interactions.reading.files import Part, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rec_msa.interactions.settings import DatasetSettings

logger = logging.getLogger(__name__)

SEPARATOR = ", "
"""Between the paths of a table that lies in several files."""


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
    """Says where a data set's raw file is, without reading or fetching it: of a user's own data the first path.

    Args:
        name: Name of the data set.
        settings: Its settings; with a ``path`` it is a user's own data.
        raw_folder: Folder with one folder of raw files for each data set.

    Raises:
        SettingsError: The name is unknown and the settings have no path, or the name is known and they have one.
    """
    if settings.path is not None:
        if name in KNOWN:
            raise SettingsError(
                f"datasets.{name}.path: '{name}' is the name of a public data set, read from the folder of raw files; "
                f"give your own data another name"
            )
        own = Path(settings.paths[0])
        return own if own.is_file() else None
    for file_name in _original(name).file_names:
        for candidate in (raw_folder / name / file_name, raw_folder / name / f"{file_name}.gz"):
            if candidate.is_file():
                return candidate
    return None


def acquire(name: str, settings: DatasetSettings, raw_folder: Path) -> RawFile:
    """Finds a data set's raw file, or fetches it once, checks it and keeps it under its original name.

    A local file that is not the known original is used, with a warning in the log. Arguments as of ``locate``.

    Raises:
        SettingsError: The name is unknown and the settings have no path, or the name is known and they have one.
        DataError: The file is missing and can't be fetched, is empty, is truncated, or what was fetched is not the
            known original.
    """
    path = locate(name, settings, raw_folder)
    if settings.path is not None:
        sha256, n_bytes = checksum_of_all(parts_of(name, settings))
        if n_bytes == 0:
            raise DataError(f"{SEPARATOR.join(settings.paths)} is empty: put the data there")
        return RawFile(name, SEPARATOR.join(settings.paths), sha256, n_bytes, "local", known=False)
    original = _original(name)
    source: Literal["local", "fetched"] = "local"
    if path is None:
        path, source = fetch(name, original, raw_folder), "fetched"
    sha256, n_bytes = checksum(path)
    known = is_original(path, original, sha256, n_bytes)
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
    tail, has_zeros = b"", False
    for chunk in Part(str(path)).chunks():
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
