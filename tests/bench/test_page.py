"""Tables, promises and the page made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.__main__ import DOCS
from bench.areas import AREAS, MACHINE, Options, in_turn
from bench.limits import limits, paths
from bench.measure import fresh
from bench.page import fill, names
from bench.store import load, save, tables_of
from bench.tables import Metric, Promise, Row, Table, ratios

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def table() -> Table:
    runs = [{"seconds": 2.0, "reached": 1.0}, {"seconds": 1.0, "reached": None}, {"seconds": 3.0, "reached": None}]
    row = Row("bpr", runs, [Promise("seconds", 2.5), Promise("reached", 1.0)])
    return Table("race", "a race", [Metric("seconds", "s", 1), Metric("reached", "s to 0.3", 1)], [row])


def test_a_row_shows_median_least_and_most_and_whether_its_promises_are_kept(table: Table) -> None:
    assert table.cells(table.rows[0]) == [
        "bpr",
        "2.0 (1.0–3.0)",
        "never (1.0–never)",
        "s ≤ 2.5: met; s to 0.3 ≤ 1: missed",
    ]


def test_a_figure_that_was_never_reached_breaks_a_promise_of_at_least_too() -> None:
    assert not Promise("x", 0.0, at_least=True).met_by(float("inf"))


def test_a_failed_row_says_what_failed(table: Table) -> None:
    table.rows[0].runs.append({"error": "no such file"})
    assert table.cells(table.rows[0])[0] == "bpr: failed: no such file"


def test_ratios_are_taken_run_by_run_and_only_where_both_got_there() -> None:
    ours = Row("ours", [{"s": 1.0, "to": None}, {"s": 3.0, "to": 2.0}])
    theirs = Row("theirs", [{"s": 2.0, "to": 1.0}, {"s": 2.0, "to": 4.0}])
    assert ratios(ours, theirs, ["s", "to"]).runs == [{"s": 0.5}, {"s": 1.5, "to": 0.5}]


def test_the_page_generator_fills_a_block_and_leaves_the_words_around_it_and_what_was_not_measured() -> None:
    page = (
        "Before\n<!-- bench: race -->\nold\n<!-- end -->\nbetween\n<!-- bench: other -->\nkept\n<!-- end -->\nafter\n"
    )
    filled = fill(page, {"race": "| new |"})
    assert "old" not in filled
    assert filled.startswith("Before\n<!-- bench: race -->\n\n| new |\n\n<!-- end -->\nbetween\n")
    assert filled.endswith("between\n<!-- bench: other -->\nkept\n<!-- end -->\nafter\n")
    assert fill(filled, {"race": "| new |"}) == filled
    assert names(filled) == ["race", "other"]


def test_the_page_has_a_block_for_where_each_area_was_measured() -> None:
    found = names((DOCS / "performance.md").read_text(encoding="utf-8"))
    assert {f"made-{area}" for area in AREAS} | {"limits"} <= set(found)


def test_one_area_is_replaced_and_the_others_stay(table: Table, tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    save("a", [table], {}, path)
    save("b", [], {}, path)
    save("b", [], {"command": "again"}, path)
    assert tables_of(load(path))["race"].cells(table.rows[0]) == table.cells(table.rows[0])
    assert load(path)["b"]["made_by"] == {"command": "again"}


def test_a_limit_on_paper_stands_beside_what_was_measured() -> None:
    machine = Table("machine", "", [], [Row(what, [{"rate": 100.0}]) for what in MACHINE.values()])
    training = Table("training", "", [], [Row("bpr paper", [{"epoch_cpu_s": 1.0}])])
    found = limits({"machine": machine, "training": training}).rows
    assert [row.what for row in found] == ["an epoch of bpr"]
    bpr = paths()[0]
    assert found[0].median("times") == pytest.approx(100 / (bpr.gigabytes + bpr.gigaflops))


def test_a_fresh_process_runs_on_as_many_cores_as_asked_and_its_failure_is_a_row() -> None:
    said = fresh(["-c", "import os, json; print(json.dumps({'cores': len(os.sched_getaffinity(0))}))"], threads=1)
    assert said == {"cores": 1}
    assert fresh(["-c", "raise SystemExit('no data')"], threads=1) == {"error": "no data"}


def test_rows_are_measured_in_turn() -> None:
    said = "import time; print('{\"at\": %f}' % time.monotonic())"
    rows = [Row("a"), Row("b")]
    in_turn([(row, ["-c", said]) for row in rows], Options(runs=2))
    order = sorted((run["at"], row.what) for row in rows for run in row.runs)
    assert [what for _, what in order] == ["a", "b", "a", "b"]
