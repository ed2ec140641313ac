"""Verdicts on claims, each test checked by hand or against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rec_msa.evaluation import (
    equivalence,
    holm,
    judge_equal_together,
    paired_verdict,
    seed_interval,
)
from rec_msa.foundation.errors import SettingsError

CLEAR_GAIN = [0.04, 0.05, 0.06, 0.05, 0.05]
NOISE = [0.04, -0.05, 0.06, -0.05, 0.01]
differences = st.lists(st.integers(-50, 50).map(lambda part: part / 100), min_size=2, max_size=8)


@pytest.mark.parametrize(
    ("seeds", "verdict"),
    [(CLEAR_GAIN, "borne out"), ([-gain for gain in CLEAR_GAIN], "contradicted"), (NOISE, "open"), ([0.0] * 5, "open")],
)
def test_the_verdict_follows_the_interval(seeds: list[float], verdict: str) -> None:
    over = paired_verdict(seeds)
    assert over.verdict == verdict
    assert over.note == ""
    assert (over.low > 0, over.high < 0) == (verdict == "borne out", verdict == "contradicted")


@pytest.mark.parametrize("judge", [paired_verdict, equivalence])
def test_fewer_than_five_seeds_leave_the_claim_open(judge: type) -> None:
    over = judge([0.001, 0.0012, 0.001, 0.0011])
    assert over.p < 0.05
    assert over.verdict == "open"
    assert over.note == "4 of the 5 seeds that a verdict needs"


def test_one_seed_has_neither_interval_nor_p() -> None:
    over = paired_verdict([0.2])
    assert over.mean == 0.2
    assert np.isnan([over.low, over.high, over.p]).all()
    assert np.isnan(equivalence([0.2]).p)


def test_seeds_that_differ_by_the_same_amount_leave_no_doubt() -> None:
    assert (paired_verdict([0.25] * 5).p, paired_verdict([0.25] * 5).verdict) == (0, "borne out")
    assert paired_verdict([0.0] * 5).p == 1


def test_what_rounding_leaves_of_equal_figures_is_no_difference() -> None:
    nothing = [0.1 + 0.2 - 0.3] * 4 + [0.0]
    assert (paired_verdict(nothing).p, paired_verdict(nothing).verdict) == (1, "open")
    edge = [0.3 - 0.27] * 5
    assert (equivalence(edge, margin=0.03).p, equivalence(edge, margin=0.03).verdict) == (0.5, "open")


def test_a_t_test_by_hand() -> None:
    # t = 3 / sqrt(2.5 / 5) = sqrt(18). With 4 degrees of freedom P(T <= t) is 1/2 + 3/8 u (1 - u^2 / 12), where
    # u = t / sqrt(1 + t^2 / 4) = sqrt(18 / 5.5) = 1.809068. So P is 0.993382, and p twice what is left.
    assert paired_verdict([1, 2, 3, 4, 5]).p == pytest.approx(0.013236, abs=1e-6)


@given(differences)
def test_the_p_value_is_that_of_scipys_t_test(seeds: list[float]) -> None:
    over = paired_verdict(seeds)
    if over.sd > 1e-9:
        assert over.p == pytest.approx(stats.ttest_1samp(seeds, 0).pvalue, abs=1e-9)


@given(differences)
def test_equivalence_is_the_larger_of_two_one_sided_t_tests(seeds: list[float]) -> None:
    over = equivalence(seeds, margin=0.1)
    if over.sd > 1e-9:
        lower = stats.ttest_1samp(seeds, -0.1, alternative="greater").pvalue
        upper = stats.ttest_1samp(seeds, 0.1, alternative="less").pvalue
        assert over.p == pytest.approx(max(lower, upper), abs=1e-9)


@pytest.mark.parametrize(
    ("seeds", "verdict"),
    [
        ([0.001, -0.002, 0.003, 0.0, 0.001], "borne out"),
        ([0.10, 0.11, 0.09, 0.10, 0.10], "contradicted"),
        ([-0.10, -0.11, -0.09, -0.10, -0.10], "contradicted"),
        (NOISE, "open"),
        ([0.0] * 5, "borne out"),
    ],
)
def test_claims_of_equality(seeds: list[float], verdict: str) -> None:
    assert equivalence(seeds).verdict == verdict


def test_equivalence_rejects_just_when_the_ninety_percent_interval_is_within_the_margin() -> None:
    over = equivalence([0.01, 0.02, 0.03, 0.02, 0.02], margin=0.03)
    # Mean 0.02, standard error sqrt(0.0002 / 4 / 5) = 0.0031623, t quantile of 4 degrees at 0.95: 2.131847.
    assert over.high == pytest.approx(0.02 + 2.131847 * 0.0031623, abs=1e-6)
    # The nearer bound is (0.03 - 0.02) / 0.0031623 = sqrt(10) away: u = sqrt(10 / 3.5) in the formula above.
    assert over.p == pytest.approx(0.017055, abs=1e-6)
    assert equivalence([0.01, 0.02, 0.03, 0.02, 0.02], margin=0.0267).p > 0.05


EQUAL, APART = [0.001, -0.002, 0.003, 0.0, 0.001], [0.10, 0.11, 0.09, 0.10, 0.10]


def test_cells_of_a_claim_of_equality_are_corrected_together() -> None:
    barely = [0.01, 0.02, 0.03, 0.02, 0.022]
    assert 0.017 < equivalence(barely).p < 0.05
    [(alone, p)] = judge_equal_together([barely])
    assert (alone.verdict, p) == ("borne out", equivalence(barely).p)
    [(over, twice), _] = judge_equal_together([[*barely], APART])
    assert (over.verdict, twice) == ("borne out", pytest.approx(2 * p))
    [(over, twice), _, _] = judge_equal_together([[*barely], APART, APART])
    assert (over.verdict, twice) == ("open", pytest.approx(3 * p))


def test_pairs_of_a_cell_must_all_be_equal() -> None:
    # The pair that is least equal decides and is shown, with the 95 % interval.
    [(over, p)] = judge_equal_together([np.column_stack([EQUAL, APART])])
    assert (over.verdict, over.mean) == ("contradicted", pytest.approx(0.1))
    assert (over.low, over.high) == (seed_interval(APART).low, seed_interval(APART).high)
    assert p > 0.99
    [(over, _)] = judge_equal_together([np.column_stack([EQUAL, EQUAL])])
    assert over.verdict == "borne out"


def test_one_seed_leaves_equality_open_and_shows_the_largest_difference() -> None:
    [(over, p)] = judge_equal_together([np.array([[0.01, -0.2, 0.1]])])
    assert (over.verdict, over.mean) == ("open", -0.2)
    assert np.isnan(p)


def test_a_margin_of_zero_is_refused() -> None:
    with pytest.raises(SettingsError, match="margin=0"):
        equivalence(NOISE, margin=0)


def test_holm_by_hand() -> None:
    # Sorted .005, .01, .03, .04 times 4, 3, 2, 1 is .02, .03, .06, .04; the last may not fall below .06.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]).tolist() == [1, 1]
    assert holm([]).size == 0


def test_a_cell_without_a_p_value_does_not_count() -> None:
    assert holm([0.03, np.nan, 0.01]) == pytest.approx([0.03, np.nan, 0.02], nan_ok=True)


@settings(max_examples=20)  # statsmodels collects garbage at each call
@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_lies_between_no_correction_and_bonferroni(p_values: list[float]) -> None:
    adjusted, p = holm(p_values), np.array(p_values)
    assert np.all(p <= adjusted)
    assert np.all(adjusted <= np.minimum(p * max(1, len(p)), 1) + 1e-12)
