"""An attack against another: their differences over the same users and seeds, and what these say.

Seeds are the units that a verdict rests on; users of one seed share its models and its split.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rec_msa.evaluation.verdicts import judge_together
from rec_msa.foundation.errors import DataError, SettingsError, nearest
from rec_msa.foundation.randomness import stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

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
_ROUNDING = 100 * float(np.finfo(np.float64).eps)
"""How much less than the observed statistic, as a share of it, is still as much."""


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
    parts = [np.asarray(part, dtype=np.float64) for part in differences_by_seed]
    if not parts or not all(part.size for part in parts):
        raise DataError("sign flip: needs the differences of at least one user in every seed, and one seed")
    # With each user's share of the statistic, the mean over seeds of means over users is a plain sum.
    shares = np.concatenate([part / (part.size * len(parts)) for part in parts])
    observed = abs(float(shares.sum())) * (1 - _ROUNDING)
    if draws >= 2**shares.size:
        patterns = 2.0 * np.indices((2,) * shares.size).reshape(shares.size, -1).T - 1
        return float((np.abs(patterns @ shares) >= observed).mean())
    rng, step = stream(seed, "sign_flip"), max(1, _CELLS_AT_ONCE // shares.size)
    # The lowest bit of a whole word: the fastest coin there is.
    sizes = [(min(step, draws - at), shares.size) for at in range(0, draws, step)]
    words = (rng.integers(2**32, size=size, dtype=np.uint32) for size in sizes)
    reached = sum(int((np.abs((2.0 * (word & 1) - 1) @ shares) >= observed).sum()) for word in words)
    return (reached + 1) / (draws + 1)


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
