"""Artifacts that are whole or absent, and that know what they were made from."""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import UTC, datetime, timedelta
from glob import escape
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from kedro.io import DatasetError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

BLOCK = 1 << 20
LEFT_AFTER = timedelta(hours=1)
STAMPS = ("mtime", "ino", "LastModified", "last_modified", "updated", "ETag", "etag")
"""What file systems tell of a file that changes when the file does."""


class Provenance(NamedTuple):
    """What an artifact is and what it was made from.

    Attributes:
        fingerprint: Digest of the node, its parameters and its inputs' fingerprints.
        inputs: Fingerprints of the catalogued inputs, by name.
        name: The artifact's own name: a file that was copied with its record to another's place is known by it.
        raw: The checksum of the raw file that its node reads, or of the module of a user's own function, for one that
            answers with since when it answers so; None where it reads none.
    """

    fingerprint: str
    inputs: dict[str, str]
    name: str = ""
    raw: str | None = None


class OtherArtifactError(DatasetError):
    """What lies there is not what this run began with; the message has the remedy."""


class Recorded:
    """Mixin for file datasets of kedro-datasets: atomic saves, and a record of provenance beside the file.

    A save removes the old record, writes to a temporary name in the same folder, renames it, and writes the record
    last: provenance, size and checksum. So a file without a record is of unknown origin, and one that does not fit its
    record is damaged: it counts as missing, and is not loaded. With an expected provenance (set by the project's hook
    before a run, of what the run makes and of what it reads) an artifact made otherwise counts as missing too, which is
    what ``--only-missing-outputs`` asks, and is not loaded either: another run may have made it anew in the meantime.

    All of it goes through fsspec, so it holds on a local disk and on a URL alike.
    """

    _fs: AbstractFileSystem
    _filepath: PurePosixPath
    expected: Provenance | None = None
    settings: dict[str, Any] | None = None
    """What it is made with, for people: a save notes it in the record, and nothing is compared with it."""
    cost: dict[str, Any] | None = None
    """The node that makes it, its tags, and its processor seconds: noted likewise."""
    _writing: str | None = None
    _seen: tuple[object, str] | None = None

    @property
    def path(self) -> str:
        """Where the file lies, within its file system."""
        return str(self._filepath)

    @property
    def record_path(self) -> str:
        """Path of the record, hidden beside the file."""
        return str(self._filepath.parent / f".{self._filepath.name}.record.json")

    def record(self) -> Provenance | None:
        """The provenance of the file as it lies there; None where it is absent, cut short or of unknown origin."""
        raw = self._raw_record()
        return None if raw is None else Provenance(*(raw[field] for field in Provenance._fields))

    def recorded_settings(self) -> dict[str, Any] | None:
        """What the file was made with; None where that was not noted."""
        return self._noted("settings")

    def recorded_cost(self) -> dict[str, Any] | None:
        """The node that made the file, its tags, and its processor seconds; None where that was not noted."""
        return self._noted("cost")

    def _noted(self, name: str) -> dict[str, Any] | None:
        raw = self._raw_record()
        return None if raw is None else raw.get(name)

    def intact(self) -> bool:
        """Whether there is a record and every byte of the file fits it; unchanged files are read once."""
        raw = self._raw_record()
        return raw is not None and self._checksum(self.path) == raw["sha256"]

    def load(self) -> Any:
        """Loads, but not a file that was damaged since it was written, nor one made from something else than expected.

        Raises:
            DatasetError: The file does not fit its record.
            OtherArtifactError: It is not what the run began with, or was made anew while it was read.
        """
        if not (self._fs.exists(self.record_path) and self._fs.exists(self.path)):
            self._require_expected(None)
            return super().load()  # type: ignore[misc]
        if not self.intact():
            msg = f"{self.path} is not what was written there: it does not fit the checksum in {self.record_path}"
            raise DatasetError(msg)
        before = self.record()
        self._require_expected(before)
        data = super().load()  # type: ignore[misc]
        if self.record() != before:  # a save takes the record away before it touches the file
            raise self._made_anew()
        return data

    def _require_expected(self, found: Provenance | None) -> None:
        if self.expected is None or not self._fs.exists(self.path):
            return
        if found is not None and found.name != self.expected.name:
            raise OtherArtifactError(
                f"{self.path} is {found.name}, as its record says, and was copied here; remove it with its record and "
                "run with --only-missing-outputs"
            )
        if found is None or found.fingerprint != self.expected.fingerprint:
            raise self._made_anew()

    def _made_anew(self) -> OtherArtifactError:
        return OtherArtifactError(
            f"{self.path} was made anew or exchanged since this run began, so results would mix two settings; start "
            "the run again with --only-missing-outputs when nobody else works on these artifacts"
        )

    def save(self, data: Any) -> None:
        """Saves whole or not at all."""
        self._fs.invalidate_cache()
        self._fs.makedirs(str(self._filepath.parent), exist_ok=True)
        self._remove(self.record_path)
        self._remove_leftovers()
        self._writing = str(self._filepath.parent / f".{self._filepath.name}.{uuid.uuid4().hex}.part")
        try:
            super().save(data)  # type: ignore[misc]
            size, checksum = self._fs.size(self._writing), self._checksum(self._writing)
            self._fs.mv(self._writing, self.path)
        finally:
            self._remove(self._writing)
            self._writing = None
        if self.expected is not None:
            self._write_record({**self.expected._asdict(), "bytes": size, "sha256": checksum})

    def discard(self) -> None:
        """Takes away the file and its record, where they are there."""
        self._fs.invalidate_cache()
        self._remove(self.record_path)
        self._remove(self.path)

    def _write_record(self, record: dict[str, Any]) -> None:
        noted = {"settings": self.settings, "cost": self.cost}
        record = record | {name: value for name, value in noted.items() if value is not None}
        sealed = {**record, "seal": _seal(record)}
        self._fs.pipe_file(self.record_path, json.dumps(sealed, indent=1).encode())

    def _raw_record(self) -> dict[str, Any] | None:
        """The record, if it is whole and of a file of this size."""
        try:
            raw: dict[str, Any] = json.loads(self._fs.cat_file(self.record_path))
            fits = raw.pop("seal") == _seal(raw) and self._size() == raw["bytes"]
            return raw if fits and raw.keys() >= {*Provenance._fields, "sha256"} else None
        except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError):
            return None

    def _size(self) -> int:
        size: int = self._fs.size(self.path)
        return size

    def _checksum(self, path: str) -> str:
        """SHA-256 of a file; of one that has not changed since it was last read, from memory."""
        info = self._fs.info(path)
        stamps = [path, info.get("size"), *(info[stamp] for stamp in STAMPS if info.get(stamp))]
        if self._seen is not None and len(stamps) > 2 and self._seen[0] == stamps:  # noqa: PLR2004 - path and size
            return self._seen[1]
        digest = hashlib.sha256()
        with self._fs.open(path, "rb") as file:
            while block := file.read(BLOCK):
                digest.update(block)
        self._seen = stamps, digest.hexdigest()
        return self._seen[1]

    def _get_save_path(self) -> PurePosixPath:
        return PurePosixPath(self._writing) if self._writing else self._filepath

    def _exists(self) -> bool:
        record = self.record()
        if record is None or (self.expected is not None and record != self.expected):
            return False
        return self.intact()

    def _remove_leftovers(self) -> None:
        """Takes away what a killed run was writing; the run's lock says that nobody else writes here."""
        for part in self._fs.glob(f"{escape(str(self._filepath.parent))}/.{escape(self._filepath.name)}.*.part"):
            self._remove(part)

    def _remove(self, path: str) -> None:
        try:
            self._fs.rm_file(path)
        except FileNotFoundError:
            pass


def remove_leftovers(fs: AbstractFileSystem, pattern: str) -> None:
    """Takes away what killed runs were writing under temporary names that no lock guards.

    Args:
        fs: The file system.
        pattern: Their names. Whoever lives writes on within ``LEFT_AFTER``; files that are younger stay.
    """
    for path in fs.glob(pattern):
        try:
            if datetime.now(UTC) - _aware(fs.modified(path)) > LEFT_AFTER:
                fs.rm_file(path)
        except (FileNotFoundError, NotImplementedError):
            continue  # another run was first, or the file system does not tell


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _seal(record: dict[str, Any]) -> str:
    """Digest of a record, by which a damaged one is known."""
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:16]
