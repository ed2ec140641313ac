"""A small project in which the default pipeline has run."""

from __future__ import annotations

import pytest

from tests.small_project import SmallProject


@pytest.fixture(scope="module")
def finished_project(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    """A small project in which ``__default__`` has run."""
    project = SmallProject(tmp_path_factory.mktemp("finished"))
    project.run("__default__")
    return project
