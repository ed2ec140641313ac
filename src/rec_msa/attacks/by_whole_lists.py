"""Attacks that learn whole lists against the whole catalogue and forget nothing meanwhile: not the paper's."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from rec_msa.attacks.asking import STOLEN, Asks
from rec_msa.attacks.base import Stage, Target
from rec_msa.attacks.joint import PTAJoint
from rec_msa.attacks.pta import PTA
from rec_msa.attacks.ptd import PTD
from rec_msa.attacks.stages import steal_listwise


class LearnsWholeLists(Asks):
    """Teaches the clone of the attack behind it whole lists: ``class PTQListwise(LearnsWholeLists, PTD)``."""

    beside: ClassVar[tuple[str, ...]] = ()
    """What else than D_t the clone was trained on, and is on."""

    temperature: float = Field(0.1, gt=0, description="of the softmax over the catalogue, in deviations of the scores")
    own_weight: float = Field(1.0, ge=0, description="weight of the clone's own loss beside that of the lists")

    def stages(self, target: Target) -> tuple[Stage, ...]:
        """The stages without queries, then the steal stage."""
        before = super().stages(target)  # type: ignore[safe-super]
        how = {"temperature": self.temperature, "own_weight": self.own_weight}
        learn = Stage("steal", steal_listwise, STOLEN, also_reads=self.beside, needs=("gradients",), settings=how)
        return (*before, learn)


class PTQListwise(LearnsWholeLists, PTD):
    """The clone of known data."""


class PTAQListwise(LearnsWholeLists, PTA):
    """The clone with attention."""


class PTAQJointListwise(LearnsWholeLists, PTAJoint):
    """The clone of both data."""

    beside = ("auxiliary_train",)
