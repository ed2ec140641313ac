"""The stages that attacks are made of, from frames and checkpoints to checkpoints; torch is loaded where they run."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd

from rec_msa.attacks.settings import CloneSettings, LearnerSettings, Order, Outside, PairLoss, StealSettings
from rec_msa.foundation.lists import Lists

Variant = Literal["own", "fused", "pretrained", "joint", "mean"]
Made = tuple[dict[str, Any], pd.DataFrame]
"""A model's checkpoint and its training curve."""


def train_clone(
    attacker_train: pd.DataFrame,
    statistics: dict[str, Any],
    recommender: dict[str, Any],
    clone_settings: CloneSettings,
    device: str,
    variant: Variant,
    architecture: str,
    seed: int,
    item_fraction: float = 1.0,
    auxiliary_model: dict[str, Any] | None = None,
    auxiliary_train: pd.DataFrame | None = None,
    patience: int | None = None,
    start: int = 0,
) -> Made:
    """Clone stage (Alg. 1, first loop): learns from the attacker's interactions; returns checkpoint and curve."""
    from rec_msa.attacks import clone
    from rec_msa.interactions import item_sample

    n_items = statistics["items"]
    known = None if item_fraction == 1 else item_sample(n_items, item_fraction, seed)
    data = clone.AttackerData(attacker_train, n_items, auxiliary_model, auxiliary_train, known)
    settings = clone_settings.waiting(patience)
    return clone.train_clone(variant, data, architecture, recommender, settings, seed, device, start)


def steal(
    clone_model: dict[str, Any],
    served_lists: pd.DataFrame,
    attacker_train: pd.DataFrame,
    steal_settings: StealSettings,
    device: str,
    losses: tuple[PairLoss, PairLoss],
    outside: Outside,
    seed: int,
    patience: int | None = None,
) -> Made:
    """Steal stage (Alg. 1, second loop): teaches the clone the served lists; returns checkpoint and curve."""
    from rec_msa.attacks import steal as stage

    settings = steal_settings.waiting(patience)
    served = Lists.from_frame(served_lists)
    return stage.steal(clone_model, served, attacker_train, settings, losses, seed, device, outside)


def steal_listwise(
    clone_model: dict[str, Any],
    served_lists: pd.DataFrame,
    attacker_train: pd.DataFrame,
    statistics: dict[str, Any],
    steal_settings: StealSettings,
    clone_settings: CloneSettings,
    device: str,
    temperature: float,
    own_weight: float,
    seed: int,
    auxiliary_train: pd.DataFrame | None = None,
    patience: int | None = None,
) -> Made:
    """Steal stage over whole lists and the catalogue, the clone's own loss beside; returns checkpoint and curve."""
    from rec_msa.attacks import steal as stage
    from rec_msa.attacks.clone import AttackerData

    data = AttackerData(attacker_train, statistics["items"], auxiliary_interactions=auxiliary_train)
    settings, served = steal_settings.waiting(patience), Lists.from_frame(served_lists)
    how = clone_settings, temperature, own_weight, seed, device
    return stage.steal_listwise(clone_model, served, data, settings, *how)


def correct(
    clone_model: dict[str, Any],
    served_lists: pd.DataFrame,
    attacker_train: pd.DataFrame,
    device: str,
    penalties: tuple[float, ...],
    strengths: tuple[float, ...],
) -> Made:
    """Steal stage in closed form: corrects the clone by the served lists; returns checkpoint and what was tried."""
    from rec_msa.attacks import ridge

    return ridge.correct(clone_model, Lists.from_frame(served_lists), attacker_train, penalties, strengths, device)


def steal_from_lists_alone(
    served_lists: pd.DataFrame,
    attackers: pd.DataFrame,
    statistics: dict[str, Any],
    recommender: dict[str, Any],
    steal_settings: StealSettings,
    device: str,
    losses: tuple[PairLoss, PairLoss],
    architecture: str,
    seed: int,
    patience: int | None = None,
) -> Made:
    """QSD: teaches a fresh clone the served lists, of users or after made-up sequences, without any interaction."""
    from rec_msa.attacks import steal as stage
    from rec_msa.attacks.prefixes import PrefixLists

    served = (PrefixLists if "sequence" in served_lists else Lists).from_frame(served_lists)
    users, n_items, settings = attackers["user"].to_numpy(), statistics["items"], steal_settings.waiting(patience)
    told = architecture, recommender, users, n_items, served
    return stage.steal_from_lists_alone(*told, settings, losses, seed, device)


def teach_folds(
    served_lists: pd.DataFrame,
    attacker_train: pd.DataFrame,
    steal_settings: StealSettings,
    learner_settings: LearnerSettings,
    device: str,
    losses: tuple[PairLoss, PairLoss],
    outside: Outside,
    seed: int,
    taught: tuple[str, ...],
    patience: int | None = None,
    **clones: dict[str, Any],
) -> Made:
    """Teaches clones the lists of all queried users but a part of them, for each part; models and curves."""
    from rec_msa.attacks import stacking

    served, settings = Lists.from_frame(served_lists), steal_settings.waiting(patience)
    told = {name: clones[name] for name in taught}, served, attacker_train, settings, losses, outside
    return stacking.teach_folds(*told, learner_settings.folds, seed, device)


def average(
    attackers: pd.DataFrame,
    attacker_train: pd.DataFrame,
    statistics: dict[str, Any],
    device: str,
    committees: dict[str, tuple[str, ...]],
    **clones: dict[str, Any],
) -> dict[str, Any]:
    """The mean of what clones say, committee by committee."""
    from rec_msa.attacks import stacking

    world = stacking.world_of(attackers, attacker_train, None, statistics["items"], device)
    return stacking.average(world, {name: [clones[one] for one in members] for name, members in committees.items()})


def choose_whom_to_ask(
    attackers: pd.DataFrame,
    attacker_train: pd.DataFrame,
    statistics: dict[str, Any],
    device: str,
    committees: dict[str, tuple[str, ...]],
    order: Order,
    fraction: float,
    **clones: dict[str, Any],
) -> pd.DataFrame:
    """The attackers with those as group ``queried`` who are to be asked about, before anybody is."""
    from rec_msa.attacks import stacking

    world = stacking.world_of(attackers, attacker_train, None, statistics["items"], device)
    each = {one: [clones[one]] for members in committees.values() for one in members}
    return stacking.choose(world, each, attackers, order, fraction)


def stack(
    served_lists: pd.DataFrame,
    attackers: pd.DataFrame,
    attacker_train: pd.DataFrame,
    statistics: dict[str, Any],
    learner_settings: LearnerSettings,
    device: str,
    seed: int,
    committees: dict[str, tuple[str, ...]],
    also_rank: int = 0,
    auxiliary_train: pd.DataFrame | None = None,
    taught_models: dict[str, Any] | None = None,
    **clones: dict[str, Any],
) -> Made:
    """Learns from served lists whether to believe clones, look-ups or popularity; the ensemble and its beliefs.

    It ranks for so many auxiliary users, too.
    """
    from rec_msa.attacks import stacking

    world = stacking.world_of(attackers, attacker_train, auxiliary_train, statistics["items"], device, also_rank)
    members = {name: [clones[one] for one in found] for name, found in committees.items()}
    served = Lists.from_frame(served_lists)
    return stacking.stack(world, members, taught_models, served, learner_settings, seed)


def distil(
    ensemble_model: dict[str, Any],
    served_lists: pd.DataFrame,
    attackers: pd.DataFrame,
    attacker_train: pd.DataFrame,
    statistics: dict[str, Any],
    steal_settings: StealSettings,
    device: str,
    losses: tuple[PairLoss, PairLoss],
    outside: Outside,
    also_rank: int,
    seed: int,
    pupil: str,
    auxiliary_train: pd.DataFrame | None = None,
    patience: int | None = None,
    **clones: dict[str, Any],
) -> Made:
    """Teaches one clone what the ensemble says of its users; returns checkpoint and curve."""
    from rec_msa.attacks import stacking

    world = stacking.world_of(attackers, attacker_train, auxiliary_train, statistics["items"], device, also_rank)
    told = clones[pupil], world, Lists.from_frame(served_lists), steal_settings.waiting(patience)
    return stacking.distil(ensemble_model, *told, losses, outside, seed)
