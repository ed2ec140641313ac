"""Each model's scores and training loss against its formula, written as loops over plain numbers."""

from __future__ import annotations

from math import exp, log
from typing import TYPE_CHECKING, Any

import pytest
import torch

from rec_msa.recommenders import ncf

if TYPE_CHECKING:
    from collections.abc import Callable

    from rec_msa.recommenders.base import Recommender

USERS = [0, 3, 3, 4]
POSITIVES = [2, 12, 5, 2]
NEGATIVES = [[1, 6, 7, 1], [0, 2, 4, 3], [9, 8, 11, 10], [5, 5, 0, 12]]


def sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x))


def dot(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def half_l2(l2: float, *groups: list[list[float]]) -> float:
    """Half of l2 times the sum over the groups of the mean squared norm of their vectors."""
    return 0.5 * l2 * sum(sum(dot(v, v) for v in vectors) / len(vectors) for vectors in groups)


def numbers(model: Recommender) -> dict[str, Any]:
    return {name: value.tolist() for name, value in model.state_dict().items()}


def scores_of(model: Recommender) -> list[list[float]]:
    with torch.no_grad():
        return model.score_all(torch.arange(model.n_users)).tolist()


def loss_of(model: Recommender) -> float:
    return model.loss(torch.tensor(USERS), torch.tensor(POSITIVES), torch.tensor(NEGATIVES)).item()


def slow_ncf_score(state: dict[str, Any], user: int, item: int) -> float:
    """The logit of NeuMF: both branches' outputs through one last linear layer."""
    products = [
        p * q for p, q in zip(state["product_users.weight"][user], state["product_items.weight"][item], strict=True)
    ]
    hidden = state["tower_users.weight"][user] + state["tower_items.weight"][item]
    weights = [u + i for u, i in zip(state["first_user.weight"], state["first_item"], strict=True)]
    layers = [(weights, state["first_user.bias"])]
    while f"tower.{len(layers) - 1}.weight" in state:
        layers.append((state[f"tower.{len(layers) - 1}.weight"], state[f"tower.{len(layers) - 1}.bias"]))
    for weight, bias in layers:
        hidden = [max(0.0, dot(row, hidden) + b) for row, b in zip(weight, bias, strict=True)]
    output = state["output_product"] + state["output_tower.weight"][0]
    return dot(output, products + hidden) + float(state["output_tower.bias"][0])


def slow_cross_entropy(scores: list[list[float]]) -> float:
    """Mean over positives and negatives of the negative log-likelihood."""
    terms = []
    for user, positive, negatives in zip(USERS, POSITIVES, NEGATIVES, strict=True):
        terms.append(-log(sigmoid(scores[user][positive])))
        terms += [-log(1 - sigmoid(scores[user][item])) for item in negatives]
    return sum(terms) / len(terms)


def test_bpr_scores_by_the_dot_product(make_model: Callable[..., Recommender]) -> None:
    model = make_model("bpr")
    state = numbers(model)
    expected = [[dot(p, q) for q in state["items.weight"]] for p in state["users.weight"]]
    assert scores_of(model) == [pytest.approx(row, abs=1e-5) for row in expected]


@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_bpr_loses_by_the_sigmoid_of_differences(make_model: Callable[..., Recommender], l2: float) -> None:
    model = make_model("bpr", negatives=4, l2=l2)
    scores, state = scores_of(model), numbers(model)
    terms = [
        -log(sigmoid(scores[user][positive] - scores[user][item]))
        for user, positive, negatives in zip(USERS, POSITIVES, NEGATIVES, strict=True)
        for item in negatives
    ]
    p, q = state["users.weight"], state["items.weight"]
    penalty = half_l2(
        l2, [p[u] for u in USERS], [q[j] for j in POSITIVES], [q[j] for items in NEGATIVES for j in items]
    )
    assert loss_of(model) == pytest.approx(sum(terms) / len(terms) + penalty, abs=1e-5)


def test_lmf_adds_both_biases_to_the_dot_product(make_model: Callable[..., Recommender]) -> None:
    model = make_model("lmf")
    state = numbers(model)
    expected = [
        [dot(p, q) + b_i + b_j for q, b_j in zip(state["items.weight"], state["item_bias"], strict=True)]
        for p, b_i in zip(state["users.weight"], state["user_bias"], strict=True)
    ]
    assert scores_of(model) == [pytest.approx(row, abs=1e-5) for row in expected]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_lmf_loses_by_the_logistic_likelihood(make_model: Callable[..., Recommender], bias: bool, l2: float) -> None:
    model = make_model("lmf", l2=l2, bias=bias)
    state = numbers(model)
    p, q = state["users.weight"], state["items.weight"]
    penalty = half_l2(
        l2, [p[u] for u in USERS], [q[j] for j in POSITIVES], [q[j] for items in NEGATIVES for j in items]
    )
    assert loss_of(model) == pytest.approx(slow_cross_entropy(scores_of(model)) + penalty, abs=1e-5)


def test_lmf_without_bias_is_the_dot_product_and_trains_no_bias(make_model: Callable[..., Recommender]) -> None:
    model = make_model("lmf", bias=False)
    state = numbers(model)
    expected = [[dot(p, q) for q in state["items.weight"]] for p in state["users.weight"]]
    assert scores_of(model) == [pytest.approx(row, abs=1e-5) for row in expected]
    assert {name for name, p in model.named_parameters() if p.requires_grad} == {"users.weight", "items.weight"}


@pytest.mark.parametrize("layers", [(8,), (8, 5), (64, 32, 16)])
def test_ncf_scores_by_both_branches_and_one_output(
    make_model: Callable[..., Recommender], layers: tuple[int, ...]
) -> None:
    model = make_model("ncf", layers=layers)
    state = numbers(model)
    expected = [[slow_ncf_score(state, user, item) for item in range(13)] for user in range(5)]
    assert scores_of(model) == [pytest.approx(row, abs=1e-4, rel=1e-5) for row in expected]


@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_ncf_loses_by_binary_cross_entropy(make_model: Callable[..., Recommender], l2: float) -> None:
    model = make_model("ncf", l2=l2)
    state = numbers(model)
    users = [[state[f"{name}_users.weight"][u] for u in USERS] for name in ("product", "tower")]
    items = [[state[f"{name}_items.weight"][j] for j in POSITIVES] for name in ("product", "tower")]
    expected = slow_cross_entropy(scores_of(model)) + half_l2(l2, *users, *items)
    assert loss_of(model) == pytest.approx(expected, abs=1e-5)


def test_ncf_scores_the_catalogue_alike_in_small_blocks_and_at_once(
    make_model: Callable[..., Recommender], monkeypatch: pytest.MonkeyPatch
) -> None:
    for fusion in (None, "attention", "mean"):
        model = make_model("ncf", fusion)
        users = torch.arange(model.n_users)
        at_once = model.score_all(users)
        for pairs in (1, 3 * model.n_users, 5 * model.n_users + 1):
            monkeypatch.setattr(ncf, "TOWER_PAIRS", pairs)
            torch.testing.assert_close(model.score_all(users), at_once)


def test_losses_stay_finite_where_scores_are_huge(make_model: Callable[..., Recommender]) -> None:
    for name in ("bpr", "lmf", "ncf"):
        model = make_model(name)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(1000)
        loss = model.loss(torch.tensor(USERS), torch.tensor(POSITIVES), torch.tensor(NEGATIVES))
        loss.backward()
        assert loss.isfinite()
        assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


def test_vectors_start_from_a_small_normal_and_the_attention_as_a_linear_layer(
    make_model: Callable[..., Recommender],
) -> None:
    for name in ("bpr", "lmf", "ncf"):
        model = make_model(name, "attention", users=range(500), n_items=500, dimensions=64)
        model.initialise(torch.Generator().manual_seed(0))
        for key, value in model.state_dict().items():
            if key.endswith(("users.weight", "items.weight")):
                assert value.std().item() == pytest.approx(0.01, rel=0.05), key
                assert value.mean().item() == pytest.approx(0.0, abs=0.001), key
            if key.endswith(".w"):
                assert 0.1 < value.abs().max().item() <= 1 / 8, key
