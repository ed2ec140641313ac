"""``audit.json``: what the page of an audit says, for programs. The models are its schema, which a document lists.

``python -m rec_msa.reporting.audit_json`` writes ``docs/audit-json.md``; a test holds it to the models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field

from rec_msa.reporting.audit_findings import (
    Bought,
    Concern,
    Need,
    concerns,
    defenses_bought,
    findings,
    headline,
    needs,
)
from rec_msa.reporting.audit_page import not_tried
from rec_msa.reporting.audit_results import TEXTS, Audited, Auxiliary, Point

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rec_msa.reporting.measured import Estimate

SCHEMA_VERSION = "1.1"
"""The first number rises where a reader of the one before would misread; the second where something is added."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Figure(_Model):
    """An agreement: the share of a list's items that another list repeats, a mean over users and seeds."""

    agreement: float = Field(ge=0, le=1, description="the mean")
    ci_low: float | None = Field(description="where the 95 % interval begins; null where there is none")
    ci_high: float | None = Field(description="where it ends")
    seeds: list[int] = Field(description="the seeds behind it")
    n_users: list[int] = Field(description="how many users each seed has")


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


class Measured(_Model):
    """An attack or a reference, with what it knows, against the lists that the target serves undefended."""

    method: str = Field(description="its key under attacks, else its base, and what sets it apart")
    attack: str = Field(description="its name in agreement.parquet")
    base: str = Field(description="the attack or reference behind it")
    kind: Literal["attack", "reference"] = Field(description="a reference needs no copy")
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
    before: Measured = Field(description="the best attack that asks, without the defense")
    after: Measured = Field(description="the best attack that asks, under it")
    asks_nothing: Measured | None = Field(description="the best attack that asks nothing, which no defense touches")
    hides: bool = Field(description="whether the better of the last two copies less, and the intervals do not overlap")


class Part(_Model):
    """A part of the held-out users, of all seeds together."""

    by: str = Field(
        description="n_interactions, or popularity_rank: the mean rank of a user's items, 1 the most popular"
    )
    part: int = Field(ge=1, description="which part, from the lowest")
    parts: int = Field(ge=1, description="4 for quarters, 2 for halves where users are few")
    low: float = Field(description="the lowest value in it")
    high: float = Field(description="the highest")
    attack: Figure = Field(description="agreement of the attack of the headline; the interval is over these users")
    popularity: Figure | None = Field(description="agreement of popularity on the same users")


class Effort(_Model):
    """What an outsider needs at a share of users known, and gets."""

    share: float = Field(gt=0, le=1, description="the share of users known")
    accounts: int = Field(ge=0, description="how many users that are")
    without_questions: Measured | None = Field(description="the best attack that asks nothing")
    with_questions: Measured | None = Field(description="the best attack that asks")


class Listing(_Model):
    """Where another catalogue lists this risk."""

    catalogue: str = Field(description="the catalogue")
    id: str = Field(description="its number there")
    title: str = Field(description="what it is called there")
    url: str = Field(description="where to read it")


class Audit(_Model):
    """The whole file."""

    schema_version: Literal["1.1"] = Field(description="the version of this schema")
    headline: str = Field(description="the first sentence of the page")
    dataset: str = Field(description="the data set")
    target: Target = Field(description="the recommender that was audited")
    auxiliary: Auxiliary = Field(
        description="where auxiliary data came from; others: the target's other users stand in"
    )
    overstates: bool = Field(description="whether attacks with auxiliary data look stronger than an outsider's: others")
    list_length: int = Field(ge=1, description="the length of list that all but `figures` is about")
    intervals: Literal["bootstrap over users", "t over seeds"] = Field(description="what 95 % intervals are over")
    worst: float = Field(
        ge=0, le=1, description="the highest agreement of all: what `audit.fail_above` is compared with"
    )
    worst_attack: Measured = Field(description="the attack that has it, without a defense")
    best: Measured = Field(description="the attack of the headline")
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
    target = audited.results.target
    return Audit(
        schema_version=SCHEMA_VERSION,
        headline=headline(audited),
        dataset=audited.dataset,
        target=Target(**{name: target[name] for name in Target.model_fields}),
        auxiliary=audited.results.auxiliary,
        overstates=audited.overstates,
        list_length=audited.list_length,
        intervals="bootstrap over users" if audited.by_users else "t over seeds",
        worst=audited.worst.value,
        worst_attack=_measured(audited, audited.worst),
        best=_measured(audited, audited.best),
        popularity=_maybe(audited, audited.popularity),
        ceiling=_maybe(audited, audited.ceiling),
        findings=findings(audited),
        figures=[_measured(audited, one) for one in audited.points],
        defenses=[_defense(audited, one) for one in defenses_bought(audited)],
        whom=[_part(one) for one in concerns(audited)],
        needs=[_effort(audited, one) for one in needs(audited)],
        not_tried=not_tried(audited),
        catalogues=[Listing(**{name: one[name] for name in Listing.model_fields}) for one in TEXTS["catalogues"]],
    )


def _figure(one: Estimate) -> Figure:
    low, high = (None if end != end else end for end in (one.low, one.high))  # noqa: PLR0124 - NaN alone differs
    return Figure(agreement=one.value, ci_low=low, ci_high=high, seeds=list(one.seeds), n_users=list(one.n_users))


def _measured(audited: Audited, one: Point) -> Measured:
    names = ("method", "attack", "base", "clone", "share", "calls", "minutes", "list_length", "k", "defense")
    return Measured(
        **{name: getattr(one, name) for name in names},
        kind="attack" if one.is_attack else "reference",
        questions=one.asks,
        auxiliary=one.uses_auxiliary,
        overstated=one.uses_auxiliary and audited.overstates,
        result=_figure(one.one),
    )


def _maybe(audited: Audited, one: Point | None) -> Measured | None:
    return None if one is None else _measured(audited, one)


def _defense(audited: Audited, one: Bought) -> Defense:
    attacks = {"before": one.before, "after": one.after}
    return Defense(
        defense=one.defense,
        own_lists_kept=one.kept.value if one.kept else None,
        asks_nothing=_maybe(audited, one.quiet),
        hides=one.hides,
        **{name: _measured(audited, point) for name, point in attacks.items()},
    )


def _part(one: Concern) -> Part:
    place = {name: getattr(one, name) for name in ("by", "part", "parts", "low", "high")}
    popularity = _figure(one.popularity) if one.popularity else None
    return Part(**place, attack=_figure(one.attack), popularity=popularity)


def _effort(audited: Audited, one: Need) -> Effort:
    attacks = (_maybe(audited, point) for point in (one.quiet, one.asking))
    return Effort(
        share=one.share,
        accounts=one.accounts,
        **dict(zip(("without_questions", "with_questions"), attacks, strict=True)),
    )


def schema_markdown() -> str:
    """Returns the schema as a page: a table for each object."""
    parts = [_HEAD.format(version=SCHEMA_VERSION)]
    for model in (Audit, Target, Measured, Figure, Defense, Part, Effort, Listing):
        parts += [f"## {model.__name__}\n\n{(model.__doc__ or '').strip()}", "\n".join(_rows(model))]
    return "\n\n".join(parts) + "\n"


_HEAD = """\
# `audit.json`

What the page of an audit says, for programs. This is version {version} of the schema: the first number rises where a
reader of the one before would misread, the second where something is added. Agreement is a share from 0 to 1. Nothing
is NaN: what is not known is null. `rec_msa.reporting.audit_json.Audit` is the same as a pydantic model, and reads such
a file:

```python
from pathlib import Path

from rec_msa.reporting.audit_json import Audit

audit = Audit.model_validate_json(Path("audit.json").read_text())
print(audit.headline, audit.worst)
```

This page is made from the models by `python -m rec_msa.reporting.audit_json`."""


def _rows(model: type[BaseModel]) -> Iterator[str]:
    yield "| key | what it is | what it says |"
    yield "| --- | ---------- | ------------ |"
    for name, field in model.model_fields.items():
        yield f"| `{name}` | {_named(field.annotation)} | {field.description} |"


def _named(kind: object) -> str:
    """A type in words, with a link to an object's own table."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return f"[{kind.__name__}](#{kind.__name__.lower()})"
    inner = get_args(kind)
    if get_origin(kind) is list:
        return f"list of {_named(inner[0])}"
    if get_origin(kind) is Literal:
        return " or ".join(f'`"{value}"`' for value in inner)
    if inner:
        return " or ".join(_named(one) for one in inner)
    return _WORDS[kind]  # type: ignore[index]


_WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false", type(None): "null"}


if __name__ == "__main__":
    import sys

    sys.stdout.write(schema_markdown())
