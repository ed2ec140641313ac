"""Softmax cross-entropy over the whole catalogue without a matrix of all scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from rec_msa.recommenders.lookups import arrays, is_compiled

if TYPE_CHECKING:
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
    parameters = [parameter for parameter in table.parameters() if parameter.requires_grad]
    loss: Tensor = _ChunkedCrossEntropy.apply(table, targets, states, *parameters)  # type: ignore[no-untyped-call]
    return loss


class _ChunkedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, table: ItemTable, targets: Tensor, states: Tensor, *parameters: Tensor) -> Tensor:
        # Each chunk adds to the gradient of every item: a chunk of fewer states than dimensions costs more in that.
        size = max(states.shape[1], SCORES_AT_ONCE // len(table.weight))
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

        size, total = max(states.shape[1], SCORES_AT_ONCE // len(vectors)), 0.0
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
