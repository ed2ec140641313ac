"""The paper's claims 11 to 13, on clones of other architectures than the target's (its Figure 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rec_msa.reporting.axes import clone_points, table_rows
from rec_msa.reporting.claims import ClaimCell, by_target

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

_ATTACKS = ("ptd", "ptq", "pta", "ptaq")
_BEST = "bpr"
_REFERENCE = "popularity"


def architecture_cells(agreement: pd.DataFrame) -> Iterator[ClaimCell]:
    """Returns the cells of these claims.

    "At least" is judged as "above": that two clones are equally good leaves it open.

    Args:
        agreement: The columns of ``rec_msa.evaluation.results``, of any number of cells.
    """
    points = clone_points(agreement)
    heldout = points[(points["group"] == "heldout") & points["base"].isin(_ATTACKS)]
    for (dataset, target), own in by_target(heldout):
        for attack, part in own.groupby("base"):
            by_clone = part.pivot(index="seed", columns="value", values="agreement")
            by_clone[_REFERENCE] = _reference(agreement, dataset, target)
            for claim, above, below, text in _comparisons(target, sorted({*by_clone} - {_REFERENCE})):
                differences = (by_clone[above] - by_clone[below]).dropna()
                yield ClaimCell(claim, dataset, target, str(attack), "", text, differences)


def _comparisons(target: str, clones: list[str]) -> Iterator[tuple[int, str, str, str]]:
    """The claim, what should be above, what below, and this in words."""
    others = [clone for clone in clones if clone != target]
    yield from ((11, clone, _REFERENCE, f"{clone} clone above {_REFERENCE}") for clone in others)
    if _BEST in clones:
        yield from ((12, _BEST, c, f"{_BEST} clone above {c} clone") for c in clones if c != _BEST)
    if target in clones:
        yield from ((13, clone, target, f"{clone} clone above {target} clone") for clone in others)


def _reference(agreement: pd.DataFrame, dataset: str, target: str) -> pd.Series:
    rows = table_rows(agreement[(agreement["attack"] == _REFERENCE) & (agreement["group"] == "heldout")])
    own = rows[(rows["dataset"] == dataset) & (rows["target"] == target)]
    return own.set_index("seed")["agreement"]
