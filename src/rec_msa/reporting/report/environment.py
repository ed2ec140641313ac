"""What the figures cost, and where and with what they were made: from the journal of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from rec_msa.reporting.report.model import Block, Body, Cell, Folded, Paragraph, Section, Table, missing

if TYPE_CHECKING:
    from collections.abc import Callable

NOTHING_RECORDED = "No run was recorded: the journal is kept from the first run on that ends after it was introduced."
_COLUMNS = ["started", "seconds", "core_seconds", "in_functions", "n_nodes", "command", "threads", "machine"]
_COLUMNS += ["cores", "memory_gib", "commit", "python", "torch", "kedro", "numpy"]
_VERSIONS = ("python", "torch", "kedro", "numpy")
_MINUTE, _HOUR = 60, 3600


def environment_section(journal: pd.DataFrame) -> Section:
    """Returns machine, versions, commits, and what the runs took."""
    title = "Environment and cost"
    if not len(journal):
        return Section("environment", title, [Paragraph(NOTHING_RECORDED)])
    runs = journal.reindex(columns=_COLUMNS)
    blocks: list[Block] = [_summary(runs), Folded(f"Show all {len(runs)} runs", [_runs(runs)])]
    return Section("environment", title, blocks)


def cost(journal: pd.DataFrame) -> str:
    """Returns what all runs took, in words; empty where nothing was recorded."""
    runs = journal.reindex(columns=_COLUMNS)
    hours = pd.to_numeric(runs["core_seconds"]).sum() / _HOUR
    return f"{len(runs)} runs, {hours:.1f} core-hours" if hours else ""


def duration(seconds: float) -> str:
    """Returns ``12 s``, ``3 min 20 s`` or ``2 h 5 min``."""
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


def _summary(runs: pd.DataFrame) -> Table:
    sums = {name: pd.to_numeric(runs[name]).sum() for name in ("seconds", "core_seconds", "in_functions")}
    started = sorted(runs["started"].dropna().astype(str))
    facts: list[tuple[str, Cell]] = [
        ("runs", Cell(str(len(runs)))),
        ("first and last start", Cell(f"{_day(started[0])} to {_day(started[-1])}") if started else missing()),
        ("wall-clock, all runs", _seconds(sums["seconds"])),
        ("cost", Cell(f"{sums['core_seconds'] / _HOUR:.1f} core-hours") if sums["core_seconds"] else missing()),
        ("in the nodes' own functions", _seconds(sums["in_functions"])),
        ("machine", _values(runs["machine"])),
        ("cores", _values(runs["cores"], _count)),
        ("memory", _values(runs["memory_gib"], lambda value: f"{float(value):g} GiB")),
        *((name, _values(runs[name])) for name in _VERSIONS),
        ("commits", _values(runs["commit"], lambda value: f"`{value}`")),
    ]
    rows = [[Cell(name), cell] for name, cell in facts]
    return Table("cost", "Where, with what, and what it took", ["", "all runs"], [Body(rows)], "ll")


def _runs(runs: pd.DataFrame) -> Table:
    head = ["started", "command", "took", "core-hours", "nodes", "threads", "commit"]
    rows = [
        [
            _text(row["started"], _day),
            _text(row["command"], lambda value: f"`{str(value).replace('`', chr(39))}`"),
            _text(row["seconds"], lambda value: duration(float(value))),
            _text(row["core_seconds"], lambda value: f"{float(value) / _HOUR:.2f}"),
            _text(row["n_nodes"], _count),
            _text(row["threads"], _count),
            _text(row["commit"], lambda value: f"`{value}`"),
        ]
        for _, row in runs.iterrows()
    ]
    return Table("runs", "Every run, by its start", head, [Body(rows)], "llrrrrl", (), 1, (), runs, "runs")


def _text(value: Any, write: Callable[[Any], str]) -> Cell:
    return missing("not recorded") if pd.isna(value) or value == "" else Cell(write(value))


def _values(column: pd.Series, write: Callable[[Any], str] = str) -> Cell:
    """What stands in a column, each once."""
    found = list(dict.fromkeys(write(value) for value in column.dropna() if value != ""))
    return Cell(", ".join(found)) if found else missing("not recorded")


def _seconds(value: float) -> Cell:
    return Cell(duration(value)) if value else missing("not recorded")


def _count(value: Any) -> str:
    return f"{int(value)}"


def _day(started: Any) -> str:
    return str(started)[:16].replace("T", " ")
