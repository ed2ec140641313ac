"""The facts of made-up rows, as the evaluation writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from rec_msa.attacks.base import FACTS as OF_ATTACKS
from rec_msa.attacks.registry import attack_of
from rec_msa.evaluation.results import COLUMNS, FACTS, agreement_of
from rec_msa.experiments.cells import Attacker, Cell
from rec_msa.reporting.names import REFERENCE_NAMES, TARGET

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rec_msa.foundation.lists import Lists


def facts_of(base: str, defense: str = "none", **other: Any) -> dict[str, Any]:
    """Returns the facts of an attack, a reference or the target at the usual settings but for ``other``."""
    whose = Attacker(Cell("any", "bpr", 0, defense), 0.1, 1.0, 50, (0.1, 50)).facts
    facts = {name: whose.get(name) for name in FACTS} | {"kind": "attack", "otherwise": ""}
    if base in REFERENCE_NAMES:
        return facts | {"kind": "target" if base == TARGET else "reference"} | other
    attack = attack_of(base=base)
    return facts | {name: getattr(attack, name, None) for name in OF_ATTACKS} | other


def results_frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Returns rows in the columns of ``agreement.parquet``, of its types."""
    return typed(pd.DataFrame(rows, columns=list(COLUMNS)))


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
    return agreement_of(lists, against, groups, {**facts_of(str(place["base"]), str(place["defense"])), **place})
