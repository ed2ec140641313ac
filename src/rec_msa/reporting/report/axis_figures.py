"""Figures over an axis (2 to 5 and 9): lines with bands, and the table behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from rec_msa.attacks.settings import PAPER_ATTACKS
from rec_msa.reporting.axes import (
    ASKED,
    AUXILIARY_USERS,
    ITEMS,
    LIST_LENGTH,
    TARGET_USERS,
    Axis,
    points_of,
)
from rec_msa.reporting.curves import Curve, Plot
from rec_msa.reporting.looks import ATTACK_LOOKS, NEUTRAL
from rec_msa.reporting.markdown import figure
from rec_msa.reporting.names import GROUP_NAMES, REFERENCE_NAMES, with_words
from rec_msa.reporting.paper import DATASETS, TARGETS
from rec_msa.reporting.report.beside import estimate_cell, measured_note, plain
from rec_msa.reporting.report.commands import not_measured, nothing_measured, study
from rec_msa.reporting.report.drawings import Curves
from rec_msa.reporting.report.measured import Measured, datasets_of, estimates
from rec_msa.reporting.report.model import Body, Cell, FigureBlock, Paragraph, Section, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rec_msa.reporting.panels import Estimate

LEVEL_LINES = {"retrain": "dash", "popularity": "dot"}
"""References in the figures, and their lines."""
ROOM = 1.1
"""How much higher a plot ends than its highest interval."""


@dataclass(frozen=True)
class AxisFigure:
    """What a figure over an axis shows.

    Attributes:
        name: The study and the anchor, as ``figure2``.
        title: Its heading.
        axis: What varies.
        varying: The attacks that stand on the axis.
        level: Attacks on which it has no bearing: level lines.
        datasets: The datasets.
        targets: The targets.
        groups: The groups of users, a row of plots each.
        text: How to read it.
    """

    name: str
    title: str
    axis: Axis
    varying: tuple[str, ...]
    level: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ("ml-1m",)
    targets: tuple[str, ...] = TARGETS
    groups: tuple[str, ...] = ("heldout",)
    text: str = ""


_SHOWN = (
    AxisFigure(
        "figure2",
        "Figure 2: items in a list",
        LIST_LENGTH,
        PAPER_ATTACKS,
        text="The target serves lists of each length, attacks with queries are trained anew on them, and agreement is "
        "that of whole lists.",
    ),
    AxisFigure(
        "figure3",
        "Figure 3: target users known",
        TARGET_USERS,
        PAPER_ATTACKS,
        text="Held-out users are the same at every point; with 2 % there is nobody left to ask, so attacks with "
        "queries begin at 5 %.",
    ),
    AxisFigure(
        "figure4",
        "Figure 4: auxiliary users known",
        AUXILIARY_USERS,
        ("pta", "ptaq"),
        ("ptd", "ptq"),
        DATASETS,
        ("lmf",),
        text="Attacks without auxiliary data are level lines.",
    ),
    AxisFigure(
        "figure5",
        "Figure 5: items with an auxiliary vector",
        ITEMS,
        ("pta", "ptaq"),
        ("ptd", "ptq"),
        DATASETS,
        ("lmf",),
        text="One auxiliary model; of the other items the vectors are withheld.",
    ),
    AxisFigure(
        "figure9",
        "Figure 9: users asked about",
        ASKED,
        ("qsd", "ptq", "ptaq"),
        groups=("heldout", "queried"),
        text="Held-out users above; below, for comparison only, the users that may be asked about, where agreement is "
        "memory as far as they were.",
    ),
)
AXIS_FIGURES = {shown.name: shown for shown in _SHOWN}


def axis_section(measured: Measured, shown: AxisFigure) -> Section:
    """Returns a figure over an axis with the table behind it."""
    drawing = axis_drawing(measured, shown)
    if not drawing.rows:
        return Section(shown.name, shown.title, [Paragraph(shown.text), not_measured(shown.name)])
    points = axis_points(measured, shown)
    texts = [shown.text, drawing.note, "Grey: what a retrained target and popularity reach."]
    caption = " ".join([*texts, _quality_note(measured, points)]).strip()
    block = FigureBlock(shown.name, caption, drawing, _axis_table(shown, points))
    return Section(shown.name, shown.title, [study(shown.name), block])


def axis_drawing(measured: Measured, shown: AxisFigure) -> Curves:
    """Returns a figure alone; its note says so where nothing was measured."""
    found = list(estimates(axis_points(measured, shown), shown.groups[0], ("target", "attack", "value")).values())
    note = measured_note(found) if found else nothing_measured(shown.name)
    return Curves(axis_plots(measured, shown), shown.title, note)


def axis_points(measured: Measured, shown: AxisFigure) -> pd.DataFrame:
    """Returns the points of a figure, none where only the axis' default was measured."""
    points = points_of(measured.agreement, shown.axis)
    wanted = [*shown.varying, *shown.level, *LEVEL_LINES]
    points = points.assign(attack=points["base"])[points["base"].isin(wanted)]
    points = points[points["dataset"].isin(shown.datasets) & points["target"].isin(shown.targets)]
    varied = points[points["attack"].isin(shown.varying)].groupby(["dataset", "target"])["value"].nunique()
    return points.merge(varied[varied > 1].reset_index()[["dataset", "target"]])


def axis_plots(measured: Measured, shown: AxisFigure) -> list[list[Plot]]:
    """Returns the plots of a figure: a row for each group of users."""
    points = axis_points(measured, shown)
    places = [
        (dataset, target)
        for dataset in datasets_of(points, shown.datasets)
        for target in shown.targets
        if len(points[(points["dataset"] == dataset) & (points["target"] == target)])
    ]
    rows = []
    for group in shown.groups:
        found = estimates(points, group, ("target", "attack", "value"))
        top = ROOM * max((max(one.value, one.high) for one in found.values()), default=1.0)
        plots = [_axis_plot(shown, found, place, group, min(top, 1.05)) for place in places]
        rows.append([plot for plot in plots if plot.curves])
    return [row for row in rows if row]


def _axis_plot(
    shown: AxisFigure, found: dict[tuple[str, str, str, int], Estimate], place: tuple[str, str], group: str, top: float
) -> Plot:
    own = {key[2:]: one for key, one in found.items() if key[:2] == place}
    ticks = sorted({value for _, value in own})
    curves = []
    for attack in (*shown.varying, *shown.level, *LEVEL_LINES):
        by_value = {value: one for (name, value), one in sorted(own.items(), key=str) if name == attack}
        by_value = dict(sorted(by_value.items()))
        if by_value:
            curves.append(axis_curve(attack, by_value, ticks, level=attack in (*shown.level, *LEVEL_LINES)))
    suffix = f", {GROUP_NAMES[group]}" if len(shown.groups) > 1 else ""
    y_title = f"agreement{' at that length' if shown.axis is LIST_LENGTH else ' at 50'}"
    title = f"{place[0]} · {place[1]}{suffix}"
    return Plot(title, shown.axis.title, y_title, curves, top, ticks, shown.axis.unit)


def axis_curve(attack: str, by_value: dict[int, Estimate], ticks: Sequence[int], *, level: bool = False) -> Curve:
    """Returns the line of an attack or a reference.

    Args:
        attack: Its name.
        by_value: Its figure at each value of the axis.
        ticks: The values of the axis.
        level: Whether it is one to compare with, a line over the whole axis.
    """
    colour, symbol = ATTACK_LOOKS.get(attack, (NEUTRAL, "circle"))
    band = len(by_value) > 1
    if level and not band and len(ticks) > 1:
        by_value = dict.fromkeys((ticks[0], ticks[-1]), next(iter(by_value.values())))
    found = list(by_value.values())
    low = [] if level else [one.value - one.low for one in found]
    high = [] if level else [one.high - one.value for one in found]
    values = [one.value for one in found]
    dash = LEVEL_LINES.get(attack, "")
    return Curve(
        with_words(attack), colour, list(by_value), values, low, high, level=level, band=band, symbol=symbol, dash=dash
    )


def _quality_note(measured: Measured, points: pd.DataFrame) -> str:
    """Says how good the targets are, beside which agreement is read."""
    own = measured.undefended_quality.merge(points[["dataset", "target", "seed"]].drop_duplicates())
    own = own.dropna(subset="recall_test")
    means = {key: float(part["recall_test"].mean()) for key, part in own.groupby(["dataset", "target"])}
    several = own["dataset"].nunique() > 1
    values = [f"{f'{dataset} ' * several}{target} {figure(mean)}" for (dataset, target), mean in means.items()]
    return f"The targets' own Recall@50: {', '.join(values)}." if values else ""


def _axis_table(shown: AxisFigure, points: pd.DataFrame) -> Table:
    keys = ("target", "group", "attack", "value")
    found = {
        (key[0], key[1], group, *key[2:]): one
        for group in shown.groups
        for key, one in estimates(points, group, ("target", "attack", "value")).items()
    }
    ticks = sorted({int(value) for value in points["value"]})
    rows = {key[:4]: {own[4]: one for own, one in found.items() if own[:4] == key[:4]} for key in found}
    bodies = [
        Body(
            [
                [*map(Cell, _row_names(key)), *(estimate_cell(own.get(tick)) for tick in ticks)]
                for key, own in sorted(rows.items(), key=lambda row: _order(shown, row[0]))
            ]
        )
    ]
    head = ["dataset", "target", "users", "attack", *(f"{tick}{shown.axis.unit}" for tick in ticks)]
    data = pd.DataFrame(
        [{**dict(zip(("dataset", *keys), key, strict=True)), **plain(one)} for key, one in found.items()]
    )
    data = data.rename(columns={"value": shown.axis.name, "ours": "agreement"})
    align = "llll" + "r" * len(ticks)
    caption = f"{shown.title}: agreement by {shown.axis.title}"
    return Table(f"{shown.name}-table", caption, head, bodies, align, (), 4, (), data, shown.name)


def _row_names(key: tuple[str, ...]) -> tuple[str, ...]:
    attack = f"`{key[3]}`" if key[3] not in REFERENCE_NAMES else REFERENCE_NAMES[key[3]]
    return key[0], key[1], GROUP_NAMES[key[2]], attack


def _order(shown: AxisFigure, key: tuple[str, ...]) -> tuple[int, ...]:
    attacks = [*shown.varying, *shown.level, *LEVEL_LINES]
    return (
        shown.datasets.index(key[0]),
        shown.targets.index(key[1]),
        shown.groups.index(key[2]),
        attacks.index(key[3]),
    )
