"""Small JSON files of many folders, read as one table."""

from __future__ import annotations

import logging
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NoReturn

import pandas as pd
from kedro.io import AbstractDataset, DatasetError

from rec_msa.datasets.json_files import JSONFiles
from rec_msa.datasets.recorded import Recorded

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

logger = logging.getLogger(__name__)


class _File(Recorded):
    """One of the files, with its record."""

    def __init__(self, fs: AbstractFileSystem, path: PurePosixPath) -> None:
        self._fs, self._filepath = fs, path


class GatheredJSONDataset(JSONFiles, AbstractDataset[NoReturn, pd.DataFrame]):
    """The JSON files that a pattern finds, a row each, with the name of the folder that each lies in. It only reads.

    Where the files are artifacts, one that does not fit the record beside it, or was copied with it from another
    folder, is left out and named.

    Example::

        dataset_statistics:
          type: rec_msa.datasets.gathered.GatheredJSONDataset
          path: data/03_primary/*/statistics.json
          folder: dataset
          artifact: statistics

    >>> GatheredJSONDataset(path="data/03_primary/*/statistics.json", folder="dataset").load()

    Args:
        path: The pattern, local or an fsspec URL.
        folder: The column with the folder's name.
        artifact: What the artifacts are called behind the folder's name; None where the files have no records.
        metadata: For kedro viz and other plugins.
    """

    def __init__(
        self, *, path: str, folder: str, artifact: str | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        super().__init__(path)
        self._folder, self._artifact = folder, artifact
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """A row for each file in the order of their folders; no row where there is none."""
        for path in sorted({*super()._paths()} - {*self._paths()}):
            logger.warning("%s is left out: it is not what was written there; make it again, or remove it", path)
        rows = [{self._folder: path.parent.name, **row} for path, row in self._contents().items()]
        return pd.DataFrame(rows, columns=None if rows else [self._folder])

    def save(self, data: NoReturn) -> NoReturn:
        """Refuses: each file has an entry of its own.

        Raises:
            DatasetError: Always.
        """
        raise DatasetError(f"{self._pattern}: gathered files are only read; save each by its own entry")

    def _paths(self) -> list[str]:
        return [path for path in super()._paths() if self._artifact is None or self._fits(PurePosixPath(path))]

    def _fits(self, path: PurePosixPath) -> bool:
        file = _File(self._fs, path)
        record = file.record()
        return record is not None and record.name == f"{path.parent.name}.{self._artifact}" and file.intact()

    def _describe(self) -> dict[str, Any]:
        return {"path": self._pattern, "folder": self._folder}
