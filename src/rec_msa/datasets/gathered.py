"""Small JSON files of many folders, read as one table."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any, NoReturn

import fsspec
import pandas as pd
from kedro.io import AbstractDataset, DatasetError
from kedro.io.core import get_protocol_and_path


class GatheredJSONDataset(AbstractDataset[NoReturn, pd.DataFrame]):
    """The JSON files that a pattern finds, a row each, with the name of the folder that each lies in. It only reads.

    Example::

        dataset_statistics:
          type: rec_msa.datasets.gathered.GatheredJSONDataset
          path: data/03_primary/*/statistics.json
          folder: dataset

    >>> GatheredJSONDataset(path="data/03_primary/*/statistics.json", folder="dataset").load()

    Args:
        path: The pattern, local or an fsspec URL.
        folder: The column with the folder's name.
        metadata: For kedro viz and other plugins.
    """

    def __init__(self, *, path: str, folder: str, metadata: dict[str, Any] | None = None) -> None:
        protocol, self._pattern = get_protocol_and_path(path)
        self._fs = fsspec.filesystem(protocol)
        self._folder = folder
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """A row for each file in the order of their folders; no row where there is none."""
        self._fs.invalidate_cache()
        found = sorted(map(str, self._fs.glob(self._pattern)))
        rows = [
            {self._folder: PurePosixPath(path).parent.name, **json.loads(self._fs.cat_file(path))} for path in found
        ]
        return pd.DataFrame(rows, columns=None if rows else [self._folder])

    def save(self, data: NoReturn) -> NoReturn:
        """Refuses: each file has an entry of its own.

        Raises:
            DatasetError: Always.
        """
        raise DatasetError(f"{self._pattern}: gathered files are only read; save each by its own entry")

    def _exists(self) -> bool:
        return bool(self._fs.glob(self._pattern))

    def _describe(self) -> dict[str, Any]:
        return {"path": self._pattern, "folder": self._folder}
