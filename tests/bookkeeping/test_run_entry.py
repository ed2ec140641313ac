"""What a run says of itself."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from rec_msa.bookkeeping import run_entry

if TYPE_CHECKING:
    from pathlib import Path


def test_a_run_in_one_process_costs_its_seconds_times_its_threads():
    row = run_entry.entry(time.monotonic() - 10, in_functions=6.0, in_tasks=8.0, n_nodes=3, threads=2)
    assert 10 <= row["seconds"] < 11
    assert row["core_seconds"] == round(2 * row["seconds"], 1)


def test_a_run_on_many_workers_costs_what_all_of_them_took():
    row = run_entry.entry(time.monotonic() - 10, in_functions=60.0, in_tasks=80.0, n_nodes=3, threads=1)
    assert row["core_seconds"] == 80.0


@pytest.mark.parametrize("option", [["--config", "mine.yml"], ["--config=mine.yml"]])
def test_a_command_with_a_file_says_what_the_file_said(monkeypatch, option):
    monkeypatch.setattr(run_entry, "INSTRUCTIONS", ())
    monkeypatch.setattr(sys, "argv", ["/bin/kedro", "run", *option])
    said = run_entry.command({"env": "paper", "pipeline_names": ["study"], "runtime_params": {"study": "mine"}})
    assert said.startswith("kedro run --config")
    assert said.endswith('{"env": "paper", "pipeline_names": ["study"], "runtime_params": {"study": "mine"}}')


def test_another_command_is_what_was_typed(monkeypatch):
    monkeypatch.setattr(run_entry, "INSTRUCTIONS", ())
    monkeypatch.setattr(sys, "argv", ["/bin/kedro", "run", "--params=model=ncf"])
    assert run_entry.command({"env": None}) == "kedro run --params=model=ncf"


def test_a_command_says_which_instructions_libraries_were_told_to_use(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/bin/kedro", "run"])
    monkeypatch.setattr(run_entry, "INSTRUCTIONS", ("LD_PRELOAD", "OPENBLAS_CORETYPE"))
    monkeypatch.setenv("OPENBLAS_CORETYPE", "SkylakeX")
    monkeypatch.setenv("LD_PRELOAD", "my lib.so")
    assert run_entry.command({}) == "LD_PRELOAD='my lib.so' OPENBLAS_CORETYPE=SkylakeX kedro run"


def test_the_commit_is_marked_where_files_differ_from_it(tmp_path, monkeypatch):
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", "-C", tmp_path, *identity, *arguments], check=True, capture_output=True)

    source = tmp_path / "bookkeeping" / "run_entry.py"
    source.parent.mkdir()
    source.write_text("")
    git("init")
    git("add", ".")
    git("commit", "-m", "one")
    monkeypatch.setattr(run_entry, "__file__", str(source))
    assert len(run_entry.commit()) == 10
    source.write_text("changed")
    assert run_entry.commit().endswith("+")


def test_outside_a_checkout_there_is_no_commit(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(run_entry, "__file__", str(tmp_path / "bookkeeping" / "run_entry.py"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert run_entry.commit() == ""
