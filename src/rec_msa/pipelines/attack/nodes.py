"""The stages of an attack. Only the gate's node sees the target model."""

from __future__ import annotations

from typing import Any, TypeVar

import pandas as pd

from rec_msa.attacks.settings import AttackSettings, Choice, CloneSettings, StealSettings, Variant

Stage = TypeVar("Stage", CloneSettings, StealSettings)


def train_clone(
    attacker_train: pd.DataFrame,
    statistics: dict[str, Any],
    recommender: dict[str, Any],
    clone_settings: CloneSettings,
    device: str,
    variant: Variant,
    architecture: str,
    item_fraction: float,
    seed: int,
    auxiliary_model: dict[str, Any] | None = None,
    auxiliary_train: pd.DataFrame | None = None,
    patience: int | None = None,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Clone stage (Alg. 1, first loop): learns from the attacker's interactions; returns checkpoint and curve."""
    from rec_msa.attacks import clone
    from rec_msa.interactions import item_sample

    n_items = statistics["items"]
    known = None if item_fraction == 1 else item_sample(n_items, item_fraction, seed)
    data = clone.AttackerData(attacker_train, n_items, auxiliary_model, auxiliary_train, known)
    settings = _waiting(clone_settings, patience)
    return clone.train_clone(variant, data, architecture, recommender, settings, seed, device)


def query_target(
    target_model: dict[str, Any],
    target_train: pd.DataFrame,
    attackers: pd.DataFrame,
    device: str,
    list_length: int,
    defense: str,
    seed: int,
    defense_settings: dict[str, Any] | None = None,
    calls_per_user: int = 1,
    denoise: dict[str, float] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The gate: asks the target for the lists of the queried users; returns the lists to learn from and the ledger."""
    from rec_msa.attacks.denoise import Denoise
    from rec_msa.attacks.gate import ask_each_once, query
    from rec_msa.defenses.serving import Server

    answer = Server(target_model, target_train, list_length, defense, defense_settings, seed, device)
    strategy = ask_each_once if denoise is None else Denoise(calls_per_user, **denoise)
    return query(answer, attackers, calls_per_user, strategy, seed)


def query_with_sequences(
    target_model: dict[str, Any],
    target_train: pd.DataFrame,
    attackers: pd.DataFrame,
    device: str,
    recommender: dict[str, Any],
    list_length: int,
    defense: str,
    seed: int,
    calls_per_user: int,
    sequences: Choice,
    defense_settings: dict[str, Any] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The gate of QSD on sequential targets: asks about made-up sequences; returns served lists and ledger."""
    from functools import partial

    from rec_msa.attacks.gate import SequenceSide, query_by_sequences
    from rec_msa.attacks.heldout_sequences import histories_of
    from rec_msa.attacks.prefixes import ask_prefixes
    from rec_msa.defenses.serving import Server, served_after_sequences

    n_items = target_model["n_items"]
    measured_on = attackers.loc[attackers["group"] == "heldout", "user"].to_numpy()
    heldout = histories_of(measured_on, (target_train["user"].to_numpy(), target_train["item"].to_numpy()))
    serve = served_after_sequences(target_model, list_length, defense, device)
    side = SequenceSide(n_items, serve, list_length, heldout)
    users = Server(target_model, target_train, list_length, defense, defense_settings, seed, device)
    strategy = partial(
        ask_prefixes,
        n_items=n_items,
        length=recommender["length"],
        calls_per_user=calls_per_user,
        choice=sequences,
    )
    return query_by_sequences(users, side, attackers, calls_per_user, strategy, seed)


def steal(
    clone_model: dict[str, Any],
    served_lists: pd.DataFrame,
    attacker_train: pd.DataFrame,
    attack: AttackSettings,
    steal_settings: StealSettings,
    device: str,
    seed: int,
    patience: int | None = None,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Steal stage (Alg. 1, second loop): teaches the clone the served lists; returns checkpoint and curve."""
    from rec_msa.attacks import steal as stage
    from rec_msa.foundation.lists import Lists

    served = Lists.from_frame(served_lists)
    settings = _waiting(steal_settings, patience)
    return stage.steal(clone_model, served, attacker_train, settings, attack.losses, seed, device, attack.outside)


def steal_from_lists_alone(
    served_lists: pd.DataFrame,
    attackers: pd.DataFrame,
    statistics: dict[str, Any],
    recommender: dict[str, Any],
    attack: AttackSettings,
    steal_settings: StealSettings,
    device: str,
    architecture: str,
    seed: int,
    patience: int | None = None,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """QSD: teaches a fresh clone the served lists, without any interaction; returns checkpoint and curve."""
    from rec_msa.attacks import steal as stage
    from rec_msa.foundation.lists import Lists

    users, served = attackers["user"].to_numpy(), Lists.from_frame(served_lists)
    settings = _waiting(steal_settings, patience)
    return stage.steal_from_lists_alone(
        architecture, recommender, users, statistics["items"], served, settings, attack.losses, seed, device
    )


def steal_from_sequences(
    served_lists: pd.DataFrame,
    attackers: pd.DataFrame,
    statistics: dict[str, Any],
    recommender: dict[str, Any],
    attack: AttackSettings,
    steal_settings: StealSettings,
    device: str,
    architecture: str,
    seed: int,
    patience: int | None = None,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """QSD on sequential targets: teaches a fresh clone every prefix and its list; returns checkpoint and curve."""
    from rec_msa.attacks.prefixes import PrefixLists
    from rec_msa.attacks.steal_prefixes import steal_from_prefixes

    users, served = attackers["user"].to_numpy(), PrefixLists.from_frame(served_lists)
    settings = _waiting(steal_settings, patience)
    return steal_from_prefixes(
        architecture, recommender, users, statistics["items"], served, settings, attack.losses, seed, device
    )


def _waiting(settings: Stage, patience: int | None) -> Stage:
    """A stage's settings with the patience that the data set asks for."""
    return settings.model_copy(update={"training": settings.training.waiting(patience)})
