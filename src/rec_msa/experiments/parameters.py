"""Every parameter of the project, typed: an unknown key or a wrong value is refused by name before anything runs."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from rec_msa.attacks.registry import ATTACKS, AnyAttack
from rec_msa.attacks.settings import (
    ENSEMBLE,
    REFERENCES,
    RETRAIN,
    CloneSettings,
    LearnerSettings,
    ReferenceSettings,
    StealSettings,
)
from rec_msa.defenses.settings import DefenseSettings, parse_defense, require_room
from rec_msa.experiments.audit import AuditSettings, Seed, as_tuple
from rec_msa.experiments.varying import varied
from rec_msa.foundation.errors import SettingsError, did_you_mean, nearest
from rec_msa.foundation.lists import MAX_LENGTH
from rec_msa.interactions.known import KNOWN
from rec_msa.interactions.settings import OF_THE_FILTER, DatasetSettings, SequenceSettings, SplitSettings
from rec_msa.recommenders.settings import SETTINGS, RecommenderParameters, is_sequential
from rec_msa.targets.settings import LEFT_OUT, LISTS, TargetSettings
from rec_msa.training.settings import Device, TrainingSettings

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic_core import ErrorDetails

HISTORIES = "export-histories"
"""What the file of ``export.histories`` is called where it is read."""

WAITING = ("patience", "patience_of")
"""What a data set asks of trainings."""

RESERVED = {*REFERENCES, "references", RETRAIN, ENSEMBLE, "target"}
"""Names that results and folders give to what is no attack."""

NAME = re.compile(r"[a-z0-9_-]{1,60}")
"""Of what is part of a file's name: several stand in one, which has 255 characters at most."""


Names = Annotated[tuple[str, ...] | None, BeforeValidator(as_tuple)]
Label = Annotated[str | None, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)]
Count = Annotated[int, Field(ge=1, strict=True)]
Seeds = Annotated[tuple[Seed, ...] | None, BeforeValidator(as_tuple)]
SomeNames = Annotated[tuple[str, ...], BeforeValidator(as_tuple), Field(min_length=1)]
Values = Annotated[tuple[Any, ...], BeforeValidator(as_tuple), Field(min_length=1)]
SomeSeeds = Annotated[tuple[Seed, ...], BeforeValidator(as_tuple), Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GridSettings(_Strict):
    """Part of a study: every named attack on every cell of a grid; without models and attacks, the data alone."""

    dataset: SomeNames = Field(description="dataset or datasets")
    model: SomeNames | None = Field(None, description="target architecture or architectures")
    seed: SomeSeeds = Field((0,), description="seed or seeds")
    defenses: SomeNames | None = Field(None, description="'none' and '<name>_<strength>'; None: the session's")
    attacks: SomeNames | None = Field(None, description="keys under attacks")
    vary: dict[str, Values] = Field({}, description="settings of these attacks, each with the values that it takes")
    heldout_fraction: float | None = Field(None, gt=0, lt=1, description="share of held-out users; None: the session's")

    @model_validator(mode="after")
    def _targets_are_attacked(self) -> GridSettings:
        if (self.model is None) != (self.attacks is None):
            missing = "model" if self.model is None else "attacks"
            msg = f"{missing}: this parameter is missing; a study names both model and attacks, or neither (data alone)"
            raise ValueError(msg)
        for name in self.defenses or ():
            parse_defense(name)
        return self


class ExportSettings(_Strict):
    """What is handed on of a clone."""

    histories: str | None = Field(None, description="a file of any users' interactions, for whom it recommends")
    user: str = Field("user", description="the column of users in it")
    item: str = Field("item", description="the column of items in it")

    @property
    def table(self) -> DatasetSettings | None:
        """How the file is read; None where there is none."""
        if self.histories is None:
            return None
        return DatasetSettings(path=self.histories, user=self.user, item=self.item)


Study = Annotated[tuple[GridSettings, ...], BeforeValidator(as_tuple), Field(min_length=1)]
"""A grid, or a list of grids."""

ALL_STUDIES = "all"


class Parameters(_Strict):
    """All parameters of a session, as ``conf/*/parameters*.yml`` and ``--params`` give them."""

    dataset: Names = Field(description="dataset or datasets of the cells")
    model: Names = Field(description="target architecture or architectures")
    seed: Seeds = Field(description="seed or seeds")
    study: str | None = Field(None, description="a key under studies or 'all'; dataset, model, seed, attack filter it")
    defense: str = Field("none", description="'none' or '<name>_<strength>'")
    label: Label = Field(None, description="a name of your own: what runs with it make lies apart from all else")
    dry_run: bool = Field(False, description="whether to say what would run, and stop there")
    device: Device = Field("auto", description="where models are trained: auto, cpu or cuda")
    threads: Count = Field(1, description="torch's threads on the CPU; OMP_NUM_THREADS, where set, decides")
    list_length: Count = Field(50, le=MAX_LENGTH, description="items in a list that the target serves")
    raw_folder: str = Field("data/01_raw", description="folder of raw files; relative to the project's root")
    datasets: dict[str, DatasetSettings] = Field(description="filters of the known datasets, and your own datasets")
    split: SplitSettings = SplitSettings()
    sequence: SequenceSettings = SequenceSettings()
    recommenders: RecommenderParameters = RecommenderParameters()
    target: TrainingSettings = TrainingSettings()
    auxiliary: TrainingSettings = TrainingSettings()
    clone: CloneSettings = CloneSettings()
    steal: StealSettings = StealSettings()
    learner: LearnerSettings = LearnerSettings()
    references: ReferenceSettings = ReferenceSettings()
    retrained: Count = Field(1, le=99, description="times that a target is trained again; from 2 on averaged, too")
    defenses: DefenseSettings = DefenseSettings()
    audit: AuditSettings = AuditSettings()
    attack: str | None = Field(None, description="of a study this attack alone; whose clone is exported, null: ptaq")
    export: ExportSettings = ExportSettings()
    targets: dict[str, TargetSettings] = Field({}, description="targets that others trained; model names one")
    attacks: dict[str, AnyAttack]
    studies: dict[str, Study] = {}

    @model_validator(mode="after")
    def _names_exist(self) -> Parameters:
        for key in ("datasets", "targets", "attacks", "studies"):
            for name in getattr(self, key):
                if not NAME.fullmatch(name):
                    msg = f"{key}.{name}: a name may have only a-z, 0-9, _ and -, and 60 of them at most"
                    raise ValueError(msg)
        self._check_label()
        self._check_datasets()
        self._check_targets()
        self._require("dataset", self.dataset, self.datasets)
        self._require("model", self.model, self._models)
        self._check_attacks()
        self._check_studies()
        parse_defense(self.defense)
        require_room(self.defense, self.list_length)
        return self

    def _check_label(self) -> None:
        if self.label is None:
            return
        if not NAME.fullmatch(self.label):
            msg = f"label: '{self.label}' is not valid: it may have only a-z, 0-9, _ and -, and 60 of them at most"
            raise ValueError(msg)
        if self.label in (*self.studies, ALL_STUDIES):  # both stand before a cell's name
            msg = f"label: '{self.label}' is the name of a study; choose another"
            raise ValueError(msg)

    def _check_datasets(self) -> None:
        for name, settings in self.datasets.items():
            if settings.path is None and name not in KNOWN:
                msg = f"datasets.{name}: your own data need a path; {nearest(name, KNOWN)} need none"
                raise ValueError(msg)
            self._require(f"datasets.{name}.patience_of", tuple(settings.patience_of), SETTINGS)

    @property
    def _models(self) -> dict[str, Any]:
        """What can be a target."""
        return {**SETTINGS, **self.targets}

    def _check_targets(self) -> None:
        for name, target in self.targets.items():
            if name in SETTINGS:
                raise ValueError(f"targets.{name}: this name belongs to an architecture of ours; choose another")
            if name in (self.model or ()) and target.kind == "fitted" and target.depth < self.list_length:
                msg = f"targets.{name}.depth: {target.depth} items of a list are kept, fewer than list_length"
                raise ValueError(f"{msg} ({self.list_length}); set it to that or more")
            allowed = {one: None for one in SETTINGS if is_sequential(one)} if target.sequential else SETTINGS
            self._require(f"targets.{name}.clone", (target.clone,), allowed)

    def _check_attacks(self) -> None:
        for name, attack in self.attacks.items():
            if name.split("-")[0] in RESERVED:
                msg = f"attacks.{name}: this name belongs to a reference; choose another"
                raise ValueError(msg)
            self._require(f"attacks.{name}.clone", (attack.clone,) if attack.clone else None, SETTINGS)

    def require_audit(self) -> None:
        """Refuses an audit of an attack, an architecture or a defense that is not there (``SettingsError``)."""
        try:
            self._check_audit()
        except ValueError as error:
            raise SettingsError(str(error)) from error

    def _check_audit(self) -> None:
        for key in ("attacks", "others"):
            self._require(f"audit.{key}", getattr(self.audit, key), self.attacks)
        self._require("audit.clones", self.audit.clones, SETTINGS)
        for name in self.audit.defenses:
            parse_defense(name)

    def _check_studies(self) -> None:
        axes: dict[str, dict[str, Any]] = {"dataset": self.datasets, "model": self._models, "attacks": self.attacks}
        for name, study in self.studies.items():
            if name == ALL_STUDIES:
                msg = f"studies.{name}: this name means every study; choose another"
                raise ValueError(msg)
            for grid, (axis, allowed) in product(study, axes.items()):
                self._require(f"studies.{name}.{axis}", getattr(grid, axis), allowed)
            for grid in study:
                self._check_varied(f"studies.{name}.vary", grid)
            if len(self._shares(study)) > 1:
                msg = f"studies.{name}.heldout_fraction: a run has one share of held-out users; make a study for each"
                raise ValueError(msg)

    def _check_varied(self, key: str, grid: GridSettings) -> None:
        attacks = [self.attacks[name] for name in grid.attacks or ()]
        settings = {name for attack in attacks for name in type(attack).model_fields if name != "base"}
        self._require(key, tuple(grid.vary), dict.fromkeys(sorted(settings)))
        self._require(f"{key}.clone", grid.vary.get("clone"), SETTINGS)
        for attack in attacks:
            try:
                list(varied("", attack, grid.vary, {}))
            except ValidationError as error:
                fault = error.errors()[0]
                place = ".".join(map(str, fault["loc"]))
                raise ValueError(f"{key}.{place}: {fault['input']!r}: {fault['msg']}") from error

    @staticmethod
    def _require(key: str, names: tuple[str, ...] | None, allowed: dict[str, Any]) -> None:
        for name in names or ():
            if name not in allowed:
                msg = f"{key}: there is no '{name}'; {nearest(name, allowed)}"
                raise ValueError(msg)

    def under(self, root: Path) -> Parameters:
        """The same parameters with every relative path put under the project's root."""
        datasets = {name: settings.under(root) for name, settings in self.datasets.items()}
        targets = {name: settings.under(root) for name, settings in self.targets.items()}
        if (table := self.export.table) is not None:
            export = self.export.model_copy(update={"histories": table.under(root).path})
        else:
            export = self.export
        placed = {"raw_folder": str(root / self.raw_folder), "datasets": datasets, "targets": targets, "export": export}
        return self.model_copy(update=placed)

    def catalogued(self) -> dict[str, Any]:
        """The parameters by name; how a data set is read and how it is filtered stand apart, too.

        So a node is handed what its function reads and no more, and another value makes nothing else again.
        """
        plain = self.model_dump(mode="json")
        filters = ("min_interactions", *OF_THE_FILTER)
        reading: dict[str, dict[str, Any]] = {}
        filtering: dict[str, dict[str, Any]] = {}
        for name, settings in plain["datasets"].items():
            filtering[name] = {key: settings[key] for key in filters if key in settings}
            reading[name] = {key: value for key, value in settings.items() if key not in (*filters, *WAITING)}
        for name, target in self.targets.items():
            tables = {LISTS: target.table if target.lists else None, LEFT_OUT: target.auxiliary_file}
            reading |= {f"{name}-{what}": table.model_dump(mode="json") for what, table in tables.items() if table}
        if (histories := self.export.table) is not None:
            reading[HISTORIES] = histories.model_dump(mode="json")
        return {**plain, "reading": reading, "filtering": filtering}

    def held_out_as_studied(self) -> Parameters:
        """The same parameters with the share of held-out users that the chosen study asks for.

        Raises:
            SettingsError: There is no such study.
        """
        if self.study is None or self.study == ALL_STUDIES:
            return self
        shares = self._shares(self.require_study(self.study))
        split = self.split.model_copy(update={"heldout_fraction": min(shares)}) if shares else self.split
        return self.model_copy(update={"split": split})

    @staticmethod
    def _shares(study: Study) -> set[float]:
        return {grid.heldout_fraction for grid in study if grid.heldout_fraction is not None}

    @property
    def held_out_otherwise(self) -> list[str]:
        """The studies that ask for another share of held-out users than this session's."""
        return [name for name, study in self.studies.items() if self._shares(study) - {self.split.heldout_fraction}]

    @property
    def exported(self) -> str:
        """The attack whose clone is handed on."""
        return self.attack or "ptaq"

    def require_study(self, name: str) -> Study:
        """Looks a study up; ``all`` is every study that holds out the session's share of users.

        Raises:
            SettingsError: There is no such study.
        """
        if name == ALL_STUDIES and self.studies:
            others = self.held_out_otherwise
            return tuple(grid for study, grids in self.studies.items() if study not in others for grid in grids)
        if name not in self.studies:
            near = nearest(name, [*self.studies, ALL_STUDIES])
            hint = near if self.studies else "this environment has none; try --env=paper"
            msg = f"study: there is no study '{name}'; {hint}"
            raise SettingsError(msg)
        return self.studies[name]


def read_parameters(raw: dict[str, Any]) -> Parameters:
    """Checks raw parameters.

    Args:
        raw: The merged YAML and ``--params``.

    Raises:
        SettingsError: Something is unknown, of the wrong type or out of range; one line for each fault with the key,
            the value and what is allowed.
    """
    try:
        return Parameters.model_validate(raw)
    except ValidationError as error:
        faults = [_explain(fault, raw) for fault in _first_hand(error.errors())]
        raise SettingsError("\n".join(faults)) from error


def _first_hand(faults: list[ErrorDetails]) -> list[ErrorDetails]:
    """Without lists that are too short because what stands in them is refused."""
    places = [fault["loc"] for fault in faults]

    def has_faults_within(place: tuple[int | str, ...]) -> bool:
        return any(len(other) > len(place) and other[: len(place)] == place for other in places)

    return [fault for fault in faults if fault["type"] != "too_short" or not has_faults_within(fault["loc"])]


def _explain(fault: ErrorDetails, raw: dict[str, Any]) -> str:
    """One line for a person: the key, the value, what is allowed."""
    loc, base = _of_attack(fault["loc"])
    if fault["type"].startswith("union_tag") and isinstance(fault["input"], dict):
        loc = (*loc, "base")
    place = _place(loc, raw)
    key = ".".join(map(str, place))
    if fault["type"] == "union_tag_invalid":
        name = fault.get("ctx", {}).get("tag", "")
        return f"{key}: there is no base attack '{name}'; {nearest(name, ATTACKS)}"
    if fault["type"] == "extra_forbidden":
        *parents, name = loc
        fields = _fields_at(parents[2:], ATTACKS[base]) if base else _fields_at(parents, Parameters)
        elsewhere = base and any(name in kind.model_fields for kind in ATTACKS.values())
        lacking = f"'{base}' has no such setting" if elsewhere else "there is no such parameter"
        return f"{key}: {lacking}; {nearest(str(name), fields)}"
    if fault["type"] == "missing" or (fault["type"] == "union_tag_not_found" and isinstance(fault["input"], dict)):
        near = _near_name(place, raw).rstrip()
        return f"{key}: this parameter is missing" + (f"; a new name needs it, or {near}" if near else "")
    if fault["type"] in ("model_type", "dict_type", "union_tag_not_found"):
        return f"{key}: {fault['input']!r} is no setting; {_below(loc, base)}"
    return _explain_value(fault, key)


def _explain_value(fault: ErrorDetails, key: str) -> str:
    """Why a value of the right kind of place is refused."""
    reason = str(fault.get("ctx", {}).get("error", fault["msg"]))
    if fault["type"] == "value_error" and not (fault["loc"] and isinstance(fault["input"], str | int | float)):
        return f"{key}: {reason}" if key else reason
    return f"{key}: {fault['input']!r} is not valid: {reason[0].lower()}{reason[1:]}"


def _below(loc: tuple[int | str, ...], base: str | None) -> str:
    """What may stand below a key that one value was given for."""
    if loc[0] == "attacks" and base is None and len(loc) > 1:
        return "below it stand base and what that attack reads"
    fields = _fields_at(list(loc[2:]), ATTACKS[base]) if base else _fields_at(list(loc), Parameters)
    return f"below it stand {', '.join(fields) if fields else 'names of your own'}"


def _of_attack(loc: tuple[int | str, ...]) -> tuple[tuple[int | str, ...], str | None]:
    """The key of a fault in an attack's settings, without the base by which they were read, and that base."""
    if len(loc) > 2 and loc[0] == "attacks" and loc[2] in ATTACKS:  # noqa: PLR2004 - attacks, the name, the base
        return (*loc[:2], *loc[3:]), str(loc[2])
    return loc, None


def _place(loc: tuple[int | str, ...], raw: dict[str, Any]) -> list[int | str]:
    """The key of a fault; what stands alone where a list may stand was taken for a list of one."""
    place: list[int | str] = []
    for part in loc:
        if isinstance(part, str) or isinstance(_value_at(raw, place), list | tuple):
            place.append(part)
    return place


def _near_name(place: list[int | str], raw: dict[str, Any]) -> str:
    """Asks for the attack or study that was meant where one has no more than overrides; empty where none is near."""
    if place[0] not in ("attacks", "studies") or len(place) == 1:
        return ""
    return did_you_mean(str(place[1]), [name for name in raw[str(place[0])] if name != place[1]])


def _value_at(raw: Any, place: list[int | str]) -> Any:
    """What stands at a key; None where nothing does."""
    for part in place:
        if isinstance(raw, list | tuple) and isinstance(part, int):
            raw = raw[part]
        else:
            raw = raw.get(part) if isinstance(raw, dict) else None
    return raw


def _fields_at(parents: list[int | str], model: Any) -> list[str]:
    """The parameters of a model that exist where an unknown one was found."""
    for part in parents:
        field = getattr(model, "model_fields", {}).get(part)
        annotation = field.annotation if field else model
        inner = [part for part in getattr(annotation, "__args__", ()) if part not in (..., type(None))]
        model = inner[-1] if inner else annotation
    return sorted(getattr(model, "model_fields", {}))
