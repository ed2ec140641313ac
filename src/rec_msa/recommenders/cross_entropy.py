"""Softmax cross-entropy over the whole catalogue without a matrix of all scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from rec_msa.recommenders.lookups import arrays, is_compiled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rec_msa.recommenders.items import ItemTable

SCORES_AT_ONCE = 2**18
"""Scores of a chunk: 1 MiB, so that a chunk's softmax stays in a core's cache."""


def catalogue_cross_entropy(table: ItemTable, states: Tensor, targets: Tensor) -> Tensor:
    """Mean of -ln softmax(q . state)[target] over states ``[n, d]``, in chunks.

    Each chunk's gradient is worked out with its loss, so the scores of one chunk are all that is ever held.
    """
    vectors = table.for_all
    if vectors is not None and is_compiled(states, vectors):
        return _CompiledCrossEntropy.apply(vectors, states, targets)  # type: ignore[no-any-return, no-untyped-call]
    fusion = table.fusion
    if fusion is not None and is_compiled(states, fusion[0]):
        return _CompiledFusedCrossEntropy.apply(states, targets, *fusion)  # type: ignore[no-any-return, no-untyped-call]
    parameters = [parameter for parameter in table.parameters() if parameter.requires_grad]
    loss: Tensor = _ChunkedCrossEntropy.apply(table, targets, states, *parameters)  # type: ignore[no-untyped-call]
    return loss


def _states_at_once(states: Tensor, vectors: Tensor) -> int:
    """States of a chunk, at least as many as dimensions: each chunk adds to the gradient of every item."""
    return max(states.shape[1], SCORES_AT_ONCE // len(vectors))


class _ChunkedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, table: ItemTable, targets: Tensor, states: Tensor, *parameters: Tensor) -> Tensor:
        size = _states_at_once(states, table.weight)
        total: Tensor = states.new_zeros(())
        gradients = [torch.empty_like(states), *(torch.zeros_like(parameter) for parameter in parameters)]
        wanted = any(ctx.needs_input_grad)
        for part in (slice(start, start + size) for start in range(0, len(states), size)):
            with torch.set_grad_enabled(wanted):
                state = states[part].detach().requires_grad_(wanted)
                loss = F.cross_entropy(table.products(state, state), targets[part], reduction="sum")
            total += loss.detach()
            if wanted:
                gradients[0][part], *others = torch.autograd.grad(loss, [state, *parameters])
                torch._foreach_add_(gradients[1:], others)
        ctx.save_for_backward(*gradients)
        ctx.n = n = max(1, len(states))
        return total / n

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor | None, ...]:
        return None, None, *(gradient * (outer / ctx.n) for gradient in ctx.saved_tensors)


class _CompiledCrossEntropy(torch.autograd.Function):
    """The same for vectors that all users share, a chunk's scores turned into their slopes where they stand."""

    @staticmethod
    def forward(ctx: Any, vectors: Tensor, states: Tensor, targets: Tensor) -> Tensor:
        from rec_msa.recommenders.kernels import softmax_slopes

        size, total = _states_at_once(states, vectors), 0.0
        to_vectors, to_states = torch.zeros_like(vectors), torch.empty_like(states)
        room = states.new_empty(size, len(vectors))
        for state, to_state, target in zip(*(one.split(size) for one in (states, to_states, targets)), strict=True):
            scores = torch.mm(state, vectors.t(), out=room[: len(state)])
            total += softmax_slopes(*arrays(scores, scores.amax(1), target))
            torch.mm(scores, vectors, out=to_state)
            to_vectors.addmm_(scores.t(), state)
        ctx.save_for_backward(to_vectors, to_states)
        ctx.n = n = max(1, len(states))
        return states.new_tensor(total / n)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor, Tensor, None]:
        to_vectors, to_states = ctx.saved_tensors
        return to_vectors * (outer / ctx.n), to_states * (outer / ctx.n), None


class _CompiledFusedCrossEntropy(torch.autograd.Function):
    """The same where each user sees an attention over own and auxiliary vectors (``FusedItemTable``)."""

    @staticmethod
    def forward(
        ctx: Any, states: Tensor, targets: Tensor, own: Tensor, auxiliary: Tensor, w: Tensor, known: Tensor
    ) -> Tensor:
        # relu(p * q) w = |p| w relu(q) - relu(-p) w q, so the logit of a share is two matrix products.
        gates, apart = F.relu(own) - F.relu(auxiliary), own - auxiliary
        lengths, below = states.abs() * w, F.relu(-states) * w
        to_own, to_gates, to_apart = of_items = [torch.zeros_like(own) for _ in range(3)]
        to_states, to_lengths, to_below = of_states = [torch.empty_like(states) for _ in range(3)]
        size, total = _states_at_once(states, own), 0.0
        room = states.new_empty(3, size, len(own))
        tables = (own, auxiliary, gates, apart, known)
        for chunk in zip(*(one.split(size) for one in (targets, states, lengths, below, *of_states)), strict=True):
            total += _fused_chunk(tables, chunk[0], chunk[1:4], chunk[4:], of_items, room)
        to_own += to_gates * (own > 0) + to_apart
        to_w = (to_lengths * states.abs()).sum(0) - (to_below * F.relu(-states)).sum(0)
        to_states += w * (to_lengths * states.sign() + to_below * (states < 0))
        ctx.save_for_backward(to_states, to_own, to_w)
        ctx.n = n = max(1, len(states))
        return states.new_tensor(total / n)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor | None, ...]:
        to_states, to_own, to_w = (one * (outer / ctx.n) for one in ctx.saved_tensors)
        return to_states, None, to_own, None, to_w, None


def _fused_chunk(
    tables: Sequence[Tensor],
    target: Tensor,
    states: Sequence[Tensor],
    to_states: Sequence[Tensor],
    to_items: Sequence[Tensor],
    room: Tensor,
) -> float:
    """The loss of a chunk of n states, a sum; its gradient is put into ``to_states`` and added to ``to_items``.

    Args:
        tables: Own and auxiliary vectors, relu(own) - relu(auxiliary), own - auxiliary ``[n_items, d]``, and which
            auxiliary ones are known ``[n_items]``.
        target: The items that came next ``[n]``.
        states: The states, |states| w, and relu(-states) w ``[n, d]``.
        to_states: Of each of these its gradient ``[n, d]``, of the last with the sign turned round.
        to_items: Those of the own vectors, and of the third and fourth table ``[n_items, d]``.
        room: Room for what scores are made of ``[3, at least n, n_items]``.
    """
    from rec_msa.recommenders.kernels import fused_softmax_slopes

    (state, length, under), (to_state, to_length, to_under), (to_own, to_gates, to_apart) = states, to_states, to_items
    own, auxiliary, gates, apart, known = tables
    of_auxiliary, of_own, logits = (one[: len(state)] for one in room)
    torch.mm(state, auxiliary.t(), out=of_auxiliary)
    torch.mm(state, own.t(), out=of_own)
    torch.mm(length, gates.t(), out=logits).addmm_(under, apart.t(), alpha=-1)
    loss: float = fused_softmax_slopes(*arrays(of_auxiliary, of_own, logits, known, target))
    torch.mm(of_own, own, out=to_state).addmm_(of_auxiliary, auxiliary)
    torch.mm(logits, gates, out=to_length)
    torch.mm(logits, apart, out=to_under)
    to_own.addmm_(of_own.t(), state)
    to_gates.addmm_(logits.t(), length)
    to_apart.addmm_(logits.t(), under, alpha=-1)
    return loss
