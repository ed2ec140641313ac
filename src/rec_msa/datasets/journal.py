"""The journal of runs: what each took and where it ran, so that a report can say what its figures cost."""

from __future__ import annotations

import json
import uuid
from pathlib import PurePosixPath
from typing import Any

import fsspec
import pandas as pd
from kedro.io import AbstractDataset
from kedro.io.core import get_filepath_str, get_protocol_and_path


class JournalDataset(AbstractDataset[dict[str, Any], pd.DataFrame]):
    """A folder with a small JSON file for each run: saving adds one, loading gives a table of all.

    Runs that end together write files of their own, so nothing is lost and nothing is locked.

    Example::

        journal:
          type: rec_msa.datasets.journal.JournalDataset
          path: data/08_reporting/journal

    >>> dataset = JournalDataset(path="data/08_reporting/journal")
    >>> dataset.save({"started": "2026-11-25T14:00:00+00:00", "seconds": 12.5})
    >>> dataset.load()

    Args:
        path: The folder, local or an fsspec URL.
        metadata: For kedro viz and other plugins.
    """

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None) -> None:
        protocol, folder = get_protocol_and_path(path)
        self._fs = fsspec.filesystem(protocol)
        self._protocol, self._folder = protocol, PurePosixPath(folder)
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """A row for each run in the order of their start; no row and no column where none was recorded."""
        self._fs.invalidate_cache()
        paths: list[str] = self._fs.glob(f"{self._folder}/*.json")
        rows: list[dict[str, Any]] = [json.loads(self._fs.cat_file(path)) for path in paths]
        rows.sort(key=lambda row: str(row["started"]))
        return pd.DataFrame(rows)

    def save(self, data: dict[str, Any]) -> None:
        """Adds a run; ``started`` names its file."""
        self._fs.makedirs(get_filepath_str(self._folder, self._protocol), exist_ok=True)
        name = f"{data['started'].replace(':', '')}-{uuid.uuid4().hex[:8]}.json"
        self._fs.pipe_file(str(self._folder / name), json.dumps(data, indent=1).encode())

    def _exists(self) -> bool:
        return bool(self._fs.glob(f"{self._folder}/*.json"))

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._folder), "protocol": self._protocol}
