"""Lists of target, clones and references for the attacker users, and their agreement."""

from __future__ import annotations

from typing import Any

import pandas as pd

from rec_msa.attacks.settings import ReferenceSettings
from rec_msa.defenses.settings import NO_DEFENSE, Serving
from rec_msa.evaluation.results import agreement_of
from rec_msa.foundation.lists import Lists


def rank_target(attackers: pd.DataFrame, serving: Serving, **target: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The target's lists for every attacker user, undefended and as served; only the evaluation reads them."""
    users = attackers["user"].to_numpy()
    undefended = serving.undefended().of(**target)(users).to_frame()
    return undefended, undefended if serving.defense == NO_DEFENSE else serving.of(**target)(users).to_frame()


def rank_clone(
    clone_model: dict[str, Any],
    exclude: pd.DataFrame,
    attackers: pd.DataFrame,
    device: str,
    list_length: int,
) -> pd.DataFrame:
    """A clone's lists for every attacker user, their known interactions left out; a sequential clone reads these."""
    from rec_msa.training.recommender import lists_of

    return lists_of(clone_model, attackers["user"].to_numpy(), exclude, list_length, device).to_frame()


def rank_together(
    exclude: pd.DataFrame, attackers: pd.DataFrame, device: str, list_length: int, **models: dict[str, Any]
) -> pd.DataFrame:
    """The lists of several models whose standardised scores are averaged, as ``rank_clone`` makes those of one."""
    from rec_msa.recommenders.averaged import Averaged
    from rec_msa.recommenders.checkpoint import from_checkpoint
    from rec_msa.recommenders.ranking import rank_lists
    from rec_msa.training.device import choose_device

    model = Averaged([from_checkpoint(one, choose_device(device)) for one in models.values()])
    model.read(exclude)
    return rank_lists(model, attackers["user"].to_numpy(), exclude, list_length).to_frame()


def measure_agreement(
    clone_lists: pd.DataFrame,
    undefended_lists: pd.DataFrame,
    served_lists: pd.DataFrame,
    attackers: pd.DataFrame,
    facts: dict[str, Any],
    list_length: int,
    ledger: pd.DataFrame | None = None,
    steal_curve: pd.DataFrame | None = None,
    step_limit: int | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Agreement of a clone with the target, held-out and queried users apart; summary with intervals, and per user."""
    who = {**facts, "n_queries": 0 if ledger is None else len(ledger)}
    if steal_curve is not None:
        kept = int(steal_curve.loc[steal_curve["kept"], "step"].iloc[0])
        who |= {"kept_step": kept, "steps": int(steal_curve["step"].max()), "step_limit": step_limit}
    against = _against(undefended_lists, served_lists, list_length)
    return agreement_of(Lists.from_frame(clone_lists, list_length), against, attackers, who)


def rank_references(
    attacker_train: pd.DataFrame,
    auxiliary_train: pd.DataFrame,
    served_lists: pd.DataFrame,
    attackers: pd.DataFrame,
    statistics: dict[str, Any],
    settings: ReferenceSettings,
    device: str,
    list_length: int,
    seed: int,
) -> pd.DataFrame:
    """Lists that anyone could make without a clone: random, popular, of known models, from the queried users' lists."""
    from rec_msa.attacks import references

    queried = attackers.loc[attackers["group"] == "queried", "user"]
    known = references.Knowledge(
        users=attackers["user"].sort_values().to_numpy(),
        attacker_train=attacker_train,
        auxiliary_train=auxiliary_train,
        queried=Lists.from_frame(served_lists, list_length).of(queried),
        n_items=statistics["items"],
    )
    ranked = references.all_references(known, list_length, settings, seed, device)
    return pd.concat([lists.to_frame().assign(attack=name) for name, lists in ranked.items()], ignore_index=True)


def measure_references(
    reference_lists: pd.DataFrame,
    undefended_lists: pd.DataFrame,
    served_lists: pd.DataFrame,
    attackers: pd.DataFrame,
    facts: list[dict[str, Any]],
    list_length: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Agreement of every reference with the target; of the target itself, too: the ceiling under a defense."""
    from rec_msa.attacks import references

    against = _against(undefended_lists, served_lists, list_length)
    ranked = reference_lists.groupby("attack", sort=False)
    lists = {str(name): Lists.from_frame(frame, list_length) for name, frame in ranked}
    lists["target"] = against["undefended"]
    tables = []
    n_queried = int((attackers["group"] == "queried").sum())
    for of_whom in facts:
        base = of_whom["base"]
        if base in lists:  # where nobody was asked, there are none from answers; of a huge catalogue, none of ease
            who = {**of_whom, "n_queries": n_queried if base in references.FROM_QUERIES else 0}
            tables.append(agreement_of(lists[base], against, attackers, who))
    summaries, per_user = zip(*tables, strict=True)
    return pd.concat(summaries, ignore_index=True), pd.concat(per_user, ignore_index=True)


def _against(undefended_lists: pd.DataFrame, served_lists: pd.DataFrame, list_length: int) -> dict[str, Lists]:
    undefended = Lists.from_frame(undefended_lists, list_length)
    alike = served_lists.equals(undefended_lists)
    return {"served": undefended if alike else Lists.from_frame(served_lists, list_length), "undefended": undefended}
