"""PTA and PTAQ: auxiliary data of other users, fused in by attention (Eq. 5-8), and the plain mean beside it."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from rec_msa.attacks.asking import Steals
from rec_msa.attacks.ptd import PTD
from rec_msa.attacks.stages import Variant


class WithAuxiliaryData(PTD):
    """A clone that also knows interactions of users whom the target never saw."""

    auxiliary_fraction: float = Field(1.0, gt=0, le=1, description="share of the auxiliary users known")


class PTA(WithAuxiliaryData):
    """Item vectors of an auxiliary model are fused with the clone's own by attention."""

    variant: ClassVar[Variant] = "fused"
    also_reads = ("auxiliary_model",)

    item_fraction: float = Field(1.0, gt=0, le=1, description="share of the items whose auxiliary vector may be used")

    def of_the_clone(self) -> dict[str, Any]:
        """Which share of the auxiliary vectors is used, too."""
        return {**super().of_the_clone(), "item_fraction": self.item_fraction}


class PTAQ(Steals, PTA):
    """As ``pta``; then the clone is taught the served lists."""


class PTAMean(PTA):
    """As ``pta``, but fused half and half instead of by attention: not the paper's."""

    variant = "mean"
