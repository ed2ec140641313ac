"""What attacks with queries share: whom they ask, how often, and how a trained clone is taught the answers."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, model_validator

from rec_msa.attacks.base import Asking, Attack, Stage, Target
from rec_msa.attacks.denoise import Denoise, DenoiseSettings
from rec_msa.attacks.gate import AskOnce
from rec_msa.attacks.settings import Outside, PairLoss
from rec_msa.attacks.stages import steal

STOLEN = ("stolen_model", "steal_curve")
"""What a steal stage leaves."""


class Asks(Attack):
    """An attack with queries, about each of the users who may be asked about or some of them."""

    makes_sequences: ClassVar[bool] = False
    """Whether its calls may be about sequences that it makes up."""

    query_fraction: float = Field(1.0, gt=0, le=1, description="share of the users allowed to be asked about that are")
    calls_per_user: int = Field(1, ge=1, le=10_000, description="the budget: calls for each queried user")
    denoise: DenoiseSettings | None = Field(None, description="how repeated answers become one list; None: none are")

    @model_validator(mode="after")
    def _calls_have_an_effect(self) -> Asks:
        if self.calls_per_user > 1 and self.denoise is None and not self.makes_sequences:
            msg = f"calls_per_user: {self.calls_per_user} has no effect without denoise, which asks more than once; "
            raise ValueError(msg + "qsd alone makes up sequences to ask about")
        return self

    def asking(self, target: Target) -> Asking:
        """Once about each user, or again and again to denoise the answers."""
        if self.denoise is None:
            return AskOnce()
        return Denoise(calls_per_user=self.calls_per_user, **self.denoise.model_dump())


class LearnsLists(Asks):
    """An attack that learns the order of served lists (Eq. 9-12)."""

    ranking_loss: PairLoss = Field("bpr", description="steal loss between neighbours in a list")
    positive_loss: PairLoss = Field("hinge", description="steal loss between list items and others")

    @property
    def losses(self) -> tuple[PairLoss, PairLoss]:
        """The steal losses: ranking, positive items."""
        return self.ranking_loss, self.positive_loss


class Steals(LearnsLists):
    """Teaches the clone of the attack behind it the served lists: ``class PTQ(Steals, PTD)``."""

    outside: Outside = Field("sampled", description="which items a list's must stand above in the steal stage")

    @model_validator(mode="after")
    def _settings_have_an_effect(self) -> Steals:
        if self.outside == "catalogue" and self.positive_loss != "hinge":
            raise ValueError("positive_loss has no effect with outside: catalogue, whose items meet in one softmax")
        return self

    def stages(self, target: Target) -> tuple[Stage, ...]:
        """The stages without queries, then the steal stage (Alg. 1, second loop)."""
        learning = {"losses": self.losses, "outside": self.outside}
        before = super().stages(target)  # type: ignore[safe-super]
        return (*before, Stage("steal", steal, STOLEN, needs=("gradients",), settings=learning))
