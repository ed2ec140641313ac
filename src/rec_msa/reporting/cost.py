"""What the runs took, where and with what: the journal on a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from rec_msa.reporting import document as doc
from rec_msa.reporting.names import TEXTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_JOURNAL = ["started", "seconds", "core_seconds", "in_functions", "n_nodes", "command", "threads", "machine"]
_JOURNAL += ["cores", "memory_gib", "commit", "python", "torch", "kedro", "numpy"]
_MINUTE, _HOUR = 60, 3600


def environment_section(journal: pd.DataFrame) -> doc.Section:
    """Returns machine, versions, commits, and what the runs took."""
    title = "Environment and cost"
    if not len(journal):
        return doc.Section("environment", title, [doc.Paragraph(TEXTS["nothing_recorded"])])
    runs = journal.reindex(columns=_JOURNAL)
    blocks: list[doc.Block] = [_summary(runs), doc.Folded(f"Show all {len(runs)} runs", [_runs(runs)])]
    return doc.Section("environment", title, blocks)


def cost(journal: pd.DataFrame) -> str:
    """Returns what all runs took, in words; empty where nothing was recorded."""
    runs = journal.reindex(columns=_JOURNAL)
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


def _summary(runs: pd.DataFrame) -> doc.Table:
    sums = {name: pd.to_numeric(runs[name]).sum() for name in ("seconds", "core_seconds", "in_functions")}
    started = sorted(runs["started"].dropna().astype(str))
    facts = {
        "runs": doc.Cell(str(len(runs))),
        "first and last start": doc.Cell(f"{_day(started[0])} to {_day(started[-1])}") if started else doc.missing(),
        "wall-clock, all runs": _seconds(sums["seconds"]),
        "cost": doc.Cell(f"{sums['core_seconds'] / _HOUR:.1f} core-hours") if sums["core_seconds"] else doc.missing(),
        "in the nodes' own functions": _seconds(sums["in_functions"]),
        "machine": _values(runs["machine"]),
        "cores": _values(runs["cores"], "{:.0f}".format),
        "memory": _values(runs["memory_gib"], "{:g} GiB".format),
        **{name: _values(runs[name]) for name in ("python", "torch", "kedro", "numpy")},
        "commits": _values(runs["commit"], "`{}`".format),
    }
    columns = [
        doc.Column("", "name", "l", names=True),
        doc.Column("all runs", "cell", "l"),
    ]
    frame = pd.DataFrame({"name": list(facts), "cell": list(facts.values())})
    return doc.Table("cost", "Where, with what, and what it took", frame, columns)


def _runs(runs: pd.DataFrame) -> doc.Table:
    columns = [
        doc.Column("started", _recorded("started", _day), "l", names=True),
        doc.Column("command", _recorded("command", lambda value: f"`{str(value).replace('`', chr(39))}`"), "l"),
        doc.Column("took", _recorded("seconds", lambda value: duration(float(value)))),
        doc.Column("core-hours", _recorded("core_seconds", lambda value: f"{float(value) / _HOUR:.2f}")),
        doc.Column("nodes", _recorded("n_nodes", "{:.0f}".format)),
        doc.Column("threads", _recorded("threads", "{:.0f}".format)),
        doc.Column("commit", _recorded("commit", "`{}`".format), "l"),
    ]
    return doc.Table("runs", "Every run, by its start", runs, columns, data=_JOURNAL, file="runs")


def _recorded(name: str, write: Callable[[Any], str]) -> Callable[[Mapping[Any, Any]], doc.Cell]:
    return doc.written(name, write, "not recorded")


def _values(column: pd.Series, write: Callable[[Any], str] = str) -> doc.Cell:
    """What stands in a column, each once."""
    found = list(dict.fromkeys(write(value) for value in column.dropna() if value != ""))
    return doc.Cell(", ".join(found)) if found else doc.missing("not recorded")


def _seconds(value: float) -> doc.Cell:
    return doc.Cell(duration(value)) if value else doc.missing("not recorded")


def _day(started: Any) -> str:
    return str(started)[:16].replace("T", " ")
