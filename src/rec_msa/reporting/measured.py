"""What was measured: the tables behind a report, figures gathered over seeds, and what steal stages learnt."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from rec_msa.attacks.registry import STARTS
from rec_msa.defenses.settings import NO_DEFENSE
from rec_msa.evaluation.intervals import seed_interval
from rec_msa.evaluation.results import COLUMNS, PER_USER_COLUMNS, STEPS, unlabelled, with_label
from rec_msa.foundation.tables import require_table
from rec_msa.interactions.known import KNOWN
from rec_msa.reporting.axes import K, once, own_clones, table_rows, undefended
from rec_msa.reporting.names import DATASETS, span

if TYPE_CHECKING:
    from collections.abc import Sequence

ATTACK = ["dataset", "target", "defense", "attack"]
_QUALITY = ["dataset", "target", "seed", "defense", "rule", "k", "recall_test", "ndcg_test", "recall_served"]
_QUALITY += ["ndcg_served", "recall_test_at_10", "ndcg_test_at_10"]


@dataclass(frozen=True)
class Estimate:
    """A figure over seeds: the mean over users, and over seeds where there are several, with its 95 % interval.

    The interval is Student's t over seeds, of a single seed the bootstrap over users. ``n_users`` are those of a seed,
    ``sd`` is over seeds; ``learnt_nothing`` counts the seeds that kept the state before their steal stage; ``by_users``
    says that the interval is the bootstrap over users although there are several seeds.
    """

    value: float
    low: float
    high: float
    seeds: tuple[int, ...]
    n_users: tuple[int, ...]
    sd: float = float("nan")
    learnt_nothing: int = 0
    by_users: bool = False


@dataclass(frozen=True)
class Measured:
    """What a report is made from; runs with a label have other settings, and are left out.

    Attributes:
        agreement: ``rec_msa.evaluation.results.COLUMNS``, of any number of cells.
        quality: A row for each target under a defense: dataset, target, seed, defense, k, recall_test ...
        per_user: Agreement of each user, ``PER_USER_COLUMNS``.
        statistics: A row for each dataset: dataset, users, items, interactions, density.
        journal: A row for each run; it may lack columns and rows.
        raw_files: A row for each dataset whose raw file is known: dataset, sha256, known (whether it is the original).
    """

    agreement: pd.DataFrame
    quality: pd.DataFrame
    per_user: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(PER_USER_COLUMNS)))
    statistics: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["dataset"]))
    journal: pd.DataFrame = field(default_factory=pd.DataFrame)
    raw_files: pd.DataFrame = field(default_factory=pd.DataFrame)

    def __post_init__(self) -> None:
        for name in ("agreement", "per_user", "quality"):
            object.__setattr__(self, name, unlabelled(with_label(getattr(self, name))))
        require_table("agreement", self.agreement, COLUMNS)
        require_table("agreement_per_user", self.per_user, PER_USER_COLUMNS)
        absent = [name for name in _QUALITY if name not in self.quality.columns]
        object.__setattr__(self, "quality", self.quality.assign(**dict.fromkeys(absent)))

    @cached_property
    def plain(self) -> pd.DataFrame:
        """The rows at 50 items without a defense, of clones of the target's architecture; ``target`` itself not."""
        shown = undefended(own_clones(self.agreement))
        return shown[shown["k"] == K]

    @cached_property
    def table_rows(self) -> pd.DataFrame:
        """The rows of tables 4 and 5."""
        return table_rows(self.agreement)

    @property
    def undefended_quality(self) -> pd.DataFrame:
        """The quality at 50 items of targets without a defense."""
        return self.quality[(self.quality["rule"] == NO_DEFENSE) & (self.quality["k"] == K)]

    @property
    def not_original(self) -> dict[str, str]:
        """The checksums of raw files that go by the name of a public data set and are not its known original."""
        found = self.raw_files.reindex(columns=["dataset", "sha256", "known"])
        others = found[found["dataset"].isin(KNOWN) & (found["known"] == False)]  # noqa: E712 - absent says nothing
        return dict(zip(others["dataset"], others["sha256"].astype(str), strict=True))


def estimate(table: pd.DataFrame) -> Estimate:
    """Gathers one figure from a row for each seed."""
    nothing = int((table["kept_step"] == 0).sum()) if "kept_step" in table else 0
    ordered = table.sort_values("seed")
    seeds, n_users = (tuple(int(value) for value in ordered[name]) for name in ("seed", "n_users"))
    if len(seeds) == 1:
        value, low, high = (float(ordered[name].iloc[0]) for name in ("agreement", "ci_low", "ci_high"))
        return Estimate(value, low, high, seeds, n_users, learnt_nothing=nothing)
    over = seed_interval(ordered["agreement"].to_numpy())
    return Estimate(over.mean, over.low, over.high, seeds, n_users, over.sd, nothing)


def estimates(rows: pd.DataFrame, group: str = "heldout", keys: Sequence[str] = ("target", "attack")) -> dict[Any, Any]:
    """Gathers an ``Estimate`` for each dataset and ``keys`` of rows of one k and side."""
    own = rows[rows["group"] == group]
    return {tuple(map(_plain, key)): estimate(part) for key, part in own.groupby(["dataset", *keys])}


def as_columns(ours: Estimate | None) -> dict[str, Any]:
    """Returns a figure as plain columns; NaN and nothing where it is missing."""
    if ours is None:
        return {**dict.fromkeys(("ours", "sd", "ci_low", "ci_high"), float("nan")), "seeds": "", "n_users": ""}
    figures = {"ours": ours.value, "sd": ours.sd, "ci_low": ours.low, "ci_high": ours.high}
    return {**figures, "seeds": " ".join(map(str, ours.seeds)), "n_users": span(ours.n_users)}


def seeds_and_users(found: Sequence[Estimate]) -> tuple[tuple[int, ...], list[int]]:
    """Returns the seeds behind some figures, ascending, and how many users they had."""
    return tuple(sorted({seed for one in found for seed in one.seeds})), [n for one in found for n in one.n_users]


def interval_kinds(found: Sequence[Estimate]) -> str:
    """Names the intervals of some figures, at least one, as ``t over seeds``."""
    if all(one.by_users for one in found):
        return "bootstrap over users"
    counts = [len(one.seeds) for one in found]
    kinds = ["t over seeds"] * (max(counts) > 1)
    kinds += ["bootstrap over users" + " of a single seed" * (max(counts) > 1)] * (min(counts) == 1)
    return ", ".join(kinds)


def datasets_of(rows: pd.DataFrame, of_paper: Sequence[str] = DATASETS) -> list[str]:
    """Returns the paper's datasets in its order, then others that were measured."""
    return [*of_paper, *sorted(set(rows["dataset"]) - set(of_paper))]


def steal_runs(agreement: pd.DataFrame) -> pd.DataFrame:
    """Returns a row for each steal stage whose steps are known: if it learnt ``nothing``, or ended ``at_limit``."""
    runs = agreement.reindex(columns=[*ATTACK, "clone", "seed", *STEPS]).dropna(subset=list(STEPS)).drop_duplicates()
    return runs.assign(nothing=runs["kept_step"] == 0, at_limit=runs["steps"] >= runs["step_limit"])


def is_unrecorded(agreement: pd.DataFrame) -> pd.Series:
    """Returns which rows are of attacks with queries whose steps are not known: of the stage before they were noted."""
    return agreement["calls_per_user"].notna() & agreement.reindex(columns=list(STEPS)).isna().any(axis=1)


def gains(agreement: pd.DataFrame) -> pd.DataFrame:
    """Returns the ``gain`` of each attack, group and seed: how much more it agrees than the one that it starts from.

    What counts are undefended lists at full length; an attack starts from the one without queries of its own settings.
    """
    own = agreement[agreement["against"] == "undefended"]
    own = own[own["k"] == own.groupby([*ATTACK, "clone", "seed"], dropna=False)["k"].transform("max")]
    known = ["attacker_fraction", "auxiliary_fraction", "item_fraction", "list_length"]
    keys = ["dataset", "target", "defense", "clone", "seed", "group", "k", "n_users", *known]
    before = once(own, *known)[[*keys, "base", "agreement"]].rename(columns={"base": "start", "agreement": "before"})
    asking = own[own["base"].isin(STARTS)]
    both = asking.assign(start=asking["base"].map(STARTS)).merge(before, on=[*keys, "start"])
    return both.assign(gain=both["agreement"] - both["before"])[[*ATTACK, "base", "clone", "seed", "group", "gain"]]


def remarks(agreement: pd.DataFrame) -> list[str]:
    """Returns a line on attacks that learnt nothing from the answers and one on those that ended at their limit."""
    runs = steal_runs(agreement)
    nothing, at_limit = (_named(runs, how) for how in ("nothing", "at_limit"))
    lines = [f"Learnt nothing from the answers, the start was kept: {nothing}."] if nothing else []
    return lines + ([f"Ended at the limit of steps, perhaps too early: {at_limit}."] if at_limit else [])


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


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else int(value)
