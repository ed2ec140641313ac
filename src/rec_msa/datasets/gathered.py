"""Small JSON files of many folders, read as one table."""

from __future__ import annotations

from typing import Any, NoReturn

import pandas as pd
from kedro.io import AbstractDataset, DatasetError

from rec_msa.datasets.json_files import JSONFiles


class GatheredJSONDataset(JSONFiles, AbstractDataset[NoReturn, pd.DataFrame]):
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
        super().__init__(path)
        self._folder = folder
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """A row for each file in the order of their folders; no row where there is none."""
        rows = [{self._folder: path.parent.name, **row} for path, row in self._contents().items()]
        return pd.DataFrame(rows, columns=None if rows else [self._folder])

    def save(self, data: NoReturn) -> NoReturn:
        """Refuses: each file has an entry of its own.

        Raises:
            DatasetError: Always.
        """
        raise DatasetError(f"{self._pattern}: gathered files are only read; save each by its own entry")

    def _describe(self) -> dict[str, Any]:
        return {"path": self._pattern, "folder": self._folder}
