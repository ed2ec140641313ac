"""The rows of ``agreement.parquet`` and its per-user companion: what was measured, on whom, and for which attack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from rec_msa.evaluation.agreement import agreement_tables, cutoffs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rec_msa.foundation.lists import Lists

LABEL, NO_LABEL = "label", ""
"""The column of the name that a user gives to runs with settings of their own, and what stands there for none."""
KEY = ("dataset", "target", "clone", "attack", "base", "defense", "against", "seed", "group", "k", LABEL)
STEPS = ("kept_step", "steps", "step_limit")
"""Of the steal stage: the step whose state was kept (0: the start), steps taken and allowed; null without queries."""
FACTS = {
    "kind": "str",
    "rule": "str",
    "strength": "int64",
    "fresh": "bool",
    "list_length": "int64",
    "attacker_fraction": "float64",
    "query_fraction": "float64",
    "auxiliary_fraction": "float64",
    "item_fraction": "float64",
    "ranking_loss": "str",
    "positive_loss": "str",
    "calls_per_user": "Int64",
    "otherwise": "str",
}
"""What the names are made of: attack, reference or target; the defense's rule, strength and draws; lists and shares; of
attacks with such settings the others, null elsewhere; and in words what has no column."""
IDENTITY = (
    *("dataset", "target", "clone", "attack", "base", "kind", "defense", "rule", "strength", "fresh", "against"),
    *("list_length", "attacker_fraction", "query_fraction", "auxiliary_fraction", "item_fraction"),
    *("ranking_loss", "positive_loss", "calls_per_user", "otherwise", LABEL, "seed", "group", "k"),
)
COLUMNS = (*IDENTITY, "agreement", "ci_low", "ci_high", "n_users", "n_queries", *STEPS)
PER_USER_COLUMNS = (*IDENTITY, "user", "agreement")


def agreement_of(
    lists: Lists, against: Mapping[str, Lists], groups: pd.DataFrame, identity: Mapping[str, Any]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Agreement of lists with the target's, in the columns of the results.

    Args:
        lists: What the clone or reference recommends to every attacker user.
        against: The target's lists by name: ``served`` and ``undefended``.
        groups: Columns user, group.
        identity: The other columns: which attack on which cell, its calls and steps; those that are missing are null.

    Returns:
        The summary (``COLUMNS``) and the agreement of each user (``PER_USER_COLUMNS``).
    """
    summaries, details, seed = {}, {}, identity["seed"]
    for name, target in against.items():
        summaries[name], details[name] = agreement_tables(target, lists, groups, cutoffs(target.length), seed)
    return _named(summaries, identity, COLUMNS), _named(details, identity, PER_USER_COLUMNS)


def _named(parts: dict[str, pd.DataFrame], identity: Mapping[str, Any], columns: Sequence[str]) -> pd.DataFrame:
    """Puts the tables against each of the target's lists below one another, beside what they belong to."""
    whole = pd.concat(parts, names=["against", "row"]).reset_index("against").reset_index(drop=True)
    named = pd.DataFrame({name: whole[name] if name in whole else identity.get(name) for name in columns})
    # What is null everywhere would have no type of its own to keep.
    types = {"clone": "str"} | FACTS | dict.fromkeys(STEPS, "Int64")
    return with_label(named.astype({name: kind for name, kind in types.items() if name in columns}))


def with_label(table: pd.DataFrame) -> pd.DataFrame:
    """Returns a table with the column of labels, empty where there is none: older results lack it."""
    labels = table[LABEL].astype(object).where(table[LABEL].notna(), NO_LABEL) if LABEL in table else NO_LABEL
    return table.assign(**{LABEL: labels}).astype({LABEL: "str"})


def unlabelled(table: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows of runs without a label."""
    return table[with_label(table)[LABEL] == NO_LABEL]
