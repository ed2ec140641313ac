"""Pictures and tables that belong together, a file each in one folder."""

from __future__ import annotations

import hashlib
import io
from glob import escape
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NoReturn

import fsspec
import pandas as pd
from kedro.io import AbstractDataset, DatasetError
from kedro.io.core import get_protocol_and_path

from rec_msa.datasets.recorded import Recorded

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENDINGS = (".png", ".csv")


class FolderDataset(Recorded, AbstractDataset[dict[str, Any], NoReturn]):
    """A folder with a PNG for each picture and a CSV for each table of a dictionary. It is only written.

    What an earlier save left under other names is removed; files of other kinds stay. Unlike Kedro's
    ``PartitionedDataset`` it holds both kinds, and a save leaves nothing of the one before. A record beside the folder
    says what the files were made from, so that one that is gone or was altered counts as missing.

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
        self._remove(self.record_path)
        for path in self._files():
            if PurePosixPath(path).name not in written:
                self._fs.rm_file(path)
        for name, content in written.items():
            self._fs.pipe_file(str(self._filepath / name), content)
        if self.expected is not None:
            found = {"bytes": self._size(), "sha256": self._checksum(self.path)}
            self._write_record({**self.expected._asdict(), **found})

    def _bytes_of(self, name: str, content: Figure | pd.DataFrame) -> bytes:
        if isinstance(content, pd.DataFrame):
            return content.to_csv(index=False).encode()
        file = io.BytesIO()
        content.savefig(file, format=PurePosixPath(name).suffix[1:], dpi=self._dpi, bbox_inches="tight")
        return file.getvalue()

    def _files(self) -> list[str]:
        return sorted(str(path) for ending in ENDINGS for path in self._fs.glob(f"{escape(self.path)}/*{ending}"))

    def _size(self) -> int:
        return sum(self._fs.size(path) for path in self._files())

    def _checksum(self, path: str) -> str:
        """SHA-256 of the names and the content of all files of a folder."""
        digest = hashlib.sha256()
        for file in self._files():
            content = hashlib.sha256(self._fs.cat_file(file)).hexdigest()
            digest.update(f"{PurePosixPath(file).relative_to(path)} {content}\n".encode())
        return digest.hexdigest()

    def _describe(self) -> dict[str, Any]:
        return {"path": self.path, "dpi": self._dpi}
