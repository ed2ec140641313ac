"""Claims of the paper, each judged cell by cell over seeds: what the pages say about them has one shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from rec_msa.evaluation.verdicts import MARGIN, Verdict, judge_equal_together, judge_together
from rec_msa.reporting.markdown import figure, interval, p_value, table, verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

CELL = ["dataset", "target"]
CLAIM_COLUMNS = ["claim", "dataset", "target", "attack", "against", "figure", "beside"]
FIGURES = ["difference", "ci_low", "ci_high", "p_holm", "n_seeds", "verdict", "note"]
DIFFERENCE, TREND, EQUALITY = "difference", "trend", "equality"
NOT_MEASURED = "Not measured."
_NAMES = tuple(CLAIM_COLUMNS[1:])


class ClaimCell(NamedTuple):
    """A row of a claim: what it is about, and what each seed says.

    Attributes:
        claim: The claim's number.
        dataset: The dataset.
        target: The target's architecture.
        attack: The attack that it is about; empty where there is none.
        against: ``served`` or ``undefended`` where a defense makes them differ, else empty.
        figure: What is compared, in words.
        differences: For each seed the difference, positive where the claim holds; of an equality either sign, and a
            column for each pair that must be equal where there are several.
        kind: ``difference``, ``trend`` or ``equality``.
        beside: What the figure is to be read beside, in words; empty for nothing.
    """

    claim: int
    dataset: str
    target: str
    attack: str
    against: str
    figure: str
    differences: pd.Series | pd.DataFrame
    kind: str = DIFFERENCE
    beside: str = ""


def judge_claims(cells: Iterable[ClaimCell], claims: Iterable[int]) -> pd.DataFrame:
    """Judges claims, with Holm's correction over the cells of each.

    Args:
        cells: Of any claims, those of one of one kind; a cell without a seed is left out.
        claims: The claims in their order.

    Returns:
        A row for each claim and cell of it: ``CLAIM_COLUMNS``, mean ``difference`` over seeds (positive where the claim
        holds; of an equality of either sign), ``ci_low, ci_high`` of the 95 % t interval, ``p_holm, n_seeds, verdict,
        note, kind``.
    """
    measured = [cell for cell in cells if len(cell.differences)]
    rows: list[dict[str, Any]] = []
    for claim in claims:
        own = [cell for cell in measured if cell.claim == claim]
        judge = judge_equal_together if EQUALITY in {cell.kind for cell in own} else judge_together
        judged = judge([cell.differences.to_numpy() for cell in own])
        rows += [_row(cell, *verdict) for cell, verdict in zip(own, judged, strict=True)]
    return pd.DataFrame(rows, columns=[*CLAIM_COLUMNS, *FIGURES, "kind"])


def by_target(rows: pd.DataFrame) -> Iterator[tuple[tuple[str, str], pd.DataFrame]]:
    """Returns the rows of each dataset and target."""
    for (dataset, target), part in rows.groupby(CELL):
        yield (str(dataset), str(target)), part


def line_rise(by_value: pd.DataFrame) -> pd.Series:
    """Returns how far the least-squares line through each row's points rises from the lowest value to the highest.

    Args:
        by_value: A row for each seed, a column for each value of an axis, of which there are several.
    """
    values = by_value.columns.to_numpy(dtype=np.float64)
    centred = values - values.mean()
    rise: pd.Series = (by_value @ centred) / (centred**2).sum() * np.ptp(values)
    return rise


def claim_blocks(judged: pd.DataFrame, texts: Mapping[int, str]) -> list[str]:
    """Returns Markdown: each claim as a heading with a table of its cells; columns that say nothing are left out.

    Args:
        judged: What ``judge_claims`` found.
        texts: Each claim in words, and how it is checked.
    """
    blocks = []
    for claim, text in texts.items():
        own = judged[judged["claim"] == claim]
        blocks += [f"### {claim}. {text}", _table(own) if len(own) else NOT_MEASURED]
    return blocks


def _row(cell: ClaimCell, over: Verdict, p_holm: float) -> dict[str, Any]:
    figures = [over.mean, over.low, over.high, p_holm, over.n_seeds, over.verdict, over.note]
    about = [getattr(cell, name) for name in CLAIM_COLUMNS]
    return dict(zip([*CLAIM_COLUMNS, *FIGURES, "kind"], [*about, *figures, cell.kind], strict=True))


def _table(own: pd.DataFrame) -> str:
    named = [name for name in _NAMES if own[name].any()]
    head = [*named, "difference", "95 % interval", "p (Holm)", "seeds", "verdict"]
    rows = [[*(_name(row, name) for name in named), *_figures(row)] for _, row in own.iterrows()]
    return table(head, rows, "l" * len(named) + "rlrrl")


def _name(row: pd.Series, name: str) -> str:
    return f"`{row[name]}`" if name == "attack" and row[name] else str(row[name])


def direction(row: pd.Series) -> str:
    """Says on which side of a claim a row's figure lies, which is no verdict.

    Args:
        row: Of what ``judge_claims`` found.
    """
    holds = abs(row["difference"]) <= MARGIN if row["kind"] == EQUALITY else row["difference"] > 0
    return "for it" if holds else "against it"


def _figures(row: pd.Series) -> list[str]:
    figures = [figure(row["difference"], signed=True), interval(row["ci_low"], row["ci_high"], signed=True)]
    return [*figures, p_value(row["p_holm"]), str(row["n_seeds"]), verdict(row, direction(row))]
