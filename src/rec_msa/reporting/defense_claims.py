"""The paper's claims 19 to 23, on popular-item mixing (its figures 7 and 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rec_msa.defenses.settings import NO_DEFENSE, alters_nothing, parse_defense
from rec_msa.reporting.axes import K, own_clones
from rec_msa.reporting.claims import CELL, TREND, ClaimCell, by_target, judge_claims, line_rise
from rec_msa.reporting.defense import MIXING, SIDES
from rec_msa.reporting.names import TARGET

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

DEFENSE_CLAIMS = (19, 20, 21, 22, 23)


def defense_claims(agreement: pd.DataFrame, quality: pd.DataFrame) -> pd.DataFrame:
    """Judges claims 19 to 23 on every target that was measured under popular mixing.

    Args:
        agreement: The columns of ``rec_msa.evaluation.results``; agreement at 50 items of held-out users counts.
        quality: dataset, target, seed, defense, recall_served.

    Returns:
        What ``rec_msa.reporting.claims.judge_claims`` returns.
    """
    return judge_claims(defense_cells(agreement, quality), DEFENSE_CLAIMS)


def defense_cells(agreement: pd.DataFrame, quality: pd.DataFrame) -> Iterator[ClaimCell]:
    """Returns the cells of these claims; the arguments are those of ``defense_claims``."""
    own = own_clones(agreement)
    mixed = _popular_mixing(own[(own["group"] == "heldout") & (own["k"] == K)])
    yield from _resistance(mixed)
    yield from _cost(_popular_mixing(quality))
    yield from _trends(mixed)
    yield from _remaining(mixed)


def _popular_mixing(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of popular mixing and without a defense, with their strength ``n``, of cells that have both."""
    rows = rows[~rows["defense"].map(alters_nothing).astype(bool)]
    parsed = rows["defense"].map(parse_defense)
    mixed = rows.assign(n=parsed.str[1])[parsed.str[0].isin([NO_DEFENSE, MIXING])]
    strengths = mixed.groupby([*CELL, "seed"])["n"]
    both: pd.DataFrame = mixed[(strengths.transform("min") == 0) & (strengths.transform("max") > 0)]
    return both


def _by_n(rows: pd.DataFrame, attack: str, against: str) -> Iterator[tuple[tuple[str, str], pd.DataFrame]]:
    """For each dataset and target the agreement of an attack: a row for each seed, a column for each n."""
    own = rows[(rows["attack"] == attack) & (rows["against"] == against)]
    for cell, part in by_target(own):
        by_n = part.pivot(index="seed", columns="n", values="agreement").dropna()
        if 0 in by_n and by_n.shape[1] > 1:
            yield cell, by_n


def _fall(by_n: pd.DataFrame) -> pd.Series:
    """How much less the highest n has than n = 0, for each seed."""
    fall: pd.Series = by_n[0] - by_n[by_n.columns.max()]
    return fall


def _decline(by_n: pd.DataFrame) -> pd.Series:
    """How far the line fitted to each seed's points falls from n = 0 to the highest n."""
    fall: pd.Series = -line_rise(by_n)
    return fall


def _resistance(mixed: pd.DataFrame) -> Iterator[ClaimCell]:
    """Claims 19 and 20."""
    for attack in ("ptq", "ptaq"):
        for against in SIDES:
            for cell, by_n in _by_n(mixed, attack, against):
                yield ClaimCell(19, *cell, attack, against, "agreement", _fall(by_n))
    ceilings = dict(_by_n(mixed, TARGET, "served"))
    for attack in ("ptd", "pta"):
        for cell, by_n in _by_n(mixed, attack, "served"):
            yield ClaimCell(20, *cell, attack, "served", "agreement", _fall(by_n))
            relative = (by_n / ceilings[cell]).dropna() if cell in ceilings else by_n.iloc[:0]
            yield ClaimCell(20, *cell, attack, "served", "share of the ceiling", _fall(relative))


def _cost(quality: pd.DataFrame) -> Iterator[ClaimCell]:
    """Claim 21."""
    for (dataset, target), part in by_target(quality):
        by_n = part.pivot(index="seed", columns="n", values="recall_served").dropna()
        yield ClaimCell(21, dataset, target, "", "", "Recall of served lists, trend", _decline(by_n), TREND)


def _trends(mixed: pd.DataFrame) -> Iterator[ClaimCell]:
    """Claim 22; who asks nothing cannot change against undefended lists."""
    for attack, sides in (("ptq", SIDES), ("ptaq", SIDES), ("ptd", ["served"]), ("pta", ["served"])):
        for against in sides:
            for cell, by_n in _by_n(mixed, attack, against):
                yield ClaimCell(22, *cell, attack, against, "agreement, trend", _decline(by_n), TREND)


def _remaining(mixed: pd.DataFrame) -> Iterator[ClaimCell]:
    """Claim 23."""
    for against in SIDES:
        popular = dict(_by_n(mixed, "popularity", against))
        for cell, by_n in _by_n(mixed, "ptaq", against):
            if cell in popular:
                highest = by_n.columns.max()
                above = (by_n[highest] - popular[cell][highest]).dropna()
                yield ClaimCell(23, *cell, "ptaq", against, f"agreement at n = {highest}, above popularity", above)
