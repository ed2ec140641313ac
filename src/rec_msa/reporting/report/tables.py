"""The tables of the paper beside ours, and the targets that they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rec_msa.attacks.settings import PAPER_ATTACKS
from rec_msa.evaluation.comparison import compare
from rec_msa.reporting.axes import LOSSES, loss_points
from rec_msa.reporting.claims import NOT_MEASURED as NO_ROWS
from rec_msa.reporting.markdown import DECIMALS, figure, interval, p_value, verdict
from rec_msa.reporting.names import ATTACKS_IN_WORDS, REFERENCES, TARGET, seeds_text, with_words
from rec_msa.reporting.paper import DATASETS, SEQUENTIAL_TARGETS, TARGETS, paper_agreement, paper_table
from rec_msa.reporting.report.beside import NOT_IN_PAPER, Beside, Line, estimate_cell, intervals_note, plain
from rec_msa.reporting.report.commands import not_measured, study
from rec_msa.reporting.report.drawings import Comparison
from rec_msa.reporting.report.measured import Measured, datasets_of, estimates, seeds_and_users
from rec_msa.reporting.report.model import (
    Block,
    Body,
    Bullets,
    Cell,
    FigureBlock,
    Folded,
    Paragraph,
    Section,
    Table,
    missing,
)

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from rec_msa.reporting.panels import Estimate

TABLE5 = ("pta_pre", "ptaq_pre", "pta", "ptaq", "pta_joint", "ptaq_joint", "pta_mean")
TABLE7 = ("qsd", "ptq", "ptaq")
TABLE8 = ("qsd5", "qsd10", "qsd15", "qsd20", "qsd25", "qsd30", "random_sequences", "ptd", "ptq", "ptaq")
ATTACKS = (*PAPER_ATTACKS, "pta_pre", "ptaq_pre", "pta_joint", "ptaq_joint", "pta_mean")
SHOWN_REFERENCES = tuple(name for name in REFERENCES if name != TARGET)
_REFERENCE_LINES = [Line(name, REFERENCES[name]) for name in SHOWN_REFERENCES]
PAIRS = {
    ("ptq", "ptd"): "what queries add to known data",
    ("ptaq", "pta"): "what queries add to known and auxiliary data",
    ("pta", "ptd"): "what auxiliary data add",
    ("pta", "ptq"): "auxiliary data against queries",
    ("ptaq", "ptq"): "what auxiliary data add where there are queries",
    ("pta", "pta_pre"): "attention against auxiliary vectors as a start",
    ("ptaq", "ptaq_pre"): "the same with queries",
    ("pta", "pta_joint"): "attention against one clone on both data",
    ("ptaq", "ptaq_joint"): "the same with queries",
    ("pta", "pta_mean"): "attention against fusing half and half",
    ("ptq", "knn_lists"): "a clone against looking up the lists of the most similar queried users",
    ("ptaq", "knn_lists"): "the same with auxiliary data",
}
"""Comparisons "the first agrees more with the target than the second", and what each is about."""
PAPER_NOTES = {
    "ml-1m": "The paper's figures here are all multiples of 1/1500, as if from a single run and 30 users.",
    "steam": "The paper's Steam is another data set than the one that it links to and that is used here: the two are "
    "not comparable.",
}
_COUNTS = ("users", "items", "interactions")
_DIFFERENCES_NOTE = (
    "a − b is how much more of the target's list a repeats than b, for the same held-out users and the same seed, then "
    "averaged over seeds. Interval and p are Student's t over seeds, p two-sided and after Holm's correction over the "
    'rows of a table; "p given these models" flips signs over users within seeds and says nothing about models trained '
    "anew. With fewer than five seeds a verdict is open, and who is ahead is a direction, no finding."
)


def targets_section(measured: Measured) -> Section:
    """Returns the targets' own quality beside what a retrained target and popularity agree with them."""
    found = estimates(measured.plain)
    own = measured.undefended_quality
    keys = list(dict.fromkeys(key[:2] for key in found))
    order = {name: place for place, name in enumerate((*TARGETS, *SEQUENTIAL_TARGETS))}
    keys.sort(key=lambda key: (datasets_of(measured.plain).index(key[0]), order.get(key[1], 99)))
    text = (
        "Agreement means little without the target's own quality: a weak target is close to popularity and easy to "
        "copy. `retrain` is the same architecture trained once more on the same data from another start; who does "
        "not have the weights can hardly agree more. Recall and NDCG are of 50 items on the test interactions, with "
        "the range over seeds."
    )
    if not keys:
        return Section("targets", "The targets", [Paragraph(text), not_measured("table4")])
    head = ["dataset", "target", "seeds", "Recall@50", "NDCG@50", "retrained target", "popularity", "pta / retrained"]
    rows = [_target_row(key, found, own) for key in keys]
    notes = ["Retrained target and popularity: Agr@50 of held-out users. " + intervals_note(list(found.values()))]
    data = pd.DataFrame([_target_data(key, found, own) for key in keys])
    table = Table(
        "targets-table", "What each target is worth", head, [Body(rows)], "lllrrrrr", (), 2, notes, data, "targets"
    )
    return Section("targets", "The targets", [Paragraph(text), table])


def _target_row(key: tuple[str, str], found: Mapping[tuple[str, ...], Estimate], quality: pd.DataFrame) -> list[Cell]:
    seeds, _ = seeds_and_users([one for name, one in found.items() if name[:2] == key])
    own = quality[(quality["dataset"] == key[0]) & (quality["target"] == key[1]) & quality["seed"].isin(seeds)]
    cells = [Cell(key[0]), Cell(key[1]), Cell(seeds_text(seeds).split(" ", 1)[1])]
    cells += [_range_cell(own[name], len(seeds)) for name in ("recall_test", "ndcg_test")]
    retrain, popularity, pta = (found.get((*key, name)) for name in ("retrain", "popularity", "pta"))
    cells += [estimate_cell(retrain, seeds), estimate_cell(popularity, seeds)]
    if pta is None or retrain is None or pta.seeds != retrain.seeds or not retrain.value:
        return [*cells, missing()]
    return [*cells, Cell(figure(pta.value / retrain.value))]


def _range_cell(column: pd.Series, n_seeds: int) -> Cell:
    values = column.dropna().to_numpy(dtype=np.float64)
    if not values.size:
        return missing()
    ends = f"({figure(values.min())}–{figure(values.max())})" if values.size > 1 else ""
    return Cell(figure(values.mean()) + "*" * (values.size < n_seeds), ends)


def _target_data(
    key: tuple[str, str], found: Mapping[tuple[str, ...], Estimate], quality: pd.DataFrame
) -> dict[str, Any]:
    own = quality[(quality["dataset"] == key[0]) & (quality["target"] == key[1])]
    row: dict[str, Any] = {"dataset": key[0], "target": key[1]}
    row |= {name: pd.to_numeric(own[name]).mean() for name in ("recall_test", "ndcg_test")}
    for name in ("retrain", "popularity", "pta"):
        ours = plain(found.get((*key, name)))
        row |= {f"{name}_{part}": ours[part] for part in ("ours", "ci_low", "ci_high", "seeds", "n_users")}
    return row


def tables_section(measured: Measured) -> Section:
    """Returns tables 4 to 8 beside the paper's, and what belongs to them."""
    text = (
        "Agr@50: the share of the target's 50 items that the clone recommends too, on held-out users. The paper's "
        "figures come without intervals. A dash is a cell that was not measured, or that the paper does not have."
    )
    sections = [
        _agreement_section(measured, 4, PAPER_ATTACKS, "every attack on every target"),
        _agreement_section(measured, 5, TABLE5, "attention against other ways to use auxiliary data"),
        _statistics_section(measured),
        _losses_section(measured),
        _sequences_section(measured),
        _queried_section(measured),
        _differences_section(measured),
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


def _statistics_section(measured: Measured) -> Section:
    text = (
        "Users, items and interactions after filtering. The paper's row for ML-1M is the unfiltered file and its "
        "Ta-Feng the 10-core of distinct pairs, whatever its text says of a 5-core; its Steam is another data set "
        "than the linked one."
    )
    known = {str(row["dataset"]): row for row in measured.statistics.to_dict("records")}
    paper = paper_table(6)
    names = datasets_of(measured.statistics) if len(measured.statistics) else list(paper)
    rows = [_counts_row(name, known.get(name), paper.get(name)) for name in names]
    head = ["dataset", *["ours", "paper", "difference"] * len(_COUNTS), "ours"]
    groups = [("", 1), *((name, 3) for name in _COUNTS), ("density", 1)]
    data = pd.DataFrame([_counts_data(name, known, paper.get(name, {})) for name in names])
    table = Table(
        "table6-counts", "Table 6: the data sets", head, [Body(rows)], "l" + "r" * 10, groups, 1, (), data, "table6"
    )
    command = study("table6") if known else not_measured("table6")
    return Section("table6", "Table 6: the data sets", [Paragraph(text), command, table])


def _counts_row(name: str, ours: Mapping[Hashable, Any] | None, paper: Mapping[str, int] | None) -> list[Cell]:
    cells = [Cell(name)]
    for count in _COUNTS:
        own, theirs = (None if ours is None else int(ours[count])), (paper or {}).get(count)
        cells.append(missing() if own is None else Cell(f"{own:,}"))
        cells.append(missing(NOT_IN_PAPER) if theirs is None else Cell(f"{theirs:,}"))
        cells.append(missing() if own is None or theirs is None else Cell(_signed(own - theirs)))
    return [*cells, missing() if ours is None else Cell(f"{100 * float(ours['density']):.2f} %")]


def _signed(count: int) -> str:
    return f"{count:+,}".replace("-", "−") if count else "0"


def _counts_data(name: str, known: Mapping[str, Mapping[Hashable, Any]], paper: Mapping[str, int]) -> dict[str, Any]:
    ours = known.get(name, {})
    row: dict[str, Any] = {"dataset": name}
    for count in _COUNTS:
        row |= {count: ours.get(count, np.nan), f"{count}_paper": paper.get(count, np.nan)}
    return row | {"density": ours.get("density", np.nan)}


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
    text = (
        "The paper has all of ML-1M. `ml-1m-2999` are its first 2,999 users, those whose times lay where this was "
        "measured, so this is **not the paper's data**, and a difference says little. `qsd`k makes up sequences and "
        "asks k times as often as `ptq`."
    )
    blocks: list[Block] = [Paragraph(text), study("table8") if found else not_measured("table8")]
    for dataset in datasets_of(rows, ("ml-1m-2999",)):
        theirs = {("ml-1m-2999", *key[1:]): value for key, value in paper.items()}
        beside = Beside(dataset, SEQUENTIAL_TARGETS, found, theirs)
        caption = f"Table 8 on {dataset}: Agr@50 of held-out users"
        lines = [("Attacks", _attack_lines(TABLE8)), ("References", _reference_lines(rows))]
        blocks.append(beside.table(f"table8-{dataset}", caption, ["attack"], lines, "table8"))
    return Section("table8", "Table 8: sequential targets", blocks)


def _reference_lines(rows: pd.DataFrame) -> list[Line]:
    known = set(rows["attack"])
    return [Line(name, REFERENCES[name]) for name in SHOWN_REFERENCES if name in known or name == "retrain"]


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


def _differences_section(measured: Measured) -> Section:
    rows = measured.users_of(measured.table_rows)
    known = set(rows["attack"])
    pairs = [pair for pair in PAIRS if known.issuperset(pair)]
    judged = compare(rows, pairs) if pairs else pd.DataFrame()
    blocks: list[Block] = [Paragraph(_DIFFERENCES_NOTE)]
    without = []
    for pair, meaning in PAIRS.items():
        own = judged[(judged["attack"] == pair[0]) & (judged["versus"] == pair[1])] if pairs else judged
        if len(own):
            blocks.append(_differences_table(pair, meaning, own))
        else:
            without.append(f"`{pair[0]}` − `{pair[1]}`: {meaning}. {NO_ROWS}")
    blocks += [Bullets(without)] if without else []
    return Section("differences", "Who is ahead of whom", blocks)


def _differences_table(pair: tuple[str, str], meaning: str, own: pd.DataFrame) -> Table:
    head = ["dataset", "target", "difference", "p (Holm)", "p given these models", "seeds", "users", "verdict"]
    rows = [difference_row(row) for _, row in own.iterrows()]
    columns = [
        "dataset",
        "target",
        "attack",
        "versus",
        "difference",
        "sd",
        "ci_low",
        "ci_high",
        "p_holm",
        "p_sign_flip",
    ]
    data = own[[*columns, "n_seeds", "n_users", "verdict"]]
    name, caption = f"difference-{pair[0]}-{pair[1]}", f"`{pair[0]}` − `{pair[1]}`: {meaning}"
    return Table(name, caption, head, [Body(rows)], "llrrrrrl", (), 2, (), data, "differences")


def difference_row(row: pd.Series) -> list[Cell]:
    """Returns the cells of a judged difference between two attacks."""
    ahead = row["attack"] if row["difference"] > 0 else row["versus"]
    so_far = f"`{ahead}` ahead" if round(row["difference"], DECIMALS) else "level"
    ends = interval(row["ci_low"], row["ci_high"], signed=True)
    return [
        Cell(row["dataset"]),
        Cell(row["target"]),
        Cell(figure(row["difference"], signed=True), "" if np.isnan(row["ci_low"]) else ends),
        _p_cell(row["p_holm"]),
        _p_cell(row["p_sign_flip"]),
        Cell(str(row["n_seeds"])),
        Cell(str(row["n_users"])),
        Cell(verdict(row, so_far), verdict=str(row["verdict"])),
    ]


def _p_cell(value: float) -> Cell:
    return missing("no test: one seed") if np.isnan(value) else Cell(p_value(value))
