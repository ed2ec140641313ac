"""LightGCN against its matrix form (Eq. 8), and its loss as a loop over plain numbers."""

from __future__ import annotations

from math import exp, log
from typing import TYPE_CHECKING

import pandas as pd
import pytest
import torch

from rec_msa.recommenders.lightgcn import smooth
from tests.recommenders.gradients import assert_same_gradients, draw

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from rec_msa.recommenders.histories import Histories
    from rec_msa.recommenders.lightgcn import Lightgcn


def slow_smooth(users: Tensor, items: Tensor, histories: Histories, layers: int) -> tuple[Tensor, Tensor]:
    """The mean of (D^-1/2 A D^-1/2)^k E over k, with A a matrix of all users and items."""
    ones, (n, m) = histories.dense().to(users), (len(users), len(items))
    joined = torch.cat([torch.cat([torch.zeros(n, n), ones], 1), torch.cat([ones.T, torch.zeros(m, m)], 1)]).to(users)
    degree = joined.sum(1)
    root = torch.where(degree > 0, degree.clamp(min=1) ** -0.5, 0).diag()
    step, first = root @ joined @ root, torch.cat([users, items])
    mean = sum(torch.linalg.matrix_power(step, k) @ first for k in range(layers + 1)) / (layers + 1)
    return mean[:n], mean[n:]  # type: ignore[index]


def slow_smoothed(model: Lightgcn) -> tuple[Tensor, Tensor]:
    return slow_smooth(model.users.weight, model.items.weight, model.histories, model.settings.layers)


@pytest.mark.parametrize("layers", [1, 2, 3, 5])
def test_scores_are_products_of_what_the_matrix_makes_of_the_tables(
    make_model: Callable[..., Lightgcn], layers: int
) -> None:
    model = make_model("lightgcn", layers=layers)
    users, items = slow_smoothed(model)
    torch.testing.assert_close(model.score_all(torch.arange(5)), users @ items.T, atol=1e-5, rtol=1e-5)


def test_gradients_pass_through_the_graph_as_through_its_matrix(make_model: Callable[..., Lightgcn]) -> None:
    histories, tables = make_model("lightgcn").histories, (draw(5, 4), draw(13, 4, seed=1))
    ours, plain = (torch.cat(way(*tables, histories, 3)) for way in (smooth, slow_smooth))
    assert_same_gradients(ours, plain, tables)


def test_who_has_no_neighbour_keeps_a_share_of_the_first_vector(make_model: Callable[..., Lightgcn]) -> None:
    model = make_model("lightgcn", layers=3)
    alone = build_without_edges(model)
    expected = (alone.users.weight / 4) @ (alone.items.weight / 4).T
    torch.testing.assert_close(alone.score_all(torch.arange(5)), expected)


def build_without_edges(model: Lightgcn) -> Lightgcn:
    alone = type(model)(model.user_ids, model.n_items, model.settings)
    alone.initialise(torch.Generator().manual_seed(0))
    return alone


@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_the_loss_is_bprs_with_l2_of_the_first_vectors(make_model: Callable[..., Lightgcn], l2: float) -> None:
    model = make_model("lightgcn", negatives=2, l2=l2)
    users, positives, negatives = [0, 3, 3], [2, 12, 5], [[1, 6], [0, 2], [9, 8]]
    scores = model.score_all(torch.arange(5)).tolist()
    terms = [
        log(1 + exp(scores[user][item] - scores[user][positive]))
        for user, positive, items in zip(users, positives, negatives, strict=True)
        for item in items
    ]
    groups = (
        model.users.weight[users],
        model.items.weight[positives],
        model.items.weight[[item for items in negatives for item in items]],
    )
    penalty = 0.5 * l2 * sum(float(group.detach().square().sum(1).mean()) for group in groups)
    loss = model.loss(torch.tensor(users), torch.tensor(positives), torch.tensor(negatives)).item()
    assert loss == pytest.approx(sum(terms) / len(terms) + penalty, abs=1e-5)


def test_an_auxiliary_model_hands_on_what_it_scores_with(make_model: Callable[..., Lightgcn]) -> None:
    model = make_model("lightgcn")
    torch.testing.assert_close(model.item_vectors()[0], slow_smoothed(model)[1].detach())


def test_the_graph_follows_what_is_read(make_model: Callable[..., Lightgcn]) -> None:
    model = make_model("lightgcn")
    for pairs in ([(2, 1), (11, 1)], [(2, 0)], [(user, item) for user in (3, 5, 7) for item in (1, 2)]):
        model.read(pd.DataFrame(pairs, columns=["user", "item"]))
        users, items = slow_smoothed(model)
        torch.testing.assert_close(model.score_all(torch.arange(5)), users @ items.T, atol=1e-5, rtol=1e-5)
