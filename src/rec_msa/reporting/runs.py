"""The page on what was measured, whatever it is: the result, every attack, how trainings went, defenses, the cost."""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle
from typing import TYPE_CHECKING, Any

import pandas as pd

from rec_msa.defenses.settings import NO_DEFENSE
from rec_msa.reporting import document as doc
from rec_msa.reporting.cost import environment_section
from rec_msa.reporting.defenses import overview_section
from rec_msa.reporting.drawing import ATTACK_LOOKS, COLOURS, Curve, Drawing, Plot, strips, top_of
from rec_msa.reporting.figures import defense_points, trade_off_figure
from rec_msa.reporting.measured import Measured, interval_kinds, records
from rec_msa.reporting.names import GROUP_NAMES, TEXTS
from rec_msa.reporting.panels import panels_of
from rec_msa.reporting.result import facts, other_files, result_section

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rec_msa.reporting.panels import Panel

_REPRODUCTION = ("The reproduction", "reproduction.html")
_SHOWN = 24
"""So many attacks and references are drawn of a target; the table has all."""
_CURVES = 8
"""So many curves share a plot; the table has all."""
_VALIDATED = {"steal": "agreement with answers held back"}


def runs_page(measured: Measured, curves: pd.DataFrame) -> doc.Report:
    """Returns the page; what was not measured is not on it.

    Args:
        measured: Results of any number of cells.
        curves: ``place, stage, step, loss, validation, kept``: trainings, none where they do not lie there.
    """
    panels = [panel for panel in panels_of(measured.agreement) if panel.defense == NO_DEFENSE]
    sections = [*result_section(panels), *_comparison(panels), *_trainings(curves), *_defended(measured)]
    sections.append(doc.Section("made", "What was made, and where it lies", [doc.Bullets(TEXTS["made_runs"])]))
    sections += [environment_section(measured.journal)] if len(measured.journal) else []
    said = [*facts(measured), *other_files(measured)]
    return doc.Report("Your runs", TEXTS["lead_runs"], said, sections, beside=_REPRODUCTION)


def _comparison(panels: Sequence[Panel]) -> list[doc.Section]:
    if not panels:
        return []
    drawn = [replace(panel, rows=panel.rows[:_SHOWN]) for panel in panels]
    figure = doc.Figure("comparison", TEXTS["comparison"], strips(drawn), _compared(panels))
    return [doc.Section("comparison", "Every attack beside the references", [figure])]


def _compared(panels: Sequence[Panel]) -> doc.Table:
    """Every row of every panel, in its order."""
    rows: list[dict[str, Any]] = [
        {
            "where": panel.where,
            "name": row.label,
            "is": "reference" if row.is_reference else "attack",
            "calls": row.calls,
            **row.groups,
        }
        for panel in panels
        for row in panel.rows
    ]
    frame = pd.DataFrame(rows)
    known = [name for name in GROUP_NAMES if name in frame]
    frame = frame.assign(**{name: frame[name].where(frame[name].notna(), None) for name in known})
    columns = [*doc.names("name", "is")]
    columns += [doc.Column(f"{GROUP_NAMES[name]} users", name) for name in known]
    columns.append(doc.Column("calls to the target", "calls"))
    found = [one for panel in panels for row in panel.rows for one in row.groups.values()]
    notes = [f"95 % intervals: {interval_kinds(found)}."]
    return doc.Table("comparison-table", "Every attack and reference", frame, columns, label="where", notes=notes)


def _trainings(curves: pd.DataFrame) -> list[doc.Section]:
    """A plot for each stage of each data set, and a table of every training."""
    if curves.empty:
        return []
    plain = curves.assign(stage=curves["stage"].replace("retrain", "target"), retrained=curves["stage"] == "retrain")
    trained = {key: pd.DataFrame(rows) for key, rows in records(plain, ["stage", "place", "retrained"]).items()}
    plots, colours = [], cycle(COLOURS)
    for stage, title in TEXTS["stages"].items():
        for dataset in dict.fromkeys(place.partition(".")[0] for _, place, _ in trained):
            own = [(key, part) for key, part in trained.items() if key[0] == stage and key[1].startswith(f"{dataset}.")]
            plots += [_plot(f"{dataset} · {title}", stage, own[:_CURVES], colours)] if own else []
    frame = pd.DataFrame([_summary(*one) for one in trained.items()])
    columns = [*doc.names("training"), *(doc.Column(name, name) for name in ("steps", "kept at"))]
    columns.append(doc.Column("validation there", "validation"))
    table = doc.Table("trainings-table", "Every training", frame, columns)
    figure = doc.Figure("trainings", TEXTS["trainings"], Drawing([plots], size="half"), table)
    return [doc.Section("trainings", "How the trainings went", [figure])]


def _plot(title: str, stage: str, trained: Sequence[tuple[Any, pd.DataFrame]], colours: Iterator[str]) -> Plot:
    lines = []
    for colour, (key, part) in zip(colours, trained, strict=False):
        name = _training(key)
        look = ATTACK_LOOKS.get(name, (colour, "o"))
        known = part.dropna(subset="validation")
        kept = ["kept" if kept else "" for kept in known["kept"]]
        lines.append(Curve(name, look[0], list(known["step"]), list(known["validation"]), labels=kept, symbol="."))
    top = top_of(value for line in lines for value in line.y)
    return Plot(title, "steps", _VALIDATED.get(stage, "Recall@50 on validation items"), lines, top)


def _training(key: tuple[str, str, bool]) -> str:
    """What was trained: ``bpr``, ``bpr retrained``, ``ptaq``."""
    stage, place, retrained = key
    parts = place.split(".")[2:]
    name = parts[-1] if stage in ("target", "steal") else " ".join(parts)
    return name + " retrained" * retrained


def _summary(key: tuple[str, str, bool], part: pd.DataFrame) -> dict[str, Any]:
    kept = part[part["kept"].astype(bool)].tail(1)
    stopped = kept if len(kept) else part.tail(1)
    name = f"{key[0]} {key[1]}" + " retrained" * key[2]
    return {"training": name, "steps": part["step"].max(), "kept at": stopped["step"].iloc[0]} | {
        "validation": float(stopped["validation"].iloc[0])
    }


def _defended(measured: Measured) -> list[doc.Section]:
    points = defense_points(measured.agreement, measured.quality)
    if points.empty:
        return []
    overview = overview_section(points, measured.quality)
    return [replace(overview, blocks=[trade_off_figure(points), *overview.blocks])]
