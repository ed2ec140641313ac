"""Swapping in the tail serves the user's own next items."""

from __future__ import annotations

import pytest

from rec_msa.defenses.swap_tail import SwapTail
from rec_msa.foundation.errors import SettingsError


def test_replacements_are_what_the_target_ranks_next(defended, ranked):
    served = defended("swap_tail_7").serve(ranked)
    for own, after in zip(ranked.items, served.items, strict=True):
        swapped = set(after) - set(own[:20])
        assert len(swapped) == 7
        assert swapped <= set(own[20:60])


def test_a_tail_that_is_too_short_is_refused(defended, ranked):
    with pytest.raises(SettingsError, match="only 2 items are ranked behind user 0's list"):
        lists = type(ranked)(ranked.users, ranked.items[:, :22])
        defended("swap_tail_4").serve(lists)


def test_a_depth_below_the_strength_is_refused_before_anything_is_trained(interactions):
    with pytest.raises(SettingsError, match=r"defenses.swap_tail.depth: 3 ranks are fewer than the 4 items"):
        SwapTail(depth=3).check(4, 120, interactions)
