"""An audit of recorded lists from Python, on sixty made-up users of four tastes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import rec_msa

SHORT = {"training": {"max_steps": 20, "validate_every": 10}}


@pytest.fixture(scope="module")
def figures() -> dict[str, dict[str, object]]:
    """What each attack and reference copies, by its base."""
    draw = np.random.default_rng(0).permutation
    taste = {user: range(user % 4 * 50, user % 4 * 50 + 50) for user in range(60)}
    knows = {user: draw(items)[:20] for user, items in taste.items()}
    known = pd.DataFrame([(user, item) for user in knows for item in knows[user]], columns=["user", "item"])
    served = rec_msa.Lists(list(taste), [[item for item in taste[u] if item not in knows[u]][:10] for u in taste])
    report = rec_msa.audit(known, served, shares=[0.4], attacks=["ptd"], settings={"clone": SHORT, "steal": SHORT})
    return {one["base"]: one for one in report.json["figures"]} | {"best": report.json["best"]}


def test_a_look_up_asks_for_the_lists_that_it_looks_up(figures) -> None:
    assert figures["knn_lists"]["calls"] == 18
    assert figures["knn_lists"]["questions"] is True
    assert figures["ease"]["calls"] == 0


def test_the_best_copy_is_a_look_up_where_users_have_tastes_in_common(figures) -> None:
    assert figures["best"] == figures["knn_lists"]


def test_there_are_no_other_users(figures) -> None:
    assert not any(one["auxiliary"] for one in figures.values())
