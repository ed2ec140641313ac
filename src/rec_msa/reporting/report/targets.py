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
from rec_msa.reporting.report.commands import not_measured, study
from rec_msa.reporting.report.measured import Measured, datasets_of, estimates
from rec_msa.reporting.report.model import DASH, Body, Cell, Paragraph, Section, Table, missing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rec_msa.reporting.panels import Estimate

PUBLISHED = {"sasrec": (0.247, 0.129), "stamp": (0.215, 0.121), "gru4rec": (0.278, 0.155)}
"""Recall@10 and NDCG@10 on ML-1M (ratings from 3, 10-core), the last item as the test and all items ranked.

Source: RecBole's benchmark, https://github.com/RUCAIBox/RecBole, ``benchmark/hyper/sequential/<model>-ml-1m_seq.md``.
"""


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
    sequential = [key for key in keys if key[1] in SEQUENTIAL_TARGETS]
    at_10 = [_at_10(sequential, found, own)] if sequential else []
    return Section("targets", "The targets", [Paragraph(text), table, *at_10])


def _at_10(keys: Sequence[tuple[str, str]], found: Mapping[tuple[str, ...], Estimate], quality: pd.DataFrame) -> Table:
    """Recall and NDCG of sequential targets as their literature has them, beside published figures."""
    head = ["dataset", "target", "seeds", "Recall@10", "NDCG@10", "RecBole: Recall@10", "RecBole: NDCG@10"]
    names, rows, data = ["recall_test_at_10", "ndcg_test_at_10"], [], []
    for key in keys:
        own, seeds = _own_quality(key, found, quality)
        published = PUBLISHED[key[1]] if key[0].startswith("ml-1m") else (None, None)
        rows.append([*_quality_cells(key, own, seeds, names), *map(_published_cell, published)])
        ours = own[names].apply(pd.to_numeric).mean()
        theirs = dict(zip(("recbole_recall", "recbole_ndcg"), published, strict=True))
        data.append({"dataset": key[0], "target": key[1], **ours, **theirs})
    notes = [
        "The last item of each target user is the test, and all items are ranked. RecBole's figures are of ML-1M "
        "(ratings from 3, 10-core), from the logs of its benchmark (`benchmark/hyper/sequential`): other data than "
        "ours. `sasrec` learns by cross-entropy there and from one negative here.",
        f"Measured by `{study('table8').command}`",
    ]
    title = "Sequential targets at 10 items, beside published figures"
    body, columns = [Body(rows)], pd.DataFrame(data)
    return Table("targets-at-10", title, head, body, "lllrrrr", (), 2, notes, columns, "targets_at_10")


def _published_cell(value: float | None) -> Cell:
    return Cell(DASH, title="no published figure", missing=True) if value is None else Cell(figure(value))


def _own_quality(
    key: tuple[str, str], found: Mapping[tuple[str, ...], Estimate], quality: pd.DataFrame
) -> tuple[pd.DataFrame, tuple[int, ...]]:
    """Quality of a target on the seeds for which anything was measured, and these seeds."""
    seeds, _ = seeds_and_users([one for name, one in found.items() if name[:2] == key])
    own = (quality["dataset"] == key[0]) & (quality["target"] == key[1]) & quality["seed"].isin(seeds)
    return quality[own], seeds


def _target_row(key: tuple[str, str], found: Mapping[tuple[str, ...], Estimate], quality: pd.DataFrame) -> list[Cell]:
    own, seeds = _own_quality(key, found, quality)
    cells = _quality_cells(key, own, seeds, ("recall_test", "ndcg_test"))
    retrain, popularity, pta = (found.get((*key, name)) for name in ("retrain", "popularity", "pta"))
    cells += [estimate_cell(retrain, seeds), estimate_cell(popularity, seeds)]
    if pta is None or retrain is None or pta.seeds != retrain.seeds or not retrain.value:
        return [*cells, missing()]
    return [*cells, Cell(figure(pta.value / retrain.value))]


def _quality_cells(key: tuple[str, str], own: pd.DataFrame, seeds: tuple[int, ...], names: Sequence[str]) -> list[Cell]:
    """Who the target is, and some columns of its quality as means with their range."""
    heads = [Cell(key[0]), Cell(key[1]), Cell(seeds_text(seeds).split(" ", 1)[1])]
    return heads + [_range_cell(own[name], len(seeds)) for name in names]


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
