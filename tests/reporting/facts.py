"""The facts of made-up rows, as the evaluation writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from rec_msa.attacks.settings import BASES, AttackSettings
from rec_msa.defenses.settings import parse_defense
from rec_msa.evaluation.agreement import agreement_tables, cutoffs
from rec_msa.reporting.measured import RESULTS, RESULTS_PER_USER
from rec_msa.reporting.names import REFERENCE_NAMES, TARGET

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rec_msa.foundation.lists import Lists


def facts_of(base: str, defense: str = "none", **other: Any) -> dict[str, Any]:
    """Returns the facts of an attack, a reference or the target at the usual settings but for ``other``."""
    rule, strength = parse_defense(defense)
    facts: dict[str, Any] = {"kind": "attack", "rule": rule.removesuffix("_fresh"), "strength": strength}
    facts |= {"fresh": rule.endswith("_fresh"), "list_length": 50, "attacker_fraction": 0.1, "query_fraction": 1.0}
    facts |= {"auxiliary_fraction": None, "item_fraction": None, "ranking_loss": None, "positive_loss": None}
    facts |= {"calls_per_user": None, "otherwise": ""}
    if base in REFERENCE_NAMES:
        return facts | {"kind": "target" if base == TARGET else "reference"} | other
    behind = BASES[base]
    if behind.queries:
        ranking, positive = AttackSettings(base=base).losses
        facts |= {"ranking_loss": ranking, "positive_loss": positive, "calls_per_user": 1}
    if behind.auxiliary or behind.variant == "joint":
        facts |= {"auxiliary_fraction": 1.0}
    if behind.variant in ("fused", "mean"):
        facts |= {"item_fraction": 1.0}
    return facts | other


def results_frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Returns rows in the columns of ``agreement.parquet``, of its types."""
    return typed(pd.DataFrame(rows, columns=list(RESULTS)))


def typed(table: pd.DataFrame) -> pd.DataFrame:
    """Returns a table whose columns that may be null have their types."""
    types = {"clone": "str", "ranking_loss": "str", "positive_loss": "str", "calls_per_user": "Int64", "fresh": "bool"}
    types |= {"auxiliary_fraction": "float64", "item_fraction": "float64"}
    return table.astype({name: kind for name, kind in types.items() if name in table})


def measured_rows(
    lists: Lists, against: Mapping[str, Lists], groups: pd.DataFrame, place: Mapping[str, Any]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Agreement of lists with the target's, as a summary and for each user.

    Args:
        lists: What is recommended.
        against: The target's lists by name.
        groups: Columns user, group.
        place: What the rows say: dataset, target, seed, defense, attack, base, clone, n_queries.
    """
    summaries, details = {}, {}
    for name, target in against.items():
        summaries[name], details[name] = agreement_tables(target, lists, groups, cutoffs(target.length), place["seed"])
    said = {**facts_of(str(place["base"]), str(place["defense"])), **place}
    whole = [
        pd.concat(parts, names=["against", "row"]).reset_index("against").reset_index(drop=True).assign(**said)
        for parts in (summaries, details)
    ]
    return typed(whole[0].reindex(columns=list(RESULTS))), typed(whole[1].reindex(columns=list(RESULTS_PER_USER)))
