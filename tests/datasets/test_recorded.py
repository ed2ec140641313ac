"""Artifacts are whole or absent, and know what they were made from."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import pytest
import torch
from kedro.io import DatasetError
from matplotlib.figure import Figure

from rec_msa.datasets.files import JSONDataset, ParquetDataset, PictureDataset, PlotlyDataset, TextDataset
from rec_msa.datasets.recorded import Provenance
from rec_msa.datasets.torch_dataset import TorchDataset

MADE_FROM = Provenance("abc", {"x.interactions": "def"})
KINDS = {
    "table.parquet": (ParquetDataset, pd.DataFrame({"user": [1, 2]})),
    "numbers.json": (JSONDataset, {"recall": 0.5}),
    "figure.json": (PlotlyDataset, go.Figure(go.Bar(y=[1, 2]))),
    "picture.png": (PictureDataset, Figure()),
    "page.md": (TextDataset, "−.012 [–]\n"),
    "model.pt": (TorchDataset, {"architecture": "bpr", "state": {"items.weight": torch.ones(3, 2)}}),
}


@pytest.fixture(params=KINDS)
def saved(request, tmp_path: Path):
    kind, data = KINDS[request.param]
    dataset = kind(filepath=str(tmp_path / "deep" / "er" / request.param))
    dataset.expected = MADE_FROM
    dataset.save(data)
    return dataset


def file_of(dataset) -> Path:
    return Path(str(dataset._filepath))


def test_what_is_saved_is_there_with_its_record_and_nothing_else(saved):
    path = file_of(saved)
    assert {p.name for p in path.parent.iterdir()} == {path.name, f".{path.name}.record.json"}
    assert saved.record() == MADE_FROM
    assert saved.exists()


def test_an_artifact_made_from_something_else_counts_as_missing(saved):
    saved.expected = Provenance("other", {})
    assert not saved.exists()


@pytest.mark.parametrize("damage", ["cut", "empty", "record"])
def test_a_damaged_artifact_counts_as_missing(saved, damage):
    path = file_of(saved)
    if damage == "record":
        Path(saved.record_path).write_text("{")
    else:
        path.write_bytes(b"" if damage == "empty" else path.read_bytes()[:-1])
    assert not saved.exists()


def test_a_failed_save_leaves_nothing_and_no_record_of_what_was_there(tmp_path, monkeypatch):
    dataset = ParquetDataset(filepath=str(tmp_path / "table.parquet"))
    dataset.expected = MADE_FROM
    dataset.save(pd.DataFrame({"user": [1]}))

    def half(self, file, **_):
        file.write(b"PAR1")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", half)
    with pytest.raises(DatasetError, match="No space left"):
        dataset.save(pd.DataFrame({"user": [2]}))
    assert [p.name for p in tmp_path.iterdir()] == ["table.parquet"]
    assert pd.read_parquet(tmp_path / "table.parquet")["user"].tolist() == [1]
    assert not dataset.exists()


def test_a_checkpoint_comes_back_as_it_was(tmp_path):
    dataset = TorchDataset(filepath=str(tmp_path / "model.pt"))
    data = KINDS["model.pt"][1]
    dataset.save(data)
    loaded = dataset.load()
    assert loaded["architecture"] == "bpr"
    assert torch.equal(loaded["state"]["items.weight"], data["state"]["items.weight"])


def test_a_checkpoint_with_code_in_it_is_refused(tmp_path):
    class Code:
        def __reduce__(self):
            return (print, ("run",))

    torch.save({"x": Code()}, tmp_path / "model.pt")
    with pytest.raises(DatasetError):
        TorchDataset(filepath=str(tmp_path / "model.pt")).load()


def test_the_record_names_the_inputs(saved):
    assert json.loads(Path(saved.record_path).read_text())["inputs"] == {"x.interactions": "def"}
