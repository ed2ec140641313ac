"""Look-ups: what they say of a queried user, they say without the user's own list."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from rec_msa.attacks import list_votes

N_USERS, N_QUERIED, N_ITEMS = 14, 9, 20
QUERIED = torch.tensor([0, 2, 3, 5, 6, 8, 9, 11, 13])


def likeness() -> torch.Tensor:
    described = torch.randn(N_USERS, 6, generator=torch.Generator().manual_seed(0))
    unit = torch.nn.functional.normalize(described, dim=1)
    return unit @ unit[QUERIED].T


def first(weights: torch.Tensor) -> float:
    return -float(weights.abs().sum())


LOOKUPS = {
    "popularity": lambda: list_votes.list_popularity(N_USERS, QUERIED),
    "nearest": lambda: list_votes.nearest(likeness(), QUERIED, 3),
    "nearest of few": lambda: list_votes.nearest(likeness(), QUERIED, 50),
    "ridge": lambda: list_votes.ridge(likeness() + 1, QUERIED, first),
}


@pytest.mark.parametrize("lookup", LOOKUPS)
def test_a_user_has_no_weight_on_the_own_list(lookup: str) -> None:
    weights = LOOKUPS[lookup]()
    assert weights.shape == (N_USERS, N_QUERIED)
    assert torch.equal(weights[QUERIED, torch.arange(N_QUERIED)], torch.zeros(N_QUERIED))
    assert weights.abs().sum(1).min() > 0


@pytest.mark.parametrize("strength", [0.01, 0.3])
def test_of_a_queried_user_ridge_says_what_the_regression_without_that_user_says(strength: float) -> None:
    kernel = likeness() + 1
    lists = torch.rand(N_QUERIED, N_ITEMS, generator=torch.Generator().manual_seed(1))
    weights = list_votes.ridge(kernel, QUERIED, first, [strength])
    penalty = strength * float(kernel[QUERIED].diagonal().mean())
    for place, row in enumerate(QUERIED.tolist()):
        others = [one for one in range(N_QUERIED) if one != place]
        among = kernel[QUERIED[others]][:, others].double()
        learnt = torch.linalg.solve(among + penalty * torch.eye(len(others)).double(), lists[others].double())
        torch.testing.assert_close(
            weights[row] @ lists, (kernel[row, others].double() @ learnt).float(), atol=1e-4, rtol=0
        )


def test_of_others_ridge_says_what_the_regression_on_all_lists_says() -> None:
    kernel = likeness() + 1
    weights = list_votes.ridge(kernel, QUERIED, first, [0.1])
    penalty = 0.1 * float(kernel[QUERIED].diagonal().mean()) * torch.eye(N_QUERIED)
    others = np.setdiff1d(np.arange(N_USERS), QUERIED.numpy())
    expected = kernel[others] @ torch.linalg.inv(kernel[QUERIED] + penalty)
    torch.testing.assert_close(weights[others], expected, atol=1e-4, rtol=1e-4)


def test_the_strength_is_the_one_that_the_judge_likes() -> None:
    kernel, each = likeness() + 1, [0.01, 0.3, 1.0]
    of_each = [list_votes.ridge(kernel, QUERIED, first, [strength]) for strength in each]

    def likes(wanted: torch.Tensor, weights: torch.Tensor) -> float:
        return float(torch.allclose(weights, wanted))

    for wanted in of_each:
        assert torch.equal(list_votes.ridge(kernel, QUERIED, partial(likes, wanted), each), wanted)
