"""A defense at work: it alters lists block by block and remembers how often each user was asked about."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

from rec_msa.defenses.base import Question
from rec_msa.foundation.lists import PADDING, Lists
from rec_msa.foundation.randomness import keyed_uniforms

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from rec_msa.defenses.base import Defense, Draw

_CELLS_AT_ONCE = 4_000_000


class Defended:
    """Serves lists as a defense alters them.

    What a user is served depends on the seed, the user and, unless the defense is consistent, on how often the user was
    asked about before; never on who else is asked about. A higher strength alters the places of a lower one too.

    Args:
        strength: Places that it alters.
        interactions: The target's training interactions (columns user, item): popularity, and what is never served.
    """

    def __init__(
        self, defense: Defense, strength: int, interactions: pd.DataFrame, n_items: int, list_length: int, seed: int
    ) -> None:
        self.defense, self.strength, self.seed = defense, strength, seed
        self.n_items, self.list_length = n_items, list_length
        users, items = (interactions[name].to_numpy().astype(np.int64) for name in ("user", "item"))
        self._by_popularity = np.argsort(-np.bincount(items, minlength=n_items), kind="stable")
        order = np.argsort(users, kind="stable")
        self._users, self._items = users[order], items[order]
        self._asked = np.zeros(int(users.max(initial=-1)) + 1, dtype=np.int64)

    def serve(self, lists: Lists) -> Lists:
        """Answers with altered lists; what lies behind ``list_length`` is the tail that a defense may draw from."""
        repeats = self._repeats(lists.users)
        blocks = [self.defense.alter(question, self.strength) for question in self._questions(lists, repeats)]
        return Lists(lists.users, np.concatenate(blocks) if blocks else lists.items[:, : self.list_length])

    def n_widened(self, lists: Lists) -> int:
        """How many users get replacements from elsewhere than the settings say; too many are refused."""
        questions = self._questions(lists, np.zeros(len(lists.users), dtype=np.int64))
        widened = sum(int(self.defense.widened(question, self.strength).sum()) for question in questions)
        self.defense.require_few_widened(self.strength, widened, len(lists.users))
        return widened

    def _repeats(self, users: NDArray[np.int32]) -> NDArray[np.int64]:
        """How often each user was asked about before; always 0 where the defense is consistent."""
        if self.defense.consistent:
            return np.zeros(len(users), dtype=np.int64)
        missing = int(users.max(initial=-1)) + 1 - len(self._asked)
        self._asked = np.pad(self._asked, (0, max(0, missing)))
        self._asked[users] += 1
        return self._asked[users] - 1

    def _questions(self, lists: Lists, repeats: NDArray[np.int64]) -> Iterator[Question]:
        """The users in blocks whose table of known items fits the memory budget."""
        step = max(1, _CELLS_AT_ONCE // self.n_items)
        for start in range(0, len(lists.users), step):
            users, ranked = lists.users[start : start + step], lists.items[start : start + step]
            keys = np.stack([users.astype(np.int64), repeats[start : start + step]], axis=1)
            items, tail = ranked[:, : self.list_length], ranked[:, self.list_length :]
            known = self._known(users, items)
            yield Question(users, items, tail, known, self._by_popularity, self._draws(keys))

    def _draws(self, keys: NDArray[np.int64]) -> Draw:
        def draw(purpose: str, n: int) -> NDArray[np.float64]:
            purposes = np.full((len(keys), 1), zlib.crc32(purpose.encode()))
            return keyed_uniforms(self.seed, "defense", np.hstack([keys, purposes]), n)

        return draw

    def _known(self, users: NDArray[np.int32], items: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Whether an item is in the user's list or training interactions ``[n_users, n_items]``."""
        known = np.zeros((len(users), self.n_items), dtype=bool)
        row, place = np.nonzero(items != PADDING)
        known[row, items[row, place]] = True
        low, high = (np.searchsorted(self._users, users, side) for side in ("left", "right"))
        counts = high - low
        row = np.repeat(np.arange(len(users)), counts)
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        known[row, self._items[low[row] + within]] = True
        return known
