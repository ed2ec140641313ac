"""The page on defenses: what each costs and hides, and verdicts on the paper's claims 19 to 23, in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rec_msa.defenses.settings import NO_DEFENSE, parse_defense
from rec_msa.evaluation.verdicts import judge_together
from rec_msa.reporting.claims import CELL, by_target, claim_blocks
from rec_msa.reporting.defense import MIXING, NOTHING, SHOWN_ATTACKS, SIDES, defense_points
from rec_msa.reporting.defense_claims import DEFENSE_CLAIMS, defense_claims
from rec_msa.reporting.markdown import figure, interval, table
from rec_msa.reporting.names import TARGET, seeds_text, span
from rec_msa.reporting.panels import seeds_and_users
from rec_msa.reporting.paper_claims import claim_texts

if TYPE_CHECKING:
    import pandas as pd

    from rec_msa.reporting.panels import Estimate

_OPENING = """\
# Defenses: what they hide and what they cost

Agreement is that of held-out users, who were never asked about. *Undefended* is the real question: how much of what
the target would serve without its defense does the clone repeat? Against *served* lists most clones fall, since
where items are replaced even the target's own lists repeat only a part of them: the row `target` is that ceiling.
Recall and NDCG are of the served lists on the test interactions. Made by

    kedro run --pipeline=defense
    kedro run --pipeline=reporting"""
_DENOISE_NOTE = """\
`ptaq_denoise` asks about each user several times and learns what the answers have in common; `ptaq` asks once. `fresh`
draws anew at each call, so that asking again averages the defense out; the others answer the same question alike. The
last columns are the mean over seeds of the difference, with Student's t interval over seeds. Lists are undefended."""
_CLAIMS_NOTE = """\
A difference is positive where the claim holds. Interval and p are Student's t over seeds (two-sided; p after Holm's
correction over the rows of the claim); of a trend it is the fall of the fitted line from n = 0 to the highest n. With
fewer than five seeds a verdict is always open, and the sign is a direction, no finding."""


def defense_page(agreement: pd.DataFrame, quality: pd.DataFrame) -> str:
    """Returns what defenses cost and hide, what a denoising attacker gets, and the verdicts on the paper's claims.

    Args:
        agreement: The columns of ``rec_msa.evaluation.results``, of any number of cells.
        quality: A row for each target under a defense: dataset, target, seed, defense, n_users, recall_served,
            ndcg_served and, where there is a defense, n_widened.
    """
    points = defense_points(agreement, quality)
    if points.empty:
        return f"{_OPENING}\n\n{NOTHING}.\n"
    sections = [*_overview(points, quality), *_denoising(points, agreement), *_verdicts(agreement, quality)]
    return "\n\n".join([_OPENING, *sections]) + "\n"


def _overview(points: pd.DataFrame, quality: pd.DataFrame) -> list[str]:
    blocks = ["## What each defense costs and hides"]
    attacks = [name for name in SHOWN_ATTACKS if name in set(points["attack"])]
    for (dataset, target), own in by_target(points):
        seeds, users = seeds_and_users(list(own["estimate"]))
        for against, side in SIDES.items():
            shown = [*attacks, TARGET] if against == "served" else attacks
            head = ["defense", "Recall", "NDCG", "widened", *(f"`{name}`" for name in shown)]
            rows = [
                [f"`{name}`", *_price(name, part, quality), *(_of(part, attack) for attack in shown)]
                for name, part in _in_order(own[own["against"] == against])
            ]
            heading = f"### {dataset} · {target}, {seeds_text(seeds)}, {span(users)} users: against {side}"
            blocks += [heading, table(head, rows, "lrrr" + "l" * len(shown))]
    blocks.append(
        "Agreement: mean and [95 % interval], t over seeds, bootstrap over users of a single seed. *Widened*: the "
        "share of users for whom the pool of popular items is too small and who get the next most popular ones."
    )
    return blocks


def _in_order(own: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The defenses, none first and then popular mixing, each by its strength."""
    parts = {str(name): part for name, part in own.groupby("defense")}
    first = {NO_DEFENSE: 0, MIXING: 1}

    def rank(name: str) -> tuple[int, str, int]:
        kind, strength = parse_defense(name)
        return first.get(kind, 2), kind, strength

    return [(name, parts[name]) for name in sorted(parts, key=rank)]


def _price(name: str, part: pd.DataFrame, quality: pd.DataFrame) -> list[str]:
    own = quality[(quality["defense"] == name)].merge(part[CELL].drop_duplicates())
    widened = (own["n_widened"] / own["n_users"]).mean() if "n_widened" in own else np.nan
    return [figure(part["recall"].iloc[0]), figure(part["ndcg"].iloc[0]), figure(widened)]


def _of(part: pd.DataFrame, attack: str) -> str:
    found: list[Estimate] = list(part.loc[part["attack"] == attack, "estimate"])
    return f"{figure(found[0].value)} {interval(found[0].low, found[0].high)}" if found else figure(np.nan)


def _denoising(points: pd.DataFrame, agreement: pd.DataFrame) -> list[str]:
    """What asking again gains against each defense, undefended lists being the measure."""
    if "ptaq_denoise" not in set(points["attack"]):
        return []
    rows = []
    for (dataset, target), own in by_target(points[points["against"] == "undefended"]):
        for name, part in _in_order(own):
            gains = _gains(agreement, dataset, target, name)
            if len(gains):
                [(over, _)] = judge_together([gains])
                calls = span(sorted(set(_rows(agreement, dataset, target, name, "ptaq_denoise")["n_queries"])))
                figures = [_of(part, "ptaq"), _of(part, "ptaq_denoise"), calls, figure(over.mean, signed=True)]
                rows.append([dataset, target, f"`{name}`", *figures, interval(over.low, over.high, signed=True)])
    head = ["dataset", "target", "defense", "`ptaq`", "`ptaq_denoise`", "calls", "difference", "95 % interval"]
    return ["## Asking again: the denoising attacker", _DENOISE_NOTE, table(head, rows, "lllllrrl")]


def _rows(agreement: pd.DataFrame, dataset: str, target: str, defense: str, attack: str) -> pd.DataFrame:
    keys = {"dataset": dataset, "target": target, "defense": defense, "attack": attack, "group": "heldout"}
    own = agreement[np.logical_and.reduce([agreement[name] == value for name, value in keys.items()])]
    longest: pd.DataFrame = own[(own["against"] == "undefended") & (own["k"] == own["k"].max())]
    return longest


def _gains(agreement: pd.DataFrame, dataset: str, target: str, defense: str) -> np.ndarray:
    """Denoised less plain, for each seed that has both."""
    sides = [
        _rows(agreement, dataset, target, defense, attack).set_index("seed")["agreement"]
        for attack in ("ptaq_denoise", "ptaq")
    ]
    return (sides[0] - sides[1]).dropna().to_numpy(dtype=np.float64)


def _verdicts(agreement: pd.DataFrame, quality: pd.DataFrame) -> list[str]:
    return [
        "## The paper's claims on popular mixing",
        _CLAIMS_NOTE,
        *claim_blocks(defense_claims(agreement, quality), claim_texts(DEFENSE_CLAIMS)),
    ]
