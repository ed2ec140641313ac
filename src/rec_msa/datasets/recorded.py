"""Artifacts that are whole or absent, and that know what they were made from."""

from __future__ import annotations

import json
import uuid
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem


class Provenance(NamedTuple):
    """What an artifact was made from.

    Attributes:
        fingerprint: Digest of the node, its parameters and its inputs' fingerprints.
        inputs: Fingerprints of the catalogued inputs, by name.
    """

    fingerprint: str
    inputs: dict[str, str]


class Recorded:
    """Mixin for file datasets of kedro-datasets: atomic saves, and a record of provenance beside the file.

    A save removes the old record, writes to a temporary name in the same folder, renames it, and writes the record
    last. So a file without a record is of unknown origin, and a record whose size does not match tells of damage. With
    an expected fingerprint (set by the project's hook before a run) an artifact made otherwise counts as missing, which
    is what ``--only-missing-outputs`` asks.
    """

    _fs: AbstractFileSystem
    _filepath: PurePosixPath
    expected: Provenance | None = None
    _writing: str | None = None

    @property
    def record_path(self) -> str:
        """Path of the record, hidden beside the file."""
        return str(self._filepath.parent / f".{self._filepath.name}.record.json")

    def record(self) -> Provenance | None:
        """The provenance of the file as it lies there; None where it is absent, damaged or of unknown origin."""
        try:
            raw = json.loads(self._fs.cat_file(self.record_path))
            if self._fs.size(str(self._filepath)) == raw["bytes"]:
                return Provenance(raw["fingerprint"], raw["inputs"])
        except (OSError, ValueError, KeyError):
            pass
        return None

    def save(self, data: Any) -> None:
        """Saves whole or not at all."""
        self._fs.invalidate_cache()
        self._fs.makedirs(str(self._filepath.parent), exist_ok=True)
        self._remove(self.record_path)
        self._writing = str(self._filepath.parent / f".{uuid.uuid4().hex}.part")
        try:
            super().save(data)  # type: ignore[misc]
            size = self._fs.size(self._writing)
            self._fs.mv(self._writing, str(self._filepath))
        finally:
            self._remove(self._writing)
            self._writing = None
        if self.expected is not None:
            record = {"fingerprint": self.expected.fingerprint, "inputs": self.expected.inputs, "bytes": size}
            self._fs.pipe_file(self.record_path, json.dumps(record, indent=1).encode())

    def _get_save_path(self) -> PurePosixPath:
        return PurePosixPath(self._writing) if self._writing else self._filepath

    def _exists(self) -> bool:
        if not self._fs.exists(str(self._filepath)):
            return False
        record = self.record()
        return record is not None and (self.expected is None or record.fingerprint == self.expected.fingerprint)

    def _remove(self, path: str) -> None:
        if self._fs.exists(path):
            self._fs.rm_file(path)
