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
    references = dict(by_target(_popularity(agreement)))
    for (dataset, target), own in by_target(heldout):
        for attack, part in own.groupby("base"):
            by_clone = part.pivot(index="seed", columns="value", values="agreement")
            if (dataset, target) in references:
                by_clone[_REFERENCE] = references[dataset, target].set_index("seed")["agreement"]
            for claim, above, below, text in _comparisons(target, [str(name) for name in by_clone]):
                differences = (by_clone[above] - by_clone[below]).dropna()
                yield ClaimCell(claim, dataset, target, str(attack), "", text, differences)


def _comparisons(target: str, columns: list[str]) -> Iterator[tuple[int, str, str, str]]:
    """The claim, what should be above, what below, and this in words."""
    clones = [name for name in columns if name != _REFERENCE]
    others = [clone for clone in clones if clone != target]
    if _REFERENCE in columns:
        yield from ((11, clone, _REFERENCE, f"{clone} clone above {_REFERENCE}") for clone in others)
    if _BEST in clones:
        yield from ((12, _BEST, c, f"{_BEST} clone above {c} clone") for c in clones if c != _BEST)
    if target in clones:
        yield from ((13, clone, target, f"{clone} clone above {target} clone") for clone in others)


def _popularity(agreement: pd.DataFrame) -> pd.DataFrame:
    """The reference of held-out users."""
    return table_rows(agreement[(agreement["attack"] == _REFERENCE) & (agreement["group"] == "heldout")])
