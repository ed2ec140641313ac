"""The journal keeps every run and loses none."""

from __future__ import annotations

import json
import os

import pytest

from rec_msa.datasets.journal import JournalDataset


def test_runs_are_rows_in_the_order_of_their_start(tmp_path):
    journal = JournalDataset(path=str(tmp_path / "deep" / "journal"))
    for day, seconds in ((25, 2.0), (24, 1.0), (26, 3.0)):
        journal.save({"started": f"2026-11-{day}T10:00:00+00:00", "seconds": seconds})
    assert list(journal.load()["seconds"]) == [1.0, 2.0, 3.0]


def test_runs_that_end_in_the_same_second_are_both_kept(tmp_path):
    for seconds in (1.0, 2.0):
        JournalDataset(path=str(tmp_path)).save({"started": "2026-11-25T10:00:00+00:00", "seconds": seconds})
    assert sorted(JournalDataset(path=str(tmp_path)).load()["seconds"]) == [1.0, 2.0]


def test_a_damaged_entry_costs_no_other(tmp_path):
    journal = JournalDataset(path=str(tmp_path))
    for day in (25, 26):
        journal.save({"started": f"2026-11-{day}T10:00:00+00:00", "seconds": 1.0})
    damaged = min(tmp_path.iterdir())
    damaged.write_bytes(damaged.read_bytes()[:20])
    assert list(journal.load()["started"]) == ["2026-11-26T10:00:00+00:00"]


def test_an_empty_journal_is_an_empty_table(tmp_path):
    journal = JournalDataset(path=str(tmp_path / "none"))
    assert journal.load().empty
    assert not journal.exists()


def test_it_may_lie_on_a_url():
    journal = JournalDataset(path="memory://runs/journal")
    journal.save({"started": "2026-11-25T10:00:00+00:00", "seconds": 1.0})
    assert len(journal.load()) == 1


def test_json_that_is_no_run_costs_no_other(tmp_path):
    journal = JournalDataset(path=str(tmp_path))
    journal.save({"started": "2026-11-25T10:00:00+00:00", "seconds": 1.0})
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "other.json").write_text('{"seconds": 1}')
    assert list(journal.load()["started"]) == ["2026-11-25T10:00:00+00:00"]


def test_runs_in_a_folder_whose_name_is_a_pattern_were_not_found(tmp_path):
    journal = JournalDataset(path=str(tmp_path / "[work]" / "journal"))
    journal.save({"started": "2026-11-25T10:00:00+00:00", "seconds": 1.0})
    assert len(journal.load()) == 1


GOOD = {"started": "2026-11-25T10:00:00+00:00", "seconds": 1.0, "n_nodes": 3, "command": "kedro run", "memory_gib": 8.0}


@pytest.mark.parametrize(
    "change",
    [
        *({name: value} for name in ("seconds", "n_nodes", "memory_gib") for value in ("1", [], {}, True, -1, 10**400)),
        *({"command": value} for value in (1, [], {"a": 1}, False)),
        *({"started": value} for value in (1, [], "yesterday", "", None)),
        {"seconds": float("nan")},
        {"seconds": float("inf")},
    ],
    ids=str,
)
def test_an_entry_of_other_types_ended_every_report(tmp_path, change):
    journal = JournalDataset(path=str(tmp_path))
    journal.save(GOOD)
    (tmp_path / "odd.json").write_text(json.dumps({**GOOD, **change}))
    assert journal.load().to_dict("records") == [GOOD]


def test_an_entry_of_a_machine_that_does_not_tell_its_memory_counts(tmp_path):
    journal = JournalDataset(path=str(tmp_path))
    journal.save({**GOOD, "memory_gib": float("nan")})
    assert len(journal.load()) == 1


def test_an_entry_nested_without_end_costs_no_other(tmp_path):
    journal = JournalDataset(path=str(tmp_path))
    journal.save(GOOD)
    (tmp_path / "deep.json").write_text("[" * 100_000)
    assert len(journal.load()) == 1


def test_what_a_killed_run_left_of_its_entry_stayed_for_ever(tmp_path):
    journal = JournalDataset(path=str(tmp_path))
    for name in ("old.json.part", "young.json.part"):
        (tmp_path / name).write_text("{")
    os.utime(tmp_path / "old.json.part", (0, 0))
    journal.save(GOOD)
    assert [path.name for path in tmp_path.glob("*.part")] == ["young.json.part"]
