"""The paper's tables of agreement beside ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from rec_msa.attacks.settings import PAPER_ATTACKS
from rec_msa.recommenders.settings import SasrecSettings
from rec_msa.reporting.axes import LOSSES, loss_points
from rec_msa.reporting.learnt import is_unrecorded
from rec_msa.reporting.names import ATTACKS_IN_WORDS, REFERENCE_NAMES, TARGET, with_words
from rec_msa.reporting.paper import DATASETS, SEQUENTIAL_TARGETS, TARGETS, paper_agreement
from rec_msa.reporting.report.beside import Beside, Line
from rec_msa.reporting.report.calls_figure import CALLS_OF, calls_blocks
from rec_msa.reporting.report.commands import not_measured, study
from rec_msa.reporting.report.differences import differences_section
from rec_msa.reporting.report.drawings import Comparison
from rec_msa.reporting.report.learnt import learnt_section
from rec_msa.reporting.report.measured import Measured, datasets_of, estimates
from rec_msa.reporting.report.model import (
    Block,
    FigureBlock,
    Folded,
    Paragraph,
    Section,
)
from rec_msa.reporting.report.statistics import statistics_section

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


TABLE5 = ("pta_pre", "ptaq_pre", "pta", "ptaq", "pta_joint", "ptaq_joint", "pta_mean")
TABLE7 = ("qsd", "ptq", "ptaq")
TABLE8 = (*CALLS_OF, "qsd30_sequences", "random_sequences", "ptd", "ptq", "ptaq")
_LENGTH_OF_SASRECS_PAPER = 200
"""On ML-1M; Kang and McAuley, ICDM 2018."""
_SEQUENCES = (
    "The paper has all of ML-1M. `ml-1m-2999` are its first 2,999 users, those whose times lay where this was "
    "measured, so this is **not the paper's data**, and a difference says little; `ml-100k` is farther from it. "
    "`qsd`k makes up sequences and asks k times as often as `ptq`; `qsd30_sequences` asks about 30 whole sequences for "
    "each user, 50 calls each, which the paper may mean. Of the attacker users a quarter is held out here, not a "
    "fifth: the data are small. Two settings of ours stand beside all that follows from this table: `sasrec` reads the "
    f"last {SasrecSettings().length} items, where its own paper reads {_LENGTH_OF_SASRECS_PAPER} of ML-1M; and dropout "
    "is on where `qsd`'s clones learn lists and off in the steal stage of `ptq` and `ptaq`."
)
_BEFORE = (
    "Some of these attacks with queries were measured before the steal stage learnt and ended as it does now: they "
    "compare with each other, and not with those of the other tables."
)
ATTACKS = (*PAPER_ATTACKS, "pta_pre", "ptaq_pre", "pta_joint", "ptaq_joint", "pta_mean")
SHOWN_REFERENCES = tuple(name for name in REFERENCE_NAMES if name != TARGET)
_REFERENCE_LINES = [Line(name, REFERENCE_NAMES[name]) for name in SHOWN_REFERENCES]
PAPER_NOTES = {
    "ml-1m": "The paper's figures here are all multiples of 1/1500, as if from a single run and 30 users.",
    "steam": "The paper's Steam is another data set than the one that it links to and that is used here: the two are "
    "not comparable.",
}


def tables_section(measured: Measured) -> Section:
    """Returns tables 4 to 8 beside the paper's, and what belongs to them."""
    text = (
        "Agr@50: the share of the target's 50 items that the clone recommends too, on held-out users. The paper's "
        "figures come without intervals. A dash is a cell that was not measured, or that the paper does not have."
    )
    sections = [
        _agreement_section(measured, 4, PAPER_ATTACKS, "every attack on every target"),
        _agreement_section(measured, 5, TABLE5, "attention against other ways to use auxiliary data"),
        statistics_section(measured),
        _losses_section(measured),
        _sequences_section(measured),
        _queried_section(measured),
        learnt_section(measured),
        differences_section(measured),
    ]
    return Section("tables", "The paper's tables beside ours", [Paragraph(text)], sections)


def _agreement_section(measured: Measured, number: int, attacks: Sequence[str], title: str) -> Section:
    rows, paper = measured.table_rows, paper_agreement(number)
    found = estimates(rows)
    bodies = [("Attacks", _attack_lines(attacks)), ("References", _REFERENCE_LINES)]
    blocks: list[Block] = [study(f"table{number}")]
    for dataset in datasets_of(rows):
        own = [target for target in TARGETS if (dataset, target) in {key[:2] for key in found}]
        beside = Beside(dataset, TARGETS if dataset in DATASETS else own, found, paper)
        caption = f"Table {number} on {dataset}: Agr@50 of held-out users"
        table = beside.table(f"table{number}-{dataset}", caption, ["attack"], bodies, f"table{number}")
        if not beside.has_paper and not own:
            continue
        blocks += [Paragraph(PAPER_NOTES[dataset], quiet=True)] if dataset in PAPER_NOTES else []
        blocks += [table, *(_comparison(rows, dataset, number) if own else [])]
    return Section(f"table{number}", f"Table {number}: {title}", blocks)


def _comparison(rows: pd.DataFrame, dataset: str, number: int) -> list[Block]:
    """The figure that has attacks and references side by side, once for each dataset."""
    if number != 4:  # noqa: PLR2004
        return []
    own = rows[(rows["dataset"] == dataset) & rows["attack"].isin([*ATTACKS, *SHOWN_REFERENCES])]
    queried = estimates(own, "queried")
    beside = Beside(dataset, [name for name in TARGETS if name in set(own["target"])], queried, {})
    lines = [("", [*_attack_lines(ATTACKS), *_REFERENCE_LINES])]
    behind = beside.table(
        f"comparison-{dataset}-table",
        f"Agr@50 of queried users on {dataset}; that of held-out users stands in the tables",
        ["attack"],
        lines,
        "queried",
    )
    caption = (
        f"Attacks beside references on {dataset}, the best first. Dots are held-out users with their 95 % interval, "
        "rings are queried users, whose lists the attacker already holds."
    )
    return [FigureBlock(f"comparison-{dataset}", caption, Comparison(own), behind)]


def _attack_lines(attacks: Iterable[str]) -> list[Line]:
    return [Line(name, f"`{name}`", ATTACKS_IN_WORDS.get(name, "")) for name in attacks]


def _losses_section(measured: Measured) -> Section:
    points = loss_points(measured.agreement)
    points = points.assign(attack=points["base"] + " " + points["value"].astype(str))
    cells = points[["dataset", "target", "seed"]].drop_duplicates()
    references = measured.table_rows[measured.table_rows["attack"].isin(SHOWN_REFERENCES)].merge(cells)
    found = estimates(pd.concat([points, references], ignore_index=True))
    bodies = [(with_words(base), [Line(f"{base} {loss}", f"`{base}`", "", loss) for loss in LOSSES]) for base in TABLE7]
    bodies.append(("References", _REFERENCE_LINES))
    beside = Beside("ml-1m", TARGETS, found, paper_agreement(7))
    caption = "Table 7 on ml-1m: Agr@50 of held-out users by the losses of the steal stage"
    table = beside.table("table7-ml-1m", caption, ["attack", "ranking + positive loss"], bodies, "table7")
    text = "The steal stage with each loss for the ranking within a list and for its items against others."
    command = study("table7") if found else not_measured("table7")
    return Section("table7", "Table 7: losses of the steal stage", [Paragraph(text), command, table])


def _sequences_section(measured: Measured) -> Section:
    shown = measured.plain
    rows = shown[shown["target"].isin(SEQUENTIAL_TARGETS)]
    found, paper = estimates(rows), paper_agreement(8)
    blocks: list[Block] = [Paragraph(_SEQUENCES), study("table8") if found else not_measured("table8")]
    if is_unrecorded(measured.agreement)[measured.agreement["target"].isin(SEQUENTIAL_TARGETS)].any():
        blocks.append(Paragraph(_BEFORE))
    datasets = datasets_of(rows, ("ml-1m-2999",))
    blocks += calls_blocks(found, datasets)
    for dataset in datasets:
        theirs = {(dataset, *key[1:]): value for key, value in paper.items()}
        beside = Beside(dataset, SEQUENTIAL_TARGETS, found, theirs)
        caption = f"Table 8 on {dataset}: Agr@50 of held-out users"
        lines = [("Attacks", _attack_lines(TABLE8)), ("References", _reference_lines(rows))]
        blocks.append(beside.table(f"table8-{dataset}", caption, ["attack"], lines, "table8"))
    return Section("table8", "Table 8: sequential targets", blocks)


def _reference_lines(rows: pd.DataFrame) -> list[Line]:
    known = set(rows["attack"])
    return [Line(name, REFERENCE_NAMES[name]) for name in SHOWN_REFERENCES if name in known or name == "retrain"]


def _queried_section(measured: Measured) -> Section:
    text = (
        "What the attacker already holds: attacks with queries were trained on these users' lists, and a cache of "
        "the answers scores 1.000. So this is memory, not theft, and no claim rests on it. The other attacks asked "
        "nothing: to them these users are like any others."
    )
    rows = measured.table_rows
    found = estimates(rows, "queried")
    blocks: list[Block] = []
    for dataset in datasets_of(rows):
        own = [target for target in TARGETS if (dataset, target) in {key[:2] for key in found}]
        if own:
            caption = f"Agr@50 of queried users on {dataset}"
            lines = [("Attacks", _attack_lines(ATTACKS)), ("References", _REFERENCE_LINES)]
            beside = Beside(dataset, own, found, {})
            blocks.append(beside.table(f"queried-{dataset}", caption, ["attack"], lines, ""))
    return Section(
        "queried",
        "The same for queried users: memory, not theft",
        [Paragraph(text), *([Folded("Show the tables", blocks)] if blocks else [not_measured("table4")])],
    )
