"""Figures 2 to 9 of the paper and those beyond it, each with the table behind it, from what was measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import cycle, product
from math import inf, nan
from typing import TYPE_CHECKING, Any

import pandas as pd

from rec_msa.attacks.settings import PAPER_ATTACKS
from rec_msa.defenses.settings import DEFENSES, NO_DEFENSE
from rec_msa.reporting import axes
from rec_msa.reporting import document as doc
from rec_msa.reporting.claims import SIDES
from rec_msa.reporting.drawing import ATTACK_LOOKS, COLOURS, NEUTRAL, Curve, Drawing, Heatmap, Plot, top_of
from rec_msa.reporting.measured import (
    FIGURES,
    MIXING,
    Measured,
    estimate,
    estimates,
    interval_kinds,
    records,
    seeds_and_users,
)
from rec_msa.reporting.names import (
    DATASETS,
    GROUP_NAMES,
    SEQUENTIAL_TARGETS,
    TARGET,
    TARGETS,
    TEXTS,
    interval,
    seeds_text,
    share,
    shown_name,
    span,
    with_words,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rec_msa.reporting.measured import Estimate

LEVEL_LINES = {"retrain": "--", "popularity": ":"}
"""References in the figures, and their lines."""
ASKING = ("ptq", "ptaq", "qsd", "ptaq_denoise")
"""The attacks that meet a defense."""
SHOWN_ATTACKS = ("ptd", "ptq", "pta", "ptaq", "qsd")
NOTHING = "No defended target was measured; kedro run --pipeline=defense does"
_FULL = 1.05
"""Where a plot of shares ends."""
_POINT = ["dataset", "target", "attack", "against", "defense", "rule", "fresh", "strength"]
_SERVED = ["dataset", "target", "seed", "defense"]
_CLONED = ("ptd", "ptq", "pta", "ptaq")
_CLONES_TITLE = "Figure 6: clone and target architectures"


@dataclass(frozen=True)
class AxisFigure:
    """What a figure over an axis shows.

    Attributes:
        title: Its heading.
        axis: What varies.
        varying: The attacks that stand on the axis.
        text: How to read it.
        level: Attacks on which it has no bearing: level lines.
        datasets: The datasets.
        targets: The targets.
        groups: The groups of users, a row of plots each.
    """

    title: str
    axis: axes.Axis
    varying: tuple[str, ...]
    text: str
    level: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ("ml-1m",)
    targets: tuple[str, ...] = TARGETS
    groups: tuple[str, ...] = ("heldout",)

    @property
    def attacks(self) -> tuple[str, ...]:
        """All that is drawn, in its order."""
        return (*self.varying, *self.level, *LEVEL_LINES)


_VALUE = ("target", "attack", "value")
_OF_AUXILIARY = {"level": ("ptd", "ptq"), "datasets": DATASETS, "targets": ("lmf",)}
AXIS_FIGURES = {
    "figure2": AxisFigure("Figure 2: items in a list", axes.LIST_LENGTH, PAPER_ATTACKS, TEXTS["figure2"]),
    "figure3": AxisFigure("Figure 3: target users known", axes.TARGET_USERS, PAPER_ATTACKS, TEXTS["figure3"]),
    "figure4": AxisFigure(
        "Figure 4: auxiliary users known", axes.AUXILIARY_USERS, ("pta", "ptaq"), TEXTS["figure4"], **_OF_AUXILIARY
    ),
    "figure5": AxisFigure(
        "Figure 5: items with an auxiliary vector", axes.ITEMS, ("pta", "ptaq"), TEXTS["figure5"], **_OF_AUXILIARY
    ),
    "figure9": AxisFigure(
        "Figure 9: users asked about",
        axes.ASKED,
        ("qsd", "ptq", "ptaq"),
        TEXTS["figure9"],
        groups=("heldout", "queried"),
    ),
}

_CALLS = AxisFigure(
    "Table 8: calls for made-up sequences",
    axes.CALLS,
    ("qsd", "random_sequences"),
    TEXTS["table8_calls"],
    ("ptd", "ptq", "ptaq"),
    targets=SEQUENTIAL_TARGETS,
)


def figures_section(measured: Measured) -> doc.Section:
    """Returns figures 2 to 9."""
    first = [_axis_section(measured, f"figure{number}") for number in (2, 3, 4, 5)]
    parts = [*first, _clones_section(measured), *_defense_sections(measured), _axis_section(measured, "figure9")]
    return doc.Section("figures", "The paper's figures", [doc.Paragraph(TEXTS["figures"])], parts)


def drawing_of(measured: Measured, name: str) -> Drawing:
    """Returns ``figure2`` to ``figure6`` or ``figure9`` alone: a title and a note where nothing was measured."""
    if name == "figure6":
        drawing = _clones_drawing(measured)
    else:
        shown = AXIS_FIGURES[name]
        drawing = _axis_drawing(_axis_points(measured, shown), shown)
    return drawing if drawing.rows else replace(drawing, note=f"Nothing was measured. {doc.study(name).command} does")


def measured_note(found: Iterable[Estimate]) -> str:
    """Says what some figures were measured on, and what their intervals are; nothing of none."""
    known = list(found)
    if not known:
        return ""
    seeds, users = seeds_and_users(known)
    kinds = interval_kinds(known)
    return f"{seeds_text(seeds).capitalize()}, {span(users)} held-out users. Mean and 95 % interval: {kinds}."


def _section(anchor: str, drawing: Drawing, text: str, caption: str, table: doc.Table, study: str = "") -> doc.Section:
    """A figure with the command that measures it, or that command alone."""
    if not drawing.rows:
        said = [doc.Paragraph(text)] if text else []
        return doc.Section(anchor, drawing.title, [*said, doc.study(study or anchor, measured=False)])
    return doc.Section(anchor, drawing.title, [doc.study(study or anchor), doc.Figure(anchor, caption, drawing, table)])


def _axis_section(measured: Measured, name: str) -> doc.Section:
    shown = AXIS_FIGURES[name]
    points = _axis_points(measured, shown)
    drawing = _axis_drawing(points, shown)
    texts = [shown.text, drawing.note, "Grey: what a retrained target and popularity reach."]
    caption = " ".join([*texts, _quality_note(measured, points)]).strip()
    return _section(name, drawing, shown.text, caption, _axis_table(name, shown, points))


def _axis_points(measured: Measured, shown: AxisFigure) -> pd.DataFrame:
    points = measured.points[shown.axis]
    return _where_it_varies(points.assign(attack=points["base"]), shown)


def _where_it_varies(points: pd.DataFrame, shown: AxisFigure) -> pd.DataFrame:
    """The points of a figure: of targets of which more than one was measured, at values that an attack has."""
    own = points[points["attack"].isin(shown.attacks)]
    own = own[own["dataset"].isin(shown.datasets) & own["target"].isin(shown.targets)]
    varying = own[own["attack"].isin(shown.varying)]
    own = own.merge(varying[["dataset", "target", "value"]].drop_duplicates()).merge(_seeds_of_all_points(varying))
    varied = varying.groupby(["dataset", "target"])["value"].nunique()
    return own.merge(varied[varied > 1].reset_index()[["dataset", "target"]])


def _seeds_of_all_points(points: pd.DataFrame) -> pd.DataFrame:
    """The seeds that all points of a target have: points of other seeds would bend its lines. All where none is."""
    place = ["dataset", "target"]
    each = points[[*place, "seed", "attack", "value"]].drop_duplicates()
    n_points = each[[*place, "attack", "value"]].drop_duplicates().groupby(place).size().rename("of").reset_index()
    seeds = each.groupby([*place, "seed"]).size().rename("has").reset_index().merge(n_points)
    seeds = seeds.assign(complete=seeds["has"] == seeds["of"])
    there_are_some = seeds.groupby(place)["complete"].transform("any")
    return seeds.loc[seeds["complete"] | ~there_are_some, [*place, "seed"]]


def _axis_drawing(points: pd.DataFrame, shown: AxisFigure) -> Drawing:
    found = {group: estimates(points, group, _VALUE) for group in shown.groups}
    rows = [_axis_row(shown, group, own) for group, own in found.items()]
    return Drawing([row for row in rows if row], shown.title, measured_note(found[shown.groups[0]].values()))


def _axis_row(shown: AxisFigure, group: str, found: Mapping[Any, Estimate]) -> list[Plot]:
    top = top_of(value for one in found.values() for value in (one.value, one.high))
    suffix = f", {GROUP_NAMES[group]}" if len(shown.groups) > 1 else ""
    y_title = f"agreement{' at that length' if shown.axis is axes.LIST_LENGTH else ' at 50'}"
    plots = []
    for place in [(dataset, target) for dataset in shown.datasets for target in shown.targets]:
        own = {key[2:]: one for key, one in found.items() if key[:2] == place}
        ticks = sorted({value for _, value in own})
        curves = _curves(own, shown.varying, shown.level, ticks)
        title = " · ".join([*place, *_fewer_seeds(own.values(), found.values())]) + suffix
        plots += [Plot(title, shown.axis.title, y_title, curves, top, ticks, shown.axis.unit)] if curves else []
    return plots


def _fewer_seeds(own: Iterable[Estimate], all_of_them: Iterable[Estimate]) -> list[str]:
    """Which seeds a panel has, where they are not those of the whole figure."""
    (seeds, _), (every, _) = seeds_and_users([*own]), seeds_and_users([*all_of_them])
    return [seeds_text(seeds)] if seeds and seeds != every else []


def _curves(
    own: Mapping[tuple[str, int], Estimate], varying: Sequence[str], level: Sequence[str], ticks: Sequence[int]
) -> list[Curve]:
    """Lines of attacks with their bands, and level lines to compare with over the whole axis."""
    curves = []
    for attack in (*varying, *level, *LEVEL_LINES):
        by_value = {value: own[attack, value] for value in ticks if (attack, value) in own}
        if by_value:
            curves.append(_curve(attack, by_value, ticks, level=attack not in varying))
    return curves


def _curve(attack: str, by_value: dict[int, Estimate], ticks: Sequence[int], *, level: bool) -> Curve:
    colour, symbol = ATTACK_LOOKS.get(attack, (NEUTRAL, "o"))
    band = len(by_value) > 1
    if level and not band and len(ticks) > 1:
        by_value = dict.fromkeys((ticks[0], ticks[-1]), next(iter(by_value.values())))
    looks = {"level": level, "band": band, "symbol": symbol, "line": LEVEL_LINES.get(attack, "")}
    curve = Curve.of(with_words(attack), colour, list(by_value), list(by_value.values()), **looks)
    return replace(curve, low=[], high=[]) if level else curve


def _quality_note(measured: Measured, points: pd.DataFrame) -> str:
    """Says how good the targets are, beside which agreement is read."""
    own = measured.undefended_quality.merge(points[["dataset", "target", "seed"]].drop_duplicates())
    own = own.dropna(subset="recall_test")
    means = {key: float(part["recall_test"].mean()) for key, part in own.groupby(["dataset", "target"])}
    several = own["dataset"].nunique() > 1
    values = [f"{f'{dataset} ' * several}{target} {share(mean)}" for (dataset, target), mean in means.items()]
    return f"The targets' own Recall@50: {', '.join(values)}." if values else ""


def _axis_table(name: str, shown: AxisFigure, points: pd.DataFrame) -> doc.Table:
    rows = []
    for group in shown.groups:
        for (dataset, target, attack, value), one in estimates(points, group, _VALUE).items():
            key = {"dataset": dataset, "target": target, "group": group, "attack": attack, shown.axis.name: value}
            rows.append({**key, doc.ONE: one, "users": GROUP_NAMES[group]})
    rows.sort(key=lambda row: _order(shown, row))
    keys, unit = ["dataset", "target", "group", "attack"], shown.axis.unit
    heads = [*doc.names("dataset", "target", "users"), doc.Column("attack", shown_name, "l", names=True)]
    columns = doc.across("", sorted({int(value) for value in points["value"]}), unit)
    caption = f"{shown.title}: agreement by {shown.axis.title}"
    frame = pd.DataFrame(rows, columns=[*keys, shown.axis.name, doc.ONE, "users"])
    return _spread(name, caption, frame, [*heads, *columns], keys, shown.axis.name)


def _spread(
    file: str,
    caption: str,
    frame: pd.DataFrame,
    columns: Sequence[doc.Column],
    rows: Sequence[str],
    across: str,
    data: Sequence[str] = (),
) -> doc.Table:
    """The table behind a figure: estimates side by side."""
    data, name = data or [*rows, across, doc.ONE], f"{file.replace('_', '-')}-table"
    return doc.Table(name, caption, frame, columns, rows, across, data=data, file=file, figure="agreement")


def _order(shown: AxisFigure, row: Mapping[str, Any]) -> tuple[int, ...]:
    orders = {"dataset": shown.datasets, "target": shown.targets, "group": shown.groups, "attack": shown.attacks}
    return tuple(order.index(row[name]) for name, order in orders.items())


def calls_blocks(measured: Measured, datasets: Sequence[str]) -> list[doc.Block]:
    """Returns Table 8 as a figure, a row for each dataset; nothing where no line can be drawn."""
    calls = measured.points[axes.CALLS]
    most = max(axes.CALLS.values)
    others = measured.plain[measured.plain["attack"].isin({*_CALLS.attacks} - {"qsd"})].assign(value=most)
    points = pd.concat([calls[calls["base"] == "qsd"].assign(attack="qsd"), others], ignore_index=True)
    rows: list[list[Plot]] = []
    found: list[tuple[Any, Estimate]] = []
    for dataset in datasets:
        shown = replace(_CALLS, datasets=(dataset,))
        own = _where_it_varies(points, shown)
        figures = estimates(own, keys=_VALUE)
        rows += [row] if (row := _axis_row(shown, "heldout", figures)) else []
        found += [(key, one) for key, one in figures.items() if key[2] == "qsd"]
    if not rows:
        return []
    frame = pd.DataFrame(
        [{"dataset": key[0], "target": key[1], axes.CALLS.name: key[3], doc.ONE: one} for key, one in found]
    )
    columns = [*doc.names("dataset", "target"), *doc.across("", axes.CALLS.values)]
    caption = "Agr@50 of QSD on sequential targets by calls for each queried user"
    table = _spread("table8_calls", caption, frame, columns, ["dataset", "target"], axes.CALLS.name)
    top = max(plot.top for row in rows for plot in row)  # all plots end alike, so that heights compare
    level = [[replace(plot, top=top) for plot in row] for row in rows]
    drawing = Drawing(level, _CALLS.title, measured_note(one for _, one in found))
    return [doc.Figure("table8-calls", f"{_CALLS.text} {drawing.note}", drawing, table)]


def _clones_section(measured: Measured) -> doc.Section:
    """Nothing where only the target's own architecture was measured."""
    found, drawing = _cloned(measured), _clones_drawing(measured)
    if not any(target != clone for _, target, _, clone in found):
        drawing = replace(drawing, rows=())
    text = (
        "The clone's architecture against the target's; on the diagonal the attacker knows it. The darker, the more "
        f"they agree; the colours run from the lowest figure here to the highest. {drawing.note}"
    )
    return _section("figure6", drawing, "", text, _clones_table(found))


def _cloned(measured: Measured) -> dict[tuple[str, str, str, str], Estimate]:
    points = axes.clone_points(measured.agreement)
    shown = points[(points["dataset"] == "ml-1m") & points["base"].isin(_CLONED) & points["clone"].isin(TARGETS)]
    return estimates(shown[shown["target"].isin(TARGETS)], "heldout", ("target", "base", "value"))


def _clones_drawing(measured: Measured) -> Drawing:
    found = _cloned(measured)
    values = [one.value for one in found.values()]
    ends = min(values, default=0.0), max(values, default=1.0)
    fields = []
    for attack in [name for name in _CLONED if any(key[2] == name for key in found)]:
        own = [[found.get(("ml-1m", target, attack, clone)) for clone in TARGETS] for target in TARGETS]
        shares = [[one.value if one else nan for one in row] for row in own]
        details = [
            [
                f"{attack}, target {target}, clone {clone}\n{_figure_text(one)}"
                for clone, one in zip(TARGETS, row, strict=True)
            ]
            for target, row in zip(TARGETS, own, strict=True)
        ]
        fields.append(Heatmap(with_words(attack), "clone", "target", TARGETS, TARGETS, shares, details, ends))
    return Drawing([fields] if fields else [], _CLONES_TITLE, measured_note(found.values()), "narrow")


def _figure_text(one: Estimate | None) -> str:
    return "not measured" if one is None else f"{share(one.value)} {interval(one.low, one.high)}"


def _clones_table(found: Mapping[tuple[str, str, str, str], Estimate]) -> doc.Table:
    known = [attack for attack in _CLONED if any(key[2] == attack for key in found)]
    frame = pd.DataFrame(
        [
            {"dataset": "ml-1m", "target": target, "attack": attack, "clone": clone, doc.ONE: one}
            for attack, target, clone in product(known, TARGETS, TARGETS)
            for one in [found.get(("ml-1m", target, attack, clone))]
        ],
        columns=["dataset", "target", "attack", "clone", doc.ONE],
    )
    columns = [*doc.names("attack", "target", as_code=["attack"])]
    columns += doc.across("clone ", TARGETS)
    keys = ["dataset", "target", "attack"]
    return _spread("figure6", "Figure 6: Agr@50 of held-out users", frame, columns, keys, "clone")


def defense_points(agreement: pd.DataFrame, quality: pd.DataFrame) -> pd.DataFrame:
    """Gathers over seeds what each attack achieves under each defense, and what the defense costs.

    Args:
        agreement: The columns of ``rec_msa.evaluation.results``, of any number of cells.
        quality: A row for each target under a defense: dataset, target, seed, defense, k, recall_served, ndcg_served.

    Returns:
        A row for each dataset, target, attack (the row ``target`` too), side and defense of the targets that have a
        defended cell: ``rule, fresh, strength``, the agreement of held-out users at the longest ``k`` in ``one``, and
        ``recall, ndcg`` of the served lists as means over the same seeds.
    """
    own = axes.own_clones(agreement)
    own = own[(own["group"] == "heldout") & ((own["rule"] == NO_DEFENSE) | (own["strength"] > 0))]
    met = own.loc[(own["rule"] != NO_DEFENSE) & (own["kind"] == "attack"), "attack"]
    shown = own[own["attack"].isin({*SHOWN_ATTACKS, *ASKING, TARGET, *met})]
    shown = shown[shown["k"] == shown.groupby(_POINT)["k"].transform("max")]
    defended = shown.loc[shown["rule"] != NO_DEFENSE, ["dataset", "target"]].drop_duplicates()
    prices = records(quality.reindex(columns=[*_SERVED, "recall_served", "ndcg_served"]), _SERVED)
    rows = []
    for key, part in records(shown.merge(defended)[[*_POINT, "k", *FIGURES]], _POINT).items():
        facts = dict(zip(_POINT, key, strict=True))
        served = [price for row in part for price in prices.get(tuple(row[name] for name in _SERVED), ())]
        price = {
            name: float(pd.Series([row[f"{name}_served"] for row in served]).mean()) for name in ("recall", "ndcg")
        }
        rows.append({**facts, "k": part[0]["k"], doc.ONE: estimate(part), **price})
    points = pd.DataFrame(rows, columns=[*_POINT, "k", doc.ONE, "recall", "ndcg"])
    order = ["dataset", "target", "attack", "against", "rule", "fresh", "strength"]
    return points.sort_values(order, ignore_index=True)


def trade_off(points: pd.DataFrame) -> Drawing:
    """Agreement against utility (of ``defense_points``): a row for each target, a plot for each attack that asks."""
    rows = []
    for (dataset, target), own in points[points["against"] == "undefended"].groupby(["dataset", "target"]):
        met = asking(own[own["rule"] != NO_DEFENSE])
        known = [attack for attack in dict.fromkeys([*ASKING, *own["attack"]]) if attack in met]
        rows.append([_trade_off_plot(f"{dataset} · {target} · {attack}", own, attack) for attack in known])
    return Drawing(
        [row for row in rows if row], *_heads("The trade-off: what is stolen against what is served", points)
    )


def asking(points: pd.DataFrame) -> set[str]:
    """Returns the attacks that a defense can mislead: of the paper's those that ask, and all of the user's own."""
    return {*points["attack"]} - {"ptd", "pta", TARGET}


def mixing(points: pd.DataFrame) -> Drawing:
    """Figures 7 and 8 of the paper (of ``defense_points``): agreement on each side, and utility, over mixed items."""
    rows = []
    for (dataset, target), own in _mixed(points).groupby(["dataset", "target"]):
        if set(own["rule"]) == {NO_DEFENSE, MIXING}:
            rows.append(_mixing_plots(f"{dataset} · {target}", own))
    return Drawing(rows, *_heads("Popular-item mixing: figures 7 and 8", points))


def _heads(title: str, points: pd.DataFrame) -> tuple[str, str]:
    """The title and the note: the seeds, how many users, what the intervals are."""
    if points.empty:
        return title, NOTHING
    seeds, users = seeds_and_users(list(points[doc.ONE]))
    whom = f"{span(users)} held-out users, never asked about"
    return f"{title} ({seeds_text(seeds)})", f"{whom}; lines: 95 % intervals, {interval_kinds(list(points[doc.ONE]))}"


def _trade_off_plot(title: str, own: pd.DataFrame, attack: str) -> Plot:
    found = own.loc[own["attack"].isin([*asking(own), "pta"]), doc.ONE]
    top = top_of(value for one in found for value in (one.value, one.high))
    level = own[(own["attack"] == "pta") & (own["rule"] == NO_DEFENSE)]
    curves = _by_defense(own[own["attack"] == attack])
    if len(level):
        ends = [float(own["recall"].min()), float(own["recall"].max())]
        curves.append(Curve("pta, which asks nothing", NEUTRAL, ends, [level[doc.ONE].iloc[0].value] * 2, level=True))
    x_title = f"Recall@{own['k'].max()} of served lists"
    return Plot(title, x_title, "repeated share of the undefended list", curves, top)


def _by_defense(own: pd.DataFrame) -> list[Curve]:
    """A curve for each defense, from the undefended target over its strengths; fresh draws are rings."""
    start = own[own["rule"] == NO_DEFENSE]
    curves = []
    for colour, rule in zip(cycle(COLOURS), DEFENSES, strict=False):
        for fresh in (False, True):
            part = own[(own["rule"] == rule) & (own["fresh"] == fresh)]
            if len(part):
                # A curve starts at the undefended point, which has a mark of its own; fresh draws are points alone.
                part = part if fresh else pd.concat([start, part])
                labels = ["" if n == 0 else str(n) for n in part["strength"]]
                name = rule.replace("_", " ") + ", fresh draws" * fresh
                curves.append(
                    Curve.of(name, colour, list(part["recall"]), list(part[doc.ONE]), labels=labels, open=fresh)
                )
    undefended = Curve.of("no defense", NEUTRAL, list(start["recall"]), list(start[doc.ONE]))
    return [*curves, undefended] if len(start) else curves


def _mixing_plots(where: str, own: pd.DataFrame) -> list[Plot]:
    n, k, ticks = "mixed items n", own["k"].max(), sorted(set(own["strength"]))
    plots = [
        Plot(f"{where} · against {side}", n, f"Agr@{k}", _by_attack(own[own["against"] == name]), _FULL, ticks)
        for name, side in SIDES.items()
    ]
    served = own[(own["attack"] == TARGET) & (own["against"] == "served")]
    utility = [
        Curve(
            f"{name} of served lists", colour, list(served["strength"]), list(served[name.lower()]), open=name == "NDCG"
        )
        for name, colour in zip(("Recall", "NDCG"), COLOURS, strict=False)
    ]
    top = top_of([served["recall"].max(), served["ndcg"].max()], inf)
    return [*plots, Plot(f"{where} · utility", n, f"Recall@{k}, NDCG@{k}", utility, top, ticks)]


def _by_attack(own: pd.DataFrame) -> list[Curve]:
    curves = []
    for attack in SHOWN_ATTACKS:
        part, (colour, symbol) = own[own["attack"] == attack], ATTACK_LOOKS[attack]
        x, found = list(part["strength"]), list(part[doc.ONE])
        curves += [Curve.of(attack, colour, x, found, symbol=symbol, band=True)] if found else []
    ceiling = own[(own["attack"] == TARGET) & (own["against"] == "served")]
    if len(ceiling):
        values = [one.value for one in ceiling[doc.ONE]]
        curves.append(Curve("target as served", NEUTRAL, list(ceiling["strength"]), values, level=True))
    return curves


def _defense_sections(measured: Measured) -> list[doc.Section]:
    """Figure 7, figure 8 and the trade-off of every defense."""
    points = defense_points(measured.agreement, measured.quality)
    points = points[points["k"] == axes.K]
    note, rows = measured_note(points[doc.ONE]), mixing(points).rows
    paid = _users_served(measured, points) if rows else ""
    costs = [[row[2] for row in rows]] if rows else []
    mixed = Drawing([row[:2] for row in rows], "Figure 7: agreement under popular-item mixing", note, "half")
    price = Drawing(costs, "Figure 8: what mixing costs the target's users", paid)
    texts, figure = [TEXTS[name] for name in ("figure7", "figure8")], trade_off_figure(points)
    return [
        _section("figure7", mixed, texts[0], f"{texts[0]} {note}", _agreement_table(points)),
        _section("figure8", price, texts[1], f"{texts[1]} {paid}", _utility_table(points)),
        _section("trade-off", figure.drawing, TEXTS["trade_off"], figure.caption, figure.table, "defenses"),
    ]


def trade_off_figure(points: pd.DataFrame) -> doc.Figure:
    """Returns the trade-off (of ``defense_points``) with the table behind it."""
    title, note = "Beyond the paper: what is stolen against what is served", measured_note(points[doc.ONE])
    drawing = replace(trade_off(points), title=title, note=note)
    return doc.Figure("trade-off", f"{TEXTS['trade_off']} {note}", drawing, _trade_off_table(points))


def _users_served(measured: Measured, points: pd.DataFrame) -> str:
    """Says whose lists the quality is of, which are all target users' and not those of held-out users."""
    own = measured.quality.merge(points[["dataset", "target"]].drop_duplicates()).reindex(columns=["n_users"])
    seeds, users = seeds_and_users(list(points[doc.ONE]))[0], span([int(n) for n in own["n_users"].dropna()])
    return f"{seeds_text(seeds).capitalize()}, means over seeds; lists of {users or 'all'} target users."


def _mixed(points: pd.DataFrame) -> pd.DataFrame:
    return points[(points["rule"] == NO_DEFENSE) | ((points["rule"] == MIXING) & ~points["fresh"].astype(bool))]


_DEFENSE_DATA = ["dataset", "target", "attack", "against", "defense", "recall", "ndcg", doc.ONE]


def _agreement_table(points: pd.DataFrame) -> doc.Table:
    own = _mixed(points)
    heads = [*doc.names("dataset", "target", "against"), doc.Column("attack", shown_name, "l", names=True)]
    columns = doc.across("n = ", sorted({int(n) for n in own["strength"]}))
    caption, keys = "Figure 7: Agr@50 of held-out users by mixed items n", ["dataset", "target", "against", "attack"]
    return _spread("figure7", caption, own, [*heads, *columns], keys, "strength", _DEFENSE_DATA)


def _utility_table(points: pd.DataFrame) -> doc.Table:
    own = _mixed(points)
    own = own[(own["attack"] == TARGET) & (own["against"] == "served")].rename(columns={"strength": "n"})
    columns = [*doc.names("dataset", "target"), doc.Column("mixed items n", "n", names=True)]
    columns += [doc.Column("Recall@50", "recall"), doc.Column("NDCG@50", "ndcg")]
    data = ["dataset", "target", "n", "recall", "ndcg"]
    return doc.Table("figure8-table", "Figure 8: quality of the served lists", own, columns, data=data, file="figure8")


def _trade_off_table(points: pd.DataFrame) -> doc.Table:
    # The target agrees with its own undefended lists whatever it serves.
    own = points[(points["against"] == "undefended") & (points["attack"] != TARGET)]
    columns = [*doc.names("dataset", "target", "defense", "attack", as_code=["defense", "attack"])]
    columns += [doc.Column("Agr@50, undefended lists", doc.ONE)]
    columns += [doc.Column("Recall@50", "recall"), doc.Column("NDCG@50", "ndcg")]
    caption = "What each defense hides and costs"
    return doc.Table("trade-off-table", caption, own, columns, data=_DEFENSE_DATA, file="defenses", figure="agreement")
