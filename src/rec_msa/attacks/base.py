"""What an attack is: typed settings, stages that say by their arguments what they must know, and what it cannot do.

A new attack is a file with a subclass and a line in ``registry.py``; the pipelines are made from what it declares.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from rec_msa.foundation.lists import MAX_LENGTH
from rec_msa.recommenders.settings import is_sequential
from rec_msa.recommenders.settings import refusal as out_of_place

KNOWLEDGE = ("attacker_train", "auxiliary_train", "auxiliary_model", "served_lists")
"""What an attacker may have of others: D_t, the auxiliary data, a model trained on them, and the target's answers."""

ASKED = "asked_attackers"
"""What a stage writes that chooses, before anything is asked, who is: the attackers with other groups."""

FACTS = ("auxiliary_fraction", "item_fraction", "ranking_loss", "positive_loss", "calls_per_user")
"""Settings that have a column of their own in the results; null where an attack has no such setting."""

EVERYWHERE = ("base", "clone", "list_length", "attacker_fraction", "query_fraction")
"""Settings that results tell in other columns."""


class Target(NamedTuple):
    """What an attack is told of a target before anything runs; without a defense, that is empty."""

    model: str
    sequential: bool
    defense: str = ""


@dataclass(frozen=True)
class Stage:
    """A step of an attack: a pure function that names, by its arguments, all that it reads.

    Arguments may be what an attacker knows (``KNOWLEDGE``, ``attackers``, ``statistics``), what an earlier stage wrote,
    settings (``clone_settings``, ``steal_settings``, ``recommender`` of the clone, ``device``), what the cell says
    (``seed``, ``architecture`` of the clone, ``patience`` that the data ask for), and the stage's own ``settings``.

    Attributes:
        name: What it does, as ``train_clone``.
        function: Frames and checkpoints in and out; torch is imported where it runs.
        writes: Names of what it returns, the model first.
        shared: What tells the stage's place from others made of the same users by the same architecture, where attacks
            on other targets share it; empty where it is the attack's own.
        also_reads: Of the arguments that the function can do without, those that it gets.
        needs: What the clone's architecture must claim: ``gradients``, ``fusable``, ``own_users``.
        settings: Values of arguments.
        architecture: What its model is, where that is not the clone's.
        known_as: What later stages call the model, where there are several; what else it writes they do not read.
    """

    name: str
    function: Callable[..., Any]
    writes: tuple[str, ...]
    shared: str = ""
    also_reads: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    architecture: str = ""
    known_as: str = ""

    @property
    def reads(self) -> tuple[str, ...]:
        """The arguments that must be given: all without a default that the attack does not set itself."""
        arguments = inspect.signature(self.function).parameters.values()
        named = [one for one in arguments if one.kind is not one.VAR_KEYWORD]
        needed = [one.name for one in named if one.default is one.empty and one.name not in self.settings]
        return (*needed, *self.also_reads)

    @property
    def offers(self) -> dict[str, str]:
        """What later stages may read: the name that they have for it, and the one under which it is written."""
        return {self.known_as: self.writes[0]} if self.known_as else {name: name for name in self.writes}

    @property
    def waits(self) -> bool:
        """Whether it trains, so that the ``patience`` that data ask for concerns it."""
        return "patience" in inspect.signature(self.function).parameters


class Asking(BaseModel):
    """How an attack asks: a strategy of the gate, with its budget of calls for each queried user."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reads: ClassVar[tuple[str, ...]] = ()
    """What else it must be told: ``recommender``, the settings of the clone."""
    about_sequences: ClassVar[bool] = False
    """Whether it makes sequences up; else it asks about users."""

    calls_per_user: int = 1


class Attack(BaseModel, ABC):
    """A named attack: a base's rule, and what it does otherwise."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base: str = Field(description="the attack behind this one")
    clone: str | None = Field(None, description="architecture of the clone; None: the target's")
    list_length: int | None = Field(None, ge=1, le=MAX_LENGTH, description="items a list; None: the cell's")
    attacker_fraction: float | None = Field(
        None, gt=0, le=1, description="share of target users known; None: the cell's"
    )

    @abstractmethod
    def stages(self, target: Target) -> tuple[Stage, ...]:
        """The attack on such a target, step by step; the first thing that the last one writes is what was stolen."""

    def asking(self, target: Target) -> Asking | None:
        """How such a target is asked; None where no stage reads ``served_lists``."""
        return None

    def refusal(self, target: Target, clone: str) -> str | None:
        """Why it cannot work on such a target by such a clone, from the key on: ``.clone: …``; None where it can."""
        if is_sequential(clone) and not target.sequential:
            return (
                f".clone: '{clone}' reads sequences, but {target.model}'s data are split at random and have none; "
                "choose a sequential model as target"
            )
        return self.unfit(target, clone)

    def unfit(self, target: Target, clone: str) -> str | None:
        """Why such an architecture cannot be the clone, as ``refusal``: a stage needs what it does not claim."""
        needs = [(stage.architecture or clone, claim) for stage in self.stages(target) for claim in stage.needs]
        found = next(filter(None, (out_of_place(*need) for need in needs)), None)
        return found and f".clone: {found}"

    def knowledge(self, target: Target) -> tuple[str, ...]:
        """What of ``KNOWLEDGE`` the stages read."""
        read = {name for stage in self.stages(target) for name in stage.reads}
        return tuple(name for name in KNOWLEDGE if name in read)

    @property
    def otherwise(self) -> str:
        """What else differs from the base: settings that have no column in the results; empty where nothing does."""
        return ", ".join(
            name if isinstance(value, BaseModel) and value == type(value)() else f"{name}={value}"
            for name, value in self
            if name not in (*EVERYWHERE, *FACTS) and value != type(self).model_fields[name].default
        )
