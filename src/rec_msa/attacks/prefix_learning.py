"""Lists served after every prefix of made-up sequences as training terms, and the agreement that stops it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from rec_msa.attacks.held_back import prefix_places_held_back
from rec_msa.attacks.list_learning import ListProbe, ListTask
from rec_msa.foundation.errors import DataError, SettingsError
from rec_msa.foundation.lists import PADDING
from rec_msa.recommenders.ranking import best_after
from rec_msa.recommenders.sequential import SequentialRecommender
from rec_msa.training.device import sent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rec_msa.attacks.list_learning import Losses, Pairs
    from rec_msa.attacks.prefixes import PrefixLists
    from rec_msa.attacks.settings import StealSettings
    from rec_msa.recommenders.base import Recommender
    from rec_msa.training.fit import Batch

PREFIXES_AT_ONCE = 5
"""Prefixes of each sequence in a step: so a batch of lists is of several sequences."""
MOST_PROBED = 20
"""Sequences whose lists decide when to stop, at the most: a thousand lists say enough, and each look costs time."""


class _Prefixes:
    """Sequences and lists as tensors on the model's device.

    Attributes:
        sequences: Items ``[n, length]``, -1 at the end of shorter ones.
        lists: Items ``[n, length, k]``, -1 where there is none.
    """

    def __init__(self, model: SequentialRecommender, prefixes: PrefixLists) -> None:
        self.sequences = torch.from_numpy(prefixes.sequences).long().to(model.device)
        self.lists = torch.from_numpy(prefixes.lists).long().to(model.device)

    @cached_property
    def own(self) -> tuple[Tensor, Tensor]:
        """Every item that is in a prefix: prefixes ``[n_pairs]`` (sequence x length + place), items ``[n_pairs]``."""
        n, length = self.sequences.shape
        inside = torch.tril(torch.ones(length, length, device=self.sequences.device))
        row, end, place = inside.expand(n, -1, -1).nonzero().T
        there = self.sequences[row, end] != PADDING
        row, end, place = row[there], end[there], place[there]
        return row * length + end, self.sequences[row, place]

    @cached_property
    def listed(self) -> tuple[Tensor, Tensor]:
        """The same of every item in a prefix's list."""
        row, end, place = (self.lists != PADDING).nonzero().T
        return row * self.lists.shape[1] + end, self.lists[row, end, place]

    @property
    def known(self) -> Pairs:
        """Both: what is no negative after a prefix."""
        rows, items = (torch.cat(pair) for pair in zip(self.own, self.listed, strict=True))
        return rows, items


class PrefixStealTask(ListTask):
    """Lists over all prefixes of made-up sequences; one pass serves those of a sequence.

    Negatives lie outside the list and the sequence so far. An epoch takes every list once, those of a few prefixes of
    each sequence in a step; one that covers with its sequence the whole catalogue is not learnt.

    Args:
        taught: The sequences with the places of their lists to learn.
        served: The same with whole lists, which are no negatives.

    Raises:
        DataError: Every list covers with its sequence the whole catalogue.
    """

    def __init__(
        self,
        model: SequentialRecommender,
        taught: PrefixLists,
        served: PrefixLists,
        probe: PrefixProbe,
        settings: StealSettings,
        losses: Losses,
    ) -> None:
        self.model, self.data, whole = model, _Prefixes(model, taught), _Prefixes(model, served)
        super().__init__(model.n_items, whole.known, whole.sequences.numel(), probe, settings, losses)
        self.data.lists[(self.sampler.unseen == 0).view(self.data.sequences.shape)] = PADDING
        self.asked = (self.data.lists != PADDING).any(dim=2).flatten().cpu()
        self.n_terms = int((self.data.lists != PADDING).sum())
        if not self.n_terms:
            msg = "each served list covers with its sequence the whole catalogue, so nothing is a negative"
            raise DataError(f"list_length: {msg}")
        self.dropout = torch.Generator(device=model.device)

    def epoch(self, batch_size: int, generator: torch.Generator) -> Iterator[Batch]:
        """Yields (sequences ``[b]``, ends ``[b, t]``, which of them ``[n]`` of b x t, dropout seed, lists, negatives).

        A prefix without a list is not learnt; the n that have one have lists ``[n, k]`` and negatives ``[n, m]``.
        """
        n, length, k = self.data.lists.shape
        order = torch.rand((n, length), generator=generator).argsort(dim=1)
        per_step = max(1, batch_size // (PREFIXES_AT_ONCE * k))
        for places in order.split(PREFIXES_AT_ONCE, dim=1):
            for chosen in torch.randperm(n, generator=generator).split(per_step):
                ends = places[chosen]
                which, lists, negatives = self._terms(chosen, ends, generator)
                if len(which):
                    seed = torch.randint(2**62, (), generator=generator)
                    yield *(sent(one, lists.device) for one in (chosen, ends)), which, seed, lists, negatives

    def _terms(self, chosen: Tensor, ends: Tensor, generator: torch.Generator) -> Batch:
        prefixes = (chosen.unsqueeze(1) * self.data.sequences.shape[1] + ends).flatten()
        which, lists = self.asked[prefixes].nonzero().flatten(), self.data.lists.flatten(0, 1)
        which, prefixes = (sent(one, lists.device) for one in (which, prefixes[which]))
        return which, lists[prefixes], self.sampler.draw(prefixes, self.settings.negatives, generator)

    def score(self, contexts: Sequence[Tensor], items: Tensor) -> Tensor:
        """Scores after prefixes; dropout is that of the batch, however often it is scored."""
        chosen, ends, which, seed = contexts
        self.dropout.manual_seed(int(seed))
        states = self.model.states_at(self.data.sequences[chosen].clamp(min=0), ends, self.dropout)
        return self.model.score_candidates(states.flatten(0, 1)[which], items)


class PrefixProbe(ListProbe):
    """Agreement with places of lists held back; the sequence so far and the taught places are left out of both.

    Of the sequences held back a list without any place is not asked for; taught are the same sequences.
    """

    def __init__(self, model: SequentialRecommender, held_back: PrefixLists, taught: PrefixLists) -> None:
        self.model, self.data = model, _Prefixes(model, held_back)
        k = int((held_back.lists != PADDING).sum(axis=2).max(initial=0))
        super().__init__(model.n_items, self.data.listed, _Prefixes(model, taught).known, k, start_counts=False)

    @torch.no_grad()
    def best(self) -> Tensor:
        states = self.model.states(self.data.sequences.clamp(min=0)).flatten(0, 1)[self.asked]
        return best_after(self.model, states, self.excluded, self.k, fill=self.n_items)


def prefix_task(
    model: Recommender, served: PrefixLists, settings: StealSettings, losses: Losses, seed: int
) -> PrefixStealTask:
    """What a fresh sequential clone learns from lists served after made-up sequences.

    Raises:
        SettingsError: The clone's architecture reads no sequences, or shorter ones than were made.
        DataError: The lists have fewer than two places.
    """
    if not isinstance(model, SequentialRecommender) or model.settings.length < served.sequences.shape[1]:
        msg = f"clone: {model.name} must read sequences of {served.sequences.shape[1]} items to learn from them"
        raise SettingsError(msg)
    taught, held_back = prefix_places_held_back(served, settings.held_back_places, seed)
    probed = np.arange(min(MOST_PROBED, len(served.sequences)))
    probe = PrefixProbe(model, held_back.take(probed), taught.take(probed))
    return PrefixStealTask(model, taught, served, probe, settings, losses)
