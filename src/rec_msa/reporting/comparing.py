"""Runs side by side: what each label measured on one target, and the settings in which they differ."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pandas as pd

from rec_msa.foundation.differences import ABSENT, flat
from rec_msa.foundation.errors import DataError
from rec_msa.reporting import document as doc
from rec_msa.reporting.names import seeds_text
from rec_msa.reporting.panels import Panel, intervals_text, panels_of

if TYPE_CHECKING:
    from collections.abc import Iterator

UNNAMED = "no label"
GROUP = "heldout"
RESULT = re.compile(r"(?:([^.]+)\.)?([^.]+)\.seed([0-9]+)\.([^.]+)\.([^.]+)\.[^.]+\.agreement")
"""Label, dataset, seed, target and defense in the name of an artifact with results."""

Cell = tuple[str, str, str]
"""Dataset, target and defense."""


@dataclass(frozen=True)
class SideBySide:
    """One target under one defense, as runs of several labels measured it.

    Attributes:
        panels: What each label has.
        settings: The keys in which they differ, each with its values as text, in the order of the panels.
    """

    panels: tuple[Panel, ...]
    settings: dict[str, list[str]]

    @property
    def cell(self) -> Cell:
        """Dataset, target and defense."""
        return _cell(self.panels[0])

    @property
    def labels(self) -> list[str]:
        """The labels, as people read them."""
        return [panel.label or UNNAMED for panel in self.panels]


def side_by_side(agreement: pd.DataFrame, records: pd.DataFrame) -> list[SideBySide]:
    """Puts together what runs of several labels measured.

    Args:
        agreement: The columns of ``rec_msa.evaluation.results``, of any number of cells.
        records: ``name`` and ``settings`` of the artifacts with results; settings are null where none were noted.

    Returns:
        A comparison for each dataset, target and defense that has more than one label.

    Raises:
        DataError: There is none.
    """
    known = _settings(records)
    groups = [tuple(panels) for _, panels in groupby(panels_of(agreement), key=_cell)]
    found = [SideBySide(panels, _differences(panels, known)) for panels in groups if len(panels) > 1]
    if not found:
        raise DataError(
            "compare: nothing was run under two labels on one target; run an attack again with another setting and "
            "--params=label=<a name>, or --pipeline=reporting for all that was measured without a label"
        )
    return found


def comparison_page(found: list[SideBySide]) -> doc.Report:
    """Returns the comparisons as a page: agreement label by label, and the settings that differ."""
    lead = "What runs with different settings measured on the same target: the agreement on held-out users."
    return doc.Report("Runs side by side", lead, (), [_section(one) for one in found])


def comparison_rows(found: list[SideBySide]) -> pd.DataFrame:
    """Returns a row for each attack and label, with the estimate in plain columns."""
    return pd.concat([_table(one).as_file() for one in found], ignore_index=True)


def _cell(panel: Panel) -> Cell:
    return panel.dataset, panel.target, panel.defense


def _settings(records: pd.DataFrame) -> dict[tuple[str, Cell], dict[str, list[str]]]:
    """The values of each key as text, by label and cell: several where runs of one label differ among themselves."""
    found: dict[tuple[str, Cell], dict[str, list[str]]] = {}
    for name, settings in records.reindex(columns=["name", "settings"]).itertuples(index=False, name=None):
        match = RESULT.fullmatch(str(name))
        if match is None or not isinstance(settings, dict):
            continue
        label, dataset, _, target, defense = match.groups()
        of_label = found.setdefault((label or "", (dataset, target, defense)), {})
        for key, value in flat(settings).items():
            values = of_label.setdefault(key, [])
            values += [str(value)] if str(value) not in values else []
    return found


def _differences(
    panels: tuple[Panel, ...], known: dict[tuple[str, Cell], dict[str, list[str]]]
) -> dict[str, list[str]]:
    own = [known.get((panel.label, _cell(panel)), {}) for panel in panels]
    keys = sorted({key for one in own for key in one})
    shown = {key: [" / ".join(one.get(key, [ABSENT])) for one in own] for key in keys}
    # What only one label has read, as an attack that the others did not run, is no difference.
    return {key: values for key, values in shown.items() if len({*values} - {ABSENT}) > 1}


def _section(one: SideBySide) -> doc.Section:
    title = " · ".join([*one.cell[:2], *([] if one.cell[2] == "none" else [one.cell[2]])])
    return doc.Section("-".join(one.cell), title, [_table(one), _settings_table(one)])


def _table(one: SideBySide) -> doc.Table:
    rows = list(_rows(one))
    columns = [*doc.names("attack"), *doc.across("", one.labels)]
    k = one.panels[0].k
    seeds = ", ".join(f"{name}: {seeds_text(panel.seeds)}" for name, panel in zip(one.labels, one.panels, strict=True))
    notes = [f"{seeds}. {intervals_text(one.panels)}. Where intervals overlap, no order is shown."]
    data = ["dataset", "target", "defense", "attack", "label", "k", doc.ONE]
    frame = pd.DataFrame(rows, columns=data)
    name = "-".join(one.cell)
    return doc.Table(name, f"Agr@{k} on held-out users", frame, columns, ["attack"], "label", notes=notes, data=data)


def _rows(one: SideBySide) -> Iterator[dict[str, Any]]:
    cell = dict(zip(("dataset", "target", "defense"), one.cell, strict=True))
    for label, panel in zip(one.labels, one.panels, strict=True):
        for row in panel.rows:
            if GROUP in row.groups:
                yield {**cell, "attack": row.name, "label": label, "k": row.k, doc.ONE: row.groups[GROUP]}


def _settings_table(one: SideBySide) -> doc.Table:
    frame = pd.DataFrame(
        [{"setting": key, **dict(zip(one.labels, values, strict=True))} for key, values in one.settings.items()]
    )
    columns = [*doc.names("setting", as_code=["setting"]), *(doc.Column(name, name) for name in one.labels)]
    notes = [] if one.settings else ["No setting is known to differ."]
    return doc.Table(f"{'-'.join(one.cell)}-settings", "Settings that differ", frame, columns, notes=notes)
