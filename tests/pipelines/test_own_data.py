"""A user's own data in Kedro's runs: what the first command says, and where files are looked for."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path

import pandas as pd
import pytest
import yaml
from kedro.framework.cli.utils import KedroCliError
from kedro.framework.project import configure_project, settings
from kedro.runner import ParallelRunner

from tests.small_project import ROOT

OWN = {"path": "small.csv", "user": "who", "item": "what", "time": "when", "min_interactions": 2}


def test_ingestion_alone_says_in_one_line_what_was_read(small_project, capsys):
    small_project.run("ingestion", params={"dataset": "mine", "datasets": {"mine": OWN}})
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("mine: "))
    assert "2,240 rows, 2,240 interactions read, 0 repeats" in line
    assert "160 users, 60 items, 2,240 interactions" in line
    statistics = small_project.load("mine.statistics")
    assert (statistics["rows_in_file"], statistics["odd"]) == (2240, [])
    read = small_project.load("dataset_statistics").set_index("dataset")
    assert read.loc["mine", "rows_read"] == 2240


def test_settings_that_alter_what_is_read_read_it_again(small_project):
    small_project.run("ingestion")
    asked = {"datasets": {"small": {"where": {"when": ">= 1500000"}}}}
    small_project.run("ingestion", params=asked, only_missing_outputs=True)
    assert small_project.load("small.statistics", **asked)["rows_dropped"]
    small_project.run("ingestion", params={"datasets": {"small": {"min_per_item": 30}}}, only_missing_outputs=True)
    assert len(pd.read_parquet("data/02_intermediate/small/raw_interactions.parquet")) == 2240
    assert small_project.load("small.statistics")["per_item_min"] >= 30


def test_lists_that_cannot_be_filled_are_refused_before_anything_is_trained(small_project):
    with pytest.raises(
        KedroCliError, match=r"60 items less the \d+ that one user knows leave \d+, .*; choose at most"
    ) as said:
        small_project.run("attack_ptd", params={"list_length": 55})
    assert not list(Path("data").rglob("*.pt"))
    most = int(str(said.value).rpartition("choose at most ")[2])
    small_project.run("target", params={"list_length": most})


def test_the_largest_length_that_the_refusal_named_ended_after_three_trainings(small_project):
    """Where the user who knows most is asked about, as all but one are here."""
    everybody = {"attacker_fraction": 0.95, "heldout_fraction": 0.02}
    with pytest.raises(KedroCliError) as said:
        small_project.run("attack_ptaq", params={"list_length": 55})
    most = int(str(said.value).rpartition("choose at most ")[2])
    small_project.run("attack_ptaq", params={"list_length": most, "split": everybody})


@pytest.fixture
def configuration_elsewhere(small_project, tmp_path_factory) -> Path:
    """The project's configuration, moved into a folder that is in no project."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.move(small_project.folder / "conf", elsewhere / "conf")
    return elsewhere


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "tar.gz"])
def test_raw_files_follow_the_project_and_not_the_configuration(small_project, configuration_elsewhere, packed):
    source = configuration_elsewhere / "conf"
    if packed:
        source = configuration_elsewhere / "conf.tar.gz"
        with tarfile.open(source, "w:gz") as archive:
            archive.add(configuration_elsewhere / "conf", "conf")
    configure_project("rec_msa")
    with settings.SESSION_CLASS.create(small_project.folder, conf_source=str(source)) as session:
        session.run(pipeline_names=["ingestion"])
    assert Path("data/03_primary/small/statistics.json").is_file()


def test_processes_that_share_no_memory_are_told_so(small_project):
    for globals_ in small_project.folder.glob("conf/base/globals.yml"):
        globals_.write_text(yaml.safe_dump({"data": "memory://rec_msa"}))
    with pytest.raises(KedroCliError, match=r"ParallelRunner.* lie in memory:// .* set data to a folder"):
        small_project.run("ingestion", runner=ParallelRunner())


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("01_raw/mine/orders.csv", True),
        ("01_raw/mine/raw_file.json", False),
        ("02_intermediate/mine/raw_interactions.parquet", True),
        ("03_primary/mine/interactions.parquet", True),
        ("03_primary/mine/users.parquet", True),
        ("06_models/mine/seed0/bpr/target.pt", True),
        ("08_reporting/report.html", True),
        ("03_primary/mine/statistics.json", False),
        ("08_reporting/agreement.parquet", False),
        ("08_reporting/journal/2026-11-25T142902+0000-d67a3d97.json", False),
    ],
)
def test_git_ignores_what_a_run_with_env_published_may_leave_beside_the_published(path, ignored):
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("needs git and its repository")
    command = ["git", "check-ignore", "--quiet", "--no-index", f"docs/published/{path}"]
    assert (subprocess.run(command, cwd=ROOT, check=False).returncode == 0) == ignored
