"""The published tables get columns of facts, and no figure changes."""

from __future__ import annotations

import subprocess
from io import BytesIO

import pandas as pd
import pytest

BEFORE = "4260720"
PLACE = "docs/published/08_reporting"


@pytest.mark.parametrize("name", ["agreement", "agreement_per_user", "target_quality"])
def test_every_published_figure_is_what_it_was_to_the_last_digit(name: str) -> None:
    old = subprocess.run(["git", "show", f"{BEFORE}:{PLACE}/{name}.parquet"], capture_output=True, check=True).stdout
    before, now = pd.read_parquet(BytesIO(old)), pd.read_parquet(f"{PLACE}/{name}.parquet")
    pd.testing.assert_frame_equal(now[before.columns], before, check_exact=True)


def test_a_fact_is_what_its_name_said() -> None:
    table = pd.read_parquet(f"{PLACE}/agreement.parquet").drop_duplicates("attack").set_index("attack")
    assert table.loc["pta_items20", "item_fraction"] == 0.2
    assert table.loc["cache-asked40", "query_fraction"] == 0.4
    assert table.loc["ptd_length90", "list_length"] == 90
    assert table.loc["retrain-users5", "attacker_fraction"] == 0.05
    assert table.loc["qsd30", "calls_per_user"] == 30
    assert table.loc["ptaq_denoise", "otherwise"] == "denoise"
