"""Intervals: over the users of one run by bootstrap, over seeds by Student's t.

Source: the percentile bootstrap of Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rec_msa.foundation.errors import DataError
from rec_msa.foundation.randomness import stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

ROUNDING = 1e-12
"""Figures that are this near differ by rounding: agreement comes in steps of a user's item."""
_CELLS_AT_ONCE = 1_000_000


def bootstrap_interval(
    values: ArrayLike, seed: int, draws: int = 9999, confidence: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the percentile bootstrap interval of the mean over users.

    All columns share the same resampled users, so they can be compared. Where all users score alike, both bounds
    are the mean: the percentile method has no NaN there, unlike BCa.

    Args:
        values: A figure per user ``[n_users]``, or several ``[n_users, n_columns]``.
        seed: The cell's seed.
        draws: Resamples.
        confidence: The share of resampled means between the bounds.

    Returns:
        The lower and the upper bounds, each ``[]`` or ``[n_columns]``.

    Raises:
        DataError: If there is no user, or a value is not finite.
    """
    table = np.asarray(values, dtype=np.float64)
    if not table.shape[0] or not np.isfinite(table).all():
        raise DataError(f"bootstrap: needs finite values of at least one user, got an array {table.shape}")
    low, high = interval_over_seeds([table.reshape(table.shape[0], -1)], [seed], draws, confidence)
    return low.reshape(table.shape[1:]), high.reshape(table.shape[1:])


def _resampled_means(columns: NDArray[np.float64], rng: np.random.Generator, draws: int) -> NDArray[np.float64]:
    """Returns the means of resampled users ``[draws, n_columns]``.

    How often each user is drawn is one multinomial weight row for all columns, made by counting drawn indices
    (several times faster than drawing binomials), a block of draws at a time.
    """
    n_users = columns.shape[0]
    step = max(1, _CELLS_AT_ONCE // n_users)
    means = np.empty((draws, columns.shape[1]))
    for start in range(0, draws, step):
        n = min(step, draws - start)
        drawn = rng.integers(n_users, size=(n, n_users)) + n_users * np.arange(n)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=n * n_users).reshape(n, n_users)
        means[start : start + n] = weights.astype(np.float64) @ columns / n_users
    return means


def interval_over_seeds(
    by_seed: Sequence[ArrayLike], seeds: Sequence[int], draws: int = 9999, confidence: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the percentile bootstrap interval of means over seeds, whose users are drawn within each seed.

    For fewer seeds than an interval over them can rest on. It holds given their models: it says nothing of models
    trained anew. All columns of a seed share the same resampled users.

    Args:
        by_seed: For every seed a figure per user and column ``[n_users of the seed, n_columns]``.
        seeds: The seeds, in the same order.
        draws: Resamples.
        confidence: The share of resampled means between the bounds.

    Returns:
        The lower and the upper bounds, each ``[n_columns]``.

    Raises:
        DataError: There is no seed, one without a user, or a value is not finite.
    """
    tables = [np.asarray(table, dtype=np.float64) for table in by_seed]
    if not tables or not all(table.shape[0] and np.isfinite(table).all() for table in tables):
        raise DataError("bootstrap: needs finite values of at least one user in every seed, and one seed")
    parts = [
        _resampled_means(table, stream(seed, "bootstrap"), draws) for table, seed in zip(tables, seeds, strict=True)
    ]
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.mean(parts, axis=0), [tail, 1 - tail], axis=0)
    mean = np.mean([table.mean(axis=0) for table in tables], axis=0)
    fixed = np.all([np.ptp(table, axis=0) == 0 for table in tables], axis=0)
    return np.where(fixed, mean, low), np.where(fixed, mean, high)


@dataclass(frozen=True)
class SeedInterval:
    """A figure over seeds.

    Attributes:
        mean: The mean over seeds.
        sd: The standard deviation over seeds (``n - 1``); NaN for one seed.
        low: The lower bound of the t interval; NaN for one seed.
        high: The upper bound; NaN for one seed.
        n_seeds: The number of seeds.
    """

    mean: float
    sd: float
    low: float
    high: float
    n_seeds: int


def seed_interval(means: ArrayLike, confidence: float = 0.95) -> SeedInterval:
    """Returns mean, standard deviation and Student's t interval over seeds.

    Args:
        means: The figure of every seed ``[n_seeds]``.
        confidence: The interval's confidence.

    Raises:
        DataError: If there is no seed, or a value is not finite.
    """
    from scipy.special import stdtrit

    table = np.asarray(means, dtype=np.float64).ravel()
    if not table.size or not np.isfinite(table).all():
        raise DataError(f"interval over seeds: needs a finite value of at least one seed, got {table.tolist()}")
    mean = float(table.mean())
    if table.size == 1:
        return SeedInterval(mean, float("nan"), float("nan"), float("nan"), 1)
    if alike(table):
        return SeedInterval(mean, 0.0, mean, mean, int(table.size))
    sd = float(table.std(ddof=1))
    half = float(stdtrit(table.size - 1, (1 + confidence) / 2)) * sd / math.sqrt(table.size)
    return SeedInterval(mean, sd, mean - half, mean + half, int(table.size))


def alike(values: NDArray[np.float64]) -> bool:
    """Whether all values are the same but for rounding: scipy's and statsmodels' t tests have no answer there."""
    return bool(np.ptp(values) <= ROUNDING)
