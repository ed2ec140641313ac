"""Pictures and tables lie in one folder, those of the last save alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from kedro.io import DatasetError
from matplotlib.figure import Figure

from rec_msa.datasets.folder import FolderDataset
from rec_msa.datasets.recorded import Provenance

if TYPE_CHECKING:
    from collections.abc import Callable

TABLE = pd.DataFrame({"attack": ["ptd", "ptq"], "ours": [0.5, None]})


def test_each_name_is_a_file_of_its_kind(tmp_path: Path) -> None:
    dataset = FolderDataset(path=str(tmp_path / "report"))
    dataset.save({"figure2.png": Figure(), "table4.csv": TABLE})
    assert (tmp_path / "report/figure2.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "report/table4.csv").read_text() == "attack,ours\nptd,0.5\nptq,\n"


def test_a_save_leaves_nothing_of_the_one_before_but_other_files(tmp_path: Path) -> None:
    dataset = FolderDataset(path=str(tmp_path))
    (tmp_path / "figure2.json").write_text("{}")
    dataset.save({"figure2.png": Figure(), "table4.csv": TABLE})
    dataset.save({"table5.csv": TABLE})
    assert {path.name for path in tmp_path.iterdir()} == {"figure2.json", "table5.csv"}


@pytest.mark.parametrize(
    "harm", [Path.unlink, lambda path: path.write_bytes(b""), lambda path: path.rename(f"{path}.csv")]
)
def test_a_file_that_is_gone_or_altered_counts_the_folder_as_missing(tmp_path: Path, harm: Callable) -> None:
    dataset = FolderDataset(path=str(tmp_path / "report"))
    dataset.expected = Provenance("made so", {})
    dataset.save({"figure2.png": Figure(), "table4.csv": TABLE})
    assert dataset.exists()
    harm(tmp_path / "report/table4.csv")
    assert not dataset.exists()


def test_in_a_folder_whose_name_is_a_pattern_a_file_that_is_gone_was_not_missed(tmp_path: Path) -> None:
    dataset = FolderDataset(path=str(tmp_path / "[work]" / "report"))
    dataset.expected = Provenance("made so", {})
    dataset.save({"figure2.png": Figure(), "table4.csv": TABLE})
    (tmp_path / "[work]" / "report/table4.csv").unlink()
    assert not dataset.exists()


def test_files_made_from_something_else_count_as_missing(tmp_path: Path) -> None:
    dataset = FolderDataset(path=str(tmp_path / "report"))
    dataset.expected = Provenance("made so", {})
    dataset.save({"table4.csv": TABLE})
    dataset.expected = Provenance("made otherwise", {})
    assert not dataset.exists()


def test_it_is_only_written(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="for readers"):
        FolderDataset(path=str(tmp_path)).load()
