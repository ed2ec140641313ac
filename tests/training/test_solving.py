"""Models that are solved: a row a sweep, and the last sweep counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from rec_msa.foundation.errors import DataError
from rec_msa.recommenders.checkpoint import build
from rec_msa.training.solving import solve
from tests.training.small import USERS, frame, slow_recall

if TYPE_CHECKING:
    import pandas as pd


def solved(name: str, **settings: int) -> tuple[torch.nn.Module, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """With so many users that no two items are level."""
    model = build(name, torch.arange(60), 90, settings)
    model.initialise(torch.Generator().manual_seed(0))
    rng = np.random.default_rng(0)
    interactions = frame(*((user, int(item)) for user in range(60) for item in rng.choice(90, 20, replace=False)))
    train, held_back = interactions[::2], interactions[1::2]
    return model, train, held_back, solve(model, train, held_back, "test")


def test_each_sweep_is_a_row_and_the_last_one_is_kept() -> None:
    model, train, held_back, curve = solved("ials", sweeps=3)
    assert curve["step"].tolist() == [1, 2, 3]
    assert curve["kept"].tolist() == [False, False, True]
    assert curve["validation"].iloc[-1] == pytest.approx(slow_recall(model, train, held_back))
    assert curve["loss"].is_monotonic_decreasing


def test_a_closed_form_has_one_sweep() -> None:
    model, train, held_back, curve = solved("ease")
    assert curve[["step", "kept"]].to_numpy().tolist() == [[1, True]]
    assert curve["validation"].item() == pytest.approx(slow_recall(model, train, held_back))


def test_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(DataError, match="nothing to train on"):
        solve(build("ease", torch.tensor(USERS), 9, {}), frame(), frame(), "test")
