"""STAMP: Liu et al., "STAMP: short-term attention/memory priority model for session-based recommendation", KDD 2018.

Differs from the paper: candidates are scored by the product itself, without the sigmoid before the softmax, which
bounds every logit to (0, 1) and keeps the softmax from becoming sharp; the loss is the next item's -ln y alone, without
the other items' -ln(1 - y).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from rec_msa.recommenders.cross_entropy import catalogue_cross_entropy
from rec_msa.recommenders.lookups import arrays, draw_uniform, is_compiled
from rec_msa.recommenders.sequential import SequentialRecommender

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rec_msa.recommenders.settings import StampSettings

GATES_AT_ONCE = 2**19
"""Numbers of a block of attention, 2 MiB: of 2**15 to 2**21 the fastest for 41 sequences, and nearly so for 8."""


class Stamp(SequentialRecommender):
    """Attention over a history, asked by its last item and its mean; r_ij = (h_s * h_t) . q_j.

    With x_i the items' vectors and m_s = mean(x_1 .. x_t): a_i = w_0 . sigmoid(W_1 x_i + W_2 x_t + W_3 m_s + b_a)
    without a softmax, m_a = sum_i a_i x_i (Eq. 7, 8), h_s = tanh(W_s m_a + b_s), h_t = tanh(W_t x_t + b_t) (Eq. 9).
    Trained by the softmax cross-entropy over the whole catalogue.
    """

    name = "stamp"
    settings: StampSettings

    def __init__(self, user_ids: Tensor, n_items: int, settings: StampSettings) -> None:
        super().__init__(user_ids, n_items, settings)
        d = settings.dimensions
        self.w_0 = nn.Parameter(torch.zeros(d))
        self.w_1, self.w_2 = nn.Linear(d, d, bias=False), nn.Linear(d, d, bias=False)
        self.w_3 = nn.Linear(d, d)
        self.w_s, self.w_t = nn.Linear(d, d), nn.Linear(d, d)

    def _draw(self, generator: torch.Generator) -> None:
        self.items.initialise(generator)
        d = self.settings.dimensions
        draw_uniform(d, generator, self.w_0)
        for linear in (self.w_1, self.w_2, self.w_3, self.w_s, self.w_t):
            draw_uniform(d, generator, *linear.parameters())

    def states(self, sequences: Tensor, dropout: torch.Generator | None = None) -> Tensor:
        x = self.embed(sequences)
        return self._state(x, x, _means(x))

    def states_at(self, sequences: Tensor, places: Tensor, dropout: torch.Generator | None = None) -> Tensor:
        x = self.embed(sequences)
        chosen = places.unsqueeze(2).expand(-1, -1, x.shape[2])
        return self._state(x, x.gather(1, chosen), _means(x).gather(1, chosen), places)

    def last_states(self, sequences: Tensor, lengths: Tensor) -> Tensor:
        x = self.embed(sequences)
        inside = torch.arange(x.shape[1], device=x.device) < lengths.unsqueeze(1)
        mean = (x * inside.unsqueeze(2)).sum(1, keepdim=True) / lengths.view(-1, 1, 1)
        last = x[torch.arange(len(x), device=x.device), lengths - 1].unsqueeze(1)
        return self._state(x * inside.unsqueeze(2), last, mean).squeeze(1)

    def _state(self, x: Tensor, last: Tensor, mean: Tensor, places: Tensor | None = None) -> Tensor:
        """States of histories that end at several places.

        Args:
            x: The items' vectors, zeros at padding ``[batch, l, d]``.
            last: x_t of each end ``[batch, t, d]``.
            mean: m_s of each end ``[batch, t, d]``.
            places: The ends ``[batch, t]``; without, the last t places, one after the other.
        """
        m_a = attention(self.w_1(x), self.w_2(last) + self.w_3(mean), self.w_0, places) @ x
        return torch.tanh(self.w_s(m_a)) * torch.tanh(self.w_t(last))

    def next_item_loss(self, states: Tensor, targets: Tensor, negatives: Tensor) -> Tensor:
        return catalogue_cross_entropy(self.items, states, targets)


def _means(x: Tensor) -> Tensor:
    """The mean of each vector and those before it ``[batch, l, d]``."""
    n = torch.arange(1, x.shape[1] + 1, device=x.device)
    return torch.cumsum(x, dim=1) / n.unsqueeze(1)


def attention(keys: Tensor, asked: Tensor, w_0: Tensor, places: Tensor | None = None) -> Tensor:
    """w_0 . sigmoid(key + asked) for the items that each end has seen, 0 for later ones; its gradient is written out.

    All ends at once would hold a vector for each pair of an end and an item, far more than fits a core's cache, and
    work out those of later items, too.

    Args:
        keys: Of each item ``[batch, l, d]``.
        asked: Of each end ``[batch, t, d]``.
        places: The last item that an end has seen ``[batch, t]``; without, the last end has seen all items and each
            earlier one an item less.

    Returns:
        Weights ``[batch, t, l]``.
    """
    if is_compiled(keys, asked, w_0):
        return _CompiledAttention.apply(keys, asked, w_0, _seen(keys, asked, places))  # type: ignore[no-any-return, no-untyped-call]
    return _Attention.apply(keys, asked, w_0, places)  # type: ignore[no-any-return, no-untyped-call]


def _seen(keys: Tensor, asked: Tensor, places: Tensor | None) -> Tensor:
    """How many items each end has seen ``[batch, t]``."""
    (batch, n_items, _), n_ends = keys.shape, asked.shape[1]
    return (torch.arange(n_items - n_ends, n_items).expand(batch, -1) if places is None else places) + 1


class _CompiledAttention(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, keys: Tensor, asked: Tensor, w_0: Tensor, seen: Tensor) -> Tensor:
        from rec_msa.recommenders import stamp_kernels

        ctx.save_for_backward(keys, asked, w_0, seen)
        weights = keys.new_zeros(*asked.shape[:2], keys.shape[1])
        stamp_kernels.attention(*arrays(keys, asked, w_0, seen, weights))
        return weights

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        from rec_msa.recommenders import stamp_kernels

        keys, asked, w_0, seen = ctx.saved_tensors
        made = [one.new_zeros(one.shape) for one in (keys, asked, w_0)]
        stamp_kernels.attention_gradients(*arrays(gradient, keys, asked, w_0, seen, *made))
        to_keys, to_asked, to_w_0 = made
        return to_keys, to_asked, to_w_0, None


class _Attention(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, keys: Tensor, asked: Tensor, w_0: Tensor, places: Tensor | None) -> Tensor:
        n_items, n_ends = keys.shape[1], asked.shape[1]
        items = torch.arange(n_items, device=keys.device)
        later = items > (items[n_items - n_ends :] if places is None else places).unsqueeze(-1)
        ctx.save_for_backward(keys, asked, w_0, later)
        ctx.in_order = places is None
        weights = keys.new_zeros(len(keys), n_ends, n_items)
        for ends, seen in _blocks(keys, asked, ctx.in_order):
            weights[:, ends, :seen] = _gates(keys, asked, ends, seen) @ w_0
        return weights.masked_fill_(later, 0)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        keys, asked, w_0, later = ctx.saved_tensors
        gradient = gradient.masked_fill(later, 0)
        to_keys, to_asked, to_w_0 = torch.zeros_like(keys), torch.empty_like(asked), torch.zeros_like(w_0)
        for ends, seen in _blocks(keys, asked, ctx.in_order):
            gates, to_weights = _gates(keys, asked, ends, seen), gradient[:, ends, :seen]
            to_w_0 += to_weights.flatten() @ gates.flatten(0, 2)
            to_sums = torch.ops.aten.sigmoid_backward(to_weights.unsqueeze(3) * w_0, gates)
            to_keys[:, :seen] += to_sums.sum(1)
            to_asked[:, ends] = to_sums.sum(2)
        return to_keys, to_asked, to_w_0, None


def _blocks(keys: Tensor, asked: Tensor, in_order: bool) -> Iterator[tuple[slice, int]]:
    """Some ends at once, and the most items that one of them has seen."""
    n_items, n_ends = keys.shape[1], asked.shape[1]
    size = max(1, GATES_AT_ONCE // max(1, keys.numel()))
    for start in range(0, n_ends, size):
        stop = min(start + size, n_ends)
        yield slice(start, stop), n_items - n_ends + stop if in_order else n_items


def _gates(keys: Tensor, asked: Tensor, ends: slice, seen: int) -> Tensor:
    """Sigmoids ``[batch, ends, seen, d]``."""
    return (keys[:, :seen].unsqueeze(1) + asked[:, ends].unsqueeze(2)).sigmoid_()
