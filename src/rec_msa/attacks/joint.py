"""One clone on both data, without an auxiliary model: what attention and pretraining are compared with."""

from __future__ import annotations

from rec_msa.attacks.asking import Steals
from rec_msa.attacks.pta import WithAuxiliaryData


class PTAJoint(WithAuxiliaryData):
    """The clone learns the attacker's and the auxiliary interactions together."""

    variant = "joint"
    also_reads = ("auxiliary_train",)


class PTAQJoint(Steals, PTAJoint):
    """As ``pta_joint``; then the clone is taught the served lists."""
