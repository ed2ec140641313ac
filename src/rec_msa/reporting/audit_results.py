"""What an audit is made from, and its figures: each attack at each share of users known, gathered over seeds."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd

from rec_msa.attacks.references import FROM_QUERIES
from rec_msa.attacks.registry import STARTS
from rec_msa.attacks.settings import SOLVED_REFERENCES
from rec_msa.defenses.settings import NO_DEFENSE
from rec_msa.evaluation.intervals import interval_over_seeds
from rec_msa.evaluation.results import COLUMNS, PER_USER_COLUMNS
from rec_msa.evaluation.verdicts import SEEDS_FOR_A_VERDICT
from rec_msa.foundation.errors import DataError, SettingsError, nearest
from rec_msa.foundation.tables import require_table
from rec_msa.reporting.measured import Estimate, estimate, records
from rec_msa.reporting.names import REFERENCE_NAMES, TARGET

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Auxiliary = Literal["file", "left_out", "others", "split", "none"]
PROFILE_COLUMNS = ("dataset", "seed", "user", "n_interactions", "popularity_rank")
"""Of each attacker user: how many interactions they have, and the mean rank of their items, 1 the most popular."""
TARGET_FACTS = ("name", "kind", "n_users", "n_items", "n_interactions", "retrained", "repeats", "filled")
LOOKUPS = FROM_QUERIES
PLAIN_COPIES = (*SOLVED_REFERENCES, *LOOKUPS)
"""References that somebody could serve as a copy: models in closed form, and look-ups in the answers."""
_OF_OTHERS = ("auxiliary_popularity", *(name for name in SOLVED_REFERENCES if name.endswith("_joint")))
"""References that know other users' data."""
CEILING = "retrain"
POPULARITY = "popularity"
TEXTS: dict[str, Any] = tomllib.loads(files("rec_msa.reporting").joinpath("audit.toml").read_text(encoding="utf-8"))
"""What the page says in sentences."""
HEADLINE_SHARE = 0.05
"""The share of users known that the first sentence is about; the nearest one where it was not measured."""
_FAMILY = ["kind", "base", "clone", "auxiliary_fraction", "item_fraction", "ranking_loss", "positive_loss", "otherwise"]
_ASKED = ["query_fraction", "calls_per_user"]
_KEY = [*_FAMILY, *_ASKED, "attacker_fraction", "list_length", "defense", "rule", "strength", "fresh", "against"]
_COPIED = ("attack", "base", "kind", "query_fraction", "list_length", "k", "defense", "rule", "strength", "fresh")
"""What a point takes from its row as it is."""
_WHOLE = ("query_fraction", "auxiliary_fraction", "item_fraction")


@dataclass(frozen=True)
class AuditResults:
    """What an audit rests on: the results of one target, and what is known of its users.

    Attributes:
        agreement: ``rec_msa.evaluation.results.COLUMNS``, of one dataset and target.
        per_user: ``PER_USER_COLUMNS`` of the same; may lack rows, whose figures then keep the interval of their rows.
        profile: ``PROFILE_COLUMNS``; may be empty, and then it is not said whom it concerns most.
        auxiliary: Where auxiliary data came from: a file of other users, users left out of training, the target's other
            users in their place (which overstates), the half of the data that no target saw, or none.
        target: ``name``, ``kind`` (trained, recorded, callable, fitted), ``n_users``, ``n_items``, ``n_interactions``,
            ``retrained``: whether the ceiling was measured; ``repeats``: whether the same seed makes the same model,
            None where that was not tried; ``filled``: of the places of the lists the share that holds an item.
        seconds: What training each attack took, by its name in the results; a mean over seeds.
        keys: What an attack is called, by its name in the results; others are told by their base and how they differ.
        left_out: Parts of the grid that the budget left out, in words.
    """

    agreement: pd.DataFrame
    per_user: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(PER_USER_COLUMNS)))
    profile: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(PROFILE_COLUMNS)))
    auxiliary: Auxiliary = "none"
    target: Mapping[str, Any] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    left_out: Sequence[str] = ()

    def __post_init__(self) -> None:
        require_table("agreement", self.agreement, COLUMNS)
        require_table("agreement_per_user", self.per_user, PER_USER_COLUMNS)
        require_table("profile", self.profile, PROFILE_COLUMNS)
        if self.auxiliary not in get_args(Auxiliary):
            raise SettingsError(
                f"auxiliary: there is no {self.auxiliary!r}; {nearest(self.auxiliary, get_args(Auxiliary))}"
            )
        for name in TARGET_FACTS:
            if name not in self.target:
                raise DataError(f"audit: the target's {name!r} is missing; needed are {', '.join(TARGET_FACTS)}")
        cells = self.agreement[["dataset", "target"]].drop_duplicates()
        if len(cells) > 1:
            named = ", ".join(f"{row.dataset} {row.target}" for row in cells.itertuples())
            raise DataError(f"audit: made for one target, got {len(cells)} ({named}); choose one")


@dataclass(frozen=True)
class Point:
    """An attack or a reference at one share of users known, against the lists that the target would serve undefended.

    Attributes:
        method: What it is called here: its key, or its base, and what sets it apart from others of that.
        family: The same without how much was asked; the points of one curve share it.
        attack: Its name in the results.
        share: The share of the target's users that the attacker knows.
        calls: How many calls it makes, a mean over seeds.
        questions: Whether it asks anything.
        auxiliary: Whether it has auxiliary data.
        overstated: Whether these are the target's other users, which makes it look stronger than an outsider's.
        result: The agreement of held-out users.
    """

    method: str
    family: str
    attack: str
    base: str
    clone: str | None
    kind: str
    share: float
    query_fraction: float
    list_length: int
    k: int
    defense: str
    rule: str
    strength: int
    fresh: bool
    calls: float
    questions: bool
    auxiliary: bool
    overstated: bool
    minutes: float | None
    result: Estimate

    @property
    def value(self) -> float:
        """The agreement."""
        return self.result.value

    @property
    def is_attack(self) -> bool:
        """Whether it is an attack, not a reference."""
        return self.kind == "attack"

    @property
    def named(self) -> str:
        """What it is called, an attack as code."""
        return self.as_code(self.method)

    def as_code(self, name: str) -> str:
        """A name of it, an attack's as code."""
        return f"`{name}`" if self.is_attack else name

    @property
    def is_copy(self) -> bool:
        """Whether an attacker would have a copy: an attack, or what copies without being called one."""
        return self.is_attack or self.base in PLAIN_COPIES


@dataclass(frozen=True)
class Audited:
    """The figures of an audit, and those that stand out."""

    results: AuditResults

    def __post_init__(self) -> None:
        if not self.attacks:
            raise DataError("audit: there is no held-out row of an attack without a defense; run one first")

    @property
    def dataset(self) -> str:
        """The data set."""
        return str(self.results.agreement["dataset"].iloc[0])

    @property
    def name(self) -> str:
        """What the owner calls the target."""
        return str(self.results.target["name"])

    @cached_property
    def points(self) -> list[Point]:
        """Everything that was measured on held-out users against undefended lists, the best first."""
        rows = _whole_lists(self.results.agreement)
        if self.results.auxiliary == "none":
            rows = rows[~rows["base"].isin(_OF_OTHERS)]  # they were made of no data, and say what others say
        several = rows[rows["kind"] == "attack"].groupby("base")["clone"].nunique() > 1
        losses = rows.assign(both=rows["ranking_loss"] + rows["positive_loss"]).groupby("base")["both"].nunique() > 1
        unusual = {name: set(found.index[found]) for name, found in (("clone", several), ("losses", losses))}
        found = _with_intervals(rows, self._users)
        made = [self._point(row, one, unusual) for row, one in found]
        return sorted(made, key=lambda point: (-point.value, point.attack))

    @cached_property
    def _users(self) -> pd.DataFrame:
        return _whole_lists(self.results.per_user)

    def _point(self, row: Mapping[str, Any], one: Estimate, unusual: Mapping[str, set[str]]) -> Point:
        family, asked = _family(row, unusual, self.results.keys.get(row["attack"])), _asked(row)
        seconds = self.results.seconds.get(row["attack"])
        method = ", ".join([family, *asked]) if asked else family
        copied = {name: row[name] for name in _COPIED}
        auxiliary = row["auxiliary_fraction"] >= 0 or row["base"] in _OF_OTHERS
        return Point(
            **copied,
            method=method,
            family=family,
            clone=row["clone"] or None,
            share=float(row["attacker_fraction"]),
            calls=float(row["n_queries"]),
            questions=row["n_queries"] > 0,
            auxiliary=auxiliary,
            overstated=auxiliary and self.overstates,
            minutes=None if seconds is None else seconds / 60,
            result=one,
        )

    @cached_property
    def list_length(self) -> int:
        """The length of list that most was measured at; the longest of several."""
        lengths = [point.list_length for point in self.points if point.is_attack and point.rule == NO_DEFENSE]
        return max(set(lengths), key=lambda length: (lengths.count(length), length), default=0)

    @cached_property
    def undefended(self) -> list[Point]:
        """Attacks and references without a defense, at the usual length of lists."""
        return [one for one in self.points if one.rule == NO_DEFENSE and one.list_length == self.list_length]

    @cached_property
    def attacks(self) -> list[Point]:
        """The attacks among them, the best first."""
        return [one for one in self.undefended if one.is_attack]

    @cached_property
    def fair_attacks(self) -> list[Point]:
        """Those that do not overstate: none that use the target's other users, if there are any."""
        return self._fair(self.attacks)

    @cached_property
    def copies(self) -> list[Point]:
        """Attacks, and plain models and look-ups that copy as well as they can, the best first."""
        return [one for one in self.undefended if one.is_copy]

    @cached_property
    def fair_copies(self) -> list[Point]:
        """Those that the first sentence may speak of."""
        return self._fair(self.copies)

    def _fair(self, points: list[Point]) -> list[Point]:
        plain = [one for one in points if not one.auxiliary]
        return plain if self.overstates and any(one.is_attack for one in plain) else points

    @property
    def overstates(self) -> bool:
        """Whether what stands in as auxiliary data makes attacks look stronger than they are."""
        return self.results.auxiliary == "others"

    @property
    def worst(self) -> Point:
        """What copies most of all, by its mean agreement."""
        return self.copies[0]

    @cached_property
    def shares(self) -> list[float]:
        """The shares of users known, of which an attack was measured."""
        return sorted({one.share for one in self.attacks})

    @cached_property
    def share(self) -> float:
        """The share that the first sentence is about."""
        return min({one.share for one in self.fair_attacks}, key=lambda share: (abs(share - HEADLINE_SHARE), share))

    @cached_property
    def best(self) -> Point:
        """What copies most at that share, of all with as many seeds as an attack has: a budget may leave some few."""
        most = max(len(one.result.seeds) for one in self.fair_attacks if one.share == self.share)
        own = [one for one in self.fair_copies if one.share == self.share]
        return next(one for one in own if len(one.result.seeds) >= most)

    def reference(self, base: str, share: float | None = None) -> Point | None:
        """Returns a reference at a share, that of the first sentence if none is named; any share's where that lacks."""
        own = [one for one in self.undefended if one.kind == "reference" and one.base == base]
        own = sorted(own, key=lambda one: (one.share != (share or self.share), -one.query_fraction))
        return own[0] if own else None

    @cached_property
    def references(self) -> list[Point]:
        """All references at the share of the first sentence, the best first."""
        bases = dict.fromkeys(one.base for one in self.undefended if one.kind == "reference")
        found = [self.reference(base) for base in bases]
        return sorted((one for one in found if one), key=lambda one: -one.value)

    @property
    def popularity(self) -> Point | None:
        """Popularity among the users that are known at that share; None where it was not measured there."""
        found = self.reference(POPULARITY)
        return found if found and found.share == self.share else None

    @property
    def ceiling(self) -> Point | None:
        """The target trained once more; None where it was not."""
        return self.reference(CEILING)

    @property
    def lookup(self) -> Point | None:
        """The best of what needs the answers and no clone."""
        return next((one for one in self.references if one.base in LOOKUPS), None)

    def curve(self, *, asks: bool, auxiliary: bool) -> list[Point]:
        """Returns what copies with such knowledge, has most shares and agrees most over them, by share."""
        own = [one for one in self.copies if (one.questions, one.auxiliary) == (asks, auxiliary)]
        families = {family: _most_asked(own, family) for family in dict.fromkeys(one.family for one in own)}
        scores = {family: (len(found), np.mean([one.value for one in found])) for family, found in families.items()}
        return families[max(scores, key=lambda family: scores[family])] if families else []

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        """Every seed."""
        return tuple(sorted({seed for one in self.attacks for seed in one.result.seeds}))

    @property
    def by_users(self) -> bool:
        """Whether intervals are those over users: there are too few seeds for one over seeds."""
        return len(self.seeds) < SEEDS_FOR_A_VERDICT

    @cached_property
    def kept(self) -> dict[str, Estimate]:
        """How much of the target's own lists is served under each defense, as far as it is known."""
        rows = self.results.agreement
        own = rows[(rows["kind"] == TARGET) & (rows["against"] == "served") & (rows["group"] == "heldout")]
        own = _longest(own[own["list_length"] == self.list_length]).drop_duplicates(["defense", "seed"])
        return {defense: estimate(part) for (defense,), part in records(own, ["defense"]).items()}

    def users_of(self, point: Point) -> pd.DataFrame:
        """Returns the agreement of each held-out user: columns seed, user, agreement; empty where it is not known."""
        rows = self._users
        own = rows[(rows["attack"] == point.attack) & (rows["defense"] == point.defense) & (rows["k"] == point.k)]
        own = own[(own["attacker_fraction"] == point.share) & (own["query_fraction"] == point.query_fraction)]
        return own[["seed", "user", "agreement"]]


def told(key: str, **values: Any) -> str:
    """Returns a sentence of the page, with its values."""
    return str(TEXTS[key]).format(**values)


def reference_name(base: str) -> str:
    """Returns what an owner calls a reference."""
    return str(TEXTS["references"].get(base) or REFERENCE_NAMES.get(base, base))


def start_of(point: Point, among: Sequence[Point]) -> Point | None:
    """Returns the attack without queries that one with queries begins as, at the same share; None where it has none."""
    start = STARTS.get(point.base)
    found = [one for one in among if one.base == start and (one.share, one.clone) == (point.share, point.clone)]
    return found[0] if found else None


def _most_asked(own: Sequence[Point], family: str) -> list[Point]:
    """The points of a family by share, of several the one that asks most."""
    found: dict[float, Point] = {}
    for one in sorted(own, key=lambda one: (one.share, one.calls)):
        if one.family == family:
            found[one.share] = one
    return list(found.values())


def _family(row: Mapping[str, Any], unusual: Mapping[str, set[str]], key: str | None) -> str:
    """What a method is called, without how much it asks."""
    if row["kind"] != "attack":
        return reference_name(row["base"])
    notes = [f"clone {row['clone']}"] * (row["base"] in unusual["clone"] and row["clone"] != row["target"])
    notes += [f"{row['ranking_loss']}+{row['positive_loss']}"] * (row["base"] in unusual["losses"])
    for fact, of in (("auxiliary_fraction", "auxiliary users"), ("item_fraction", "items")):
        notes += [f"{100 * row[fact]:g} % of {of}"] * (0 <= row[fact] < 1)
    notes += [row["otherwise"]] * bool(row["otherwise"] and not key)
    return ", ".join([key or row["base"], *notes])


def _asked(row: Mapping[str, Any]) -> list[str]:
    """How much is asked, as far as it is not everybody once."""
    notes = [f"{100 * row['query_fraction']:g} % asked"] * (0 <= row["query_fraction"] < 1)
    return notes + [f"{row['calls_per_user']} calls a user"] * (row["calls_per_user"] > 1)


def _whole_lists(table: pd.DataFrame) -> pd.DataFrame:
    """The held-out rows of whole lists against undefended ones, with keys that compare."""
    rows = table[(table["group"] == "heldout") & (table["against"] == "undefended") & (table["kind"] != TARGET)]
    texts = [name for name in _KEY if name in ("kind", "base", "clone", "otherwise", "ranking_loss", "positive_loss")]
    rows = rows.assign(**{name: rows[name].astype(object).where(rows[name].notna(), "") for name in texts})
    asks_nothing = (rows["kind"] == "reference") & ~rows["base"].isin(LOOKUPS)
    rows = rows.assign(query_fraction=rows["query_fraction"].mask(asks_nothing, 1.0))
    numbers = {name: pd.to_numeric(rows[name]).astype("Float64").fillna(-1).astype(float) for name in _WHOLE}
    calls = pd.to_numeric(rows["calls_per_user"]).astype("Int64").fillna(0).astype(int)
    return _longest(rows.assign(**numbers, calls_per_user=calls))


def _longest(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows at the whole length of the list."""
    whole = rows.groupby(["attack", "defense", "seed", "list_length"])["k"].transform("max")
    return rows[rows["k"] == whole]


def _with_intervals(rows: pd.DataFrame, per_user: pd.DataFrame) -> list[tuple[dict[Any, Any], Estimate]]:
    """Each figure with its facts: over few seeds its interval is over users, where they are known."""
    once = rows.sort_values("attack", key=lambda names: names.str.len()).drop_duplicates([*_KEY, "seed"])
    groups = once.groupby(_KEY, sort=False)
    first = groups.head(1).assign(n_queries=groups["n_queries"].mean().to_numpy(), place=range(groups.ngroups))
    found: list[tuple[dict[Any, Any], Estimate]]
    found = list(
        zip(map(dict, first.to_dict("records")), (estimate(part.to_dict("records")) for _, part in groups), strict=True)
    )
    places = pd.DataFrame([facts for facts, _ in found], columns=["place", "attack", *_KEY])
    users = per_user.drop_duplicates([*_KEY, "seed", "user"]).merge(places.drop(columns="attack"), on=_KEY)
    few = [(facts["place"], one) for facts, one in found if len(one.seeds) < SEEDS_FOR_A_VERDICT]
    over_users = dict(_over_users(few, users))
    return [(facts, over_users.get(facts["place"], one)) for facts, one in found]


def _over_users(few: Sequence[tuple[int, Estimate]], users: pd.DataFrame) -> list[tuple[int, Estimate]]:
    """The figures of few seeds with intervals over their users, drawn together for those of the same seeds."""
    made: list[tuple[int, Estimate]] = []
    for seeds in dict.fromkeys(one.seeds for _, one in few):
        own = {place: one for place, one in few if one.seeds == seeds}
        rows = users[users["place"].isin(own)]
        tables = [rows[rows["seed"] == seed].pivot(index="user", columns="place", values="agreement") for seed in seeds]
        whole = [place for place in own if all(place in table and table[place].notna().all() for table in tables)]
        if whole:
            low, high = interval_over_seeds([table[whole].to_numpy(float) for table in tables], seeds)
            for place, *two in zip(whole, low.tolist(), high.tolist(), strict=True):
                made.append((place, replace(own[place], low=two[0], high=two[1], by_users=True)))
    return made


def profile_of(interactions: pd.DataFrame, users: Sequence[int], dataset: str, seed: int) -> pd.DataFrame:
    """Returns ``PROFILE_COLUMNS`` of some users.

    Args:
        interactions: The target's training interactions (columns user, item): what is popular is counted in all of
            them, since it is the owner who reads it.
    """
    pairs = interactions[["user", "item"]].drop_duplicates()
    rank = pairs["item"].value_counts().rank(ascending=False, method="min")
    own = pairs[pairs["user"].isin(users)]
    by = own.assign(rank=own["item"].map(rank)).groupby("user")["rank"].agg(["size", "mean"]).reset_index()
    by = by.rename(columns={"size": "n_interactions", "mean": "popularity_rank"})
    return by.assign(dataset=dataset, seed=seed)[list(PROFILE_COLUMNS)]
