"""Pictures and tables that belong together, a file each in one folder."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NoReturn

import fsspec
import pandas as pd
from kedro.io import AbstractDataset, DatasetError
from kedro.io.core import get_protocol_and_path

from rec_msa.datasets.recorded import Recorded, _seal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENDINGS = (".png", ".csv")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that spreadsheets run."""


class FolderDataset(Recorded, AbstractDataset[dict[str, Any], NoReturn]):
    """A folder with a PNG for each picture and a CSV for each table of a dictionary. It is only written.

    What an earlier save left under other names is removed; files that no save wrote stay. Unlike Kedro's
    ``PartitionedDataset`` it holds both kinds, and a save leaves nothing of the one before. A record beside the folder
    says which files there are and what they were made from, so that one that is gone or was altered counts as missing.

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
        """Refuses: what is made from the files' content has it already."""
        raise DatasetError(f"{self.path}: the files are for readers; no node loads them")

    def save(self, data: dict[str, Any]) -> None:
        """Writes a file for each name, which ends in ``.png`` or ``.csv``, and removes those of the save before."""
        written = {name: self._bytes_of(name, content) for name, content in data.items()}
        self._fs.invalidate_cache()
        self._fs.makedirs(self.path, exist_ok=True)
        before = self._files()
        self._remove(self.record_path)
        for name in before:
            if name not in written:
                self._remove(str(self._filepath / name))
        for name, content in written.items():
            self._write(name, content)
        if self.expected is not None:
            names = sorted(written)
            found = {"bytes": self._size_of(names), "sha256": self._checksum_of(names), "files": names}
            self._write_record({**self.expected._asdict(), **found})

    def _write(self, name: str, content: bytes) -> None:
        """Whole or not at all, and in the place of a link that lies there, not where it leads to."""
        part = str(self._filepath / f".{name}.part")
        self._fs.pipe_file(part, content)
        self._fs.mv(part, str(self._filepath / name))

    def _bytes_of(self, name: str, content: Figure | pd.DataFrame) -> bytes:
        if isinstance(content, pd.DataFrame):
            return _without_formulas(content).to_csv(index=False).encode()
        file = io.BytesIO()
        content.savefig(file, format=PurePosixPath(name).suffix[1:], dpi=self._dpi, bbox_inches="tight")
        return file.getvalue()

    def _files(self) -> list[str]:
        """Names of the files that the last save wrote, as its record says."""
        try:
            record = json.loads(self._fs.cat_file(self.record_path))
            sealed = record.pop("seal") == _seal(record)
            return [name for name in record["files"] if sealed and name.endswith(ENDINGS) and "/" not in name]
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            return []

    def _size(self) -> int:
        return self._size_of(self._files())

    def _checksum(self, _: str) -> str:
        return self._checksum_of(self._files())

    def _size_of(self, names: list[str]) -> int:
        return sum(self._fs.size(str(self._filepath / name)) for name in names)

    def _checksum_of(self, names: list[str]) -> str:
        """SHA-256 of the names and the content of some files."""
        digest = hashlib.sha256()
        for name in names:
            content = hashlib.sha256(self._fs.cat_file(str(self._filepath / name))).hexdigest()
            digest.update(f"{name} {content}\n".encode())
        return digest.hexdigest()

    def _describe(self) -> dict[str, Any]:
        return {"path": self.path, "dpi": self._dpi}


def _without_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """The table with a quotation mark before each text that a spreadsheet would take for a formula."""
    texts = table.select_dtypes(exclude="number").columns
    return table.assign(**{name: table[name].map(_as_text) for name in texts})


def _as_text(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
