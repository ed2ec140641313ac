"""Lists of target, clones and references for the attacker users, and their agreement."""

from __future__ import annotations

from typing import Any

import numpy as np
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


def solve_references(
    attacker_train: pd.DataFrame,
    auxiliary_train: pd.DataFrame,
    attackers: pd.DataFrame,
    statistics: dict[str, Any],
    settings: ReferenceSettings,
    device: str,
    list_length: int,
    seed: int,
) -> pd.DataFrame:
    """Lists of known models in closed form; whoever is attacked, however long its lists, they are solved once."""
    from rec_msa.attacks.references import Knowledge
    from rec_msa.attacks.solved import solved_references

    users = attackers["user"].sort_values().to_numpy()
    n_items, nothing = statistics["items"], Lists(users[:0], np.empty((0, list_length), np.int32))
    known = Knowledge(users, attacker_train, auxiliary_train, nothing, n_items)
    return _by_name(solved_references(known, min(list_length, n_items), settings, seed, device))


def rank_references(
    attacker_train: pd.DataFrame,
    auxiliary_train: pd.DataFrame,
    served_lists: pd.DataFrame,
    solved_lists: pd.DataFrame,
    attackers: pd.DataFrame,
    statistics: dict[str, Any],
    settings: ReferenceSettings,
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
    solved = _named(solved_lists, list_length)
    return _by_name(references.all_references(known, solved, list_length, settings, seed))


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
    lists = _named(reference_lists, list_length)
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


def _by_name(lists: dict[str, Lists]) -> pd.DataFrame:
    return pd.concat([one.to_frame().assign(attack=name) for name, one in lists.items()], ignore_index=True)


def _named(lists: pd.DataFrame, list_length: int) -> dict[str, Lists]:
    return {str(name): Lists.from_frame(one, list_length) for name, one in lists.groupby("attack", sort=False)}


def _against(undefended_lists: pd.DataFrame, served_lists: pd.DataFrame, list_length: int) -> dict[str, Lists]:
    undefended = Lists.from_frame(undefended_lists, list_length)
    alike = served_lists.equals(undefended_lists)
    return {"served": undefended if alike else Lists.from_frame(served_lists, list_length), "undefended": undefended}
