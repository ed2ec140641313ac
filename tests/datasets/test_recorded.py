"""Artifacts are whole or absent, and know what they were made from."""

from __future__ import annotations

import gc
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
import torch
from kedro.io import DatasetError
from matplotlib.figure import Figure

from rec_msa.datasets.files import (
    JSONDataset,
    ParquetDataset,
    PartedParquetDataset,
    PictureDataset,
    RawFileDataset,
    TextDataset,
)
from rec_msa.datasets.recorded import Provenance
from rec_msa.datasets.torch_dataset import TorchDataset

if TYPE_CHECKING:
    from collections.abc import Iterator

MADE_FROM = Provenance("abc", {"x.interactions": "def"})
KINDS = {
    "table.parquet": (ParquetDataset, pd.DataFrame({"user": [1, 2]})),
    "numbers.json": (JSONDataset, {"recall": 0.5}),
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


def test_a_raw_file_that_was_exchanged_since_the_run_began_was_recorded_as_the_one_of_then(tmp_path):
    dataset = RawFileDataset(filepath=str(tmp_path / "raw_file.json"))
    dataset.expected = Provenance("abc", {}, "x.raw_file", raw="one")
    with pytest.raises(DatasetError, match=r"mine\.csv: the raw file was exchanged since the run began"):
        dataset.save({"path": "mine.csv", "sha256": "another"})
    assert not list(tmp_path.iterdir())
    dataset.save({"path": "mine.csv", "sha256": "one"})
    assert dataset.exists()


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


@pytest.mark.parametrize("where", ["start", "middle", "end"])
def test_an_artifact_with_a_flipped_byte_counts_as_missing_and_is_not_loaded(saved, where):
    path = file_of(saved)
    content = bytearray(path.read_bytes())
    content[{"start": 0, "middle": len(content) // 2, "end": -1}[where]] ^= 1
    path.write_bytes(content)
    assert not saved.exists()
    with pytest.raises(DatasetError, match="not what was written there"):
        saved.load()


def test_a_flipped_byte_anywhere_in_the_record_makes_the_artifact_missing(saved):
    record = Path(saved.record_path)
    content = record.read_bytes()
    for place in range(0, len(content), 7):
        damaged = bytearray(content)
        damaged[place] ^= 1
        record.write_bytes(damaged)
        harmless = json.loads(content) == _json(damaged)
        assert saved.exists() == harmless
    record.write_bytes(content)
    assert saved.exists()


def _json(content: bytes) -> object:
    try:
        return json.loads(content)
    except ValueError:
        return None


def test_what_a_killed_save_left_is_taken_away_by_the_next(saved):
    path = file_of(saved)
    (path.parent / f".{path.name}.0123.part").write_bytes(b"half")
    (path.parent / ".other.parquet.0123.part").write_bytes(b"half")
    saved.save(KINDS[path.name][1])
    assert {p.name for p in path.parent.iterdir() if p.suffix == ".part"} == {".other.parquet.0123.part"}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("protocol", ["memory", "file"])
def test_it_holds_on_urls_too(name, protocol, tmp_path):
    kind, data = KINDS[name]
    dataset = kind(filepath=f"{protocol}://{tmp_path}/{name}")
    dataset.expected = MADE_FROM
    assert not dataset.exists()
    dataset.save(data)
    assert dataset.exists()
    assert dataset.record() == MADE_FROM
    dataset.expected = Provenance("other", {})
    assert not dataset.exists()
    dataset.expected = MADE_FROM
    content = bytearray(dataset._fs.cat_file(dataset.path))
    content[len(content) // 2] ^= 1
    dataset._fs.pipe_file(dataset.path, bytes(content))
    assert not dataset.exists()
    dataset._fs.pipe_file(dataset.path, bytes(content[:-1]))
    assert not dataset.exists()


def test_a_folder_may_have_brackets_in_its_name(tmp_path):
    dataset = JSONDataset(filepath=str(tmp_path / "data [1]" / "numbers.json"))
    dataset.expected = MADE_FROM
    dataset.save({"a": 1})
    (tmp_path / "data [1]" / ".numbers.json.0123.part").write_bytes(b"half")
    dataset.save({"a": 2})
    assert dataset.exists()
    assert len(list((tmp_path / "data [1]").iterdir())) == 2


def test_tables_are_written_one_after_the_other_and_read_as_one(tmp_path):
    parts = [pd.DataFrame({"clone": pd.array([clone], dtype="str"), "n": [n]}) for n, clone in enumerate(["a", None])]
    dataset = PartedParquetDataset(filepath=str(tmp_path / "table.parquet"))
    dataset.save(iter(parts))
    pd.testing.assert_frame_equal(dataset.load(), pd.concat(parts, ignore_index=True))


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_a_table_that_cannot_be_made_leaves_neither_a_file_nor_an_open_writer(tmp_path):
    def tables() -> Iterator[pd.DataFrame]:
        yield pd.DataFrame({"n": [1]})
        raise ValueError("no second")

    with pytest.raises(DatasetError, match="no second"):
        PartedParquetDataset(filepath=str(tmp_path / "table.parquet")).save(tables())
    gc.collect()
    assert not list(tmp_path.iterdir())
