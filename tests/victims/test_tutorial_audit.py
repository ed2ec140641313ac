"""docs/tutorial-audit.md, followed word for word on a small file in the place of ml-100k's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from rec_msa.framework.clear_error import ClearError
from tests.small_project import SmallProject
from tests.victims.pages import page, run_as_written

if TYPE_CHECKING:
    from pathlib import Path

PAGE = page("tutorial-audit")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallProject:
    """The small project with the page's settings and files, its data named as ml-100k's raw file."""
    pytest.importorskip("implicit", reason="needs implicit, of the extra 'victims'")
    monkeypatch.chdir(tmp_path)
    project = SmallProject(tmp_path)
    parameters = {key: value for key, value in project.parameters.items() if key not in ("dataset", "datasets")}
    project.configure(parameters | {"datasets": {"ml-100k": {"min_interactions": 2}}} | PAGE.parameters)
    for name, text in PAGE.files.items():
        (tmp_path / name).write_text(text)
    raw = tmp_path / "data" / "01_raw" / "ml-100k"
    raw.mkdir(parents=True)
    rated = pd.read_csv(tmp_path / "small.csv").assign(rating=4)
    rated[["who", "what", "rating", "when"]].to_csv(raw / "u.data", sep="\t", header=False, index=False)
    return project


def test_the_tutorial_followed_word_for_word_audits_a_library_s_model(project, capsys):
    *commands, limited = PAGE.commands
    for command in commands:
        run_as_written(project, command)
    with pytest.raises(ClearError, match=r"0\.\d+ of a list is copied, by .+: more than 0\.7"):
        run_as_written(project, limited)
    said = capsys.readouterr().out
    folder = project.folder / "data/08_reporting/audit/ml-100k/implicit_als"
    assert {"audit.html", "audit.md", "audit.json"} <= {file.name for file in folder.iterdir()}
    assert "10% known" in said
