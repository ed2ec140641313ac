"""Table 8 as a picture: what more calls about made-up sequences bring, beside what other attacks reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from rec_msa.reporting.axes import CALLS, K
from rec_msa.reporting.curves import Plot
from rec_msa.reporting.paper import SEQUENTIAL_TARGETS
from rec_msa.reporting.report.axis_figures import LEVEL_LINES, ROOM, axis_curve
from rec_msa.reporting.report.beside import estimate_cell, measured_note, plain
from rec_msa.reporting.report.drawings import Curves
from rec_msa.reporting.report.model import Block, Body, Cell, FigureBlock, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rec_msa.reporting.curves import Curve
    from rec_msa.reporting.panels import Estimate

    Found = Mapping[tuple[str, str, str], Estimate]

CALLS_OF = {f"qsd{calls}": calls for calls in range(5, 31, 5)}
"""The paper's named attacks on this axis."""
MOST = max(CALLS_OF.values())
_LEVELS = ("ptd", "ptq", "ptaq")
_CAPTION = (
    "QSD by its calls, and as a single point as many calls about sequences made up at random; attacks that know a "
    "tenth of the users are level lines. Grey: what a retrained target and popularity reach."
)


def calls_blocks(found: Found, datasets: Sequence[str]) -> list[Block]:
    """Returns the figure; nothing where no line can be drawn.

    Args:
        found: The held-out agreement of each dataset, target and attack.
        datasets: The datasets, a row of plots each.
    """
    named = [(dataset, target) for dataset in datasets for target in SEQUENTIAL_TARGETS]
    drawn = {place: points for place in named if len(points := _points(found, place)) > 1}
    if not drawn:
        return []
    top = _top(found, drawn)
    rows = [[_plot(found, place, drawn[place], top) for place in drawn if place[0] == dataset] for dataset in datasets]
    note = measured_note([one for own in drawn.values() for one in own.values()])
    drawing = Curves([row for row in rows if row], "Table 8: calls for made-up sequences", note)
    return [FigureBlock("table8-calls", f"{_CAPTION} {note}", drawing, _table(drawn))]


def _points(found: Found, place: tuple[str, str]) -> dict[int, Estimate]:
    return {calls: found[(*place, attack)] for attack, calls in CALLS_OF.items() if (*place, attack) in found}


def _plot(found: Found, place: tuple[str, str], points: dict[int, Estimate], top: float) -> Plot:
    curves: list[Curve] = [axis_curve("qsd", points, list(points))]
    at_random = found.get((*place, "random_sequences"))
    if at_random is not None:
        curves.append(axis_curve("random_sequences", {MOST: at_random}, list(points)))
    for name in (*_LEVELS, *LEVEL_LINES):
        if (*place, name) in found:
            curves.append(axis_curve(name, {MOST: found[(*place, name)]}, list(points), level=True))
    return Plot(f"{place[0]} · {place[1]}", CALLS.title, f"agreement at {K}", curves, top, list(points))


def _top(found: Found, drawn: Mapping[tuple[str, str], dict[int, Estimate]]) -> float:
    """Where all plots end, so that heights compare."""
    lines = [found[key].value for key in found if key[:2] in drawn and key[2] in (*_LEVELS, *LEVEL_LINES)]
    bands = [one.high for own in drawn.values() for one in own.values()]
    return min(1.05, ROOM * max(lines + bands))


def _table(drawn: Mapping[tuple[str, str], dict[int, Estimate]]) -> Table:
    rows = [
        [*map(Cell, place), *(estimate_cell(own.get(calls)) for calls in CALLS_OF.values())]
        for place, own in drawn.items()
    ]
    data = pd.DataFrame(
        {"dataset": dataset, "target": target, CALLS.name: calls, **plain(one)}
        for (dataset, target), own in drawn.items()
        for calls, one in own.items()
    ).rename(columns={"ours": "agreement"})
    head = ["dataset", "target", *map(str, CALLS_OF.values())]
    align = "ll" + "r" * len(CALLS_OF)
    caption = "Agr@50 of QSD on sequential targets by calls for each queried user"
    return Table("table8-calls-table", caption, head, [Body(rows)], align, (), 2, (), data, "table8_calls")
