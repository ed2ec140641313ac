"""What was measured: the tables behind a report, figures gathered over seeds, and what steal stages learnt."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import hypot
from typing import TYPE_CHECKING, Any

import pandas as pd

from rec_msa.attacks.registry import STARTS
from rec_msa.defenses.settings import NO_DEFENSE
from rec_msa.evaluation.intervals import seed_interval
from rec_msa.evaluation.results import COLUMNS, COST_KEY, PER_USER_COLUMNS, STEPS, unlabelled, with_label
from rec_msa.evaluation.verdicts import SEEDS_FOR_A_VERDICT
from rec_msa.foundation.tables import require_table
from rec_msa.interactions.known import KNOWN
from rec_msa.reporting.axes import AXES, K, is_usual, once, own_clones, own_names, points_of, table_rows, undefended
from rec_msa.reporting.names import DATASETS, span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rec_msa.reporting.axes import Axis

MIXING = "popular_mixing"
ATTACK = ["dataset", "target", "defense", "attack"]
FIGURES = ["seed", "agreement", "ci_low", "ci_high", "n_users", "kept_step"]
_QUALITY = ["dataset", "target", "seed", "defense", "rule", "k", "recall_test", "ndcg_test", "recall_served"]
_QUALITY += ["ndcg_served", "recall_test_at_10", "ndcg_test_at_10"]


@dataclass(frozen=True)
class Estimate:
    """A figure over seeds: the mean over users, and over seeds where there are several, with its 95 % interval.

    The interval is Student's t over seeds, of fewer than five seeds the bootstrap over users, given their models.
    ``n_users`` are those of a seed, ``sd`` is over seeds; ``learnt_nothing`` counts the seeds that kept the state
    before their steal stage; ``by_users`` says that the interval is the bootstrap over users however many seeds there
    are.
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
        costs: Processor seconds of each attack, where they were noted: label, dataset, target, clone, attack, defense,
            seed, seconds.
        raw_files: A row for each dataset whose raw file is known: dataset, sha256, known (whether it is the original).
    """

    agreement: pd.DataFrame
    quality: pd.DataFrame
    per_user: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(PER_USER_COLUMNS)))
    statistics: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["dataset"]))
    journal: pd.DataFrame = field(default_factory=pd.DataFrame)
    raw_files: pd.DataFrame = field(default_factory=pd.DataFrame)
    costs: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=[*COST_KEY, "seconds"]))

    def __post_init__(self) -> None:
        for name in ("agreement", "per_user", "quality", "costs"):
            object.__setattr__(self, name, unlabelled(with_label(getattr(self, name))))
        require_table("agreement", self.agreement, COLUMNS)
        require_table("agreement_per_user", self.per_user, PER_USER_COLUMNS)
        absent = [name for name in _QUALITY if name not in self.quality.columns]
        object.__setattr__(self, "quality", self.quality.assign(**dict.fromkeys(absent, float("nan"))))

    @cached_property
    def plain(self) -> pd.DataFrame:
        """The rows at 50 items without a defense, of clones of the target's architecture; ``target`` itself not."""
        return _plain(self.agreement)

    @cached_property
    def points(self) -> dict[Axis, pd.DataFrame]:
        """The points of each axis."""
        return {axis: points_of(self.agreement, axis) for axis in AXES}

    @cached_property
    def mixed(self) -> pd.DataFrame:
        """Agreement of held-out users at 50 items under popular mixing and without."""
        own = own_clones(self.agreement)
        return mixing(own_names(own[is_usual(own) & (own["group"] == "heldout") & (own["k"] == K)]))

    @cached_property
    def plain_per_user(self) -> pd.DataFrame:
        """The same of each user."""
        return _plain(self.per_user)

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


def mixing(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows of popular mixing and without a defense, of cells that have both."""
    mixing = (rows["rule"] == MIXING) & (rows["strength"] > 0) & ~rows["fresh"].astype(bool)
    own = rows[mixing | (rows["rule"] == NO_DEFENSE)]
    strengths = own.groupby(["dataset", "target", "seed"])["strength"]
    both: pd.DataFrame = own[(strengths.transform("min") == 0) & (strengths.transform("max") > 0)]
    return both


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    shown = undefended(own_clones(table))
    return shown[shown["k"] == K]


def estimates(rows: pd.DataFrame, group: str = "heldout", keys: Sequence[str] = ("target", "attack")) -> dict[Any, Any]:
    """Gathers an ``Estimate`` for each dataset and ``keys`` of rows of one k and side."""
    keys = ["dataset", *keys]
    parts = records(rows.loc[rows["group"] == group, [*keys, *FIGURES]], keys)
    return {key: estimate(part) for key, part in parts.items()}


def records(table: pd.DataFrame, keys: Sequence[str]) -> dict[tuple[Any, ...], list[Mapping[Any, Any]]]:
    """Returns the rows of each value of ``keys``, sorted by these: a frame for each would cost far more."""
    found: dict[tuple[Any, ...], list[Mapping[Any, Any]]] = {}
    for row in table.to_dict("records"):
        found.setdefault(tuple(row[name] for name in keys), []).append(row)
    return {key: found[key] for key in sorted(found)}


def estimate(rows: Sequence[Mapping[Any, Any]]) -> Estimate:
    """Gathers one figure from ``FIGURES``, a row for each seed."""
    ordered = sorted(rows, key=lambda row: row["seed"])
    seeds, values, low, high, n_users, kept = (tuple(row[name] for row in ordered) for name in FIGURES)
    over, nothing = seed_interval(values), sum(pd.notna(step) and step == 0 for step in kept)
    if len(seeds) == 1:
        return Estimate(over.mean, low[0], high[0], seeds, n_users, learnt_nothing=nothing)
    ends = over.low, over.high
    if len(seeds) < SEEDS_FOR_A_VERDICT:  # too few for Student's t, whose interval of two may leave [0, 1]
        ends = over.mean - _joint(values, low), over.mean + _joint(values, high)
    return Estimate(over.mean, *ends, seeds, n_users, over.sd, nothing)


def apart(one: Estimate, other: Estimate) -> bool:
    """Returns whether two intervals do not overlap, so that an order may be claimed."""
    return one.low > other.high or other.low > one.high


def _joint(values: Sequence[float], ends: Sequence[float]) -> float:
    """How far an interval of a mean over seeds reaches, by that of each seed: they have different users."""
    return hypot(*(value - end for value, end in zip(values, ends, strict=True))) / len(values)


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
    few = [len(one.seeds) for one in found if one.by_users or len(one.seeds) < SEEDS_FOR_A_VERDICT]
    whose = " of a single seed" if few and max(few) == 1 else f" of fewer than {SEEDS_FOR_A_VERDICT} seeds"
    both = len(few) < len(found)
    return ", ".join(["t over seeds"] * both + ["bootstrap over users" + whose * both] * bool(few))


def datasets_of(rows: pd.DataFrame, of_paper: Sequence[str] = DATASETS) -> list[str]:
    """Returns the paper's datasets in its order, then others that were measured."""
    return [*of_paper, *sorted(set(rows["dataset"]) - set(of_paper))]


def steal_runs(agreement: pd.DataFrame) -> pd.DataFrame:
    """Returns a row for each steal stage whose steps are known: if it learnt ``nothing``, or ended ``at_limit``."""
    runs = agreement.reindex(columns=[*ATTACK, "clone", "seed", *STEPS]).dropna(subset=list(STEPS)).drop_duplicates()
    return runs.assign(nothing=runs["kept_step"] == 0, at_limit=runs["steps"] >= runs["step_limit"])


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
