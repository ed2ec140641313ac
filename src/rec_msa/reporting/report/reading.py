"""What was read of each data set and what was left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from rec_msa.reporting.report.model import Body, Cell, Table, missing

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

_COUNTS = {"rows_in_file": "rows", "rows_read": "read", "repeats": "repeats"}


def reading_table(statistics: pd.DataFrame) -> Table | None:
    """Returns a row for each data set whose statistics say how it was read; None where none does."""
    if "rows_read" not in statistics:
        return None
    read = [row for row in statistics.to_dict("records") if pd.notna(row["rows_read"])]
    rows = [_row(row) for row in read]
    data = pd.DataFrame([_data(row) for row in read])
    head = ["data set", *_COUNTS.values(), "left out", "from", "to", "to look at"]
    return Table("reading", "What was read", head, [Body(rows)], "lrrrlrrl", (), 1, (), data, "reading")


def _row(row: Mapping[Hashable, Any]) -> list[Cell]:
    counts = [Cell(f"{int(row[name]):,}") for name in _COUNTS]
    span = [Cell(str(row[end])) if row[end] else missing("no times") for end in ("time_from", "time_to")]
    return [Cell(str(row["dataset"])), *counts, Cell(_left_out(row)), *span, Cell("; ".join(row["odd"]))]


def _left_out(row: Mapping[Hashable, Any]) -> str:
    return ", ".join(f"{n:,} for {reason}" for reason, n in row["rows_dropped"].items())


def _data(row: Mapping[Hashable, Any]) -> dict[str, Any]:
    counts = {name: int(row[name]) for name in _COUNTS}
    span = {end: row[end] for end in ("time_from", "time_to")}
    return {"dataset": row["dataset"], **counts, "left_out": _left_out(row), **span, "odd": "; ".join(row["odd"])}
