"""Settings of the attacks: what a key under ``attacks:`` may say, and what its base means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from rec_msa.foundation.errors import SettingsError, nearest
from rec_msa.foundation.lists import MAX_LENGTH
from rec_msa.training.settings import TrainingSettings

Variant = Literal["own", "fused", "pretrained", "joint", "mean"]
PairLoss = Literal["bpr", "hinge"]
Outside = Literal["sampled", "hardest", "catalogue"]
"""Which items a list's must stand above: sampled ones (the paper's), those that the clone ranks highest, or all."""
Choice = Literal["recommended", "random"]
"""Where a made-up sequence's next item comes from: the list that the target served, or the whole catalogue."""


@dataclass(frozen=True)
class Base:
    """What the paper's attack behind a named one does.

    Attributes:
        variant: How the clone stage makes item embeddings; None where there is no clone stage.
        queries: Whether the target is asked, and the clone then taught its lists.
    """

    variant: Variant | None
    queries: bool

    @property
    def auxiliary(self) -> bool:
        """Whether the clone stage starts from an auxiliary model."""
        return self.variant in ("fused", "pretrained", "mean")


PAPER_ATTACKS = ("qsd", "ptd", "ptq", "pta", "ptaq")
"""Those of the paper's tables, in its order."""

BASES: dict[str, Base] = {
    "ptd": Base("own", queries=False),
    "ptq": Base("own", queries=True),
    "pta": Base("fused", queries=False),
    "ptaq": Base("fused", queries=True),
    "qsd": Base(None, queries=True),
    "pta_pre": Base("pretrained", queries=False),
    "ptaq_pre": Base("pretrained", queries=True),
    "pta_joint": Base("joint", queries=False),
    "ptaq_joint": Base("joint", queries=True),
    "pta_mean": Base("mean", queries=False),
}


class DenoiseSettings(BaseModel):
    """How a denoising attacker makes one list of a user's repeated answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    discount: float = Field(0.5, ge=0, le=1, description="what an item loses by being in the answers of others")
    kept: float = Field(1.0, gt=0, le=1, description="share of the list length that is kept")


class AttackSettings(BaseModel):
    """A named attack: a base and what it does otherwise than the base."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base: str = Field(description="the paper's attack behind this one")
    clone: str | None = Field(None, description="architecture of the clone; None: the target's")
    list_length: int | None = Field(None, ge=1, le=MAX_LENGTH, description="items a list; None: the cell's")
    attacker_fraction: float | None = Field(
        None, gt=0, le=1, description="share of target users known; None: the cell's"
    )
    query_fraction: float = Field(1.0, gt=0, le=1, description="share of the users allowed to be asked about that are")
    auxiliary_fraction: float = Field(1.0, gt=0, le=1, description="share of the auxiliary users known")
    item_fraction: float = Field(1.0, gt=0, le=1, description="share of the items whose auxiliary vector may be used")
    ranking_loss: PairLoss | None = Field(None, description="steal loss between neighbours in a list; None: the base's")
    positive_loss: PairLoss = Field("hinge", description="steal loss between list items and others")
    outside: Outside = Field("sampled", description="which items a list's must stand above in the steal stage")
    calls_per_user: int = Field(1, ge=1, le=10_000, description="the budget: calls for each queried user")
    sequences: Choice = Field(
        "recommended", description="qsd on sequential targets: where a made-up sequence's next item comes from"
    )
    denoise: DenoiseSettings | None = Field(None, description="how repeated answers become one list; None: none are")

    @field_validator("base")
    @classmethod
    def _known_base(cls, name: str) -> str:
        if name not in BASES:
            msg = f"there is no base attack '{name}'; {nearest(name, BASES)}"
            raise ValueError(msg)
        return name

    @model_validator(mode="after")
    def _settings_have_an_effect(self) -> AttackSettings:
        base = BASES[self.base]
        if self.auxiliary_fraction < 1 and not (base.auxiliary or base.variant == "joint"):
            msg = f"auxiliary_fraction has no effect on '{self.base}', which uses no auxiliary data"
            raise ValueError(msg)
        if self.item_fraction < 1 and base.variant not in ("fused", "mean"):
            msg = f"item_fraction has no effect on '{self.base}', which fuses nothing"
            raise ValueError(msg)
        if self.query_fraction < 1 and not base.queries:
            msg = f"query_fraction has no effect on '{self.base}', which asks nothing"
            raise ValueError(msg)
        if (self.ranking_loss, self.positive_loss) != (None, "hinge") and not base.queries:
            msg = f"ranking_loss and positive_loss have no effect on '{self.base}', which learns no lists"
            raise ValueError(msg)
        if self.outside != "sampled" and not (base.queries and base.variant):
            msg = f"outside has no effect on '{self.base}', which teaches no trained clone lists"
            raise ValueError(msg)
        if self.outside == "catalogue" and self.positive_loss != "hinge":
            msg = "positive_loss has no effect with outside: catalogue, whose items meet in one softmax"
            raise ValueError(msg)
        asks = self.denoise is not None or self.calls_per_user > 1 or self.sequences != "recommended"
        if asks and not base.queries:
            msg = f"calls_per_user, sequences and denoise have no effect on '{self.base}', which asks nothing"
            raise ValueError(msg)
        if self.sequences != "recommended" and (self.denoise is not None or not self.makes_sequences):
            why = f"'{self.base}'" if self.denoise is None else "an attack that denoises"
            msg = f"sequences has no effect on {why}, which asks about users; only a qsd without denoise makes some up"
            raise ValueError(msg)
        if self.calls_per_user > 1 and self.denoise is None and not self.makes_sequences:
            msg = f"calls_per_user: {self.calls_per_user} has no effect without denoise, which asks more than once; "
            msg += "qsd alone makes up sequences to ask about"
            raise ValueError(msg)
        return self

    @property
    def makes_sequences(self) -> bool:
        """Whether the attack, on a sequential target, asks about sequences that it makes up."""
        return self.behind.queries and self.behind.variant is None

    @property
    def needs_sequences(self) -> bool:
        """Whether the settings mean nothing without made-up sequences."""
        return self.denoise is None and (self.calls_per_user, self.sequences) != (1, "recommended")

    @property
    def behind(self) -> Base:
        """The base's properties."""
        return BASES[self.base]

    @property
    def losses(self) -> tuple[PairLoss, PairLoss]:
        """The steal losses (ranking, positive items); QSD's ranking loss is the hinge unless set."""
        default: PairLoss = "hinge" if self.behind.variant is None else "bpr"
        return self.ranking_loss or default, self.positive_loss


class CloneSettings(BaseModel):
    """The clone stage (Alg. 1, first loop)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    held_back_fraction: float = Field(0.05, gt=0, lt=0.5, description="share of each user's interactions that stop it")
    held_back_from: int = Field(10, ge=2, description="users with fewer interactions give none of theirs")
    training: TrainingSettings = Field(
        TrainingSettings(max_steps=20_000, validate_every=100), description="the training loop"
    )


class StealSettings(BaseModel):
    """The steal stage (Alg. 1, second loop; Eq. 9-12)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    margin: float = Field(0.5, ge=0, description="m of the hinge loss")
    negatives: int = Field(50, ge=1, description="n_j: sampled items that all of a list's are compared with")
    held_back_fraction: float = Field(0.15, gt=0, lt=1, description="share of the queried users whose lists stop it")
    held_back_places: float = Field(0.2, gt=0, lt=1, description="QSD: share of each list's places that stop it")
    training: TrainingSettings = Field(
        TrainingSettings(max_steps=40_000, validate_every=100, stop_by="loss"), description="the training loop"
    )


REFERENCES = ("random", "popularity", "auxiliary_popularity", "list_popularity", "knn_lists", "cache")
"""The references that any attacker can have without a clone."""


class ReferenceSettings(BaseModel):
    """The simple references beside the attacks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    neighbours: int = Field(10, ge=1, description="neighbours of knn_lists")


def require_attack(name: str, attacks: dict[str, AttackSettings]) -> AttackSettings:
    """Looks a named attack up.

    Raises:
        SettingsError: There is no such attack; the message has the nearest name.
    """
    if name not in attacks:
        msg = f"attacks: there is no attack '{name}'; {nearest(name, attacks)}"
        raise SettingsError(msg)
    return attacks[name]
