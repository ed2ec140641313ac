"""The packaged project runs where there is nothing of it but the package, a configuration and raw data."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from rec_msa.bookkeeping.run_entry import INSTRUCTIONS
from tests.small_project import ROOT, SmallProject


def call(*command: str, **options: object) -> None:
    done = subprocess.run([sys.executable, "-m", *command], check=False, capture_output=True, text=True, **options)
    assert not done.returncode, done.stderr + done.stdout


@pytest.fixture
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder outside of any project: the package, ``conf.tar.gz`` with an environment ``mine``, and raw data."""
    folder, project = tmp_path_factory.mktemp("installed"), tmp_path_factory.mktemp("packaged")
    SmallProject(project, own_source=True)
    for name in ("README.md", "LICENSE"):
        shutil.copy(ROOT / name, project)
    call("build", "--wheel", "--no-isolation", "--outdir", "dist", cwd=project)
    (wheel,) = project.glob("dist/*.whl")
    call("pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(folder / "site"), str(wheel))
    (project / "conf/local").rename(project / "conf/mine")
    with tarfile.open(folder / "conf.tar.gz", "w:gz") as archive:
        archive.add(project / "conf", "conf")
    shutil.move(project / "small.csv", folder)
    return folder


def test_a_wheel_could_not_be_run(installed: Path):
    plain = {name: value for name, value in os.environ.items() if name not in INSTRUCTIONS}
    environment = plain | {"PYTHONPATH": os.pathsep.join([str(installed / "site"), *elsewhere()])}
    options = ["--conf-source=conf.tar.gz", "--env=mine", "--pipeline=attack_ptd"]
    call("rec_msa", *options, cwd=installed, env=environment)
    (entry,) = (json.loads(path.read_text()) for path in installed.glob("data/08_reporting/journal/*.json"))
    assert entry["command"] == f"python -m rec_msa {' '.join(options)}"
    assert not entry["commit"]
    assert not list((installed / "data/.locks").iterdir())
    assert (installed / "data/08_reporting/agreement.parquet").is_file()


def elsewhere() -> list[str]:
    """The folders that this process imports from, but for the project's own source."""
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return [path for path in paths if path and not (Path(path) / "rec_msa").is_dir()]
