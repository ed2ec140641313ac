"""Several members and who is to be believed: the strongest attack that the knowledge of PTAQ allows; not the paper's.

``stacked`` learns from the answers, ``pta_ensemble`` asks nothing and believes all clones the same.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from rec_msa.attacks.asking import STOLEN, Steals
from rec_msa.attacks.base import ASKED, Stage, Target
from rec_msa.attacks.members import HasMembers, committee, names_of
from rec_msa.attacks.settings import Order
from rec_msa.attacks.stages import Variant, average, choose_whom_to_ask, distil, stack, teach_folds


class PTAEnsemble(HasMembers):
    """Without queries: the mean of what clones say."""

    starts: int = Field(3, ge=1, le=20, description="clones of each kind that differ in their start")

    def stages(self, target: Target) -> tuple[Stage, ...]:
        """The clone stages, then their mean."""
        settings = {"committees": names_of(self.members())}
        mean = Stage("average", average, ("ensemble_model",), also_reads=self.known_as, settings=settings)
        return (*self.clones, mean)


class Stacked(Steals, HasMembers):
    """Learns from the queried users' lists which source to believe: clones, taught clones, look-ups, popularity."""

    variants: tuple[Variant, ...] = Field(
        ("fused", "joint"), description="clones: own, fused, joint; none: closed forms"
    )
    starts: int = Field(3, ge=1, le=20, description="joint or own clones that differ in their start")
    solved: tuple[str, ...] = Field(("ease", "ials"), description="architectures in closed form beside them")
    taught: tuple[Variant, ...] = Field(("fused", "joint"), description="of these those that are taught the lists")
    order: Order = Field("random", description="whom to ask, where query_fraction does not ask all")

    @model_validator(mode="after")
    def _who_is_taught_is_there(self) -> Stacked:
        for name in self.taught:
            if name not in self.variants:
                raise ValueError(
                    f"taught: '{name}' is none of the variants {list(self.variants)}; name of these or none"
                )
        if self.order != "random" and self.query_fraction == 1:
            raise ValueError(f"order: {self.order} has no effect where all are asked; set query_fraction below 1")
        return self

    def without_effect(self) -> dict[str, str]:
        """Beside those of members, how lists are taught where nobody is."""
        untaught = {} if self.taught else dict.fromkeys(("ranking_loss", "positive_loss", "outside"), "with taught: []")
        return {**super().without_effect(), **untaught}

    def stages(self, target: Target) -> tuple[Stage, ...]:
        """The clone stages, whom to ask, a clone taught the lists, and the ensemble."""
        taught = self._teaching()
        also = (*self.known_as, *self._auxiliary, *(name for one in taught for name in one.writes[:1]))
        settings = {"committees": names_of(self.members()), **self._also_ranked}
        stacked = Stage("stack", stack, ("ensemble_model", "beliefs"), "", also, (), settings)
        return (*self.clones, *self._asking_first(), *taught, stacked)

    @property
    def _auxiliary(self) -> tuple[str, ...]:
        return () if set(self.variants) == {"own"} else ("auxiliary_train",)

    @property
    def _also_ranked(self) -> dict[str, Any]:
        """Auxiliary users whom the ensemble ranks for."""
        return {}

    def _asking_first(self) -> tuple[Stage, ...]:
        if self.order == "random":
            return ()
        settings = {"committees": names_of(self.members()), "order": self.order, "fraction": self.query_fraction}
        return (Stage("choose_whom_to_ask", choose_whom_to_ask, (ASKED,), "", self.known_as, (), settings),)

    def _teaching(self) -> tuple[Stage, ...]:
        if not self.taught:
            return ()
        architecture = (self.architectures or ("",))[0]
        names = tuple(committee(architecture, variant) for variant in self.taught)
        settings = {"losses": self.losses, "outside": self.outside, "taught": names}
        made, needs = ("taught_models", "taught_curves"), ("gradients",)
        return (Stage("teach_folds", teach_folds, made, "", names, needs, settings, architecture),)


class Distilled(Stacked):
    """One ordinary clone that has learnt what the ensemble says of attacker users and of some auxiliary ones."""

    variants: tuple[Variant, ...] = Field(("joint",), description="clones that know auxiliary users: joint")
    taught: tuple[Variant, ...] = Field(("joint",), description="of these those that are taught the lists")
    auxiliary_users: int = Field(
        1000, ge=0, description="auxiliary users whose lists, as the ensemble says, are learnt"
    )

    @model_validator(mode="after")
    def _members_know_auxiliary_users(self) -> Distilled:
        if set(self.variants) != {"joint"}:
            raise ValueError("variants: of auxiliary users the joint clones alone can say something; take joint")
        return self

    def without_effect(self) -> dict[str, str]:
        """Those of members: lists are always taught, here by the ensemble."""
        return HasMembers.without_effect(self)

    def stages(self, target: Target) -> tuple[Stage, ...]:
        """The stages of the ensemble, then one clone learns from it."""
        pupil, architecture = self.known_as[0], (self.architectures or ("",))[0]
        settings = {"losses": self.losses, "outside": self.outside, "pupil": pupil, **self._also_ranked}
        also = (pupil, "auxiliary_train")
        taught = Stage("distil", distil, STOLEN, "", also, ("gradients",), settings, architecture)
        return (*super().stages(target), taught)

    @property
    def _also_ranked(self) -> dict[str, Any]:
        return {"also_rank": self.auxiliary_users}
