"""Learning from interactions: the model's own loss, stopped by Recall@50 on interactions held back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rec_msa.foundation.errors import DataError
from rec_msa.training.device import sent
from rec_msa.training.negatives import NegativeSampler
from rec_msa.training.probes import RECALL_AT, RecallProbe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from rec_msa.recommenders.base import DotLoss, GradientRecommender
    from rec_msa.training.fit import Batch

SHUFFLED_WHOLE = 1 << 20
"""Interactions up to which an epoch is shuffled as a whole."""

BLOCK = 1 << 18
"""Of more, those that are shuffled together; they are of the same two thousand users or so."""


class InteractionTask:
    """Batches of interactions with sampled negatives, and Recall@50 on interactions held back.

    Negatives lie outside the training interactions alone: held-back ones are possible negatives, else they would leak.
    The model reads the training interactions (columns user, item), where it knows users by them.

    Raises:
        DataError: There is no interaction, or every user has interacted with every item.
    """

    measure = f"recall@{RECALL_AT}"
    start_counts = True

    def __init__(self, model: GradientRecommender, train: pd.DataFrame, held_back: pd.DataFrame) -> None:
        self.model = model
        model.read(train)
        rows, items = model.pairs(train)
        rows, order = torch.sort(rows, stable=True)  # a sampler that goes through its keys in order has them in cache
        items = items[order]
        self.sampler = NegativeSampler(rows, items, model.n_users, model.n_items)
        useful = self.sampler.unseen[rows] > 0
        self.rows, self.items = rows[useful], items[useful]
        if not len(self.rows):
            msg = "nothing to train on: there are no interactions, or every user has interacted with every item"
            raise DataError(msg)
        self.n_terms = len(self.rows)
        self.validation = RecallProbe(model, train, held_back)

    def epoch(self, batch_size: int, generator: torch.Generator) -> Iterator[Batch]:
        """Yields (rows ``[batch]``, positives ``[batch]``, negatives ``[batch, n]``) in a new order.

        Of very many interactions it is a new order of blocks, and within each, so that a block's users stay in the
        processor's cache.
        """
        size = self.n_terms if self.n_terms <= SHUFFLED_WHOLE else max(1, BLOCK // batch_size) * batch_size
        blocks = list(zip(self.rows.split(size), self.items.split(size), strict=True))
        order = torch.randperm(len(blocks), generator=generator).tolist() if len(blocks) > 1 else [0]
        for rows, items in (blocks[place] for place in order):
            negatives = self.sampler.draw(rows, self.model.settings.n_sampled, generator)
            yield from shuffled((rows, items, negatives), batch_size, generator)

    def dot_loss(self) -> DotLoss | None:
        """What the model's loss is made of."""
        return self.model.dot_loss()

    def loss(self, batch: Batch) -> Tensor:
        return self.model.loss(*batch)

    def quality(self) -> float:
        return self.validation()


def shuffled(terms: Sequence[Tensor], batch_size: int, generator: torch.Generator) -> Iterator[Batch]:
    """Batches of an epoch's terms, tensors of one length, in a new order."""
    order = sent(torch.randperm(len(terms[0]), generator=generator), terms[0].device)
    yield from (tuple(values.index_select(0, batch) for values in terms) for batch in order.split(batch_size))
