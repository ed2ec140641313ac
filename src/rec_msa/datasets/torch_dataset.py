"""``TorchDataset``: checkpoints of tensors, numbers and strings as torch files."""

from __future__ import annotations

from copy import deepcopy
from pathlib import PurePosixPath
from typing import Any

import fsspec
from kedro.io.core import AbstractVersionedDataset, get_filepath_str, get_protocol_and_path

from rec_msa.datasets.recorded import Recorded


class _TorchFile(AbstractVersionedDataset[dict[str, Any], dict[str, Any]]):
    """Loads and saves with torch, without pickled classes."""

    def __init__(
        self,
        *,
        filepath: str,
        credentials: dict[str, Any] | None = None,
        fs_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        protocol, path = get_protocol_and_path(filepath)
        self._protocol = protocol
        self._fs = fsspec.filesystem(protocol, **deepcopy(credentials or {}), **deepcopy(fs_args or {}))
        self.metadata = metadata
        super().__init__(
            filepath=PurePosixPath(path), version=None, exists_function=self._fs.exists, glob_function=self._fs.glob
        )

    def load(self) -> dict[str, Any]:
        """Reads a checkpoint to the CPU."""
        import torch

        with self._fs.open(get_filepath_str(self._get_load_path(), self._protocol), "rb") as file:
            checkpoint: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
        return checkpoint

    def save(self, data: dict[str, Any]) -> None:
        """Writes a checkpoint."""
        import torch

        with self._fs.open(get_filepath_str(self._get_save_path(), self._protocol), "wb") as file:
            torch.save(data, file)

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "protocol": self._protocol}


class TorchDataset(Recorded, _TorchFile):
    """A checkpoint (a dictionary of tensors, numbers and strings) in a torch file, on any fsspec file system.

    Loading uses ``weights_only=True``: no code from the file is run.

    Example of a catalog entry::

        "{dataset}.seed{seed}.{model}.target_model":
          type: rec_msa.datasets.torch_dataset.TorchDataset
          filepath: data/06_models/{dataset}/seed{seed}/{model}/target.pt

    Example in Python::

        dataset = TorchDataset(filepath="target.pt")
        dataset.save({"architecture": "bpr", "state": {"items.weight": torch.zeros(3, 2)}})
        dataset.load()["architecture"]
    """
