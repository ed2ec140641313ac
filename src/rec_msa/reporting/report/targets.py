"""What each target is worth: its own quality, a retrained twin and popularity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rec_msa.reporting.markdown import figure
from rec_msa.reporting.names import seeds_text
from rec_msa.reporting.panels import seeds_and_users
from rec_msa.reporting.paper import SEQUENTIAL_TARGETS, TARGETS
from rec_msa.reporting.report.beside import estimate_cell, intervals_note, plain
from rec_msa.reporting.report.commands import not_measured
from rec_msa.reporting.report.measured import Measured, datasets_of, estimates
from rec_msa.reporting.report.model import Body, Cell, Paragraph, Section, Table, missing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rec_msa.reporting.panels import Estimate


def targets_section(measured: Measured) -> Section:
    """Returns the targets' own quality beside what a retrained target and popularity agree with them."""
    found = estimates(measured.plain)
    own = measured.undefended_quality
    keys = list(dict.fromkeys(key[:2] for key in found))
    order = {name: place for place, name in enumerate((*TARGETS, *SEQUENTIAL_TARGETS))}
    keys.sort(key=lambda key: (datasets_of(measured.plain).index(key[0]), order.get(key[1], 99)))
    text = (
        "Agreement means little without the target's own quality: a weak target is close to popularity and easy to "
        "copy. `retrain` is the same architecture trained once more on the same data from another start; where a "
        "target learns more than what is popular, who does not have its weights can hardly agree more. Recall and "
        "NDCG are of 50 items on the test interactions, with the range over seeds."
    )
    if not keys:
        return Section("targets", "The targets", [Paragraph(text), not_measured("table4")])
    head = ["dataset", "target", "seeds", "Recall@50", "NDCG@50", "retrained target", "popularity", "pta / retrained"]
    rows = [_target_row(key, found, own) for key in keys]
    notes = ["Retrained target and popularity: Agr@50 of held-out users. " + intervals_note(list(found.values()))]
    data = pd.DataFrame([_target_data(key, found, own) for key in keys])
    table = Table(
        "targets-table", "What each target is worth", head, [Body(rows)], "lllrrrrr", (), 2, notes, data, "targets"
    )
    return Section("targets", "The targets", [Paragraph(text), table])


def _target_row(key: tuple[str, str], found: Mapping[tuple[str, ...], Estimate], quality: pd.DataFrame) -> list[Cell]:
    seeds, _ = seeds_and_users([one for name, one in found.items() if name[:2] == key])
    own = quality[(quality["dataset"] == key[0]) & (quality["target"] == key[1]) & quality["seed"].isin(seeds)]
    cells = [Cell(key[0]), Cell(key[1]), Cell(seeds_text(seeds).split(" ", 1)[1])]
    cells += [_range_cell(own[name], len(seeds)) for name in ("recall_test", "ndcg_test")]
    retrain, popularity, pta = (found.get((*key, name)) for name in ("retrain", "popularity", "pta"))
    cells += [estimate_cell(retrain, seeds), estimate_cell(popularity, seeds)]
    if pta is None or retrain is None or pta.seeds != retrain.seeds or not retrain.value:
        return [*cells, missing()]
    return [*cells, Cell(figure(pta.value / retrain.value))]


def _range_cell(column: pd.Series, n_seeds: int) -> Cell:
    values = column.dropna().to_numpy(dtype=np.float64)
    if not values.size:
        return missing()
    ends = f"({figure(values.min())}–{figure(values.max())})" if values.size > 1 else ""
    return Cell(figure(values.mean()) + "*" * (values.size < n_seeds), ends)


def _target_data(
    key: tuple[str, str], found: Mapping[tuple[str, ...], Estimate], quality: pd.DataFrame
) -> dict[str, Any]:
    own = quality[(quality["dataset"] == key[0]) & (quality["target"] == key[1])]
    row: dict[str, Any] = {"dataset": key[0], "target": key[1]}
    row |= {name: pd.to_numeric(own[name]).mean() for name in ("recall_test", "ndcg_test")}
    for name in ("retrain", "popularity", "pta"):
        ours = plain(found.get((*key, name)))
        row |= {f"{name}_{part}": ours[part] for part in ("ours", "ci_low", "ci_high", "seeds", "n_users")}
    return row
