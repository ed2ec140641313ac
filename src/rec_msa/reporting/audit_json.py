"""``audit.json``: what the page of an audit says, for programs. The models are its schema, which a document lists.

``python -m docs.generate.audit_json`` writes ``docs/audit-json.md``; a test holds it to the models.
"""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rec_msa.reporting.audit_findings import concerns, defenses_bought, findings, headline, needs
from rec_msa.reporting.audit_page import not_tried
from rec_msa.reporting.audit_results import TEXTS, Auxiliary
from rec_msa.reporting.measured import Estimate

if TYPE_CHECKING:
    from rec_msa.reporting.audit_results import Audited

SCHEMA_VERSION = "2.1"
"""The first number rises where a reader of the one before would misread; the second where something is added."""


class _Model(BaseModel):
    """Read from a file, or from what the page is made of, whose attributes have these names."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, from_attributes=True)


class Figure(_Model):
    """An agreement: the share of a list's items that another list repeats, a mean over users and seeds."""

    agreement: float = Field(ge=0, le=1, description="the mean")
    ci_low: float | None = Field(description="where the 95 % interval begins; null where there is none")
    ci_high: float | None = Field(description="where it ends")
    seeds: list[int] = Field(description="the seeds behind it")
    n_users: list[int] = Field(description="how many users each seed has")

    @model_validator(mode="before")
    @classmethod
    def _of_estimate(cls, one: Any) -> Any:
        if not isinstance(one, Estimate):
            return one
        low, high = (None if isnan(end) else end for end in (one.low, one.high))
        return {"agreement": one.value, "ci_low": low, "ci_high": high, "seeds": one.seeds, "n_users": one.n_users}


class Target(_Model):
    """The recommender that was audited."""

    name: str = Field(description="what its owner calls it")
    kind: str = Field(description="trained, recorded, callable or fitted")
    n_users: int = Field(ge=0, description="its users")
    n_items: int = Field(ge=0, description="its items")
    n_interactions: int = Field(ge=0, description="the interactions that it was trained on")
    retrained: bool = Field(description="whether it was trained once more, so that the ceiling is known")
    repeats: bool | None = Field(
        description="whether the same seed makes the same model; null where that was not tried"
    )
    filled: float = Field(
        ge=0,
        le=1,
        description="of the places of its lists the share that holds an item: the most that a copy can repeat",
    )


class Measured(_Model):
    """An attack or a reference, with what it knows, against the lists that the target serves undefended."""

    method: str = Field(description="its key under attacks, else its base, and what sets it apart")
    attack: str = Field(description="its name in agreement.parquet")
    base: str = Field(description="the attack or reference behind it")
    kind: Literal["attack", "reference"] = Field(description="a reference needs no clone")
    clone: str | None = Field(description="the architecture of the copy")
    share: float = Field(gt=0, le=1, description="the share of the target's users that the attacker knows")
    questions: bool = Field(description="whether it asks the target")
    auxiliary: bool = Field(description="whether it has auxiliary data")
    overstated: bool = Field(description="whether these are the target's other users, which no outsider has")
    calls: float = Field(ge=0, description="how many calls it makes, a mean over seeds")
    minutes: float | None = Field(
        description="processor minutes of all that the attacker trained; null where not noted"
    )
    list_length: int = Field(ge=1, description="how many items the target serves")
    k: int = Field(ge=1, description="how many of them count: all, where lists are as long")
    defense: str = Field(description="what alters the answers, as popular_mixing_15; none")
    result: Figure = Field(description="its agreement on held-out users, whom it never asked about")


class Defense(_Model):
    """What a defense buys, and what it costs."""

    defense: str = Field(description="its name, with the strength")
    own_lists_kept: float | None = Field(description="how much of the undefended lists is still served; null: unknown")
    before: Measured = Field(description="the best copy that asks, without the defense")
    after: Measured = Field(description="the best copy that asks, under it")
    asks_nothing: Measured | None = Field(description="the best copy that asks nothing, which no defense touches")
    hides: bool = Field(
        description="whether asking under it, or nothing, copies less than without it: the intervals do not overlap"
    )


class Part(_Model):
    """A part of the held-out users, of all seeds together."""

    by: str = Field(
        description="n_interactions, or popularity_rank: the mean rank of a user's items, 1 the most popular"
    )
    part: int = Field(ge=1, description="which part, from the lowest")
    parts: int = Field(ge=1, description="4 for quarters, 2 for halves where users are few")
    low: float = Field(description="the lowest value in it")
    high: float = Field(description="the highest")
    attack: Figure = Field(description="agreement of the copy of the headline; the interval is over these users")
    popularity: Figure | None = Field(description="agreement of popularity on the same users")


class Effort(_Model):
    """What an outsider needs at a share of users known, and gets."""

    share: float = Field(gt=0, le=1, description="the share of users known")
    accounts: int = Field(ge=0, description="how many users that are")
    without_questions: Measured | None = Field(description="the best copy that asks nothing")
    with_questions: Measured | None = Field(description="the best copy that asks")


class Listing(_Model):
    """Where another catalogue lists this risk."""

    catalogue: str = Field(description="the catalogue")
    id: str = Field(description="its number there")
    title: str = Field(description="what it is called there")
    url: str = Field(description="where to read it")


class Audit(_Model):
    """The whole file."""

    schema_version: Literal["2.1"] = Field(description="the version of this schema")
    headline: str = Field(description="the first sentence of the page")
    dataset: str = Field(description="the data set")
    target: Target = Field(description="the recommender that was audited")
    auxiliary: Auxiliary = Field(
        description="where auxiliary data came from; others: the target's other users stand in"
    )
    overstates: bool = Field(description="whether copies with auxiliary data look stronger than an outsider's: others")
    list_length: int = Field(ge=1, description="the length of list that all but `figures` is about")
    intervals: Literal["bootstrap over users", "t over seeds"] = Field(description="what 95 % intervals are over")
    worst: float = Field(
        ge=0, le=1, description="the highest agreement of all: what `audit.fail_above` is compared with"
    )
    worst_attack: Measured = Field(description="what has it, without a defense: an attack, a plain model or a look-up")
    best: Measured = Field(description="the copy of the headline: an attack, a plain model or a look-up")
    popularity: Measured | None = Field(description="popularity among the known users, at the headline's share")
    ceiling: Measured | None = Field(description="the target trained once more; null where it was not")
    findings: list[str] = Field(description="what stands out, in sentences; `` ` `` and `**` are markup")
    figures: list[Measured] = Field(description="everything on held-out users, the best first")
    defenses: list[Defense] = Field(description="each defense")
    whom: list[Part] = Field(description="whom it concerns; empty where users' profiles are not known")
    needs: list[Effort] = Field(description="what it takes, by share")
    not_tried: list[str] = Field(description="what was not tried, what the budget left out first")
    catalogues: list[Listing] = Field(description="where this risk is listed")


def audit_json(audited: Audited) -> Audit:
    """Returns everything that the page says, checked against the schema."""
    named = ("dataset", "overstates", "list_length", "best", "popularity", "ceiling")
    target, intervals = audited.results.target, "bootstrap over users" if audited.by_users else "t over seeds"
    return Audit.model_validate(
        {
            **{name: getattr(audited, name) for name in named},
            "schema_version": SCHEMA_VERSION,
            "headline": headline(audited),
            "target": {name: target[name] for name in Target.model_fields},
            "auxiliary": audited.results.auxiliary,
            "intervals": intervals,
            "worst": audited.worst.value,
            "worst_attack": audited.worst,
            "findings": findings(audited),
            "figures": audited.points,
            "defenses": defenses_bought(audited),
            "whom": concerns(audited),
            "needs": needs(audited),
            "not_tried": not_tried(audited),
            "catalogues": [{name: one[name] for name in Listing.model_fields} for one in TEXTS["catalogues"]],
        }
    )
