"""Intervals over users and over seeds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rec_msa.evaluation import bootstrap_interval, intervals, seed_interval
from rec_msa.evaluation.intervals import interval_over_seeds
from rec_msa.foundation.errors import DataError


@pytest.fixture
def values() -> np.ndarray:
    return np.random.default_rng(5).beta(2, 3, size=(60, 3))


def test_it_equals_scipys_percentile_bootstrap(values: np.ndarray) -> None:
    low, high = bootstrap_interval(values, seed=1)
    for column in range(values.shape[1]):
        other = stats.bootstrap(
            (values[:, column],), np.mean, n_resamples=9999, method="percentile", rng=np.random.default_rng(2)
        ).confidence_interval
        # Each bound of 9,999 draws has a standard error near 0.7 % of the width.
        allowed = 0.05 * (other.high - other.low)
        assert low[column] == pytest.approx(other.low, abs=allowed)
        assert high[column] == pytest.approx(other.high, abs=allowed)


def test_a_hand_worked_example() -> None:
    # Two users, 0 and 1: the resampled mean is 0, 1/2 or 1 with chances 1/4, 1/2, 1/4.
    low, high = bootstrap_interval([0.0, 1.0], seed=0, confidence=0.4)
    assert (low, high) == (0.5, 0.5)
    low, high = bootstrap_interval([0.0, 1.0], seed=0, confidence=0.6)
    assert (low, high) == (0.0, 1.0)


def test_columns_share_the_resampled_users(values: np.ndarray) -> None:
    low, high = bootstrap_interval(values, seed=1)
    alone_low, alone_high = bootstrap_interval(values[:, 2], seed=1)
    assert alone_low.shape == ()
    assert (low[2], high[2]) == (pytest.approx(alone_low), pytest.approx(alone_high))


def test_the_seed_decides(values: np.ndarray) -> None:
    assert np.array_equal(bootstrap_interval(values, seed=1), bootstrap_interval(values, seed=1))
    assert not np.array_equal(bootstrap_interval(values, seed=1), bootstrap_interval(values, seed=2))


def test_it_is_the_same_in_small_blocks(values: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bootstrap_interval(values, seed=1, draws=100)
    monkeypatch.setattr(intervals, "_CELLS_AT_ONCE", 7 * 60)
    assert np.allclose(bootstrap_interval(values, seed=1, draws=100), whole)


@given(st.floats(0, 1), st.integers(1, 40))
def test_users_who_are_all_alike_give_their_mean(value: float, n_users: int) -> None:
    alike = np.full(n_users, value)
    low, high = bootstrap_interval(alike, seed=0, draws=20)
    assert low == high == alike.mean()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_the_bounds_lie_among_the_values_and_in_order(scores: list[float]) -> None:
    low, high = bootstrap_interval(scores, seed=0, draws=50)
    assert min(scores) - 1e-12 <= low <= high <= max(scores) + 1e-12


@pytest.mark.parametrize("values", [[], [np.nan, 1.0]])
def test_a_bootstrap_without_users_or_with_gaps_is_refused(values: list[float]) -> None:
    with pytest.raises(DataError, match="finite values of at least one user"):
        bootstrap_interval(values, seed=0)


def test_the_t_interval_over_seeds_by_hand() -> None:
    # Mean 3, sd sqrt(2.5), t quantile of 4 degrees 2.776445: half width 2.776445 * sqrt(2.5 / 5).
    over = seed_interval([1, 2, 3, 4, 5])
    assert (over.mean, over.n_seeds) == (3, 5)
    assert over.sd == pytest.approx(1.581139, abs=1e-6)
    assert (over.low, over.high) == (pytest.approx(1.036757, abs=1e-5), pytest.approx(4.963243, abs=1e-5))


def test_it_equals_scipys_t_interval(values: np.ndarray) -> None:
    for means in (values[:2, 0], values[:5, 1], values[:, 2]):
        low, high = stats.ttest_1samp(means, 0).confidence_interval(0.9)
        over = seed_interval(means, confidence=0.9)
        assert (over.low, over.high) == (pytest.approx(low, abs=1e-12), pytest.approx(high, abs=1e-12))


def test_one_seed_has_no_interval() -> None:
    over = seed_interval([0.4])
    assert over.mean == 0.4
    assert np.isnan([over.sd, over.low, over.high]).all()


def test_seeds_that_are_all_alike_give_a_point() -> None:
    over = seed_interval([0.5, 0.5, 0.5])
    assert (over.low, over.mean, over.high, over.sd) == (0.5, 0.5, 0.5, 0)


@pytest.mark.parametrize("means", [[], [np.nan]])
def test_an_interval_over_no_seed_is_refused(means: list[float]) -> None:
    with pytest.raises(DataError, match="at least one seed"):
        seed_interval(means)


def test_users_of_several_seeds_are_drawn_within_their_seed(values: np.ndarray) -> None:
    parts, seeds = [values[:20], values[20:]], [3, 4]
    low, high = interval_over_seeds(parts, seeds, draws=4000)
    rng = np.random.default_rng(0)
    slow = [np.mean([part[rng.integers(len(part), size=len(part))].mean(0) for part in parts], 0) for _ in range(4000)]
    assert low == pytest.approx(np.quantile(slow, 0.025, axis=0), abs=0.006)
    assert high == pytest.approx(np.quantile(slow, 0.975, axis=0), abs=0.006)


def test_of_one_seed_it_is_the_interval_over_its_users(values: np.ndarray) -> None:
    assert np.array_equal(interval_over_seeds([values], [1]), bootstrap_interval(values, seed=1))


def test_seeds_without_users_are_refused(values: np.ndarray) -> None:
    with pytest.raises(DataError, match="at least one user in every seed"):
        interval_over_seeds([values, values[:0]], [1, 2])
