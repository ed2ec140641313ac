"""Fixtures that every test may use."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import hypothesis
import omegaconf.omegaconf
import pytest
import torch
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.gpu import GpuDouble
    from tests.small_project import SmallProject

# Nobody is told of a test's runs; kedro's telemetry would build every pipeline of each to count it.
os.environ["DO_NOT_TRACK"] = "1"

# Kedro tries to load it for each parameter, and a package that is not there is looked for on the disk each time.
sys.modules.setdefault("ibis", None)  # type: ignore[arg-type]


_parsed: dict[str, Any] = {}


def _parse_once(file: Any, Loader: Any) -> Any:
    text = file.read()
    if text not in _parsed:
        _parsed[text] = yaml.load(text, Loader=Loader)
    return _parsed[text]


# Each session reads the same configuration, with a parser in Python. OmegaConf copies what comes out.
omegaconf.omegaconf.yaml = SimpleNamespace(**vars(yaml) | {"load": _parse_once})

# How long an example takes on a busy machine says nothing about the code. What reads files of others asks for more
# examples; `make test ARGS=--hypothesis-profile=thorough` asks for more of everything.
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=300)
hypothesis.settings.register_profile("quick", deadline=None, max_examples=30)
hypothesis.settings.load_profile("quick")


# Files whose tests share what is dear to make, and so a worker of `make test`; every other file is by itself.
TOGETHER = {
    "the report": {"reporting/test_report.py", "reporting/test_report_in_chromium.py"},
    "finished runs": {"pipelines/test_runs.py", "pipelines/test_resuming.py", "pipelines/test_notebook.py"},
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """``--dist=loadfile`` with files that stay together."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Together(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return next((name for name, files in TOGETHER.items() if file.removeprefix("tests/") in files), file)

    return Together(config, log)


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name a test after its argument where the value is bytes: gzip stamps the time, and workers must agree."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with the raw files of the data sets, which lies beside the repository where there is one."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the raw files in {folder}")
    return folder


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> GpuDouble:
    """A double of a GPU, which ``device="cuda"`` means; as a context manager it is there."""
    from tests.gpu import stand_in

    return stand_in(monkeypatch)


@pytest.fixture
def small_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallProject:
    """A small project in an empty folder, which is the working directory."""
    from tests.small_project import SmallProject

    monkeypatch.chdir(tmp_path)
    return SmallProject(tmp_path)


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    """Many tiny steps: threads that wait for a busy core cost more than they give."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
