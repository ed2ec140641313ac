"""The paper's claims 27 to 29, on sequential targets (its Table 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rec_msa.recommenders.settings import is_sequential
from rec_msa.reporting.axes import CALLS, K, own_clones, undefended
from rec_msa.reporting.axis_claims import Trend, trend_cells
from rec_msa.reporting.claims import ClaimCell, by_target

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

_BEST, _MANY_CALLS = "ptaq", "qsd30"
_PAIRS = (
    *((27, _BEST, versus, _BEST, f"above {versus}") for versus in ("ptq", "ptd", _MANY_CALLS)),
    (29, _BEST, _MANY_CALLS, _MANY_CALLS, f"below {_BEST}"),
)
"""The claim, what should be above, what below, whose row it is, and this in words."""


def sequence_cells(agreement: pd.DataFrame) -> Iterator[ClaimCell]:
    """Returns the cells of these claims.

    Args:
        agreement: The columns of ``rec_msa.evaluation.results``, of any number of cells.
    """
    sequential = agreement[agreement["target"].map(is_sequential).astype(bool)]
    yield from trend_cells(sequential, Trend(28, CALLS, ("qsd",)))
    own = undefended(own_clones(sequential))
    named = own["attack"].isin(["ptd", "ptq", _BEST, _MANY_CALLS])
    for cell, part in by_target(own[(own["group"] == "heldout") & (own["k"] == K) & named]):
        by_attack = part.pivot(index="seed", columns="attack", values="agreement")
        for claim, above, below, attack, text in _PAIRS:
            if {above, below} <= set(by_attack):
                differences = (by_attack[above] - by_attack[below]).dropna()
                yield ClaimCell(claim, *cell, attack, "", text, differences)
