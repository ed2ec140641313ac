"""What the steal stage learnt: which state of each attack with queries was kept, and what the answers added to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from rec_msa.attacks.registry import STARTS
from rec_msa.evaluation.results import STEPS

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

ATTACK = ["dataset", "target", "defense", "attack"]


def steal_runs(agreement: pd.DataFrame) -> pd.DataFrame:
    """Returns a row for each steal stage whose steps are known.

    Args:
        agreement: The columns of ``rec_msa.evaluation.results``; without ``STEPS`` nothing is known of any.

    Returns:
        ``ATTACK``, clone, seed, ``STEPS``, whether it learnt ``nothing`` and whether it ended ``at_limit``.
    """
    runs = agreement.reindex(columns=[*ATTACK, "clone", "seed", *STEPS]).dropna(subset=list(STEPS)).drop_duplicates()
    return runs.assign(nothing=runs["kept_step"] == 0, at_limit=runs["steps"] >= runs["step_limit"])


def is_unrecorded(agreement: pd.DataFrame) -> pd.Series:
    """Returns which rows are of attacks with queries whose steps are not known: of the stage before they were noted."""
    asking = agreement["ranking_loss"].notna()
    steps = agreement.reindex(columns=list(STEPS))
    return asking & steps.isna().any(axis=1)


def gains(agreement: pd.DataFrame) -> pd.DataFrame:
    """Returns how much more an attack agrees than the one that it starts from, for each group of users and seed.

    Args:
        agreement: The columns of ``rec_msa.evaluation.results``. What counts are undefended lists at full length.

    Returns:
        ``ATTACK``, base, clone, seed, group and ``gain``.
    """
    own = agreement[agreement["against"] == "undefended"]
    own = own[own["k"] == own.groupby([*ATTACK, "clone", "seed"], dropna=False)["k"].transform("max")]
    known = set(own["attack"])
    asking = own[own["base"].isin(STARTS)]
    names = asking[["attack", "base"]].drop_duplicates()
    found = [_start(str(attack), str(base), known) for attack, base in names.itertuples(index=False)]
    starts = names.assign(start=pd.Series(found, names.index, dtype="str"))
    keys = ["dataset", "target", "defense", "clone", "seed", "group", "k", "n_users"]
    before = own[[*keys, "attack", "agreement"]].rename(columns={"attack": "start", "agreement": "before"})
    both = asking.merge(starts, on=["attack", "base"]).merge(before, on=[*keys, "start"])
    gained = both.assign(gain=both["agreement"] - both["before"])
    return gained[[*ATTACK, "base", "clone", "seed", "group", "gain"]]


def remarks(agreement: pd.DataFrame) -> list[str]:
    """Returns a line on attacks that learnt nothing from the answers and one on those that ended at their limit."""
    runs = steal_runs(agreement)
    nothing, at_limit = (_named(runs, how) for how in ("nothing", "at_limit"))
    lines = [f"Learnt nothing from the answers, the start was kept: {nothing}."] if nothing else []
    return lines + ([f"Ended at the limit of steps, perhaps too early: {at_limit}."] if at_limit else [])


def _start(attack: str, base: str, known: AbstractSet[str]) -> str:
    """The start of ``ptq_length20`` is ``ptd_length20``; of ``ptq_asked20``, which has none of its own, ``ptd``."""
    own = STARTS[base] + attack.removeprefix(base)
    return own if own in known else STARTS[base]


def _named(runs: pd.DataFrame, how: str) -> str:
    """Names the attacks that ended so, with their cell and how many seeds as far as there are several."""
    keys = [name for name in ATTACK[:-1] if runs[name].nunique() > 1]
    several = runs["seed"].nunique() > 1
    said = []
    for names, own in runs.groupby([*keys, "attack"]):
        *cell, attack = map(str, names)
        seeds = f" ({own[how].sum()} of {len(own)} seeds)" if several else ""
        said += [attack + " on " * bool(cell) + " ".join(cell) + seeds] if own[how].any() else []
    return ", ".join(said)
