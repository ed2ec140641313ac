"""Small files of many folders are one table."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from kedro.io import DataCatalog, DatasetError
from kedro.pipeline import Pipeline, node

from rec_msa.bookkeeping.provenance import fingerprints
from rec_msa.datasets.files import JSONDataset, ParquetDataset
from rec_msa.datasets.gathered import GatheredCurvesDataset, GatheredJSONDataset
from rec_msa.datasets.recorded import Provenance

if TYPE_CHECKING:
    from pathlib import Path


def test_each_file_is_a_row_named_by_its_folder(tmp_path: Path) -> None:
    for name, users in (("steam", 3), ("ml-1m", 6)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "statistics.json").write_text(json.dumps({"users": users}))
    dataset = GatheredJSONDataset(path=f"{tmp_path}/*/statistics.json", folder="dataset")
    assert dataset.exists()
    assert dataset.load().to_dict("list") == {"dataset": ["ml-1m", "steam"], "users": [6, 3]}


def test_no_file_is_a_table_without_a_row(tmp_path: Path) -> None:
    dataset = GatheredJSONDataset(path=f"{tmp_path}/*/statistics.json", folder="dataset")
    assert not dataset.exists()
    assert list(dataset.load().columns) == ["dataset"]
    assert dataset.load().empty


def test_it_is_only_read(tmp_path: Path) -> None:
    dataset = GatheredJSONDataset(path=f"{tmp_path}/*/statistics.json", folder="dataset")
    with pytest.raises(DatasetError, match="only read"):
        dataset.save({})


def test_its_fingerprint_is_of_what_lies_there_wherever_that_is(tmp_path: Path) -> None:
    def fingerprint(place: str, files: dict[str, int]) -> str:
        for name, users in files.items():
            (tmp_path / place / name).mkdir(parents=True, exist_ok=True)
            (tmp_path / place / name / "statistics.json").write_text(json.dumps({"users": users}))
        return GatheredJSONDataset(path=f"{tmp_path}/{place}/*/statistics.json", folder="dataset").fingerprint()

    first = fingerprint("here", {"steam": 3})
    assert fingerprint("there", {"steam": 3}) == first
    assert len({first, fingerprint("here", {"steam": 4}), fingerprint("here", {"steam": 4, "ml-1m": 6})}) == 3


def test_what_is_made_of_gathered_files_is_made_anew_when_these_change(tmp_path: Path) -> None:
    (tmp_path / "steam").mkdir()
    source = tmp_path / "steam" / "statistics.json"
    gathered = GatheredJSONDataset(path=f"{tmp_path}/*/statistics.json", folder="dataset")
    pages = Pipeline([node(pd.DataFrame.to_html, "statistics", "page", name="write")])
    found = []
    for users in (3, 3, 4):
        source.write_text(json.dumps({"users": users}))
        found.append(fingerprints(pages, DataCatalog({"statistics": gathered}))["page"])
    assert found[0] == found[1] != found[2]


def statistics(tmp_path: Path) -> GatheredJSONDataset:
    """Those of two data sets, with their records."""
    for name, users in (("steam", 3), ("ml-1m", 6)):
        dataset = JSONDataset(filepath=str(tmp_path / name / "statistics.json"))
        dataset.expected = Provenance("abc", {}, f"{name}.statistics")
        dataset.save({"users": users})
    return GatheredJSONDataset(path=f"{tmp_path}/*/statistics.json", folder="dataset", artifact="statistics")


def test_artifacts_that_fit_their_records_are_read(tmp_path: Path) -> None:
    assert statistics(tmp_path).load()["users"].tolist() == [6, 3]


def test_an_artifact_was_read_past_its_own_record(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    dataset = statistics(tmp_path)
    before = dataset.fingerprint()
    path = tmp_path / "steam" / "statistics.json"
    path.write_text(path.read_text().replace("3", "9"))
    assert dataset.load()["dataset"].tolist() == ["ml-1m"]
    assert str(path) in caplog.text
    assert dataset.fingerprint() != before
    (tmp_path / "steam" / ".statistics.json.record.json").unlink()
    assert dataset.load()["dataset"].tolist() == ["ml-1m"]


def test_a_copied_folder_was_another_data_set(tmp_path: Path) -> None:
    dataset = statistics(tmp_path)
    shutil.copytree(tmp_path / "steam", tmp_path / "steam_old")
    assert dataset.load()["dataset"].tolist() == ["ml-1m", "steam"]


def save_curve(folder: Path, place: str, name: str, value: float) -> Path:
    """Saves a curve of one step, with its record."""
    path = folder / place.replace(".", "/") / f"{name}.parquet"
    dataset = ParquetDataset(filepath=str(path))
    dataset.expected = Provenance("made", {}, f"{place}.{name}")
    dataset.save(pd.DataFrame({"step": [0], "loss": [1.0], "validation": [value], "kept": [True]}))
    return path


def test_curves_are_those_of_the_lowest_seed_without_a_defense_that_fit_their_records(tmp_path: Path) -> None:
    for place, name in (
        ("mine.seed2.bpr", "target_curve"),
        ("mine.seed10.bpr", "target_curve"),
        ("mine.seed2.users10.bpr.own", "clone_curve"),
        ("mine.seed2.bpr.none.ptq", "steal_curve"),
        ("mine.seed2.bpr.shuffle_20.ptq", "steal_curve"),
    ):
        save_curve(tmp_path, place, name, 0.5)
    damaged = save_curve(tmp_path, "mine.seed2.lmf", "target_curve", 0.5)
    shutil.copytree(tmp_path / "mine/seed2/bpr", tmp_path / "mine/seed2/copied")
    pd.DataFrame({"step": [0], "loss": [1.0], "validation": [0.9], "kept": [True]}).to_parquet(damaged)
    found = GatheredCurvesDataset(path=f"{tmp_path}/*/*/**/*_curve.parquet").load()
    assert set(zip(found["place"], found["stage"], strict=True)) == {
        ("mine.seed2.bpr", "target"),
        ("mine.seed2.users10.bpr.own", "clone"),
        ("mine.seed2.bpr.none.ptq", "steal"),
    }


def test_no_curve_is_a_table_without_a_row(tmp_path: Path) -> None:
    dataset = GatheredCurvesDataset(path=f"{tmp_path}/*/*/**/*_curve.parquet")
    assert dataset.load().empty
    with pytest.raises(DatasetError, match="only read"):
        dataset.save({})
