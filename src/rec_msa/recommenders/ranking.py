"""Full-catalogue ranking in chunks that fit a memory budget, with each user's own items left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from rec_msa.foundation.lists import PADDING, Lists, check_length
from rec_msa.recommenders.base import AnsweringRecommender

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import ArrayLike

    from rec_msa.recommenders.base import Recommender
    from rec_msa.recommenders.sequential import SequentialRecommender

MEMORY_BUDGET, MEMORY_BUDGET_ON_GPU = 16 * 2**20, 2**30
"""Bytes of scores at a time: what stays in a processor's cache, and what fills a GPU."""

BYTES_PER_FLOAT = 4


class Exclusions:
    """The items that each row of a batch must not be recommended, from pairs ``[n_pairs]``: a CSR matrix."""

    def __init__(self, rows: Tensor, items: Tensor, n_rows: int) -> None:
        order = torch.argsort(rows, stable=True)
        self.rows, self.items = rows[order], items[order]
        counts = torch.bincount(rows, minlength=n_rows)
        self.offsets = [0, *torch.cumsum(counts, 0).tolist()]

    def mask(self, scores: Tensor, start: int) -> None:
        """Sets the excluded entries of rows ``start`` onwards, scores ``[chunk, n_items]``, to -inf in place."""
        part = slice(self.offsets[start], self.offsets[start + len(scores)])
        scores[self.rows[part] - start, self.items[part]] = -torch.inf


def chunks(model: Recommender, n_rows: int, memory_budget: int | None = None) -> Iterator[slice]:
    """Slices of rows whose full-catalogue scores stay within the budget in bytes; None: the device's own."""
    if memory_budget is None:
        memory_budget = MEMORY_BUDGET if model.on_cpu else MEMORY_BUDGET_ON_GPU
    bytes_per_row = BYTES_PER_FLOAT * model.n_items * model.floats_per_score
    size = max(1, memory_budget // bytes_per_row)
    yield from (slice(start, min(start + size, n_rows)) for start in range(0, n_rows, size))


@torch.no_grad()
def best_items(model: Recommender, rows: Tensor, excluded: Exclusions, k: int, *, fill: int = PADDING) -> Tensor:
    """The k best items of each row, best first ``[n, k]``, on the model's device.

    What is excluded is aligned with the rows; ``fill`` is written where a user has fewer than k candidates.
    """
    return _best(model, lambda part: model.score_all(rows[part]), len(rows), excluded, k, fill)


@torch.no_grad()
def best_after(model: SequentialRecommender, states: Tensor, excluded: Exclusions, k: int, *, fill: int) -> Tensor:
    """The k best items of each state ``[n, d]`` of a sequential model, as ``best_items`` gives them for users."""
    return _best(model, lambda part: model.score_states(states[part]), len(states), excluded, k, fill)


def _best(
    model: Recommender, score: Callable[[slice], Tensor], n: int, excluded: Exclusions, k: int, fill: int
) -> Tensor:
    found = torch.empty((n, k), dtype=torch.long, device=model.device)
    for part in chunks(model, n):
        scores = score(part)
        excluded.mask(scores, part.start)
        values, items = torch.topk(scores, k, dim=1)
        found[part] = torch.where(values == -torch.inf, fill, items)
    return found


def rank_lists(model: Recommender, users: ArrayLike, exclude: pd.DataFrame, list_length: int) -> Lists:
    """Recommendation lists over the whole catalogue, without the interactions (columns user, item) to exclude.

    Raises:
        SettingsError: The list is longer than the catalogue.
        QueryError: The model does not know a user.
    """
    check_length(list_length, model.n_items)
    users = np.unique(np.asarray(users))
    if isinstance(model, AnsweringRecommender):
        return Lists(users, model.answers(users, list_length))
    rows = model.rows_of(torch.from_numpy(users).long())
    row, item = model.pairs(exclude[exclude["user"].isin(users)])
    excluded = Exclusions(torch.searchsorted(rows, row), item, len(rows))
    items = best_items(model, rows, excluded, list_length)
    return Lists(users, items.cpu().numpy())


def rank_sequences(model: SequentialRecommender, sequences: np.ndarray, list_length: int) -> np.ndarray:
    """Recommendation lists after given sequences ``[n, l]``, -1 at the end of shorter ones, without their own items.

    Returns:
        Items ``[n, list_length]``, int32; -1 fills a list that ran out of items.

    Raises:
        SettingsError: The list is longer than the catalogue.
    """
    row, place = np.nonzero(sequences != PADDING)
    own = pd.DataFrame({"user": row, "item": sequences[row, place]})
    view = model.reading(torch.from_numpy(sequences.astype(np.int64)))
    return rank_lists(view, np.arange(len(sequences)), own, list_length).items
