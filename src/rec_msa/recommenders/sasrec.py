"""SASRec: Kang and McAuley, "Self-attentive sequential recommendation", ICDM 2018 (arXiv 1808.09781).

Differs from the paper: two attention heads instead of one, joined without another projection, and no mask of padding
(it stands at the end of a sequence, where a causal encoder does not see it); places are counted from a sequence's
start. Items' vectors are scaled by the root of d, a last norm follows the blocks, and attention weights and inner layer
are thinned by dropout, too: none of this is in the paper's equations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rec_msa.recommenders.base import cross_entropy
from rec_msa.recommenders.lookups import INITIAL_SCALE, draw_uniform
from rec_msa.recommenders.sequential import SequentialRecommender, dropped

if TYPE_CHECKING:
    from rec_msa.recommenders.settings import SasrecSettings


class Block(nn.Module):
    """Self-attention and a feed-forward network, each as x + dropout(g(norm(x))) (Eq. 2-5 of the paper)."""

    def __init__(self, d: int, heads: int, rate: float) -> None:
        super().__init__()
        self.heads, self.rate = heads, rate
        self.attention_norm, self.feed_norm = nn.LayerNorm(d), nn.LayerNorm(d)
        self.projections = nn.Linear(d, 3 * d, bias=False)
        self.inner, self.outer = nn.Linear(d, d), nn.Linear(d, d)

    def initialise(self, generator: torch.Generator) -> None:
        """Draws the weights; norms start as they are defined."""
        for norm in (self.attention_norm, self.feed_norm):
            norm.reset_parameters()
        for linear in (self.projections, self.inner, self.outer):
            draw_uniform(linear.in_features, generator, *linear.parameters())

    def forward(self, x: Tensor, later: Tensor, dropout: torch.Generator | None) -> Tensor:
        """States ``[batch, l, d]`` and the mask of later places ``[l, l]`` (-inf there, else 0) give new states."""
        x = x + dropped(self._attention(self.attention_norm(x), later, dropout), self.rate, dropout)
        hidden = dropped(F.relu(self.inner(self.feed_norm(x))), self.rate, dropout)
        return x + dropped(self.outer(hidden), self.rate, dropout)

    def _attention(self, x: Tensor, later: Tensor, dropout: torch.Generator | None) -> Tensor:
        batch, places, d = x.shape
        width = d // self.heads
        projected = self.projections(x).view(batch, places, 3, self.heads, width)
        query, key, value = projected.permute(2, 0, 3, 1, 4).unbind(0)
        logits = torch.matmul(query * width**-0.5, key.transpose(-1, -2)) + later
        weights = dropped(torch.softmax(logits, dim=-1), self.rate, dropout)
        return torch.matmul(weights, value).transpose(1, 2).reshape(batch, places, d)


class Sasrec(SequentialRecommender):
    """Causal self-attention over a history, r_ij = state_i . q_j.

    Trained at each place by -ln sigmoid(r_next) - ln(1 - sigmoid(r_negative)) (Eq. 7), divided by the number of terms.
    """

    name = "sasrec"
    settings: SasrecSettings

    def __init__(self, user_ids: Tensor, n_items: int, settings: SasrecSettings) -> None:
        super().__init__(user_ids, n_items, settings)
        d, ours = settings.dimensions, self.settings
        self.places = nn.Parameter(torch.zeros(ours.length, d))
        self.blocks = nn.ModuleList(Block(d, ours.heads, ours.dropout) for _ in range(ours.blocks))
        self.last_norm = nn.LayerNorm(d)

    def _draw(self, generator: torch.Generator) -> None:
        self.items.initialise(generator)
        nn.init.normal_(self.places, std=INITIAL_SCALE, generator=generator)
        for block in self.blocks:
            block.initialise(generator)  # type: ignore[operator]
        self.last_norm.reset_parameters()

    def states(self, sequences: Tensor, dropout: torch.Generator | None = None) -> Tensor:
        n = sequences.shape[1]
        x = self.embed(sequences) * self.settings.dimensions**0.5 + self.places[:n]
        x = dropped(x, self.settings.dropout, dropout)
        later = x.new_full((n, n), -torch.inf).triu_(1)
        for block in self.blocks:
            x = block(x, later, dropout)
        return self.last_norm(x)  # type: ignore[no-any-return]

    def next_item_loss(self, states: Tensor, targets: Tensor, negatives: Tensor) -> Tensor:
        scores = self.score_candidates(states, torch.cat([targets.unsqueeze(1), negatives], dim=1))
        return cross_entropy(scores)
