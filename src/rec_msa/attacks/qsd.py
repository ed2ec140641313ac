"""QSD: queries alone (Yue et al. 2021, as Zhu et al. 2023 apply it), of users, or of sequences that it makes up."""

from __future__ import annotations

from pydantic import Field, model_validator

from rec_msa.attacks.asking import STOLEN, LearnsLists
from rec_msa.attacks.base import Asking, Stage, Target
from rec_msa.attacks.prefixes import MadeUpSequences
from rec_msa.attacks.settings import Choice, PairLoss
from rec_msa.attacks.stages import steal_from_lists_alone
from rec_msa.recommenders.settings import is_sequential


class QSD(LearnsLists):
    """A fresh clone learns served lists and nothing else; of a sequential target those after every made-up prefix."""

    makes_sequences = True

    ranking_loss: PairLoss = Field("hinge", description="steal loss between neighbours in a list")
    sequences: Choice = Field(
        "recommended", description="of sequential targets: where a made-up sequence's next item comes from"
    )

    @model_validator(mode="after")
    def _who_denoises_makes_nothing_up(self) -> QSD:
        if self.sequences != "recommended" and self.denoise is not None:
            raise ValueError("sequences has no effect on an attack that denoises, which asks about users")
        return self

    @property
    def needs_sequences(self) -> bool:
        """Whether the settings mean nothing without made-up sequences."""
        return self.denoise is None and (self.calls_per_user, self.sequences) != (1, "recommended")

    def asking(self, target: Target) -> Asking:
        """About users, or about sequences that the attack makes up."""
        if target.sequential:
            return MadeUpSequences(calls_per_user=self.calls_per_user, choice=self.sequences)
        return super().asking(target)

    def stages(self, target: Target) -> tuple[Stage, ...]:
        """One stage: the fresh clone learns the lists."""
        needs = ("gradients",) if target.sequential else ("gradients", "own_users")
        return (Stage("steal", steal_from_lists_alone, STOLEN, needs=needs, settings={"losses": self.losses}),)

    def refusal(self, target: Target, clone: str) -> str | None:
        """Made-up sequences need a target and a clone that read them, and lists that nothing alters."""
        if not target.sequential:
            if self.needs_sequences:
                return (
                    f": its calls are about made-up sequences, which {target.model} does not read; take a sequential "
                    "model as target, or qsd"
                )
            return super().refusal(target, clone)
        if not is_sequential(clone):
            return (
                f".clone: '{clone}' reads no sequences, but of a sequential target qsd has nothing else to learn from; "
                "choose a sequential model as clone"
            )
        if target.defense:
            return (
                f": its calls are about made-up sequences, but '{target.defense}' alters the lists of users, not of "
                "given sequences; take an attack that asks about users, or defense=none"
            )
        if self.denoise is not None:
            return (
                ".denoise: users' repeated answers are denoised, but a sequential target is asked by qsd about made-up "
                "sequences; leave it out or take a base that asks about users"
            )
        return None
