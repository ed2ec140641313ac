"""What defenses do and cost: figures 7 and 8 of the paper, the trade-off, and the table behind them."""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle
from typing import TYPE_CHECKING, Any

import pandas as pd

from rec_msa.defenses.settings import DEFENSES, FRESH, NO_DEFENSE, alters_nothing, parse_defense
from rec_msa.reporting.axes import own_clones
from rec_msa.reporting.curves import Curve, Plot
from rec_msa.reporting.looks import ATTACK_LOOKS, COLOURS, NEUTRAL
from rec_msa.reporting.names import TARGET, seeds_text, span
from rec_msa.reporting.panels import Estimate, estimate, interval_kinds, seeds_and_users
from rec_msa.reporting.report.drawings import Curves

if TYPE_CHECKING:
    from collections.abc import Sequence


ASKING = ("ptq", "ptaq", "qsd", "ptaq_denoise")
"""The attacks that meet a defense."""
SHOWN_ATTACKS = ("ptd", "ptq", "pta", "ptaq", "qsd")
MIXING = "popular_mixing"
SIDES = {"served": "served lists", "undefended": "undefended lists"}
NOTHING = "No defended target was measured; kedro run --pipeline=defense does"
_POINT = ["dataset", "target", "attack", "against", "defense"]
_GROUP = "heldout"
_FULL = 1.05


def defense_points(agreement: pd.DataFrame, quality: pd.DataFrame) -> pd.DataFrame:
    """Gathers over seeds what each attack achieves under each defense, and what the defense costs.

    Args:
        agreement: The columns of ``rec_msa.evaluation.results``, of any number of cells.
        quality: A row for each target under a defense: dataset, target, seed, defense, k, recall_served, ndcg_served.

    Returns:
        A row for each dataset, target, attack (the row ``target`` too), side and defense of the targets that have a
        defended cell: ``kind, strength``, an ``estimate`` of the agreement of held-out users at the longest k, and
        ``recall, ndcg`` of the served lists as means over the same seeds.
    """
    agreement = own_clones(agreement)
    shown = agreement[
        (agreement["group"] == _GROUP)
        & agreement["attack"].isin([*SHOWN_ATTACKS, *ASKING, TARGET])
        & ~agreement["defense"].map(alters_nothing).astype(bool)
    ]
    shown = shown[shown["k"] == shown.groupby(_POINT)["k"].transform("max")]
    defended = shown.loc[shown["defense"] != NO_DEFENSE, ["dataset", "target"]].drop_duplicates()
    groups = shown.merge(defended).groupby(_POINT)
    rows = [_point(dict(zip(_POINT, map(str, key), strict=True)), part, quality) for key, part in groups]
    columns = [*_POINT, "kind", "strength", "k", "estimate", "recall", "ndcg"]
    return pd.DataFrame(rows, columns=columns).sort_values([*_POINT[:4], "kind", "strength"], ignore_index=True)


def trade_off(points: pd.DataFrame) -> Curves:
    """Agreement against utility: a row for each target, a plot for each attack that asks.

    Args:
        points: What ``defense_points`` returns.
    """
    return Curves(trade_off_plots(points), *_heads("The trade-off: what is stolen against what is served", points))


def mixing(points: pd.DataFrame) -> Curves:
    """Figures 7 and 8 of the paper: agreement and utility over the number of mixed items.

    Args:
        points: What ``defense_points`` returns.
    """
    return Curves(mixing_plots(points), *_heads("Popular-item mixing: figures 7 and 8", points))


def _point(key: dict[str, str], part: pd.DataFrame, quality: pd.DataFrame) -> dict[str, Any]:
    kind, strength = parse_defense(key["defense"])
    own = quality.merge(part[["dataset", "target", "seed", "defense"]])
    figures = {name: float(own[f"{name}_served"].mean()) for name in ("recall", "ndcg")}
    found = {"kind": kind, "strength": strength, "k": int(part["k"].iloc[0]), "estimate": estimate(part)}
    return {**key, **found, **figures}


def trade_off_plots(points: pd.DataFrame) -> list[list[Plot]]:
    """Returns a row for each target with a plot for each attack that asks: agreement against utility."""
    rows = []
    for (dataset, target), own in points[points["against"] == "undefended"].groupby(["dataset", "target"]):
        level = own[(own["attack"] == "pta") & (own["kind"] == NO_DEFENSE)]
        rows.append(
            [
                Plot(
                    f"{dataset} · {target} · {attack}",
                    f"Recall@{own['k'].max()} of served lists",
                    "repeated share of the undefended list",
                    [*_by_defense(own[own["attack"] == attack]), *_level(level, own)],
                    _top(own[own["attack"].isin([*ASKING, "pta"])]),
                )
                for attack in ASKING
                if attack in set(own["attack"])
            ]
        )
    return rows


def _top(own: pd.DataFrame) -> float:
    found: list[Estimate] = list(own["estimate"])
    return min(_FULL, 1.1 * max(max(one.value, one.high) for one in found))


def _by_defense(own: pd.DataFrame) -> list[Curve]:
    """A curve for each defense, from the undefended target over its strengths; fresh draws are rings."""
    start = own[own["kind"] == NO_DEFENSE]
    curves = []
    for colour, base in zip(cycle(COLOURS), DEFENSES, strict=False):
        for kind in (base, base + FRESH):
            part = own[own["kind"] == kind]
            if len(part):
                name = base.replace("_", " ") + (", fresh draws" if kind != base else "")
                # A curve starts at the undefended point, which has a mark of its own; fresh draws are points alone.
                part = part if kind != base else pd.concat([start, part])
                labels = ["" if n == 0 else str(n) for n in part["strength"]]
                curves.append(_curve(name, colour, part, list(part["recall"]), labels, rings=kind != base))
    undefended = _curve("no defense", NEUTRAL, start, list(start["recall"]), (), rings=False)
    return [*curves, undefended] if len(start) else curves


def _level(level: pd.DataFrame, own: pd.DataFrame) -> list[Curve]:
    if level.empty:
        return []
    value = level["estimate"].iloc[0].value
    ends = [float(own["recall"].min()), float(own["recall"].max())]
    return [Curve("pta, which asks nothing", NEUTRAL, ends, [value] * 2, level=True)]


def mixing_plots(points: pd.DataFrame) -> list[list[Plot]]:
    """Returns a row for each target: agreement with the served and the undefended lists, and utility, over n."""
    rows = []
    for (dataset, target), own in points[points["kind"].isin([NO_DEFENSE, MIXING])].groupby(["dataset", "target"]):
        if set(own["kind"]) != {NO_DEFENSE, MIXING}:
            continue
        n, k, ticks = "mixed items n", own["k"].max(), sorted(set(own["strength"]))
        where = f"{dataset} · {target}"
        plots = [
            Plot(f"{where} · against {side}", n, f"Agr@{k}", _by_attack(own[own["against"] == name]), _FULL, ticks)
            for name, side in SIDES.items()
        ]
        served = own[(own["attack"] == TARGET) & (own["against"] == "served")]
        utility = [
            Curve(f"{measure} of served lists", COLOURS[int(rings)], *_xy(served, measure.lower()), open=rings)
            for measure, rings in (("Recall", False), ("NDCG", True))
        ]
        top = 1.1 * max(served["recall"].max(), served["ndcg"].max())
        rows.append([*plots, Plot(f"{where} · utility", n, f"Recall@{k}, NDCG@{k}", utility, top, ticks)])
    return rows


def _xy(served: pd.DataFrame, measure: str) -> tuple[list[float], list[float]]:
    return list(served["strength"]), list(served[measure])


def _by_attack(own: pd.DataFrame) -> list[Curve]:
    curves = []
    for attack in SHOWN_ATTACKS:
        part = own[own["attack"] == attack]
        if len(part):
            colour, symbol = ATTACK_LOOKS[attack]
            curve = _curve(attack, colour, part, list(part["strength"]), (), rings=False)
            curves.append(replace(curve, symbol=symbol, band=True))
    ceiling = own[(own["attack"] == TARGET) & (own["against"] == "served")]
    if len(ceiling):
        values = [one.value for one in ceiling["estimate"]]
        curves.append(Curve("target as served", NEUTRAL, list(ceiling["strength"]), values, level=True))
    return curves


def _curve(
    name: str, colour: str, part: pd.DataFrame, x: Sequence[float], labels: Sequence[str], *, rings: bool
) -> Curve:
    found: list[Estimate] = list(part["estimate"])
    return Curve(
        name,
        colour,
        x,
        [one.value for one in found],
        [one.value - one.low for one in found],
        [one.high - one.value for one in found],
        labels,
        open=rings,
    )


def _heads(title: str, points: pd.DataFrame) -> tuple[str, str]:
    """Returns the title and the note: the seeds, how many users, what the intervals are."""
    if points.empty:
        return title, NOTHING
    found: list[Estimate] = list(points["estimate"])
    seeds, users = seeds_and_users(found)
    whom = f"{span(users)} held-out users, never asked about"
    return f"{title} ({seeds_text(seeds)})", f"{whom}; lines: 95 % intervals, {interval_kinds(found)}"
