"""What parameters ask for: the cells of a study, or one, and the named attacks on them."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any

from rec_msa.attacks.registry import require_attack
from rec_msa.attacks.settings import PAPER_ATTACKS
from rec_msa.defenses.settings import NO_DEFENSE
from rec_msa.evaluation.results import NO_LABEL
from rec_msa.experiments.audit import known_name, planned, refused
from rec_msa.experiments.cells import NO_TARGET, Attacker, Cell, NamedAttack
from rec_msa.experiments.parameters import ALL_STUDIES
from rec_msa.experiments.varying import varied
from rec_msa.foundation.errors import SettingsError, nearest
from rec_msa.recommenders.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rec_msa.attacks.base import Attack
    from rec_msa.experiments.parameters import GridSettings, Parameters, Study

logger = logging.getLogger(__name__)

AXES = ("dataset", "model", "seed")
"""What makes a cell, and ``--params`` may pick of a study."""

VICTIMS = "rec_msa.victims."
"""Where the functions lie that train a library's model; other targets are the user's own."""
COMPARISONS = ("__default__", "study", "evaluation")
"""The pipelines that compare the attacks of the grid."""

WITHOUT_TARGET = ("study", "ingestion", "reporting", "compare")
"""The pipelines that a study about data alone has."""


@dataclass(frozen=True)
class Experiments:
    """The cells and named attacks that a session's parameters ask for."""

    parameters: Parameters

    @property
    def cells(self) -> list[Cell]:
        """The cells that have a target.

        Raises:
            SettingsError: Neither a study nor a whole cell is named, or the selection is empty.
        """
        return [cell for cell in self.grid if cell.model != NO_TARGET]

    @property
    def retrained(self) -> int:
        """How often each target is trained again, to tell what no thief can do better."""
        return self.parameters.retrained

    @cached_property
    def grid(self) -> dict[Cell, tuple[NamedAttack, ...]]:
        """The named attacks on each cell of the study, or of ``dataset``, ``model`` and ``seed``.

        Cells of a study that is about data alone have no target and no attacks.

        Raises:
            SettingsError: Neither a study nor a whole cell is named, the selection is empty, or two attacks would
                write to one place.
        """
        self._require_places_apart()
        if self.parameters.study is not None:
            return self._grid_of_study(self.parameters.study)
        missing = [axis for axis in AXES if not getattr(self.parameters, axis)]
        if missing:
            msg = (
                f"{missing[0]}: nothing is chosen in this environment; name a study (--params=study=table4) "
                "or a cell (--params=dataset=ml-1m,model=bpr,seed=0)"
            )
            raise SettingsError(msg)
        chosen = product(*(getattr(self.parameters, axis) for axis in AXES), (self.parameters.defense,))
        cells = [self._cell(*axes) for axes in chosen]
        return {cell: tuple(attack for attack in self._of_paper(cell) if not attack.unfit) for cell in cells}

    def _of_paper(self, cell: Cell) -> list[NamedAttack]:
        known = self.parameters.attacks
        return [self._named(cell, name, known[name]) for name in PAPER_ATTACKS if name in known]

    def _grid_of_study(self, name: str) -> dict[Cell, tuple[NamedAttack, ...]]:
        """A study's cells; what several of its parts ask of one cell is put together."""
        study = self.parameters.require_study(name)
        if name == ALL_STUDIES:
            for other in self.parameters.held_out_otherwise:
                logger.warning("study: 'all' is without '%s', which holds out another share of users; name it", other)
        found: dict[Cell, dict[str, NamedAttack]] = {}
        for part in study if self.parameters.attack is None else filter(self._attacks, study):
            axes = [self._asked(axis, getattr(part, axis)) for axis in AXES]
            chosen: Iterable[Any] = product(*axes, self._defenses(part))
            for cell in (self._cell(*axes) for axes in chosen):
                attacks = found.setdefault(cell, {})
                for attack in self._varied(cell, part):
                    self._require_one_meaning(attacks.setdefault(attack.name, attack), attack)
        if not found:
            raise SettingsError(self._why_empty(name, study))
        return {cell: tuple(attacks.values()) for cell, attacks in found.items()}

    def _varied(self, cell: Cell, part: GridSettings) -> list[NamedAttack]:
        """The attacks of a grid on a cell: as they are named, or with each value of what is varied that they know.

        Where a share of users leaves nobody to ask about, an attack with queries is left out: there is none.
        """
        plain = [(name, self.parameters.attacks[name]) for name in self._attacks(part)]
        if not part.vary:
            return [self._named(cell, name, settings) for name, settings in plain]
        defaults = self._defaults_of(cell)
        kinds = [kind for name, settings in plain for kind in varied(name, settings, part.vary, defaults)]
        found = [self._named(cell, name, settings) for name, settings in kinds]
        return [attack for attack in found if not self._nobody_to_ask(attack)]

    @staticmethod
    def _require_one_meaning(first: NamedAttack, other: NamedAttack) -> None:
        if first != other:
            msg = (
                f"studies: '{first.name}' is a key under attacks and what a study calls something else; rename the key"
            )
            raise SettingsError(msg)

    def _cell(self, dataset: str, model: str, seed: int, defense: str) -> Cell:
        asked = self.parameters.datasets[dataset]
        made, label = self.parameters.targets.get(model), self.parameters.label or NO_LABEL
        return Cell(dataset, model, seed, defense, asked.patience, asked.patience_of, made, label)

    def _asked(self, axis: str, offered: tuple[Any, ...] | None) -> tuple[Any, ...]:
        """The values of a study's axis that ``--params`` asks for; all where it says nothing."""
        asked = getattr(self.parameters, axis)
        if offered is None:
            return () if asked else (NO_TARGET,)
        return tuple(value for value in offered if not asked or value in asked)

    def _attacks(self, part: GridSettings) -> tuple[str, ...]:
        """The names of a grid's attacks, or of them the one that is asked for."""
        return tuple(name for name in part.attacks or () if self.parameters.attack in (None, name))

    def _defenses(self, part: GridSettings) -> tuple[str, ...]:
        """The defenses of a grid, or of them the session's; a grid that names none takes the session's."""
        asked = self.parameters.defense
        if part.defenses is None:
            return (asked,)
        return tuple(defense for defense in part.defenses if asked in (NO_DEFENSE, defense))

    def _why_empty(self, name: str, study: Study) -> str:
        asked = {axis: getattr(self.parameters, axis) for axis in AXES}
        asked["attack"] = () if self.parameters.attack is None else (self.parameters.attack,)
        asked["defense"] = () if self.parameters.defense == NO_DEFENSE else (self.parameters.defense,)
        grids = ((*(getattr(part, axis) for axis in AXES), part.attacks, part.defenses) for part in study)
        offers = [(*AXES, "attack", "defense"), *grids]
        for axis, *parts in zip(*offers, strict=True):
            offered = dict.fromkeys(str(value) for part in parts for value in part or ())
            for value in asked[axis] or ():
                if str(value) not in offered:
                    remedy = nearest(str(value), offered) if offered else "it names none: leave it out"
                    return f"{axis}: '{value}' is not in the study '{name}'; {remedy}"
        chosen = ", ".join(f"{axis} {'/'.join(map(str, values))}" for axis, values in asked.items() if values)
        return f"study: '{name}' has no cell with {chosen} together; leave one of them out"

    def _require_places_apart(self) -> None:
        """Two attacks that share a folder must mean the same by it."""
        for model in self.parameters.model or SETTINGS:
            cell = Cell("any", model, 0, made_elsewhere=self.parameters.targets.get(model))
            first: dict[str, tuple[str, Any]] = {}
            for name, settings in self.parameters.attacks.items():
                for place, made_by in self._named(cell, name, settings).places.items():
                    other, what = first.setdefault(place, (name, made_by))
                    if what != made_by:
                        differing = ", ".join(f"{a} and {b}" for a, b in zip(what, made_by, strict=True) if a != b)
                        msg = (
                            f"attacks.{other} and attacks.{name} would write to one folder, '{place.split('.')[-1]}', "
                            f"what is made with {differing}; make these equal, or differ by more"
                        )
                        raise SettingsError(msg)

    def require_possible(self, pipelines: Iterable[str]) -> None:
        """Refuses attacks that cannot work on their targets, before anything is trained (``SettingsError``)."""
        for pipeline in pipelines:
            self._require_meaning(pipeline)
            name = self.parameters.exported if pipeline == "export" else pipeline.removeprefix("attack_")
            asked = self.grid if pipeline in COMPARISONS else {}
            if name != pipeline:
                asked = {cell: (self.attack(cell, name),) for cell in self.cells}
            elif asked and self.parameters.study is None:
                self._say_what_is_left_out()
            for refusal in filter(None, (attack.refusal for attacks in asked.values() for attack in attacks)):
                raise SettingsError(refusal)

    def _require_audit(self) -> None:
        """Refuses an audit of which nothing can be tried, and says what of it cannot."""
        self.parameters.require_audit()
        if any(cell.seed or cell.defense != NO_DEFENSE for cell in self.cells):
            logger.warning("seed and defense mean nothing to an audit: it has audit.seeds and audit.defenses")
        own = [name for name, target in self.parameters.targets.items() if not (target.fit or "").startswith(VICTIMS)]
        if own and not {cell.model for cell in self.cells} & {*own}:
            audited, chosen = ", ".join(dict.fromkeys(cell.model for cell in self.cells)), own[0]
            logger.warning(
                "the audit is of %s, and not of targets.%s; --params=model=%s chooses it", audited, chosen, chosen
            )
        for cell in self.cells:
            for refusal in refused(self, cell):
                logger.warning("left out of the audit: %s", refusal)
            if not planned(self, cell):
                unfit = (self.known(cell, name, 0.1).unfit for name in self.parameters.audit.attacks)
                why = next(filter(None, unfit), None) or f": {next(iter(refused(self, cell)))}"
                raise SettingsError(f"audit.attacks: none of them works on {cell.model}{why}")

    def _require_meaning(self, pipeline: str) -> None:
        """Refuses a pipeline that has nothing to do with what the parameters ask for."""
        if not self.cells and pipeline not in WITHOUT_TARGET:
            msg = f"study: '{self.parameters.study}' is about data alone; run it with --pipeline=study"
            raise SettingsError(msg)
        if pipeline == "audit":
            self._require_audit()
        if pipeline == "reporting" and self.parameters.label:
            msg = "label: the report is of runs without one; --pipeline=compare sets labels side by side"
            raise SettingsError(msg)

    def _say_what_is_left_out(self) -> None:
        """The paper's attacks that no clone of the target's architecture can do; the others are compared."""
        for cell in self.cells:
            for why in dict.fromkeys(attack.unfit for attack in self._of_paper(cell) if attack.unfit):
                names = [attack.name for attack in self._of_paper(cell) if attack.unfit == why]
                logger.warning("left out on %s: %s: %s", cell.model, ", ".join(names), why.removeprefix(".clone: "))

    def attack(self, cell: Cell, name: str) -> NamedAttack:
        """A named attack on a cell.

        Raises:
            SettingsError: There is no such attack, or there is nobody whom it might ask about.
        """
        attack = self._named(cell, name, require_attack(name, self.parameters.attacks))
        self.require_somebody(attack)
        return attack

    def require_somebody(self, attack: NamedAttack) -> None:
        """Refuses an attack that would ask and may ask about nobody (``SettingsError``)."""
        if self._nobody_to_ask(attack):
            share = attack.attacker.attacker_fraction
            msg = (
                f"attacks.{attack.name}.attacker_fraction: {share:g} of the target users are the held-out users and "
                f"nobody else, so '{attack.settings.base}' has nobody to ask; set more than {self._heldout:g}, or take "
                "a base without queries"
            )
            raise SettingsError(msg)

    def _nobody_to_ask(self, attack: NamedAttack) -> bool:
        few = attack.attacker.attacker_fraction <= self._heldout * (1 + 1e-9)
        return few and not attack.attacker.held_out_of_known and "served_lists" in attack.knowledge

    @property
    def _heldout(self) -> float:
        """The share of the target users who are held out."""
        return self.parameters.split.attacker_fraction * self.parameters.split.heldout_fraction

    def _named(self, cell: Cell, name: str, settings: Attack) -> NamedAttack:
        share, length = self._defaults
        attacker = Attacker(
            cell,
            settings.attacker_fraction or share,
            getattr(settings, "query_fraction", 1.0),
            settings.list_length or length,
            self._defaults,
        )
        return NamedAttack(attacker, name, settings)

    def known(self, cell: Cell, name: str, share: float, **changed: Any) -> NamedAttack:
        """A named attack, with other settings, by somebody who knows a share of the users, some of whom are held out.

        Raises:
            SettingsError: There is no such attack.
        """
        plain = require_attack(name, self.parameters.attacks)
        changed = {key: value for key, value in changed.items() if key in type(plain).model_fields}
        settings = type(plain).model_validate(plain.model_dump() | changed | {"attacker_fraction": share})
        found = self._named(cell, known_name(name, share, **changed), settings)
        return replace(found, attacker=replace(found.attacker, held_out_of_known=True))

    def attacker(self, cell: Cell) -> Attacker:
        """The attacker of a cell with its own shares and list length."""
        share, length = self._defaults
        return Attacker(cell, share, 1.0, length, self._defaults)

    def _defaults_of(self, cell: Cell) -> dict[str, Any]:
        """What a setting comes to where an attack leaves it to the cell."""
        share, length = self._defaults
        return {"attacker_fraction": share, "list_length": length, "clone": cell.clone}

    @property
    def _defaults(self) -> tuple[float, int]:
        return self.parameters.split.attacker_fraction, self.parameters.list_length
