"""What an audit of one target tries: how much an outsider copies, by what they know and ask; the most telling first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from rec_msa.experiments.defended import can_defend
from rec_msa.experiments.naming import KNOWN, WORDS, label
from rec_msa.targets.settings import OTHERS as OTHERS_STAND_IN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rec_msa.experiments.cells import Cell, NamedAttack
    from rec_msa.experiments.grid import Experiments


def as_tuple(value: Any) -> Any:
    """Scalars are lists of one, so that a cell and a grid are written alike."""
    return value if value is None or isinstance(value, list | tuple) else (value,)


Seed = Annotated[int, Field(ge=0, lt=2**32, strict=True)]
Share = Annotated[float, Field(gt=0, lt=1)]
Shares = Annotated[tuple[Share, ...], BeforeValidator(as_tuple)]
Names = Annotated[tuple[str, ...], BeforeValidator(as_tuple)]
Lengths = Annotated[tuple[Annotated[int, Field(ge=2)], ...], BeforeValidator(as_tuple)]
Seeds = Annotated[tuple[Seed, ...], BeforeValidator(as_tuple)]

SHARES, OTHERS, CLONES, FEWER, LENGTHS, DEFENSES = (
    "shares of users known",
    "other attacks",
    "guessed architectures",
    "fewer questions",
    "shorter lists",
    "defenses",
)
"""The parts of an audit, in words, in the order in which they are run."""

OF_OTHERS = {"auxiliary_train", "auxiliary_model"}
"""What an attacker knows of users whom the target was not trained on."""


class AuditSettings(BaseModel):
    """What an audit tries. Attacks that the target's data do not allow are left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shares: Shares = Field((0.05, 0.1, 0.2, 0.02, 0.01), min_length=1, description="shares of the target's users known")
    attacks: Names = Field(
        ("ptd", "ptq", "pta", "ptaq", "stacked_solved"), min_length=1, description="keys under attacks, at each share"
    )
    at: Share = Field(0.1, description="the share at which everything else is varied")
    others: Names = Field(("qsd", "ptaq_joint"), description="attacks at that share alone")
    clones: Names = Field(("lmf", "ials", "ease"), description="other architectures that the attacker may guess")
    query_fractions: Shares = Field((0.25, 0.5), description="shares of the users asked about who might be")
    list_lengths: Lengths = Field((20,), description="shorter lists that are served")
    defenses: Names = Field(
        ("popular_mixing_15", "random_replacement_15", "shuffle_50", "swap_tail_15"),
        description="defenses tried, <name>_<strength>",
    )
    seeds: Seeds = Field((0, 1, 2), min_length=1, description="seeds: who is known, and every start")
    budget: float | None = Field(None, gt=0, description="minutes, after which no further attack begins; None: all")
    fail_above: float | None = Field(
        None, ge=0, le=1, description="the run fails where a copy repeats more than this share of a list"
    )


@dataclass(frozen=True)
class Planned:
    """An attack of an audit.

    Attributes:
        part: Which of the audit's parts it belongs to.
        key: Its key under ``attacks``.
        attack: The attack.
    """

    part: str
    key: str
    attack: NamedAttack


def planned(experiments: Experiments, cell: Cell) -> list[Planned]:
    """The attacks of an audit of a cell's target, those first that say most: all seeds of a part before the next."""
    return [one for one in _everything(experiments, cell) if not one.attack.refusal]


def refused(experiments: Experiments, cell: Cell) -> list[str]:
    """Why some of what the settings ask for is left out: each reason once."""
    why = [_why(one) for one in _everything(experiments, cell) if one.attack.refusal]
    unable = [name for name in experiments.parameters.audit.defenses if not can_defend(cell, name)]
    why += [f"audit.defenses: '{name}' draws items from behind the list, and {cell.model} has none" for name in unable]
    return list(dict.fromkeys(filter(None, why)))


def _why(one: Planned) -> str | None:
    """A refusal with the key that an audit has for it."""
    much = one.attack.altered_too_much
    return f"audit.defenses: {much}" if much and one.part == DEFENSES else one.attack.refusal


def _everything(experiments: Experiments, cell: Cell) -> list[Planned]:
    cells = [replace(cell, seed=seed) for seed in experiments.parameters.audit.seeds]
    return [one for part in _PARTS for each in cells for one in part(experiments, each) if not one.attack.unfit]


def _shares(experiments: Experiments, cell: Cell) -> Iterator[Planned]:
    settings = experiments.parameters.audit
    for share in settings.shares:
        for name in settings.attacks:
            yield Planned(SHARES, name, experiments.known(cell, name, share))


def _others(experiments: Experiments, cell: Cell) -> Iterator[Planned]:
    settings = experiments.parameters.audit
    for name in settings.others:
        yield Planned(OTHERS, name, experiments.known(cell, name, settings.at))


def _clones(experiments: Experiments, cell: Cell) -> Iterator[Planned]:
    """With the attacks that know no other users; a clone that cannot be taught lists does those without questions."""
    settings = experiments.parameters.audit
    for clone in settings.clones:
        if clone != cell.clone:
            for name in settings.attacks:
                tried = experiments.known(cell, name, settings.at, clone=clone)
                if not OF_OTHERS & set(tried.knowledge):
                    yield Planned(CLONES, name, tried)


def _fewer(experiments: Experiments, cell: Cell) -> Iterator[Planned]:
    settings = experiments.parameters.audit
    for fraction in settings.query_fractions:
        for name in _asking(experiments, cell):
            yield Planned(FEWER, name, experiments.known(cell, name, settings.at, query_fraction=fraction))


def _lengths(experiments: Experiments, cell: Cell) -> Iterator[Planned]:
    settings = experiments.parameters.audit
    for length in settings.list_lengths:
        if length < experiments.parameters.list_length:
            for name in _asking(experiments, cell):
                yield Planned(LENGTHS, name, experiments.known(cell, name, settings.at, list_length=length))


def _defenses(experiments: Experiments, cell: Cell) -> Iterator[Planned]:
    settings = experiments.parameters.audit
    for defense in settings.defenses:
        if not can_defend(cell, defense):
            continue
        for name in _asking(experiments, cell):
            yield Planned(DEFENSES, name, experiments.known(replace(cell, defense=defense), name, settings.at))


_PARTS = (_shares, _defenses, _others, _clones, _fewer, _lengths)


def _asking(experiments: Experiments, cell: Cell) -> tuple[str, ...]:
    """The last of the attacks with questions that the data allow: by the order of the paper, the strongest.

    Where users of the target stand in for others, which overstates, it is one that knows none of these.
    """
    settings, target = experiments.parameters.audit, cell.made_elsewhere
    able = {name: experiments.known(cell, name, settings.at) for name in settings.attacks}
    asking = [name for name, one in able.items() if _asks(one)]
    if target is not None and target.source == OTHERS_STAND_IN:
        asking = [name for name in asking if not OF_OTHERS & set(able[name].knowledge)] or asking
    return tuple(asking[-1:])


def _asks(attack: NamedAttack) -> bool:
    return "served_lists" in attack.knowledge and not attack.unfit


def known_name(name: str, share: float, **changed: Any) -> str:
    """What an attack is called that knows a share of the users, of whom a part of its own is held out."""
    shown = label("attacker_fraction", share).removeprefix(WORDS["attacker_fraction"])
    return "_".join([name, KNOWN + shown, *(label(*one) for one in changed.items())])
