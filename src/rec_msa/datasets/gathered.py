"""Small JSON files, read as one table."""

from __future__ import annotations

import hashlib
import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NoReturn

import fsspec
import pandas as pd
from kedro.io import AbstractDataset, DatasetError
from kedro.io.core import get_protocol_and_path

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem


class JSONFiles:
    """Mixin for datasets that read all JSON files that a pattern finds.

    Args:
        pattern: The pattern, local or an fsspec URL.
    """

    def __init__(self, pattern: str) -> None:
        protocol, self._pattern = get_protocol_and_path(pattern)
        self._fs: AbstractFileSystem = fsspec.filesystem(protocol)

    def fingerprint(self) -> str:
        """Digest of all files as they lie there: it changes when one is added, gone or other than it was."""
        digest = hashlib.sha256()
        for path in self._paths():
            name = "/".join(PurePosixPath(path).parts[-2:])  # wherever the project lies
            digest.update(f"{name} {hashlib.sha256(self._fs.cat_file(path)).hexdigest()}\n".encode())
        return digest.hexdigest()[:32]

    def _contents(self) -> dict[PurePosixPath, dict[str, Any]]:
        return {PurePosixPath(path): json.loads(self._fs.cat_file(path)) for path in self._paths()}

    def _paths(self) -> list[str]:
        self._fs.invalidate_cache()
        return sorted(map(str, self._fs.glob(self._pattern)))

    def _exists(self) -> bool:
        return bool(self._paths())


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
