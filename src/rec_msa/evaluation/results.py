"""The rows of ``agreement.parquet`` and its per-user companion: what was measured, on whom, and for which attack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
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
COST_KEY = (LABEL, "dataset", "target", "clone", "attack", "defense", "seed")
"""The columns of ``costs.parquet`` but for its figure, the processor ``seconds`` of all that the attacker trained."""
PER_USER_COLUMNS = (*IDENTITY, "user", "agreement")
MEANINGS = {
    LABEL: "the name that `--params=label` gave the run; empty without one",
    "dataset": "the data set",
    "target": "the target's architecture",
    "clone": "the clone's architecture; empty where there is no clone",
    "attack": "the key under `attacks:`, or the name of a reference; one at another share or list length says so in "
    "its name, as `popularity-users5`",
    "base": "the attack behind a named one; of a reference its plain name",
    "kind": "`attack`, `reference`, or `target`: the target's own lists, the ceiling under a defense",
    "defense": "`none`, or `<name>_<n>`",
    "rule": "the defense without its strength",
    "strength": "n: how many places of a list the defense alters",
    "fresh": "whether each call gets a fresh draw of the defense",
    "against": "`served`: the lists that the target answers; `undefended`: those it would answer without its defense",
    "list_length": "items in a list that the target serves",
    "attacker_fraction": "share of the target's users whom the attacker knows",
    "query_fraction": "share of the users allowed to be asked about who are",
    "auxiliary_fraction": "share of the auxiliary users known",
    "item_fraction": "share of the items whose auxiliary vector may be used",
    "ranking_loss": "steal loss between neighbours in a list",
    "positive_loss": "steal loss between a list's items and others",
    "calls_per_user": "the budget: calls for each queried user",
    "otherwise": "settings that differ from the base and have no column",
    "seed": "the seed of the split and of every training",
    "group": "`heldout`: users about whom nobody asked; `queried`: users whose lists the attacker has. Never mix them",
    "k": "the first k items of both lists are compared",
    "agreement": "the share of the target's list that the other list repeats, mean over users",
    "ci_low": "lower end of the 95 % bootstrap interval over users",
    "ci_high": "its upper end",
    "n_users": "users that the mean is of",
    "n_queries": "calls that the attack made to the target",
    "kept_step": "the step of the steal stage that was kept; 0 is the start: the answers taught nothing",
    "steps": "steps that the steal stage took",
    "step_limit": "steps that it was allowed",
    "user": "the user's index",
}
"""What each column says, for the documentation; a test holds that all are there."""


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
    seed = identity["seed"]
    tables = {one: agreement_tables(one, lists, groups, cutoffs(one.length), seed) for one in set(against.values())}
    summaries, details = ({name: tables[one][part] for name, one in against.items()} for part in (0, 1))
    return _named(summaries, identity, COLUMNS), _named(details, identity, PER_USER_COLUMNS)


def _named(parts: dict[str, pd.DataFrame], identity: Mapping[str, Any], columns: Sequence[str]) -> pd.DataFrame:
    """Puts the tables against each of the target's lists below one another, beside what they belong to."""
    whole = pd.concat([*parts.values()], ignore_index=True)
    whole["against"] = np.repeat([*parts], [len(part) for part in parts.values()])
    # What is null everywhere would have no type of its own to keep.
    types = {"clone": "str", LABEL: "str"} | FACTS | dict.fromkeys(STEPS, "Int64")
    said = {LABEL: NO_LABEL, **identity}
    constant = [name for name in columns if name not in whole]
    same = {name: pd.Series([said.get(name)], dtype=types.get(name)).array.repeat(len(whole)) for name in constant}
    return pd.DataFrame({name: same[name] if name in same else whole[name].array for name in columns})


def with_label(table: pd.DataFrame) -> pd.DataFrame:
    """Returns a table with the column of labels, empty where there is none: older results lack it."""
    labels = table[LABEL].astype(object).where(table[LABEL].notna(), NO_LABEL) if LABEL in table else NO_LABEL
    return table.assign(**{LABEL: labels}).astype({LABEL: "str"})


def unlabelled(table: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows of runs without a label."""
    return table[with_label(table)[LABEL] == NO_LABEL]
