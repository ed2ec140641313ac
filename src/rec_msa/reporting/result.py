"""The result in one figure and a sentence: how much a clone repeats, between nothing and the target itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from rec_msa.attacks.settings import SOLVED_REFERENCES
from rec_msa.reporting import document as doc
from rec_msa.reporting.cost import cost
from rec_msa.reporting.drawing import Bars, Drawing
from rec_msa.reporting.measured import Estimate, Measured, seeds_and_users
from rec_msa.reporting.names import TEXTS, seeds_text, share, span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rec_msa.reporting.panels import Panel, Row

_LOOKUPS = ("auxiliary_popularity", "list_popularity", "knn_lists")
_RANDOM, _POPULAR, _LOOKUP, _PLAIN, _CLONE, _AGAIN = (
    "random items",
    "popularity",
    "best look-up",
    "best plain model",
    "best clone",
    "target retrained",
)
_LADDER = (_RANDOM, _POPULAR, _LOOKUP, _PLAIN, _CLONE, _AGAIN)
_ITSELF = "the target itself"
_BARS_IN_A_ROW = 3


def result_section(panels: Sequence[Panel], of_clones: str = "") -> list[doc.Section]:
    """Returns the figure and its meaning in sentences, of targets without a defense; nothing of none.

    ``of_clones`` says of which attacks the best clone is, where they are not all.
    """
    found = [(panel, shown) for panel in panels if _CLONE in (shown := ladder(panel))]
    if not found:
        return []
    bars = [_bars(panel, shown) for panel, shown in found]
    drawing = Drawing([bars[at : at + _BARS_IN_A_ROW] for at in range(0, len(bars), _BARS_IN_A_ROW)])
    figure = doc.Figure("result", f"{TEXTS['result']} {of_clones}".strip(), drawing, _table(found))
    return [doc.Section("result", "How much a stolen copy repeats", _around(figure, found))]


def _around(figure: doc.Figure, found: Sequence[tuple[Panel, dict[str, Row]]]) -> list[doc.Block]:
    """The figure with its meaning: of one target before it, of several in one sentence and one by one behind it."""
    said = [meaning(panel, shown) for panel, shown in found]
    if len(found) == 1:
        return [*map(doc.Paragraph, said), figure]
    frame = pd.DataFrame([{what: row.groups["heldout"].value for what, row in shown.items()} for _, shown in found])
    medians = ", ".join(f"{what} **{share(frame[what].median())}**" for what in frame if frame[what].notna().all())
    text = (
        f"Medians over {len(found)} targets, of the list for a user that the target was never asked about: {medians}."
    )
    return [doc.Paragraph(text), figure, doc.Folded("Target by target, in words", [doc.Bullets(said)])]


def ladder(panel: Panel) -> dict[str, Row]:
    """Returns what a panel has of random items, popularity, the best look-up, plain model and clone, and the retrained.

    Plain models are EASE and iALS of what the attacker knows: they ask nothing and know no architecture.
    Only attacks on as many users as popularity was counted on, and lists of one length, compare.
    """
    held = {row.attack: row for row in panel.rows if "heldout" in row.groups}
    like = {(row.k, row.attacker_fraction) for name, row in held.items() if name in ("random", "popularity")}
    clones = [row for row in held.values() if not row.is_reference]
    clones = [row for row in clones if (row.k, row.attacker_fraction) in like] if like else clones
    lookups, plain = (
        sorted((held[name] for name in names if name in held), key=lambda row: row.rank)
        for names in (_LOOKUPS, SOLVED_REFERENCES)
    )
    plain = [row for row in plain if clones and _seeds(row) == _seeds(clones[0])]  # later results alone have them
    best = {_LOOKUP: lookups[:1], _PLAIN: plain[:1], _CLONE: clones[:1]}
    named = {_RANDOM: "random", _POPULAR: "popularity", _AGAIN: "retrain"}
    found = best | {what: [held[name]] for what, name in named.items() if name in held}
    return {what: found[what][0] for what in _LADDER if found.get(what)}


def _seeds(row: Row) -> tuple[int, ...]:
    return row.groups["heldout"].seeds


def meaning(panel: Panel, shown: dict[str, Row]) -> str:
    """Says what the figure of a target means: what the clone names, beside whom, and how sure that is."""
    clone = shown[_CLONE]
    one = clone.groups["heldout"]
    others = [f"{_noted(what, row)} {_items(row)}" for what, row in shown.items() if what != _CLONE]
    sure = f"95 % interval {share(one.low)} to {share(one.high)}" if one.high > one.low else "all seeds alike"
    whom = f"{span(one.n_users)} users{' a seed' * (len(one.seeds) > 1)}, {seeds_text(one.seeds)}"
    text = (
        f"**{' · '.join(panel.name)}**: of the {clone.k} items that the target recommends to a user it was never asked "
        f"about, the clone `{clone.attack}` names **{_items(clone)}** ({share(one.value)}, {sure}; {whom})."
    )
    text += f" Beside it: {', '.join(others)}." * bool(others)
    for what, why in ((_LOOKUP, "A look-up, which needs no model,"), (_PLAIN, "A plain model, which asks nothing,")):
        if what in shown and shown[what].groups["heldout"].value >= one.value:
            text += f" {why} repeats as much."
    both = [shown[what].groups["heldout"] for what in (_POPULAR, _AGAIN) if what in shown]
    ends = [other.value for other in both if other.seeds == one.seeds]
    if len(ends) == 2 and ends[1] > ends[0]:  # noqa: PLR2004 - both
        way = (one.value - ends[0]) / (ends[1] - ends[0])
        text += f" That is {100 * way:.0f} % of the way from popularity to a target trained once more on its own data."
    return " ".join([text, *_undecided(panel, clone)])


def other_files(measured: Measured) -> list[str]:
    """Names data sets that are not what their name says: beside the paper's figures theirs mean nothing."""
    return [
        f"**Not the known {name}**: its raw file is another one (sha256 `{sha256}`), so its figures do not compare "
        "with the paper's."
        for name, sha256 in measured.not_original.items()
    ]


def facts(measured: Measured) -> list[str]:
    """Returns data sets, seeds and what all runs took, in a few words each."""
    seeds = tuple(sorted({int(seed) for seed in measured.agreement["seed"]}))
    found = [", ".join(sorted(set(measured.agreement["dataset"]))), seeds_text(seeds)] if seeds else []
    return [*found, *filter(None, [cost(measured.journal)])]


def _undecided(panel: Panel, clone: Row) -> list[str]:
    """Which attacks may be as good as the best: their intervals overlap with its own."""
    least = clone.groups["heldout"].low
    near = [row for row in panel.rows if not row.is_reference and row is not clone and "heldout" in row.groups]
    near = [row for row in near if row.k == clone.k and row.groups["heldout"].high >= least]
    named = ", ".join(f"`{row.attack}`" for row in near[:_BARS_IN_A_ROW])
    more = f" and {len(near) - _BARS_IN_A_ROW} more" * (len(near) > _BARS_IN_A_ROW)
    text = f"Intervals overlap with that of `{clone.attack}`: {named}{more}. No order among them is shown."
    return [text] if near else []


def _items(row: Row) -> str:
    return f"{row.groups['heldout'].value * row.k:.0f}"


def _name(what: str, row: Row) -> str:
    return _noted(f"{what}: {row.name}" if what in (_LOOKUP, _PLAIN, _CLONE) else what, row)


def _noted(name: str, row: Row) -> str:
    """The name, and the seeds where they are fewer; all are at one k."""
    notes = [note for note in row.notes if note.startswith("seed")]
    return f"{name} ({', '.join(notes)})" if notes else name


def _bars(panel: Panel, shown: dict[str, Row]) -> Bars:
    found = {_name(what, row): row.groups["heldout"] for what, row in shown.items()}
    seeds, _ = seeds_and_users(list(found.values()))
    found[_ITSELF] = Estimate(1.0, 1.0, 1.0, seeds, ())
    title, marked = "repeated share of the target's list", [_name(_CLONE, shown[_CLONE])]
    return Bars(panel.where, title, list(found), list(found.values()), marked)


def _table(found: Sequence[tuple[Panel, dict[str, Row]]]) -> doc.Table:
    rows = [
        {"target": panel.where, "what": _name(what, row), doc.ONE: row.groups["heldout"]}
        for panel, shown in found
        for what, row in shown.items()
    ]
    columns = [*doc.names("what"), doc.Column("Agr, held-out users", doc.ONE)]
    return doc.Table(
        "result-table", "How much of the target's list is repeated", pd.DataFrame(rows), columns, label="target"
    )
