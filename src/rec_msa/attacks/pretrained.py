"""PTA-pre and PTAQ-pre (Table 5): the clone starts from the auxiliary model's item vectors."""

from __future__ import annotations

from rec_msa.attacks.asking import Steals
from rec_msa.attacks.pta import WithAuxiliaryData


class PTAPre(WithAuxiliaryData):
    """Auxiliary item vectors are the start; the clone's own interactions move them."""

    variant = "pretrained"
    also_reads = ("auxiliary_model",)


class PTAQPre(Steals, PTAPre):
    """As ``pta_pre``; then the clone is taught the served lists."""
