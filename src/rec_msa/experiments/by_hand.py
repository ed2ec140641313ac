"""An attack by hand: the stages that the pipelines run, on frames, through a gate; without Kedro and without files."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel

from rec_msa.attacks.base import ASKED, Target
from rec_msa.attacks.gate import require_answered
from rec_msa.attacks.registry import ATTACKS, require_attack
from rec_msa.experiments.parameters import Parameters, read_parameters
from rec_msa.foundation.errors import SettingsError, nearest
from rec_msa.foundation.randomness import stream
from rec_msa.recommenders.settings import is_sequential

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from rec_msa.attacks.base import Attack
    from rec_msa.attacks.gate import QueryGate
    from rec_msa.foundation.lists import Lists

_TRAININGS = ("auxiliary", "clone", "steal", "learner", "recommenders")
"""The parameters that say how an attack learns."""


class Stolen(NamedTuple):
    """What an attack leaves.

    Attributes:
        lists: What the clone recommends to each attacker user.
        model: The clone's checkpoint.
        curves: Its training curves, by name: ``clone_curve``, ``steal_curve``.
    """

    lists: Lists
    model: dict[str, Any]
    curves: dict[str, pd.DataFrame]


def attack(
    name: str,
    known: pd.DataFrame,
    users: pd.DataFrame,
    n_items: int,
    gate: QueryGate | None = None,
    *,
    auxiliary: pd.DataFrame | None = None,
    list_length: int = 50,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
) -> Stolen:
    """Runs an attack by its base's name, as ``ptaq``: trains a clone, asks through the gate, teaches the clone.

    Args:
        name: ``ptd``, ``ptq``, ``pta``, ``ptaq``, ``qsd`` or another base.
        known: D_t (columns user, item): training interactions of the attacker users; indices count from 0.
        users: The attacker users (columns user, group): ``heldout``, or ``queried`` for those to ask about.
        n_items: Size of the catalogue.
        gate: Answers the attacks with queries.
        auxiliary: Interactions of other users over the same items (columns user, item), for attacks that know some; a
            part of them (``clone.held_back_fraction``) decides when the auxiliary model is done.
        list_length: Items in the clone's lists.
        seed: Of every training and question.
        settings: What differs from the usual: the attack's own settings, as ``clone: lmf``, under ``attack``; and
            ``auxiliary``, ``clone``, ``steal``, ``learner`` and ``recommenders`` as in the parameters.

    Returns:
        The clone's lists of all attacker users, its checkpoint and its training curves.

    Raises:
        SettingsError: The attack or a setting does not exist, or the attack lacks a gate or auxiliary data.
        QueryError: The attack asks for what it may not.
        DataError: There is too little to learn from.

    Examples:
        Sixty users with one of four tastes, 50 items each. A target recommends what a user does not know yet of the own
        taste. The attacker knows what all did and asks about 48; of the other 12, random items would agree by .06.

        >>> import numpy as np, pandas as pd, rec_msa
        >>> draw = np.random.default_rng(0).permutation
        >>> taste = {user: range(user % 4 * 50, user % 4 * 50 + 50) for user in range(60)}
        >>> knows = {user: draw(items)[:20] for user, items in taste.items()}
        >>> known = pd.DataFrame([(user, i) for user in knows for i in knows[user]], columns=["user", "item"])
        >>> served = rec_msa.Lists(list(taste), [[i for i in taste[u] if i not in knows[u]][:10] for u in taste])
        >>> users = pd.DataFrame({"user": list(taste), "group": ["heldout"] * 12 + ["queried"] * 48})
        >>> gate = rec_msa.Gate(served.of, allowed=range(12, 60), budget=48)
        >>> short = {"training": {"max_steps": 200, "validate_every": 50, "learning_rate": 0.01}}
        >>> settings = {"clone": short, "steal": short}
        >>> stolen = rec_msa.attack("ptq", known, users, 200, gate, list_length=10, settings=settings)
        >>> found = rec_msa.agreement(served, stolen.lists, users).set_index("group")["agreement"]
        >>> gate.n_calls, bool(found["heldout"] > 0.8)
        (48, True)
    """
    chosen, own = _asked(name, settings or {})
    architecture = own.clone or "bpr"
    target = Target(architecture, is_sequential(architecture))
    if why := own.refusal(target, architecture):
        raise SettingsError(f"attack{why}")
    told: dict[str, Any] = {"attacker_train": known, "attackers": users, "statistics": {"items": n_items}}
    told |= {"recommender": getattr(chosen.recommenders, architecture), "architecture": architecture, "seed": seed}
    told |= {"clone_settings": chosen.clone, "steal_settings": chosen.steal, "device": chosen.device}
    told["learner_settings"] = chosen.learner
    told |= _auxiliary(own.knowledge(target), auxiliary, chosen, told)
    if "served_lists" in own.knowledge(target):
        told["served_lists"] = _answers(own, target, gate, users, seed)
    return _learned(own, target, told, list_length, chosen)


def _asked(name: str, settings: Mapping[str, Any]) -> tuple[Parameters, Attack]:
    """The parameters and the attack, checked as those of a run are."""
    if name not in ATTACKS:
        raise SettingsError(f"attack: there is no base '{name}'; {nearest(name, ATTACKS)}")
    allowed = ("attack", *_TRAININGS)
    for key in settings:
        if key not in allowed:
            raise SettingsError(f"settings: there is no '{key}'; {nearest(key, allowed)}")
    usual = {key: Parameters.model_fields[key].default.model_dump() for key in _TRAININGS}
    raw: dict[str, Any] = {key: _over(usual[key], settings.get(key, {})) for key in _TRAININGS}
    raw |= {"dataset": None, "model": None, "seed": None, "datasets": {}}
    raw["attacks"] = {base: {"base": base} for base in ATTACKS} | {name: {"base": name, **settings.get("attack", {})}}
    chosen = read_parameters(raw)
    return chosen, require_attack(name, chosen.attacks)


def _over(usual: dict[str, Any], asked: Mapping[str, Any] | BaseModel) -> dict[str, Any]:
    """The usual settings, but for those that are asked for otherwise; typed ones, as a run's context has, are whole."""
    if isinstance(asked, BaseModel):
        return asked.model_dump()
    inner = {key: _over(usual[key], value) for key, value in asked.items() if isinstance(usual.get(key), dict)}
    return {**usual, **asked, **inner}


def _auxiliary(
    knowledge: tuple[str, ...], auxiliary: pd.DataFrame | None, chosen: Parameters, told: dict[str, Any]
) -> dict[str, Any]:
    """Auxiliary data, and what trains their model of an architecture; empty where the attack knows none."""
    if not {"auxiliary_train", "auxiliary_model"} & set(knowledge):
        return {}
    if auxiliary is None:
        raise SettingsError(
            "auxiliary: this attack learns from interactions of other users, and there are none; give auxiliary=, a "
            "frame with the columns user and item, or take an attack without, as ptq"
        )
    from rec_msa.attacks.clone import hold_back
    from rec_msa.training.recommender import train_recommender

    architecture, seed = told["architecture"], told["seed"]
    train, validation = hold_back(auxiliary, chosen.clone, seed, last=is_sequential(architecture))
    data = train, validation, told["statistics"]["items"], chosen.auxiliary, seed

    @cache
    def trained(architecture: str) -> Any:
        settings = getattr(chosen.recommenders, architecture)
        return train_recommender(architecture, settings, *data, "auxiliary", told["device"])[0]

    return {"auxiliary_train": train, "train_auxiliary": trained}


def _answers(own: Attack, target: Target, gate: QueryGate | None, users: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The lists to learn from (columns user, rank, item), asked for as the attack asks."""
    if gate is None:
        raise SettingsError("gate: this attack asks, and there is no gate to ask through")
    if any(ASKED in stage.writes for stage in own.stages(target)):
        raise SettingsError("attack.order: whom to ask is chosen by the pipelines alone; name the users in the table")
    asking: Any = own.asking(target)
    if asking.about_sequences:
        msg = "attack: made-up sequences are asked about by the pipelines alone; take a clone that reads none"
        raise SettingsError(msg)
    queried = users.loc[users["group"] == "queried", "user"].sort_values().to_numpy()
    served: pd.DataFrame = asking(gate.ask, queried, stream(seed, "gate")).to_frame()
    require_answered(served, gate.ledger(), users)
    return served


def _learned(own: Attack, target: Target, told: dict[str, Any], list_length: int, chosen: Parameters) -> Stolen:
    """Runs the stages one after the other: each gets what it names, and what earlier ones made."""
    from rec_msa.training.recommender import lists_of

    curves: dict[str, pd.DataFrame] = {}
    stages = own.stages(target)
    for stage in stages:
        other: dict[str, Any] = {}
        if stage.architecture:
            other = {"architecture": stage.architecture}
            other["recommender"] = getattr(chosen.recommenders, stage.architecture)
        if "auxiliary_model" in stage.reads:
            other["auxiliary_model"] = told["train_auxiliary"](stage.architecture or told["architecture"])
        given = told | other
        made = stage.function(**{name: given[name] for name in stage.reads}, **stage.settings)
        left = dict(zip(stage.writes, made if len(stage.writes) > 1 else (made,), strict=True))
        told |= {known_as: left[name] for known_as, name in stage.offers.items()}
        curves |= {name: value for name, value in left.items() if name.endswith("_curve")}
    model = told[stages[-1].writes[0]]
    lists = lists_of(model, told["attackers"]["user"].to_numpy(), told["attacker_train"], list_length, told["device"])
    return Stolen(lists, model, curves)
