"""Figures 7 and 8, and beyond the paper what each defense hides and costs."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING

import pandas as pd

from rec_msa.defenses.settings import NO_DEFENSE
from rec_msa.reporting.axes import K
from rec_msa.reporting.defense import MIXING, defense_points, mixing_plots, trade_off_plots
from rec_msa.reporting.markdown import figure
from rec_msa.reporting.names import REFERENCE_NAMES, TARGET
from rec_msa.reporting.report.beside import estimate_cell, measured_note, plain
from rec_msa.reporting.report.commands import not_measured, study
from rec_msa.reporting.report.drawings import Curves
from rec_msa.reporting.report.model import Body, Cell, FigureBlock, Paragraph, Section, Table, missing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rec_msa.reporting.curves import Plot
    from rec_msa.reporting.report.measured import Measured


@dataclass(frozen=True)
class _Shown:
    """What a section of the defense shows.

    Attributes:
        name: Its anchor.
        title: Its heading.
        text: How to read it.
        plots: What is drawn.
        table: Makes the numbers behind it.
        study: The study that measures it.
        size: How wide the parts of its figure are.
    """

    name: str
    title: str
    text: str
    plots: Sequence[Sequence[Plot]]
    table: Callable[[pd.DataFrame], Table]
    study: str
    size: str = ""

    def section(self, points: pd.DataFrame) -> Section:
        """Returns the section, or the command that measures it."""
        if not self.plots:
            return Section(self.name, self.title, [Paragraph(self.text), not_measured(self.study)])
        note = measured_note(list(points["estimate"]))
        drawing = Curves(self.plots, self.title, note, self.size)
        block = FigureBlock(self.name, f"{self.text} {note}", drawing, self.table(points))
        return Section(self.name, self.title, [study(self.study), block])


def defense_sections(measured: Measured) -> list[Section]:
    """Returns figure 7, figure 8 and the trade-off of every defense."""
    points = defense_points(measured.agreement, measured.quality)
    points = points[points["k"] == K]
    mixing = mixing_plots(points)
    shown = [_mixing(mixing), _costs(mixing), _trade_off(trade_off_plots(points))]
    return [one.section(points) for one in shown]


def _mixing(rows: Sequence[Sequence[Plot]]) -> _Shown:
    title = "Figure 7: agreement under popular-item mixing"
    text = (
        "Against the served lists any clone falls, since even the target's own lists repeat only a part of them: "
        "the dashed line is that ceiling. Against the undefended lists is the real question; who asks nothing is "
        "exactly level there."
    )
    return _Shown("figure7", title, text, [row[:2] for row in rows], _agreement_table, "figure7", size="half")


def _costs(rows: Sequence[Sequence[Plot]]) -> _Shown:
    title = "Figure 8: what mixing costs the target's users"
    text = "Recall and NDCG of the served lists on the test interactions."
    return _Shown("figure8", title, text, [[row[2] for row in rows]] if rows else [], _utility_table, "figure8")


def _trade_off(plots: Sequence[Sequence[Plot]]) -> _Shown:
    title = "Beyond the paper: what is stolen against what is served"
    text = "Each defense at its strengths: to the right the lists are better, below less is stolen."
    return _Shown("trade-off", title, text, plots, _trade_off_table, "defenses")


def _mixed(points: pd.DataFrame) -> pd.DataFrame:
    return points[points["kind"].isin([NO_DEFENSE, MIXING])]


def _agreement_table(points: pd.DataFrame) -> Table:
    own = _mixed(points)
    ticks = sorted({int(n) for n in own["strength"]})
    keys = ["dataset", "target", "against", "attack"]
    rows = []
    for key, part in own.groupby(keys, sort=False):
        by_n = dict(zip(part["strength"], part["estimate"], strict=True))
        attack = REFERENCE_NAMES.get(str(key[3]), f"`{key[3]}`")
        rows.append([*map(Cell, map(str, key[:3])), Cell(attack), *(estimate_cell(by_n.get(n)) for n in ticks)])
    head = ["dataset", "target", "against", "attack", *(f"n = {n}" for n in ticks)]
    return Table(
        "figure7-table",
        "Figure 7: Agr@50 of held-out users by mixed items n",
        head,
        [Body(rows)],
        "llll" + "r" * len(ticks),
        (),
        4,
        (),
        _defense_data(own),
        "figure7",
    )


def _utility_table(points: pd.DataFrame) -> Table:
    own = _mixed(points)
    own = own[(own["attack"] == TARGET) & (own["against"] == "served")]
    rows = [
        [
            Cell(row["dataset"]),
            Cell(row["target"]),
            Cell(str(row["strength"])),
            *map(_share, (row["recall"], row["ndcg"])),
        ]
        for _, row in own.iterrows()
    ]
    data = own[["dataset", "target", "strength", "recall", "ndcg"]].rename(columns={"strength": "n"})
    head = ["dataset", "target", "mixed items n", "Recall@50", "NDCG@50"]
    return Table(
        "figure8-table",
        "Figure 8: quality of the served lists",
        head,
        [Body(rows)],
        "llrrr",
        (),
        3,
        (),
        data,
        "figure8",
    )


def _trade_off_table(points: pd.DataFrame) -> Table:
    # The target agrees with its own undefended lists whatever it serves.
    own = points[(points["against"] == "undefended") & (points["attack"] != TARGET)]
    rows = [
        [
            *(Cell(row[name]) for name in ("dataset", "target")),
            *(Cell(f"`{row[name]}`") for name in ("defense", "attack")),
            estimate_cell(row["estimate"]),
            *map(_share, (row["recall"], row["ndcg"])),
        ]
        for _, row in own.iterrows()
    ]
    head = ["dataset", "target", "defense", "attack", "Agr@50, undefended lists", "Recall@50", "NDCG@50"]
    return Table(
        "trade-off-table",
        "What each defense hides and costs",
        head,
        [Body(rows)],
        "llllrrr",
        (),
        4,
        (),
        _defense_data(own),
        "defenses",
    )


def _share(value: float) -> Cell:
    return missing() if isnan(value) else Cell(figure(value))


def _defense_data(own: pd.DataFrame) -> pd.DataFrame:
    figures = pd.DataFrame([plain(one) for one in own["estimate"]], index=own.index)
    named = own[["dataset", "target", "attack", "against", "defense", "recall", "ndcg"]]
    return named.join(figures).rename(columns={"ours": "agreement"})
