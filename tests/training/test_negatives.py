"""The negative sampler: never a seen item, and every unseen one as often as any other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from rec_msa.training import negatives
from rec_msa.training.negatives import NegativeSampler


def sampler_of(seen: list[set[int]], n_items: int) -> NegativeSampler:
    pairs = [(row, item) for row, items in enumerate(seen) for item in items]
    rows, items = (torch.tensor([pair[axis] for pair in pairs], dtype=torch.long) for axis in (0, 1))
    return NegativeSampler(rows, items, len(seen), n_items)


def stream(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@st.composite
def seen_items(draw: st.DrawFn) -> tuple[list[set[int]], int]:
    """Rows of seen items, in no order, empty and full rows among them."""
    n_items = draw(st.integers(1, 12))
    return draw(st.lists(st.sets(st.integers(0, n_items - 1)), min_size=1, max_size=6)), n_items


@given(seen_items(), st.integers(0, 1000))
def test_every_draw_is_an_unseen_item_of_the_catalogue(table: tuple[list[set[int]], int], seed: int) -> None:
    seen, n_items = table
    sampler = sampler_of(seen, n_items)
    assert sampler.unseen.tolist() == [n_items - len(items) for items in seen]
    rows = torch.tensor([row for row, items in enumerate(seen) if len(items) < n_items] * 2, dtype=torch.long)
    drawn = sampler.draw(rows, 30, stream(seed))
    assert drawn.shape == (len(rows), 30)
    for row, items in zip(rows.tolist(), drawn.tolist(), strict=True):
        assert set(items) <= set(range(n_items)) - seen[row]


@given(seen_items())
def test_every_unseen_item_is_drawn_in_its_turn(table: tuple[list[set[int]], int]) -> None:
    seen, n_items = table
    sampler = sampler_of(seen, n_items)
    for row, items in enumerate(seen):
        unseen = sorted(set(range(n_items)) - items)
        if unseen:
            drawn = sampler.draw(torch.tensor([row]), 60 * n_items, stream(row))
            assert sorted(set(drawn[0].tolist())) == unseen


@pytest.mark.parametrize("seen", [set(), {0}, {19}, {0, 1, 2}, {17, 18, 19}, {3, 4, 11, 16}, set(range(0, 20, 2))])
def test_draws_are_uniform_over_the_unseen_items(seen: set[int]) -> None:
    sampler = sampler_of([{5, 6}, seen, {0, 19}], 20)
    counts = torch.bincount(sampler.draw(torch.tensor([1]), 40_000, stream(7))[0], minlength=20)
    unseen = sorted(set(range(20)) - seen)
    assert chisquare(counts[unseen].numpy()).pvalue > 0.001


def test_a_row_with_one_unseen_item_always_gets_that() -> None:
    sampler = sampler_of([set(range(8)) - {left} for left in range(8)], 8)
    drawn = sampler.draw(torch.arange(8), 50, stream(1))
    assert torch.equal(drawn, torch.arange(8)[:, None].expand(8, 50))


def test_repeated_and_unordered_pairs_change_nothing() -> None:
    rows, items = torch.tensor([1, 0, 1, 1, 0, 1]), torch.tensor([4, 2, 0, 4, 2, 3])
    messy = NegativeSampler(rows, items, 2, 6)
    tidy = sampler_of([{2}, {0, 3, 4}], 6)
    wanted = torch.tensor([0, 1, 1, 0])
    assert torch.equal(messy.draw(wanted, 20, stream(2)), tidy.draw(wanted, 20, stream(2)))


def test_the_same_stream_draws_the_same_and_another_others() -> None:
    sampler, rows = sampler_of([{1}, {2, 3}], 50), torch.tensor([0, 1, 1])
    assert torch.equal(sampler.draw(rows, 9, stream(3)), sampler.draw(rows, 9, stream(3)))
    assert not torch.equal(sampler.draw(rows, 9, stream(3)), sampler.draw(rows, 9, stream(4)))


def test_one_stream_gives_new_negatives_each_time() -> None:
    sampler, rows, generator = sampler_of([{1}], 50), torch.tensor([0] * 5), stream(3)
    assert not torch.equal(sampler.draw(rows, 4, generator), sampler.draw(rows, 4, generator))


def test_drawing_in_blocks_gives_the_same_numbers(monkeypatch):
    rows = torch.arange(40).repeat_interleave(3)
    sampler = NegativeSampler(rows, torch.arange(120) % 50, 40, 50)
    whole = sampler.draw(rows, 4, torch.Generator().manual_seed(0))
    monkeypatch.setattr("rec_msa.training.negatives.ROWS_AT_ONCE", 32)
    assert torch.equal(sampler.draw(rows, 4, torch.Generator().manual_seed(0)), whole)


@pytest.mark.parametrize("n_items", [1, 2, 7, 300])
def test_compiled_draws_are_those_of_torch(n_items: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(n_items)
    seen = [set(rng.choice(n_items, rng.integers(0, n_items), replace=False).tolist()) for _ in range(40)]
    sampler, rows = sampler_of(seen, n_items), torch.from_numpy(rng.integers(0, 40, 500))
    plain = sampler.draw(rows, 3, stream(1))
    monkeypatch.setattr(negatives, "WORTH_COMPILING", 0)
    assert torch.equal(sampler.draw(rows, 3, stream(1)), plain)
