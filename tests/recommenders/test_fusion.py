"""Fusion against the formula as it is written (Eq. 5-8): a users x items x d tensor and a softmax over two logits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.nn import functional as F

from rec_msa.recommenders.checkpoint import item_vectors, load_auxiliary, to_checkpoint
from rec_msa.recommenders.items import FusedItemTable
from rec_msa.recommenders.settings import claiming
from tests.recommenders.test_lightgcn import slow_smoothed

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from rec_msa.recommenders.base import Recommender
    from rec_msa.recommenders.bpr import Bpr
    from rec_msa.recommenders.lightgcn import Lightgcn
    from rec_msa.recommenders.lmf import Lmf
    from rec_msa.recommenders.ncf import Ncf
    from rec_msa.recommenders.sequential import SequentialRecommender

NAMES = claiming("fusable")
B = 0.7  # the formula's b, which has to cancel


def fused_vectors(p: Tensor, table: FusedItemTable) -> Tensor:
    """q^f ``[n_users, n_items, d]`` of user vectors ``[n_users, d]``."""
    q_c, q_a, w = table.weight, table.auxiliary, table.w
    p = p.unsqueeze(1)
    alpha, beta = F.relu(p * q_c) @ w + B, F.relu(p * q_a) @ w + B
    weights = torch.softmax(torch.stack([alpha, beta], dim=-1), dim=-1)
    if not table.attention:
        weights = torch.full_like(weights, 0.5)
    fused = weights[..., :1] * q_c + weights[..., 1:] * q_a
    return torch.where(table.known[:, None], fused, q_c.expand_as(fused))


def naive_scores(model: Recommender) -> Tensor:
    naive: dict[str, Callable[[Any], Tensor]] = {
        "bpr": naive_bpr,
        "lmf": naive_lmf,
        "ncf": naive_ncf,
        "lightgcn": naive_lightgcn,
    }
    return naive.get(model.name, naive_sequential)(model)


def naive_bpr(model: Bpr) -> Tensor:
    p = model.users.weight
    return torch.einsum("ud,uid->ui", p, fused_vectors(p, model.items))  # type: ignore[arg-type]


def naive_lmf(model: Lmf) -> Tensor:
    p = model.users.weight
    products = torch.einsum("ud,uid->ui", p, fused_vectors(p, model.items))  # type: ignore[arg-type]
    return products + model.user_bias[:, None] + model.item_bias[None, :]


def naive_ncf(model: Ncf) -> Tensor:
    """NeuMF as in its paper: the tower reads [p; q], the output layer reads [p * q; tower]."""
    p_product, p_tower = model.product_users.weight, model.tower_users.weight
    q_product, q_tower = fused_vectors(p_product, model.product_items), fused_vectors(p_tower, model.tower_items)  # type: ignore[arg-type]
    hidden = torch.cat([p_tower.unsqueeze(1).expand_as(q_tower), q_tower], dim=-1)
    first = torch.cat([model.first_user.weight, model.first_item], dim=1)
    hidden = F.relu(F.linear(hidden, first, model.first_user.bias))
    for layer in model.tower:
        hidden = F.relu(layer(hidden))
    output = torch.cat([model.output_product, model.output_tower.weight[0]])
    return torch.cat([p_product.unsqueeze(1) * q_product, hidden], dim=-1) @ output + model.output_tower.bias


def naive_lightgcn(model: Lightgcn) -> Tensor:
    """What is fused is what the graph has made of the tables."""
    p, q_c = slow_smoothed(model)
    return torch.einsum("ud,uid->ui", p, fused_vectors(p, model.items.standing_for(q_c)))  # type: ignore[arg-type]


def naive_sequential(model: SequentialRecommender) -> Tensor:
    """The encoder reads the own vectors; its state is the user's vector in the fusion, on the output side alone."""
    states = model.user_states(torch.arange(model.n_users))
    return torch.einsum("ud,uid->ui", states, fused_vectors(states, model.items))  # type: ignore[arg-type]


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["attention", "mean"])
def fused(name: str, request: pytest.FixtureRequest, make_model: Callable[..., Recommender]) -> Recommender:
    """A fused model where two items have no auxiliary vector."""
    model = make_model(name, request.param)
    for table in model.tables():
        table.known[torch.tensor([0, 9])] = False  # type: ignore[operator]
    return model


def everything(model: Recommender) -> tuple[Tensor, Tensor]:
    return torch.arange(model.n_users), torch.arange(model.n_items).expand(model.n_users, -1)


def test_scores_equal_the_naive_tensor_formula(fused: Recommender) -> None:
    with torch.no_grad():
        expected = naive_scores(fused)
        torch.testing.assert_close(fused.score_all(everything(fused)[0]), expected, atol=1e-5, rtol=0)
        torch.testing.assert_close(fused.score_pairs(*everything(fused)), expected, atol=1e-5, rtol=0)


def test_gradients_equal_those_of_the_naive_tensor_formula(fused: Recommender) -> None:
    fused.double()
    parameters = [p for p in fused.parameters() if p.requires_grad]
    weights = torch.randn(fused.n_users, fused.n_items, generator=torch.Generator().manual_seed(3)).double()
    expected = torch.autograd.grad((naive_scores(fused) * weights).sum(), parameters)
    for scores in (fused.score_pairs(*everything(fused)), fused.score_all(everything(fused)[0])):
        torch.testing.assert_close(torch.autograd.grad((scores * weights).sum(), parameters), expected)


def test_attention_differs_from_the_mean(name: str, make_model: Callable[..., Recommender]) -> None:
    model = make_model(name, "attention")
    with torch.no_grad():
        attended = model.score_all(everything(model)[0])
        for table in model.tables():
            table.attention = False  # type: ignore[assignment]
        assert (model.score_all(everything(model)[0]) - attended).abs().max() > 0.02


def test_training_moves_the_own_vectors_and_never_the_auxiliary_ones(fused: Recommender) -> None:
    before = {key: value.clone() for key, value in fused.state_dict().items()}
    optimiser = torch.optim.Adam([p for p in fused.parameters() if p.requires_grad], lr=0.05)
    users, items = everything(fused)
    fused.loss(users, items[:, 0], items[:, 1 : 1 + fused.settings.n_sampled]).backward()
    optimiser.step()
    for table, prefix in zip(fused.tables(), fused.item_tables, strict=True):
        assert isinstance(table, FusedItemTable)
        assert not table.auxiliary.requires_grad
        assert table.auxiliary.grad is None
        assert torch.equal(table.auxiliary, before[f"{prefix}.auxiliary"])
        assert not torch.equal(table.weight, before[f"{prefix}.weight"])
        assert torch.equal(table.w, before[f"{prefix}.w"]) is not table.attention


def test_an_item_without_auxiliary_vector_keeps_its_own_alone(fused: Recommender) -> None:
    users, items = everything(fused)
    with torch.no_grad():
        before = fused.score_all(users)
        for table in fused.tables():
            table.auxiliary[[0, 9]] = 100.0  # type: ignore[operator]
        torch.testing.assert_close(fused.score_all(users), before, atol=1e-4, rtol=1e-5)
        torch.testing.assert_close(fused.score_pairs(users, items), before, atol=1e-4, rtol=1e-5)


def test_the_mean_gives_each_vector_one_half(make_model: Callable[..., Recommender]) -> None:
    table = make_model("bpr", "mean").tables()[0]
    assert isinstance(table, FusedItemTable)
    vectors = table.pairs(torch.randn(1, 6), torch.tensor([[4, 8]]))[0]
    torch.testing.assert_close(vectors, (table.weight + table.auxiliary)[[4, 8]] / 2)


def test_equal_vectors_are_fused_into_themselves(make_model: Callable[..., Recommender]) -> None:
    table = make_model("bpr", "attention").tables()[0]
    assert isinstance(table, FusedItemTable)
    table.auxiliary.copy_(table.weight.detach())
    vectors = table.pairs(torch.randn(1, 6), torch.arange(13)[None])[0]
    torch.testing.assert_close(vectors, table.weight)


def test_loading_an_auxiliary_model_takes_its_item_vectors_alone(
    name: str, make_model: Callable[..., Recommender]
) -> None:
    auxiliary = to_checkpoint(make_model(name, users=range(40, 60)))
    model = make_model(name, "attention")
    before = {key: value.clone() for key, value in model.state_dict().items()}
    known = torch.arange(13) % 2 == 0
    load_auxiliary(model, auxiliary, known)
    for table, vectors in zip(model.tables(), item_vectors(auxiliary), strict=True):
        assert torch.equal(table.auxiliary, vectors)  # type: ignore[arg-type]
        assert torch.equal(table.known, known)  # type: ignore[arg-type]
    changed = {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}
    assert changed == {f"{table}.{part}" for table in model.item_tables for part in ("auxiliary", "known")}


def test_a_model_without_fusion_takes_no_auxiliary_vectors(name: str, make_model: Callable[..., Recommender]) -> None:
    model = make_model(name)
    with pytest.raises(TypeError, match="no place for auxiliary vectors"):
        load_auxiliary(model, to_checkpoint(model))
