"""Where a named attack stands: on an axis of the paper's figures, among the steal losses, among clone architectures.

The names are those of ``conf/paper``: what a point of an axis differs in stands behind its base, ``ptq_length20``,
``pta_items10``; the point at the default is the base's own attack. References of such a cell are ``cache-asked10``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from rec_msa.attacks.registry import attack_of
from rec_msa.defenses.settings import NO_DEFENSE
from rec_msa.recommenders.settings import is_sequential
from rec_msa.reporting.names import TARGET

if TYPE_CHECKING:
    from collections.abc import Callable

K = 50
"""The items of a list and the k of Agr@k where nothing else is said."""
POINT_COLUMNS = [
    *("dataset", "target", "clone", "attack", "base", "seed", "group", "k", "value"),
    *("agreement", "ci_low", "ci_high", "n_users", "n_queries", "kept_step"),
]
_POINT = ["dataset", "target", "base", "seed", "group", "k"]
LOSSES = ("bpr+bpr", "bpr+hinge", "hinge+bpr", "hinge+hinge")
"""The steal losses: ranking, then positive items."""


@dataclass(frozen=True)
class Axis:
    """What varies along figures 2, 3, 4, 5 and 9, or in QSD's rows of Table 8.

    Attributes:
        name: What its column is called in files.
        title: What a person reads at the axis.
        unit: ``%``, or empty for a count.
        default_value: Where the base's own attack stands; None where it does not.
        suffix: What stands before the value in an attack's name.
    """

    name: str
    title: str
    unit: str
    default_value: int | None
    suffix: str

    def value_of(self, attack: str, base: str) -> int | None:
        """Returns where an attack, or a reference, stands on the axis; None for one that does not.

        Args:
            attack: Its name, as ``ptq_length20``.
            base: The attack behind it, as ``ptq``.
        """
        if attack == base:
            return self.default_value
        before = f"[_-]{self.suffix}" if self.suffix else ""
        found = re.fullmatch(f"{re.escape(base)}{before}([0-9]+)", attack)
        return int(found[1]) if found else None

    def k_of(self, value: int) -> int:
        """Returns the k of Agr@k at a value: the whole list that the target serves there."""
        return value if self is LIST_LENGTH else K


LIST_LENGTH = Axis("list_length", "items in a list", "", K, "length")
TARGET_USERS = Axis("target_users", "target users known", "%", 10, "users")
AUXILIARY_USERS = Axis("auxiliary_users", "auxiliary users known", "%", 100, "auxiliary")
ITEMS = Axis("items", "items whose auxiliary vector may be used", "%", 100, "items")
ASKED = Axis("asked", "users asked, of those that may be", "%", 100, "asked")
CALLS = Axis("calls", "calls for each queried user", "", None, "")


def points_of(agreement: pd.DataFrame, axis: Axis) -> pd.DataFrame:
    """Returns the points of an axis, of clones of the target's architecture and of references, without a defense.

    Args:
        agreement: The columns of ``rec_msa.evaluation.results``, of any number of cells.
        axis: What varies.

    Returns:
        ``POINT_COLUMNS``: the rows of ``agreement`` at the k that belongs to their ``value`` on the axis.
    """
    placed = _placed(undefended(own_clones(agreement)), axis.value_of)
    at_k: pd.DataFrame = placed[placed["k"] == placed["value"].map(axis.k_of)]
    return at_k.astype({"value": "int64"}).reset_index(drop=True)


def loss_points(agreement: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows of the steal losses of attacks with queries (Table 7), as ``points_of``; ``value`` is a loss."""
    placed = _placed(undefended(own_clones(agreement)), loss_of)
    at_k: pd.DataFrame = placed[placed["k"] == K]
    return at_k.reset_index(drop=True)


def clone_points(agreement: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows that differ in the clone's architecture alone (Figure 6), as ``points_of``; ``value`` is it."""
    own = undefended(agreement)
    diagonal = (own["attack"] == own["base"]) & (own["clone"] == own["target"])
    beside = (own["attack"] == own["base"] + "_" + own["clone"]) & (own["clone"] != own["target"])
    chosen = own[(diagonal | beside) & (own["k"] == K)]
    return chosen.assign(value=chosen["clone"]).reindex(columns=POINT_COLUMNS).reset_index(drop=True)


def loss_of(attack: str, base: str) -> str | None:
    """Returns an attack's steal losses, as ``bpr+hinge``; None for one that has none or differs in more."""
    if base not in ("qsd", "ptq", "ptaq"):
        return None
    if attack == base:
        return "+".join(getattr(attack_of(base=base), "losses", ()))
    loss = attack.removeprefix(f"{base}_").replace("_", "+")
    return loss if loss in LOSSES else None


def undefended(table: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows without a defense, once: the lists served are then the undefended ones, and ``target`` is 1."""
    return table[(table["defense"] == NO_DEFENSE) & (table["against"] == "served") & (table["base"] != TARGET)]


def own_clones(table: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows without a clone or with one of the target's architecture."""
    return table[table["clone"].isna() | (table["clone"] == table["target"])]


def table_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows of tables 4 and 5: at 50 items, no variants of an attack, a reference or a clone.

    Args:
        table: ``COLUMNS`` or ``PER_USER_COLUMNS`` of ``rec_msa.evaluation.results``, of any number of cells.
    """
    own = undefended(own_clones(table))
    return own[(own["k"] == K) & (own["attack"] == own["base"]) & ~own["target"].map(is_sequential).astype(bool)]


def _placed(table: pd.DataFrame, value_of: Callable[[str, str], int | str | None]) -> pd.DataFrame:
    """The rows whose attack has a value, with it."""
    names = table[["attack", "base"]].drop_duplicates()
    values = [value_of(str(attack), str(base)) for attack, base in names.itertuples(index=False)]
    known = names.assign(value=pd.Series(values, index=names.index, dtype="object")).dropna(subset="value")
    # Tables of before have no kept_step.
    points = table.merge(known, on=["attack", "base"]).reindex(columns=POINT_COLUMNS)
    # A second name for the default point, as ptq_length50, is the same point.
    own_first = points.iloc[(points["attack"] != points["base"]).argsort(kind="stable")]
    return own_first.drop_duplicates([*_POINT, "value"]).sort_index()
