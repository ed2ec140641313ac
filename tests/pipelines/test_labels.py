"""Runs with a label of the user's: what they leave lies apart, whatever their settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from rec_msa.evaluation.results import KEY, LABEL, unlabelled
from rec_msa.framework.clear_error import ClearError
from rec_msa.pipeline_registry import register_pipelines
from tests.small_project import SmallProject

if TYPE_CHECKING:
    from pathlib import Path

OF_ALL = ("reporting", "compare")
"""Pipelines about whatever was measured."""

NARROW = {"label": "narrow", "recommenders": {"bpr": {"dimensions": 4}}, "split": {"target_fraction": 0.6}}


def files(folder: Path) -> dict[str, int]:
    found = (path for path in folder.rglob("*") if path.suffix in (".pt", ".parquet") and path.is_file())
    return {str(path): path.stat().st_mtime_ns for path in found if path.parent.name != "08_reporting"}


@pytest.fixture(scope="module")
def labelled_project(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    """A small project in which two attacks have run, and one of them with other settings and a label."""
    project = SmallProject(tmp_path_factory.mktemp("labelled"))
    project.run("attack_ptd")
    project.before = files(project.folder)
    project.run("attack_ptd", params=NARROW)
    return project


@pytest.fixture
def agreement(labelled_project) -> pd.DataFrame:
    return pd.read_parquet(labelled_project.folder / "data/08_reporting/agreement.parquet")


def test_a_run_with_a_label_touches_no_artifact_of_another(labelled_project):
    after = files(labelled_project.folder)
    assert {path: after[path] for path in labelled_project.before} == labelled_project.before
    assert len(after) == 2 * len(labelled_project.before)


def test_labels_are_a_column_of_the_results_and_part_of_their_key(agreement):
    assert set(agreement[LABEL]) == {"", "narrow"}
    assert not agreement.duplicated(list(KEY)).any()
    assert len(unlabelled(agreement)) == len(agreement) / 2


def test_a_label_stands_before_the_cell_and_its_folder(labelled_project):
    model = labelled_project.load("narrow.small.seed0.bpr.target_model", **NARROW)
    assert model["settings"]["dimensions"] == 4
    assert (labelled_project.folder / "data/06_models/narrow.small/seed0/bpr/target.pt").is_file()


def test_companions_tell_labels_apart(labelled_project):
    folder = labelled_project.folder / "data/08_reporting"
    for name in ("agreement_per_user", "target_quality"):
        assert set(pd.read_parquet(folder / f"{name}.parquet")[LABEL]) == {"", "narrow"}


def test_under_a_label_every_artifact_of_every_pipeline_is_its_own(small_project):
    small_project.session(label="narrow").load_context()
    pipelines = register_pipelines()
    made = {output for name in pipelines if name not in OF_ALL for output in pipelines[name].all_outputs()}
    assert {name for name in made if not name.startswith("narrow.")} == set()


def test_with_a_label_only_what_is_missing_runs(labelled_project):
    before = files(labelled_project.folder)
    labelled_project.run("attack_ptd", params=NARROW, only_missing_outputs=True)
    assert files(labelled_project.folder) == before


def test_results_of_before_there_were_labels_are_read_as_without_one(labelled_project, agreement):
    cell = labelled_project.folder / "data/08_reporting/small/seed0/bpr/none/ptd/agreement.parquet"
    assert set(unlabelled(pd.read_parquet(cell).drop(columns=LABEL))["attack"]) == {"ptd"}


def test_the_report_is_of_runs_without_a_label(small_project):
    with pytest.raises(ClearError, match="--pipeline=compare"):
        small_project.run("reporting", params={"label": "narrow"})


@pytest.mark.parametrize(("label", "said"), [("Big One", "a-z"), ("all", "name of a study"), ("a.b", "a-z")])
def test_a_label_that_cannot_be_told_from_other_names_is_refused(small_project, label, said):
    with pytest.raises(ClearError, match=said):
        small_project.session(label=label).load_context()


def test_compare_sets_labels_side_by_side_with_the_settings_that_differ(labelled_project, agreement):
    labelled_project.run("compare")
    rows = labelled_project.load("compared")
    assert set(rows["label"]) == {"no label", "narrow"}
    own = rows[(rows["label"] == "narrow") & (rows["attack"] == "ptd")]["ours"].item()
    wanted = agreement.query("label == 'narrow' and attack == 'ptd' and group == 'heldout' and against == 'served'")
    assert own == wanted.set_index("k").loc[20, "agreement"]
    page = labelled_project.load("compared_page")
    assert "| `recommenders.bpr.dimensions` | 64 | 4 |" in " ".join(page.split())
    assert "`split.target_fraction`" in page
    assert "seed" not in [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| `")]


def test_one_label_alone_is_not_compared(small_project):
    small_project.run("attack_ptd")
    with pytest.raises(ClearError, match="--params=label="):
        small_project.run("compare")
