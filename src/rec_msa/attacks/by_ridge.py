"""Attacks that learn served lists by kernel ridge regression: not the paper's. The clone stays as it is."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from rec_msa.attacks.asking import STOLEN, Asks
from rec_msa.attacks.base import Stage, Target
from rec_msa.attacks.joint import PTAJoint
from rec_msa.attacks.pta import PTA
from rec_msa.attacks.ptd import PTD
from rec_msa.attacks.stages import correct

Penalty = Annotated[float, Field(gt=0)]
Strength = Annotated[float, Field(gt=0)]


class Corrects(Asks):
    """Corrects the clone of the attack behind it by the served lists: ``class PTQRidge(Corrects, PTD)``."""

    penalties: tuple[Penalty, ...] = Field(
        (0.03, 0.1, 0.3, 1.0, 3.0), min_length=1, description="lambda of the regression, of which one is chosen"
    )
    strengths: tuple[Strength, ...] = Field(
        (0.5, 1.0, 1.5, 2.0, 3.0),
        min_length=1,
        description="of corrections, of which one is chosen",
    )

    def stages(self, target: Target) -> tuple[Stage, ...]:
        """The stages without queries, then the regression; any architecture can be corrected."""
        before = super().stages(target)  # type: ignore[safe-super]
        choices = {"penalties": self.penalties, "strengths": self.strengths}
        return (*before, Stage("correct", correct, STOLEN, settings=choices))


class PTQRidge(Corrects, PTD):
    """The clone of known data, corrected."""


class PTAQRidge(Corrects, PTA):
    """The clone with attention, corrected."""


class PTAQJointRidge(Corrects, PTAJoint):
    """The clone of both data, corrected."""
