"""PTD and PTQ: partial target data, and with queries (Zhu et al. 2023, Section 4.2)."""

from __future__ import annotations

from typing import Any, ClassVar

from rec_msa.attacks.asking import Steals
from rec_msa.attacks.base import Attack, Stage, Target
from rec_msa.attacks.stages import Variant, train_clone


class PTD(Attack):
    """A clone learns the attacker's own interactions (D_t).

    What else it starts from or is fed, a subclass says.
    """

    variant: ClassVar[Variant] = "own"
    also_reads: ClassVar[tuple[str, ...]] = ()

    def stages(self, target: Target) -> tuple[Stage, ...]:
        """The clone stage (Alg. 1, first loop), shared by every target, defense and loss."""
        made, needs = ("clone_model", "clone_curve"), ("fusable",) if "auxiliary_model" in self.also_reads else ()
        return (Stage("train_clone", train_clone, made, self.variant, self.also_reads, needs, self.of_the_clone()),)

    def of_the_clone(self) -> dict[str, Any]:
        """Arguments of the clone stage."""
        return {"variant": self.variant}


class PTQ(Steals, PTD):
    """As ``ptd``; then the clone is taught the lists of the users who were asked about."""
