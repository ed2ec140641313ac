"""Chunks that fit a memory budget, and exclusions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rec_msa.recommenders.ranking import Exclusions, chunks

if TYPE_CHECKING:
    from collections.abc import Callable

    from rec_msa.recommenders.base import Recommender


@pytest.mark.parametrize("budget", [1, 500, 10_000, 10**9])
def test_chunks_cover_every_row_once_and_in_order(make_model: Callable[..., Recommender], budget: int) -> None:
    model = make_model("ncf")
    slices = list(chunks(model, 23, budget))
    assert [row for part in slices for row in range(23)[part]] == list(range(23))
    bytes_per_row = 4 * model.n_items * model.floats_per_score
    assert all(part.stop - part.start == 1 or (part.stop - part.start) * bytes_per_row <= budget for part in slices)


def test_no_rows_make_no_chunk(make_model: Callable[..., Recommender]) -> None:
    assert list(chunks(make_model("bpr"), 0)) == []


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 6))), st.integers(0, 5), st.integers(1, 6))
def test_exclusions_mask_exactly_the_given_pairs(pairs: list[tuple[int, int]], start: int, size: int) -> None:
    rows, items = (torch.tensor([pair[axis] for pair in pairs], dtype=torch.long) for axis in (0, 1))
    scores = torch.zeros(min(size, 6 - start), 7)
    Exclusions(rows, items, 6).mask(scores, start)
    masked = {(start + row, item) for row, item in (scores == -torch.inf).nonzero().tolist()}
    assert masked == {pair for pair in pairs if start <= pair[0] < start + len(scores)}
