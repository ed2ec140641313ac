"""What a run says of itself."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

from rec_msa import journal

if TYPE_CHECKING:
    from pathlib import Path


def test_a_run_in_one_process_costs_its_seconds_times_its_threads(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    row = journal.entry(time.monotonic() - 10, in_functions=6.0, in_tasks=8.0, n_nodes=3)
    assert 10 <= row["seconds"] < 11
    assert row["core_seconds"] == round(2 * row["seconds"], 1)


def test_a_run_on_many_workers_costs_what_all_of_them_took(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    row = journal.entry(time.monotonic() - 10, in_functions=60.0, in_tasks=80.0, n_nodes=3)
    assert row["core_seconds"] == 80.0


def test_the_commit_is_marked_where_files_differ_from_it(tmp_path, monkeypatch):
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", "-C", tmp_path, *identity, *arguments], check=True, capture_output=True)

    source = tmp_path / "journal.py"
    source.write_text("")
    git("init")
    git("add", ".")
    git("commit", "-m", "one")
    monkeypatch.setattr(journal, "__file__", str(source))
    assert len(journal.commit()) == 10
    source.write_text("changed")
    assert journal.commit().endswith("+")


def test_outside_a_checkout_there_is_no_commit(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(journal, "__file__", str(tmp_path / "journal.py"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert journal.commit() == ""
