"""Random replacement draws from the whole catalogue."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rec_msa.foundation.errors import SettingsError
from rec_msa.foundation.lists import Lists


def test_every_new_item_is_drawn_alike_often(defended, ranked):
    lists = Lists(ranked.users, np.tile(np.arange(100, 120), (60, 1)))
    nobody = pd.DataFrame({"user": [99] * 120, "item": np.arange(120)})
    drawn = np.concatenate(
        [defended("random_replacement_10", seed=seed, data=nobody).serve(lists).items for seed in range(40)]
    )
    counts = np.bincount(drawn[drawn < 100], minlength=100)
    assert counts / len(drawn) == pytest.approx(np.full(100, 0.1), abs=0.03)


def test_a_catalogue_without_new_items_is_refused(defended, interactions):
    has_all = pd.concat([interactions, pd.DataFrame({"user": 0, "item": np.arange(98)})])
    with pytest.raises(SettingsError, match="only 2 items that are new to user 0"):
        defended("random_replacement_4", data=has_all).serve(Lists(np.array([0]), np.arange(100, 120)[None]))
