"""Cells and named attacks, and the names of what they leave.

A name says what an artifact depends on, from the outside in: dataset, seed, then either the attacker's side (attacker
users, clone architecture and variant; no target) or the target's side (target model, defense, attack).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from rec_msa.attacks.base import ASKED, FACTS, Attack, Stage, Target
from rec_msa.attacks.settings import ENSEMBLE, RETRAIN
from rec_msa.defenses.settings import FRESH, NO_DEFENSE, Serving, parse_defense, settings_key
from rec_msa.evaluation.results import LABEL, NO_LABEL
from rec_msa.experiments.naming import KNOWN, WORDS, label, label_unless
from rec_msa.foundation.lists import MAX_LENGTH
from rec_msa.recommenders.settings import is_sequential
from rec_msa.targets.settings import NO_AUXILIARY, SPLIT, TargetSettings

NO_TARGET = ""
"""The model of a cell that is about data alone."""
TEMPORAL = "temporal"
"""Marks what is split by time; what is split at random has no mark."""
SERVED = "served"
"""Marks, with its name, what is split by whom a target that others trained has lists of."""


@dataclass(frozen=True)
class Cell:
    """One target under one defense: (dataset, target model, seed, defense).

    Attributes:
        patience: What the data ask of every training on them (``DatasetSettings``); None where they ask for nothing.
        patience_of: What they ask of some architectures' trainings.
        made_elsewhere: Of a target that this project does not train, its settings.
        label: The user's name for runs with settings of their own, which lie apart; empty for none.
    """

    dataset: str
    model: str
    seed: int
    defense: str = NO_DEFENSE
    patience: int | None = field(default=None, compare=False)
    patience_of: dict[str, int] = field(default_factory=dict, compare=False)
    made_elsewhere: TargetSettings | None = field(default=None, compare=False)
    label: str = NO_LABEL

    @property
    def sequential(self) -> bool:
        """Whether the target reads sequences; then interactions are held out by time."""
        made = self.made_elsewhere
        return is_sequential(self.model) if made is None else made.sequential

    @property
    def protocol(self) -> str:
        """How users and interactions are divided: at random (empty), by time, or by whom the target serves."""
        if self.made_elsewhere is not None and self.made_elsewhere.source != SPLIT:
            return f"{SERVED}-{self.model}"
        return TEMPORAL if self.sequential else ""

    @property
    def data_root(self) -> str:
        """Namespace of the data set, under the label where there is one: nothing but the raw file is shared."""
        return self.rooted(self.dataset)

    def rooted(self, name: str) -> str:
        """A name under the label, where there is one."""
        return f"{self.label}.{name}" if self.label else name

    @property
    def split_space(self) -> str:
        """Namespace of what depends on dataset, seed and protocol alone."""
        return f"{self._seed_space}.{self.protocol}" if self.protocol else self._seed_space

    @property
    def all_seeds_space(self) -> str:
        """Namespace of what is made for a target whatever the seed."""
        return f"{self.data_root}.{self.model}"

    @property
    def clone(self) -> str:
        """The architecture of clones where an attack names none: the target's, if it is one."""
        return self.model if self.made_elsewhere is None else self.made_elsewhere.clone

    @property
    def has_auxiliary(self) -> bool:
        """Whether there are users whom the target was not trained on, or others in their place."""
        return self.made_elsewhere is None or self.made_elsewhere.source != NO_AUXILIARY

    @property
    def retrained(self) -> bool:
        """Whether the target can be trained again from another start."""
        return self.made_elsewhere is None or self.made_elsewhere.kind == "fitted"

    def times_retrained(self, asked: int) -> int:
        """How often it is trained again where so many are asked for; lists without scores cannot be averaged."""
        return asked if self.made_elsewhere is None else min(asked, int(self.retrained))

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

    @property
    def facts(self) -> dict[str, Any]:
        """The columns of the results that say which cell it is."""
        rule, strength = parse_defense(self.defense)
        parts = {"rule": rule.removesuffix(FRESH), "strength": strength, "fresh": rule.endswith(FRESH)}
        label = {LABEL: self.label} if self.label else {}  # what has none is made from what it always was
        cell = {"dataset": self.dataset, "target": self.model, "seed": self.seed, "defense": self.defense}
        return {**cell, **parts, **label}

    @property
    def as_target(self) -> Target:
        """What an attack is told of it."""
        return Target(self.model, self.sequential, "" if self.defense == NO_DEFENSE else self.defense)

    def auxiliary_space(self, fraction: float) -> str:
        """Namespace of a share of the auxiliary users."""
        return self.data_space(label("auxiliary_fraction", fraction))

    def data_space(self, share: str) -> str:
        """Namespace of a share of the split's users, as ``users10``."""
        return f"{self._seed_space}.{share}-{self.protocol}" if self.protocol else f"{self._seed_space}.{share}"

    @property
    def _seed_space(self) -> str:
        return f"{self.data_root}.seed{self.seed}"

    def undefended(self) -> Cell:
        """The same cell without a defense."""
        return replace(self, defense=NO_DEFENSE)


@dataclass(frozen=True)
class Attacker:
    """Whom an attacker knows of a cell's users, whom they ask about, and how long the lists are that they see.

    Attributes:
        cell: The cell.
        attacker_fraction: Share of the target users that the attacker knows.
        query_fraction: Share of those allowed to be asked about that are.
        list_length: Items a list.
        defaults: The cell's own attacker share and list length; what is measured with others says so.
        held_out_of_known: Whether the held-out users are a part of the users known, as in an audit;
            else they are the same users at every share, as many as of the cell's own.
    """

    cell: Cell
    attacker_fraction: float
    query_fraction: float
    list_length: int
    defaults: tuple[float, int]
    held_out_of_known: bool = False

    @property
    def known(self) -> str:
        """The name of the share of users known, as ``users10``."""
        share = label("attacker_fraction", self.attacker_fraction)
        return share.replace(WORDS["attacker_fraction"], KNOWN, 1) if self.held_out_of_known else share

    @property
    def serving(self) -> Serving:
        """How the target answers."""
        return Serving(list_length=self.list_length, defense=self.cell.defense, seed=self.cell.seed)

    @property
    def users_space(self) -> str:
        """Namespace of D_t, which depends on the share of attacker users."""
        return self.cell.data_space(self.known)

    @property
    def groups_space(self) -> str:
        """Namespace of the attacker users' groups, which depend on the share asked about, too."""
        asked = label_unless("query_fraction", self.query_fraction, 1)
        return self.cell.data_space("-".join([self.known, *asked]))

    @property
    def solved_length(self) -> int:
        """How long the lists of references are that no target has a part in: whole hundreds."""
        return min(-(-self.list_length // 100) * 100, MAX_LENGTH)

    @property
    def solved_lists(self) -> str:
        """The name of these lists."""
        return f"{self.users_space}.solved_lists_{self.solved_length}"

    @property
    def reference_space(self) -> str:
        """Namespace of the target's lists and the references that attacks are measured with."""
        return f"{self.cell.served_space}.{self.named('references')}"

    def retrain_space(self, reference: str = RETRAIN) -> str:
        """Namespace of the lists and agreement of the retrained target, or of several averaged."""
        return f"{self.cell.served_space}.{self.named(reference)}"

    def retrain_spaces(self, times: int) -> list[str]:
        """The namespaces of what is measured of a target that is trained again so many times, where it can be."""
        return [self.retrain_space(name) for name in (RETRAIN, ENSEMBLE)[: self.cell.times_retrained(times)]]

    @property
    def apart(self) -> str:
        """What tells these references from the cell's own; empty for the cell's own shares and list length."""
        share, length = self.defaults
        return "-".join(
            [
                *([self.known] if self.held_out_of_known or self.attacker_fraction != share else []),
                *label_unless("query_fraction", self.query_fraction, 1),
                *label_unless("list_length", self.list_length, length),
            ]
        )

    def named(self, reference: str) -> str:
        """A reference's name in the results; one with other shares or another list length than the cell's says so."""
        return "-".join([reference, self.apart]) if self.apart else reference

    @property
    def facts(self) -> dict[str, Any]:
        """The columns of the results that say whom the figures are about."""
        shares = {"attacker_fraction": self.attacker_fraction, "query_fraction": self.query_fraction}
        return {**self.cell.facts, "list_length": self.list_length, **shares}


@dataclass(frozen=True)
class NamedAttack:
    """A named attack on a cell, with the namespaces of all that it reads and writes.

    Attributes:
        attacker: Who attacks which cell.
        name: The key under ``attacks:``, or what a study makes of one.
        settings: What stands there.
    """

    attacker: Attacker
    name: str
    settings: Attack

    @property
    def cell(self) -> Cell:
        """The cell."""
        return self.attacker.cell

    @property
    def clone(self) -> str:
        """The clone's architecture."""
        return self.settings.clone or self.cell.clone

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The attack on this target, step by step."""
        return self.settings.stages(self.cell.as_target)

    @property
    def knowledge(self) -> tuple[str, ...]:
        """What the attack knows of others."""
        return self.settings.knowledge(self.cell.as_target)

    @property
    def refusal(self) -> str | None:
        """Why the attack cannot work on this target; None where it can."""
        if self.altered_too_much is not None:
            return f"attacks.{self.name}.list_length: {self.altered_too_much}"
        refusal = self._lacking or self.settings.refusal(self.cell.as_target, self.clone)
        return refusal and f"attacks.{self.name}{refusal}"

    @property
    def altered_too_much(self) -> str | None:
        """Says that the cell's defense alters more places than a list of the attacker's has; None where it does not."""
        (_, altered), length = parse_defense(self.cell.defense), self.attacker.list_length
        if altered <= length:
            return None
        much = f"'{self.cell.defense}' alters {altered} places, but a list has {length}"
        return f"{much}; choose a strength of at most {length}"

    @property
    def unfit(self) -> str | None:
        """Why its clone's architecture, or the data, lack what the attack's stages need; None where they do not."""
        return self._lacking or self.settings.unfit(self.cell.as_target, self.clone)

    @property
    def _lacking(self) -> str | None:
        """Says that there are no auxiliary data where a stage reads some."""
        if self.cell.has_auxiliary or not {"auxiliary_train", "auxiliary_model"} & set(self.knowledge):
            return None
        key = f"targets.{self.cell.model}.auxiliary"
        return f": it knows interactions of other users, and there are none; say by {key} whose they are"

    @property
    def space(self) -> str:
        """Namespace of the attack on its target."""
        return f"{self.cell.served_space}.{self.name}"

    @property
    def auxiliary_fraction(self) -> float:
        """Share of the auxiliary users known; the whole where the attack knows none."""
        return getattr(self.settings, "auxiliary_fraction", 1.0)

    def architecture_of(self, stage: Stage) -> str:
        """What a stage's model is: the clone's architecture, unless it says another."""
        return stage.architecture or self.clone

    def space_of(self, stage: Stage) -> str:
        """Namespace of a stage: the attack's own, or one that every target, defense and loss shares."""
        if not stage.shared:
            return self.space
        shares = ("auxiliary_fraction", "item_fraction")
        other = [part for name in shares for part in label_unless(name, getattr(self.settings, name, 1.0), 1)]
        return f"{self.attacker.users_space}.{self.architecture_of(stage)}.{'-'.join([stage.shared, *other])}"

    @property
    def groups(self) -> str:
        """The dataset that says who was asked about: the attacker's, or what the attack itself chose."""
        chosen = any(ASKED in stage.writes for stage in self.stages)
        return f"{self.space}.{ASKED}" if chosen else f"{self.attacker.groups_space}.attackers"

    @property
    def stolen(self) -> str:
        """The dataset that holds what was stolen: the attack's final clone."""
        last = self.stages[-1]
        return f"{self.space_of(last)}.{last.writes[0]}"

    @property
    def facts(self) -> dict[str, Any]:
        """The columns of the results that say which attack it is, with what; null where a setting means nothing."""
        labels = {"attack": self.name, "base": self.settings.base, "clone": self.clone, "kind": "attack"}
        own = {name: getattr(self.settings, name, None) for name in FACTS}
        return {**self.attacker.facts, **labels, **own, "otherwise": self.settings.otherwise}

    @property
    def places(self) -> dict[str, tuple[Any, ...]]:
        """The namespaces that attacks share, each with all that tells it from the others of its kind."""
        who = self.attacker
        asked = who.attacker_fraction, who.query_fraction
        found: dict[str, tuple[Any, ...]] = {
            who.users_space: (who.attacker_fraction, 1.0),
            who.groups_space: asked,
            self.cell.auxiliary_space(self.auxiliary_fraction): (self.auxiliary_fraction,),
            who.reference_space: (*asked, who.list_length),
        }
        item_fraction = getattr(self.settings, "item_fraction", 1.0)
        clone = who.attacker_fraction, self.auxiliary_fraction, item_fraction
        return found | {self.space_of(stage): clone for stage in self.stages if stage.shared}
