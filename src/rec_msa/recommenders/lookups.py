"""The steps in which models with user vectors spend their training: rows of a table, products of vectors, attention.

Their gradients are written out. torch's own take longer on a CPU: the one of an embedding walks through the table, the
one of a batch of dot products is a batch of tiny matrix products, and the attention's keeps every step between.
On a CPU the scores of chosen items, and the hinge of pairs of scores, are compiled (``kernels``): a vector is read
once, where torch passes over all a dozen times.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

INITIAL_SCALE = 0.01
TINY = 1e-30
FEW = 8
"""Vectors up to which a batch of their sums as matrix products is many tiny ones, slower than one after the other."""


class Table(nn.Module):
    """A vector for each row: ``weight`` ``[n_rows, d]``."""

    def __init__(self, n_rows: int, dimensions: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(n_rows, dimensions))

    def initialise(self, generator: torch.Generator) -> None:
        """Draws the vectors from N(0, 0.01)."""
        nn.init.normal_(self.weight, std=INITIAL_SCALE, generator=generator)

    def forward(self, rows: Tensor) -> Tensor:
        """The vectors of rows ``[...]``: ``[..., d]``."""
        return gather(self.weight, rows)


def draw_uniform(fan_in: int, generator: torch.Generator, *parameters: Tensor) -> None:
    """Draws parameters, in this order, as torch's Linear does, from a stream of our own."""
    for parameter in parameters:
        nn.init.uniform_(parameter, -(fan_in**-0.5), fan_in**-0.5, generator=generator)


def gather(table: Tensor, rows: Tensor) -> Tensor:
    """Rows, indices of any shape, of a table ``[n_rows, ...]``: ``[*rows.shape, ...]``."""
    return _Gather.apply(table, rows, is_row_sparse(table))  # type: ignore[no-any-return, no-untyped-call]


def set_row_sparse(table: nn.Parameter, row_sparse: bool) -> None:
    """Says whether a table's gradient holds only the rows read; then ``gather`` alone may read it."""
    table.row_sparse = row_sparse  # type: ignore[attr-defined]


def is_row_sparse(table: Tensor) -> bool:
    """Whether the gradient of a table holds only the rows read."""
    return getattr(table, "row_sparse", False)


def dots(p: Tensor, q: Tensor) -> Tensor:
    """Dot products of ``p`` ``[batch, d]`` with its candidates ``q`` ``[batch, m, d]``: ``[batch, m]``."""
    return regularised_dots(p, q, 0.0)[0]


def regularised_dots(p: Tensor, q: Tensor, l2: float) -> tuple[Tensor, Tensor]:
    """Dot products, and the penalty on the length of the vectors that are multiplied.

    Args:
        p: User vectors ``[batch, d]``.
        q: Vectors of each user's candidates, the positive first ``[batch, m, d]``.
        l2: Weight of the penalty: half of it counts the mean squared norms of users, positives and negatives.
    """
    return _RegularisedDots.apply(p, q, l2)  # type: ignore[no-any-return, no-untyped-call]


def attend(p: Tensor, q_c: Tensor, q_a: Tensor, w: Tensor, known: Tensor) -> Tensor:
    """The fused vectors of a user's candidates (Zhu et al. 2023, Eq. 5-8).

    Args:
        p: User vectors ``[batch, d]``.
        q_c: The clone's own vectors of each user's candidates ``[batch, m, d]``.
        q_a: The auxiliary ones, which get no gradient ``[batch, m, d]``.
        w: The attention vector ``[d]``.
        known: Whether a candidate's auxiliary vector may be used; where not, q_c stands alone ``[batch, m]``.
    """
    return _Attend.apply(p, q_c, q_a, w, known)  # type: ignore[no-any-return, no-untyped-call]


def picked_dots(towards: Tensor, table: Tensor, items: Tensor) -> Tensor:
    """Dot products of ``towards`` ``[batch, d]`` with rows ``items`` ``[batch, m]`` of a table: ``[batch, m]``."""
    if is_compiled(towards, table):
        return _PickedDots.apply(towards, table, items)  # type: ignore[no-any-return, no-untyped-call]
    return dots(towards, gather(table, items))


def attended_dots(
    p: Tensor, towards: Tensor, table: Tensor, auxiliary: Tensor, w: Tensor, known: Tensor, items: Tensor
) -> tuple[Tensor, Tensor]:
    """Dot products with the fused vectors of ``attend``, and these vectors' squared norms ``[batch, m]``.

    The attention reads ``p``; the products are with ``towards`` ``[batch, d]``. The vectors are rows ``items``
    ``[batch, m]`` of the tables ``[n_items, d]``, as is ``known`` ``[n_items]``.
    """
    if is_compiled(p, table):  # the vectors are never made
        return _PickedAttendedDots.apply(p, towards, table, auxiliary, w, known, items)  # type: ignore[no-any-return, no-untyped-call]
    fused = attend(p, gather(table, items), gather(auxiliary, items), w, known[items])
    return dots(towards, fused), fused.square().sum(-1)


def attended_shares(p: Tensor, table: Tensor, auxiliary: Tensor, w: Tensor, known: Tensor, items: Tensor) -> Tensor:
    """The weight that ``attend`` gives a clone's own vectors ``[batch, m]``, of rows ``items`` as ``attended_dots``."""
    if is_compiled(p, table):
        return _PickedShares.apply(p, table, auxiliary, w, known, items)  # type: ignore[no-any-return, no-untyped-call]
    user = p.unsqueeze(1)
    preferred = torch.relu(user * gather(table, items)) - torch.relu(user * gather(auxiliary, items))
    return torch.where(known[items], torch.sigmoid(preferred @ w), 1.0)


def hinge_sum(better: Tensor, worse: Tensor, margin: float) -> Tensor:
    """The sum of max(0, margin - (b - w)) over each b of a row of ``better`` ``[n, m]`` and each w of ``worse``'s.

    Where ``better`` is infinite the terms are 0.
    """
    if is_compiled(better, worse):
        return _HingeSum.apply(better, worse, margin)  # type: ignore[no-any-return, no-untyped-call]
    return F.relu(margin - (better.unsqueeze(2) - worse.unsqueeze(1))).sum()


def length_penalty(users: Tensor, squares: Tensor, l2: float) -> Tensor:
    """The penalty of ``regularised_dots``, of the candidates' squared norms ``[batch, m]``, the positive's first."""
    negatives = squares[:, 1:].sum() / max(1, squares.shape[1] - 1)
    return 0.5 * l2 * (_squares(users) + squares[:, 0].sum() + negatives) / len(users)


def is_compiled(*tensors: Tensor) -> bool:
    """Whether the machine code serves: it is for CPUs, single precision and gradients of whole tables."""
    return all(t.device.type == "cpu" and t.dtype == torch.float32 and not is_row_sparse(t) for t in tensors)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, table: Tensor, rows: Tensor, sparse: bool) -> Tensor:
        ctx.save_for_backward(rows)
        ctx.table, ctx.sparse = table, sparse
        return table.index_select(0, rows.reshape(-1)).view(*rows.shape, *table.shape[1:])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, None, None]:
        rows, table = ctx.saved_tensors[0].reshape(-1), ctx.table
        gradient = gradient.reshape(len(rows), *table.shape[1:])
        if ctx.sparse:
            return torch.sparse_coo_tensor(rows.unsqueeze(0), gradient, table.shape, check_invariants=False), None, None
        into, to_table = _gradient_of(table)
        into.index_add_(0, rows, gradient)
        return to_table, None, None


class _PickedDots(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, towards: Tensor, table: Tensor, items: Tensor) -> Tensor:
        from rec_msa.recommenders.kernels import picked_scores

        ctx.save_for_backward(towards, items)
        ctx.table, scores = table, towards.new_empty(items.shape)
        picked_scores(*arrays(towards, table, items, scores))
        return scores

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor | None, None]:
        from rec_msa.recommenders.kernels import picked_gradients

        towards, items = ctx.saved_tensors
        to_towards, (into, to_table) = towards.new_zeros(towards.shape), _gradient_of(ctx.table)
        picked_gradients(*arrays(gradient, towards, ctx.table, items, to_towards, into))
        return to_towards, to_table, None


class _PickedAttendedDots(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, p: Tensor, towards: Tensor, table: Tensor, auxiliary: Tensor, w: Tensor, known: Tensor, items: Tensor
    ) -> tuple[Tensor, Tensor]:
        from rec_msa.recommenders.kernels import attended_scores

        scores, squares, shares = (p.new_empty(items.shape) for _ in range(3))
        slopes = p.new_empty(2, *items.shape)
        attended_scores(*arrays(p, towards, table, auxiliary, w, known, items, scores, squares, shares, slopes))
        ctx.save_for_backward(p, towards, auxiliary, w, items, shares, slopes)
        ctx.table = table
        return scores, squares

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_scores: Tensor, to_squares: Tensor) -> tuple[Tensor | None, ...]:
        from rec_msa.recommenders.kernels import attended_gradients

        p, towards, auxiliary, w, items, shares, slopes = ctx.saved_tensors
        to_p, to_towards, to_w = (vectors.new_zeros(vectors.shape) for vectors in (p, towards, w))
        into, to_table = _gradient_of(ctx.table)
        read = (to_scores, to_squares, p, towards, ctx.table, auxiliary, w, items, shares, slopes)
        attended_gradients(*arrays(*read, to_p, to_towards, into, to_w))
        return to_p, to_towards, to_table, None, to_w, None, None


class _PickedShares(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, p: Tensor, table: Tensor, auxiliary: Tensor, w: Tensor, known: Tensor, items: Tensor
    ) -> Tensor:
        from rec_msa.recommenders.kernels import attended_shares

        shares = p.new_empty(items.shape)
        attended_shares(*arrays(p, table, auxiliary, w, known, items, shares))
        ctx.save_for_backward(p, auxiliary, w, items, shares)
        ctx.table = table
        return shares

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_shares: Tensor) -> tuple[Tensor | None, ...]:
        from rec_msa.recommenders.kernels import share_gradients

        p, auxiliary, w, items, shares = ctx.saved_tensors
        to_logits = to_shares * shares * (1 - shares)
        to_p, to_w, (into, to_table) = p.new_zeros(p.shape), w.new_zeros(w.shape), _gradient_of(ctx.table)
        share_gradients(*arrays(to_logits, p, ctx.table, auxiliary, w, items, to_p, into, to_w))
        return to_p, to_table, None, to_w, None, None


class _HingeSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, better: Tensor, worse: Tensor, margin: float) -> Tensor:
        from rec_msa.recommenders.kernels import hinge_sum

        total, to_better, to_worse = (better.new_zeros(shape) for shape in (1, better.shape, worse.shape))
        hinge_sum(*arrays(better, worse), np.float32(margin), *arrays(total, to_better, to_worse))
        ctx.save_for_backward(to_better, to_worse)
        return total[0]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        to_better, to_worse = ctx.saved_tensors
        return gradient * to_better, gradient * to_worse, None


class _RegularisedDots(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, p: Tensor, q: Tensor, l2: float) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(p, q)
        ctx.l2 = l2
        penalty = p.new_zeros(())
        if l2:
            positives, both = q[:, 0].square().sum(), _squares(q)
            penalty = 0.5 * l2 * (_squares(p) + positives + (both - positives) / max(1, q.shape[1] - 1)) / len(p)
        return _row_dots(q, p), penalty

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_products: Tensor, to_penalty: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        p, q = ctx.saved_tensors
        weights = to_products.unsqueeze(-1)
        to_p = _weighted_sum(to_products, q) if ctx.needs_input_grad[0] else None
        to_q = weights * p.unsqueeze(1) if ctx.needs_input_grad[1] else None
        if ctx.l2:
            pull = to_penalty * ctx.l2 / len(p)
            if to_p is not None:
                to_p.addcmul_(p, pull)
            if to_q is not None:
                negatives = pull / max(1, q.shape[1] - 1)
                to_q.addcmul_(q, negatives)
                to_q[:, 0].addcmul_(q[:, 0], pull - negatives)
        return to_p, to_q, None


class _Attend(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, p: Tensor, q_c: Tensor, q_a: Tensor, w: Tensor, known: Tensor) -> Tensor:
        active, preferred, share = _shares(p, q_c, q_a, w, known)
        apart = q_c - q_a
        ctx.save_for_backward(p, w, active, preferred, share, apart)
        return torch.addcmul(q_a, share.unsqueeze(-1), apart)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, Tensor, None]:
        p, w, active, preferred, share, apart = ctx.saved_tensors
        # The fused vector is q_a + share (q_c - q_a), with share = sigmoid(logit) and logit = w . preferred. So the
        # gradient meets q_c twice: by the share itself, and by the logit, where relu(p * q_c) lets it through.
        # Where the share is fixed at 1 its slope is 0, too.
        to_logit = (gradient * apart).sum(-1) * share * (1 - share)
        to_p, to_q, to_w = _through_shares(to_logit, p, w, active, preferred)
        return to_p, to_q.addcmul_(share.unsqueeze(-1), gradient), None, to_w, None


def _gradient_of(table: Tensor) -> tuple[Tensor, Tensor | None]:
    """Where a gradient of a table is added, and what a backward pass then returns for it.

    A table of zeros, filled and then added to the one that is there, would be most of a small step.
    """
    if table.is_leaf and table.grad is not None:
        return table.grad, None
    zeros = table.new_zeros(table.shape)
    return zeros, zeros


def arrays(*tensors: Tensor) -> list[np.ndarray]:
    """What compiled code reads; what it writes into must be contiguous already."""
    return [tensor.detach().contiguous().numpy() for tensor in tensors]


def _shares(p: Tensor, q_c: Tensor, q_a: Tensor, w: Tensor, known: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """relu(p * q_c), what it has more than relu(p * q_a), and the weight of q_c ``[batch, m]``."""
    active, preferred = torch.relu_(p.unsqueeze(1) * q_c), torch.relu_(p.unsqueeze(1) * q_a)
    torch.sub(active, preferred, out=preferred)
    return active, preferred, torch.where(known, torch.sigmoid(preferred @ w), 1.0)


def _through_shares(
    to_logit: Tensor, p: Tensor, w: Tensor, active: Tensor, preferred: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients in p, q_c and w that come by the logit of a share.

    relu(p * q) is p times its slope in p, so the slope is read off the value: by w / p sums of relu(p * q) become it.
    Where p is too small to divide by, it counts as 0, as it does at p = 0.
    """
    to_p = _weighted_sum(to_logit, preferred) * torch.where(p.abs() < TINY, 0.0, w / p)
    to_q = torch.ops.aten.threshold_backward(to_logit.unsqueeze(-1) * (p * w).unsqueeze(1), active, 0)
    return to_p, to_q, to_logit.reshape(-1) @ preferred.reshape(-1, len(w))


def _row_dots(vectors: Tensor, towards: Tensor) -> Tensor:
    """Dot products of ``[batch, m, d]`` with ``[batch, d]``: ``[batch, m]``. A batch of products takes longer."""
    return (towards.unsqueeze(1) * vectors).sum(-1)


def _weighted_sum(weights: Tensor, vectors: Tensor) -> Tensor:
    """Sums of vectors ``[batch, m, d]`` by weights ``[batch, m]``: ``[batch, d]``, with no product kept for all m."""
    if vectors.shape[1] > FEW:
        return torch.bmm(weights.unsqueeze(1), vectors).squeeze(1)
    total = vectors[:, 0] * weights[:, :1]
    for place in range(1, vectors.shape[1]):
        total.addcmul_(vectors[:, place], weights[:, place : place + 1])
    return total


def _squares(vectors: Tensor) -> Tensor:
    """The sum of squares."""
    flat = vectors.reshape(-1)
    return torch.dot(flat, flat)
