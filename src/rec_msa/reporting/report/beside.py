"""Tables that set what was measured beside the paper's figures: value and interval, paper, difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rec_msa.reporting.markdown import figure, interval
from rec_msa.reporting.names import seeds_text, span
from rec_msa.reporting.panels import interval_kinds, seeds_and_users
from rec_msa.reporting.report.model import NOT_MEASURED, Body, Cell, Table, missing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rec_msa.reporting.panels import Estimate

LEARNT = "learnt"
"""The section on what the steal stage learnt."""
NOT_IN_PAPER = "not in the paper"
NO_FIGURE = "nothing to subtract"
_BESIDE = ("ours", "paper", "difference")


@dataclass(frozen=True)
class Line:
    """A row of such a table.

    Attributes:
        key: The attack or reference.
        name: What names it.
        words: What it means, in a few words; empty for nothing.
        value: What else sets it apart; empty for nothing.
    """

    key: str
    name: str
    words: str = ""
    value: str = ""

    def cells(self, n_heads: int) -> list[Cell]:
        """Returns the cells of the leading columns."""
        return [Cell(self.name, self.words), Cell(self.value)][:n_heads]


@dataclass(frozen=True)
class Beside:
    """What a table is made from.

    Attributes:
        dataset: The dataset.
        columns: The targets.
        ours: An estimate for each dataset, target and attack that was measured.
        paper: The paper's figure for each that it has.
    """

    dataset: str
    columns: Sequence[str]
    ours: Mapping[Any, Estimate]
    paper: Mapping[Any, float]

    @property
    def has_paper(self) -> bool:
        """Whether the paper has figures of this dataset."""
        return any(key[0] == self.dataset for key in self.paper)

    def table(
        self, name: str, caption: str, heads: Sequence[str], bodies: Sequence[tuple[str, Sequence[Line]]], file: str
    ) -> Table:
        """Returns the table.

        Args:
            name: Its anchor.
            caption: What it shows.
            heads: Headings of the leading columns, which name the row.
            bodies: A label and the rows below it.
            file: The CSV file's name.
        """
        shown = _BESIDE if self.has_paper else ("Agr@50",)
        head = [*heads, *(shown * len(self.columns))]
        groups = [("", len(heads)), *((self._head(target), len(shown)) for target in self.columns)]
        lines = [line for _, own in bodies for line in own]
        return Table(
            name,
            caption,
            head,
            [Body([self._row(line, len(heads)) for line in own], label) for label, own in bodies],
            "l" * len(heads) + "r" * len(shown) * len(self.columns),
            groups,
            len(heads),
            self._notes(lines),
            self._data(lines),
            file,
        )

    def _head(self, target: str) -> str:
        own = [one for key, one in self.ours.items() if key[:2] == (self.dataset, target)]
        if not own:
            return f"{target}, {NOT_MEASURED}"
        seeds, users = seeds_and_users(own)
        return f"{target}, {seeds_text(seeds)}, {span(users)} users"

    def _seeds(self, target: str) -> tuple[int, ...]:
        return seeds_and_users([one for key, one in self.ours.items() if key[:2] == (self.dataset, target)])[0]

    def _row(self, line: Line, n_heads: int) -> list[Cell]:
        cells = line.cells(n_heads)
        for target in self.columns:
            key = (self.dataset, target, line.key)
            ours, paper = self.ours.get(key), self.paper.get(key)
            cells.append(estimate_cell(ours, self._seeds(target)))
            if self.has_paper:
                cells += [missing(NOT_IN_PAPER) if paper is None else Cell(figure(paper)), _difference(ours, paper)]
        return cells

    def _notes(self, lines: Sequence[Line]) -> list[str]:
        own = [one for key, one in self.ours.items() if key[0] == self.dataset and key[1] in self.columns]
        if not own:
            return []
        fewer = any(
            one.seeds != self._seeds(key[1]) for key, one in self.ours.items() if key[0] == self.dataset
        ) and bool(lines)
        return [intervals_note(own), *(["An asterisk: fewer seeds than the column has."] if fewer else [])]

    def _data(self, lines: Sequence[Line]) -> pd.DataFrame:
        rows = []
        for line in lines:
            for target in self.columns:
                key = (self.dataset, target, line.key)
                where = {"dataset": self.dataset, "target": target, "attack": line.key}
                rows.append({**where, **plain(self.ours.get(key)), "paper": self.paper.get(key, np.nan)})
        table = pd.DataFrame(rows)
        return table.assign(difference=table["ours"] - table["paper"])


def estimate_cell(ours: Estimate | None, seeds: tuple[int, ...] = ()) -> Cell:
    """Returns a figure with its interval, or that it is missing; a mark says that a seed learnt nothing from answers.

    Args:
        ours: The figure.
        seeds: The seeds of its column: one with fewer gets an asterisk.
    """
    if ours is None:
        return missing()
    marks = "*" * bool(seeds and ours.seeds != seeds)
    title = f"{seeds_text(ours.seeds)}, {span(ours.n_users)} users"
    title += f", standard deviation over seeds {figure(ours.sd)}" * (len(ours.seeds) > 1)
    title += f", {ours.learnt_nothing} of {len(ours.seeds)} learnt nothing from the answers" * bool(ours.learnt_nothing)
    marks += f"[†](#{LEARNT})" * bool(ours.learnt_nothing)
    return Cell(figure(ours.value) + marks, interval(ours.low, ours.high), title)


def intervals_note(found: Sequence[Estimate]) -> str:
    """Says what the intervals of some figures are."""
    return f"Mean and 95 % interval: {interval_kinds(found)}."


def measured_note(found: Sequence[Estimate]) -> str:
    """Says what some figures were measured on, and what their intervals are."""
    seeds, users = seeds_and_users(found)
    return f"{seeds_text(seeds).capitalize()}, {span(users)} held-out users. {intervals_note(found)}"


def plain(ours: Estimate | None) -> dict[str, Any]:
    """Returns a figure as plain columns; NaN and nothing where it is missing."""
    if ours is None:
        return {**dict.fromkeys(("ours", "sd", "ci_low", "ci_high"), np.nan), "seeds": "", "n_users": ""}
    figures = {"ours": ours.value, "sd": ours.sd, "ci_low": ours.low, "ci_high": ours.high}
    return {**figures, "seeds": " ".join(map(str, ours.seeds)), "n_users": span(ours.n_users)}


def _difference(ours: Estimate | None, paper: float | None) -> Cell:
    if ours is None or paper is None:
        return missing(NOT_MEASURED if ours is None else NO_FIGURE)
    inside = ours.low <= paper <= ours.high
    where = "inside" if inside else "outside"
    return Cell(figure(ours.value - paper, signed=True), title=f"the paper's figure lies {where} our interval")
