"""The paper's claims: how they stand, and each one with the test behind its verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rec_msa.evaluation.verdicts import BORNE_OUT, CONTRADICTED, OPEN
from rec_msa.reporting.claims import EQUALITY, TREND, direction
from rec_msa.reporting.markdown import verdict
from rec_msa.reporting.paper_claims import MIXED, PARTLY, UNMEASURED, UNTESTED, ClaimVerdict
from rec_msa.reporting.report.differences import difference_cell, p_cell
from rec_msa.reporting.report.model import Block, Body, Cell, Folded, Paragraph, Section, Table, Tiles, missing

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

IN_PART = "measured in part"
"""What the count of claims says of those of which cells are missing, whatever their verdict so far."""
SYMBOLS = {
    BORNE_OUT: "✓",
    PARTLY: "✓",
    MIXED: "±",
    CONTRADICTED: "✗",
    OPEN: "○",
    IN_PART: "◔",
    UNMEASURED: "–",
    UNTESTED: "–",
}
"""What stands before a verdict's word."""
VERDICTS = tuple(SYMBOLS)
"""The verdicts, in the order in which they are counted."""
_COUNTS = (BORNE_OUT, CONTRADICTED, OPEN)
_KINDS = {
    EQUALITY: "Equality: two one-sided t tests over seeds at ±.03, with Holm's correction over the rows.",
    TREND: "Trend: how far the line fitted to each seed's points rises or falls over the axis; Student's t over seeds, "
    "with Holm's correction over the rows. Positive is for the claim.",
}
_DIFFERENCE = (
    "Difference: paired by seed; Student's t over seeds, two-sided, with Holm's correction over the rows. Positive "
    "is for the claim."
)
_NAMES = {
    "dataset": "dataset",
    "target": "target",
    "attack": "attack",
    "against": "against",
    "figure": "what is compared",
    "beside": "beside it",
}


def tiles(verdicts: Sequence[ClaimVerdict]) -> Tiles:
    """Returns how many claims that were measured whole have each verdict, and how many were measured in part."""
    said = [one.verdict if one.whole or not one.measured else IN_PART for one in verdicts]
    return Tiles([(name, said.count(name)) for name in VERDICTS if name in said])


def scoreboard(verdicts: Sequence[ClaimVerdict]) -> Table:
    """Returns a row for each claim that leads to its section."""
    head = ["claim", "verdict", "what the paper says", "cells", "borne out", "contradicted", "open"]
    rows = [
        [
            Cell(f"[{one.id}](#claim-{one.id})"),
            Cell(one.said, verdict=one.verdict),
            Cell(f"[{one.claim}](#claim-{one.id})"),
            Cell(f"{one.n_cells} of {one.n_expected}") if one.n_expected else missing(UNTESTED),
            *(_count(one, count) for count in (one.borne_out, one.contradicted, one.open)),
        ]
        for one in verdicts
    ]
    notes = [
        "The last columns count cells: a data set and a target, or two that are compared. A claim of which cells are "
        'missing has a verdict "so far": those that are missing may say otherwise.'
    ]
    return Table("scoreboard", "The paper's claims", head, [Body(rows)], "lllrrrr", (), 1, notes)


def claims_section(judged: pd.DataFrame, verdicts: Sequence[ClaimVerdict]) -> Section:
    """Returns the claims one by one."""
    text = (
        "Each claim is checked cell by cell and needs five seeds for a verdict; with fewer it is open, and the sign "
        "is a direction, no finding. A claim counts as borne out where all of its cells are, as partly borne out "
        "where the others are open, as mixed where others are contradicted; a verdict on some of its cells is one so "
        "far. A comparison may belong to two claims and is corrected within each for itself: `ptaq` against `qsd30` "
        "belongs to 27 and 29, and what 2 and 4 compare with `ptaq` to 3 as well."
    )
    return Section(
        "claims",
        "The paper's claims, one by one",
        [Paragraph(text)],
        [_claim(judged[judged["claim"] == one.id], one) for one in verdicts],
    )


def _claim(own: pd.DataFrame, one: ClaimVerdict) -> Section:
    said = [Paragraph(f"**{one.summary}**")]
    said.append(Paragraph(f"Checked by: {one.check} (section {one.section} of the paper).", quiet=True))
    said.append(Paragraph(f"The paper's own tables: {one.paper_tables}.", quiet=True))
    blocks: list[Block] = [*said]
    if len(own):
        blocks.append(
            Folded(
                f"Show the {len(own)} cells and the test" if len(own) > 1 else "Show the cell and the test",
                [_cells(own, one)],
            )
        )
    return Section(f"claim-{one.id}", f"{one.id}. {one.claim}", blocks)


def _cells(own: pd.DataFrame, one: ClaimVerdict) -> Table:
    named = [name for name in _NAMES if own[name].any()]
    head = [*(_NAMES[name] for name in named), "value", "p (Holm)", "seeds", "verdict"]
    rows = [[*(_name(row, name) for name in named), *_figures(row)] for _, row in own.iterrows()]
    notes = [_KINDS.get(kind, _DIFFERENCE) for kind in dict.fromkeys(own["kind"])]
    caption = f"The cells of claim {one.id}"
    align = "l" * len(named) + "rrrl"
    name = f"claim-{one.id}-cells"
    return Table(name, caption, head, [Body(rows)], align, (), len(named), notes, own.drop(columns="note"), "claims")


def _name(row: pd.Series, name: str) -> Cell:
    text = str(row[name])
    return Cell(f"`{text}`" if name == "attack" and text else text)


def _figures(row: pd.Series) -> list[Cell]:
    said = Cell(verdict(row, direction(row)), verdict=str(row["verdict"]))
    return [difference_cell(row), p_cell(row["p_holm"]), Cell(str(row["n_seeds"])), said]


def _count(one: ClaimVerdict, count: int) -> Cell:
    return missing(UNMEASURED if one.verdict == UNMEASURED else UNTESTED) if not one.n_cells else Cell(str(count))
