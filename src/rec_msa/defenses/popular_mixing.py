"""Popular-item mixing: random places of a list are replaced by popular items (Zhu et al. 2023, section 6)."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

from rec_msa.errors import SettingsError
from rec_msa.lists import PADDING, Lists
from rec_msa.randomness import stream

if TYPE_CHECKING:
    import pandas as pd


class PopularMixing:
    """Serves lists with ``strength`` items at random places replaced by random popular items.

    Ours: a replacement is neither in the user's list nor in the user's training interactions, and with ``consistent``
    the same user always gets the same served list. A user who has nearly all popular items already gets the next most
    popular ones that are left.

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
        self.by_popularity = np.argsort(-counts, kind="stable")
        self.strength, self.pool, self.consistent, self.seed = strength, pool, consistent, seed
        self.seen = interactions.groupby("user")["item"].agg(np.asarray).to_dict()
        self.fresh = stream(seed, "defense")

    def serve(self, lists: Lists) -> Lists:
        """Replaces items; lists and users keep their order.

        Raises:
            SettingsError: The strength is more than a list, or the catalogue has too few items that are new to a user.
        """
        rows = [self._mixed(int(user), items) for user, items in zip(lists.users, lists.items, strict=True)]
        return Lists(lists.users, np.stack(rows)) if rows else lists

    def _mixed(self, user: int, items: np.ndarray) -> np.ndarray:
        generator = self.fresh
        if self.consistent:
            generator = np.random.default_rng([self.seed, zlib.crc32(b"defense"), user])
        listed = np.flatnonzero(items != PADDING)
        if self.strength > len(listed):
            msg = f"defense: {self.strength} replaced items are more than the {len(listed)} of user {user}'s list"
            raise SettingsError(msg)
        mixed = items.copy()
        mixed[generator.permutation(listed)[: self.strength]] = self._replacements(user, items, generator)
        return mixed

    def _replacements(self, user: int, items: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        known = np.concatenate([items, self.seen.get(user, items[:0])])
        new = np.flatnonzero(~np.isin(self.by_popularity, known))
        candidates = self.by_popularity[new[: max(self.strength, int((new < self.pool).sum()))]]
        if len(candidates) < self.strength:
            msg = f"defense: the catalogue has only {len(candidates)} items that are new to user {user}, "
            raise SettingsError(msg + f"fewer than the {self.strength} to replace; lower the strength")
        return generator.permutation(candidates)[: self.strength]
