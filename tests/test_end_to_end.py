"""The commands as a user types them, in a project folder of their own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml

from tests.forked import Command

ROOT = Path(__file__).resolve().parents[1]


def kedro(folder: Path, *arguments: str) -> tuple[int | None, str]:
    """A command's exit status, and what it said."""
    command = Command(folder, *arguments)
    command.ended()
    return command.status, command.printed()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name in ("conf", "src"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("local", "__pycache__", "*.egg-info"))
    (folder / "conf" / "local").mkdir()
    (folder / "data").mkdir()
    return folder


@pytest.fixture(scope="module")
def ml_100k(project: Path) -> Path:
    status, said = kedro(project, "run", "--pipeline=ingestion")
    if status and "registry" in said:
        pytest.skip("pip reaches no registry that has the wheel with ml-100k")
    assert status == 0, said
    return project


@pytest.mark.network
def test_what_a_run_that_fetched_left_is_current(ml_100k: Path):
    table = ml_100k / "data/03_primary/ml-100k/interactions.parquet"
    before = table.stat().st_mtime_ns
    assert kedro(ml_100k, "run", "--pipeline=ingestion", "--only-missing-outputs")[0] == 0
    assert table.stat().st_mtime_ns == before


@pytest.mark.network
@pytest.mark.slow
def test_the_main_job_steals_ml_100k(ml_100k: Path):
    status, said = kedro(ml_100k, "run", "--pipeline=attack_ptaq")
    assert status == 0, said
    agreement = pd.read_parquet(ml_100k / "data/08_reporting/agreement.parquet")
    rows = agreement.query("k == 50 and against == 'served'").set_index(["attack", "group"])["agreement"]
    assert rows["ptaq", "heldout"] > max(rows[name, "heldout"] for name in ("popularity", "knn_lists", "cache"))
    assert rows["cache", "queried"] == 1
    learnt = agreement.query("attack == 'ptaq'")[["kept_step", "steps", "step_limit"]].iloc[0]
    assert 0 < learnt["kept_step"] <= learnt["steps"] < learnt["step_limit"]
    assert "ptaq" in said
    assert "held-out" in said


@pytest.mark.network
def test_the_raw_file_is_fetched_once(ml_100k: Path):
    raw = next((ml_100k / "data/01_raw/ml-100k").glob("[!.]*.inter"))
    before = raw.stat().st_mtime_ns
    assert kedro(ml_100k, "run", "--pipeline=ingestion")[0] == 0
    assert raw.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--params=modle=ncf"], "modle"),
        (["--params=dataset=steam", "--pipeline=ingestion"], "steam-200k.csv"),
        (["--env=paper"], "study"),
        (["--pipeline=attack_ptak"], "there is no 'attack_ptak'; did you mean 'attack_pta"),
    ],
)
def test_a_mistake_ends_in_one_clear_error_and_a_status_that_is_not_zero(project: Path, arguments, expected):
    status, said = kedro(project, "run", *arguments)
    assert status != 0
    assert expected in said
    assert "Traceback" not in said


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
@pytest.mark.network
def test_cuda_without_a_gpu_is_refused_by_name(ml_100k: Path):
    status, said = kedro(ml_100k, "run", "--pipeline=target", "--params=device=cuda")
    assert status != 0
    assert "device: 'cuda'" in said.replace("\n", " ")


def test_the_registry_lists_a_pipeline_for_every_attack_and_part(project: Path):
    # The only command of this file that is not forked: as it is typed, imports and all.
    command = [sys.executable, "-m", "kedro", "registry", "list"]
    listed = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    names = yaml.safe_load(listed.stdout)
    written = (ROOT / "conf" / "base" / "parameters_attacks.yml").read_text()
    attacks = yaml.safe_load(written)["attacks"]
    assert {"ptd", "ptq", "pta", "ptaq", "qsd", "stacked"} <= set(attacks)
    parts = [
        "audit",
        "auxiliary",
        "compare",
        "defense",
        "evaluation",
        "export",
        "ingestion",
        "reporting",
        "study",
        "target",
    ]
    assert sorted(names) == sorted(["__default__", *(f"attack_{name}" for name in attacks), *parts])
