"""Figures 2 to 9 of the paper, from what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rec_msa.reporting.report.axis_figures import AXIS_FIGURES, axis_drawing, axis_section
from rec_msa.reporting.report.clone_figure import clones_drawing, clones_section
from rec_msa.reporting.report.defense_figures import defense_sections
from rec_msa.reporting.report.model import Paragraph, Section

if TYPE_CHECKING:
    from rec_msa.reporting.report.drawings import Drawing
    from rec_msa.reporting.report.measured import Measured

NO_NUMBERS = (
    "The paper's figures are pictures without numbers in its text, so there is nothing to compare with in numbers; "
    "what it says of them in words is judged among the claims."
)


def figures_section(measured: Measured) -> Section:
    """Returns figures 2 to 9."""
    sections = [axis_section(measured, AXIS_FIGURES[f"figure{number}"]) for number in (2, 3, 4, 5)]
    sections += [clones_section(measured), *defense_sections(measured), axis_section(measured, AXIS_FIGURES["figure9"])]
    return Section("figures", "The paper's figures", [Paragraph(NO_NUMBERS)], sections)


def drawing_of(measured: Measured, name: str) -> Drawing:
    """Returns a figure alone, for a preview: a title and a note where nothing was measured.

    Args:
        measured: What was measured.
        name: ``figure2`` to ``figure6`` or ``figure9``.
    """
    if name == "figure6":
        return clones_drawing(measured)
    return axis_drawing(measured, AXIS_FIGURES[name])
