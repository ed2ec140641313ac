"""What ``import rec_msa`` offers: its examples run, and it costs nothing until it is used."""

from __future__ import annotations

import doctest
import inspect
import io
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import rich

import rec_msa

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def _no_progress() -> Iterator[None]:
    before = rich.get_console().file
    rich.get_console().file = io.StringIO()
    yield
    rich.get_console().file = before


@pytest.mark.usefixtures("_no_progress")
@pytest.mark.parametrize("name", rec_msa.__all__)
def test_the_example_in_the_docstring_runs(name: str) -> None:
    thing = getattr(rec_msa, name)
    module = inspect.getmodule(thing)
    [example] = doctest.DocTestFinder(recurse=False).find(thing, thing.__name__, module, globs={})
    assert example.examples
    said: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example, out=said.append)
    assert not said, "".join(said)


def test_the_import_alone_loads_neither_torch_nor_pandas_nor_kedro() -> None:
    assert heavy_after("rec_msa", "torch", "pandas", "numpy", "kedro") == "nothing\n"
    assert set(rec_msa.__all__) <= set(dir(rec_msa))


def test_a_run_was_silent_for_two_seconds_while_its_settings_loaded_pandas() -> None:
    assert heavy_after("rec_msa.settings", "torch", "pandas", "numpy", "pyarrow") == "nothing\n"


def heavy_after(module: str, *heavy: str) -> str:
    """Which of some libraries an import loads, in a process of its own."""
    code = f"import sys, {module}; print(set({heavy}) & set(sys.modules) or 'nothing')"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_a_name_that_is_not_there_is_said() -> None:
    with pytest.raises(AttributeError, match="no attribute 'steal'"):
        _ = rec_msa.steal
