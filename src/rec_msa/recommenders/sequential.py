"""What sequential recommenders share: a user is the state that an encoder reaches after the items of a history."""

from __future__ import annotations

import copy
from abc import abstractmethod
from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor
from torch.nn import functional as F

from rec_msa.foundation.lists import PADDING
from rec_msa.recommenders.base import FusableRecommender, squared_norms
from rec_msa.recommenders.items import ItemTable

if TYPE_CHECKING:
    import pandas as pd

    from rec_msa.recommenders.settings import SequentialSettings


class SequentialRecommender(FusableRecommender):
    """A causal encoder of item sequences; its state takes the part of a user's vector, r_ij = state_i . q_j.

    The encoder reads the items' own vectors q^c; fusion acts on the candidates alone. Sequences begin at place 0 and
    are filled up with ``PADDING`` at their end. A state depends on its own place and the ones before it, so padding
    changes no state that is used, and one pass over a sequence serves all of its prefixes.
    """

    settings: SequentialSettings
    histories: Tensor
    """The last items of each known user's history, the oldest first, ``[n_users, length]`` of int32."""

    def __init__(self, user_ids: Tensor, n_items: int, settings: SequentialSettings) -> None:
        super().__init__(user_ids, n_items, settings)
        self.items = ItemTable(n_items, settings.dimensions)
        self.register_buffer("histories", torch.full((self.n_users, settings.length), PADDING, dtype=torch.int32))

    @property
    def floats_per_score(self) -> int:
        # Full states with what makes them: about 16 numbers for each place and dimension.
        return super().floats_per_score + -(-16 * self.settings.length * self.settings.dimensions // self.n_items)

    @abstractmethod
    def states(self, sequences: Tensor, dropout: torch.Generator | None = None) -> Tensor:
        """The states ``[batch, l, d]`` after each item; those at padding, which may be any item, mean nothing.

        Sequences ``[batch, l]`` have at most ``settings.length`` items; without a stream there is no dropout.
        """

    def states_at(self, sequences: Tensor, places: Tensor, dropout: torch.Generator | None = None) -> Tensor:
        """``states`` of sequences ``[batch, l]`` at chosen places alone ``[batch, t]``: ``[batch, t, d]``."""
        states = self.states(sequences, dropout)
        return states.gather(1, places.unsqueeze(2).expand(-1, -1, states.shape[2]))

    @abstractmethod
    def next_item_loss(self, states: Tensor, targets: Tensor, negatives: Tensor) -> Tensor:
        """The loss of the items ``[n]`` that came next, a mean over states ``[n, d]``; negatives ``[n, n_sampled]``."""

    def last_states(self, sequences: Tensor, lengths: Tensor) -> Tensor:
        """The states ``[batch, d]`` after so many items, 1 or more ``[batch]``, of sequences ``[batch, l]``."""
        states = self.states(sequences)
        return states[torch.arange(len(states), device=states.device), lengths - 1]

    def embed(self, sequences: Tensor) -> Tensor:
        """The items' own vectors ``[batch, l, d]``."""
        return F.embedding(sequences, self.items.weight)

    def read(self, interactions: pd.DataFrame) -> None:
        rows, items = self.known_pairs(interactions)
        rows, order = torch.sort(rows, stable=True)
        items = items[order].int()
        counts = torch.bincount(rows, minlength=self.n_users)
        from_end = torch.cumsum(counts, 0)[rows] - 1 - torch.arange(len(rows), device=rows.device)
        kept = from_end < self.settings.length
        places = counts.clamp(max=self.settings.length)[rows] - 1 - from_end
        self.histories[counts > 0] = PADDING
        self.histories[rows[kept], places[kept]] = items[kept]

    def reading(self, sequences: Tensor) -> Self:
        """The same model, parameters shared, whose users 0 to n - 1 have these sequences as histories.

        They are padded at their end ``[n, l]``; of longer ones the last ``settings.length`` items are read.
        """
        length = self.settings.length
        sequences = sequences.to(self.device)
        lengths = (sequences != PADDING).sum(1, keepdim=True)
        places = (lengths - length).clamp(min=0) + torch.arange(length, device=self.device)
        padded = F.pad(sequences, (0, length), value=PADDING)
        view = copy.copy(self)
        view._buffers = dict(self._buffers)
        view.user_ids = torch.arange(len(sequences), device=self.device)
        view.histories = padded.gather(1, places).int()
        return view

    def user_states(self, users: Tensor) -> Tensor:
        """The states after the histories of rows ``[batch]``: ``[batch, d]``; zero where a history is empty."""
        users, order = torch.sort(users)  # rounding differs from order to order, and published results have this one
        histories = self.histories[users].long()
        lengths = (histories != PADDING).sum(1)
        if self.on_cpu and len(users):  # a GPU would have to be waited for to say how much of it is padding
            histories = histories[:, : max(1, int(lengths.max()))]
        states = self.last_states(histories.clamp(min=0), lengths.clamp(min=1))
        return (states * (lengths > 0).unsqueeze(1))[torch.argsort(order)]

    def loss(self, users: Tensor, positives: Tensor, negatives: Tensor) -> Tensor:
        return self.sequence_loss(self.user_states(users), positives, negatives)

    def sequence_loss(self, states: Tensor, targets: Tensor, negatives: Tensor) -> Tensor:
        """``next_item_loss`` and L2 of the vectors that took part."""
        loss = self.next_item_loss(states, targets, negatives)
        if self.settings.l2:
            loss = loss + 0.5 * self.settings.l2 * squared_norms(states, F.embedding(targets, self.items.weight))
        return loss

    def score_pairs(self, users: Tensor, items: Tensor) -> Tensor:
        return self.score_candidates(self.user_states(users), items)

    def score_candidates(self, states: Tensor, items: Tensor) -> Tensor:
        """Scores of chosen items: states ``[batch, d]`` and items ``[batch, m]`` give ``[batch, m]``."""
        return self.items.pair_products(states, states, items)

    def score_all(self, users: Tensor) -> Tensor:
        return self.score_states(self.user_states(users))

    def score_states(self, states: Tensor) -> Tensor:
        """Scores of the full catalogue: states ``[batch, d]`` give ``[batch, n_items]``."""
        return self.items.products(states, states)


def dropped(x: Tensor, rate: float, stream: torch.Generator | None) -> Tensor:
    """Sets a share of numbers to zero and scales the others up; torch's own dropout has no stream of its own.

    Without a stream, which is on the device of x, x stays as it is.
    """
    if stream is None or rate == 0:
        return x
    # Four chances of 16 bits from one number of 64: a draw for each would take longer than the layer that it thins.
    drawn = torch.empty(-(-x.numel() // 4), dtype=torch.int64, device=x.device).random_(
        -(2**63), None, generator=stream
    )
    chances = drawn.view(torch.int16)[: x.numel()].view_as(x)
    kept = (chances >= round(rate * 2**16) - 2**15).to(x.dtype)
    return x * kept.mul_(1 / (1 - rate))
