"""Verdicts on claims: that an attack beats another, or equals it, over seeds and over users.

Seeds are the units that a verdict rests on; users of one seed share its models and its split.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from rec_msa.errors import DataError, SettingsError, nearest
from rec_msa.evaluation.intervals import ROUNDING, alike, seed_interval
from rec_msa.randomness import stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

BORNE_OUT, CONTRADICTED, OPEN = "borne out", "contradicted", "open"
SEEDS_FOR_A_VERDICT = 5
MARGIN = 0.03
"""The largest difference in agreement that counts as equal."""
COMPARISON_TYPES = {
    "dataset": "str",
    "target": "str",
    "attack": "str",
    "versus": "str",
    "group": "str",
    "k": "int64",
    "difference": "float64",
    "sd": "float64",
    "ci_low": "float64",
    "ci_high": "float64",
    "p": "float64",
    "p_holm": "float64",
    "p_sign_flip": "float64",
    "n_seeds": "int64",
    "n_users": "int64",
    "verdict": "str",
    "note": "str",
}
_CELLS_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class Verdict:
    """What the seeds say about a claim.

    Attributes:
        mean: The mean difference over seeds.
        sd: The standard deviation over seeds; NaN for one seed.
        low: The lower bound of the t interval; NaN for one seed.
        high: The upper bound; NaN for one seed.
        p: The p-value: of ``paired_verdict`` two-sided, of ``equivalence`` the larger of its two; NaN for one seed.
        n_seeds: The number of seeds.
        verdict: ``borne out``, ``contradicted`` or ``open``.
        note: Why the verdict is open for want of seeds, else empty.
    """

    mean: float
    sd: float
    low: float
    high: float
    p: float
    n_seeds: int
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
    return Verdict(over.mean, over.sd, over.low, over.high, p, over.n_seeds, verdict, note)


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
    return Verdict(over.mean, over.sd, over.low, over.high, p, over.n_seeds, verdict, note)


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


def sign_flip(differences_by_seed: Sequence[ArrayLike], draws: int = 9999, seed: int = 0) -> float:
    """Returns the two-sided p-value of a sign-flip permutation over users within seeds.

    Under the null hypothesis a user's difference is as likely to have the other sign. The statistic is the mean
    over seeds of the mean over users. It holds given these models: it says nothing about other runs.

    Args:
        differences_by_seed: For every seed A - B of each user ``[n_users of the seed]``.
        draws: Random sign patterns, the observed one counting as one more; all patterns, where these are no more.
        seed: The stream's seed.

    Raises:
        DataError: If there is no seed or one without a user.
    """
    from scipy.stats import permutation_test

    parts = [np.asarray(part, dtype=np.float64) for part in differences_by_seed]
    if not parts or not all(part.size for part in parts):
        raise DataError("sign flip: needs the differences of at least one user in every seed, and one seed")
    # With each user's share of the statistic, the mean over seeds of means over users is a plain sum.
    shares = np.concatenate([part / (part.size * len(parts)) for part in parts])
    found = permutation_test(
        (shares,),
        lambda flipped, axis: np.abs(flipped.sum(axis=axis)),
        permutation_type="samples",
        vectorized=True,
        n_resamples=draws,
        batch=max(1, _CELLS_AT_ONCE // shares.size),
        alternative="greater",
        rng=stream(seed, "sign_flip"),
    )
    return float(found.pvalue)


def compare(
    per_user: pd.DataFrame,
    pairs: Sequence[tuple[str, str]],
    k: int = 50,
    group: str = "heldout",
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Judges every claim "attack beats versus" on every dataset and target.

    A pair is one claim; Holm's correction runs over its cells (dataset and target), and the verdict uses the
    corrected p-value. A seed counts where both attacks have it.

    Args:
        per_user: Agreement per user: ``dataset, target, seed, group, k, attack, user, agreement``, one clone
            architecture, defense and side (``against``) at a time.
        pairs: The claims, ``(attack, versus)``.
        k: The cutoff compared at.
        group: The group of users compared on.
        alpha: The level of the verdicts.

    Returns:
        A row per claim, dataset and target: mean ``difference`` over seeds, ``sd``, the uncorrected t interval
        ``ci_low, ci_high``, two-sided ``p``, ``p_holm``, ``p_sign_flip`` (given these models), ``n_seeds``,
        ``n_users`` (of the seed with the fewest), ``verdict``, ``note``.

    Raises:
        SettingsError: If an attack is unknown.
        DataError: If a user is there twice for an attack, or two attacks of a seed have different users.
    """
    rows = per_user[(per_user["k"] == k) & (per_user["group"] == group)]
    known = set(per_user["attack"])
    for name in (name for pair in pairs for name in pair):
        if name not in known:
            raise SettingsError(f"attack {name!r} is not among the results: {nearest(name, known)}")
    claims = [_claim(rows, attack, versus, alpha) for attack, versus in pairs]
    table = pd.DataFrame([row for claim in claims for row in claim], columns=list(COMPARISON_TYPES))
    return table.assign(group=group, k=k).astype(COMPARISON_TYPES)


def _claim(rows: pd.DataFrame, attack: str, versus: str, alpha: float) -> list[dict[str, object]]:
    """Returns a claim's rows, one per dataset and target, corrected by Holm among themselves."""
    differences = _differences(rows, attack, versus)
    cells: list[dict[str, object]] = []
    by_cell: list[list[float]] = []
    for (dataset, target), cell in differences.groupby(["dataset", "target"], sort=True):
        by_seed = [part["difference"].to_numpy() for _, part in cell.groupby("seed", sort=True)]
        by_cell.append([float(part.mean()) for part in by_seed])
        cells.append(
            {
                "dataset": dataset,
                "target": target,
                "attack": attack,
                "versus": versus,
                "p_sign_flip": sign_flip(by_seed),
                "n_users": min(part.size for part in by_seed),
            }
        )
    for cell_row, (over, p) in zip(cells, judge_together(by_cell, alpha), strict=True):
        cell_row.update(difference=over.mean, sd=over.sd, ci_low=over.low, ci_high=over.high, p=over.p, p_holm=p)
        cell_row.update(n_seeds=over.n_seeds, verdict=over.verdict, note=over.note)
    return cells


def _differences(rows: pd.DataFrame, attack: str, versus: str) -> pd.DataFrame:
    """Returns attack minus versus for every user of the seeds that both have."""
    cell, keys = ["dataset", "target", "seed"], ["dataset", "target", "seed", "user"]
    sides = [rows.loc[rows["attack"] == name, [*keys, "agreement"]] for name in (attack, versus)]
    for name, side in zip((attack, versus), sides, strict=True):
        if side.duplicated(keys).any():
            first = side[side.duplicated(keys)].iloc[0]
            where = f"{first['dataset']}, {first['target']}, seed {first['seed']}"
            raise DataError(f"{name}: user {first['user']} is there twice ({where}); choose one clone and defense")
    shared = sides[0][cell].drop_duplicates().merge(sides[1][cell].drop_duplicates())
    left, right = (side.merge(shared) for side in sides)
    both = left.merge(right, on=keys, suffixes=("", "_versus"))
    if not len(left) == len(right) == len(both):
        raise DataError(f"{attack} and {versus}: not the same users in a seed; run both on one split")
    return both.assign(difference=both["agreement"] - both["agreement_versus"])
