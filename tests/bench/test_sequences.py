"""The measured pass of sequential models, on data of no size."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bench.areas import SEQUENCES_PROMISES
from bench.sequences import CALLS_PER_USER, run
from rec_msa.interactions import SplitSettings, attackers, split_interactions
from rec_msa.recommenders.settings import SETTINGS, is_sequential

NAMES = [name for name in SETTINGS if is_sequential(name)]


def interactions(n_users: int = 60, n_items: int = 120, n_each: int = 12) -> pd.DataFrame:
    random = np.random.default_rng(0)
    items = np.argsort(random.random((n_users, n_items)), axis=1)[:, :n_each].ravel()
    users = np.repeat(np.arange(n_users), n_each)
    times = pd.array(random.integers(0, 1000, len(users)), dtype="Int64")
    return pd.DataFrame({"user": users.astype(np.int32), "item": items.astype(np.int32), "timestamp": times})


@pytest.mark.parametrize("name", NAMES)
def test_a_pass_and_the_clone_are_timed_and_every_question_counted(name: str) -> None:
    table = interactions()
    figures = run(name, table)
    known = attackers(split_interactions(table, SplitSettings(), 0), SplitSettings())
    assert figures["calls"] == CALLS_PER_USER * (known["group"] == "queried").sum()
    assert figures["pass_s"] > 0
    assert figures["qsd30_s"] > 0
    assert figures["clone_step_ms"] > 0


def test_every_sequential_model_has_its_promise() -> None:
    assert set(SEQUENCES_PROMISES) == set(NAMES)
