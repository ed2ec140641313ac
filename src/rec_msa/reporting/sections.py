"""The paper's tables beside ours, and what belongs to them: targets, data sets, steal stages, differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from rec_msa.attacks.settings import PAPER_ATTACKS
from rec_msa.evaluation.comparison import compare
from rec_msa.evaluation.intervals import seed_interval
from rec_msa.recommenders.settings import SasrecSettings
from rec_msa.reporting.axes import CALLS, LOSSES, WITH_LOSSES, loss_points, points_of, table_rows
from rec_msa.reporting.document import (
    LEARNT,
    NOT_MEASURED,
    ONE,
    Block,
    Bullets,
    Cell,
    Column,
    Figure,
    Folded,
    Paragraph,
    Section,
    Table,
    difference_cell,
    estimate_cell,
    missing,
    names,
    not_measured,
    p_cell,
    share_of,
    study,
    text_of,
)
from rec_msa.reporting.drawing import strips
from rec_msa.reporting.figures import calls_blocks
from rec_msa.reporting.measured import (
    ATTACK,
    STARTS,
    Measured,
    as_columns,
    datasets_of,
    estimates,
    gains,
    interval_kinds,
    is_unrecorded,
    seeds_and_users,
    steal_runs,
)
from rec_msa.reporting.names import (
    ATTACKS_IN_WORDS,
    DECIMALS,
    REFERENCE_NAMES,
    TARGET,
    interval,
    seeds_text,
    share,
    span,
    verdict_text,
    with_words,
)
from rec_msa.reporting.panels import HEADINGS, panels_of
from rec_msa.reporting.paper import DATASETS, SEQUENTIAL_TARGETS, TARGETS, paper_agreement, paper_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from rec_msa.reporting.measured import Estimate

    Row = Mapping[Any, Any]
    Lines = Sequence[tuple[str, Sequence[str]]]
    """A label, and the attacks or references below it."""

NO_ROWS = "Not measured."
NOT_IN_PAPER = "not in the paper"
TABLE5 = ("pta_pre", "ptaq_pre", "pta", "ptaq", "pta_joint", "ptaq_joint", "pta_mean")
TABLE8 = (*(f"qsd{calls}" for calls in CALLS.values), "qsd30_sequences", "random_sequences", "ptd", "ptq", "ptaq")
ATTACKS = (*PAPER_ATTACKS, "pta_pre", "ptaq_pre", "pta_joint", "ptaq_joint", "pta_mean")
SHOWN_REFERENCES = tuple(name for name in REFERENCE_NAMES if name != TARGET)
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
PUBLISHED = {"sasrec": (0.247, 0.129), "stamp": (0.215, 0.121), "gru4rec": (0.278, 0.155)}
"""Recall@10 and NDCG@10 on ML-1M (ratings from 3, 10-core), the last item as the test and all items ranked.

Source: RecBole's benchmark, https://github.com/RUCAIBox/RecBole, ``benchmark/hyper/sequential/<model>-ml-1m_seq.md``.
"""
PAPER_NOTES = {
    "ml-1m": "The paper's figures here are all multiples of 1/1500, as if from a single run and 30 users.",
    "steam": "The paper's Steam is another data set than the one that it links to and that is used here: the two are "
    "not comparable.",
}
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
_TABLES = (
    "Agr@50: the share of the target's 50 items that the clone recommends too, on held-out users. The paper's "
    "figures come without intervals. A dash is a cell that was not measured, or that the paper does not have."
)
_TARGETS = (
    "Agreement means little without the target's own quality: a weak target is close to popularity and easy to "
    "copy. `retrain` is the same architecture trained once more on the same data from another start; where a "
    "target learns more than what is popular, who does not have its weights can hardly agree more. Recall and "
    "NDCG are of 50 items on the test interactions, with the range over seeds."
)
_AT_10 = (
    "The last item of each target user is the test, and all items are ranked. RecBole's figures are of ML-1M "
    "(ratings from 3, 10-core), from the logs of its benchmark (`benchmark/hyper/sequential`): other data than "
    "ours. `sasrec` learns by cross-entropy there and from one negative here."
)
_DATA = (
    "Users, items and interactions after filtering. The paper's row for ML-1M is the unfiltered file and its "
    "Ta-Feng the 10-core of distinct pairs, whatever its text says of a 5-core; its Steam is another data set "
    "than the linked one."
)
_LOSSES = "The steal stage with each loss for the ranking within a list and for its items against others."
_QUERIED = (
    "What the attacker already holds: attacks with queries were trained on these users' lists, and a cache of "
    "the answers scores 1.000. So this is memory, not theft, and no claim rests on it. The other attacks asked "
    "nothing: to them these users are like any others."
)
_LEARNT = (
    "An attack with queries starts from the clone of one without, and its steal stage keeps the state that agrees most "
    "with the lists of queried users held back from it. Where that is the state before the first step, it **learnt "
    "nothing from the answers**, and its figure is that of its start: such figures are marked with †. A stage that "
    "ended at the limit of its steps might have learnt more."
)
_GAIN = (
    "Gain: Agr@k of the whole list above that of the attack's start (`ptq` − `ptd`, `ptaq` − `pta` and so on), under a "
    "defense on undefended lists; mean and 95 % interval, t over seeds. Variants of an attack stand here where a seed "
    "learnt nothing or ended at its limit."
)
_DIFFERENCES = (
    "a − b is how much more of the target's list a repeats than b, for the same held-out users and the same seed, then "
    "averaged over seeds. Interval and p are Student's t over seeds, p two-sided and after Holm's correction over the "
    'rows of a table; "p given these models" flips signs over users within seeds and says nothing about models trained '
    "anew. With fewer than five seeds a verdict is open, and who is ahead is a direction, no finding."
)


def targets_section(measured: Measured) -> Section:
    """Returns the targets' own quality beside what a retrained target and popularity agree with them."""
    found = estimates(measured.plain)
    order = [(dataset, target) for dataset in datasets_of(measured.plain) for target in (*TARGETS, *SEQUENTIAL_TARGETS)]
    known = {key[:2] for key in found}
    places = [place for place in order if place in known] + sorted(known - {*order})
    if not places:
        return Section("targets", "The targets", [Paragraph(_TARGETS), not_measured("table4")])
    frame = pd.DataFrame([_target(found, measured.undefended_quality, place) for place in places])
    columns = [*_target_heads(), _range("Recall@50", "recall_test"), _range("NDCG@50", "ndcg_test")]
    columns += [_beside("retrained target", "retrain"), _beside("popularity", "popularity")]
    columns.append(Column("pta / retrained", share_of("ratio")))
    data = ["dataset", "target", "recall_test", "ndcg_test"]
    data += [f"{name}_{part}" for name in _BESIDE_TARGETS for part in ("ours", "ci_low", "ci_high", "seeds", "n_users")]
    note = "Retrained target and popularity: Agr@50 of held-out users. " + _intervals(found.values())
    table = Table("targets-table", "What each target is worth", frame, columns, notes=[note], data=data, file="targets")
    sequential = frame[frame["target"].isin(SEQUENTIAL_TARGETS)]
    at_10 = [_at_10(sequential)] if len(sequential) else []
    return Section("targets", "The targets", [Paragraph(_TARGETS), table, *at_10])


_BESIDE_TARGETS = ("retrain", "popularity", "pta")
_QUALITIES = ("recall_test", "ndcg_test", "recall_test_at_10", "ndcg_test_at_10")


def _target(found: Mapping[Any, Estimate], quality: pd.DataFrame, place: tuple[str, str]) -> dict[str, Any]:
    """A target's quality on the seeds for which anything was measured, and what others agree with it."""
    seeds, _ = seeds_and_users([one for key, one in found.items() if key[:2] == place])
    own = quality[(quality["dataset"] == place[0]) & (quality["target"] == place[1]) & quality["seed"].isin(seeds)]
    row: dict[str, Any] = {"dataset": place[0], "target": place[1], "of_seeds": seeds}
    for name in _QUALITIES:
        values = pd.to_numeric(own[name]).dropna()
        row |= {name: values.mean(), f"all_{name}": list(values)}
    for name in _BESIDE_TARGETS:
        one = found.get((*place, name))
        row |= {name: one, **{f"{name}_{part}": value for part, value in as_columns(one).items()}}
    pta, retrain = row["pta"], row["retrain"]
    same = pta is not None and retrain is not None and pta.seeds == retrain.seeds and retrain.value
    return {**row, "ratio": pta.value / retrain.value if same else float("nan")}


def _target_heads() -> list[Column]:
    seeds = Column("seeds", lambda row: Cell(seeds_text(row["of_seeds"]).split(" ", 1)[1]), "l")
    return [*names("dataset", "target"), seeds]


def _range(head: str, name: str) -> Column:
    """A mean over seeds with its range; an asterisk where a seed lacks it."""

    def write(row: Row) -> Cell:
        values = row[f"all_{name}"]
        ends = f"({share(min(values))}–{share(max(values))})" if len(values) > 1 else ""
        return Cell(share(row[name]) + "*" * (len(values) < len(row["of_seeds"])), ends) if values else missing()

    return Column(head, write)


def _beside(head: str, name: str) -> Column:
    return Column(head, lambda row: estimate_cell(row[name], row["of_seeds"]))


def _at_10(frame: pd.DataFrame) -> Table:
    """Recall and NDCG of sequential targets as their literature has them, beside published figures."""
    published = [
        PUBLISHED[target] if dataset.startswith("ml-1m") else (None, None)
        for dataset, target in zip(frame["dataset"], frame["target"], strict=True)
    ]
    both = frame.assign(
        **{name: [one[at] for one in published] for at, name in enumerate(("recbole_recall", "recbole_ndcg"))}
    )
    columns = [*_target_heads(), _range("Recall@10", "recall_test_at_10"), _range("NDCG@10", "ndcg_test_at_10")]
    columns += [
        Column(head, share_of(name, "no published figure"))
        for head, name in (("RecBole: Recall@10", "recbole_recall"), ("RecBole: NDCG@10", "recbole_ndcg"))
    ]
    data = ["dataset", "target", "recall_test_at_10", "ndcg_test_at_10", "recbole_recall", "recbole_ndcg"]
    notes = [_AT_10, f"Measured by `{study('table8').command}`"]
    caption = "Sequential targets at 10 items, beside published figures"
    return Table("targets-at-10", caption, both, columns, notes=notes, data=data, file="targets_at_10")


def tables_section(measured: Measured) -> Section:
    """Returns tables 4 to 8 beside the paper's, and what belongs to them."""
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
    return Section("tables", "The paper's tables beside ours", [Paragraph(_TABLES)], sections)


def beside_table(
    name: str,
    caption: str,
    place: tuple[str, Sequence[str]],
    lines: Lines,
    ours: Mapping[Any, Estimate],
    paper: Mapping[Any, float],
    file: str,
    heads: Sequence[Column] = (),
) -> Table:
    """Returns a table that sets what was measured beside the paper's figures: value, interval, paper, difference.

    Args:
        name: Its anchor.
        caption: What it shows.
        place: The dataset, and the targets, which are its columns.
        lines: Labels and the attacks or references below each.
        ours: An estimate for each dataset, target and attack that was measured.
        paper: The paper's figure for each that it has.
        file: The CSV file's name.
        heads: The leading columns, where not the attack alone.
    """
    dataset, targets = place
    rows = [
        {"label": label, "attack": attack, "dataset": dataset, "target": target, "key": (dataset, target, attack)}
        for label, attacks in lines
        for attack in attacks
        for target in targets
    ]
    frame = pd.DataFrame(rows, columns=["label", "attack", "dataset", "target", "key"])
    frame = frame.assign(**{ONE: [ours.get(key) for key in frame["key"]], "paper": frame["key"].map(paper)})
    value = [float("nan") if one is None else one.value for one in frame[ONE]]
    frame["difference"] = pd.Series(value, frame.index) - frame["paper"]
    known = [one for key, one in ours.items() if key[0] == dataset and key[1] in targets]
    shown = [_of_target(dataset, target, ours, any(key[0] == dataset for key in paper)) for target in targets]
    columns = [
        *(heads or [Column("attack", _attack_cell, "l", names=True)]),
        *(column for own in shown for column in own),
    ]
    keys, data = ["label", "attack"], ["dataset", "target", "attack", ONE, "paper", "difference"]
    notes = [_intervals(known), *_fewer_seeds(dataset, ours)] if known else []
    return Table(name, caption, frame, columns, keys, "target", "label", notes, data if file else (), file)


def _of_target(dataset: str, target: str, ours: Mapping[Any, Estimate], has_paper: bool) -> list[Column]:
    own = [one for key, one in ours.items() if key[:2] == (dataset, target)]
    seeds, users = seeds_and_users(own)
    group = f"{target}, {seeds_text(seeds)}, {span(users)} users" if own else f"{target}, {NOT_MEASURED}"
    shown = Column(
        "ours" if has_paper else "Agr@50", lambda row: estimate_cell(row.get(ONE), seeds), "r", group, target
    )
    if not has_paper:
        return [shown]
    paper = Column("paper", share_of("paper", NOT_IN_PAPER), "r", group, target)
    return [shown, paper, Column("difference", _difference, "r", group, target)]


def _difference(row: Row) -> Cell:
    one = row[ONE]
    if one is None or pd.isna(row["paper"]):
        return missing(NOT_MEASURED if one is None else "nothing to subtract")
    where = "inside" if one.low <= row["paper"] <= one.high else "outside"
    return Cell(share(row["difference"], signed=True), title=f"the paper's figure lies {where} our interval")


def _attack_cell(row: Row) -> Cell:
    attack = str(row["attack"])
    return Cell(REFERENCE_NAMES.get(attack, f"`{attack}`"), ATTACKS_IN_WORDS.get(attack, ""))


def _intervals(found: Iterable[Estimate]) -> str:
    return f"Mean and 95 % interval: {interval_kinds(list(found))}."


def _fewer_seeds(dataset: str, ours: Mapping[Any, Estimate]) -> list[str]:
    seeds: dict[str, set[tuple[int, ...]]] = {}
    for key, one in ours.items():
        if key[0] == dataset:
            seeds.setdefault(key[1], set()).add(one.seeds)
    return ["An asterisk: fewer seeds than the column has."] if any(len(own) > 1 for own in seeds.values()) else []


def _lines(attacks: Sequence[str], references: Sequence[str] = SHOWN_REFERENCES) -> Lines:
    return list(zip(HEADINGS, (attacks, references), strict=True))


def _agreement_section(measured: Measured, number: int, attacks: Sequence[str], title: str) -> Section:
    rows, paper = measured.table_rows, paper_agreement(number)
    found = estimates(rows)
    blocks: list[Block] = [study(f"table{number}")]
    for dataset in datasets_of(rows):
        own = _measured_targets(dataset, found)
        if dataset not in DATASETS and not own:
            continue
        targets = list(dict.fromkeys([*TARGETS, *own])) if dataset in DATASETS else own
        caption, name = f"Table {number} on {dataset}: Agr@50 of held-out users", f"table{number}-{dataset}"
        table = beside_table(name, caption, (dataset, targets), _lines(attacks), found, paper, f"table{number}")
        blocks += [Paragraph(PAPER_NOTES[dataset], quiet=True)] if dataset in PAPER_NOTES else []
        blocks += [table, *([_comparison(rows, dataset)] if own and attacks == PAPER_ATTACKS else [])]
    return Section(f"table{number}", f"Table {number}: {title}", blocks)


def _measured_targets(dataset: str, found: Mapping[Any, Estimate]) -> list[str]:
    """The targets that were measured on a data set, the paper's first."""
    known = {key[1] for key in found if key[0] == dataset}
    return [target for target in TARGETS if target in known] + sorted(known - {*TARGETS})


def _comparison(rows: pd.DataFrame, dataset: str) -> Figure:
    """The figure that has attacks and references side by side, once for each dataset."""
    own = rows[(rows["dataset"] == dataset) & rows["attack"].isin([*ATTACKS, *SHOWN_REFERENCES])]
    queried = estimates(own, "queried")
    caption = f"Agr@50 of queried users on {dataset}; that of held-out users stands in the tables"
    place, lines = (dataset, _measured_targets(dataset, queried)), [("", [*ATTACKS, *SHOWN_REFERENCES])]
    behind = beside_table(f"comparison-{dataset}-table", caption, place, lines, queried, {}, "queried")
    text = (
        f"Attacks beside references on {dataset}, the best first. Dots are held-out users with their 95 % interval, "
        "rings are queried users, whose lists the attacker already holds."
    )
    return Figure(f"comparison-{dataset}", text, strips(panels_of(own)), behind)


def _losses_section(measured: Measured) -> Section:
    points = loss_points(measured.agreement)
    points = points.assign(attack=points["base"] + " " + points["value"].astype(str))
    cells = points[["dataset", "target", "seed"]].drop_duplicates()
    references = measured.table_rows[measured.table_rows["attack"].isin(SHOWN_REFERENCES)].merge(cells)
    found = estimates(pd.concat([points, references], ignore_index=True))
    lines = [(with_words(base), [f"{base} {loss}" for loss in LOSSES]) for base in WITH_LOSSES]
    heads = [
        Column("attack", _base_cell, "l", names=True),
        Column("ranking + positive loss", _loss_cell, "l", names=True),
    ]
    caption = "Table 7 on ml-1m: Agr@50 of held-out users by the losses of the steal stage"
    lines = [*lines, (HEADINGS[1], SHOWN_REFERENCES)]
    table = beside_table("table7-ml-1m", caption, ("ml-1m", TARGETS), lines, found, paper_agreement(7), "table7", heads)
    command = study("table7") if found else not_measured("table7")
    return Section("table7", "Table 7: losses of the steal stage", [Paragraph(_LOSSES), command, table])


def _base_cell(row: Row) -> Cell:
    return Cell(f"`{base}`" if (base := row["attack"].partition(" ")[0]) in WITH_LOSSES else REFERENCE_NAMES[base])


def _loss_cell(row: Row) -> Cell:
    return Cell(row["attack"].partition(" ")[2])


def _sequences_section(measured: Measured) -> Section:
    rows = measured.plain[measured.plain["target"].isin(SEQUENTIAL_TARGETS)]
    found, paper = estimates(rows), paper_agreement(8)
    blocks: list[Block] = [Paragraph(_SEQUENCES), study("table8") if found else not_measured("table8")]
    if is_unrecorded(measured.agreement)[measured.agreement["target"].isin(SEQUENTIAL_TARGETS)].any():
        blocks.append(Paragraph(_BEFORE))
    datasets = datasets_of(rows, ("ml-1m-2999",))
    calls = points_of(measured.agreement, CALLS)
    blocks += calls_blocks(found, datasets, calls[calls["target"].isin(SEQUENTIAL_TARGETS)])
    known = set(rows["attack"])
    references = [name for name in SHOWN_REFERENCES if name in known or name == "retrain"]
    for dataset in datasets:
        theirs = {(dataset, *key[1:]): value for key, value in paper.items()}
        caption, place = f"Table 8 on {dataset}: Agr@50 of held-out users", (dataset, SEQUENTIAL_TARGETS)
        lines = _lines(TABLE8, references)
        blocks.append(beside_table(f"table8-{dataset}", caption, place, lines, found, theirs, "table8"))
    return Section("table8", "Table 8: sequential targets", blocks)


def _queried_section(measured: Measured) -> Section:
    found = estimates(measured.table_rows, "queried")
    blocks: list[Block] = []
    for dataset in datasets_of(measured.table_rows):
        own = _measured_targets(dataset, found)
        if own:
            caption = f"Agr@50 of queried users on {dataset}"
            blocks.append(beside_table(f"queried-{dataset}", caption, (dataset, own), _lines(ATTACKS), found, {}, ""))
    shown = Folded("Show the tables", blocks) if blocks else not_measured("table4")
    return Section("queried", "The same for queried users: memory, not theft", [Paragraph(_QUERIED), shown])


_COUNTS = ("users", "items", "interactions")


def statistics_section(measured: Measured) -> Section:
    """Returns Table 6: the data sets after filtering, beside the paper's, and what was read of each."""
    known = {str(row["dataset"]): row for row in measured.statistics.to_dict("records")}
    paper, others = paper_table(6), measured.not_original
    listed = datasets_of(measured.statistics) if known else list(paper)
    frame = pd.DataFrame([_counts(name, known.get(name, {}), paper.get(name, {}), name in others) for name in listed])
    columns = [Column("dataset", lambda row: Cell(row["dataset"], "another file" * row["other"]), "l", names=True)]
    for count in _COUNTS:
        columns += [Column("ours", _count_of(count), group=count)]
        columns += [Column("paper", _count_of(f"{count}_paper", NOT_IN_PAPER), group=count)]
        columns += [Column("difference", _count_of(f"{count}_difference", signed=True), group=count)]
    columns.append(Column("ours", _density, group="density"))
    data = ["dataset", *(f"{name}{of}" for name in _COUNTS for of in ("", "_paper")), "density"]
    table = Table("table6-counts", "Table 6: the data sets", frame, columns, data=data, file="table6")
    command = study("table6") if known else not_measured("table6")
    read = reading_table(measured.statistics)
    blocks: list[Block] = [Paragraph(_DATA), command, table, *([] if read is None else [read])]
    return Section("table6", "Table 6: the data sets", blocks)


def _counts(name: str, ours: Mapping[Any, Any], paper: Mapping[str, int], other: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"dataset": name, "other": other, "density": ours.get("density", float("nan"))}
    for count in _COUNTS:
        own, theirs = ours.get(count, float("nan")), paper.get(count, float("nan"))
        row |= {count: own, f"{count}_paper": theirs, f"{count}_difference": own - theirs}
    return row


def _count_of(name: str, why: str = NOT_MEASURED, *, signed: bool = False) -> Callable[[Row], Cell]:
    def write(row: Row) -> Cell:
        if pd.isna(row[name]):
            return missing(why)
        count = int(row[name])
        return Cell(f"{count:{'+' * (signed and count != 0)},}".replace("-", "−"))

    return write


def _density(row: Row) -> Cell:
    return missing() if pd.isna(row["density"]) else Cell(f"{100 * float(row['density']):.2f} %")


def reading_table(statistics: pd.DataFrame) -> Table | None:
    """Returns a row for each data set whose statistics say how it was read; None where none does."""
    if "rows_read" not in statistics:
        return None
    read = statistics.dropna(subset="rows_read")
    left_out = [", ".join(f"{n:,} for {reason}" for reason, n in dropped.items()) for dropped in read["rows_dropped"]]
    counts = {name: read[name].astype("int64") for name in ("rows_in_file", "rows_read", "repeats")}
    read = read.assign(left_out=left_out, odd=["; ".join(odd) for odd in read["odd"]], **counts)
    columns = [Column("data set", text_of("dataset"), "l", names=True)]
    heads = zip(("rows", "read", "repeats"), counts, strict=True)
    columns += [Column(head, _count_of(name)) for head, name in heads]
    columns += [Column("left out", text_of("left_out"), "l")]
    columns += [Column(end, _time_of(f"time_{end}")) for end in ("from", "to")]
    columns.append(Column("to look at", text_of("odd"), "l"))
    data = ["dataset", *counts, "left_out", "time_from", "time_to", "odd"]
    return Table("reading", "What was read", read, columns, data=data, file="reading")


def _time_of(name: str) -> Callable[[Row], Cell]:
    return lambda row: Cell(str(row[name])) if row[name] else missing("no times")


def learnt_section(measured: Measured) -> Section:
    """Returns how many seeds of each attack kept their start or ended at a limit, and what the answers added."""
    runs, gained = steal_runs(measured.agreement), gains(measured.agreement)
    counted = "Which state was kept is not recorded in these results."
    if len(runs):
        counted = (
            f"Of {len(runs)} stages whose steps are recorded, {runs['nothing'].sum()} learnt nothing from the answers "
            f"and {runs['at_limit'].sum()} ended at their limit."
        )
    ended = {key: part for key, part in runs.groupby(ATTACK)}
    added = {key: part for key, part in gained.groupby(ATTACK)}
    rows = [_learnt(key, ended.get(key, runs.head(0)), added.get(key)) for key in sorted({*ended, *added})]
    rows = [row for row in rows if row["attack"] in STARTS or row["nothing"] or row["at_limit"]]
    table = [Folded("Show the table", [_learnt_table(pd.DataFrame(rows))])] if rows else []
    return Section(LEARNT, "What the steal stage learnt", [Paragraph(f"{_LEARNT} {counted}"), *table])


def _learnt(key: Sequence[str], ended: pd.DataFrame, added: pd.DataFrame | None) -> dict[str, Any]:
    """What is known of an attack on a target."""
    row: dict[str, Any] = {**dict(zip(ATTACK, key, strict=True)), "n_runs": len(ended)}
    row |= {how: int(ended[how].sum()) for how in ("nothing", "at_limit")}
    row["n_seeds"] = len(ended) if added is None else added["seed"].nunique()
    for group in ("queried", "heldout"):
        own = [] if added is None else list(added.loc[added["group"] == group, "gain"])
        over = seed_interval(own) if own else None
        figures = (over.mean, over.low, over.high) if over else (float("nan"),) * 3
        row |= dict(zip((f"gain_{group}", f"{group}_low", f"{group}_high"), figures, strict=True))
    return row


def _learnt_table(frame: pd.DataFrame) -> Table:
    columns = [*names(*ATTACK, code=["defense", "attack"]), Column("seeds", text_of("n_seeds"))]
    columns += [Column("learnt nothing", _ended("nothing")), Column("at the limit", _ended("at_limit"))]
    columns += [Column("gain, queried", _gain("queried")), Column("gain, held-out", _gain("heldout"))]
    caption = "How the steal stages ended, and what the answers added"
    return Table("learnt-table", caption, frame, columns, notes=[_GAIN], data=list(frame), file=LEARNT)


def _ended(how: str) -> Callable[[Row], Cell]:
    return lambda row: Cell(f"{row[how]} of {row['n_runs']}") if row["n_runs"] else missing("not recorded")


def _gain(group: str) -> Callable[[Row], Cell]:
    def write(row: Row) -> Cell:
        mean, low, high = row[f"gain_{group}"], row[f"{group}_low"], row[f"{group}_high"]
        if pd.isna(mean):
            return missing("no start to subtract")
        return Cell(share(mean, signed=True), "" if pd.isna(low) else interval(low, high, signed=True))

    return write


def differences_section(measured: Measured) -> Section:
    """Returns who is ahead of whom: paired differences with their tests, a table for each pair."""
    rows = table_rows(measured.per_user)
    known = set(rows["attack"])
    pairs = [pair for pair in PAIRS if known.issuperset(pair)]
    judged = compare(rows, pairs) if pairs else pd.DataFrame(columns=["attack", "versus"])
    blocks: list[Block] = [Paragraph(_DIFFERENCES)]
    without = []
    for (attack, versus), meaning in PAIRS.items():
        own, caption = (
            judged[(judged["attack"] == attack) & (judged["versus"] == versus)],
            f"`{attack}` − `{versus}`: {meaning}",
        )
        if len(own):
            blocks.append(_differences_table(f"difference-{attack}-{versus}", caption, own))
        else:
            without.append(f"{caption}. {NO_ROWS}")
    return Section("differences", "Who is ahead of whom", [*blocks, *([Bullets(without)] if without else [])])


def _differences_table(name: str, caption: str, own: pd.DataFrame) -> Table:
    columns = [*names("dataset", "target"), Column("difference", difference_cell)]
    columns += [Column("p (Holm)", lambda row: p_cell(row["p_holm"]))]
    columns += [Column("p given these models", lambda row: p_cell(row["p_sign_flip"]))]
    columns += [
        Column("seeds", text_of("n_seeds")),
        Column("users", text_of("n_users")),
        Column("verdict", _ahead, "l"),
    ]
    data = ["dataset", "target", "attack", "versus", "difference", "sd", "ci_low", "ci_high", "p_holm", "p_sign_flip"]
    return Table(name, caption, own, columns, data=[*data, "n_seeds", "n_users", "verdict"], file="differences")


def _ahead(row: Row) -> Cell:
    ahead = row["attack"] if row["difference"] > 0 else row["versus"]
    so_far = f"`{ahead}` ahead" if round(row["difference"], DECIMALS) else "neither ahead"
    return Cell(verdict_text(row, so_far), verdict=str(row["verdict"]))
