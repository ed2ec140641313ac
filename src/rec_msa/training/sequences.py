"""Learning from sequences: every place of every history predicts the next item, in one pass over windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rec_msa.foundation.errors import DataError
from rec_msa.training.device import sent
from rec_msa.training.negatives import NegativeSampler
from rec_msa.training.probes import RECALL_AT, RecallProbe

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from rec_msa.recommenders.sequential import SequentialRecommender
    from rec_msa.training.fit import Batch


class SequenceTask:
    """Windows of histories with the item after each place, and Recall@50 on interactions held back.

    An epoch cuts each history anew into windows of the model's length, from a random start, so that every place is
    learned from once; the items before a window are not seen. Windows of a batch are about equally long, so there is
    next to no padding. The model reads the training interactions (columns user, item), each user's rows in the order
    of the sequence, as its users' histories.

    Raises:
        DataError: No user has two interactions and an item left unseen.
    """

    measure = f"recall@{RECALL_AT}"
    start_counts = True

    def __init__(self, model: SequentialRecommender, train: pd.DataFrame, held_back: pd.DataFrame) -> None:
        self.model = model
        model.read(train)
        rows, items = model.pairs(train)
        self.sampler = NegativeSampler(rows, items, model.n_users, model.n_items)
        ordered, order = torch.sort(rows, stable=True)
        self.items = items[order]
        # Windows are cut on the CPU: a GPU would have to say how many there are, and how long the longest is.
        self.rows = ordered.cpu()
        counts = torch.bincount(self.rows, minlength=model.n_users)
        self.starts = torch.cumsum(counts, 0) - counts
        # A user who has seen everything has no negatives.
        self.n_places = (counts - 1).clamp(min=0) * (self.sampler.unseen > 0).cpu()
        self.n_terms = int(self.n_places.sum())
        if not self.n_terms:
            msg = "nothing to train on: no user has two interactions, one after the other, and an item left unseen"
            raise DataError(msg)
        self.dropout = torch.Generator(device=model.device)
        self.validation = RecallProbe(model, train, held_back)

    def epoch(self, batch_size: int, generator: torch.Generator) -> Iterator[Batch]:
        """Yields windows (first places ``[n]``, lengths ``[n]``), negatives ``[places, m]`` and a seed for dropout.

        So many places learn in one step, up to one window more.
        """
        start, length = self._windows(generator)
        order = torch.randperm(len(start), generator=generator)
        order = order[torch.argsort(length[order], stable=True)]
        start, length = start[order], length[order]
        batch = torch.div(torch.cumsum(length, 0) - 1, batch_size, rounding_mode="floor")
        sizes = torch.unique_consecutive(batch, return_counts=True)[1].tolist()
        parts = list(zip(start.split(sizes), length.split(sizes), strict=True))
        for place in torch.randperm(len(parts), generator=generator).tolist():
            part = parts[place]
            rows = self.rows[part[0]].repeat_interleave(part[1])
            negatives = self.sampler.draw(sent(rows, self.items.device), self.model.settings.n_sampled, generator)
            yield *part, negatives, torch.randint(2**62, (), generator=generator)

    def _windows(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """First place in ``items`` and length of each window ``[n_windows]``."""
        longest = self.model.settings.length
        offset = torch.randint(longest, (len(self.n_places),), generator=generator)
        offset = torch.where(self.n_places > longest, offset, 0)
        # Windows follow one another without a gap: the first ends at the offset, so that it begins before place 0.
        first = torch.where(offset > 0, offset - longest, 0)
        counts = torch.div(self.n_places - first + longest - 1, longest, rounding_mode="floor")
        row = torch.repeat_interleave(counts)
        nth = torch.arange(len(row)) - (torch.cumsum(counts, 0) - counts)[row]
        begin = first[row] + nth * longest
        # What lies outside the history, before its first window or behind its last, is cut off.
        end = torch.minimum(begin + longest, self.n_places[row])
        begin = begin.clamp(min=0)
        return self.starts[row] + begin, end - begin

    def loss(self, batch: Batch) -> Tensor:
        """The recommender's own loss of the items after each place."""
        start, length, negatives, seed = batch
        self.dropout.manual_seed(int(seed))
        place = torch.arange(int(length.max()))
        inside = place < length.unsqueeze(1)
        index = sent(torch.where(inside, start.unsqueeze(1) + place, 0), self.items.device)
        used = sent(inside.flatten().nonzero().squeeze(1), self.items.device)
        states = self.model.states(self.items[index], self.dropout).flatten(0, 1).index_select(0, used)
        return self.model.sequence_loss(states, self.items[index.flatten()[used] + 1], negatives)

    def quality(self) -> float:
        return self.validation()
