"""Shuffling: the items at random places of a list change places, so that its order says less."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from rec_msa.defenses.base import Defense, Question

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Shuffle(Defense):
    """Serves lists in which the items at n random places are put among these in random order.

    With n the list length nothing of the order is left. A reference: the items themselves stay, and with them all that
    agreement over the whole list sees.
    """

    strengths: tuple[int, ...] = Field((15, 50), exclude=True, description="places shuffled, a cell each")
    fresh_strengths: tuple[int, ...] = Field((50,), exclude=True, description="cells where each call is a fresh draw")

    def alter(self, question: Question, n: int) -> NDArray[np.int32]:
        """Shuffles n places."""
        places = question.places(n)
        sources = np.take_along_axis(places, np.argsort(question.draw("order", n), axis=1, kind="stable"), axis=1)
        return question.replaced(np.take_along_axis(question.items, sources, axis=1))
