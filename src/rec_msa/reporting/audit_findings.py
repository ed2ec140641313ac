"""What an audit comes to: its first sentence, what stands out, what defenses buy, whom it concerns, what it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rec_msa.defenses.settings import NO_DEFENSE
from rec_msa.evaluation.intervals import bootstrap_interval
from rec_msa.interactions.splits import count
from rec_msa.reporting.audit_results import POPULARITY, TEXTS, Audited, Point, start_of, told
from rec_msa.reporting.measured import Estimate, apart

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PROFILES = {"n_interactions": "interactions", "popularity_rank": "mean rank of their items"}
"""What users are told apart by."""
FEW_USERS = 20
"""The fewest held-out users whose bootstrap is not called a hint."""
NEARLY_FULL = 0.99
"""Of the places of lists the share that holds an item, from which on nothing is said of those that do not."""
_PARTS, _LEAST = 4, 5
"""Quarters of the users, halves where a quarter would have fewer."""


def of100(value: float) -> int:
    """Returns a share as so many of 100."""
    return round(100 * value)


def percent(share: float) -> str:
    """Returns ``5 %``."""
    return f"{100 * share:.3g} %"


def more(one: Point, other: Point) -> int:
    """Returns how much more of 100 items one copies, as the rounded figures say that stand beside it."""
    return of100(one.value) - of100(other.value)


def who(best: Point) -> str:
    """Returns what the attacker has: some users, perhaps data of others, perhaps answers."""
    said = [told("who_knows", share=percent(best.share))]
    said += [TEXTS["who_has"]] * best.auxiliary
    said += [told("who_asks", calls=f"{best.calls:,.0f}")] * best.questions
    return " and ".join(filter(None, [", ".join(said[:-1]), said[-1]]))


def headline(audited: Audited) -> str:
    """Returns the first sentence: what somebody who knows a few users copies, beside popularity."""
    best, popular = audited.best, audited.popularity
    said = {"who": who(best), "copied": of100(best.value)}
    if popular is None:
        return told("headline_alone", **said)
    return told(_against("headline", best, popular), **said, popularity=of100(popular.value))


def _against(key: str, one: Point, other: Point) -> str:
    """The sentence for one that is above another, level with it as far as is shown, or below."""
    if not apart(one.result, other.result):
        return f"{key}_level"
    return key if one.value > other.value else f"{key}_below"


def caveat(audited: Audited) -> str:
    """Returns what other users make of it who stand in as auxiliary data, and that there are few users."""
    said, n_users = [], sum(audited.best.result.n_users)
    overstated = [one for one in audited.copies if one.share == audited.share and one.auxiliary]
    if audited.overstates and overstated and overstated[0].value >= audited.best.value:
        key = "lead_only_others" if audited.best.auxiliary else "lead_others"
        said.append(told(key, copied=of100(overstated[0].value)))
    if (filled := audited.results.target["filled"]) < NEARLY_FULL:
        said.append(told("lead_short", most=of100(filled), part=of100(min(1.0, audited.best.value / filled))))
    if n_users < FEW_USERS:
        said.append(told("lead_few", n=n_users))
    return " ".join(said)


def findings(audited: Audited) -> list[str]:
    """Returns what stands out, a sentence each; no order is claimed where intervals overlap."""
    parts: Sequence[Callable[[Audited], str]]
    parts = (_beyond_popularity, _beyond_lookup, _questions, _auxiliary, _more_known, _ceiling, _floor, _most)
    return [said for said in (part(audited) for part in parts) if said]


def _beyond_popularity(audited: Audited) -> str:
    best, popular = audited.best, audited.popularity
    if popular is None:
        return ""
    said = {"share": percent(best.share), "method": best.named, "more": more(best, popular)}
    return told(_against("beyond", best, popular), **said, less=more(popular, best))


def _beyond_lookup(audited: Audited) -> str:
    lookup, asking = audited.lookup, _first(audited.fair_attacks, audited.share, asks=True)
    if lookup is None or asking is None or lookup.share != asking.share:
        return ""
    return _two("lookup", asking, lookup, lookup=lookup.method)


def _questions(audited: Audited) -> str:
    asking, quiet = (_first(audited.fair_copies, audited.share, asks=asks) for asks in (True, False))
    return _two("questions", asking, quiet, share=percent(audited.share))


def _auxiliary(audited: Audited) -> str:
    at = [one for one in audited.copies if one.share == audited.share]
    having, lacking = (next((one for one in at if one.auxiliary == has), None) for has in (True, False))
    source = TEXTS["sources"].get(audited.results.auxiliary, "")
    return _two("auxiliary", having, lacking, source=source, share=percent(audited.share))


def _two(key: str, one: Point | None, other: Point | None, **said: str) -> str:
    """What two points copy, and whether their intervals set them apart; nothing where one is not there."""
    if one is None or other is None:
        return ""
    order = TEXTS["differ" if apart(one.result, other.result) else "overlap"]
    return told(key, first=of100(one.value), second=of100(other.value), said=order, **said)


def _more_known(audited: Audited) -> str:
    own = [one for one in audited.fair_copies if one.method == audited.best.method]
    points = sorted(own, key=lambda one: one.share)
    if len(points) < 2:  # noqa: PLR2004 - a way has two ends
        return ""
    first, last = points[0], points[-1]
    said = {"first": percent(first.share), "last": percent(last.share), "method": first.named}
    key = "known" if apart(first.result, last.result) else "known_level"
    return told(key, **said, low=of100(first.value), high=of100(last.value))


def _ceiling(audited: Audited) -> str:
    ceiling, best = audited.ceiling, audited.best
    if ceiling is None or not ceiling.value:
        return ""
    said = {"ceiling": of100(ceiling.value), "share": percent(best.share)}
    return told("ceiling", **said, part=of100(best.value / ceiling.value))


def _floor(audited: Audited) -> str:
    bought = defenses_bought(audited)
    quiet = bought[0].asks_nothing if bought else None
    return "" if quiet is None else told("floor", quiet=of100(quiet.value), share=percent(quiet.share))


def _most(audited: Audited) -> str:
    worst = audited.worst
    overstated = TEXTS["most_overstated"] if worst.auxiliary and audited.overstates else ""
    said = {"copied": of100(worst.value), "method": worst.named, "share": percent(worst.share)}
    return told("most", **said, overstated=overstated)


def _first(points: Sequence[Point], share: float, *, asks: bool) -> Point | None:
    return next((one for one in points if one.share == share and one.questions == asks), None)


@dataclass(frozen=True)
class Bought:
    """What a defense buys, and what it costs.

    Attributes:
        defense: Its name, with the strength.
        kind: What it does, in words without the strength.
        kept: How much of the target's own lists is still served; None where it is not known.
        before: The best copy that asks, without the defense.
        after: The best copy that asks, under it: attackers may choose another then.
        asks_nothing: The best copy that asks nothing; None where none was measured.
    """

    defense: str
    kind: str
    strength: int
    kept: Estimate | None
    before: Point
    after: Point
    asks_nothing: Point | None

    @property
    def left(self) -> Point:
        """What an attacker is left with: the better of asking under it and of asking nothing."""
        return self._or_quiet(self.after)

    @property
    def without(self) -> Point:
        """What an attacker has without it: the better of asking and of asking nothing."""
        return self._or_quiet(self.before)

    def _or_quiet(self, asking: Point) -> Point:
        quiet = self.asks_nothing
        return quiet if quiet and quiet.value > asking.value else asking

    @property
    def own_lists_kept(self) -> float | None:
        """The share of the target's own lists that is still served."""
        return self.kept.value if self.kept else None

    @property
    def hides(self) -> bool:
        """Whether less is copied under it, and the intervals do not overlap."""
        return apart(self.without.result, self.left.result) and self.left.value < self.without.value

    @property
    def said(self) -> str:
        """The same in words."""
        gone = more(self.without, self.left)
        if self.hides:
            return f"hides {gone} of 100"
        return f"{-gone} of 100 more" if apart(self.without.result, self.left.result) else "nothing shown"


def defenses_bought(audited: Audited) -> list[Bought]:
    """Returns each defense with the copies that were measured both with and without it, the weakest first."""
    usual = [one for one in audited.points if one.is_copy and one.list_length == audited.list_length]
    fair = [one for one in usual if not (audited.overstates and one.auxiliary)]
    silent = [one for one in audited.fair_copies if not one.questions]
    found = []
    for defense in dict.fromkeys(one.defense for one in fair if one.rule != NO_DEFENSE):
        under = [one for one in fair if one.defense == defense and one.questions]
        both = {(one.method, one.share) for one in under}
        open_ = [one for one in fair if one.rule == NO_DEFENSE]
        before = [one for one in open_ if (one.method, one.share) in both]
        if under and before:
            share = min({one.share for one in before}, key=lambda share: abs(share - audited.share))
            at = [[one for one in points if one.share == share] for points in (before, under, silent)]
            quiet = next(iter(at[2]), None)
            rule = at[1][0].rule.replace("_", " ") + ", drawn anew" * at[1][0].fresh
            how = (rule, at[1][0].strength, audited.kept.get(defense))
            found.append(Bought(defense, *how, at[0][0], at[1][0], quiet))
    return sorted(found, key=lambda one: (one.kind, one.strength))


@dataclass(frozen=True)
class Concern:
    """A part of the held-out users, told apart by a column of the profile, and what is copied of it."""

    by: str
    part: int
    parts: int
    low: float
    high: float
    attack: Estimate
    popularity: Estimate | None

    @property
    def label(self) -> str:
        """From where to where it goes."""
        return f"{self.low:,.0f} to {self.high:,.0f}"


def concerns(audited: Audited) -> list[Concern]:
    """Returns parts of the held-out users by interactions and by how popular their items are; none where unknown."""
    profile = audited.results.profile
    known = profile[profile["dataset"] == audited.dataset]
    own = audited.users_of(audited.best).merge(known, on=["seed", "user"])
    popular = audited.popularity
    if popular is not None:
        other = audited.users_of(popular).rename(columns={"agreement": "popularity"})
        own = own.merge(other, on=["seed", "user"], how="left")
    parts = _PARTS if len(own) >= _PARTS * _LEAST else 2
    if len(own) < 2 * parts:
        return []
    return [concern for by in PROFILES for concern in _parts_of(own, by, parts)]


def _parts_of(own: pd.DataFrame, by: str, parts: int) -> list[Concern]:
    which = pd.qcut(own[by], parts, labels=False, duplicates="drop")
    found = []
    for place, (_, rows) in enumerate(own.groupby(which)):
        popular = rows["popularity"] if "popularity" in rows and rows["popularity"].notna().all() else None
        figures = (_over(rows["agreement"], rows), None if popular is None else _over(popular, rows))
        found.append(Concern(by, place + 1, parts, float(rows[by].min()), float(rows[by].max()), *figures))
    return found


def _over(values: pd.Series, rows: pd.DataFrame) -> Estimate:
    low, high = bootstrap_interval(values.to_numpy(float), seed=0)
    seeds = tuple(sorted({int(seed) for seed in rows["seed"]}))
    return Estimate(float(values.mean()), float(low), float(high), seeds, (len(rows),), by_users=True)


def concern_sentences(found: Sequence[Concern]) -> list[str]:
    """Returns who is copied more, by each column; that nothing is shown where the intervals of both ends overlap."""
    words = {
        "n_interactions": ("users with few interactions", "users with many"),
        "popularity_rank": ("users of popular items", "users of rare ones"),
    }
    said = []
    for by, names in words.items():
        own = [one for one in found if one.by == by]
        if len(own) > 1:
            first, last = own[0], own[-1]
            values = f"{of100(first.attack.value)} of 100 of {names[0]}, {of100(last.attack.value)} of {names[1]}"
            order = TEXTS["differ" if apart(first.attack, last.attack) else "overlap"]
            said.append(f"**By {PROFILES[by]}**: {values}; {order}.")
    return said


@dataclass(frozen=True)
class Need:
    """What somebody who knows a share of the users needs, and gets: without questions and with them."""

    share: float
    accounts: int
    without_questions: Point | None
    with_questions: Point | None


def needs(audited: Audited) -> list[Need]:
    """Returns a line for each share."""
    n_users = int(audited.results.target["n_users"])
    found = []
    for share in audited.shares:
        quiet, asking = (_first(audited.fair_copies, share, asks=asks) for asks in (False, True))
        if quiet or asking:
            accounts = max(count(share, n_users), *(quiet or asking).result.n_users)  # type: ignore[union-attr]
            found.append(Need(share, accounts, quiet, asking))
    return found


@dataclass(frozen=True)
class Length:
    """The best copy where lists have another length, and popularity of the same length."""

    best: Point
    popularity: Point | None


def lengths(audited: Audited) -> list[Length]:
    """Returns a line for each length of list, at the share with most of them; none where there is one.

    What was measured at all of them counts.
    """
    own = [one for one in audited.points if one.rule == NO_DEFENSE]
    fair = [one for one in own if one.is_copy and not (audited.overstates and one.auxiliary)]
    counts = {share: len({one.list_length for one in fair if one.share == share}) for share in {p.share for p in fair}}
    share = max(counts, key=lambda share: (counts[share], share == audited.share), default=0.0)
    if counts.get(share, 0) < 2:  # noqa: PLR2004
        return []
    at = [one for one in fair if one.share == share]
    known = {length: {one.method for one in at if one.list_length == length} for length in {p.list_length for p in at}}
    common = set.intersection(*known.values())
    best = {one.list_length: one for one in reversed(at) if one.method in common}
    popular = [one for one in own if one.base == POPULARITY and one.share == share]
    beside = {one.list_length: one for one in popular}
    return [Length(one, beside.get(length)) for length, one in sorted(best.items())]


@dataclass(frozen=True)
class Calls:
    """Curves over calls: of each kind of auxiliary data one, at one ``share``, or over all of them where it is None."""

    share: float | None
    curves: dict[bool, list[Point]]


def over_calls(audited: Audited) -> Calls | None:
    """Returns the attacks that ask by their calls; at one share where several budgets were measured there."""
    budgets = {share: _budgets(audited, share) for share in audited.shares}
    most = max(budgets, key=lambda share: (budgets[share], share == audited.share), default=None)
    if most is not None and budgets[most] > 1:
        curves = {uses: _budget_curve(audited, most, uses=uses) for uses in (False, True)}
        return Calls(most, {uses: points for uses, points in curves.items() if points})
    along = {uses: audited.curve(asks=True, auxiliary=uses) for uses in (False, True)}
    found = {uses: points for uses, points in along.items() if points}
    return Calls(None, found) if found else None


def _budgets(audited: Audited, share: float) -> int:
    """The most budgets that one family was measured with at a share."""
    own = [one for one in audited.attacks if one.share == share and one.questions]
    counts = [len({one.calls for one in own if one.family == family}) for family in {one.family for one in own}]
    return max(counts, default=0)


def _budget_curve(audited: Audited, share: float, *, uses: bool) -> list[Point]:
    """The family with most budgets that agrees most, by its calls, from the attack on that it starts as."""
    own = [one for one in audited.attacks if (one.share, one.questions, one.auxiliary) == (share, True, uses)]
    families: dict[str, list[Point]] = {}
    for one in own:
        families.setdefault(one.family, []).append(one)
    if not families:
        return []
    best = max(families.values(), key=lambda points: (len(points), np.mean([one.value for one in points])))
    ordered = sorted(best, key=lambda one: one.calls)
    start = start_of(ordered[0], audited.attacks)
    return [*([start] if start else []), *ordered]
