"""Random replacement: random places of a list are replaced by random items of the whole catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rec_msa.defenses.base import Defense, Question

if TYPE_CHECKING:
    from numpy.typing import NDArray


class RandomReplacement(Defense):
    """Serves lists in which n items at random places are replaced by any items that are new to the user.

    A reference: what popular mixing has above it comes from the items being popular.
    """

    def alter(self, question: Question, n: int) -> NDArray[np.int32]:
        """Replaces n items; the catalogue must have as many that are new to each user."""
        question.require_new(n)
        return question.replaced(question.chosen("items", ~question.known, n).astype(np.int32))
