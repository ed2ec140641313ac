"""What happens at the end of a run does so in every session and under every runner that Kedro has."""

from __future__ import annotations

import json
import socket
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from kedro.framework.project import configure_project
from kedro.framework.session import KedroServiceSession, KedroSession
from kedro.runner import ParallelRunner, ThreadRunner

from rec_msa.framework.clear_error import ClearError
from rec_msa.framework.session import how_to_go_on
from rec_msa.pipeline_registry import OnDemand
from tests.forked import Command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

N_NODES = 19
"""Nodes of ``attack_ptd``."""


def journal() -> list[dict]:
    return [json.loads(path.read_text()) for path in Path("data/08_reporting/journal").glob("*.json")]


def assert_ended_well() -> None:
    """A run of ``attack_ptd`` noted what it cost, gave its claim up and put the results together."""
    (entry,) = journal()
    assert entry["n_nodes"] == N_NODES
    assert 0 < entry["in_functions"] <= entry["core_seconds"]
    assert not list(Path("data/.locks").iterdir())
    assert "ptd" in results()


def results() -> set[str]:
    table = Path("data/08_reporting/agreement.parquet")
    return set(pd.read_parquet(table)["attack"]) if table.exists() else set()


def in_a_notebook(folder: Path, runner: object = None) -> None:
    configure_project("rec_msa")
    with KedroSession.create(folder) as session:
        session.run(pipeline_names=["attack_ptd"], runner=runner)


def in_a_service(folder: Path) -> None:
    configure_project("rec_msa")
    with KedroServiceSession.create(project_path=folder) as session:
        session.run(pipeline_names=["attack_ptd"])


def on_processes(folder: Path) -> None:
    in_a_notebook(folder, ParallelRunner(max_workers=2))


@pytest.mark.parametrize("run", [in_a_notebook, in_a_service, on_processes])
def test_a_run_of_kedro_s_own_that_fails_notes_what_it_cost_and_gives_its_claim_up(
    small_project, run: Callable, monkeypatch
):
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rec_msa.training.recommender.fit", fail)
    with pytest.raises(ClearError, match="No space left"):
        run(small_project.folder)
    assert [0 < entry["n_nodes"] < N_NODES for entry in journal()] == [True]
    assert not list(Path("data/.locks").iterdir())


def test_a_run_that_was_interrupted_in_a_notebook_is_ended_by_the_next(small_project, monkeypatch):
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped, pytest.raises(KeyboardInterrupt):
        stopped.setattr("rec_msa.training.recommender.fit", stop)
        in_a_notebook(small_project.folder)
    assert "ptd" not in results()
    in_a_notebook(small_project.folder)
    assert "ptd" in results()
    assert sorted(entry["n_nodes"] == N_NODES for entry in journal()) == [False, True]
    assert not list(Path("data/.locks").iterdir())


@pytest.mark.parametrize("runner", [ParallelRunner, ThreadRunner])
def test_a_run_on_kedro_s_other_runners_left_no_entry_in_the_journal(small_project, runner: type):
    small_project.run("attack_ptd", runner=runner(max_workers=2))
    assert_ended_well()


@pytest.fixture
def server(small_project) -> Iterator[str]:
    """The address of ``kedro server start`` in a small project."""
    pytest.importorskip("fastapi", reason="needs kedro[server], or kedro-viz, which brings it along")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = Command(small_project.folder, "server", "start", "--port", str(port))
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        command.process.terminate()
        command.ended()
        command.printed()


def ask(server: str, request: dict) -> dict:
    """What the server answers to a request to run, once it is up."""
    content = json.dumps(request).encode()
    asked = urllib.request.Request(f"{server}/run", content, {"Content-Type": "application/json"})
    deadline = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(asked) as answer:
                return json.load(answer)
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError) or time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def test_kedro_s_server_held_its_claim_and_noted_nothing(server):
    assert ask(server, {"pipeline_names": ["attack_ptd"]})["status"] == "success"
    assert_ended_well()


def test_a_plain_kedro_run_and_a_notebook_that_loads_an_artifact_built_every_pipeline(small_project, monkeypatch):
    """To check parameters, which the configuration's loader has done: seconds, in a large study most of a minute."""
    plain, built = OnDemand.__getitem__, set()
    monkeypatch.setattr(OnDemand, "__getitem__", lambda self, name: built.add(name) or plain(self, name))
    with small_project.session() as session:
        assert "params:seed" in session.load_context().catalog
    assert built == set()
    small_project.run("__default__", params={"dry_run": True})
    assert built == {"__default__"}


def test_a_study_that_is_not_named_is_refused_and_a_cell_that_is_named_is_not(small_project):
    with pytest.raises(ClearError, match="no study is named"):
        small_project.run("study")
    small_project.run("study", params={"seed": 0, "dry_run": True})


def test_a_run_that_is_stopped_says_how_to_go_on(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/bin/kedro", "run", "--params=model=ncf"])
    assert how_to_go_on().endswith("kedro run --params=model=ncf --only-missing-outputs")
    monkeypatch.setattr(sys, "argv", ["/bin/kedro", "run", "--only-missing-outputs"])
    assert how_to_go_on().endswith("kedro run --only-missing-outputs")
