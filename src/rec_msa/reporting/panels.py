"""What figures and tables show: the rows of one target, gathered over seeds, in the order in which they are read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rec_msa.defenses.settings import NO_DEFENSE
from rec_msa.evaluation.agreement import GROUPS
from rec_msa.evaluation.intervals import seed_interval
from rec_msa.evaluation.results import COLUMNS
from rec_msa.foundation.errors import DataError
from rec_msa.foundation.tables import require_table
from rec_msa.reporting.names import (
    ATTACKS_HEADING,
    GROUP_NAMES,
    REFERENCE_NAMES,
    REFERENCES_HEADING,
    TARGET,
    seeds_text,
    span,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

_PANEL = ["dataset", "target", "defense"]


@dataclass(frozen=True)
class Estimate:
    """Agreement of one group of users.

    Attributes:
        value: The mean over users, and over seeds where there are several.
        low: Lower end of the 95 % interval: Student's t over seeds, of a single seed the bootstrap over users.
        high: The upper end.
        seeds: The seeds behind it, ascending ``[n_seeds]``.
        n_users: The users of each seed ``[n_seeds]``.
        sd: The standard deviation over seeds; NaN for a single one.
        learnt_nothing: How many seeds kept the state before their steal stage, as far as that is known.
    """

    value: float
    low: float
    high: float
    seeds: tuple[int, ...]
    n_users: tuple[int, ...]
    sd: float = float("nan")
    learnt_nothing: int = 0


@dataclass(frozen=True)
class Row:
    """An attack or a reference beside the others of its panel.

    Attributes:
        attack: The key under ``attacks:`` or the reference's name.
        is_reference: Whether it is a reference.
        name: What a person reads.
        notes: What sets it apart from the other rows of the panel: another k, fewer seeds.
        k: The k of Agr@k.
        clone: The clone's architecture; empty where there is no clone.
        calls: Calls to the target, as text.
        groups: The estimates by group, ``heldout`` and ``queried``, of those that were measured.
    """

    attack: str
    is_reference: bool
    name: str
    notes: tuple[str, ...]
    k: int
    clone: str
    calls: str
    groups: dict[str, Estimate]

    @property
    def label(self) -> str:
        """The name with the notes."""
        return f"{self.name} ({', '.join(self.notes)})" if self.notes else self.name

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
        lines: list[str | Row] = []
        for heading, is_reference in ((ATTACKS_HEADING, False), (REFERENCES_HEADING, True)):
            rows = [row for row in self.rows if row.is_reference == is_reference]
            lines += [heading, *rows] if rows else []
        return lines

    @property
    def users(self) -> str:
        """How many users each group has: ``12 held-out and 35 queried users``."""
        counts = {name: self.n_users(group) for group, name in GROUP_NAMES.items()}
        return " and ".join(f"{count} {name}" for name, count in counts.items() if count) + " users"

    def n_users(self, group: str) -> str:
        """How many users a group has in a seed, as text."""
        estimates = [row.groups[group] for row in self.rows if group in row.groups]
        return span([n for estimate in estimates for n in estimate.n_users])


def intervals_text(panels: list[Panel]) -> str:
    """Says what the intervals of some panels, at least one, are."""
    found = [estimate for panel in panels for row in panel.rows for estimate in row.groups.values()]
    return f"95 % intervals, {interval_kinds(found)}"


def interval_kinds(found: Sequence[Estimate]) -> str:
    """Names the intervals of some figures, at least one, as ``t over seeds``."""
    counts = [len(one.seeds) for one in found]
    kinds = ["t over seeds"] * (max(counts) > 1)
    kinds += ["bootstrap over users" + " of a single seed" * (max(counts) > 1)] * (min(counts) == 1)
    return ", ".join(kinds)


def panels_of(agreement: pd.DataFrame) -> list[Panel]:
    """Gathers rows of ``agreement.parquet`` into a panel for each dataset, target and defense.

    Under a defense, agreement with the undefended lists is taken: what is wanted is the model, not the noise put
    before it. The row ``target`` then says how much of these the served lists repeat, and is left out elsewhere.

    Args:
        agreement: The columns of ``rec_msa.evaluation.results``. Each attack is shown at its own largest k.

    Returns:
        The panels, sorted by dataset, target and defense, ``none`` and lower strengths first.

    Raises:
        DataError: If a column is missing or there is no row.
    """
    require_table("agreement", agreement, COLUMNS)
    shown = _answers_the_question(agreement)
    if shown.empty:
        raise DataError("agreement: there is no row to show; run an attack or the evaluation first")
    panels = [_panel(part) for _, part in shown.groupby(_PANEL)]
    return sorted(panels, key=lambda panel: [_natural(name) for name in panel.name])


def _answers_the_question(agreement: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows of the groups shown against what counts: without a defense both are the same lists."""
    undefended = agreement["defense"] == NO_DEFENSE
    of_target = agreement["base"] == TARGET
    # |served ∩ undefended| is the same from both sides, and the rows of `target` hold its undefended lists.
    against_served = undefended | of_target
    wanted = agreement["against"] == against_served.map({True: "served", False: "undefended"})
    return agreement[wanted & ~(undefended & of_target) & agreement["group"].isin(GROUPS)]


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts ``_5`` before ``_10``."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _panel(table: pd.DataFrame) -> Panel:
    dataset, target, defense = (str(table[name].iloc[0]) for name in _PANEL)
    seeds, k = _values(table["seed"]), int(table["k"].max())
    rows = [_row(str(attack), part, seeds, k) for attack, part in table.groupby("attack")]
    return Panel(dataset, target, defense, seeds, k, tuple(sorted(rows, key=lambda row: row.rank)))


def _row(attack: str, table: pd.DataFrame, seeds: tuple[int, ...], k: int) -> Row:
    own_k = int(table["k"].max())
    shown = table[table["k"] == own_k]
    own_seeds = _values(shown["seed"])
    notes = [f"at {own_k}"] * (own_k != k) + [seeds_text(own_seeds)] * (own_seeds != seeds)
    clone = ", ".join(sorted(set(shown["clone"].dropna().astype(str))))
    calls = span(_values(shown["n_queries"]))
    groups = {str(group): estimate(part) for group, part in shown.groupby("group")}
    base = str(shown["base"].iloc[0])
    if base not in REFERENCE_NAMES:
        return Row(attack, False, attack, tuple(notes), own_k, clone, calls, groups)
    # References of attacks with other shares or lengths than the cell's are named <reference>-<what differs>.
    name = REFERENCE_NAMES[base] + attack.removeprefix(base).replace("-", " ")
    return Row(attack, True, name, tuple(notes), own_k, clone, calls, groups)


def _values(column: pd.Series) -> tuple[int, ...]:
    return tuple(sorted({int(value) for value in column}))


def estimate(table: pd.DataFrame) -> Estimate:
    """Gathers one figure over seeds.

    Args:
        table: A row for each seed: seed, agreement, ci_low, ci_high, n_users and, where it is known, kept_step.
    """
    nothing = int((table["kept_step"] == 0).sum()) if "kept_step" in table else 0
    ordered = table.sort_values("seed")
    seeds, n_users = (tuple(int(value) for value in ordered[name]) for name in ("seed", "n_users"))
    if len(seeds) == 1:
        value, low, high = (float(ordered[name].iloc[0]) for name in ("agreement", "ci_low", "ci_high"))
        return Estimate(value, low, high, seeds, n_users, learnt_nothing=nothing)
    over = seed_interval(ordered["agreement"].to_numpy())
    return Estimate(over.mean, over.low, over.high, seeds, n_users, over.sd, nothing)


def seeds_and_users(found: Sequence[Estimate]) -> tuple[tuple[int, ...], list[int]]:
    """Returns the seeds behind some figures, ascending, and how many users they had."""
    seeds = tuple(sorted({seed for one in found for seed in one.seeds}))
    return seeds, [n for one in found for n in one.n_users]
