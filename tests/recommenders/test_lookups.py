"""Gradients that are written out, against those that torch derives from the plain formula."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch.nn import functional as F

from rec_msa.recommenders.lookups import (
    attend,
    dots,
    gather,
    is_row_sparse,
    regularised_dots,
    set_row_sparse,
)
from tests.recommenders.gradients import assert_same_gradients, draw

if TYPE_CHECKING:
    from torch import Tensor

BATCH, M, D = 7, 3, 5


def plain_attention(p: Tensor, q_c: Tensor, q_a: Tensor, w: Tensor, known: Tensor) -> Tensor:
    """Eq. 5-8 as they stand: both weights through a softmax."""
    p = p.unsqueeze(1)
    weights = torch.stack([F.relu(p * q_c) @ w, F.relu(p * q_a) @ w], dim=-1).softmax(-1)
    fused = weights[..., :1] * q_c + weights[..., 1:] * q_a
    return torch.where(known.unsqueeze(-1), fused, q_c)


def plain_penalty(p: Tensor, q: Tensor, l2: float) -> Tensor:
    return 0.5 * l2 * sum(v.square().sum(-1).mean() for v in (p, q[:, 0], q[:, 1:]))


@pytest.mark.parametrize("shape", [(4,), (4, D)], ids=["numbers", "vectors"])
def test_rows_that_are_read_again_and_again_gather_their_gradients(shape: tuple[int, ...]) -> None:
    table, rows = draw(*shape), torch.tensor([[0, 3, 3], [3, 1, 0]])
    assert_same_gradients(gather(table, rows), table[rows], (table,))


def test_a_row_sparse_gradient_says_the_same_with_the_rows_that_were_read() -> None:
    table, rows = torch.nn.Parameter(draw(6, D)), torch.tensor([[0, 4], [4, 1]])
    dense = torch.autograd.grad(gather(table, rows).square().sum(), table)[0]
    set_row_sparse(table, True)
    sparse = torch.autograd.grad(gather(table, rows).square().sum(), table)[0].coalesce()
    assert is_row_sparse(table)
    assert sparse.indices().tolist() == [[0, 1, 4]]
    torch.testing.assert_close(sparse.to_dense(), dense)


def test_dot_products() -> None:
    p, q = draw(BATCH, D), draw(BATCH, M, D, seed=1)
    assert_same_gradients(dots(p, q), torch.einsum("bd,bmd->bm", p, q), (p, q))


@pytest.mark.parametrize("candidates", [1, 2, 5])
def test_dot_products_with_a_penalty_on_users_positives_and_negatives(candidates: int) -> None:
    p, q = draw(BATCH, D), draw(BATCH, candidates + 1, D, seed=1)
    products, penalty = regularised_dots(p, q, 0.3)
    together = products.sigmoid().sum() + 2 * penalty
    plain = torch.einsum("bd,bmd->bm", p, q).sigmoid().sum() + 2 * plain_penalty(p, q, 0.3)
    assert_same_gradients(together, plain, (p, q))
    torch.testing.assert_close(penalty, plain_penalty(p, q, 0.3))


def test_attention_over_own_and_auxiliary_vectors() -> None:
    p, q_c, q_a, w = draw(BATCH, D), draw(BATCH, M, D, seed=1), draw(BATCH, M, D, seed=2, trained=False), draw(D)
    known = torch.rand(BATCH, M, generator=torch.Generator().manual_seed(3)) < 0.7
    assert_same_gradients(attend(p, q_c, q_a, w, known), plain_attention(p, q_c, q_a, w, known), (p, q_c, w))


def test_attention_where_a_user_vector_has_zeros() -> None:
    """The slope of relu at 0 is 0, as torch has it."""
    p, q_c, q_a, w = draw(BATCH, D), draw(BATCH, M, D, seed=1), draw(BATCH, M, D, seed=2, trained=False), draw(D)
    with torch.no_grad():
        p[::2, 1:3] = 0.0
    known = torch.ones(BATCH, M, dtype=torch.bool)
    assert_same_gradients(attend(p, q_c, q_a, w, known), plain_attention(p, q_c, q_a, w, known), (p, q_c, w))


def test_attention_over_vectors_that_do_not_lie_in_a_row() -> None:
    p, w, known = draw(BATCH, D), draw(D), torch.ones(BATCH, M, dtype=torch.bool)
    q_c, q_a = draw(M, BATCH, D, seed=1), draw(M, BATCH, D, seed=2, trained=False)
    ours = attend(p, q_c.transpose(0, 1), q_a.transpose(0, 1), w, known)
    plain = plain_attention(p, q_c.transpose(0, 1), q_a.transpose(0, 1), w, known)
    assert_same_gradients(ours, plain, (p, q_c, w))


def test_attention_where_a_user_vector_is_too_small_to_divide_by() -> None:
    p, q_c, q_a = draw(2, D), draw(2, M, D, seed=1), draw(2, M, D, seed=2, trained=False)
    with torch.no_grad():
        p[0] = 1e-300
    fused = attend(p, q_c, q_a, draw(D), torch.ones(2, M, dtype=torch.bool))
    (gradient,) = torch.autograd.grad(fused.sum(), p)
    assert gradient.isfinite().all()


@pytest.mark.parametrize("m", [1, 8, 9, 100])
def test_products_of_few_and_of_many_candidates(m: int) -> None:
    p, q = draw(BATCH, D), draw(BATCH, m, D, seed=1)
    assert_same_gradients(dots(p, q), (p.unsqueeze(1) * q).sum(-1), (p, q))


def test_one_candidate_without_negatives_has_a_penalty_too() -> None:
    p, q = draw(BATCH, D), draw(BATCH, 1, D, seed=1)
    _, penalty = regularised_dots(p, q, 0.4)
    expected = 0.2 * (p.square().sum(-1).mean() + q.square().sum(-1).mean())
    assert_same_gradients(penalty, expected, (p, q))


@pytest.mark.parametrize("frozen", [0, 1])
def test_what_needs_no_gradient_gets_none(frozen: int) -> None:
    inputs = [draw(BATCH, D), draw(BATCH, M, D, seed=1)]
    inputs[frozen].requires_grad_(False)
    dots(*inputs).sum().backward()
    assert inputs[frozen].grad is None
    assert inputs[1 - frozen].grad is not None
