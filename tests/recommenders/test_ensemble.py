"""The signals of an ensemble against their slow, obvious forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rec_msa.recommenders.ensemble import PLACES, discounted, places, standardised_outside

SCORES = torch.randn(3, 8, generator=torch.Generator().manual_seed(0))
KNOWN = torch.tensor([[1, 0, 0, 0, 0, 0, 0, 0], [0, 1, 1, 0, 0, 0, 0, 1], [0] * 8]).bool()


def test_scores_have_mean_0_and_variance_1_over_what_is_not_known() -> None:
    found = standardised_outside(SCORES, KNOWN)
    for row, known, scores in zip(found.numpy(), KNOWN.numpy(), SCORES.numpy(), strict=True):
        others = scores[~known]
        np.testing.assert_allclose(row[~known], (others - others.mean()) / others.std(), atol=1e-5)
        assert (row[known] == 0).all()


def test_scores_that_are_all_the_same_or_all_known_signal_nothing() -> None:
    assert torch.equal(standardised_outside(torch.ones(1, 4), torch.zeros(1, 4).bool()), torch.zeros(1, 4))
    assert torch.equal(standardised_outside(torch.rand(1, 4), torch.ones(1, 4).bool()), torch.zeros(1, 4))


def test_what_is_known_has_no_part_in_what_is_signalled() -> None:
    other = torch.where(KNOWN, 100.0, SCORES)
    torch.testing.assert_close(standardised_outside(other, KNOWN), standardised_outside(SCORES, KNOWN))
    assert torch.equal(places(other, KNOWN)[~KNOWN], places(SCORES, KNOWN)[~KNOWN])


def test_a_place_is_counted_among_what_is_not_known() -> None:
    found = places(SCORES, KNOWN)
    for row, known, scores in zip(found, KNOWN, SCORES, strict=True):
        order = [item for item in scores.argsort(descending=True).tolist() if not known[item]]
        for place, item in enumerate(order, start=1):
            assert row[item].item() == pytest.approx(-np.log(place), rel=1e-6)


def test_places_far_down_are_all_the_last() -> None:
    found = places(torch.randn(1, PLACES + 50), torch.zeros(1, PLACES + 50).bool())
    assert (found == found.min()).sum() == 51


def test_a_list_is_worth_less_place_by_place() -> None:
    lists = torch.tensor([[2, 0, -1, -1], [1, 3, 0, 2]])
    expected = [[0.875, 0, 1, 0, 0], [0.75, 1, 0.625, 0.875, 0]]
    assert torch.equal(discounted(lists, 5), torch.tensor(expected))
