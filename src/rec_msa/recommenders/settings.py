"""Settings of the recommenders: one typed class beside each architecture's name, which says what it can do, too.

Reading them costs no torch, so that parameters are checked, and attacks refused, before anything slow is imported.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

WIDEST = 65_536
"""Of vectors, layers and histories: more than any machine trains, so that a slip of the finger is refused at once."""

PROBED_USERS = 10_000

Width = Annotated[int, Field(ge=1, le=WIDEST)]


class RecommenderSettings(BaseModel):
    """What every recommender says of itself; its contract test holds the class of the same name to it.

    Attributes:
        gradients: It is trained by gradients, so that it can be taught lists.
        fusable: It has item tables that an auxiliary model's can be fused with.
        own_users: It has a vector for each user that is learned, and not made of the interactions that it reads.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    gradients: ClassVar[bool] = False
    fusable: ClassVar[bool] = False
    own_users: ClassVar[bool] = False

    @property
    def n_probed(self) -> int:
        """Users at the most by whose recall a training is judged: fewer where a score costs much."""
        return PROBED_USERS


class GradientSettings(RecommenderSettings):
    """What recommenders share that are trained by gradients."""

    gradients = True
    fusable = True

    dimensions: int = Field(64, ge=1, le=WIDEST, description="length d of the user and item vectors")
    l2: float = Field(0.0, ge=0, description="weight of the squared norms of a batch's vectors")

    @property
    def n_sampled(self) -> int:
        """Items that the loss samples for each interaction or place of a sequence; 0: it takes all there are."""
        return 0


class SampledSettings(GradientSettings):
    """What recommenders share whose loss sets sampled items against those of the user."""

    negatives: int = Field(1, ge=1, description="sampled negatives for each interaction")

    @property
    def n_sampled(self) -> int:
        """All negatives."""
        return self.negatives


class BprSettings(SampledSettings):
    """Matrix factorisation with pairwise ranking."""

    own_users = True

    bias: bool = Field(False, description="an item bias; the attack paper's Eq. 1 has none")


class LmfSettings(SampledSettings):
    """Logistic matrix factorisation."""

    own_users = True

    negatives: int = Field(4, ge=1, description="sampled negatives for each interaction")
    l2: float = Field(0.0001, ge=0, description="weight of the squared norms of a batch's vectors")
    bias: bool = Field(True, description="user and item biases; the attack paper's Eq. 1 has none")


class NcfSettings(SampledSettings):
    """Neural matrix factorisation: a product branch and a perceptron branch."""

    own_users = True

    negatives: int = Field(4, ge=1, description="sampled negatives for each interaction")
    layers: tuple[Width, ...] = Field((64, 32, 16), min_length=1, description="widths after the first 2d-wide input")
    probed_users: int = Field(1_000, ge=1, description="users at the most by whose recall a training is judged")

    @property
    def n_probed(self) -> int:
        """A score takes forty times one of the others' multiplications, so a look asks fewer users."""
        return self.probed_users


class SequentialSettings(GradientSettings):
    """What sequential recommenders share: they know a user by the last items of the training sequence."""

    length: int = Field(50, ge=1, le=WIDEST, description="items of a history that are read, the last ones")


class SasrecSettings(SequentialSettings, SampledSettings):
    """Causal self-attention."""

    blocks: int = Field(2, ge=1, description="self-attention blocks")
    heads: int = Field(2, ge=1, description="attention heads; they divide the dimensions")
    dropout: float = Field(0.2, ge=0, lt=1, description="share of numbers set to zero in training")

    @model_validator(mode="after")
    def _heads_divide_the_dimensions(self) -> SasrecSettings:
        if self.dimensions % self.heads:
            raise ValueError(f"heads: {self.heads} heads do not divide {self.dimensions} dimensions")
        return self


class StampSettings(SequentialSettings):
    """Short-term attention and memory priority."""


class Gru4recSettings(SequentialSettings, SampledSettings):
    """A gated recurrent unit."""

    hidden: int = Field(64, ge=1, le=WIDEST, description="width of the recurrent state")
    dropout: float = Field(0.2, ge=0, lt=1, description="share of the embeddings' numbers set to zero in training")
    loss: Literal["full", "sampled"] = Field("full", description="cross-entropy over the catalogue or a sample of it")
    negatives: int = Field(64, ge=1, description="items that a sampled cross-entropy sets against each next one")

    @property
    def n_sampled(self) -> int:
        """0 for the full loss."""
        return self.negatives if self.loss == "sampled" else 0


class LightgcnSettings(SampledSettings):
    """Vectors smoothed over the graph of users and items."""

    l2: float = Field(0.0001, ge=0, description="weight of the squared norms of a batch's first vectors")
    layers: int = Field(3, ge=1, le=64, description="times that vectors are passed on to the neighbours")


class EaseSettings(RecommenderSettings):
    """A linear model of items alone, in closed form."""

    l2: float = Field(200.0, gt=0, description="lambda, weight of the squared norm of the items' weights")


class IalsSettings(RecommenderSettings):
    """Matrix factorisation by alternating least squares over all pairs."""

    dimensions: int = Field(64, ge=1, le=WIDEST, description="length d of the user and item vectors")
    l2: float = Field(0.03, gt=0, description="lambda, weight of the vectors' squared norms")
    unobserved: float = Field(0.1, gt=0, description="alpha_0, weight of the pairs without an interaction")
    exponent: float = Field(1.0, ge=0, le=1, description="nu: how far a vector's penalty grows with its pairs")
    sweeps: int = Field(16, ge=1, description="times that all vectors are solved for")


class RecordedSettings(RecommenderSettings):
    """Lists that somebody recorded, and nothing else."""

    length: int = Field(ge=1, description="places of a list, padding included")


class CalledSettings(RecommenderSettings):
    """A function that answers, which knows users and items by ids of its own."""

    key: str = Field(description="the parameter that names the function, for messages")
    recommend: str = Field(description="module:function, of users")
    recommend_sequences: str | None = Field(None, description="module:function, of sequences of items")
    batch: int = Field(1000, ge=1, description="users in a call")
    users: tuple[int | str, ...] = Field(description="the ids of the users, in the order of ours")
    items: tuple[int | str, ...] = Field(description="the ids of the items, in the order of ours")
    drop: tuple[Literal["unknown", "known"], ...] = Field((), description="recommended items that are left out")
    probed: tuple[int, ...] = Field((), description="users who say whether it answers as before")
    probed_for: int = Field(1, ge=1, description="how many items they are asked for")
    answered: str | None = Field(None, description="a digest of what it answered about these")


class RecommenderParameters(BaseModel):
    """Settings of each architecture: its name is the field's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bpr: BprSettings = BprSettings()
    lmf: LmfSettings = LmfSettings()
    ncf: NcfSettings = NcfSettings()
    sasrec: SasrecSettings = SasrecSettings()
    stamp: StampSettings = StampSettings()
    gru4rec: Gru4recSettings = Gru4recSettings()
    ease: EaseSettings = EaseSettings()
    ials: IalsSettings = IalsSettings()
    lightgcn: LightgcnSettings = LightgcnSettings()


SETTINGS: dict[str, type[RecommenderSettings]] = {name: type(settings) for name, settings in RecommenderParameters()}
"""The settings class of each architecture."""

MADE_ELSEWHERE: dict[str, type[RecommenderSettings]] = {"recorded": RecordedSettings, "called": CalledSettings}
"""What only answers: a target, but no architecture that could be trained."""

LACKS = {
    "gradients": "is not trained by gradients and cannot be taught lists",
    "fusable": "has no item vectors that could be fused or handed on",
    "own_users": "knows users by interactions alone, and here are none",
}
"""What it means where an architecture does not claim it."""


def claiming(claim: str) -> tuple[str, ...]:
    """The architectures that claim ``gradients``, ``fusable`` or ``own_users``."""
    return tuple(name for name, settings in SETTINGS.items() if getattr(settings, claim))


def refusal(architecture: str, claim: str) -> str | None:
    """Why an architecture is out of place where a claim is needed, and which are not; None where it claims it."""
    able = claiming(claim)
    return None if architecture in able else f"'{architecture}' {LACKS[claim]}; choose one of {', '.join(able)}"


def is_sequential(architecture: str) -> bool:
    """Whether an architecture reads sequences instead of having a vector for each user; False for what is none."""
    return issubclass(SETTINGS.get(architecture, RecommenderSettings), SequentialSettings)
