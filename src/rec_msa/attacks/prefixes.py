"""Sequences made without any real interaction, and the list that a target serves after each of their prefixes.

QSD on sequential targets: Yue et al., "Black-box attacks on sequential recommenders via data-free model extraction",
RecSys 2021 (arXiv 2109.01165), as Zhu et al. 2023 apply it (Table 8).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rec_msa.attacks.base import Asking
from rec_msa.attacks.settings import Choice
from rec_msa.foundation.errors import DataError
from rec_msa.foundation.lists import PADDING

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Ask = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class PrefixLists:
    """Sequences and the list served after each place.

    Attributes:
        sequences: Items ``[n, length]``, int32, -1 at the end of shorter ones.
        lists: Items ``[n, length, list_length]``, int32, -1 where nothing was asked or a list ran out of items.
    """

    sequences: NDArray[np.int32]
    lists: NDArray[np.int32]

    def to_frame(self) -> pd.DataFrame:
        """Returns a row for each item served: sequence, place (from 1), asked (the item there), rank (from 1), item."""
        sequence, place, rank = np.nonzero(self.lists != PADDING)
        return pd.DataFrame(
            {
                "sequence": sequence.astype(np.int32),
                "place": (place + 1).astype(np.int16),
                "asked": self.sequences[sequence, place].astype(np.int32),
                "rank": (rank + 1).astype(np.int16),
                "item": self.lists[sequence, place, rank].astype(np.int32),
            }
        )

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> PrefixLists:
        """Builds them from what ``to_frame`` returns.

        Raises:
            DataError: There is nothing.
        """
        if frame.empty:
            raise DataError("served_lists: no list was served, so there is nothing to learn from")
        sequence, place, rank = (frame[name].to_numpy(np.int64) for name in ("sequence", "place", "rank"))
        n, length = int(sequence.max()) + 1, int(place.max())
        sequences = np.full((n, length), PADDING, dtype=np.int32)
        sequences[sequence, place - 1] = frame["asked"]
        lists = np.full((n, length, int(rank.max())), PADDING, dtype=np.int32)
        lists[sequence, place - 1, rank - 1] = frame["item"]
        return cls(sequences, lists)

    def take(self, chosen: NDArray[np.int64]) -> PrefixLists:
        """Some of the sequences."""
        return PrefixLists(self.sequences[chosen], self.lists[chosen])


class MadeUpSequences(Asking):
    """Makes sequences item by item and asks about every prefix; all sequences take a step at once.

    A sequence starts at a random item. The next one is drawn uniformly from the list just served (``recommended``), or
    from all items that the sequence does not have (``random``). Where the budget is no multiple of the length, the last
    sequence ends with it. The sequences of a smaller budget begin those of a larger one.
    """

    reads = ("recommender",)
    about_sequences = True

    choice: Choice = "recommended"

    def __call__(
        self, ask: Ask, users: np.ndarray, generator: np.random.Generator, *, n_items: int, length: int
    ) -> PrefixLists:
        """Asks, within the budget for so many users, about sequences of so many items."""
        ends = _ends(self.calls_per_user * len(users), min(length, n_items))
        drawn = generator.random((len(ends), min(length, n_items)))
        sequences = np.full((len(ends), int(ends.max(initial=0))), PADDING, dtype=np.int32)
        served: list[np.ndarray] = []
        for place in range(sequences.shape[1]):
            going = np.flatnonzero(ends > place)
            if place and self.choice == "recommended":
                sequences[going, place] = _drawn_from(served[-1][going], drawn[going, place])
            else:
                sequences[going, place] = _unseen(sequences[going, :place], drawn[going, place], n_items)
            ended = going[sequences[going, place] == PADDING]
            ends[ended] = place
            going = np.setdiff1d(going, ended)
            answers = ask(sequences[going, : place + 1])
            lists = np.full((len(ends), answers.shape[1]), PADDING, dtype=np.int32)
            lists[going] = answers
            served.append(lists)
        return PrefixLists(sequences, np.stack(served, axis=1) if served else np.empty((0, 0, 0), np.int32))


def _ends(budget: int, length: int) -> NDArray[np.int64]:
    """Items of each sequence, so that all of them together are the budget."""
    whole, rest = divmod(budget, length)
    return np.array([length] * whole + [rest] * (rest > 0), dtype=np.int64)


def _drawn_from(lists: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """An item of each list by a number from [0, 1); -1 of an empty one."""
    there = (lists != PADDING).sum(axis=1)
    chosen: np.ndarray = lists[np.arange(len(lists)), (drawn * there).astype(np.int64)]
    return chosen


def _unseen(prefixes: np.ndarray, drawn: np.ndarray, n_items: int) -> np.ndarray:
    """An item that is not in the prefix ``[n, l]``, by a number from [0, 1)."""
    length = prefixes.shape[1]
    place = (drawn * (n_items - length)).astype(np.int64)
    chosen: np.ndarray = place + (np.sort(prefixes, axis=1) - np.arange(length) <= place[:, None]).sum(axis=1)
    return chosen
