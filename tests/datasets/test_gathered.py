"""JSON files of many folders are one table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from kedro.io import DatasetError

from rec_msa.datasets.gathered import GatheredJSONDataset

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
