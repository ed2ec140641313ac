"""The reproduction: the result, the protocol, the claims one by one, and the parts between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rec_msa.attacks.settings import PAPER_ATTACKS
from rec_msa.evaluation.verdicts import BORNE_OUT, CONTRADICTED, OPEN, SEEDS_FOR_A_VERDICT
from rec_msa.reporting import document as doc
from rec_msa.reporting.claims import (
    CLAIMS,
    MIXED,
    PARTLY,
    UNMEASURED,
    UNTESTED,
    ClaimVerdict,
    counted,
    direction,
    judge,
    verdict_of,
)
from rec_msa.reporting.cost import environment_section
from rec_msa.reporting.figures import figures_section
from rec_msa.reporting.measured import Measured, datasets_of, estimates
from rec_msa.reporting.names import (
    ATTACKS_IN_WORDS,
    DATASETS,
    REFERENCE_NAMES,
    TEXTS,
    paper_agreement,
    share,
    verdict_text,
)
from rec_msa.reporting.panels import panels_of
from rec_msa.reporting.result import facts, other_files, result_section
from rec_msa.reporting.sections import tables_section, targets_section
from rec_msa.reporting.strongest import strongest_sections

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rec_msa.reporting.measured import Estimate
    from rec_msa.reporting.panels import Panel

_RUNS = ("Your runs", "report.html")
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
"""What stands before a verdict's word; the verdicts in the order in which they are counted."""


def build_report(measured: Measured) -> doc.Report:
    """Returns the reproduction: the result, the claims, the tables and figures; what was not measured is a dash."""
    judged = judge(counted(measured))
    verdicts = [verdict_of(judged, claim.id) for claim in CLAIMS]
    sections = [
        *result_section(_papers_panels(measured), TEXTS["result_of_paper"]),
        summary_section(measured, verdicts),
        protocol_section(),
        tables_section(measured),
        targets_section(measured),
        figures_section(measured),
        *strongest_sections(measured),
        claims_section(judged, verdicts),
        environment_section(measured.journal),
    ]
    return doc.Report(
        "Stealing a recommender: the reproduction", TEXTS["lead"], facts(measured), sections, beside=_RUNS
    )


def _papers_panels(measured: Measured) -> list[Panel]:
    rows = measured.table_rows
    own = rows[rows["dataset"].isin(DATASETS) & rows["attack"].isin([*PAPER_ATTACKS, *REFERENCE_NAMES])]
    return panels_of(own) if len(own) else []


def summary_section(measured: Measured, verdicts: Sequence[ClaimVerdict]) -> doc.Section:
    """Returns the claims at a glance, how near the figures are, what was measured, and how the page was made."""
    sentences = [_claims(verdicts), *_closeness(estimates(measured.table_rows)), *_coverage(measured)]
    blocks: list[doc.Block] = [
        doc.Bullets([*sentences, *other_files(measured)]),
        _tiles(verdicts),
        scoreboard(verdicts),
    ]
    return doc.Section(
        "summary", "What holds of the paper's claims", [*blocks, doc.Paragraph(TEXTS["made_reproduction"], quiet=True)]
    )


def _claims(verdicts: Sequence[ClaimVerdict]) -> str:
    whole = [one for one in verdicts if one.whole]
    part = [one for one in verdicts if one.n_cells and not one.whole]
    if not whole + part:
        return f"None of the paper's {len(verdicts)} claims was measured yet."
    cells = f"{sum(one.n_decidable for one in part)} of {sum(one.n_expected for one in part)} cells"
    said = [f"**{len(whole)} measured whole**{_counted(whole)}"]
    said += [f"**{len(part)} in part ({cells})**{_counted(part, ', so far')}"] if part else []
    absent = sum(one.verdict == UNMEASURED for one in verdicts)
    said += [f"{absent} not measured"] if absent else []
    return f"**Of the paper's {len(verdicts)} claims**: {'; '.join(said)}."


def _counted(verdicts: Sequence[ClaimVerdict], when: str = "") -> str:
    """How many claims have each verdict."""
    counts = {name: sum(one.verdict == name for one in verdicts) for name in SYMBOLS}
    said = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return f"{when}: {said}" if said else ""


def _closeness(found: dict[tuple[str, str, str], Estimate]) -> list[str]:
    """How far our figures lie from the paper's, where both have one and the data are the same."""
    paper = {key: value for number in (4, 5) for key, value in paper_agreement(number).items()}
    both = [(found[key], value) for key, value in paper.items() if key in found and key[0] != "steam"]
    if not both:
        return []
    inside = sum(ours.low <= value <= ours.high for ours, value in both)
    middle = float(np.median([ours.value - value for ours, value in both]))
    far = float(np.median([abs(ours.value - value) for ours, value in both]))
    return [
        f"**Magnitudes**: {inside} of {len(both)} figures of tables 4 and 5 (without Steam, whose data are not the "
        f"paper's) lie inside our 95 % intervals; the median distance is {share(far)}, the median difference "
        f"{share(middle, signed=True)}."
    ]


def _coverage(measured: Measured) -> list[str]:
    rows = measured.plain
    seeds = {key: int(part["seed"].nunique()) for key, part in rows.groupby(["dataset", "target"])}
    if not seeds:
        return ["Nothing was measured at 50 items without a defense."]
    few = [f"{dataset} {target} ({count})" for (dataset, target), count in seeds.items() if count < SEEDS_FOR_A_VERDICT]
    cells = sum(seeds.values())
    named = ", ".join(name for name in datasets_of(rows) if name in set(rows["dataset"]))
    text = f"**Measured**: {cells} cells of a target and a seed on {named}."
    return [text + (f" Fewer than {SEEDS_FOR_A_VERDICT} seeds, so directions only: {', '.join(few)}." if few else "")]


def protocol_section() -> doc.Section:
    """Returns the protocol, the argument for held-out users, and what each attack learns from."""
    frame = pd.DataFrame(ATTACKS_IN_WORDS.items(), columns=["attack", "learns from"])
    columns = [*doc.names("attack", as_code=["attack"]), doc.Column("learns from", "learns from", "l")]
    table = doc.Table("who", "What each attack learns from", frame, columns)
    heldout = doc.Section(
        "heldout", "Why held-out users", [doc.Paragraph(TEXTS["heldout"]), doc.Bullets(TEXTS["heldout_limits"])]
    )
    return doc.Section("protocol", "The protocol in short", [doc.Bullets(TEXTS["protocol"]), table], [heldout])


def _tiles(verdicts: Sequence[ClaimVerdict]) -> doc.Tiles:
    """How many claims that were measured whole have each verdict, and how many were measured in part."""
    said = [one.verdict if one.whole or not one.n_cells else IN_PART for one in verdicts]
    return doc.Tiles([(name, said.count(name)) for name in SYMBOLS if name in said])


def scoreboard(verdicts: Sequence[ClaimVerdict]) -> doc.Table:
    """Returns a row for each claim that leads to its section."""
    columns = [
        doc.Column(name, name, "l", names=name == "claim") for name in ("claim", "verdict", "what the paper says")
    ]
    columns += [doc.Column(name, name) for name in ("cells", BORNE_OUT, CONTRADICTED, OPEN)]
    frame = pd.DataFrame([_score(one) for one in verdicts])
    return doc.Table("scoreboard", "The paper's claims", frame, columns, notes=[TEXTS["scoreboard"]])


def _score(one: ClaimVerdict) -> dict[str, Any]:
    """What the row of a claim shows."""
    claim, counts = one.claim, {BORNE_OUT: one.borne_out, CONTRADICTED: one.contradicted, OPEN: one.open}
    return {
        "claim": f"[{claim.id}](#claim-{claim.id})",
        "verdict": doc.Cell(one.said, verdict=one.verdict),
        "what the paper says": f"[{claim.says}](#claim-{claim.id})",
        "cells": f"{one.n_decidable} of {one.n_expected}" if one.n_expected else doc.missing(UNTESTED),
        **{name: count if one.n_cells else doc.missing(one.verdict) for name, count in counts.items()},
    }


def claims_section(judged: pd.DataFrame, verdicts: Sequence[ClaimVerdict]) -> doc.Section:
    """Returns the claims one by one."""
    parts = [_claim(judged[judged["claim"] == one.claim.id], one) for one in verdicts]
    return doc.Section("claims", "The paper's claims, one by one", [doc.Paragraph(TEXTS["claims"])], parts, "Show all")


def _claim(own: pd.DataFrame, one: ClaimVerdict) -> doc.Section:
    claim = one.claim
    blocks: list[doc.Block] = [doc.Paragraph(f"**{one.summary}**")]
    blocks.append(doc.Paragraph(f"Checked by: {claim.check} (section {claim.section} of the paper).", quiet=True))
    blocks.append(doc.Paragraph(f"The paper's own tables: {claim.paper_tables}.", quiet=True))
    if len(own):
        what = f"Show the {len(own)} cells and the test" if len(own) > 1 else "Show the cell and the test"
        blocks.append(doc.Folded(what, [claim_table(own, claim.id)]))
    return doc.Section(f"claim-{claim.id}", f"{claim.id}. {claim.says}", blocks)


def claim_table(own: pd.DataFrame, number: int) -> doc.Table:
    """Returns a claim's rows of ``judge``, each with its test and verdict, without columns that say nothing."""
    heads = {"figure": "what is compared", "beside": "beside it"}
    named = [name for name in ("dataset", "target", "attack", "against", "figure", "beside") if own[name].any()]
    columns = [
        doc.Column(heads.get(name, name), doc.code(name) if name == "attack" else name, "l", names=True)
        for name in named
    ]
    columns += [doc.Column("value", doc.difference_of()), doc.Column("p (Holm)", doc.p_of("p_holm"))]
    columns += [doc.Column("seeds", "n_seeds"), doc.Column("verdict", _direction, "l")]
    notes = [TEXTS["tests"].get(kind, TEXTS["test_difference"]) for kind in dict.fromkeys(own["kind"])]
    caption, data = f"The cells of claim {number}", [str(name) for name in own if name != "note"]
    return doc.Table(f"claim-{number}-cells", caption, own, columns, notes=notes, data=data, file="claims")


def _direction(row: Mapping[Any, Any]) -> doc.Cell:
    return doc.Cell(verdict_text(row, direction(row)), verdict=str(row["verdict"]))
