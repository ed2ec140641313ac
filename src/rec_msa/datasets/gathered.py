"""Small files of many folders, read as one table."""

from __future__ import annotations

import logging
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NoReturn

import pandas as pd
from kedro.io import AbstractDataset, DatasetError

from rec_msa.datasets.json_files import JSONFiles
from rec_msa.datasets.recorded import Recorded
from rec_msa.defenses.settings import NO_DEFENSE

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

logger = logging.getLogger(__name__)


class _File(Recorded):
    """One of the files, with its record."""

    def __init__(self, fs: AbstractFileSystem, path: PurePosixPath) -> None:
        self._fs, self._filepath = fs, path


class _Gathered(JSONFiles):
    """Files that a pattern finds, which it only reads; no dataset: Kedro notes arguments of the class they are for."""

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None) -> None:
        super().__init__(path)
        self.metadata = metadata

    def save(self, data: NoReturn) -> NoReturn:
        """Refuses: each file has an entry of its own."""
        raise DatasetError(f"{self._pattern}: gathered files are only read; save each by its own entry")

    def _fits(self, path: str, name: str) -> bool:
        """Whether a file fits the record beside it, and is the artifact of this name."""
        file = _File(self._fs, PurePosixPath(path))
        record = file.record()
        return record is not None and record.name == name and file.intact()

    def _describe(self) -> dict[str, Any]:
        return {"path": self._pattern}


class GatheredJSONDataset(_Gathered, AbstractDataset[NoReturn, pd.DataFrame]):
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
        super().__init__(path=path, metadata=metadata)
        self._folder, self._artifact = folder, artifact

    def load(self) -> pd.DataFrame:
        """A row for each file in the order of their folders; no row where there is none."""
        for path in sorted({*super()._paths()} - {*self._paths()}):
            logger.warning("%s is left out: it is not what was written there; make it again, or remove it", path)
        rows = [{self._folder: path.parent.name, **row} for path, row in self._contents().items()]
        return pd.DataFrame(rows, columns=None if rows else [self._folder])

    def _paths(self) -> list[str]:
        found = super()._paths()
        if self._artifact is None:
            return found
        return [path for path in found if self._fits(path, f"{PurePosixPath(path).parent.name}.{self._artifact}")]

    def _describe(self) -> dict[str, Any]:
        return {**super()._describe(), "folder": self._folder}


class GatheredCurvesDataset(_Gathered, AbstractDataset[NoReturn, pd.DataFrame]):
    """Training curves that a pattern finds, below one another, with what each is of. It only reads.

    Of each data set these are the curves of its lowest seed, without those under a defense: a study leaves thousands.
    One that does not fit the record beside it is left out.

    Example::

        training_curves:
          type: rec_msa.datasets.gathered.GatheredCurvesDataset
          path: data/06_models/*/*/**/*_curve.parquet

    >>> GatheredCurvesDataset(path="data/06_models/*/*/**/*_curve.parquet").load()

    Args:
        path: The pattern, local or an fsspec URL; data set and seed are its first two folders.
        metadata: For kedro viz and other plugins.
    """

    def load(self) -> pd.DataFrame:
        """The columns of the curves, and ``place`` (the namespace) and ``stage`` before them."""
        parts = []
        for path in self._paths():
            with self._fs.open(path, "rb") as file:
                curve = pd.read_parquet(file)
            *place, name = self._place(path)
            parts.append(curve.assign(place=".".join(place), stage=name.removesuffix("_curve")))
        columns = ["place", "stage", "step", "loss", "validation", "kept"]
        return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)

    def _place(self, path: str) -> tuple[str, ...]:
        """The namespace and the artifact's name."""
        root = self._pattern.partition("*")[0]
        return PurePosixPath(path).relative_to(root).with_suffix("").parts

    def _paths(self) -> list[str]:
        found = {path: self._place(path) for path in super()._paths()}
        lowest: dict[str, int] = {}
        for dataset, seed, *_ in found.values():
            lowest[dataset] = min(_number(seed), lowest.get(dataset, _number(seed)))
        own = [path for path, (dataset, seed, *_) in found.items() if _number(seed) == lowest[dataset]]
        return [path for path in own if self._is_undefended(found[path]) and self._fits(path, ".".join(found[path]))]

    def _is_undefended(self, place: tuple[str, ...]) -> bool:
        return place[-1] != "steal_curve" or place[3] == NO_DEFENSE


def _number(seed: str) -> int:
    return int(seed.removeprefix("seed") or 0)


class CostsDataset(_Gathered, AbstractDataset[NoReturn, dict[str, Any]]):
    """Of each artifact on disk what it was made from and what its node took, by the records that a pattern finds.

    It only reads. What runs took says nothing of what they made: whoever reads it is not made anew for its sake.

    Example::

        "{dataset}.costs":
          type: rec_msa.datasets.gathered.CostsDataset
          path: data/*/{dataset}/**/.*.record.json

    >>> CostsDataset(path="data/*/ml-100k/**/.*.record.json").load()

    Args:
        path: The pattern, local or an fsspec URL.
        metadata: For kedro viz and other plugins.
    """

    def load(self) -> dict[str, tuple[list[str], dict[str, Any]]]:
        """By an artifact's name the names of what it was made from, and node, tags and processor seconds."""
        records = [record for record in self._contents().values() if "cost" in record]
        return {record["name"]: (list(record["inputs"]), record["cost"]) for record in records}

    def fingerprint(self) -> str:
        """The same always."""
        return "costs"

    def _exists(self) -> bool:
        return True
