"""Figures 2 to 9 of the paper, from what was measured: lines with bands over an axis, heatmaps, the defense."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan, nan
from typing import TYPE_CHECKING

import pandas as pd

from rec_msa.reporting.axes import (
    ASKED,
    AUXILIARY_USERS,
    ITEMS,
    LIST_LENGTH,
    TARGET_USERS,
    Axis,
    K,
    clone_points,
    points_of,
)
from rec_msa.reporting.curves import ATTACK_LOOKS, NEUTRAL, Curve, Plot
from rec_msa.reporting.defense import defense_points, mixing_plots, trade_off_plots
from rec_msa.reporting.heatmaps import Field
from rec_msa.reporting.markdown import figure
from rec_msa.reporting.names import ATTACKS_IN_WORDS, GROUP_NAMES, REFERENCES, TARGET, seeds_text, span
from rec_msa.reporting.report.beside import estimate_cell, intervals_note, plain
from rec_msa.reporting.report.commands import not_measured, study
from rec_msa.reporting.report.drawings import Curves, Drawing, Heatmaps
from rec_msa.reporting.report.measured import (
    DATASETS,
    TARGETS,
    Measured,
    datasets_of,
    estimates,
    seeds_and_users,
)
from rec_msa.reporting.report.model import Block, Body, Cell, FigureBlock, Paragraph, Section, Table, missing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rec_msa.reporting.panels import Estimate

NO_NUMBERS = (
    "The paper's figures are pictures without numbers in its text, so there is nothing to compare with in numbers; "
    "what it says of them in words is judged among the claims."
)
CLONES_TITLE = "Figure 6: clone and target architectures"
_LEVELS = {"retrain": "dash", "popularity": "dot"}
"""References in the figures, and their lines."""
_ROOM = 1.1
"""How much higher a plot ends than its highest interval."""


@dataclass(frozen=True)
class AxisFigure:
    """What a figure over an axis shows.

    Attributes:
        number: The study and the anchor, as ``figure2``.
        title: Its heading.
        axis: What varies.
        varying: The attacks that stand on the axis.
        level: Attacks on which it has no bearing: level lines.
        datasets: The datasets.
        targets: The targets.
        groups: The groups of users, a row of plots each.
        text: How to read it.
    """

    number: str
    title: str
    axis: Axis
    varying: tuple[str, ...]
    level: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ("ml-1m",)
    targets: tuple[str, ...] = TARGETS
    groups: tuple[str, ...] = ("heldout",)
    text: str = ""


AXIS_FIGURES = {
    2: AxisFigure(
        "figure2",
        "Figure 2: items in a list",
        LIST_LENGTH,
        ("qsd", "ptd", "ptq", "pta", "ptaq"),
        text="The target serves lists of each length, attacks with queries are trained anew on them, and agreement is "
        "that of whole lists.",
    ),
    3: AxisFigure(
        "figure3",
        "Figure 3: target users known",
        TARGET_USERS,
        ("qsd", "ptd", "ptq", "pta", "ptaq"),
        text="Held-out users are the same at every point; with 2 % there is nobody left to ask, so attacks with "
        "queries begin at 5 %.",
    ),
    4: AxisFigure(
        "figure4",
        "Figure 4: auxiliary users known",
        AUXILIARY_USERS,
        ("pta", "ptaq"),
        ("ptd", "ptq"),
        DATASETS,
        ("lmf",),
        text="Attacks without auxiliary data are level lines.",
    ),
    5: AxisFigure(
        "figure5",
        "Figure 5: items with an auxiliary vector",
        ITEMS,
        ("pta", "ptaq"),
        ("ptd", "ptq"),
        DATASETS,
        ("lmf",),
        text="One auxiliary model; of the other items the vectors are withheld.",
    ),
    9: AxisFigure(
        "figure9",
        "Figure 9: users asked about",
        ASKED,
        ("qsd", "ptq", "ptaq"),
        groups=("heldout", "queried"),
        text="Held-out users above; below, for comparison only, the users that may be asked about, where agreement is "
        "memory as far as they were.",
    ),
}


def figures_section(measured: Measured) -> Section:
    """Returns figures 2 to 9."""
    sections = [axis_section(measured, AXIS_FIGURES[number]) for number in (2, 3, 4, 5)]
    sections += [_clones_section(measured), *_defense_sections(measured), axis_section(measured, AXIS_FIGURES[9])]
    return Section("figures", "The paper's figures", [Paragraph(NO_NUMBERS)], sections)


def axis_section(measured: Measured, shown: AxisFigure) -> Section:
    """Returns a figure over an axis with the table behind it."""
    plots = axis_plots(measured, shown)
    if not plots:
        return Section(shown.number, shown.title, [Paragraph(shown.text), not_measured(shown.number)])
    points = axis_points(measured, shown)
    found = list(estimates(points, shown.groups[0], ("target", "attack", "value")).values())
    note = _note(found)
    quality = _quality_note(measured, points)
    drawing = Curves(plots, shown.title, note)
    caption = " ".join([shown.text, note, "Grey: what a retrained target and popularity reach.", quality]).strip()
    block = FigureBlock(shown.number, caption, drawing, _axis_table(shown, points))
    return Section(shown.number, shown.title, [study(shown.number), block])


def drawing_of(measured: Measured, name: str) -> Drawing:
    """Returns a figure alone, for a preview: a title and a note where nothing was measured.

    Args:
        measured: What was measured.
        name: ``figure2`` to ``figure6`` or ``figure9``.
    """
    if name == "figure6":
        return _clones_drawing(_clones_found(measured))
    shown = next(one for one in AXIS_FIGURES.values() if one.number == name)
    found = list(estimates(axis_points(measured, shown), shown.groups[0], ("target", "attack", "value")).values())
    return Curves(axis_plots(measured, shown), shown.title, _note(found) if found else _nothing(name))


def _nothing(name: str) -> str:
    return f"Nothing was measured. {not_measured(name).command} does"


def axis_points(measured: Measured, shown: AxisFigure) -> pd.DataFrame:
    """Returns the points of a figure, none where only the axis' default was measured."""
    points = points_of(measured.agreement, shown.axis)
    wanted = [*shown.varying, *shown.level, *_LEVELS]
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
        top = _ROOM * max((max(one.value, one.high) for one in found.values()), default=1.0)
        plots = [_axis_plot(shown, found, place, group, min(top, 1.05)) for place in places]
        rows.append([plot for plot in plots if plot.curves])
    return [row for row in rows if row]


def _axis_plot(
    shown: AxisFigure, found: dict[tuple[str, str, str, int], Estimate], place: tuple[str, str], group: str, top: float
) -> Plot:
    own = {key[2:]: one for key, one in found.items() if key[:2] == place}
    ticks = sorted({value for _, value in own})
    curves = []
    for attack in (*shown.varying, *shown.level, *_LEVELS):
        by_value = {value: one for (name, value), one in sorted(own.items(), key=str) if name == attack}
        by_value = dict(sorted(by_value.items()))
        if by_value:
            curves.append(_axis_curve(attack, by_value, ticks))
    suffix = f", {GROUP_NAMES[group]}" if len(shown.groups) > 1 else ""
    y_title = f"agreement{' at that length' if shown.axis is LIST_LENGTH else ' at 50'}"
    title = f"{place[0]} · {place[1]}{suffix}"
    return Plot(title, shown.axis.title, y_title, curves, top, ticks, shown.axis.unit)


def _axis_curve(attack: str, by_value: dict[int, Estimate], ticks: Sequence[int]) -> Curve:
    colour, symbol = ATTACK_LOOKS.get(attack, (NEUTRAL, "circle"))
    level = len(by_value) == 1 or attack in _LEVELS
    if len(by_value) == 1 and len(ticks) > 1:
        by_value = dict.fromkeys((ticks[0], ticks[-1]), next(iter(by_value.values())))
    found = list(by_value.values())
    low = [] if level else [one.value - one.low for one in found]
    high = [] if level else [one.high - one.value for one in found]
    values = [one.value for one in found]
    dash = _LEVELS.get(attack, "")
    return Curve(
        _name(attack), colour, list(by_value), values, low, high, level=level, band=True, symbol=symbol, dash=dash
    )


def _name(attack: str) -> str:
    if attack in REFERENCES:
        return REFERENCES[attack]
    words = ATTACKS_IN_WORDS.get(attack)
    return f"{attack}: {words}" if words else attack


def _note(found: Sequence[Estimate]) -> str:
    seeds, users = seeds_and_users(found)
    return f"{seeds_text(seeds).capitalize()}, {span(users)} held-out users. {intervals_note(found)}"


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
    return Table(f"{shown.number}-table", caption, head, bodies, align, (), 4, (), data, shown.number)


def _row_names(key: tuple[str, ...]) -> tuple[str, ...]:
    attack = f"`{key[3]}`" if key[3] not in REFERENCES else REFERENCES[key[3]]
    return key[0], key[1], GROUP_NAMES[key[2]], attack


def _order(shown: AxisFigure, key: tuple[str, ...]) -> tuple[int, ...]:
    attacks = [*shown.varying, *shown.level, *_LEVELS]
    return (
        shown.datasets.index(key[0]),
        shown.targets.index(key[1]),
        shown.groups.index(key[2]),
        attacks.index(key[3]),
    )


def _clones_section(measured: Measured) -> Section:
    found = _clones_found(measured)
    if not any(key[1] != key[3] for key in found):
        return Section("figure6", CLONES_TITLE, [not_measured("figure6")])
    text = (
        "The clone's architecture against the target's; on the diagonal the attacker knows it. The darker, the more "
        f"they agree; the colours run from the lowest figure here to the highest. {_note(list(found.values()))}"
    )
    block = FigureBlock("figure6", text, _clones_drawing(found), _clones_table(found))
    return Section("figure6", CLONES_TITLE, [study("figure6"), block])


def _clones_found(measured: Measured) -> dict[tuple[str, str, str, str], Estimate]:
    points = clone_points(measured.agreement)
    return estimates(points[points["dataset"] == "ml-1m"], "heldout", ("target", "base", "value"))


def _clones_drawing(found: dict[tuple[str, str, str, str], Estimate]) -> Heatmaps:
    note = _note(list(found.values())) if found else _nothing("figure6")
    return Heatmaps(_fields(found), CLONES_TITLE, note)


def _fields(found: dict[tuple[str, str, str, str], Estimate]) -> list[Field]:
    fields = []
    for attack in ("ptd", "ptq", "pta", "ptaq"):
        own = {(key[1], key[3]): one for key, one in found.items() if key[2] == attack}
        if own:
            values = [
                [own[target, clone].value if (target, clone) in own else nan for clone in TARGETS] for target in TARGETS
            ]
            details = [
                [_field_details(attack, target, clone, own.get((target, clone))) for clone in TARGETS]
                for target in TARGETS
            ]
            fields.append(Field(_name(attack), "clone", "target", TARGETS, TARGETS, values, details))
    return fields


def _field_details(attack: str, target: str, clone: str, one: Estimate | None) -> str:
    head = f"<b>{attack}</b>, target {target}, clone {clone}<br>"
    return head + ("not measured" if one is None else f"{figure(one.value)} [{figure(one.low)}, {figure(one.high)}]")


def _clones_table(found: dict[tuple[str, str, str, str], Estimate]) -> Table:
    attacks = [name for name in ("ptd", "ptq", "pta", "ptaq") if any(key[2] == name for key in found)]
    rows = [
        [
            Cell(f"`{attack}`"),
            Cell(target),
            *(estimate_cell(found.get(("ml-1m", target, attack, clone))) for clone in TARGETS),
        ]
        for attack in attacks
        for target in TARGETS
    ]
    data = pd.DataFrame(
        [
            {"dataset": key[0], "target": key[1], "attack": key[2], "clone": key[3], **plain(one)}
            for key, one in found.items()
        ]
    ).rename(columns={"ours": "agreement"})
    head = ["attack", "target", *(f"clone {name}" for name in TARGETS)]
    return Table(
        "figure6-table", "Figure 6: Agr@50 of held-out users", head, [Body(rows)], "llrrr", (), 2, (), data, "figure6"
    )


def _defense_sections(measured: Measured) -> list[Section]:
    points = defense_points(measured.agreement, measured.quality)
    points = points[points["k"] == K]
    mixing = mixing_plots(points)
    found = list(points["estimate"])
    note = _note(found) if found else ""
    return [
        _defense_section(
            "figure7",
            "Figure 7: agreement under popular-item mixing",
            "Against the served lists any clone falls, since even the target's own lists repeat only a part of them: "
            "the dashed line is that ceiling. Against the undefended lists is the real question; who asks nothing is "
            "exactly level there.",
            note,
            [row[:2] for row in mixing],
            lambda: _agreement_table(points),
            size="half",
        ),
        _defense_section(
            "figure8",
            "Figure 8: what mixing costs the target's users",
            "Recall and NDCG of the served lists on the test interactions.",
            note,
            [[row[2] for row in mixing]] if mixing else [],
            lambda: _utility_table(points),
        ),
        _defense_section(
            "trade-off",
            "Beyond the paper: what is stolen against what is served",
            "Each defense at its strengths: to the right the lists are better, below less is stolen.",
            note,
            trade_off_plots(points),
            lambda: _trade_off_table(points),
            "defenses",
        ),
    ]


def _defense_section(
    name: str,
    title: str,
    text: str,
    note: str,
    plots: Sequence[Sequence[Plot]],
    table: Callable[[], Table],
    measured_by: str = "",
    size: str = "",
) -> Section:
    if not plots:
        return Section(name, title, [Paragraph(text), not_measured(measured_by or name)])
    blocks: list[Block] = [study(measured_by or name)]
    return Section(
        name, title, [*blocks, FigureBlock(name, f"{text} {note}", Curves(plots, title, note, size), table())]
    )


def _mixed(points: pd.DataFrame) -> pd.DataFrame:
    return points[points["kind"].isin(["none", "popular_mixing"])]


def _agreement_table(points: pd.DataFrame) -> Table:
    own = _mixed(points)
    ticks = sorted({int(n) for n in own["strength"]})
    keys = ["dataset", "target", "against", "attack"]
    rows = []
    for key, part in own.groupby(keys, sort=False):
        by_n = dict(zip(part["strength"], part["estimate"], strict=True))
        attack = REFERENCES.get(str(key[3]), f"`{key[3]}`")
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
    own = points[points["against"] == "undefended"]
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
