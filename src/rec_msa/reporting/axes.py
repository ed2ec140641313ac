"""Where a measured row stands, by its facts: at the study's usual settings, or on one axis with all others usual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rec_msa.attacks.registry import attack_of
from rec_msa.defenses.settings import NO_DEFENSE
from rec_msa.recommenders.settings import is_sequential

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

K = 50
"""The items of a list and the k of Agr@k where nothing else is said."""
USUAL = {
    "list_length": K,
    "attacker_fraction": 0.1,
    "query_fraction": 1.0,
    "auxiliary_fraction": 1.0,
    "item_fraction": 1.0,
    "calls_per_user": 1,
    "otherwise": "",
}
"""The study's settings: what differs in none of them, in no loss and in no clone is the base's own attack."""
FACTS = ("kind", "rule", "strength", "fresh", "ranking_loss", "positive_loss", *USUAL)
LOSSES = ("bpr+bpr", "bpr+hinge", "hinge+bpr", "hinge+hinge")
"""The steal losses: ranking, then positive items."""
WITH_LOSSES = ("qsd", "ptq", "ptaq")
"""The attacks whose losses the paper varies."""
_POINT = ["dataset", "target", "clone", "base", "seed", "group", "k", "against", "defense"]


@dataclass(frozen=True)
class Axis:
    """What varies along figures 2, 3, 4, 5 and 9, or in QSD's rows of Table 8.

    Attributes:
        name: What its column is called in files.
        fact: The column of the results.
        title: What a person reads at the axis.
        unit: ``%`` of a share, or empty for a count.
        values: The values that are on it; any where empty.
    """

    name: str
    fact: str
    title: str
    unit: str = "%"
    values: Sequence[int] = ()

    def places(self, rows: pd.DataFrame) -> pd.Series:
        """Returns where rows stand on the axis; who does not have the fact stands at the usual value."""
        found = rows[self.fact].astype("Float64") * (100 if self.unit else 1)
        places: pd.Series = found.round().fillna(self.usual).astype("int64")
        return places

    @property
    def usual(self) -> int:
        """Where the base's own attack stands."""
        return round(float(str(USUAL[self.fact])) * (100 if self.unit else 1))


LIST_LENGTH = Axis("list_length", "list_length", "items in a list", "")
TARGET_USERS = Axis("target_users", "attacker_fraction", "target users known")
AUXILIARY_USERS = Axis("auxiliary_users", "auxiliary_fraction", "auxiliary users known")
ITEMS = Axis("items", "item_fraction", "items whose auxiliary vector may be used")
ASKED = Axis("asked", "query_fraction", "users asked, of those that may be")
CALLS = Axis("calls", "calls_per_user", "calls for each queried user", "", (5, 10, 15, 20, 25, 30))
AXES = (LIST_LENGTH, TARGET_USERS, AUXILIARY_USERS, ITEMS, ASKED, CALLS)


def points_of(agreement: pd.DataFrame, axis: Axis) -> pd.DataFrame:
    """Returns the points of an axis, of clones of the target's architecture and of references, without a defense.

    Args:
        agreement: The columns of ``rec_msa.evaluation.results``, of any number of cells.
        axis: What varies.

    Returns:
        The rows at the k that belongs to their ``value`` on the axis: the whole list that is served, or 50.
    """
    rows = undefended(own_clones(agreement))
    rows = rows[is_usual(rows, axis.fact)]
    placed = rows.assign(value=axis.places(rows))
    placed = placed[placed["value"].isin(axis.values)] if axis.values else placed
    return once(placed[placed["k"] == (placed["value"] if axis is LIST_LENGTH else K)], "value")


def loss_points(agreement: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows of the steal losses of attacks with queries (Table 7); ``value`` is a loss as in ``LOSSES``."""
    rows = undefended(own_clones(agreement))
    rows = rows[is_usual(rows, "losses") & rows["base"].isin(WITH_LOSSES) & (rows["k"] == K)]
    return once(rows.assign(value=rows["ranking_loss"] + "+" + rows["positive_loss"]), "value")


def clone_points(agreement: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows that differ in the clone's architecture alone (Figure 6); ``value`` is it."""
    rows = undefended(agreement)
    rows = rows[is_usual(rows) & rows["clone"].notna() & (rows["k"] == K)]
    return once(rows.assign(value=rows["clone"]), "value")


def table_rows(table: pd.DataFrame, *, sequential: bool = False) -> pd.DataFrame:
    """Returns the rows of tables 4 and 5: attacks and references at the usual settings, under the name of their base.

    Args:
        table: ``COLUMNS`` or ``PER_USER_COLUMNS`` of ``rec_msa.evaluation.results``, of any number of cells.
        sequential: Take sequential targets, not the others.
    """
    rows = undefended(own_clones(table))
    rows = rows[rows["target"].map(is_sequential).astype(bool) == sequential]
    return own_names(rows[is_usual(rows) & (rows["k"] == K)])


def own_names(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns rows of usual settings, each once, under the name of their base."""
    rows = once(rows)
    return rows.assign(attack=rows["base"])


def undefended(table: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows without a defense, once: the lists served are then the undefended ones, and ``target`` is 1."""
    return table[(table["rule"] == NO_DEFENSE) & (table["against"] == "served") & (table["kind"] != "target")]


def own_clones(table: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows without a clone or with one of the target's architecture."""
    return table[table["clone"].isna() | (table["clone"] == table["target"])]


def is_usual(rows: pd.DataFrame, but: str = "") -> pd.Series:
    """Returns which rows have the usual settings, or lack them.

    Args:
        rows: Of the results.
        but: A fact, or ``losses``, that may be any.
    """
    usual = rows["base"].notna() if but == "losses" else _usual_losses(rows)
    for fact, value in USUAL.items():
        if fact != but:
            usual &= rows[fact].isna() | (rows[fact] == value)
    return usual.astype(bool)


def once(rows: pd.DataFrame, *more: str) -> pd.DataFrame:
    """Returns each point once: a second attack with the same settings is the same point, the base's own name first."""
    own_first = rows.iloc[(rows["attack"] != rows["base"]).argsort(kind="stable")]
    keys = [*_POINT, *more, *({"user"} & {*rows.columns})]
    return own_first.drop_duplicates(keys).sort_index().reset_index(drop=True)


def _usual_losses(rows: pd.DataFrame) -> pd.Series:
    losing = rows["ranking_loss"].notna()
    usual = {base: getattr(attack_of(base=base), "losses", (None, None)) for base in set(rows.loc[losing, "base"])}
    ranking, positive = (rows["base"].map({base: losses[at] for base, losses in usual.items()}) for at in (0, 1))
    return ~losing | ((rows["ranking_loss"] == ranking) & (rows["positive_loss"] == positive))
