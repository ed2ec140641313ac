"""Results of many cells in one table."""

from __future__ import annotations

import pandas as pd
import pytest

from rec_msa.bookkeeping.assembly import spaces_of


def row(attack: str, base: str, defense: str = "none") -> dict:
    return {"dataset": "ml-1m", "target": "bpr", "seed": 3, "defense": defense, "attack": attack, "base": base}


@pytest.mark.parametrize(
    ("measured", "space"),
    [
        (row("ptaq_few", "ptaq"), "ml-1m.seed3.bpr.none.ptaq_few"),
        (row("popularity-asked20", "popularity"), "ml-1m.seed3.bpr.none.references-asked20"),
        (row("target", "target", "shuffle_5"), "ml-1m.seed3.bpr.shuffle_5.references"),
        (row("retrain-length10", "retrain"), "ml-1m.seed3.bpr.none.retrain-length10"),
        (row("retrain_ensemble", "retrain_ensemble"), "ml-1m.seed3.bpr.none.retrain_ensemble"),
        (row("ease_joint-users5", "ease_joint"), "ml-1m.seed3.bpr.none.references-users5"),
    ],
)
def test_a_row_names_the_namespace_that_it_was_measured_in(measured, space):
    assert list(spaces_of(pd.DataFrame([measured]))) == [space]
