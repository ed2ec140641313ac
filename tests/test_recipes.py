"""The recipes of CONTRIBUTING.md, followed word for word in a copy of the project."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from tests.small_project import ROOT, SmallProject

if TYPE_CHECKING:
    from pathlib import Path

MOST_FILES = 3
PLACE = re.compile(r"^`((?:src|conf)/[^`]+)`.*?```\w+\n(.*?)```", re.MULTILINE | re.DOTALL)


def recipe(title: str) -> dict[str, str]:
    """The files that a recipe touches, with what it puts into each."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    section = re.search(rf"^### {title}\n(.*?)(?=^##)", text, re.MULTILINE | re.DOTALL)
    assert section, title
    return dict(PLACE.findall(section[1]))


def put(path: Path, lines: str, before: str | None) -> None:
    """Writes a new file; into one that is there imports go first, and the rest where the kind of line is collected."""
    if not path.exists():
        path.write_text(lines)
        return
    text, imports = path.read_text("utf-8"), re.findall(r"^from .*\n", lines, re.MULTILINE)
    rest = re.sub(r"^from .*\n", "", lines, flags=re.MULTILINE)
    for line in imports:
        text = text.replace("from rec_msa", f"{line}from rec_msa", 1)
    path.write_text(text + rest if before is None else text.replace(before, f"{rest}{before}", 1))


def run(project: SmallProject, *arguments: str) -> str:
    """``kedro run`` of the copy, in a process of its own; what it prints."""
    environment = os.environ | {"PYTHONPATH": str(project.folder / "src"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "kedro", "run", *arguments]
    done = subprocess.run(command, cwd=project.folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture
def project(tmp_path: Path) -> SmallProject:
    return SmallProject(tmp_path)


def agreement(project: SmallProject) -> pd.DataFrame:
    return pd.read_parquet(project.folder / "data/08_reporting/agreement.parquet")


def test_the_recipe_of_a_new_attack_makes_one(project: SmallProject) -> None:
    files = recipe("A new attack")
    assert len(files) <= MOST_FILES
    for name, lines in files.items():
        put(project.folder / name, lines, '    "ptd": PTD,' if name.endswith("registry.py") else None)
    run(project, "--pipeline=attack_absorb")
    [row] = (
        agreement(project)
        .query("attack == 'absorb' and group == 'heldout' and k == 20 and against == 'served'")
        .to_dict("records")
    )
    assert row["kind"] == "attack"
    assert row["n_queries"] > 0
    assert row["agreement"] > 0
