"""Made-up results of an audit: a small grid of one target, nothing of it measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rec_msa.evaluation.results import PER_USER_COLUMNS
from rec_msa.reporting.audit_results import PROFILE_COLUMNS, AuditResults
from rec_msa.reporting.names import REFERENCE_NAMES
from tests.reporting.facts import facts_of, results_frame, typed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

LEVELS = {
    "ptd": 0.40,
    "ptq": 0.48,
    "pta": 0.52,
    "ptaq": 0.60,
    "qsd": 0.10,
    "random": 0.02,
    "popularity": 0.29,
    "auxiliary_popularity": 0.30,
    "list_popularity": 0.28,
    "knn_lists": 0.35,
    "cache": 0.28,
    "retrain": 0.75,
}
"""What each repeats at 5 % of the users known; attacks and look-ups gain .1 from there to 20 %."""
ASKING = ("ptq", "ptaq", "qsd", "knn_lists", "list_popularity", "cache")
GAINING = ("ptd", "ptq", "pta", "ptaq", "knn_lists")
N_USERS, LENGTH = 8, 20
TARGET = {"name": "shop", "kind": "recorded", "n_users": 400, "n_items": 300, "n_interactions": 9000}
TARGET |= {"retrained": True, "repeats": None, "filled": 1.0}


def audit_results(
    seeds: Sequence[int] = (0, 1, 2),
    shares: Sequence[float] = (0.05, 0.1, 0.2),
    defenses: Mapping[str, float] | None = None,
    scatter: float = 0.02,
    heavy: float = 0.0,
    levels: Mapping[str, float] | None = None,
    **other: Any,
) -> AuditResults:
    """Returns results at every share, and at 10 % under defenses.

    Args:
        seeds: The seeds.
        shares: The shares of users known.
        defenses: How much less each lets attacks that ask copy; a place of ten of each list is altered.
        scatter: The standard deviation over users.
        heavy: How much more is copied of the user with most interactions than of the one with fewest.
        levels: Other levels than ``LEVELS``, or others in addition.
        other: Fields of ``AuditResults``.
    """
    rows: list[dict[str, Any]] = []
    users: list[dict[str, Any]] = []
    for base, level, seed, share, defense in _grid({**LEVELS, **(levels or {})}, seeds, shares, defenses or {}):
        less = (defenses or {}).get(defense, 0.0) * (base in ("ptq", "ptaq"))
        rng = np.random.default_rng([seed, *map(ord, base)])
        noise = rng.normal(0, scatter, N_USERS)
        each = level + (share - 0.05) * (2 / 3) * (base in GAINING) - less + noise - noise.mean()
        each += heavy * (np.arange(N_USERS) / (N_USERS - 1) - 0.5) * (base in ("ptd", "ptq", "pta", "ptaq"))
        row = _row(base, seed, share, defense)
        low, high = each.mean() - 0.01, each.mean() + 0.01
        for against in ("served", "undefended"):
            rows.append({**row, "against": against, "agreement": each.mean(), "ci_low": low, "ci_high": high})
            users += [{**rows[-1], "user": user, "agreement": value} for user, value in enumerate(each)]
    rows += [_kept(seed, defense) for seed in seeds for defense in defenses or {}]
    given = {"profile": _profile(seeds), "target": TARGET, "auxiliary": "file"} | other
    per_user = typed(pd.DataFrame(users, columns=list(PER_USER_COLUMNS)))
    return AuditResults(results_frame(rows), per_user, **given)


def without(results: AuditResults, *bases: str) -> AuditResults:
    """Returns results without some attacks or references."""
    kept = results.agreement[~results.agreement["base"].isin(bases)]
    return AuditResults(**{**vars(results), "agreement": kept})


def _grid(
    levels: Mapping[str, float], seeds: Sequence[int], shares: Sequence[float], defenses: Mapping[str, float]
) -> Iterator[tuple[str, float, int, float, str]]:
    for base, level in levels.items():
        for seed in seeds:
            yield from ((base, level, seed, share, "none") for share in shares)
            yield from ((base, level, seed, 0.1, defense) for defense in defenses)


def _row(base: str, seed: int, share: float, defense: str) -> dict[str, Any]:
    facts = facts_of(base, defense, attacker_fraction=share, list_length=LENGTH)
    clone = None if base in REFERENCE_NAMES and base != "retrain" else "bpr"
    row = {**facts, "dataset": "mine", "target": "shop", "clone": clone, "base": base, "defense": defense, "seed": seed}
    row |= {"attack": base if share == 0.1 else f"{base}_users{100 * share:g}", "group": "heldout", "k": LENGTH}
    return row | {"n_users": N_USERS, "n_queries": max(0, round(400 * share) - N_USERS) if base in ASKING else 0}


def _kept(seed: int, defense: str) -> dict[str, Any]:
    """The target's own lists, of which nine of ten places are served."""
    row = _row("target", seed, 0.1, defense)
    return {**row, "clone": None, "against": "served", "agreement": 0.9, "ci_low": 0.9, "ci_high": 0.9}


def _profile(seeds: Sequence[int]) -> pd.DataFrame:
    rows = [("mine", seed, user, 10 * (user + 1), 90.0 - 10 * user) for seed in seeds for user in range(N_USERS)]
    return pd.DataFrame(rows, columns=list(PROFILE_COLUMNS))
