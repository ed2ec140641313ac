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
    return [cell.undefended(), *(replace(cell, defense=name) for name in settings.names() if can_defend(cell, name))]


def can_defend(cell: Cell, defense: str) -> bool:
    """Whether a defense can be worked out: of lists made elsewhere nobody knows what the target ranks behind them."""
    target = cell.made_elsewhere
    return target is None or target.kind == "fitted" or not draws_from_behind(defense)


def attacks_on(cell: Cell, known: Container[str]) -> list[str]:
    """The named attacks that a cell of the defense pipeline is measured with, of those that there are.

    A defense alters what users are served; a sequential target's qsd asks about no user and is left out.
    """
    names = ATTACKS_ON_FRESH_DRAWS if is_fresh(cell.defense) else ATTACKS
    return [name for name in names if name in known and not (cell.sequential and name == "qsd")]
