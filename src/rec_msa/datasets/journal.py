"""The journal of runs: what each took and where it ran, so that a report can say what its figures cost."""

from __future__ import annotations

import json
import logging
import uuid
from datetime import datetime
from glob import escape
from pathlib import PurePosixPath
from typing import Any

import pandas as pd
from kedro.io import AbstractDataset
from kedro.io.core import get_protocol_and_path

from rec_msa.datasets.json_files import JSONFiles
from rec_msa.datasets.recorded import remove_leftovers

logger = logging.getLogger(__name__)


NUMBERS = ("seconds", "in_functions", "core_seconds", "n_nodes", "threads", "cores", "memory_gib")
TEXTS = ("commit", "python", "torch", "kedro", "numpy", "machine", "command")
LARGEST = 1e15
"""Of seconds, 30 million years."""


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
        runs = []
        for path, row in self._contents().items():
            fault = _fault(row)
            if fault:
                logger.warning("%s is left out, since it is no entry of a run (%s); remove it", path, fault)
            else:
                runs.append(row)
        rows: list[dict[str, Any]] = sorted(runs, key=lambda row: str(row["started"]))
        return pd.DataFrame(rows)

    def save(self, data: dict[str, Any]) -> None:
        """Adds a run; ``started`` names its file."""
        self._fs.makedirs(str(self._folder), exist_ok=True)
        remove_leftovers(self._fs, f"{escape(str(self._folder))}/*.part")
        path = str(self._folder / f"{data['started'].replace(':', '')}-{uuid.uuid4().hex[:8]}.json")
        self._fs.pipe_file(f"{path}.part", json.dumps(data, indent=1).encode())
        self._fs.mv(f"{path}.part", path)

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._folder)}


def _counts(nodes: Any) -> bool:
    """Whether each kind of node has how many ran and their seconds in all."""
    if not isinstance(nodes, dict):
        return False
    return all(
        isinstance(took, list) and [type(n) in (int, float) for n in took] == [True, True] for took in nodes.values()
    )


def _fault(row: dict[str, Any]) -> str:
    """What is wrong with an entry; empty for nothing. It may lack fields: earlier versions wrote fewer."""
    try:
        datetime.fromisoformat(row["started"])
    except (KeyError, TypeError, ValueError):
        return "started is no time"
    for name in NUMBERS:
        value = row.get(name, 0)
        unknown = name == "memory_gib" and value != value  # noqa: PLR0124 - NaN: the system did not tell
        if isinstance(value, bool) or not isinstance(value, int | float) or not (0 <= value < LARGEST or unknown):
            return f"{name} is no number"
    if not _counts(row.get("nodes", {})):
        return "nodes are no counts and seconds"
    return next((f"{name} is no text" for name in TEXTS if not isinstance(row.get(name, ""), str)), "")
