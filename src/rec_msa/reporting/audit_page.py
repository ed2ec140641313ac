"""The page of an audit: how much of a recommender leaks, to whom, for what, and how sure that is."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from rec_msa.defenses.settings import NO_DEFENSE
from rec_msa.interactions.splits import count
from rec_msa.reporting import document as doc
from rec_msa.reporting.audit_findings import (
    FEW_USERS,
    Bought,
    Calls,
    Concern,
    Need,
    caveat,
    concern_sentences,
    concerns,
    defenses_bought,
    findings,
    headline,
    lengths,
    needs,
    of100,
    over_calls,
    percent,
)
from rec_msa.reporting.audit_results import CEILING, POPULARITY, TEXTS, Audited, Point, reference_name, told
from rec_msa.reporting.cost import duration
from rec_msa.reporting.drawing import COLOURS, NEUTRAL, Curve, Drawing, Plot, strips, top_of
from rec_msa.reporting.measured import Estimate, apart
from rec_msa.reporting.names import ATTACKS_IN_WORDS, seeds_text, span
from rec_msa.reporting.panels import Panel, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

COMMAND, FOLDER = "kedro run --pipeline=audit", "audit"
_KNOWLEDGE = {"plain": (False, False), "asks": (True, False), "auxiliary": (False, True), "both": (True, True)}
"""Whether an attack asks, and has auxiliary data."""
_LOOKS = dict(zip(_KNOWLEDGE, zip(COLOURS, "osD^", strict=False), strict=True))
_LEVELS = {CEILING: "--", POPULARITY: ":"}
_DECADE = 8
"""From which ratio of shares on their axis is logarithmic."""
_COPIED = "share of the list copied"
_INCHES = (4.8, 3.0)


def audit_page(audited: Audited) -> doc.Report:
    """Returns the page; what was not measured is named as such."""
    catalogues = ["{catalogue}: [{id}, {title}]({url}). {note}".format(**one) for one in TEXTS["catalogues"]]
    sections = [
        doc.Section("copied", "What an outsider could copy", [_numbers(audited), _curves(audited)]),
        doc.Section("stands-out", "What stands out", [doc.Bullets(findings(audited))]),
        defenses_section(audited),
        concerns_section(audited),
        needs_section(audited),
        *lengths_sections(audited),
        proportion_section(audited),
        sure_section(audited),
        doc.Section("not-tried", "What was not tried", [doc.Bullets(not_tried(audited))]),
        doc.Section(
            "catalogues",
            "In other catalogues",
            [doc.Paragraph(TEXTS["catalogues_lead"]), doc.Bullets(catalogues)],
        ),
    ]
    title = told("title", name=audited.name)
    return doc.Report(
        title, f"**{headline(audited)}** {caveat(audited)}".strip(), facts(audited), sections, COMMAND, FOLDER
    )


def facts(audited: Audited) -> list[str]:
    """Returns what the page rests on, in a few words each."""
    target = audited.results.target
    counts = ", ".join(f"{int(target[f'n_{name}']):,} {name}" for name in ("users", "items", "interactions"))
    at = f" at {percent(audited.share)}" * (len(_heldout(audited)) > 1)
    users = f"{span(audited.best.result.n_users)} held-out users{at}, {seeds_text(audited.seeds)}"
    kind = TEXTS["kinds"].get(target["kind"], target["kind"])
    return [f"{audited.dataset}, {kind}", counts, users, f"lists of {audited.list_length}"]


def _numbers(audited: Audited) -> doc.Numbers:
    best, lookup, ceiling = audited.best, audited.lookup, audited.ceiling
    asked = f"{best.calls:,.0f} calls" if best.questions else "nothing asked"
    shown = [("copied", f"{best.named}, {asked}", best)]
    if audited.popularity:
        shown.append(("by popularity alone", "", audited.popularity))
    if lookup and lookup.share == best.share:
        shown.append(("by looking answers up", lookup.method, lookup))
    if ceiling:
        shown.append(("by your model, trained once more", "the ceiling", ceiling))
    items = [
        (str(of100(one.value)), f"of 100 {text}", ", ".join(filter(None, [note, _ends(one.result)])))
        for text, note, one in shown
    ]
    return doc.Numbers(items if ceiling else [*items, ("–", "the ceiling", doc.NOT_MEASURED)])


def _ends(one: Estimate) -> str:
    return f"95 %: {of100(one.low)} to {of100(one.high)}"


def _curves(audited: Audited) -> doc.Figure:
    calls = over_calls(audited)
    curves = {name: audited.curve(asks=asks, auxiliary=uses) for name, (asks, uses) in _KNOWLEDGE.items()}
    drawn = {name: points for name, points in curves.items() if points}
    left, right = _over_shares(audited, drawn), _over_calls(calls) if calls else []
    top = _top([*left, *right])
    ticks = [100 * one for one in audited.shares]
    log = ticks[-1] >= _DECADE * ticks[0]
    plots = [Plot("by users known", "users known", _COPIED, left, top, ticks, " %", _INCHES, log)]
    said = {"left": _families(drawn.values())}
    text = told("curves_share", **said)
    if calls:
        plots.append(Plot("by calls", "calls to the target", _COPIED, right, top, inches=_INCHES))
        how = TEXTS["calls_along"] if calls.share is None else told("calls_varied", share=percent(calls.share))
        text = told("curves", **said, calls=how, right=_families(calls.curves.values()))
    return doc.Figure("curves", text, Drawing([plots], size="half"), _curve_table(audited, drawn))


def _over_shares(audited: Audited, curves: Mapping[str, Sequence[Point]]) -> list[Curve]:
    drawn = [_curve(name, points, [100 * one.share for one in points]) for name, points in curves.items()]
    ends = audited.shares[0], audited.shares[-1]
    for base, line in _LEVELS.items():
        own = [one for share in audited.shares if (one := audited.reference(base, share))]
        at = dict(sorted((one.share, one.value) for one in own if one.share in audited.shares))
        if one := audited.reference(base):
            xs, ys = (list(at), list(at.values())) if len(at) > 1 else (ends, [one.value] * 2)
            drawn.append(Curve(reference_name(base), NEUTRAL, [100 * x for x in xs], ys, level=True, line=line))
    return drawn


def _over_calls(calls: Calls) -> list[Curve]:
    own = (("both" if uses else "asks", points) for uses, points in calls.curves.items())
    return [_curve(name, points, [one.calls for one in points]) for name, points in own]


def _families(curves: Iterable[Sequence[Point]]) -> str:
    """What curves are of; the last point's, as the first may be another's start."""
    return ", ".join(points[-1].as_code(points[-1].family) for points in curves)


def _curve(name: str, points: Sequence[Point], xs: Sequence[float]) -> Curve:
    (colour, symbol), found = _LOOKS[name], [one.result for one in points]
    return Curve.of(TEXTS["knowledge"][name], colour, xs, found, symbol=symbol, band=len(points) > 1)


def _top(curves: Sequence[Curve]) -> float:
    return top_of((value for curve in curves for value in (*curve.y, *curve.high)), most=1.0)


def _curve_table(audited: Audited, curves: Mapping[str, Sequence[Point]]) -> doc.Table:
    shown = [(TEXTS["knowledge"][name], one) for name, points in curves.items() for one in points]
    references = [("reference", audited.reference(base, at)) for base in _LEVELS for at in audited.shares]
    rows = [*shown, *((name, one) for name, one in references if one and one.share in audited.shares)]
    return _by_share("curves-table", "Agreement by the share of users known", audited, rows)


def _by_share(name: str, caption: str, audited: Audited, rows: Sequence[tuple[str, Point]]) -> doc.Table:
    frame = pd.DataFrame([{"what": what, **_columns(one)} for what, one in rows])
    frame = frame.drop_duplicates(["what", "method", "share"]) if len(frame) else frame
    columns = [*doc.names("what"), doc.Column("by", _method, "l", names=True)]
    columns += [doc.Column(percent(at), doc.ONE, group="of your users known", at=at) for at in audited.shares]
    data = ["what", *_columns(audited.best)]
    return doc.Table(
        name, caption, frame, columns, ["what", "method"], "share", data=data, file=name, figure="agreement"
    )


def _method(row: Mapping[Any, Any]) -> str:
    return f"`{row['method']}`" if row["kind"] == "attack" else str(row["method"])


def _columns(one: Point) -> dict[str, Any]:
    """A point as columns of a table's frame."""
    shown = ("method", "attack", "kind", "share", "list_length", "defense", "calls", "minutes")
    return {**{name: getattr(one, name) for name in shown}, doc.ONE: one.result}


def defenses_section(audited: Audited) -> doc.Section:
    """Returns what each defense would buy, and what it would cost."""
    title, bought = "What a defense would buy", defenses_bought(audited)
    if not bought:
        measured = any(one.rule != NO_DEFENSE for one in audited.points)
        text = TEXTS["defenses_unasked" if measured else "defenses_none"]
        return doc.Section("defenses", title, [doc.Paragraph(text)])
    text = told("defenses", share=percent(bought[0].before.share))
    blocks: list[doc.Block] = [doc.Paragraph(text)]
    table = _defenses_table(bought)
    drawn = all(one.kept for one in bought)
    blocks += [doc.Figure("bought", TEXTS["defenses_plot"], _bought(bought), table)] if drawn else [table]
    return doc.Section("defenses", title, [*blocks, doc.Bullets(_bought_sentences(bought))])


def _bought_sentences(bought: Sequence[Bought]) -> list[str]:
    """What can be said of the defenses in words: of each that hides something, and of those that mislead."""
    hiding = [one for one in bought if one.hides]
    key = "defenses_some" if hiding else "defenses_nothing"
    said = [told(key, n=len(hiding), all=len(bought))]
    for one in hiding:
        cost = f"your users keep {of100(one.kept.value)} of 100 items of their own lists; " if one.kept else ""
        copied = f"{of100(one.left.value)} of 100 are copied instead of {of100(one.before.value)}"
        copied += ", by who asks nothing" * (one.left is one.asks_nothing)
        said.append(f"`{one.defense}`: {cost}{copied}: {one.said}.")
    return [*said, *_misled(bought)]


def _misled(bought: Sequence[Bought]) -> list[str]:
    """Says under which defenses asking is worse than asking nothing."""
    found = [one for one in bought if one.left is one.asks_nothing and apart(one.left.result, one.after.result)]
    names, quiet = ", ".join(f"`{one.defense}`" for one in found), found[0].asks_nothing if found else None
    return [] if quiet is None else [told("defenses_misled", misled=names, quiet=of100(quiet.value))]


def _defenses_table(bought: Sequence[Bought]) -> doc.Table:
    rows = [
        {
            "defense": one.defense,
            "by": one.after.named,
            "attack": one.after.method,
            "kept": one.own_lists_kept,
            "verdict": one.said,
        }
        | {"before": one.before.value, doc.ONE: one.after.result, "bought": one}
        for one in bought
    ]
    columns = [
        *doc.names("defense", as_code=["defense"]),
        doc.Column("own lists kept", "kept"),
        doc.Column("without", lambda row: row["bought"].before.result, group="copied"),
        doc.Column("with", doc.ONE, group="copied"),
        doc.Column("by", "by", "l", group="copied"),
        doc.Column("asking nothing", lambda row: _copied(row["bought"].asks_nothing)),
        doc.Column("what it buys", "verdict", "l"),
    ]
    data = ["defense", "kept", "before", doc.ONE, "attack", "verdict"]
    caption = "Each defense: what is kept, and what is copied"
    return doc.Table("bought-table", caption, pd.DataFrame(rows), columns, data=data, file="defenses", figure="after")


def _bought(bought: Sequence[Bought]) -> Drawing:
    curves = []
    for place, kind in enumerate(dict.fromkeys(one.kind for one in bought)):
        own = sorted((one for one in bought if one.kind == kind), key=lambda one: one.strength)
        xs, colour = [100 * one.kept.value for one in own if one.kept], COLOURS[place % len(COLOURS)]
        labels = [str(one.strength) for one in own] if len(own) > 1 else []
        curves.append(Curve.of(kind, colour, xs, [one.after.result for one in own], labels=labels))
    before, quiet = bought[0].before, bought[0].asks_nothing
    curves.append(Curve.of("without a defense", "#808080", [100], [before.result], symbol="s"))
    if quiet:
        least = min(x for curve in curves for x in curve.x)
        curves.append(Curve("asks nothing", NEUTRAL, [least, 100], [quiet.value] * 2, level=True, line=":"))
    plot = Plot("", "% of own lists kept", _COPIED, curves, _top(curves), inches=(5.2, 3.2))
    return Drawing([[plot]], size="half")


def concerns_section(audited: Audited) -> doc.Section:
    """Returns whom it concerns most: agreement of parts of the held-out users."""
    title, found = "Whom it concerns most", concerns(audited)
    if not found:
        return doc.Section("whom", title, [doc.Paragraph(TEXTS["whom_none"])])
    key = "whom" if found[0].parts > 2 else "whom_halves"  # noqa: PLR2004
    text = told(key, method=audited.best.named, share=percent(audited.share))
    sentences = doc.Bullets(concern_sentences(found))
    return doc.Section("whom", title, [sentences, doc.Paragraph(text, quiet=True), _concerns_table(found)])


_BY = {
    "n_interactions": "By interactions of the user",
    "popularity_rank": "By mean popularity rank of the user's items",
}


def _concerns_table(found: Sequence[Concern]) -> doc.Table:
    rows = [
        {"by": _BY[one.by], "from": one.low, "to": one.high, "part": one.label, "users": one.attack.n_users[0]}
        | {doc.ONE: one.attack, "popularity": one.popularity and one.popularity.value, "beside": one.popularity}
        for one in found
    ]
    columns = [
        *doc.names("part"),
        doc.Column("users", "users"),
        doc.Column("copied", doc.ONE),
        doc.Column("by popularity alone", "beside"),
    ]
    data = ["by", "from", "to", "users", doc.ONE, "popularity"]
    caption = "Agreement by what users are like"
    return doc.Table(
        "whom-table", caption, pd.DataFrame(rows), columns, label="by", data=data, file="whom", figure="copied"
    )


def needs_section(audited: Audited) -> doc.Section:
    """Returns what an outsider needs: accounts, calls and minutes, and what each buys."""
    rows, noted = [_need(one) for one in needs(audited)], any(one.minutes is not None for one in audited.attacks)
    columns = [
        doc.Column("users known", doc.written("share", percent), "l", names=True),
        doc.Column("accounts", doc.written("accounts", doc.count)),
    ]
    for group in ("without questions", "with questions"):
        of = partial(_of_point, group.replace(" ", "_"))
        calls = doc.Column("calls", of(lambda one: doc.count(one.calls)), group=group)
        columns += [calls] * (group == "with questions")
        columns += [doc.Column("computing", of(_computing), group=group)] * noted
        columns += [doc.Column("copied", of(_copied), group=group)]
        columns += [doc.Column("by", of(lambda one: one.named), "l", group=group)]
    data = [name for name in rows[0] if not name.endswith("_questions")]
    caption = "What it takes, by the share of users known"
    table = doc.Table("needs-table", caption, pd.DataFrame(rows), columns, data=data, file="needs")
    text = " ".join([TEXTS["needs"], *[TEXTS["needs_minutes"]] * noted])
    return doc.Section("needs", "What an outsider needs", [table, doc.Paragraph(text, quiet=True)])


def _need(one: Need) -> dict[str, Any]:
    row = dict(vars(one))
    for key in ("without", "with"):
        point: Point | None = row[f"{key}_questions"]
        for name, of in (("attack", "method"), ("calls", "calls"), ("minutes", "minutes"), ("copied", "value")):
            row[f"{name}_{key}"] = getattr(point, of, None)
    return row


def _of_point(key: str, show: Callable[[Point], Any]) -> Callable[[Mapping[Any, Any]], Any]:
    return lambda row: show(row[key]) if row[key] else None


def _copied(one: Point | None) -> Estimate | None:
    return one.result if one else None


def _computing(one: Point) -> str | None:
    return None if one.minutes is None else duration(60 * one.minutes)


def lengths_sections(audited: Audited) -> list[doc.Section]:
    """Returns what other lengths of list come to; nothing where one was measured."""
    found = lengths(audited)
    if not found:
        return []
    rows = [{"length": one.best.list_length, **_columns(one.best), "beside": one.popularity} for one in found]
    columns = [
        doc.Column("items in a list", "length", "l", names=True),
        doc.Column("copied", doc.ONE),
        doc.Column("by", _method, "l"),
        doc.Column("by popularity alone", _of_point("beside", _copied)),
    ]
    text = told("lengths", share=percent(found[0].best.share))
    data = ["length", *_columns(found[0].best)]
    name, title = "lengths", TEXTS["lengths_section"]
    table = doc.Table("lengths-table", title, pd.DataFrame(rows), columns, data=data, file=name, figure="agreement")
    return [doc.Section(name, title, [doc.Paragraph(text), table])]


def proportion_section(audited: Audited) -> doc.Section:
    """Returns the ceiling, or that it was not measured, and attacks beside references at one share."""
    if audited.ceiling:
        text = str(TEXTS["ceiling_measured"])
    else:
        text = told("ceiling_absent", names=", ".join(one.method for one in audited.references) or "nothing")
    panel = _panel(audited)
    rows = [(one.kind, one) for one in audited.undefended]
    table = _by_share("figures", "Every attack and reference, by the share of users known", audited, rows)
    caption = f"Attacks beside references at {percent(audited.share)} of your users known, the best first."
    figure = doc.Figure("beside", caption, strips([panel]), table)
    return doc.Section(
        "proportion", "The ceiling, and what needs no copy", [doc.Paragraph(text), figure, _attacks(audited)]
    )


def _attacks(audited: Audited) -> doc.Folded:
    names = sorted({audited.results.keys.get(one.attack, one.base) for one in audited.attacks})
    frame = pd.DataFrame({"attack": names, "learns from": [ATTACKS_IN_WORDS.get(name, "") for name in names]})
    columns = [*doc.names("attack", as_code=["attack"]), doc.Column("learns from", "learns from", "l")]
    return doc.Folded(TEXTS["attacks"], [doc.Table("attacks", TEXTS["attacks"], frame, columns)])


def _panel(audited: Audited) -> Panel:
    at = [one for one in audited.attacks if one.share == audited.share]
    rows = [_strip_row(one) for one in [*at, *audited.references]]
    return Panel(audited.dataset, audited.name, NO_DEFENSE, audited.seeds, audited.best.k, tuple(rows))


def _strip_row(one: Point) -> Row:
    return Row(
        one.attack,
        not one.is_attack,
        one.method,
        (),
        one.k,
        one.clone or "",
        f"{one.calls:,.0f}",
        {"heldout": one.result},
    )


def sure_section(audited: Audited) -> doc.Section:
    """Returns what the figures rest on, and what they do not say."""
    users = {"users": "; ".join(_heldout(audited)), "seeds": seeds_text(audited.seeds)}
    key = "sure_over_users" if audited.by_users else "sure_over_seeds"
    n = len({one.family for one in audited.copies})
    said = [told("sure_users", **users), told(key, n=len(audited.seeds)), TEXTS["sure_order"]]
    said += [TEXTS["sure_few"]] * (sum(audited.best.result.n_users) < FEW_USERS)
    said += [told("sure_chosen", n=n), TEXTS[f"auxiliary_{audited.results.auxiliary}"]]
    said += [TEXTS["sure_uneven"]] * (len({one.result.seeds for one in audited.attacks}) > 1) + _raised(audited)
    said += [TEXTS["sure_unlike"]] * (audited.results.target["repeats"] is False)
    said += [TEXTS["sure_recorded"]] * (audited.results.target["kind"] == "recorded") + [TEXTS["sure_data"]]
    learnt = doc.Section(doc.LEARNT, "What learnt nothing from the answers", [doc.Paragraph(TEXTS["learnt"])])
    marked = any(one.result.learnt_nothing for one in audited.points)
    return doc.Section("sure", "How sure that is", [doc.Bullets(said)], [learnt] if marked else [])


def _heldout(audited: Audited) -> list[str]:
    """How many users are held out: once where that is alike at all shares, else of each."""
    counts = {share: span(_at(audited, share).result.n_users) for share in audited.shares}
    if len(set(counts.values())) == 1:
        return list(counts.values())[:1]
    return [f"{n} at {percent(share)} known" for share, n in counts.items()]


def _at(audited: Audited, share: float) -> Point:
    return next(one for one in audited.attacks if one.share == share)


def _raised(audited: Audited) -> list[str]:
    """Says at which shares the attacker knows more, since nobody knows fewer than the held-out users."""
    users, said = int(audited.results.target["n_users"]), []
    for share in audited.shares:
        least = max(_at(audited, share).result.n_users)
        if count(share, users) < least:
            real = percent(least / users)
            said.append(told("sure_raised", share=percent(share), users=least, real=real))
    return said


def not_tried(audited: Audited) -> list[str]:
    """Returns what the budget left out, what these results do not have, and what no audit has."""
    attacks, said = audited.attacks, list(audited.results.left_out)
    left_out = " ".join(said)
    absent = {
        "not_tried_asks": not any(one.questions for one in attacks),
        "not_tried_auxiliary": not any(one.auxiliary for one in attacks),
        "not_tried_defenses": not defenses_bought(audited) and "defenses" not in left_out,
        "not_tried_lengths": len({one.list_length for one in audited.points}) == 1 and "lists" not in left_out,
        "not_tried_shares": "shares" not in left_out,
    }
    values = {"lengths": audited.list_length, "shares": ", ".join(map(percent, audited.shares))}
    said += [told(key, **values) for key, is_absent in absent.items() if is_absent]
    return [*said, *(str(TEXTS[f"not_tried_{name}"]) for name in ("fill", "content", "live"))]
