"""The paper's claim 24, on the losses of the steal stage (its Table 7)."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pandas as pd

from rec_msa.reporting.axes import LOSSES, loss_points
from rec_msa.reporting.claims import EQUALITY, ClaimCell, by_target

if TYPE_CHECKING:
    from collections.abc import Iterator


def loss_cells(agreement: pd.DataFrame) -> Iterator[ClaimCell]:
    """Returns a cell for each attack, dataset and target that has all four losses: any two of them are equal.

    The largest less the smallest is biased upwards, and its distribution is not Student's: it is within the margin
    just where every pair is, so the pairs are tested.

    Args:
        agreement: The columns of ``rec_msa.evaluation.results``, of any number of cells.
    """
    points = loss_points(agreement)
    for cell, own in by_target(points[points["group"] == "heldout"]):
        for attack, part in own.groupby("base"):
            by_loss = part.pivot(index="seed", columns="value", values="agreement").dropna()
            if set(by_loss) == set(LOSSES):
                yield ClaimCell(24, *cell, str(attack), "", "furthest two of four losses", _pairs(by_loss), EQUALITY)


def _pairs(by_loss: pd.DataFrame) -> pd.DataFrame:
    """All differences, of the higher mean less the lower."""
    order = by_loss.mean().sort_values(ascending=False).index
    return pd.DataFrame({f"{a} - {b}": by_loss[a] - by_loss[b] for a, b in combinations(order, 2)})
