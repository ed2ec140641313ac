"""Compiled steps, against the plain formulas; torch's path, which GPUs take, against the same."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from rec_msa.recommenders import lookups
from rec_msa.recommenders.lookups import attended_dots, hinge_sum, length_penalty, picked_dots, set_row_sparse
from tests.recommenders.gradients import assert_same_gradients, draw

N_ITEMS, BATCH = 9, 7
PRECISIONS = pytest.mark.parametrize("precision", [torch.float32, torch.float64], ids=["compiled", "torch"])


def cast(vectors: Tensor, precision: torch.dtype) -> Tensor:
    return vectors.detach().to(precision).requires_grad_(vectors.requires_grad)


def chosen(m: int) -> Tensor:
    """Items of which some stand twice in a row."""
    return torch.randint(N_ITEMS, (BATCH, m), generator=torch.Generator().manual_seed(7))


def plain_attended(
    p: Tensor, towards: Tensor, table: Tensor, auxiliary: Tensor, w: Tensor, known: Tensor, items: Tensor
) -> tuple[Tensor, Tensor]:
    """Eq. 5-8 as they stand."""
    q_c, q_a, user = table[items], auxiliary[items], p.unsqueeze(1)
    weights = torch.stack([F.relu(user * q_c) @ w, F.relu(user * q_a) @ w], dim=-1).softmax(-1)
    fused = torch.where(known[items].unsqueeze(-1), weights[..., :1] * q_c + weights[..., 1:] * q_a, q_c)
    return (towards.unsqueeze(1) * fused).sum(-1), fused.square().sum(-1)


@PRECISIONS
@pytest.mark.parametrize("m", [1, 3, 40])
@pytest.mark.parametrize("d", [5, 64])
def test_products_and_norms_of_fused_vectors_are_those_of_the_vectors_themselves(
    precision: torch.dtype, m: int, d: int
) -> None:
    p, towards, w = draw(BATCH, d), draw(BATCH, d, seed=4), draw(d)
    table, auxiliary = draw(N_ITEMS, d, seed=1), draw(N_ITEMS, d, seed=2, trained=False)
    with torch.no_grad():
        p[::2, 1:3] = 0.0
    vectors = [cast(given, precision) for given in (p, towards, table, auxiliary, w)]
    known = torch.arange(N_ITEMS) % 3 > 0
    ours, plain = (by(*vectors, known, chosen(m)) for by in (attended_dots, plain_attended))
    inputs = (*vectors[:3], vectors[4])
    assert_same_gradients(torch.stack(ours), torch.stack(plain), inputs)


@PRECISIONS
def test_a_user_vector_may_be_attention_and_factor_at_once(precision: torch.dtype) -> None:
    p, table, auxiliary, w = (cast(draw(*shape), precision) for shape in [(BATCH, 5), (N_ITEMS, 5), (N_ITEMS, 5), (5,)])
    known, items = torch.ones(N_ITEMS, dtype=torch.bool), chosen(3)
    ours, plain = (by(p, p, table, auxiliary.detach(), w, known, items)[0] for by in (attended_dots, plain_attended))
    assert_same_gradients(ours, plain, (p, table, w))


@PRECISIONS
@pytest.mark.parametrize("m", [1, 8, 40])
def test_products_with_rows_of_a_table(precision: torch.dtype, m: int) -> None:
    towards, table = cast(draw(BATCH, 6), precision), cast(draw(N_ITEMS, 6, seed=1), precision)
    items = chosen(m)
    assert_same_gradients(
        picked_dots(towards, table, items), (towards.unsqueeze(1) * table[items]).sum(-1), (towards, table)
    )


def test_products_with_vectors_that_do_not_lie_in_a_row() -> None:
    towards, table, items = cast(draw(6, BATCH), torch.float32), cast(draw(N_ITEMS, 6), torch.float32), chosen(3)
    plain = (towards.T.unsqueeze(1) * table[items]).sum(-1)
    assert_same_gradients(picked_dots(towards.T, table, items), plain, (towards, table))


def test_a_second_gradient_of_a_table_is_added_to_the_first() -> None:
    towards, table, items = draw(BATCH, 6).float(), torch.nn.Parameter(draw(N_ITEMS, 6).detach().float()), chosen(3)
    picked_dots(towards.detach(), table, items).sum().backward()
    once = table.grad
    assert once is not None
    expected = 2 * once
    picked_dots(towards.detach(), table, items).sum().backward()
    torch.testing.assert_close(table.grad, expected)


def test_a_row_sparse_table_gets_a_row_sparse_gradient() -> None:
    towards, table, items = draw(BATCH, 6).float(), torch.nn.Parameter(draw(N_ITEMS, 6).detach().float()), chosen(3)
    dense = torch.autograd.grad(picked_dots(towards, table, items).sum(), table)[0]
    set_row_sparse(table, True)
    sparse = torch.autograd.grad(picked_dots(towards, table, items).sum(), table)[0]
    assert sparse.is_sparse
    torch.testing.assert_close(sparse.to_dense(), dense)


@PRECISIONS
def test_the_hinge_counts_every_pair_that_stands_too_near(precision: torch.dtype) -> None:
    better, worse = cast(draw(BATCH, 4), precision), cast(draw(BATCH, 70, seed=1), precision)
    plain = F.relu(0.5 - (better.unsqueeze(2) - worse.unsqueeze(1))).sum()
    assert_same_gradients(hinge_sum(better, worse, 0.5), plain, (better, worse))


@PRECISIONS
def test_what_stands_infinitely_far_apart_has_no_hinge_and_no_slope(precision: torch.dtype) -> None:
    better = torch.tensor([[torch.inf, 0.0], [1.0, torch.inf]], dtype=precision, requires_grad=True)
    worse = torch.tensor([[0.2, -torch.inf], [-torch.inf, -torch.inf]], dtype=precision, requires_grad=True)
    total = hinge_sum(better, worse, 0.5)
    total.backward()
    assert total.item() == pytest.approx(0.7)
    assert [better.grad.tolist(), worse.grad.tolist()] == [[[0.0, -1.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 0.0]]]  # type: ignore[union-attr]


def test_the_penalty_by_squared_norms_is_that_of_regularised_products() -> None:
    p, q = draw(BATCH, 5), draw(BATCH, 3, 5, seed=1)
    _, expected = lookups.regularised_dots(p, q, 0.3)
    torch.testing.assert_close(length_penalty(p, q.square().sum(-1), 0.3), expected)
