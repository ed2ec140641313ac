"""STAMP: Liu et al., "STAMP: short-term attention/memory priority model for session-based recommendation", KDD 2018.

Differs from the paper: candidates are scored by the product itself, without the sigmoid before the softmax, which
bounds every logit to (0, 1) and keeps the softmax from becoming sharp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from rec_msa.recommenders.base import draw_uniform
from rec_msa.recommenders.cross_entropy import catalogue_cross_entropy
from rec_msa.recommenders.sequential import SequentialRecommender
from rec_msa.recommenders.settings import StampSettings

if TYPE_CHECKING:
    from rec_msa.recommenders.settings import RecommenderSettings


class Stamp(SequentialRecommender):
    """Attention over a history, asked by its last item and its mean; r_ij = (h_s * h_t) . q_j.

    With x_i the items' vectors and m_s = mean(x_1 .. x_t): a_i = w_0 . sigmoid(W_1 x_i + W_2 x_t + W_3 m_s + b_a)
    without a softmax, m_a = sum_i a_i x_i (Eq. 7, 8), h_s = tanh(W_s m_a + b_s), h_t = tanh(W_t x_t + b_t) (Eq. 9).
    Trained by the softmax cross-entropy over the whole catalogue.
    """

    name = "stamp"
    settings_class = StampSettings
    settings: StampSettings

    def __init__(self, user_ids: Tensor, n_items: int, settings: RecommenderSettings) -> None:
        super().__init__(user_ids, n_items, settings)
        d = settings.dimensions
        self.w_0 = nn.Parameter(torch.zeros(d))
        self.w_1, self.w_2 = nn.Linear(d, d, bias=False), nn.Linear(d, d, bias=False)
        self.w_3 = nn.Linear(d, d)
        self.w_s, self.w_t = nn.Linear(d, d), nn.Linear(d, d)

    def _draw(self, generator: torch.Generator) -> None:
        self.items.initialise(generator)
        d = self.settings.dimensions
        nn.init.uniform_(self.w_0, -(d**-0.5), d**-0.5, generator=generator)
        for linear in (self.w_1, self.w_2, self.w_3, self.w_s, self.w_t):
            draw_uniform(d, generator, *linear.parameters())

    def states(self, sequences: Tensor, dropout: torch.Generator | None = None) -> Tensor:
        x = self.embed(sequences)
        n = torch.arange(1, x.shape[1] + 1, device=x.device)
        earlier = n.unsqueeze(0) <= n.unsqueeze(1)
        return self._state(x, x, torch.cumsum(x, dim=1) / n.unsqueeze(1), earlier)

    def last_states(self, sequences: Tensor, lengths: Tensor) -> Tensor:
        x = self.embed(sequences)
        inside = torch.arange(x.shape[1], device=x.device) < lengths.unsqueeze(1)
        mean = (x * inside.unsqueeze(2)).sum(1, keepdim=True) / lengths.view(-1, 1, 1)
        last = x[torch.arange(len(x), device=x.device), lengths - 1].unsqueeze(1)
        return self._state(x, last, mean, inside.unsqueeze(1)).squeeze(1)

    def _state(self, x: Tensor, last: Tensor, mean: Tensor, seen: Tensor) -> Tensor:
        """States of histories that end at several places.

        Args:
            x: The items' vectors ``[batch, l, d]``.
            last: x_t of each end ``[batch, t, d]``.
            mean: m_s of each end ``[batch, t, d]``.
            seen: Which items each end has seen, ``[batch or 1, t, l]``.
        """
        asked = self.w_2(last) + self.w_3(mean)
        a = torch.sigmoid(self.w_1(x).unsqueeze(1) + asked.unsqueeze(2)) @ self.w_0
        m_a = (a * seen) @ x
        return torch.tanh(self.w_s(m_a)) * torch.tanh(self.w_t(last))

    def next_item_loss(self, states: Tensor, targets: Tensor, negatives: Tensor) -> Tensor:
        return catalogue_cross_entropy(self.items, states, targets)
