"""Figures and seeds as a person reads them."""

from __future__ import annotations

import pytest

from rec_msa.reporting.names import number, seeds_text, span


@pytest.mark.parametrize(("value", "text"), [(0.625, "0.62"), (1, "1.00"), (-0.001, "0.00"), (-0.21, "−0.21")])
def test_agreement_has_two_decimals(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(("values", "text"), [((12,), "12"), ((14, 12, 12), "12–14"), ((), "")])
def test_counts_that_differ_are_given_as_a_span(values: tuple[int, ...], text: str) -> None:
    assert span(values) == text


@pytest.mark.parametrize(
    ("seeds", "text"), [((3,), "seed 3"), ((0, 1, 2), "seeds 0–2"), ((0, 2, 7), "seeds 0, 2, 7"), ((4, 5), "seeds 4–5")]
)
def test_seeds_in_a_row_are_joined(seeds: tuple[int, ...], text: str) -> None:
    assert seeds_text(seeds) == text
