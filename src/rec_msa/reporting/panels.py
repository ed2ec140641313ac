"""What comparisons show: the rows of one target, gathered over seeds, in the order in which they are read."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Any

import pandas as pd

from rec_msa.defenses.settings import NO_DEFENSE
from rec_msa.evaluation.agreement import GROUPS
from rec_msa.evaluation.results import COLUMNS, LABEL, NO_LABEL, with_label
from rec_msa.foundation.errors import DataError
from rec_msa.foundation.tables import require_table
from rec_msa.reporting.axes import USUAL
from rec_msa.reporting.measured import FIGURES, Estimate, estimate, interval_kinds, records
from rec_msa.reporting.names import GROUP_NAMES, REFERENCE_NAMES, TARGET, seeds_text, span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Facts = Mapping[Any, Any]

_PANEL = ["dataset", "target", "defended", "rule", "fresh", "strength", "defense", LABEL]
_NEEDED = [*_PANEL, "attack", "base", "kind", "clone", "k", "group", "n_queries", *USUAL, *FIGURES]
HEADINGS = "Attacks", "References"


@dataclass(frozen=True)
class Row:
    """An attack, or a reference by a name that people read, beside the others of its panel.

    ``notes`` say what sets it apart from them: another k of Agr@k, fewer seeds. ``clone`` is empty where there is none;
    ``groups`` has the estimates of ``heldout`` and ``queried`` users, of those that were measured.
    """

    attack: str
    is_reference: bool
    name: str
    notes: tuple[str, ...]
    k: int
    clone: str
    calls: str
    groups: dict[str, Estimate]
    attacker_fraction: float = nan

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
    """One target under one defense, with the largest k of Agr@k: attacks, then references, each the best first."""

    dataset: str
    target: str
    defense: str
    seeds: tuple[int, ...]
    k: int
    rows: tuple[Row, ...]
    label: str = NO_LABEL

    @property
    def name(self) -> tuple[str, ...]:
        """Dataset, target and, where there is one, defense and label."""
        defense = [] if self.defense == NO_DEFENSE else [self.defense]
        return self.dataset, self.target, *defense, *([self.label] if self.label else [])

    @property
    def where(self) -> str:
        """The name and the seeds: ``ml-100k · bpr · seed 0``."""
        return " · ".join([*self.name, seeds_text(self.seeds)])

    @property
    def lines(self) -> list[str | Row]:
        """The rows under a heading for attacks and one for references, as far as there are any."""
        lines: list[str | Row] = []
        for heading, is_reference in zip(HEADINGS, (False, True), strict=True):
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


def intervals_text(panels: Sequence[Panel]) -> str:
    """Says what the intervals of some panels, at least one, are."""
    found = [estimate for panel in panels for row in panel.rows for estimate in row.groups.values()]
    return f"95 % intervals, {interval_kinds(found)}"


def panels_of(agreement: pd.DataFrame) -> list[Panel]:
    """Gathers rows of ``agreement.parquet`` into a panel for each dataset, target, defense and label.

    Under a defense, agreement with the undefended lists is taken: what is wanted is the model, not the noise put
    before it. The row ``target`` then says how much of these the served lists repeat, and is left out elsewhere.

    Args:
        agreement: The columns of ``rec_msa.evaluation.results``. Each attack is shown at its own largest k.

    Returns:
        The panels, sorted by dataset, target, defense and label, ``none`` and lower strengths first.

    Raises:
        DataError: If a column is missing or there is no row.
    """
    agreement = with_label(agreement)
    require_table("agreement", agreement, COLUMNS)
    shown = _answers_the_question(agreement)
    if shown.empty:
        raise DataError("agreement: there is no row to show; run an attack or the evaluation first")
    shown = shown.assign(defended=shown["rule"] != NO_DEFENSE)
    return [_panel(rows) for rows in records(shown[_NEEDED], _PANEL).values()]


def _answers_the_question(agreement: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows of the groups shown against what counts: without a defense both are the same lists."""
    undefended, of_target = agreement["rule"] == NO_DEFENSE, agreement["kind"] == TARGET
    # |served ∩ undefended| is the same from both sides, and the rows of `target` hold its undefended lists.
    wanted = agreement["against"] == (undefended | of_target).map({True: "served", False: "undefended"})
    return agreement[wanted & ~(undefended & of_target) & agreement["group"].isin(GROUPS)]


def _panel(rows: Sequence[Facts]) -> Panel:
    seeds, k = _values(rows, "seed"), max(row["k"] for row in rows)
    by_attack: dict[str, list[Facts]] = {}
    for row in rows:
        by_attack.setdefault(row["attack"], []).append(row)
    apart = [fact for fact in USUAL if len({row[fact] for row in rows if bool(pd.notna(row[fact]))}) > 1]
    shown = sorted((_row(own, seeds, k, apart) for own in by_attack.values()), key=lambda row: row.rank)
    return Panel(rows[0]["dataset"], rows[0]["target"], rows[0]["defense"], seeds, k, tuple(shown), rows[0][LABEL])


def _row(rows: Sequence[Facts], seeds: tuple[int, ...], k: int, apart: Sequence[str]) -> Row:
    own_k = max(row["k"] for row in rows)
    shown = [row for row in rows if row["k"] == own_k]
    own_seeds, first = _values(shown, "seed"), shown[0]
    is_reference = first["kind"] != "attack"
    notes = [f"at {own_k}"] * (own_k != k) + [seeds_text(own_seeds)] * (own_seeds != seeds)
    clone = ", ".join(sorted({row["clone"] for row in shown if isinstance(row["clone"], str)}))
    groups = {group: estimate(own) for group in GROUPS if (own := [row for row in shown if row["group"] == group])}
    name = ", ".join([REFERENCE_NAMES[first["base"]], *_differing(first, apart)]) if is_reference else first["attack"]
    calls = span(_values(shown, "n_queries"))
    return Row(
        first["attack"], is_reference, name, tuple(notes), own_k, clone, calls, groups, first["attacker_fraction"]
    )


def _differing(row: Facts, apart: Sequence[str]) -> list[str]:
    """The settings of a row that are not the usual ones, of those that tell rows of its panel apart."""
    return [f"{fact} {row[fact]}" for fact in apart if bool(pd.notna(row[fact])) and row[fact] != USUAL[fact]]


def _values(rows: Sequence[Facts], name: str) -> tuple[int, ...]:
    return tuple(sorted({row[name] for row in rows}))
