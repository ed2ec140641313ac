"""Cells and named attacks, and the names of what they leave.

A name says what an artifact depends on, from the outside in: dataset, seed, then either the attacker's side (attacker
users, clone architecture and variant; no target) or the target's side (target model, defense, attack).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from rec_msa.attacks.settings import AttackSettings
from rec_msa.defenses.settings import NO_DEFENSE, parse_defense, settings_key
from rec_msa.recommenders.settings import is_sequential, refusal

NO_TARGET = ""
"""The model of a cell that is about data alone."""
TEMPORAL = "temporal"
"""Marks what is split by time; what is split at random has no mark."""


@dataclass(frozen=True)
class Cell:
    """One target under one defense: (dataset, target model, seed, defense).

    Attributes:
        patience: What the data ask of every training on them (``DatasetSettings``); None where they ask for nothing.
        patience_of: What they ask of some architectures' trainings.
    """

    dataset: str
    model: str
    seed: int
    defense: str = NO_DEFENSE
    patience: int | None = field(default=None, compare=False)
    patience_of: dict[str, int] = field(default_factory=dict, compare=False)

    @property
    def sequential(self) -> bool:
        """Whether the target reads sequences; then interactions are held out by time."""
        return is_sequential(self.model)

    @property
    def split_space(self) -> str:
        """Namespace of what depends on dataset, seed and protocol alone."""
        return f"{self._seed_space}.{TEMPORAL}" if self.sequential else self._seed_space

    @property
    def target_space(self) -> str:
        """Namespace of the target; its architecture says the protocol, too."""
        return f"{self._seed_space}.{self.model}"

    @property
    def served_space(self) -> str:
        """Namespace of what the target serves under its defense."""
        return f"{self.target_space}.{self.defense}"

    @property
    def defense_settings(self) -> dict[str, str]:
        """The input of nodes that serve as the target does: the settings of the defense; empty where there is none."""
        key = settings_key(self.defense)
        return {} if key is None else {"defense_settings": f"params:defenses.{key}"}

    def waiting(self, architecture: str) -> dict[str, int]:
        """The constant of nodes that train an architecture until recall falls; empty where the data ask for nothing."""
        steps = self.patience_of.get(architecture, self.patience)
        return {} if steps is None else {"patience": steps}

    def data_space(self, share: str) -> str:
        """Namespace of a share of the split's users, as ``users10``."""
        return f"{self._seed_space}.{share}-{TEMPORAL}" if self.sequential else f"{self._seed_space}.{share}"

    @property
    def _seed_space(self) -> str:
        return f"{self.dataset}.seed{self.seed}"

    def undefended(self) -> Cell:
        """The same cell without a defense."""
        return replace(self, defense=NO_DEFENSE)


@dataclass(frozen=True)
class NamedAttack:
    """A named attack on a cell, with the namespaces of all that it reads and writes.

    Attributes:
        cell: The cell.
        name: The key under ``attacks:``.
        settings: What stands there.
        attacker_fraction: Share of the target users that the attacker knows, the cell's default filled in.
        list_length: Items a list, the cell's default filled in.
        defaults: The cell's own attacker share and list length; references of other shares or lengths say so.
    """

    cell: Cell
    name: str
    settings: AttackSettings
    attacker_fraction: float
    list_length: int
    defaults: tuple[float, int]

    @property
    def clone(self) -> str:
        """The clone's architecture."""
        return self.settings.clone or self.cell.model

    @property
    def asks_sequences(self) -> bool:
        """Whether the attack asks about sequences that it makes up; a target without sequences will refuse them."""
        return self.settings.makes_sequences and (self.cell.sequential or self.settings.needs_sequences)

    @property
    def refusal(self) -> str | None:
        """Why the attack cannot work on this target; None where it can."""
        _, altered = parse_defense(self.cell.defense)
        if altered > self.list_length:
            return (
                f"attacks.{self.name}.list_length: '{self.cell.defense}' alters {altered} places, but a list has "
                f"{self.list_length}; choose a strength of at most {self.list_length}"
            )
        if is_sequential(self.clone) and not self.cell.sequential:
            return (
                f"attacks.{self.name}.clone: '{self.clone}' reads sequences, but {self.cell.model}'s data are split at "
                "random and have none; choose a sequential model as target"
            )
        unfit = next(filter(None, (refusal(self.clone, claim) for claim in self._claims)), None)
        if unfit:
            return f"attacks.{self.name}.clone: {unfit}"
        if not self.settings.makes_sequences:
            return None
        return self._refusal_of_sequences if self.cell.sequential else self._refusal_of_users

    @property
    def _claims(self) -> list[str]:
        """What the clone's architecture must claim."""
        base = self.settings.behind
        from_nothing = base.queries and base.variant is None and not self.cell.sequential
        needed = {"fusable": base.auxiliary, "gradients": base.queries, "own_users": from_nothing}
        return [claim for claim, is_needed in needed.items() if is_needed]

    @property
    def _refusal_of_users(self) -> str | None:
        if not self.settings.needs_sequences:
            return None
        return (
            f"attacks.{self.name}: its calls are about made-up sequences, which {self.cell.model} does not read; take "
            "a sequential model as target, or qsd"
        )

    @property
    def _refusal_of_sequences(self) -> str | None:
        if not is_sequential(self.clone):
            return (
                f"attacks.{self.name}.clone: '{self.clone}' reads no sequences, but of a sequential target qsd has "
                "nothing else to learn from; choose a sequential model as clone"
            )
        if self.cell.defense != NO_DEFENSE:
            return (
                f"attacks.{self.name}: its calls are about made-up sequences, but '{self.cell.defense}' alters the "
                "lists of users, not of given sequences; take an attack that asks about users, or defense=none"
            )
        if self.settings.denoise is not None:
            return (
                f"attacks.{self.name}.denoise: users' repeated answers are denoised, but a sequential target is asked "
                "by qsd about made-up sequences; leave it out or take a base that asks about users"
            )
        return None

    @property
    def space(self) -> str:
        """Namespace of the attack on its target."""
        return f"{self.cell.served_space}.{self.name}"

    @property
    def users_space(self) -> str:
        """Namespace of D_t, which depends on the share of attacker users."""
        return self.cell.data_space(self._users)

    @property
    def groups_space(self) -> str:
        """Namespace of the attacker users' groups, which depend on the share asked about, too."""
        return self.cell.data_space(self._groups)

    @property
    def auxiliary_data_space(self) -> str:
        """Namespace of the auxiliary data, which depend on the share of auxiliary users known."""
        return self.cell.data_space(_percent("auxiliary", self.settings.auxiliary_fraction))

    @property
    def auxiliary_space(self) -> str:
        """Namespace of the auxiliary model."""
        return f"{self.auxiliary_data_space}.{self.clone}"

    @property
    def clone_space(self) -> str:
        """Namespace of the clone stage, shared by every target, defense and loss."""
        variant = "-".join(
            [
                str(self.settings.behind.variant),
                *_unless_whole("auxiliary", self.settings.auxiliary_fraction),
                *_unless_whole("items", self.settings.item_fraction),
            ]
        )
        return f"{self.users_space}.{self.clone}.{variant}"

    @property
    def reference_space(self) -> str:
        """Namespace of the target's lists and the references that this attack is measured with."""
        return f"{self.cell.served_space}.{self._measured_as('references')}"

    @property
    def retrain_space(self) -> str:
        """Namespace of the retrained target's lists and agreement."""
        return f"{self.cell.served_space}.{self._measured_as('retrain')}"

    @property
    def reference(self) -> NamedAttack:
        """The attack's references as an attack of their own: the same users asked, all auxiliary data known."""
        same = self.settings.model_dump(include={"attacker_fraction", "query_fraction", "list_length"})
        settings = AttackSettings(base="ptaq", **same)
        return replace(self, name="references", settings=settings)

    @property
    def apart(self) -> str:
        """What tells this attack's references from the cell's own; empty for the cell's own shares and list length."""
        share, length = self.defaults
        return "-".join(
            [
                *([] if self.attacker_fraction == share else [self._users]),
                *_unless_whole("asked", self.settings.query_fraction),
                *([] if self.list_length == length else [f"length{self.list_length}"]),
            ]
        )

    @property
    def places(self) -> dict[str, tuple[Any, ...]]:
        """The namespaces that attacks share, each with all that tells it from the others of its kind."""
        settings = self.settings
        asked = self.attacker_fraction, settings.query_fraction
        clone = self.attacker_fraction, settings.auxiliary_fraction, settings.item_fraction
        return {
            self.users_space: (self.attacker_fraction, 1.0),
            self.groups_space: asked,
            self.auxiliary_data_space: (settings.auxiliary_fraction,),
            self.clone_space: clone,
            self.reference_space: (*asked, self.list_length),
        }

    def _measured_as(self, what: str) -> str:
        return "-".join([what, self.apart]) if self.apart else what

    @property
    def _users(self) -> str:
        return _percent("users", self.attacker_fraction)

    @property
    def _groups(self) -> str:
        return "-".join([self._users, *_unless_whole("asked", self.settings.query_fraction)])


def _percent(what: str, fraction: float) -> str:
    return what + f"{100 * fraction:.10g}".replace(".", "_")


def _unless_whole(what: str, fraction: float) -> list[str]:
    return [] if fraction == 1 else [_percent(what, fraction)]
