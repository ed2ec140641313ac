"""GRU4Rec: Hidasi et al., "Session-based recommendations with recurrent neural networks", ICLR 2016 (arXiv 1511.06939).

Differs from the paper: item vectors are embedded and shared between input and output, the loss is the softmax
cross-entropy over the whole catalogue or over sampled items (the paper's are BPR and TOP1 over a batch's items), and
histories are cut into windows that each start from a zero state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from rec_msa.recommenders.cross_entropy import catalogue_cross_entropy
from rec_msa.recommenders.lookups import arrays, draw_uniform, is_compiled
from rec_msa.recommenders.sequential import SequentialRecommender, dropped

if TYPE_CHECKING:
    from rec_msa.recommenders.settings import Gru4recSettings


class Gru4rec(SequentialRecommender):
    """One layer of gated recurrent units over a history, r_ij = (W h_i + b) . q_j with its last hidden state h_i."""

    name = "gru4rec"
    settings: Gru4recSettings

    def __init__(self, user_ids: Tensor, n_items: int, settings: Gru4recSettings) -> None:
        super().__init__(user_ids, n_items, settings)
        self.gru = nn.GRU(settings.dimensions, self.settings.hidden, batch_first=True)
        self.projection = nn.Linear(self.settings.hidden, settings.dimensions)

    def _draw(self, generator: torch.Generator) -> None:
        self.items.initialise(generator)
        draw_uniform(self.settings.hidden, generator, *self.gru.parameters())
        draw_uniform(self.settings.hidden, generator, *self.projection.parameters())

    def states(self, sequences: Tensor, dropout: torch.Generator | None = None) -> Tensor:
        x = dropped(self.embed(sequences), self.settings.dropout, dropout)
        return self.projection(self._hidden(x))  # type: ignore[no-any-return]

    def _hidden(self, x: Tensor) -> Tensor:
        """The hidden state after each place ``[batch, l, hidden]``."""
        weight_in, weight, bias_in, bias = self.gru.all_weights[0]
        if not is_compiled(x, weight):
            return self.gru(x)[0]  # type: ignore[no-any-return]
        return recur(F.linear(x.transpose(0, 1), weight_in, bias_in), weight, bias).transpose(0, 1)

    def next_item_loss(self, states: Tensor, targets: Tensor, negatives: Tensor) -> Tensor:
        if self.settings.loss == "full":
            return catalogue_cross_entropy(self.items, states, targets)
        scores = self.score_candidates(states, torch.cat([targets.unsqueeze(1), negatives], dim=1))
        return F.cross_entropy(scores, torch.zeros_like(targets))


def recur(inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Gated recurrent units from a zero state, as ``torch.nn.GRU`` has them: their states ``[l, batch, hidden]``.

    Args:
        inputs: What the items say to the reset, update and new gates ``[l, batch, 3 hidden]``.
        weight: What the state before says to them ``[3 hidden, hidden]``.
        bias: Beside it ``[3 hidden]``.
    """
    return _Recur.apply(inputs, weight, bias)  # type: ignore[no-any-return, no-untyped-call]


class _Recur(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        from rec_msa.recommenders import gru_kernels

        inputs, hidden = inputs.contiguous(), weight.shape[1]
        places, batch, _ = inputs.shape
        states = inputs.new_zeros(places + 1, batch, hidden)
        told, gates = inputs.new_empty(places, batch, hidden), torch.empty_like(inputs)
        gru_kernels.recur(*arrays(inputs, weight.t(), bias, told, gates, states))
        ctx.save_for_backward(states, told, gates, weight)
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        from rec_msa.recommenders import gru_kernels

        states, told, gates, weight = ctx.saved_tensors
        to_inputs, to_said = torch.empty_like(gates), torch.empty_like(gates)
        gru_kernels.recur_back(*arrays(gradient, weight, told, gates, states, to_inputs, to_said))
        to_said = to_said.flatten(0, 1)
        return to_inputs, to_said.t() @ states[:-1].flatten(0, 1), to_said.sum(0)
