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
from rec_msa.recommenders.lookups import draw_uniform
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
        if not self.on_cpu:
            return self.gru(x)[0]  # type: ignore[no-any-return]
        weight_in, weight, bias_in, bias = self.gru.all_weights[0]
        return recur(F.linear(x, weight_in, bias_in), weight, bias)

    def next_item_loss(self, states: Tensor, targets: Tensor, negatives: Tensor) -> Tensor:
        if self.settings.loss == "full":
            return catalogue_cross_entropy(self.items, states, targets)
        scores = self.score_candidates(states, torch.cat([targets.unsqueeze(1), negatives], dim=1))
        return F.cross_entropy(scores, torch.zeros_like(targets))


def recur(inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Gated recurrent units from a zero state, as ``torch.nn.GRU`` has them, with their gradient written out.

    On a CPU torch keeps each of some twenty small steps of a place for its own gradient; most of the time goes there.

    Args:
        inputs: What the items say to the reset, update and new gates ``[batch, l, 3 hidden]``.
        weight: What the state before says to them ``[3 hidden, hidden]``.
        bias: Beside it ``[3 hidden]``.
    """
    return _Recur.apply(inputs.transpose(0, 1), weight, bias).transpose(0, 1)  # type: ignore[no-any-return, no-untyped-call]


class _Recur(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        places, batch, hidden = len(inputs), inputs.shape[1], weight.shape[1]
        states = inputs.new_zeros(places + 1, batch, hidden)
        said, gates = torch.empty_like(inputs), inputs.new_empty(places, batch, 2 * hidden)
        new = inputs.new_empty(places, batch, hidden)
        to_gates, to_new = (part.unbind(0) for part in inputs.split((2 * hidden, hidden), dim=2))
        said_to_gates, said_to_new = (part.unbind(0) for part in said.split((2 * hidden, hidden), dim=2))
        reset, update = (part.unbind(0) for part in gates.chunk(2, dim=2))
        gate, candidate, state, weight_t = gates.unbind(0), new.unbind(0), states.unbind(0), weight.t()
        for t, spoken in enumerate(said.unbind(0)):
            torch.addmm(bias, state[t], weight_t, out=spoken)
            torch.add(to_gates[t], said_to_gates[t], out=gate[t]).sigmoid_()
            torch.addcmul(to_new[t], reset[t], said_to_new[t], out=candidate[t]).tanh_()
            torch.lerp(candidate[t], state[t], update[t], out=state[t + 1])
        ctx.save_for_backward(states, said[:, :, 2 * hidden :], gates, new, weight)
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        states, said, gates, new, weight = ctx.saved_tensors
        reset, update = gates.chunk(2, dim=2)
        before = states[:-1]
        # The slopes of a state in what is said to each of its gates.
        of_new = (1 - update) * (1 - new * new)
        of_reset, of_update = of_new * said * reset * (1 - reset), (before - new) * update * (1 - update)
        slopes = torch.stack([of_reset, of_update, of_new * reset], dim=2)
        pulls, to_said = torch.empty_like(new), torch.empty_like(slopes)
        carried = torch.zeros_like(new[0])
        steps = (gradient, pulls, pulls.unsqueeze(2), slopes, to_said, to_said.flatten(2), update)
        for given, pull, wide, slope, said_pull, flat, kept in reversed(
            list(zip(*(s.unbind(0) for s in steps), strict=True))
        ):
            torch.add(given, carried, out=pull)
            torch.mul(slope, wide, out=said_pull)
            torch.addmm(pull * kept, flat, weight, out=carried)
        to_weight = to_said.flatten(2).flatten(0, 1).t() @ before.flatten(0, 1)
        to_bias = to_said.sum((0, 1)).flatten()
        to_said[:, :, 2] = of_new * pulls
        return to_said.flatten(2), to_weight, to_bias
