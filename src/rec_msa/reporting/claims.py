"""Claims of the paper, each judged cell by cell over seeds: what the pages say about them has one shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from rec_msa.evaluation.comparison import Verdict, judge_together
from rec_msa.reporting.markdown import figure, interval, p_value, table, verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CLAIM_COLUMNS = ["claim", "dataset", "target", "attack", "against", "figure"]
FIGURES = ["difference", "ci_low", "ci_high", "p_holm", "n_seeds", "verdict", "note"]
NOT_MEASURED = "Not measured."
_HEADINGS = {"dataset": "dataset", "target": "target", "attack": "attack", "against": "against", "figure": "figure"}


class ClaimCell(NamedTuple):
    """A row of a claim: what it is about, and the difference of each seed, positive where the claim holds."""

    claim: int
    dataset: str
    target: str
    attack: str
    against: str
    figure: str
    differences: pd.Series


def judge_claims(cells: Iterable[ClaimCell], claims: Iterable[int]) -> pd.DataFrame:
    """Judges claims, with Holm's correction over the cells of each.

    Args:
        cells: Of any claims; one without a seed is left out.
        claims: The claims in their order.

    Returns:
        A row for each claim and cell of it: ``CLAIM_COLUMNS``, mean ``difference`` over seeds (positive where the claim
        holds), ``ci_low, ci_high, p_holm, n_seeds, verdict, note``.
    """
    measured = [cell for cell in cells if len(cell.differences)]
    rows: list[dict[str, Any]] = []
    for claim in claims:
        own = [cell for cell in measured if cell.claim == claim]
        judged = judge_together([cell.differences.to_numpy() for cell in own])
        rows += [_row(cell, *verdict) for cell, verdict in zip(own, judged, strict=True)]
    return pd.DataFrame(rows, columns=[*CLAIM_COLUMNS, *FIGURES])


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
    return dict(zip([*CLAIM_COLUMNS, *FIGURES], [*cell[:-1], *figures], strict=True))


def _table(own: pd.DataFrame) -> str:
    named = [name for name in _HEADINGS if own[name].any()]
    head = [*(_HEADINGS[name] for name in named), "difference", "95 % interval", "p (Holm)", "seeds", "verdict"]
    rows = [[*(_name(row, name) for name in named), *_figures(row)] for _, row in own.iterrows()]
    return table(head, rows, "l" * len(named) + "rlrrl")


def _name(row: pd.Series, name: str) -> str:
    return f"`{row[name]}`" if name == "attack" and row[name] else str(row[name])


def _figures(row: pd.Series) -> list[str]:
    direction = "for it" if row["difference"] > 0 else "against it"
    figures = [figure(row["difference"], signed=True), interval(row["ci_low"], row["ci_high"], signed=True)]
    return [*figures, p_value(row["p_holm"]), str(row["n_seeds"]), verdict(row, direction)]
