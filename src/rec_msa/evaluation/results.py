"""The rows of ``agreement.parquet`` and its per-user companion: what was measured, on whom, and for which attack."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import pandas as pd

from rec_msa.evaluation.agreement import agreement_tables, cutoffs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rec_msa.foundation.lists import Lists

KEY = ("dataset", "target", "clone", "attack", "base", "defense", "against", "seed", "group", "k")
STEPS = ("kept_step", "steps", "step_limit")
"""Of the steal stage: the step whose state was kept (0: the start), steps taken and allowed; null without queries."""
COLUMNS = (*KEY, "agreement", "ci_low", "ci_high", "n_users", "n_queries", *STEPS)
PER_USER_COLUMNS = (*KEY, "user", "agreement")


@dataclass(frozen=True)
class Identity:
    """Which attack on which cell a figure belongs to.

    Attributes:
        dataset: The dataset.
        target: The target's architecture.
        seed: The cell's seed.
        defense: ``none`` or ``<name>_<strength>``.
        attack: The key under ``attacks:``, or a reference's name.
        base: The paper's attack behind it, or the reference's name.
        clone: The clone's architecture; None where there is no clone.
        n_queries: Calls to the target that the attack made.
        kept_step: The step of the steal stage whose state was kept; 0: the start, so nothing was learnt from answers.
        steps: The steps that it took.
        step_limit: The most that it was allowed.
    """

    dataset: str
    target: str
    seed: int
    defense: str
    attack: str
    base: str
    clone: str | None
    n_queries: int
    kept_step: int | None = None
    steps: int | None = None
    step_limit: int | None = None


def agreement_of(
    lists: Lists, against: Mapping[str, Lists], groups: pd.DataFrame, identity: Identity
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Agreement of lists with the target's, in the columns of the results.

    Args:
        lists: What the clone or reference recommends to every attacker user.
        against: The target's lists by name: ``served`` and ``undefended``.
        groups: Columns user, group.
        identity: Which attack on which cell.

    Returns:
        The summary (``COLUMNS``) and the agreement of each user (``PER_USER_COLUMNS``).
    """
    summaries, details = {}, {}
    for name, target in against.items():
        summaries[name], details[name] = agreement_tables(target, lists, groups, cutoffs(target.length), identity.seed)
    return _named(summaries, identity, COLUMNS), _named(details, identity, PER_USER_COLUMNS)


def _named(parts: dict[str, pd.DataFrame], identity: Identity, columns: Sequence[str]) -> pd.DataFrame:
    """Puts the tables against each of the target's lists below one another, beside what they belong to."""
    whole = pd.concat(parts, names=["against", "row"]).reset_index("against").reset_index(drop=True)
    labels = asdict(identity)
    named = pd.DataFrame({name: labels[name] if name in labels else whole[name] for name in columns})
    # Rows of references have no clone; without a type of its own the column of such a table would have none to keep.
    return named.astype({"clone": "str"} | {name: "Int64" for name in STEPS if name in columns})
