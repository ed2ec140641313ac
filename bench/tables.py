"""Tables of figures: what is measured, promised and shown, on the terminal, in JSON and in the page."""

from __future__ import annotations

import math
import statistics
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

FILE_WIDTH = 180
"""Columns of a table that is printed into a file."""


@dataclass(frozen=True)
class Metric:
    """A column.

    Attributes:
        key: The figure's name in a run.
        head: What stands above the column.
        digits: Digits after the point.
    """

    key: str
    head: str
    digits: int = 2


@dataclass(frozen=True)
class Promise:
    """What the project promises for one figure of a row.

    Attributes:
        key: The figure's name.
        limit: The most that it may be, or the least where ``at_least``.
        at_least: Whether more is better.
    """

    key: str
    limit: float
    at_least: bool = False

    def met_by(self, value: float | None) -> bool:
        """Whether a measured median keeps the promise; a figure that was never reached does not."""
        if value is None or not math.isfinite(value):
            return False
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass
class Row:
    """One thing that was measured, several times.

    Attributes:
        what: Its name.
        runs: The figures of each run; None where one was never reached; ``error`` where the run failed.
        promises: What is promised of it.
    """

    what: str
    runs: list[dict[str, Any]] = field(default_factory=list)
    promises: list[Promise] = field(default_factory=list)

    @property
    def error(self) -> str:
        """What the first run that failed said; empty where none failed."""
        return next((run["error"] for run in self.runs if "error" in run), "")

    def values(self, key: str) -> list[float]:
        """A figure in every run, infinite where it was never reached; none where it does not apply."""
        found = [run[key] for run in self.runs if key in run]
        return [math.inf if value is None else float(value) for value in found]

    def median(self, key: str) -> float | None:
        """The median of a figure over the runs, None where it does not apply."""
        values = self.values(key)
        return statistics.median(values) if values else None


@dataclass
class Table:
    """One area's figures of one kind.

    Attributes:
        name: Where it goes in the page.
        title: What it shows.
        metrics: Its columns.
        rows: Its rows.
    """

    name: str
    title: str
    metrics: list[Metric]
    rows: list[Row]

    def heads(self) -> list[str]:
        """The words above the columns."""
        return ["", *(metric.head for metric in self.metrics), "promise"]

    def cells(self, row: Row) -> list[str]:
        """A row's words: the median and, over several runs, the least and the most."""
        if row.error:
            return [f"{row.what}: failed: {row.error}", *[""] * (len(self.metrics) + 1)]
        return [row.what, *(_cell(row.values(metric.key), metric.digits) for metric in self.metrics), self._kept(row)]

    def _kept(self, row: Row) -> str:
        heads = {metric.key: metric for metric in self.metrics}
        said = []
        for promise in row.promises:
            metric = heads[promise.key]
            sign, verdict = (
                "≥" if promise.at_least else "≤",
                "met" if promise.met_by(row.median(promise.key)) else "missed",
            )
            said.append(f"{metric.head} {sign} {promise.limit:g}: {verdict}")
        return "; ".join(said)

    def lines(self) -> list[list[str]]:
        """Heads and rows in words; a column that no row fills is left out."""
        lines = [self.heads(), *(self.cells(row) for row in self.rows)]
        used = [place for place in range(len(lines[0])) if place == 0 or any(line[place] for line in lines[1:])]
        return [[line[place] for place in used] for line in lines]

    def show(self) -> None:
        """Prints the table."""
        heads, *lines = self.lines()
        table = RichTable(title=self.title, title_justify="left")
        for place, head in enumerate(heads):
            table.add_column(head, justify="right" if place else "left", overflow="fold")
        for line in lines:
            table.add_row(*line)
        console = Console()
        Console(width=None if console.is_terminal else FILE_WIDTH).print(table)

    def markdown(self) -> str:
        """The table as the page shows it."""
        heads, *lines = [[cell.replace("|", "/") for cell in line] for line in self.lines()]
        rule = ["---", *["--:"] * (len(heads) - 1)]
        return "\n".join("| " + " | ".join(cells) + " |" for cells in (heads, rule, *lines))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Table:
        """Restores what ``to_dict`` made."""
        rows = [Row(**row | {"promises": [Promise(**promise) for promise in row["promises"]]}) for row in plain["rows"]]
        return cls(plain["name"], plain["title"], [Metric(**metric) for metric in plain["metrics"]], rows)


def ratios(ours: Row, theirs: Row, keys: list[str]) -> Row:
    """Ours over theirs, run by run, since both ran in turn; what one of them never reached is left out."""
    runs = []
    for own, other in zip(ours.runs, theirs.runs, strict=False):
        both = [key for key in keys if own.get(key) is not None and other.get(key) is not None]
        runs.append({key: own[key] / other[key] for key in both if other[key]})
    return Row(f"{ours.what} / {theirs.what}", runs)


def _cell(values: list[float], digits: int) -> str:
    if not values:
        return ""
    median = _number(statistics.median(values), digits)
    low, high = _number(min(values), digits), _number(max(values), digits)
    return median if low == high else f"{median} ({low}–{high})"


def _number(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}" if math.isfinite(value) else "never"
