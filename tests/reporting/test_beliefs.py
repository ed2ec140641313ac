"""The picture of whom a stacked attack believes."""

from __future__ import annotations

import pandas as pd

from rec_msa.reporting.beliefs import beliefs_drawing

TOLD = pd.DataFrame(
    {"source": ["joint", "nearest by items"], "weight": [0.75, 0.25], "alone": [0.6, 0.4], "without": [0.5, 0.61]}
).assign(together=0.625)


def test_each_source_is_a_row_with_its_weight_and_its_worth() -> None:
    [[shape]] = beliefs_drawing(TOLD).rows
    assert shape.described.endswith(
        " joint: weight .750, alone .600, without it .500;  nearest by items: weight .250, alone .400, without it .610."
    )
    assert shape.title == "all together .625"


def test_the_picture_is_painted() -> None:
    assert len(beliefs_drawing(TOLD).picture().axes[0].patches) == 6
