"""EASE against its constrained least squares, solved item by item."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from rec_msa.recommenders.ease import Ease


def slow_weights(x: np.ndarray, l2: float) -> np.ndarray:
    """Ridge regression of each item on all others: what the diagonal of zeros comes to."""
    weights = np.zeros((x.shape[1], x.shape[1]))
    for item in range(x.shape[1]):
        others = np.delete(np.arange(x.shape[1]), item)
        seen = x[:, others]
        system = seen.T @ seen + l2 * np.eye(len(others))
        weights[others, item] = np.linalg.solve(system, seen.T @ x[:, item])
    return weights


@pytest.mark.parametrize("l2", [0.01, 0.5, 100.0])
def test_the_weights_are_ridge_regressions_of_each_item_on_the_others(
    make_model: Callable[..., Ease], l2: float
) -> None:
    model = make_model("ease", l2=l2)
    x = model.histories.dense().numpy().astype(float)
    expected = slow_weights(x, l2)
    assert model.weights.numpy() == pytest.approx(expected, abs=1e-5)
    assert model.score_all(torch.arange(5)).numpy() == pytest.approx(x @ expected, abs=1e-5)


def test_many_users_in_blocks_are_one_matrix(make_model: Callable[..., Ease], monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = make_model("ease", users=range(50)).weights
    monkeypatch.setattr("rec_msa.recommenders.ease.USERS_AT_ONCE", 7)
    assert torch.equal(make_model("ease", users=range(50)).weights, at_once)


def test_the_loss_is_that_of_all_regressions_for_each_interaction(make_model: Callable[..., Ease]) -> None:
    model = make_model("ease", l2=0.5)
    x, weights = model.histories.dense().double(), model.weights.double()
    expected = (x - x @ weights).square().sum() + 0.5 * weights.square().sum()
    assert list(model.solve()) == pytest.approx([float(expected) / int(x.sum())], rel=1e-5)
