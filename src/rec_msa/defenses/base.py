"""What every defense is: settings, and a rule that turns a target's lists into those that it serves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from rec_msa.foundation.errors import SettingsError
from rec_msa.foundation.lists import PADDING

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

Draw = Callable[[str, int], "NDArray[np.float64]"]
"""Uniform numbers ``[n_users, n]`` for a purpose: the user's own, whatever other users are asked about."""


@dataclass(frozen=True)
class Question:
    """Some users' lists before their defense, and what the defense may know and draw.

    Attributes:
        users: Global user ids ``[n_users]``.
        items: The target's own lists ``[n_users, list_length]``, padded with -1.
        tail: The items that the target ranks next ``[n_users, tail]``, padded with -1.
        known: Whether an item is in the user's list or training interactions ``[n_users, n_items]``.
        by_popularity: Items by falling popularity in the target's training interactions ``[n_items]``.
        draw: Uniform numbers of these users.
    """

    users: NDArray[np.int32]
    items: NDArray[np.int32]
    tail: NDArray[np.int32]
    known: NDArray[np.bool_]
    by_popularity: NDArray[np.int64]
    draw: Draw

    def places(self, n: int) -> NDArray[np.int64]:
        """Draws n different places of each list ``[n_users, n]``; those of fewer are the first of those of more.

        Raises:
            SettingsError: A list has fewer than n items.
        """
        listed = self.items != PADDING
        self.require(listed, n, "{n} items to alter are more than the {left} of user {user}'s list; lower the strength")
        return self.chosen("places", listed, n)

    def require_new(self, n: int) -> None:
        """Refuses to replace more items of a list than the catalogue has for its user."""
        few = "the catalogue has only {left} items that are new to user {user}, fewer than the {n} to replace"
        self.require(~self.known, n, f"{few}; lower the strength")

    def require(self, allowed: NDArray[np.bool_], n: int, said: str) -> None:
        """Refuses a user of whom fewer than n are allowed ``[n_users, m]``: what is ``said`` has n, left and user."""
        left = allowed.sum(axis=1)
        if (left < n).any():
            row = int((left < n).argmax())
            raise SettingsError("defense: " + said.format(n=n, left=left[row], user=self.users[row]))

    def chosen(self, purpose: str, allowed: NDArray[np.bool_], n: int) -> NDArray[np.int64]:
        """Draws n different ones of those that are allowed to each user ``[n_users, m]``."""
        return first(np.where(allowed, self.draw(purpose, allowed.shape[1]), np.inf), n)

    def replaced(self, replacements: NDArray[np.int32]) -> NDArray[np.int32]:
        """Puts items ``[n_users, n]`` into as many random places of each list."""
        items = self.items.copy()
        np.put_along_axis(items, self.places(replacements.shape[1]), replacements, axis=1)
        return items


class Defense(BaseModel, ABC):
    """A defense's settings and rule. A new one is a file with a subclass and a line in ``DefenseSettings``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    consistent: bool = Field(True, description="whether the same question gets the same answer, or a fresh draw")
    # What is run, not how: no part of what an artifact is made from.
    strengths: tuple[int, ...] = Field((15,), exclude=True, description="a cell of the defense pipeline each")
    fresh_strengths: tuple[int, ...] = Field((15,), exclude=True, description="cells where each call is a fresh draw")

    @property
    def tail_length(self) -> int:
        """How many of the items that the target ranks behind the list the rule may draw from."""
        return 0

    @abstractmethod
    def alter(self, question: Question, n: int) -> NDArray[np.int32]:
        """Returns what is served ``[n_users, list_length]``: n places altered, no item twice, none of the training's.

        Raises:
            SettingsError: A list or what replaces its items is too short for n.
        """

    def check(self, n: int, n_items: int, interactions: pd.DataFrame) -> None:
        """Refuses what cannot work whatever the target learns, before it is trained.

        Args:
            n: The strength.
            n_items: Size of the catalogue.
            interactions: The target's training interactions (columns user, item).

        Raises:
            SettingsError: They leave too little to put in the place of n items; the message has the remedy.
        """

    def widened(self, question: Question, n: int) -> NDArray[np.bool_]:
        """Which users get replacements from elsewhere than the settings say ``[n_users]``; most defenses have none."""
        return np.zeros(len(question.users), dtype=bool)

    def require_few_widened(self, n: int, widened: int, n_users: int) -> None:
        """Refuses settings that hold for too few users: so many of them get replacements from elsewhere."""


def first(keys: NDArray[np.float64], n: int) -> NDArray[np.int64]:
    """Returns the columns of the n smallest keys of each row, smallest first ``[n_rows, n]``."""
    if n in (0, keys.shape[1]):
        return np.argsort(keys, axis=1, kind="stable")[:, :n]
    smallest = np.argpartition(keys, n - 1, axis=1)[:, :n]
    order = np.argsort(np.take_along_axis(keys, smallest, axis=1), axis=1, kind="stable")
    return np.take_along_axis(smallest, order, axis=1)
