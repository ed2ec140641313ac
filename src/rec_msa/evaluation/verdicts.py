"""Verdicts on claims: that a difference is above zero, or within a margin, over seeds."""

from __future__ import annotations

import gc
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from rec_msa.evaluation.intervals import ROUNDING, SeedInterval, alike, seed_interval
from rec_msa.foundation.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

BORNE_OUT, CONTRADICTED, OPEN = "borne out", "contradicted", "open"
SEEDS_FOR_A_VERDICT = 5
MARGIN = 0.03
"""The largest difference in agreement that counts as equal."""


@dataclass(frozen=True)
class Verdict(SeedInterval):
    """What the seeds say about a claim: the interval of their differences, and what follows from it.

    Attributes:
        p: The p-value: of ``paired_verdict`` two-sided, of ``equivalence`` the larger of its two; NaN for one seed.
        verdict: ``borne out``, ``contradicted`` or ``open``.
        note: Why the verdict is open for want of seeds, else empty.
    """

    p: float
    verdict: str
    note: str


def paired_verdict(per_seed_differences: ArrayLike, alpha: float = 0.05) -> Verdict:
    """Judges the claim that A beats B by the t interval of its per-seed differences.

    The claim is borne out where the interval lies above 0, contradicted where it lies below, else open. The
    p-value is two-sided, so that it is below ``alpha`` exactly where the interval leaves 0 out.

    Args:
        per_seed_differences: Per seed the mean of A - B over the same users ``[n_seeds]``.
        alpha: One less the interval's confidence.

    Raises:
        DataError: If there is no seed, or a difference is not finite.
    """
    over = seed_interval(per_seed_differences, 1 - alpha)
    p = _t_test(per_seed_differences, 0)
    verdict, note = _judge(over.n_seeds, p < alpha and over.mean > 0, p < alpha and over.mean < 0)
    return Verdict(**vars(over), p=p, verdict=verdict, note=note)


def equivalence(per_seed_differences: ArrayLike, margin: float = MARGIN, alpha: float = 0.05) -> Verdict:
    """Judges the claim that A equals B within a margin, by two one-sided t tests.

    Source: Schuirmann, J. Pharmacokinet. Biopharm. 15 (1987). The claim is borne out where both tests reject,
    contradicted where the ``1 - alpha`` interval lies wholly outside the margin, else open.

    Args:
        per_seed_differences: Per seed the mean of A - B over the same users ``[n_seeds]``.
        margin: The largest difference that counts as equal, above 0.
        alpha: The level of each test; the bounds returned are those of the ``1 - 2 alpha`` interval, which lies
            within the margin exactly where both tests reject.

    Raises:
        SettingsError: If the margin is not above 0.
        DataError: If there is no seed, or a difference is not finite.
    """
    if not margin > 0:
        raise SettingsError(f"margin={margin}: must be above 0")
    over = seed_interval(per_seed_differences, 1 - 2 * alpha)
    p, beyond = _within(per_seed_differences, margin), _beyond(per_seed_differences, margin)
    verdict, note = _judge(over.n_seeds, p < alpha, beyond < alpha)
    return Verdict(**vars(over), p=p, verdict=verdict, note=note)


def _within(differences: ArrayLike, margin: float) -> float:
    """Returns the larger p-value of the two one-sided tests that the mean lies within the margin."""
    from statsmodels.stats.weightstats import DescrStatsW

    values = np.asarray(differences, dtype=np.float64).ravel()
    if values.size == 1 or alike(values):
        return max(_t_test(values, -margin, "greater"), _t_test(values, margin, "less"))
    return float(DescrStatsW(values).ttost_mean(-margin, margin)[0])


def _beyond(differences: ArrayLike, margin: float) -> float:
    """Returns the p-value that is below a level where the interval of its complement lies outside the margin."""
    tails = _t_test(differences, margin, "greater"), _t_test(differences, -margin, "less")
    return min(2 * min(tails), 1.0)


def _t_test(
    differences: ArrayLike, mean: float, alternative: Literal["two-sided", "less", "greater"] = "two-sided"
) -> float:
    """Returns the p-value of Student's t over seeds; NaN for one seed."""
    from scipy.stats import ttest_1samp

    values = np.asarray(differences, dtype=np.float64).ravel()
    if values.size == 1:
        return float("nan")
    if not alike(values):
        return float(ttest_1samp(values, mean, alternative=alternative).pvalue)
    excess = float(values.mean()) - mean
    if abs(excess) <= ROUNDING:
        return 1.0 if alternative == "two-sided" else 0.5
    return float({"less": excess > 0, "greater": excess < 0}.get(alternative, False))


def _judge(n_seeds: int, borne_out: bool, contradicted: bool) -> tuple[str, str]:
    if n_seeds < SEEDS_FOR_A_VERDICT:
        return OPEN, f"{n_seeds} of the {SEEDS_FOR_A_VERDICT} seeds that a verdict needs"
    return BORNE_OUT if borne_out else CONTRADICTED if contradicted else OPEN, ""


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Returns Holm's step-down adjusted p-values.

    Source: Holm, Scand. J. Statist. 6 (1979).

    Args:
        p_values: The p-values of one claim's cells ``[n]``; a NaN (no test made) stays NaN and does not count.
    """
    from statsmodels.stats.multitest import multipletests

    p = np.asarray(p_values, dtype=np.float64)
    adjusted, tested = np.full(p.shape, np.nan), ~np.isnan(p)
    if tested.any():
        gc.freeze()  # it collects garbage at each call, which was half the time of a report's verdicts
        try:
            adjusted[tested] = multipletests(p[tested], method="holm")[1]
        finally:
            gc.unfreeze()
    return adjusted


def judge_together(cells: Sequence[ArrayLike], alpha: float = 0.05) -> list[tuple[Verdict, float]]:
    """Judges the cells of one claim, with Holm's correction over them.

    Args:
        cells: For every cell the difference of each seed ``[n_seeds]``, positive where the claim holds.
        alpha: The level of the verdicts.

    Returns:
        For every cell ``paired_verdict`` with the verdict by the corrected p-value, and that p-value.

    Raises:
        DataError: If a cell has no seed, or a difference is not finite.
    """
    judged = [paired_verdict(differences, alpha) for differences in cells]
    found = []
    for over, p in zip(judged, holm([over.p for over in judged]), strict=True):
        verdict, note = _judge(over.n_seeds, p < alpha and over.mean > 0, p < alpha and over.mean < 0)
        found.append((replace(over, verdict=verdict, note=note), float(p)))
    return found


def judge_equal_together(
    cells: Sequence[ArrayLike], margin: float = MARGIN, alpha: float = 0.05
) -> list[tuple[Verdict, float]]:
    """Judges the cells of one claim of equality, with Holm's correction over them.

    A cell may hold several pairs that must all be equal. All are where the one that is least so is (an
    intersection-union test: Berger, Technometrics 24 (1982)), so that nothing is corrected for their number; that one
    of them is not equal is corrected for it by Bonferroni.

    Args:
        cells: For every cell the differences ``[n_seeds]`` or ``[n_seeds, n_pairs]``.
        margin: The largest difference that counts as equal, above 0.
        alpha: The level of the verdicts.

    Returns:
        For every cell ``equivalence`` of the pair that is least equal, with the bounds of the ``1 - alpha`` interval
        and the verdict by corrected p-values, and the corrected p-value of equality.

    Raises:
        SettingsError: If the margin is not above 0.
        DataError: If a cell has no seed, or a difference is not finite.
    """
    judged = [_least_equal(np.asarray(cell, dtype=np.float64), margin, alpha) for cell in cells]
    equal, unequal = holm([over.p for over, _ in judged]), holm([beyond for _, beyond in judged])
    found = []
    for (over, _), p, beyond in zip(judged, equal, unequal, strict=True):
        verdict, note = _judge(over.n_seeds, p < alpha, beyond < alpha)
        found.append((replace(over, verdict=verdict, note=note), float(p)))
    return found


def _least_equal(cell: NDArray[np.float64], margin: float, alpha: float) -> tuple[Verdict, float]:
    """Returns the pair that is least equal, and the p-value of some pair's inequality."""
    pairs = list(cell.reshape(len(cell), -1).T)
    judged = [equivalence(pair, margin, alpha) for pair in pairs]
    place = max(range(len(pairs)), key=lambda i: (np.nan_to_num(judged[i].p), abs(judged[i].mean)))
    wide = seed_interval(pairs[place], 1 - alpha)
    beyond = min(len(pairs) * min(_beyond(pair, margin) for pair in pairs), 1.0)
    return replace(judged[place], low=wide.low, high=wide.high), beyond
