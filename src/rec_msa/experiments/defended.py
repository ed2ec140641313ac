"""The cells of the defense pipeline: one target, undefended and under every defense, and what to attack each with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rec_msa.defenses.settings import draws_from_behind, is_fresh

if TYPE_CHECKING:
    from collections.abc import Container

    from rec_msa.defenses.settings import DefenseSettings
    from rec_msa.experiments.cells import Cell

ATTACKS = ("ptd", "ptq", "pta", "ptaq", "qsd", "ptaq_denoise")
ATTACKS_ON_FRESH_DRAWS = ("ptaq", "ptaq_denoise")
"""What fresh draws are about: asking once against asking again. First answers are those of the consistent defense."""


def defended_cells(cell: Cell, settings: DefenseSettings) -> list[Cell]:
    """The undefended cell and one for each defense at each strength, as far as its target allows it."""
    target = cell.made_elsewhere
    lists_alone = target is not None and target.kind != "fitted"  # nobody knows what it ranks behind its lists
    names = [name for name in settings.names() if not (lists_alone and draws_from_behind(name))]
    return [cell.undefended(), *(replace(cell, defense=name) for name in names)]


def attacks_on(cell: Cell, known: Container[str]) -> list[str]:
    """The named attacks that a cell of the defense pipeline is measured with, of those that there are.

    A defense alters what users are served; a sequential target's qsd asks about no user and is left out.
    """
    names = ATTACKS_ON_FRESH_DRAWS if is_fresh(cell.defense) else ATTACKS
    return [name for name in names if name in known and not (cell.sequential and name == "qsd")]
