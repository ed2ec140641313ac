"""Settings of the stages that attacks share, and of the references beside them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from rec_msa.recommenders.settings import EaseSettings, IalsSettings
from rec_msa.training.settings import TrainingSettings

PairLoss = Literal["bpr", "hinge"]
Outside = Literal["sampled", "hardest", "catalogue"]
"""Which items a list's must stand above: sampled ones (the paper's), those that the clone ranks highest, or all."""
Choice = Literal["recommended", "random"]
"""Where a made-up sequence's next item comes from: the list that the target served, or the whole catalogue."""
Order = Literal["random", "coverage", "disagreement"]
"""Whom to ask first: as users' ranks fall, those most like the others, or those of whom clones' lists differ most."""
PAPER_ATTACKS = ("qsd", "ptd", "ptq", "pta", "ptaq")
"""Those of the paper's tables, in its order."""
SOLVED_REFERENCES = ("ease", "ials", "ease_joint", "ials_joint")
"""Known models in closed form of D_t alone, and of D_t and the auxiliary interactions together."""
REFERENCES = (
    *("random", "popularity", "auxiliary_popularity"),
    *SOLVED_REFERENCES,
    *("list_popularity", "knn_lists", "cache"),
)
"""The references that any attacker can have without a clone."""
RETRAIN, ENSEMBLE = "retrain", "retrain_ensemble"
"""The target's architecture trained once more on the target's own data; several such, their scores averaged."""


class CloneSettings(BaseModel):
    """The clone stage (Alg. 1, first loop)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    held_back_fraction: float = Field(0.05, gt=0, lt=0.5, description="share of each user's interactions that stop it")
    held_back_from: int = Field(10, ge=2, description="users with fewer interactions give none of theirs")
    training: TrainingSettings = Field(
        TrainingSettings(max_steps=20_000, validate_every=100), description="the training loop"
    )

    def waiting(self, patience: int | None) -> CloneSettings:
        """The same with the patience that the data ask for."""
        return self.model_copy(update={"training": self.training.waiting(patience)})


class StealSettings(BaseModel):
    """The steal stage (Alg. 1, second loop; Eq. 9-12)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    margin: float = Field(0.5, ge=0, description="m of the hinge loss")
    negatives: int = Field(50, ge=1, description="n_j: sampled items that all of a list's are compared with")
    held_back_fraction: float = Field(0.15, gt=0, lt=1, description="share of the queried users whose lists stop it")
    held_back_places: float = Field(0.2, gt=0, lt=1, description="QSD: share of each list's places that stop it")
    training: TrainingSettings = Field(
        TrainingSettings(max_steps=400_000, validate_every=100, stop_by="loss"), description="the training loop"
    )
    prefix_patience: int = Field(
        2000, ge=1, description="QSD on made-up sequences: the training's patience, where that is shorter"
    )

    def waiting(self, patience: int | None) -> StealSettings:
        """The same with the patience that the data ask for."""
        return self.model_copy(update={"training": self.training.waiting(patience)})


class LearnerSettings(BaseModel):
    """How an ensemble learns from the queried users' lists which of its sources to believe."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    neighbours: int = Field(10, ge=1, description="queried users whose lists a look-up adds up")
    depth: int = Field(200, ge=1, description="items of each source, the best for a user, that are learnt from")
    folds: int = Field(3, ge=2, description="parts of the queried users; each is judged by what the others taught")
    strengths: tuple[float, ...] = Field(
        (0.0001, 0.01, 1.0), min_length=1, description="C of the logistic regression, the inverse of its L2 penalty"
    )


class ReferenceSettings(BaseModel):
    """The simple references beside the attacks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    neighbours: int = Field(10, ge=1, description="neighbours of knn_lists")
    ease: EaseSettings = Field(EaseSettings(l2=1000.0), description="of ease and ease_joint")
    ease_items: int = Field(15_000, ge=0, description="the largest catalogue for which ease is solved")
    ials: IalsSettings = Field(IalsSettings(dimensions=16), description="of ials and ials_joint")
