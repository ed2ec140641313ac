"""The paper's claims 7, 8, 10, 15 to 17, 25 and 26, on the axes of figures 2, 3, 4, 5 and 9."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from rec_msa.attacks.settings import PAPER_ATTACKS
from rec_msa.evaluation.agreement import GROUPS
from rec_msa.reporting import axes
from rec_msa.reporting.claims import EQUALITY, TREND, ClaimCell, by_target, line_rise
from rec_msa.reporting.names import GROUP_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rec_msa.reporting.axes import Axis

POINTS_OF_A_TREND = 3
"""Fewer points are a difference and no trend."""
_LEAST = 10
"""The least auxiliary data of figures 4 and 5, in percent."""


class Trend(NamedTuple):
    """A claim that agreement grows along an axis.

    Attributes:
        claim: The claim's number.
        axis: What varies.
        attacks: The attacks, each a row for each dataset and target.
        groups: The groups of users, each of which has rows of its own.
    """

    claim: int
    axis: Axis
    attacks: Sequence[str]
    groups: Sequence[str] = ("heldout",)


_TRENDS = (
    Trend(7, axes.LIST_LENGTH, PAPER_ATTACKS),
    Trend(10, axes.TARGET_USERS, PAPER_ATTACKS),
    Trend(16, axes.AUXILIARY_USERS, ("pta", "ptaq")),
    Trend(26, axes.ASKED, ("qsd",), GROUPS),
)


def axis_cells(agreement: pd.DataFrame) -> Iterator[ClaimCell]:
    """Returns the cells of these claims.

    Args:
        agreement: The columns of ``rec_msa.evaluation.results``, of any number of cells.
    """
    for trend in _TRENDS:
        yield from trend_cells(agreement, trend)
    yield from _alike(agreement)
    yield from _with_the_least(agreement, 15, axes.AUXILIARY_USERS)
    yield from _with_the_least(agreement, 17, axes.ITEMS)
    yield from _flatter_than_qsd(agreement)


def trend_cells(agreement: pd.DataFrame, trend: Trend) -> Iterator[ClaimCell]:
    """Returns for each attack, group, dataset and target how far each seed's line rises along the axis.

    Seeds that lack a point are left out: lines through other points are other figures.

    Args:
        agreement: The columns of ``rec_msa.evaluation.results``.
        trend: The claim.
    """
    for attack, group, cell, by_value in _lines(agreement, trend.axis, trend.attacks, trend.groups):
        complete = by_value.dropna()
        if complete.shape[1] >= POINTS_OF_A_TREND:
            text = f"{_prefix(trend.groups, group)}trend over {_range(trend.axis, complete)}"
            yield ClaimCell(trend.claim, *cell, attack, "", text, line_rise(complete), TREND)


def _lines(
    agreement: pd.DataFrame, axis: Axis, attacks: Sequence[str], groups: Sequence[str]
) -> Iterator[tuple[str, str, tuple[str, str], pd.DataFrame]]:
    """Attack, group, dataset and target, and agreement: a row for each seed, a column for each value."""
    points = axes.points_of(agreement, axis)
    for attack in attacks:
        for group in groups:
            for cell, own in by_target(points[(points["base"] == attack) & (points["group"] == group)]):
                yield attack, group, cell, own.pivot(index="seed", columns="value", values="agreement")


def _by_cell(agreement: pd.DataFrame, axis: Axis, attack: str) -> dict[tuple[str, str], pd.DataFrame]:
    return {cell: by_value for _, _, cell, by_value in _lines(agreement, axis, [attack], ["heldout"])}


def _prefix(groups: Sequence[str], group: str) -> str:
    return f"{GROUP_NAMES[group]} users, " if len(groups) > 1 else ""


def _range(axis: Axis, by_value: pd.DataFrame) -> str:
    ends = f"{by_value.columns.min()} to {by_value.columns.max()}"
    return f"{axis.title}, {ends}" + f" {axis.unit}" * bool(axis.unit)


def _alike(agreement: pd.DataFrame) -> Iterator[ClaimCell]:
    """Claim 8, at each length."""
    cell = "ml-1m", "ncf"
    for attack, versus in (("pta", "ptaq"), ("ptd", "ptq")):
        lines = [_by_cell(agreement, axes.LIST_LENGTH, name) for name in (attack, versus)]
        sides = [by_cell.get(cell, pd.DataFrame()) for by_cell in lines]
        for length in sides[0].columns.intersection(sides[1].columns):
            differences = (sides[0][length] - sides[1][length]).dropna()
            yield ClaimCell(8, *cell, attack, "", f"equal to {versus}, {length} items in a list", differences, EQUALITY)


def _with_the_least(agreement: pd.DataFrame, claim: int, axis: Axis) -> Iterator[ClaimCell]:
    """Claims 15 and 17: pta with the least auxiliary data above ptd, which has none."""
    levels = _by_cell(agreement, axis, "ptd")
    for cell, by_value in _by_cell(agreement, axis, "pta").items():
        if _LEAST in by_value and cell in levels:
            above = (by_value[_LEAST] - levels[cell][axis.default_value]).dropna()
            yield ClaimCell(claim, *cell, "pta", "", f"{_LEAST} % of {axis.title}, above ptd", above)


def _flatter_than_qsd(agreement: pd.DataFrame) -> Iterator[ClaimCell]:
    """Claim 25: how much steeper qsd's line is than another's through the same points, whatever its direction.

    A seed's steepness is never negative, so noise adds to that of a level line: it works against the claim.
    """
    steep = {key[1:3]: key[3] for key in _lines(agreement, axes.ASKED, ["qsd"], GROUPS)}
    for attack, group, cell, by_value in _lines(agreement, axes.ASKED, ("ptq", "ptaq"), GROUPS):
        if (group, cell) not in steep:
            continue
        both, qsd = by_value.dropna().align(steep[group, cell].dropna(), join="inner")
        if both.shape[1] >= POINTS_OF_A_TREND:
            flatter = line_rise(qsd).abs() - line_rise(both).abs()
            text = f"{_prefix(GROUPS, group)}slope below qsd's, {_range(axes.ASKED, both)}"
            yield ClaimCell(25, *cell, attack, "", text, flatter, TREND)
