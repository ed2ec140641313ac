"""A small project in which the default pipeline has run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.small_project import SmallProject

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def finished_project(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    """A small project in which ``__default__`` has run."""
    project = SmallProject(tmp_path_factory.mktemp("finished"))
    project.run("__default__")
    return project


@pytest.fixture(scope="session")
def _attacked(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    """A small project in which ``attack_ptd`` has run."""
    project = SmallProject(tmp_path_factory.mktemp("attacked"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.folder)
        project.run("attack_ptd")
    return project


@pytest.fixture
def attacked_project(_attacked: SmallProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallProject:
    """A copy of it, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    return _attacked.copied(tmp_path)
