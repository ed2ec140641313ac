"""Which sequences an attack may not ask a sequential target about: those of the users on whom it is measured.

A target that reads sequences answers a held-out user's history with that user's own list. Made-up sequences meet pieces
of such histories by chance; what is asked more often than chance explains was not made up.
"""

from __future__ import annotations

from collections import Counter
from itertools import takewhile
from typing import TYPE_CHECKING

import numpy as np

from rec_msa.foundation.errors import QueryError
from rec_msa.foundation.lists import PADDING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BY_CHANCE = 1e-9
"""How often, of all runs, one that makes its sequences up is refused."""


class HeldoutSequences:
    """Counts the questions that end in a piece of a held-out user's history, and refuses what chance does not explain.

    Sequences that are made up draw each item from a list of the target's, or from all items. So a question ends in
    given ``l`` items with a chance of no more than ``list_length ** -l``, and the number of questions that end in one
    of the pieces of ``l`` items is no more than a Poisson number. Of long pieces that is none. Histories have the
    oldest item first; the budget is of calls.
    """

    def __init__(self, histories: Iterable[np.ndarray], list_length: int, budget: int) -> None:
        self._histories = [np.asarray(history, dtype=np.int64) for history in histories]
        self._chance, self._budget = 1 / max(2, list_length), budget
        self._pieces: list[set[bytes]] = []
        self._may_end: list[float] = []
        while not self._may_end or self._may_end[-1] > 0:
            length = len(self._pieces) + 1
            self._pieces.append({piece for history in self._histories for piece in _pieces(history, length)})
            self._may_end.append(self._allowance(length, len(self._pieces[-1])))
        self._whole = Counter(history.tobytes() for history in self._histories)
        lengths = Counter(map(len, self._histories))
        self._may_be = {length: self._allowance(length, n) for length, n in lengths.items()}
        self._ended: Counter[int] = Counter()
        self._been: Counter[int] = Counter()

    def require_none(self, asked: np.ndarray) -> None:
        """Counts questions ``[n, l]``, -1 at the end of shorter ones: all or, where one is refused, none.

        Raises:
            QueryError: They are held-out users', or pieces of these, beyond what chance explains.
        """
        ended, been = self._ended.copy(), self._been.copy()
        for place, row in enumerate(asked):
            sequence = row[row != PADDING].astype(np.int64)
            ended.update(range(1, self._known_end(sequence) + 1))
            if sequence.tobytes() in self._whole:
                been[len(sequence)] += 1
            if any(ended[length + 1] > most for length, most in enumerate(self._may_end)) or (
                been[len(sequence)] > self._may_be.get(len(sequence), 0)
            ):
                msg = f"sequence {place} may not be asked about: it is a held-out user's, or a telling piece of one"
                raise QueryError(msg)
        self._ended, self._been = ended, been

    def _known_end(self, sequence: np.ndarray) -> int:
        """Of how many items the longest known piece is that a sequence ends in, as far as that is looked at."""
        ends = (sequence[-length:].tobytes() for length in range(1, len(sequence) + 1))
        known = (end in pieces for end, pieces in zip(ends, self._pieces, strict=False))
        return sum(takewhile(bool, known))

    def _allowance(self, length: int, n_pieces: int) -> float:
        """How many questions may end in one of some pieces before that is no chance any more."""
        from scipy.stats import poisson

        expected = self._budget * min(1.0, n_pieces * self._chance**length)
        return float(poisson.isf(BY_CHANCE, expected)) if expected else 0.0


def _pieces(history: np.ndarray, length: int) -> list[bytes]:
    return [history[start : start + length].tobytes() for start in range(len(history) - length + 1)]


def histories_of(users: Sequence[int] | np.ndarray, items_of: tuple[np.ndarray, np.ndarray]) -> list[np.ndarray]:
    """The sequences of some users, of users and items of interactions in the order of the sequence."""
    owner, items = items_of
    rows = np.flatnonzero(np.isin(owner, users))
    rows = rows[np.argsort(owner[rows], kind="stable")]
    starts = np.flatnonzero(np.diff(owner[rows], prepend=-1))
    return np.split(items[rows], starts[1:]) if len(rows) else []
