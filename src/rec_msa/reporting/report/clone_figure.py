"""Figure 6: heatmaps of clone and target architectures."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

import pandas as pd

from rec_msa.reporting.axes import clone_points
from rec_msa.reporting.heatmaps import Field
from rec_msa.reporting.markdown import figure
from rec_msa.reporting.names import with_words
from rec_msa.reporting.paper import TARGETS
from rec_msa.reporting.report.beside import estimate_cell, measured_note, plain
from rec_msa.reporting.report.commands import not_measured, nothing_measured, study
from rec_msa.reporting.report.drawings import Heatmaps
from rec_msa.reporting.report.measured import Measured, estimates
from rec_msa.reporting.report.model import Body, Cell, FigureBlock, Section, Table

if TYPE_CHECKING:
    from rec_msa.reporting.panels import Estimate

    Found = dict[tuple[str, str, str, str], Estimate]
    """An estimate for each dataset, target, attack and clone."""

TITLE = "Figure 6: clone and target architectures"
_ATTACKS = ("ptd", "ptq", "pta", "ptaq")


def clones_section(measured: Measured) -> Section:
    """Returns the figure with the table behind it; nothing where only the target's own architecture was measured."""
    found = _found(measured)
    if not any(key[1] != key[3] for key in found):
        return Section("figure6", TITLE, [not_measured("figure6")])
    drawing = clones_drawing(measured)
    text = (
        "The clone's architecture against the target's; on the diagonal the attacker knows it. The darker, the more "
        f"they agree; the colours run from the lowest figure here to the highest. {drawing.note}"
    )
    block = FigureBlock("figure6", text, drawing, _table(found))
    return Section("figure6", TITLE, [study("figure6"), block])


def clones_drawing(measured: Measured) -> Heatmaps:
    """Returns the figure alone; its note says so where nothing was measured."""
    found = _found(measured)
    note = measured_note(list(found.values())) if found else nothing_measured("figure6")
    return Heatmaps(_fields(found), TITLE, note)


def _found(measured: Measured) -> Found:
    points = clone_points(measured.agreement)
    shown = points[(points["dataset"] == "ml-1m") & points["base"].isin(_ATTACKS)]
    return estimates(shown, "heldout", ("target", "base", "value"))


def _fields(found: Found) -> list[Field]:
    fields = []
    for attack in _ATTACKS:
        own = {(key[1], key[3]): one for key, one in found.items() if key[2] == attack}
        if own:
            values = [
                [own[target, clone].value if (target, clone) in own else nan for clone in TARGETS] for target in TARGETS
            ]
            details = [
                [_field_details(attack, target, clone, own.get((target, clone))) for clone in TARGETS]
                for target in TARGETS
            ]
            fields.append(Field(with_words(attack), "clone", "target", TARGETS, TARGETS, values, details))
    return fields


def _field_details(attack: str, target: str, clone: str, one: Estimate | None) -> str:
    head = f"<b>{attack}</b>, target {target}, clone {clone}<br>"
    return head + ("not measured" if one is None else f"{figure(one.value)} [{figure(one.low)}, {figure(one.high)}]")


def _table(found: Found) -> Table:
    attacks = [name for name in _ATTACKS if any(key[2] == name for key in found)]
    rows = [
        [
            Cell(f"`{attack}`"),
            Cell(target),
            *(estimate_cell(found.get(("ml-1m", target, attack, clone))) for clone in TARGETS),
        ]
        for attack in attacks
        for target in TARGETS
    ]
    data = pd.DataFrame(
        [
            {"dataset": key[0], "target": key[1], "attack": key[2], "clone": key[3], **plain(one)}
            for key, one in found.items()
        ]
    ).rename(columns={"ours": "agreement"})
    head = ["attack", "target", *(f"clone {name}" for name in TARGETS)]
    return Table(
        "figure6-table", "Figure 6: Agr@50 of held-out users", head, [Body(rows)], "llrrr", (), 2, (), data, "figure6"
    )
