"""Pictures and tables that belong together, a file each in one folder."""

from __future__ import annotations

import io
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NoReturn

import fsspec
import pandas as pd
from kedro.io import AbstractDataset, DatasetError
from kedro.io.core import get_protocol_and_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENDINGS = (".png", ".csv")


class FolderDataset(AbstractDataset[dict[str, Any], NoReturn]):
    """A folder with a PNG for each picture and a CSV for each table of a dictionary. It is only written.

    What an earlier save left under other names is removed; files of other kinds stay. Unlike Kedro's
    ``PartitionedDataset`` it holds both kinds, and a save leaves nothing of the one before.

    Example::

        report_files:
          type: rec_msa.datasets.folder.FolderDataset
          path: data/08_reporting/report
          dpi: 120

    >>> FolderDataset(path="data/08_reporting/report").save({"figure2.png": picture, "table4.csv": table})

    Args:
        path: The folder, local or an fsspec URL.
        dpi: Dots per inch of the pictures.
        metadata: For kedro viz and other plugins.
    """

    def __init__(self, *, path: str, dpi: int = 120, metadata: dict[str, Any] | None = None) -> None:
        protocol, folder = get_protocol_and_path(path)
        self._fs = fsspec.filesystem(protocol)
        self._filepath, self._dpi = PurePosixPath(folder), dpi
        self.metadata = metadata

    @property
    def path(self) -> str:
        """Where the folder lies, within its file system."""
        return str(self._filepath)

    def load(self) -> NoReturn:
        """Refuses: what is made from the files' content has it already.

        Raises:
            DatasetError: Always.
        """
        raise DatasetError(f"{self.path}: the files are for readers; no node loads them")

    def save(self, data: dict[str, Any]) -> None:
        """Writes a file for each name, which ends in ``.png`` or ``.csv``, and removes the others of these kinds."""
        written = {name: self._bytes_of(name, content) for name, content in data.items()}
        self._fs.invalidate_cache()
        self._fs.makedirs(self.path, exist_ok=True)
        for path in self._files():
            if PurePosixPath(path).name not in written:
                self._fs.rm_file(path)
        for name, content in written.items():
            self._fs.pipe_file(str(self._filepath / name), content)

    def _bytes_of(self, name: str, content: Figure | pd.DataFrame) -> bytes:
        if isinstance(content, pd.DataFrame):
            return content.to_csv(index=False).encode()
        file = io.BytesIO()
        content.savefig(file, format=PurePosixPath(name).suffix[1:], dpi=self._dpi, bbox_inches="tight")
        return file.getvalue()

    def _files(self) -> list[str]:
        return [str(path) for ending in ENDINGS for path in self._fs.glob(f"{self.path}/*{ending}")]

    def _exists(self) -> bool:
        return bool(self._files())

    def _describe(self) -> dict[str, Any]:
        return {"path": self.path, "dpi": self._dpi}
