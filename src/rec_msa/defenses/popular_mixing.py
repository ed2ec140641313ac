"""Popular-item mixing: random places of a list are replaced by popular items (Zhu et al. 2023, section 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from rec_msa.defenses.base import Defense, Question, first
from rec_msa.foundation.errors import SettingsError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


class PopularMixing(Defense):
    """Serves lists in which n items at random places are replaced by random popular items.

    Ours: a replacement is neither in the user's list nor in the user's training interactions. A user who has nearly all
    popular items already gets all that are left and then the next most popular ones; ``widened_users`` bounds how many
    users may.
    """

    strengths: tuple[int, ...] = Field((5, 10, 15, 20, 25), exclude=True, description="items replaced, a cell each")
    pool: int = Field(100, ge=1, description="how many of the most popular items replacements are drawn from")
    widened_users: float = Field(
        0.2, ge=0, le=1, description="share of users, at most, for whom the pool may be too small and is widened"
    )

    def alter(self, question: Question, n: int) -> NDArray[np.int32]:
        """Replaces n items; the catalogue must have as many that are new to each user."""
        question.require_new(n)
        new = ~question.known[:, question.by_popularity]
        enough = new[:, : self.pool].sum(axis=1) >= n
        chosen = np.empty((len(new), n), dtype=np.int64)
        keys = question.draw("items", min(self.pool, new.shape[1]))
        chosen[enough] = first(np.where(new[enough, : self.pool], keys[enough], np.inf), n)
        if not enough.all():
            chosen[~enough] = self._widened(new[~enough], keys[~enough], n)
        return question.replaced(question.by_popularity[chosen].astype(np.int32))

    @staticmethod
    def _widened(new: NDArray[np.bool_], keys: NDArray[np.float64], n: int) -> NDArray[np.int64]:
        """The choice of those for whom the pool is too small: all of it that is new, then by popularity."""
        behind = np.tile(np.arange(1.0, new.shape[1] - keys.shape[1] + 1), (len(new), 1))
        return first(np.where(new, np.hstack([keys, behind]), np.inf), n)

    def check(self, n: int, n_items: int, interactions: pd.DataFrame) -> None:
        """Refuses a pool that is too small for n, or larger than the catalogue."""
        if self.pool > n_items:
            msg = f"defenses.popular_mixing.pool: {self.pool} is more than the {n_items} items of the catalogue"
            raise SettingsError(f"{msg}; choose at most {n_items}")
        counts = np.bincount(interactions["item"], minlength=n_items)
        popular = np.argsort(-counts, kind="stable")[: self.pool]
        n_users = interactions["user"].nunique()
        has = interactions.loc[interactions["item"].isin(popular), "user"].value_counts()
        short = int((self.pool - has < n).sum()) + (n_users - len(has)) * (self.pool < n)
        self.require_few_widened(n, short, n_users)

    def widened(self, question: Question, n: int) -> NDArray[np.bool_]:
        """Which users have fewer than n new items in the pool, their lists left out too."""
        new = ~question.known[:, question.by_popularity[: self.pool]]
        few: NDArray[np.bool_] = new.sum(axis=1) < n
        return few

    def require_few_widened(self, n: int, widened: int, n_users: int) -> None:
        """Refuses a pool that is too small for too many users."""
        if widened > self.widened_users * n_users or (widened and self.pool < n):
            msg = (
                f"defenses.popular_mixing.pool: of the {self.pool} most popular items, fewer than the {n} to mix in "
                f"are new to {widened} of {n_users} users, and at most {self.widened_users:.0%} may get less popular "
                "ones instead; raise pool, lower the strength, or raise defenses.popular_mixing.widened_users"
            )
            raise SettingsError(msg)
