"""iALS against its loss over all pairs, written out."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import pandas as pd
import pytest
import torch

from rec_msa.recommenders import ials

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from rec_msa.recommenders.ials import Ials

SETTINGS = {"l2": 0.02, "unobserved": 0.3, "exponent": 0.7, "sweeps": 4}


def slow_loss(model: Ials, users: Tensor, items: Tensor) -> Tensor:
    x, (l2, alpha, nu) = (
        model.histories.dense().double(),
        (SETTINGS["l2"], SETTINGS["unobserved"], SETTINGS["exponent"]),
    )
    scores = users @ items.T
    of_users = (x.sum(1) + alpha * x.shape[1]) ** nu * users.square().sum(1)
    of_items = (x.sum(0) + alpha * x.shape[0]) ** nu * items.square().sum(1)
    observed = (x * (scores - 1).square()).sum()
    return observed + alpha * scores.square().sum() + l2 * (of_users.sum() + of_items.sum())


def test_the_loss_is_the_papers_over_all_pairs(make_model: Callable[..., Ials]) -> None:
    model = make_model("ials", **SETTINGS)
    assert model.total_loss() == pytest.approx(float(slow_loss(model, model.users.double(), model.items.double())))


def test_users_vectors_lie_where_the_loss_has_no_slope(make_model: Callable[..., Ials]) -> None:
    model = make_model("ials", **SETTINGS)
    users = model.users.double().requires_grad_()
    slow_loss(model, users, model.items.double()).backward()
    assert users.grad.abs().max() < 1e-5  # type: ignore[union-attr]
    assert users.abs().max() > 0.01


def test_in_the_end_neither_sides_vectors_have_a_slope(make_model: Callable[..., Ials]) -> None:
    model = make_model("ials", **SETTINGS | {"sweeps": 500})
    items = model.items.double().requires_grad_()
    slow_loss(model, model.users.double(), items).backward()
    assert items.grad.abs().max() < 1e-3  # type: ignore[union-attr]


def test_every_sweep_lowers_the_loss(make_model: Callable[..., Ials]) -> None:
    model = make_model("ials", users=range(40), n_items=30)
    model.initialise(torch.Generator().manual_seed(0))
    losses = list(model.solve())
    assert len(losses) == model.n_sweeps == 16
    assert all(after < before for before, after in pairwise(losses))


def test_a_user_who_came_later_gets_the_vector_that_its_history_solves_for(make_model: Callable[..., Ials]) -> None:
    model = make_model("ials", **SETTINGS)
    model.read(pd.DataFrame({"user": [5, 5], "item": [4, 9]}))
    q, everyone = model.items[[4, 9]], model.items
    penalty = 0.02 * (2 + 0.3 * 13) ** 0.7
    system = q.T @ q + 0.3 * everyone.T @ everyone + penalty * torch.eye(6)
    torch.testing.assert_close(model.users[2], torch.linalg.solve(system, q.sum(0)), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("numbers", [1, 100])
def test_small_blocks_solve_for_the_same_vectors(
    make_model: Callable[..., Ials], monkeypatch: pytest.MonkeyPatch, numbers: int
) -> None:
    at_once = make_model("ials", users=range(30), **SETTINGS)
    monkeypatch.setattr(ials, "NUMBERS_AT_ONCE", numbers)
    apart = make_model("ials", users=range(30), **SETTINGS)
    torch.testing.assert_close(apart.users, at_once.users, atol=1e-5, rtol=1e-4)


def test_the_same_seed_solves_for_the_same_bits(make_model: Callable[..., Ials]) -> None:
    first, again = (make_model("ials", **SETTINGS) for _ in range(2))
    assert torch.equal(first.users, again.users)
    assert math.isfinite(first.total_loss())
