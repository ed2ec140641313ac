"""Kernel ridge regression on served lists, beside its definition written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from rec_msa.attacks.ridge import agreement, correct, least_moves, solve_ridge
from rec_msa.foundation.errors import DataError
from rec_msa.foundation.lists import Lists
from rec_msa.recommenders.checkpoint import build, from_checkpoint, to_checkpoint
from rec_msa.recommenders.ranking import rank_lists

N_USERS, N_ITEMS, LENGTH = 20, 40, 6
QUERIED, ALL = np.arange(0, 14), np.arange(N_USERS)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def known() -> pd.DataFrame:
    """Five items of each user."""
    pairs = [(user, item) for user in ALL for item in rng(user).choice(N_ITEMS, 5, replace=False)]
    return pd.DataFrame(pairs, columns=["user", "item"])


def clone(architecture: str = "bpr", seed: int = 0) -> dict[str, Any]:
    model = build(architecture, torch.from_numpy(ALL), N_ITEMS, {"dimensions": 3})
    model.initialise(torch.Generator().manual_seed(seed))
    model.read(known())
    return to_checkpoint(model)


def of_target(shift: float = 2.0) -> np.ndarray:
    """A target that ranks as the clone does, but for three items that it likes much more for everybody."""
    scores = scores_of(clone())
    scores[:, [1, 2, 3]] += shift * scores.std()
    return scores


def scores_of(checkpoint: dict[str, Any]) -> np.ndarray:
    with torch.no_grad():
        return from_checkpoint(checkpoint).score_all(torch.from_numpy(ALL)).double().numpy()


def lists_of(scores: np.ndarray, users: np.ndarray = QUERIED) -> Lists:
    own = scores.copy()
    own[known()["user"], known()["item"]] = -np.inf
    return Lists(users, np.argsort(-own[users], axis=1)[:, :LENGTH])


def slow_moves(scores: np.ndarray, served: list[int], own: set[int]) -> np.ndarray:
    """One user's: listed items get the highest scores in their order, others no more than the next one."""
    free = sorted((scores[item] for item in range(len(scores)) if item not in own), reverse=True)
    made = scores.copy()
    for item in range(len(scores)):
        if item not in own and item not in served:
            made[item] = min(scores[item], free[len(served)])
    for place, item in enumerate(served):
        made[item] = free[place]
    return made - scores


def test_moves_are_the_least_that_make_the_list() -> None:
    scores, out = rng().normal(size=(4, 12)), np.zeros((4, 12), dtype=bool)
    out[np.arange(4), [0, 3, 5, 7]] = True
    lists = np.array([[1, 2, 3], [0, 11, -1], [4, 8, 9], [-1, -1, -1]])
    moves = least_moves(torch.from_numpy(scores), torch.from_numpy(lists), torch.from_numpy(out)).numpy()
    for row in range(4):
        served = [item for item in lists[row].tolist() if item >= 0]
        expected = slow_moves(scores[row], served, set(np.flatnonzero(out[row]).tolist()))
        assert moves[row] == pytest.approx(expected)
        order = np.argsort(-np.where(out[row], -np.inf, scores[row] + moves[row]), kind="stable")
        assert order[: len(served)].tolist()[: len(served) - 1] == served[: len(served) - 1]


def test_a_list_that_the_clone_has_anyway_moves_nothing() -> None:
    scores = torch.from_numpy(scores_of(clone()))[:14]
    out = torch.zeros_like(scores, dtype=torch.bool)
    own = known()[known()["user"] < 14]
    out[own["user"].tolist(), own["item"].tolist()] = True
    lists = torch.tensor(lists_of(scores_of(clone())).items).long()
    assert not least_moves(scores, lists, out).any()
    assert agreement(scores, lists, out) == 1


def test_each_user_is_predicted_as_a_regression_without_them_predicts() -> None:
    points = rng().normal(size=(9, 4))
    kernel, moves = torch.from_numpy((points @ points.T) ** 2), torch.from_numpy(rng(1).normal(size=(9, 5)))
    coefficients, predicted = solve_ridge(kernel, moves, 0.7)
    assert torch.allclose((kernel + 0.7 * torch.eye(9)) @ coefficients, moves)
    for left_out in range(9):
        others = [user for user in range(9) if user != left_out]
        system = kernel[others][:, others] + 0.7 * torch.eye(8)
        alone = kernel[left_out, others] @ torch.linalg.solve(system, moves[others])
        assert torch.allclose(predicted[left_out], alone)


def test_agreement_counts_listed_items_among_as_many_of_the_best() -> None:
    scores = torch.tensor([[5.0, 4, 3, 2, 1], [1, 2, 3, 4, 5]])
    lists, out = torch.tensor([[0, 2, 4], [4, 0, -1]]), torch.zeros(2, 5, dtype=torch.bool)
    assert agreement(scores, lists, out) == pytest.approx((2 / 3 + 1 / 2) / 2)
    out[0, 1] = True
    assert agreement(scores, lists, out) == pytest.approx((2 / 3 + 1 / 2) / 2), "0, 2 and 3 are the best then"


PENALTIES, STRENGTHS = (0.1, 1.0), (1.0, 2.0)


def stolen(served: Lists, start: dict[str, Any] | None = None) -> tuple[dict[str, Any], pd.DataFrame]:
    return correct(start or clone(), served, known(), PENALTIES, STRENGTHS, "cpu")


def agreed(checkpoint: dict[str, Any], users: np.ndarray) -> float:
    made = rank_lists(from_checkpoint(checkpoint), users, known(), LENGTH).items
    wanted = lists_of(of_target(), users).items
    return float(np.mean([np.isin(one, other).mean() for one, other in zip(made, wanted, strict=True)]))


def test_what_the_target_likes_more_is_learnt_for_users_who_were_not_asked_about() -> None:
    model, curve = stolen(lists_of(of_target()))
    heldout = ALL[14:]
    assert agreed(model, heldout) > agreed(clone(), heldout) + 0.2
    assert curve["kept"].sum() == 1
    assert curve.loc[curve["kept"], "validation"].item() == curve["validation"].max() > curve["validation"].iloc[0]


def test_a_correction_is_the_kernels_sum_of_the_queried_users_coefficients() -> None:
    model, curve = stolen(lists_of(of_target()))
    kept = curve[curve["kept"]].iloc[0]
    z = scores_of(clone())
    z = (z - z.mean(axis=1, keepdims=True)) / z.std(axis=1, keepdims=True)
    served, moves = lists_of(of_target()), []
    for row, user in enumerate(QUERIED):
        own = set(known().loc[known()["user"] == user, "item"])
        moves.append(slow_moves(z[user], served.items[row].tolist(), own))
    kernel = np.corrcoef(z)[:, QUERIED] ** 2
    coefficients = np.linalg.solve(kernel[QUERIED] + kept["penalty"] * np.eye(len(QUERIED)), np.array(moves))
    assert scores_of(model) == pytest.approx(z + kept["strength"] * kernel @ coefficients, abs=1e-4)


def test_lists_that_teach_nothing_leave_the_clone_as_it_was() -> None:
    model, curve = stolen(lists_of(scores_of(clone())))
    assert curve.loc[curve["kept"], "step"].tolist() == [0]
    assert len(curve) == 1 + len(PENALTIES) * len(STRENGTHS)
    assert agreed(model, ALL) == agreed(clone(), ALL)


@pytest.mark.parametrize("architecture", ["ials", "lmf"])
def test_any_architecture_can_be_corrected(architecture: str) -> None:
    start = clone(architecture)
    model, _ = stolen(lists_of(of_target()), start)
    assert np.isfinite(scores_of(model)).all()
    assert agreed(model, QUERIED) > agreed(start, QUERIED)


def test_a_single_queried_user_is_refused() -> None:
    with pytest.raises(DataError, match="only 1 user was queried"):
        stolen(lists_of(of_target(), QUERIED[:1]))
