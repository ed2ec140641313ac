"""The recipes of CONTRIBUTING.md, followed word for word in a copy of the project."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import yaml

from rec_msa.experiments.grid import Experiments
from rec_msa.experiments.parameters import read_parameters
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


def put(path: Path, lines: str, anchors: tuple[str, ...] = ()) -> None:
    """Writes a new file; of one that is there, imports go to the imports, classes and lines before their anchors."""
    if not path.exists():
        path.write_text(lines)
        return
    text = path.read_text("utf-8")
    for line in re.findall(r"^from .*\n", lines, re.MULTILINE):
        text = text.replace("from rec_msa", f"{line}from rec_msa", 1)
    parts = re.sub(r"^from .*\n", "", lines, flags=re.MULTILINE).split("\n\n\n")
    for part, anchor in zip(parts, anchors, strict=True) if anchors else ():
        assert anchor in text
        text = text.replace(anchor, part.rstrip("\n") + ("\n\n\n" if part.startswith("class") else "\n") + anchor, 1)
    path.write_text(text if anchors else text + lines)


def run(project: SmallProject, *arguments: str) -> str:
    """``kedro run`` of the copy, in a process of its own; what it prints."""
    environment = os.environ | {"PYTHONPATH": str(project.folder / "src"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "kedro", "run", *arguments]
    done = subprocess.run(command, cwd=project.folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def agreement(project: SmallProject) -> pd.DataFrame:
    return pd.read_parquet(project.folder / "data/08_reporting/agreement.parquet")


def follow(project: SmallProject, title: str, anchors: dict[str, tuple[str, ...]]) -> None:
    """Does what a recipe says; what a file of the project gets goes before its anchors."""
    files = recipe(title)
    assert 1 < len(files) <= MOST_FILES
    for name, lines in files.items():
        put(project.folder / name, lines, anchors.get(name, ()))


def heldout(project: SmallProject, attack: str) -> dict[str, Any]:
    """The result of an attack: agreement of whole lists on users who were not asked about."""
    [row] = (
        agreement(project)
        .query(f"attack == '{attack}' and group == 'heldout' and k == 20 and against == 'served'")
        .to_dict("records")
    )
    return row


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    """A copy of the project with a new attack and a new model, in which the attack and another one stole the model."""
    project = SmallProject(tmp_path_factory.mktemp("recipes"), own_source=True)
    follow(project, "A new attack", {"src/rec_msa/attacks/registry.py": ('    "ptd": PTD,',)})
    anchors = ("class RecommenderParameters(", "    bpr: BprSettings = BprSettings()")
    follow(project, "A new model", {"src/rec_msa/recommenders/settings.py": anchors})
    run(project, "--pipelines=attack_absorb,attack_ptd", "--params=model=itemknn")
    return project


def test_the_recipe_of_a_new_attack_makes_one(project: SmallProject) -> None:
    measured = heldout(project, "absorb")
    assert measured["kind"] == "attack"
    assert measured["n_queries"] > 0
    assert measured["agreement"] > heldout(project, "random")["agreement"]


def test_the_recipe_of_a_new_model_makes_a_target_and_a_clone(project: SmallProject) -> None:
    measured = heldout(project, "ptd")
    assert (measured["target"], measured["clone"]) == ("itemknn", "itemknn")
    assert measured["agreement"] > heldout(project, "random")["agreement"]


def test_the_recipe_of_a_new_figure_varies_what_its_attack_has() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    [study] = re.findall(r"^### A new figure\n.*?```yaml\n(.*?)```", text, re.MULTILINE | re.DOTALL)
    raw = {"dataset": None, "model": None, "seed": None, "datasets": {"ml-1m": {}}, "study": "figure10"}
    raw |= {"attacks": {"pta_joint": {"base": "pta_joint"}}, **yaml.safe_load(study)}
    grid = Experiments(read_parameters(raw)).grid
    names = ["pta_joint_auxiliary10", "pta_joint_auxiliary50", "pta_joint"]
    assert {cell.seed: [attack.name for attack in attacks] for cell, attacks in grid.items()} == dict.fromkeys(
        range(5), names
    )
