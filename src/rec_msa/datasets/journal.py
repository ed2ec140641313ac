"""The journal of runs: what each took and where it ran, so that a report can say what its figures cost."""

from __future__ import annotations

import json
import uuid
from glob import escape
from pathlib import PurePosixPath
from typing import Any

import pandas as pd
from kedro.io import AbstractDataset
from kedro.io.core import get_protocol_and_path

from rec_msa.datasets.json_files import JSONFiles


class JournalDataset(JSONFiles, AbstractDataset[dict[str, Any], pd.DataFrame]):
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
        super().__init__(f"{escape(path)}/*.json")
        self._folder = PurePosixPath(get_protocol_and_path(path)[1])
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """A row for each run in the order of their start; no row and no column where none was recorded."""
        runs = [row for row in self._contents().values() if "started" in row]
        rows: list[dict[str, Any]] = sorted(runs, key=lambda row: str(row["started"]))
        return pd.DataFrame(rows)

    def save(self, data: dict[str, Any]) -> None:
        """Adds a run; ``started`` names its file."""
        self._fs.makedirs(str(self._folder), exist_ok=True)
        path = str(self._folder / f"{data['started'].replace(':', '')}-{uuid.uuid4().hex[:8]}.json")
        self._fs.pipe_file(f"{path}.part", json.dumps(data, indent=1).encode())
        self._fs.mv(f"{path}.part", path)

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._folder)}
