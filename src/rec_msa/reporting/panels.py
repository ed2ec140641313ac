"""What figures and tables show: the rows of one target, gathered over seeds, in the order in which they are read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rec_msa.errors import DataError
from rec_msa.evaluation.agreement import GROUPS
from rec_msa.evaluation.intervals import seed_interval
from rec_msa.evaluation.results import COLUMNS, KEY
from rec_msa.reporting.names import ATTACKS_HEADING, REFERENCES, REFERENCES_HEADING, TARGET, seeds_text, span

if TYPE_CHECKING:
    import pandas as pd

NO_DEFENSE = "none"
_PANEL = ["dataset", "target", "defense"]


@dataclass(frozen=True)
class Estimate:
    """Agreement of one group of users.

    Attributes:
        value: The mean over users, and over seeds where there are several.
        low: Lower end of the 95 % interval: Student's t over seeds, of a single seed the bootstrap over users.
        high: The upper end.
        n_users: Users of a seed, as text: ``12``, or ``12–14`` where seeds differ.
        seeds: The seeds behind it, ascending.
    """

    value: float
    low: float
    high: float
    n_users: str
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class Row:
    """An attack or a reference beside the others of its panel.

    Attributes:
        attack: The key under ``attacks:`` or the reference's name.
        label: What a person reads, with a note on what sets it apart from the other rows of the panel.
        is_reference: Whether it is a reference.
        clone: The clone's architecture; None where there is no clone.
        calls: Calls to the target, as text.
        groups: The estimates by group, ``heldout`` and ``queried``, of those that were measured.
    """

    attack: str
    label: str
    is_reference: bool
    clone: str | None
    calls: str
    groups: dict[str, Estimate]

    @property
    def rank(self) -> tuple[bool, float, str]:
        """Sorts attacks before references, and the best on held-out users first."""
        heldout = self.groups.get("heldout")
        return self.is_reference, -heldout.value if heldout else 1.0, self.attack


@dataclass(frozen=True)
class Panel:
    """One target under one defense.

    Attributes:
        dataset: The dataset.
        target: The target's architecture.
        defense: ``none`` or ``<name>_<strength>``.
        seeds: The seeds, ascending.
        k: The largest k of Agr@k.
        rows: Attacks, then references, each the best first.
    """

    dataset: str
    target: str
    defense: str
    seeds: tuple[int, ...]
    k: int
    rows: tuple[Row, ...]

    @property
    def name(self) -> tuple[str, ...]:
        """Dataset, target and, where there is one, defense."""
        return self.dataset, self.target, *([] if self.defense == NO_DEFENSE else [self.defense])

    @property
    def where(self) -> str:
        """The name and the seeds: ``ml-100k · bpr · seed 0``."""
        return " · ".join([*self.name, seeds_text(self.seeds)])

    @property
    def lines(self) -> list[str | Row]:
        """The rows under a heading for attacks and one for references, as far as there are any."""
        attacks = [row for row in self.rows if not row.is_reference]
        references = [row for row in self.rows if row.is_reference]
        parts = ((ATTACKS_HEADING, attacks), (REFERENCES_HEADING, references))
        return [line for heading, rows in parts if rows for line in (heading, *rows)]

    @property
    def users(self) -> str:
        """How many users each group has: ``12 held-out and 35 queried users``."""
        parts = []
        for group, name in (("heldout", "held-out"), ("queried", "queried")):
            found = [int(n) for row in self.rows if group in row.groups for n in row.groups[group].n_users.split("–")]
            parts += [f"{span(found)} {name}"] if found else []
        return " and ".join(parts) + " users"

    @property
    def intervals(self) -> str:
        """What the intervals are."""
        return intervals_text([self])

    @property
    def remarks(self) -> list[str]:
        """What must be known beside the figures; nothing where there is no defense."""
        return [] if self.defense == NO_DEFENSE else ["agreement with the undefended lists"]


def intervals_text(panels: list[Panel]) -> str:
    """Says what the intervals of some panels are.

    Args:
        panels: The panels, at least one.
    """
    counts = [len(estimate.seeds) for panel in panels for row in panel.rows for estimate in row.groups.values()]
    if max(counts) == 1:
        return "95 % bootstrap over users"
    if min(counts) > 1:
        return "mean and 95 % t interval over seeds"
    return "mean and 95 % t interval over seeds; of a single seed, 95 % bootstrap over users"


def panels_of(agreement: pd.DataFrame) -> list[Panel]:
    """Gathers rows of ``agreement.parquet`` into a panel for each dataset, target and defense.

    Under a defense, agreement with the undefended lists is taken: what is wanted is the model, not the noise put
    before it. The row ``target`` then says how much of these the served lists repeat, and is left out elsewhere.

    Args:
        agreement: The columns of ``rec_msa.evaluation.results``. Each attack is shown at its own largest k. Where a
            row is there twice, since attacks that ask more or fewer users bring their own references, the one with
            the most calls and users counts.

    Returns:
        The panels, sorted by dataset, target and defense, ``none`` and lower strengths first.

    Raises:
        DataError: If a column is missing or there is no row.
    """
    missing = [name for name in COLUMNS if name not in agreement.columns]
    if missing:
        raise DataError(f"agreement: column {missing[0]!r} is missing; needed are {', '.join(COLUMNS)}")
    shown = _answers_the_question(agreement)
    if shown.empty:
        raise DataError("agreement: there is no row to show; run an attack or the evaluation first")
    shown = shown.sort_values(["n_queries", "n_users"], kind="stable").drop_duplicates(list(KEY), keep="last")
    panels = [_panel(*map(str, name), part) for name, part in shown.groupby(_PANEL)]
    return sorted(panels, key=lambda panel: [_natural(name) for name in panel.name])


def _answers_the_question(agreement: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows of the groups shown against what counts: without a defense both are the same lists."""
    undefended = agreement["defense"] == NO_DEFENSE
    of_target = agreement["attack"] == TARGET
    # |served ∩ undefended| is the same from both sides, and the rows of `target` hold its undefended lists.
    against_served = undefended | of_target
    wanted = agreement["against"] == against_served.map({True: "served", False: "undefended"})
    return agreement[wanted & ~(undefended & of_target) & agreement["group"].isin(GROUPS)]


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts ``_5`` before ``_10``."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _panel(dataset: str, target: str, defense: str, table: pd.DataFrame) -> Panel:
    seeds, k = tuple(sorted({int(seed) for seed in table["seed"]})), int(table["k"].max())
    rows = [
        _row(str(attack), None if clone != clone else str(clone), part, target, seeds, k)  # noqa: PLR0124 - NaN
        for (attack, clone), part in table.groupby(["attack", "clone"], dropna=False)
    ]
    return Panel(dataset, target, defense, seeds, k, tuple(sorted(rows, key=lambda row: row.rank)))


def _row(attack: str, clone: str | None, table: pd.DataFrame, target: str, seeds: tuple[int, ...], k: int) -> Row:
    own_k = int(table["k"].max())
    shown = table[table["k"] == own_k]
    groups = {str(group): _estimate(part) for group, part in shown.groupby("group")}
    own_seeds = sorted({seed for estimate in groups.values() for seed in estimate.seeds})
    notes = [
        *([f"clone {clone}"] if clone not in (None, target) else []),
        *([f"at {own_k}"] if own_k != k else []),
        *([seeds_text(tuple(own_seeds))] if len(own_seeds) != len(seeds) else []),
    ]
    label = REFERENCES.get(attack, attack) + (f" ({', '.join(notes)})" if notes else "")
    calls = span([int(n) for n in shown["n_queries"]])
    return Row(attack, label, attack in REFERENCES, clone, calls, groups)


def _estimate(table: pd.DataFrame) -> Estimate:
    ordered = table.sort_values("seed")
    seeds, n_users = tuple(int(seed) for seed in ordered["seed"]), span([int(n) for n in ordered["n_users"]])
    if len(seeds) == 1:
        value, low, high = (float(ordered[name].iloc[0]) for name in ("agreement", "ci_low", "ci_high"))
        return Estimate(value, low, high, n_users, seeds)
    over = seed_interval(ordered["agreement"].to_numpy())
    return Estimate(over.mean, over.low, over.high, n_users, seeds)
