"""Swapping in the tail: random places of a list are replaced by items that the target ranks right behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from rec_msa.defenses.base import Defense, Question
from rec_msa.foundation.errors import SettingsError
from rec_msa.foundation.lists import PADDING

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


class SwapTail(Defense):
    """Serves lists in which n items at random places are replaced by the user's own next ones.

    With the default depth and lists of 50 items these are ranks 51 to 150. A reference: the least harm to the user that
    a replacement can do.
    """

    depth: int = Field(100, ge=1, description="how many ranks behind the list replacements are drawn from")

    @property
    def tail_length(self) -> int:
        """The depth."""
        return self.depth

    def alter(self, question: Question, n: int) -> NDArray[np.int32]:
        """Replaces n items; as many must be ranked behind each list."""
        ranked = question.tail != PADDING
        few = "only {left} items are ranked behind user {user}'s list, fewer than the {n} to swap in"
        question.require(ranked, n, f"{few}; lower the strength or list_length")
        return question.replaced(np.take_along_axis(question.tail, question.chosen("items", ranked, n), axis=1))

    def check(self, n: int, n_items: int, interactions: pd.DataFrame) -> None:
        """Refuses a depth that is too small for n."""
        if self.depth < n:
            msg = f"defenses.swap_tail.depth: {self.depth} ranks are fewer than the {n} items to swap in"
            raise SettingsError(f"{msg}; raise depth or lower the strength")
