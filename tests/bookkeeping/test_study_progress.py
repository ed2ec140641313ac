"""What a person sees of a study: counts, time left, finished cells, Kedro's share."""

from __future__ import annotations

import io
import time

import pandas as pd
import pytest
import rich
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline, node
from rich.console import Console

from rec_msa.bookkeeping.study_progress import StudyProgress, duration, headline, is_last_of_a_cell
from rec_msa.pipelines.reporting.pipeline import create_overview_pipeline
from rec_msa.runners.order import by_cell
from tests.two_cells import SPACES, cell


@pytest.fixture
def nodes() -> list:
    return Pipeline([part for space in SPACES for part in cell(space)]).nodes


@pytest.fixture
def printed(monkeypatch) -> io.StringIO:
    """What is printed on rich's console."""
    text = io.StringIO()
    monkeypatch.setattr(rich, "_console", Console(file=text, width=200))
    return text


def agreement(target: str = "bpr", attack: str = "ptaq", kind: str = "attack", more: float = 0) -> pd.DataFrame:
    rows = [("heldout", "served", 10, 0.5), ("heldout", "served", 20, 0.625 + more), ("queried", "served", 20, 0.9)]
    facts = {"dataset": "small", "target": target, "seed": 0, "defense": "none", "attack": attack, "kind": kind}
    return pd.DataFrame(rows, columns=["group", "against", "k", "agreement"]).assign(**facts)


def catalog() -> DataCatalog:
    tables = {space: agreement(target) for space, target in zip(SPACES, ("bpr", "ncf"), strict=True)}
    return DataCatalog({f"{space}.ptaq.agreement": MemoryDataset(table) for space, table in tables.items()})


def test_a_finished_cell_has_a_line_with_its_headline_number(nodes, printed):
    progress = StudyProgress(nodes, 3, catalog(), time.monotonic() - 5)
    progress.show()
    for each in by_cell(Pipeline(nodes)):
        progress.begin(each)
        progress.finish(each, 2.0, 2.5)
    lines = [line for line in printed.getvalue().splitlines() if line.startswith("small")]
    assert lines[0].startswith("small · bpr · seed 0: ptaq Agr@20 0.625 held-out (1 of 2 cells, ")
    assert lines[1].startswith("small · ncf · seed 0: ptaq Agr@20 0.625 held-out (2 of 2 cells, ")


def test_the_headline_is_the_best_attack_where_ptaq_is_not_there():
    known = {"qsd": agreement(attack="qsd"), "ptq": agreement(attack="ptq", more=0.1)}
    known["knn_lists"] = agreement(attack="knn_lists", kind="reference", more=0.3)
    last = node(lambda *_: 1, list(known), "figure", name="draw_comparison")
    tables = DataCatalog({name: MemoryDataset(table) for name, table in known.items()})
    assert headline(last, tables) == "small · bpr · seed 0: ptq Agr@20 0.725 held-out"


def test_time_left_is_what_the_like_of_the_waiting_nodes_took(nodes):
    progress = StudyProgress(nodes, 0, catalog(), time.monotonic())
    assert progress.seconds_left() is None
    ordered = by_cell(Pipeline(nodes))
    for each in ordered[:4]:
        progress.finish(each, 10.0, 10.0)
    assert progress.seconds_left() == pytest.approx(40)
    progress.begin(ordered[4])
    progress.begin(ordered[5])
    assert progress.seconds_left() == pytest.approx(20, abs=0.1)


def test_a_job_whose_lines_go_to_a_file_says_where_it_stands_once_a_minute(nodes, printed, monkeypatch):
    progress = StudyProgress(nodes, 0, catalog(), time.monotonic())
    progress.show()
    ordered = by_cell(Pipeline(nodes))
    now = time.monotonic()
    for each, later in zip(ordered, (30, 61, 62, 130), strict=False):
        monkeypatch.setattr(time, "monotonic", lambda later=later: now + later)
        progress.finish(each, 12.0, 12.0)
    lines = printed.getvalue().splitlines()
    assert lines == [
        f"2 of 8 nodes, 72 s left · 61 s so far: {ordered[1].name} took 12 s",
        next(line for line in lines if line.startswith("small · ")),
    ]


def test_a_terminal_has_its_bar_and_no_such_lines(nodes, monkeypatch):
    text = io.StringIO()
    monkeypatch.setattr(rich, "_console", Console(file=text, width=200, force_terminal=True))
    progress = StudyProgress(nodes, 0, catalog(), time.monotonic())
    progress.show()
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 600)
    progress.finish(by_cell(Pipeline(nodes))[0], 12.0, 12.0)
    progress.stop()
    assert "so far" not in text.getvalue()


def test_kedro_s_share_is_all_but_the_nodes_functions(nodes):
    progress = StudyProgress(nodes, 0, catalog(), time.monotonic() - 100)
    progress.finish(nodes[0], 95.0, 98.0)
    assert "8 nodes in 2 min" in progress.account()
    assert "5.0 s, 5.0 %" in progress.account()


def test_where_several_tasks_run_at_once_waiting_for_them_is_no_share_of_kedro_s(nodes):
    progress = StudyProgress(nodes, 0, catalog(), time.monotonic() - 100)
    progress.finish(nodes[0], 95.0, 100.0)
    progress.finish(nodes[1], 95.0, 100.0)
    # 4 s outside, and 5 % of the 96 s within
    assert "8.8 s, 8.8 %" in progress.account(outside=4.0)


@pytest.mark.parametrize(("seconds", "text"), [(8.24, "8.2 s"), (61, "61 s"), (720, "12 min"), (11100, "3 h 5 min")])
def test_durations_are_read_at_a_glance(seconds, text):
    assert duration(seconds) == text


def test_the_overview_of_all_cells_is_no_cell():
    assert not any(map(is_last_of_a_cell, create_overview_pipeline().nodes))
