"""GRU4Rec: Hidasi et al., "Session-based recommendations with recurrent neural networks", ICLR 2016 (arXiv 1511.06939).

Differs from the paper: item vectors are embedded and shared between input and output, the loss is the softmax
cross-entropy over the whole catalogue or over sampled items (the paper's are BPR and TOP1 over a batch's items), and
histories are cut into windows that each start from a zero state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rec_msa.recommenders.base import draw_uniform
from rec_msa.recommenders.cross_entropy import catalogue_cross_entropy
from rec_msa.recommenders.sequential import SequentialRecommender, dropped
from rec_msa.recommenders.settings import Gru4recSettings

if TYPE_CHECKING:
    from rec_msa.recommenders.settings import RecommenderSettings


class Gru4rec(SequentialRecommender):
    """One layer of gated recurrent units over a history, r_ij = (W h_i + b) . q_j with its last hidden state h_i."""

    name = "gru4rec"
    settings_class = Gru4recSettings
    settings: Gru4recSettings

    def __init__(self, user_ids: Tensor, n_items: int, settings: RecommenderSettings) -> None:
        super().__init__(user_ids, n_items, settings)
        self.gru = nn.GRU(settings.dimensions, self.settings.hidden, batch_first=True)
        self.projection = nn.Linear(self.settings.hidden, settings.dimensions)

    def _draw(self, generator: torch.Generator) -> None:
        self.items.initialise(generator)
        draw_uniform(self.settings.hidden, generator, *self.gru.parameters())
        draw_uniform(self.settings.hidden, generator, *self.projection.parameters())

    def states(self, sequences: Tensor, dropout: torch.Generator | None = None) -> Tensor:
        hidden, _ = self.gru(dropped(self.embed(sequences), self.settings.dropout, dropout))
        states: Tensor = self.projection(hidden)
        return states

    def next_item_loss(self, states: Tensor, targets: Tensor, negatives: Tensor) -> Tensor:
        if self.settings.loss == "full":
            return catalogue_cross_entropy(self.items, states, targets)
        scores = self.score_candidates(states, torch.cat([targets.unsqueeze(1), negatives], dim=1))
        return F.cross_entropy(scores, torch.zeros_like(targets))
