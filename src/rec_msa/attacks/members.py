"""Several clones of the same data: what attacks share that ask more than one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import Field, model_validator

from rec_msa.attacks.base import Stage, Target
from rec_msa.attacks.joint import PTAJoint
from rec_msa.attacks.pretrained import PTAPre
from rec_msa.attacks.pta import PTA, PTAMean, WithAuxiliaryData
from rec_msa.attacks.ptd import PTD
from rec_msa.attacks.stages import Variant
from rec_msa.foundation.errors import nearest
from rec_msa.recommenders.settings import SETTINGS, is_sequential

KINDS: dict[Variant, type[PTD]] = {
    "own": PTD,
    "fused": PTA,
    "joint": PTAJoint,
    "mean": PTAMean,
    "pretrained": PTAPre,
}
"""The attack without queries whose clone each variant is; it is trained once for both."""

SOLVED: dict[str, dict[str, Any]] = {"ease": {"l2": 1000.0}, "ials": {"dimensions": 16}}
"""Settings of members in closed form: stronger penalties than a target's own, chosen on seed 100 (ML-1M and Steam)."""


class HasMembers(WithAuxiliaryData):
    """Clones of several kinds, starts and architectures; a committee is made of those that differ in their start."""

    variants: tuple[Variant, ...] = Field(("joint",), description="clones: own, fused, joint, …; none: closed forms")
    starts: int = Field(
        1, ge=1, le=20, description="clones of each kind that learns by gradients and no auxiliary model"
    )
    architectures: tuple[str, ...] | None = Field(None, description="architectures of the clones; None: the clone's")
    solved: tuple[str, ...] = Field((), description="architectures in closed form beside them")

    @model_validator(mode="after")
    def _members_exist(self) -> HasMembers:
        closed = tuple(name for name, settings in SETTINGS.items() if not settings.gradients)
        for key, known in (("architectures", tuple(SETTINGS)), ("solved", closed)):
            for name in getattr(self, key) or ():
                if name not in known:
                    raise ValueError(f"{key}: there is no '{name}'; {nearest(name, known)}")
        if not self.variants and not self.solved:
            raise ValueError("variants: without any, and without solved, there is no member; name one")
        for key, why in self.without_effect().items():
            if getattr(self, key) != type(self).model_fields[key].default:
                raise ValueError(f"{key} has no effect {why}; leave it out")
        return self

    def without_effect(self) -> dict[str, str]:
        """Settings that change nothing beside the others, and why."""
        found = {}
        if not self.variants:
            found["architectures"] = "without variants, of which they would be"
        if all("auxiliary_model" in KINDS[variant].also_reads for variant in self.variants):
            found["starts"] = "without a variant that learns by gradients and no auxiliary model, as joint"
        return found

    def refusal(self, target: Target, clone: str) -> str | None:
        """Members that read sequences need a target whose data have them."""
        odd = [name for name in self.architectures or () if is_sequential(name) and not target.sequential]
        if odd:
            return f".architectures: '{odd[0]}' reads sequences, but {target.model}'s data have none; leave it out"
        return super().refusal(target, clone)

    def members(self) -> dict[str, tuple[Stage, ...]]:
        """The clone stages of each committee."""
        found = {}
        for architecture in self.architectures or ("",):
            for variant in self.variants:
                starts = 1 if "auxiliary_model" in KINDS[variant].also_reads else self.starts
                name = committee(architecture, variant)
                found[name] = tuple(member(name, variant, architecture, start) for start in range(starts))
        return found | {name: (solved_member(name, self.of_solved),) for name in self.solved}

    @property
    def clones(self) -> tuple[Stage, ...]:
        """The clone stages of all committees."""
        return tuple(stage for stages in self.members().values() for stage in stages)

    @property
    def known_as(self) -> tuple[str, ...]:
        """What later stages call the clones."""
        return tuple(stage.known_as for stage in self.clones)

    @property
    def of_solved(self) -> Variant:
        """What models in closed form learn from: both data, where there are two."""
        return "own" if set(self.variants) == {"own"} else "joint"


def committee(architecture: str, variant: Variant) -> str:
    """The name of the clones of a kind; those of the clone's own architecture are called by their variant alone."""
    return f"{architecture}_{variant}" if architecture else variant


def member(name: str, variant: Variant, architecture: str, start: int) -> Stage:
    """A clone stage, shared with every attack that has the same clone."""
    known_as, apart = (f"{name}_{start}", f"-start{start}") if start else (name, "")
    stage = _clone_stage(variant)
    settings = {**stage.settings, **({"start": start} if start else {})}
    return replace(
        stage, shared=f"{stage.shared}{apart}", settings=settings, architecture=architecture, known_as=known_as
    )


def solved_member(name: str, variant: Variant) -> Stage:
    """The stage of a model in closed form, shared with every attack that has it as a member."""
    stage = _clone_stage(variant)
    settings = {**stage.settings, "recommender": SOLVED.get(name, {})}
    return replace(stage, shared=f"{variant}-member", settings=settings, architecture=name, known_as=name)


def _clone_stage(variant: Variant) -> Stage:
    [stage] = KINDS[variant](base=variant).stages(Target("", sequential=False))
    return stage


def names_of(members: dict[str, tuple[Stage, ...]]) -> dict[str, tuple[str, ...]]:
    """What stages know the clones of each committee as."""
    return {name: tuple(stage.known_as for stage in stages) for name, stages in members.items()}
