"""Popular-item mixing: random places of a list are replaced by popular items (Zhu et al. 2023, section 6)."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

from rec_msa.errors import SettingsError
from rec_msa.lists import Lists
from rec_msa.randomness import stream

if TYPE_CHECKING:
    import pandas as pd


class PopularMixing:
    """Serves lists with ``strength`` items at random places replaced by random popular items.

    Ours: a replacement is neither in the user's list nor in the user's training interactions, and with ``consistent``
    the same user always gets the same served list.

    Args:
        interactions: The target's training interactions (columns user, item): popularity and what is excluded.
        n_items: Size of the catalogue.
        strength: Items replaced in each list.
        pool: How many of the most popular items replacements are drawn from.
        consistent: Whether a repeated question gets the same answer.
        seed: The cell's seed.
    """

    def __init__(
        self, interactions: pd.DataFrame, n_items: int, strength: int, *, pool: int, consistent: bool, seed: int
    ) -> None:
        if pool > n_items:
            msg = f"defenses.popular_mixing.pool: {pool} is more than the {n_items} items of the catalogue"
            raise SettingsError(msg)
        counts = np.bincount(interactions["item"], minlength=n_items)
        self.popular = np.argsort(-counts, kind="stable")[:pool]
        self.strength, self.consistent, self.seed = strength, consistent, seed
        self.seen = interactions.groupby("user")["item"].agg(np.asarray).to_dict()
        self.fresh = stream(seed, "defense")

    def serve(self, lists: Lists) -> Lists:
        """Replaces items; lists and users keep their order.

        Raises:
            SettingsError: The strength is more than the list, or the pool has too few items that a user does not have.
        """
        if self.strength > lists.length:
            msg = f"defense: {self.strength} replaced items are more than the list's {lists.length}"
            raise SettingsError(msg)
        rows = [self._mixed(int(user), items) for user, items in zip(lists.users, lists.items, strict=True)]
        return Lists(lists.users, np.stack(rows))

    def _mixed(self, user: int, items: np.ndarray) -> np.ndarray:
        generator = self.fresh
        if self.consistent:
            generator = np.random.default_rng([self.seed, zlib.crc32(b"defense"), user])
        unused = np.setdiff1d(self.popular, np.concatenate([items, self.seen.get(user, items[:0])]))
        if len(unused) < self.strength:
            msg = (
                f"defenses.popular_mixing.pool: {len(self.popular)} leaves user {user} only {len(unused)} popular "
                f"items that are new to the user, fewer than {self.strength}; raise the pool or lower the strength"
            )
            raise SettingsError(msg)
        mixed = items.copy()
        places = generator.permutation(len(items))[: self.strength]
        mixed[places] = generator.permutation(unused)[: self.strength]
        return mixed
