"""Table 6: the data sets after filtering, beside the paper's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rec_msa.reporting.paper import paper_table
from rec_msa.reporting.report.beside import NOT_IN_PAPER
from rec_msa.reporting.report.commands import not_measured, study
from rec_msa.reporting.report.measured import Measured, datasets_of
from rec_msa.reporting.report.model import Body, Cell, Paragraph, Section, Table, missing
from rec_msa.reporting.report.reading import reading_table

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from rec_msa.reporting.report.model import Block


_COUNTS = ("users", "items", "interactions")


def statistics_section(measured: Measured) -> Section:
    """Returns Table 6."""
    text = (
        "Users, items and interactions after filtering. The paper's row for ML-1M is the unfiltered file and its "
        "Ta-Feng the 10-core of distinct pairs, whatever its text says of a 5-core; its Steam is another data set "
        "than the linked one."
    )
    known = {str(row["dataset"]): row for row in measured.statistics.to_dict("records")}
    paper = paper_table(6)
    names = datasets_of(measured.statistics) if len(measured.statistics) else list(paper)
    others = measured.not_original
    rows = [_counts_row(name, known.get(name), paper.get(name), other=name in others) for name in names]
    head = ["dataset", *["ours", "paper", "difference"] * len(_COUNTS), "ours"]
    groups = [("", 1), *((name, 3) for name in _COUNTS), ("density", 1)]
    data = pd.DataFrame([_counts_data(name, known, paper.get(name, {})) for name in names])
    table = Table(
        "table6-counts", "Table 6: the data sets", head, [Body(rows)], "l" + "r" * 10, groups, 1, (), data, "table6"
    )
    command = study("table6") if known else not_measured("table6")
    read = reading_table(measured.statistics)
    blocks: list[Block] = [Paragraph(text), command, table, *([] if read is None else [read])]
    return Section("table6", "Table 6: the data sets", blocks)


def _counts_row(
    name: str, ours: Mapping[Hashable, Any] | None, paper: Mapping[str, int] | None, *, other: bool
) -> list[Cell]:
    cells = [Cell(name, below="another file" if other else "")]
    for count in _COUNTS:
        own, theirs = (None if ours is None else int(ours[count])), (paper or {}).get(count)
        cells.append(missing() if own is None else Cell(f"{own:,}"))
        cells.append(missing(NOT_IN_PAPER) if theirs is None else Cell(f"{theirs:,}"))
        cells.append(missing() if own is None or theirs is None else Cell(_signed(own - theirs)))
    return [*cells, missing() if ours is None else Cell(f"{100 * float(ours['density']):.2f} %")]


def _signed(count: int) -> str:
    return f"{count:+,}".replace("-", "−") if count else "0"


def _counts_data(name: str, known: Mapping[str, Mapping[Hashable, Any]], paper: Mapping[str, int]) -> dict[str, Any]:
    ours = known.get(name, {})
    row: dict[str, Any] = {"dataset": name}
    for count in _COUNTS:
        row |= {count: ours.get(count, np.nan), f"{count}_paper": paper.get(count, np.nan)}
    return row | {"density": ours.get("density", np.nan)}
