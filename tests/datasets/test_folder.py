"""Pictures and tables lie in one folder, those of the last save alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from kedro.io import DatasetError
from matplotlib.figure import Figure

from rec_msa.datasets.folder import FolderDataset
from rec_msa.datasets.recorded import Provenance, _seal

if TYPE_CHECKING:
    from collections.abc import Callable

TABLE = pd.DataFrame({"attack": ["ptd", "ptq"], "ours": [0.5, None]})


def test_each_name_is_a_file_of_its_kind(tmp_path: Path) -> None:
    dataset = FolderDataset(path=str(tmp_path / "report"))
    dataset.save({"figure2.png": Figure(), "table4.csv": TABLE})
    assert (tmp_path / "report/figure2.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "report/table4.csv").read_text() == "attack,ours\nptd,0.5\nptq,\n"


def test_a_save_leaves_nothing_of_the_one_before_but_other_files(tmp_path: Path) -> None:
    dataset = FolderDataset(path=str(tmp_path / "report"))
    dataset.expected = Provenance("made so", {})
    dataset.save({"figure2.png": Figure(), "table4.csv": TABLE})
    (tmp_path / "report/figure2.json").write_text("{}")
    dataset.save({"table5.csv": TABLE})
    assert {path.name for path in (tmp_path / "report").iterdir()} == {"figure2.json", "table5.csv"}


@pytest.mark.parametrize("linked", [False, True])
def test_a_user_s_own_files_in_the_folder_were_removed(tmp_path: Path, linked: bool) -> None:
    own, path = tmp_path / "own", tmp_path / "report"
    own.mkdir()
    if linked:
        path.symlink_to(own)
    dataset = FolderDataset(path=str(path))
    dataset.expected = Provenance("made so", {})
    dataset.save({"figure2.png": Figure()})
    (path / "mine.png").write_text("mine")
    (path / "mine.csv").write_text("mine")
    dataset.save({"table5.csv": TABLE})
    assert {file.name for file in path.iterdir()} == {"mine.png", "mine.csv", "table5.csv"}
    assert dataset.exists()


def test_a_save_wrote_through_a_link_into_a_user_s_own_file(tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_text("mine")
    (tmp_path / "report").mkdir()
    (tmp_path / "report/table5.csv").symlink_to(own)
    FolderDataset(path=str(tmp_path / "report")).save({"table5.csv": TABLE})
    assert own.read_text() == "mine"
    assert (tmp_path / "report/table5.csv").read_text() == TABLE.to_csv(index=False)


@pytest.mark.parametrize("files", [["../own.csv"], ["/own.csv"], "own.csv", None])
def test_a_record_that_names_other_places_removes_nothing_there(tmp_path: Path, files: object) -> None:
    own = tmp_path / "own.csv"
    own.write_text("mine")
    dataset = FolderDataset(path=str(tmp_path / "report"))
    dataset.expected = Provenance("made so", {})
    dataset.save({"table4.csv": TABLE})
    record = {"fingerprint": "made so", "files": files}
    Path(dataset.record_path).write_text(json.dumps({**record, "seal": _seal(record)}))
    dataset.save({"table5.csv": TABLE})
    assert own.read_text() == "mine"


def test_a_cell_that_a_spreadsheet_runs_was_written_as_it_was(tmp_path: Path) -> None:
    table = pd.DataFrame({"dataset": ["=1+1", "+1", "@sum", "ml-1m", None], "ours": [-0.5, 1, 2, 3, 4]})
    FolderDataset(path=str(tmp_path)).save({"table4.csv": table})
    rows = (tmp_path / "table4.csv").read_text().splitlines()
    assert rows[1:] == ["'=1+1,-0.5", "'+1,1.0", "'@sum,2.0", "ml-1m,3.0", ",4.0"]


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
