"""Lists of target, clones and references for the attacker users, and their agreement."""

from __future__ import annotations

from typing import Any

import pandas as pd

from rec_msa.attacks.settings import ReferenceSettings, StealSettings
from rec_msa.defenses.settings import NO_DEFENSE
from rec_msa.evaluation.results import Identity, agreement_of
from rec_msa.foundation.lists import Lists


def rank_target(
    target_model: dict[str, Any],
    target_train: pd.DataFrame,
    attackers: pd.DataFrame,
    device: str,
    list_length: int,
    defense: str,
    seed: int,
    defense_settings: dict[str, Any] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The target's lists for every attacker user, undefended and as served; only the evaluation reads them."""
    from rec_msa.defenses.serving import Server

    def lists(name: str) -> pd.DataFrame:
        server = Server(target_model, target_train, list_length, name, defense_settings, seed, device)
        return server(attackers["user"].to_numpy()).to_frame()

    undefended = lists(NO_DEFENSE)
    return undefended, undefended if defense == NO_DEFENSE else lists(defense)


def rank_clone(
    clone_model: dict[str, Any],
    exclude: pd.DataFrame,
    attackers: pd.DataFrame,
    device: str,
    list_length: int,
) -> pd.DataFrame:
    """A clone's lists for every attacker user, their known interactions left out; a sequential clone reads these."""
    from rec_msa.recommenders.checkpoint import from_checkpoint
    from rec_msa.recommenders.ranking import rank_lists
    from rec_msa.training.device import choose_device

    model = from_checkpoint(clone_model, choose_device(device))
    model.read(exclude)
    return rank_lists(model, attackers["user"].to_numpy(), exclude, list_length).to_frame()


def measure_agreement(
    clone_lists: pd.DataFrame,
    undefended_lists: pd.DataFrame,
    served_lists: pd.DataFrame,
    attackers: pd.DataFrame,
    identity: dict[str, Any],
    list_length: int,
    ledger: pd.DataFrame | None = None,
    steal_curve: pd.DataFrame | None = None,
    steal_settings: StealSettings | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Agreement of a clone with the target, held-out and queried users apart; summary with intervals, and per user."""
    learnt: dict[str, Any] = {}
    if steal_curve is not None and steal_settings is not None:
        learnt = _learnt(steal_curve, steal_settings)
    who = Identity(**identity, n_queries=0 if ledger is None else len(ledger), **learnt)
    against = _against(undefended_lists, served_lists, list_length)
    return agreement_of(Lists.from_frame(clone_lists, list_length), against, attackers, who)


def _learnt(curve: pd.DataFrame, settings: StealSettings) -> dict[str, int]:
    """Which state of the steal stage was kept, of how many steps, and how many there could have been."""
    kept = int(curve.loc[curve["kept"], "step"].iloc[0])
    return {"kept_step": kept, "steps": int(curve["step"].max()), "step_limit": settings.training.max_steps}


def rank_references(
    attacker_train: pd.DataFrame,
    auxiliary_train: pd.DataFrame,
    served_lists: pd.DataFrame,
    attackers: pd.DataFrame,
    statistics: dict[str, Any],
    settings: ReferenceSettings,
    list_length: int,
    seed: int,
) -> pd.DataFrame:
    """Lists that anyone could make without a clone: at random, by popularity, from the queried users' lists."""
    from rec_msa.attacks import references

    queried = attackers.loc[attackers["group"] == "queried", "user"]
    known = references.Knowledge(
        users=attackers["user"].sort_values().to_numpy(),
        attacker_train=attacker_train,
        auxiliary_train=auxiliary_train,
        queried=Lists.from_frame(served_lists, list_length).of(queried),
        n_items=statistics["items"],
    )
    ranked = references.all_references(known, list_length, settings, seed)
    return pd.concat([lists.to_frame().assign(attack=name) for name, lists in ranked.items()], ignore_index=True)


def measure_references(
    reference_lists: pd.DataFrame,
    undefended_lists: pd.DataFrame,
    served_lists: pd.DataFrame,
    attackers: pd.DataFrame,
    identity: dict[str, Any],
    names: dict[str, str],
    list_length: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Agreement of every reference with the target; of the target itself, too: the ceiling under a defense."""
    from rec_msa.attacks import references

    against = _against(undefended_lists, served_lists, list_length)
    ranked = reference_lists.groupby("attack", sort=False)
    lists = {str(name): Lists.from_frame(frame, list_length) for name, frame in ranked}
    lists["target"] = against["undefended"]
    tables = []
    for name, of_users in lists.items():
        n_queries = int((attackers["group"] == "queried").sum()) if name in references.FROM_QUERIES else 0
        who = Identity(**identity, attack=names[name], base=name, clone=None, n_queries=n_queries)
        tables.append(agreement_of(of_users, against, attackers, who))
    summaries, per_user = zip(*tables, strict=True)
    return pd.concat(summaries, ignore_index=True), pd.concat(per_user, ignore_index=True)


def _against(undefended_lists: pd.DataFrame, served_lists: pd.DataFrame, list_length: int) -> dict[str, Lists]:
    frames = {"served": served_lists, "undefended": undefended_lists}
    return {name: Lists.from_frame(frame, list_length) for name, frame in frames.items()}
