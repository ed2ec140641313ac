"""The cells of the defense pipeline: one target, undefended and at every strength of its defense."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rec_msa.defenses.settings import DefenseSettings
    from rec_msa.experiments import Cell


def defended_cells(cell: Cell, settings: DefenseSettings) -> list[Cell]:
    """The undefended cell and a cell for each strength of popular mixing."""
    strengths = settings.popular_mixing.strengths
    return [cell.undefended(), *(replace(cell, defense=f"popular_mixing_{n}") for n in strengths if n)]
