"""Functions of the user's own: found where they are, and told why where they are not."""

from __future__ import annotations

import sys

import pytest

from rec_msa.foundation.errors import SettingsError
from rec_msa.foundation.functions import file_of, function_of


@pytest.fixture
def module(tmp_path, monkeypatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*__import__("sys").path])
    name = f"own_{abs(hash(str(tmp_path)))}"
    (tmp_path / f"{name}.py").write_text("def recommend(users, k):\n    return 5\n")
    return name


def test_a_module_of_the_current_directory_is_found(module):
    assert function_of(f"{module}:recommend", "targets.mine.recommend")(None, 1) == 5


def test_a_module_of_the_projects_folder_is_found_from_below(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "shop_above.py").write_text("def recommend(users, k):\n    return 6\n")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep" / "er")
    monkeypatch.setattr("sys.path", list(sys.path))
    assert function_of("shop_above:recommend", "targets.mine.recommend")(None, 1) == 6


def test_its_file_is_found_without_running_it(module, tmp_path):
    (tmp_path / f"{module}.py").write_text("raise SystemExit")
    assert file_of(f"{module}:recommend") == tmp_path / f"{module}.py"
    assert file_of("no_such_module_anywhere:recommend") is None


def test_a_function_that_is_not_there_names_the_nearest(module):
    with pytest.raises(SettingsError, match=r"targets\.mine.recommend: .* did you mean 'recommend'"):
        function_of(f"{module}:recomend", "targets.mine.recommend")


def test_a_module_that_does_not_import_shows_why(module, tmp_path):
    (tmp_path / "own_broken.py").write_text("import not_there_at_all\n")
    with pytest.raises(SettingsError, match="'own_broken' cannot be imported: ModuleNotFoundError"):
        function_of("own_broken:recommend", "targets.mine.recommend")
