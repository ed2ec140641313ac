"""The paper's tables beside ours, and what belongs to them: targets, data sets, steal stages, differences."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from rec_msa.attacks.registry import STARTS
from rec_msa.attacks.settings import PAPER_ATTACKS
from rec_msa.evaluation.comparison import compare
from rec_msa.evaluation.intervals import seed_interval
from rec_msa.recommenders.settings import SasrecSettings
from rec_msa.reporting import document as doc
from rec_msa.reporting.axes import CALLS, LOSSES, WITH_LOSSES, loss_points, table_rows
from rec_msa.reporting.drawing import strips
from rec_msa.reporting.figures import calls_blocks
from rec_msa.reporting.measured import (
    ATTACK,
    Measured,
    as_columns,
    datasets_of,
    estimates,
    gains,
    interval_kinds,
    seeds_and_users,
    steal_runs,
)
from rec_msa.reporting.names import (
    ATTACKS_IN_WORDS,
    DATASETS,
    DECIMALS,
    NOT_IN_ALL,
    REFERENCE_NAMES,
    SEQUENTIAL_TARGETS,
    TARGET,
    TARGETS,
    TEXTS,
    paper_agreement,
    paper_table,
    seeds_text,
    share,
    shown_name,
    span,
    verdict_text,
    with_words,
)
from rec_msa.reporting.panels import HEADINGS, panels_of

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
PAIRS = {(one, other): about for one, other, about in TEXTS["pairs"]}
"""Comparisons "the first agrees more with the target than the second", and what each is about."""
PUBLISHED = {"sasrec": (0.247, 0.129), "stamp": (0.215, 0.121), "gru4rec": (0.278, 0.155)}
"""Recall@10 and NDCG@10 on ML-1M (ratings from 3, 10-core), the last item as the test and all items ranked.

Source: RecBole's benchmark, https://github.com/RUCAIBox/RecBole, ``benchmark/hyper/sequential/<model>-ml-1m_seq.md``.
"""
_LENGTH_OF_SASRECS_PAPER = 200
"""On ML-1M; Kang and McAuley, ICDM 2018."""


def targets_section(measured: Measured) -> doc.Section:
    """Returns the targets' own quality beside what a retrained target and popularity agree with them."""
    found = estimates(measured.plain)
    order = [(dataset, target) for dataset in datasets_of(measured.plain) for target in (*TARGETS, *SEQUENTIAL_TARGETS)]
    known = {key[:2] for key in found}
    places = [place for place in order if place in known] + sorted(known - {*order})
    if not places:
        return doc.Section(
            "targets", "The targets", [doc.Paragraph(TEXTS["targets"]), doc.study("table4", measured=False)]
        )
    frame = pd.DataFrame([_target(found, measured.undefended_quality, place) for place in places])
    columns = [*_target_heads(), _range("Recall@50", "recall_test"), _range("NDCG@50", "ndcg_test")]
    columns += [_beside("retrained target", "retrain"), _beside("popularity", "popularity")]
    columns.append(doc.Column("pta / retrained", "ratio"))
    data = ["dataset", "target", "recall_test", "ndcg_test"]
    data += [f"{name}_{part}" for name in _BESIDE_TARGETS for part in ("ours", "ci_low", "ci_high", "seeds", "n_users")]
    note = "Retrained target and popularity: Agr@50 of held-out users. " + _intervals(found.values())
    table = doc.Table(
        "targets-table", "What each target is worth", frame, columns, notes=[note], data=data, file="targets"
    )
    sequential = frame[frame["target"].isin(SEQUENTIAL_TARGETS)]
    at_10 = [_at_10(sequential)] if len(sequential) else []
    return doc.Section("targets", "The targets", [doc.Paragraph(TEXTS["targets"]), table, *at_10])


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


def _target_heads() -> list[doc.Column]:
    seeds = doc.Column("seeds", lambda row: doc.Cell(seeds_text(row["of_seeds"]).split(" ", 1)[1]), "l")
    return [*doc.names("dataset", "target"), seeds]


def _range(head: str, name: str) -> doc.Column:
    """A mean over seeds with its range; an asterisk where a seed lacks it."""

    def write(row: Row) -> doc.Cell:
        values = row[f"all_{name}"]
        ends = f"({share(min(values))}–{share(max(values))})" if len(values) > 1 else ""
        text = share(row[name]) + "*" * (len(values) < len(row["of_seeds"]))
        return doc.Cell(text, ends) if values else doc.missing()

    return doc.Column(head, write)


def _beside(head: str, name: str) -> doc.Column:
    return doc.Column(head, lambda row: doc.estimate_cell(row[name], row["of_seeds"]))


def _at_10(frame: pd.DataFrame) -> doc.Table:
    """Recall and NDCG of sequential targets as their literature has them, beside published figures."""
    both = frame.assign(recbole_recall=float("nan"), recbole_ndcg=float("nan"))
    for place, row in both[both["dataset"].str.startswith("ml-1m")].iterrows():
        both.loc[place, ["recbole_recall", "recbole_ndcg"]] = PUBLISHED[row["target"]]
    columns = [*_target_heads(), _range("Recall@10", "recall_test_at_10"), _range("NDCG@10", "ndcg_test_at_10")]
    columns += [
        doc.Column(head, doc.written(name, share, "no published figure"))
        for head, name in (("RecBole: Recall@10", "recbole_recall"), ("RecBole: NDCG@10", "recbole_ndcg"))
    ]
    data = ["dataset", "target", "recall_test_at_10", "ndcg_test_at_10", "recbole_recall", "recbole_ndcg"]
    notes = [TEXTS["targets_at_10"], f"Measured by `{doc.study('table8').command}`"]
    caption = "Sequential targets at 10 items, beside published figures"
    return doc.Table("targets-at-10", caption, both, columns, notes=notes, data=data, file="targets_at_10")


def tables_section(measured: Measured) -> doc.Section:
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
    return doc.Section("tables", "The paper's tables beside ours", [doc.Paragraph(TEXTS["tables"])], sections)


def beside_table(
    name: str,
    caption: str,
    place: tuple[str, Sequence[str]],
    lines: Lines,
    ours: Mapping[Any, Estimate],
    paper: Mapping[Any, float],
    file: str,
    heads: Sequence[doc.Column] = (),
) -> doc.Table:
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
        if attack not in NOT_IN_ALL or any((dataset, target, attack) in ours for target in targets)
        for target in targets
    ]
    frame = pd.DataFrame(rows, columns=["label", "attack", "dataset", "target", "key"])
    ones: Any = [ours.get(key) for key in frame["key"]]
    frame = frame.assign(one=ones, paper=frame["key"].map(paper))
    value = [float("nan") if one is None else one.value for one in ones]
    frame["difference"] = pd.Series(value, frame.index) - frame["paper"]
    known = [one for key, one in ours.items() if key[0] == dataset and key[1] in targets]
    shown = [_of_target(dataset, target, ours, any(key[0] == dataset for key in paper)) for target in targets]
    columns = [
        *(heads or [doc.Column("attack", _attack_cell, "l", names=True)]),
        *(column for own in shown for column in own),
    ]
    keys, data = ["label", "attack"], ["dataset", "target", "attack", doc.ONE, "paper", "difference"]
    notes = [_intervals(known), *_fewer_seeds(dataset, ours)] if known else []
    return doc.Table(name, caption, frame, columns, keys, "target", "label", notes, data if file else (), file)


def _of_target(dataset: str, target: str, ours: Mapping[Any, Estimate], has_paper: bool) -> list[doc.Column]:
    own = [one for key, one in ours.items() if key[:2] == (dataset, target)]
    seeds, users = seeds_and_users(own)
    group = f"{target}, {seeds_text(seeds)}, {span(users)} users" if own else f"{target}, {doc.NOT_MEASURED}"
    shown = doc.Column(
        "ours" if has_paper else "Agr@50", lambda row: doc.estimate_cell(row.get(doc.ONE), seeds), "r", group, target
    )
    if not has_paper:
        return [shown]
    paper = doc.Column("paper", doc.written("paper", share, NOT_IN_PAPER), "r", group, target)
    return [shown, paper, doc.Column("difference", _difference, "r", group, target)]


def _difference(row: Row) -> doc.Cell:
    one = row[doc.ONE]
    if one is None or doc.absent(row["paper"]):
        return doc.missing(doc.NOT_MEASURED if one is None else "nothing to subtract")
    where = "inside" if one.low <= row["paper"] <= one.high else "outside"
    return doc.Cell(share(row["difference"], signed=True), title=f"the paper's figure lies {where} our interval")


def _attack_cell(row: Row) -> doc.Cell:
    return doc.Cell(shown_name(row), ATTACKS_IN_WORDS.get(row["attack"], ""))


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


def _agreement_section(measured: Measured, number: int, attacks: Sequence[str], title: str) -> doc.Section:
    rows, paper = measured.table_rows, paper_agreement(number)
    found = estimates(rows)
    blocks: list[doc.Block] = [doc.study(f"table{number}")]
    for dataset in datasets_of(rows):
        own = _measured_targets(dataset, found)
        if dataset not in DATASETS and not own:
            continue
        targets = list(dict.fromkeys([*TARGETS, *own])) if dataset in DATASETS else own
        caption, name = f"Table {number} on {dataset}: Agr@50 of held-out users", f"table{number}-{dataset}"
        table = beside_table(name, caption, (dataset, targets), _lines(attacks), found, paper, f"table{number}")
        blocks += [doc.Paragraph(TEXTS["paper_notes"][dataset], quiet=True)] if dataset in TEXTS["paper_notes"] else []
        blocks += [table, *([_comparison(rows, dataset)] if own and attacks == PAPER_ATTACKS else [])]
    return doc.Section(f"table{number}", f"Table {number}: {title}", blocks)


def _measured_targets(dataset: str, found: Mapping[Any, Estimate]) -> list[str]:
    """The targets that were measured on a data set, the paper's first."""
    known = {key[1] for key in found if key[0] == dataset}
    return [target for target in TARGETS if target in known] + sorted(known - {*TARGETS})


def _comparison(rows: pd.DataFrame, dataset: str) -> doc.Figure:
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
    return doc.Figure(f"comparison-{dataset}", text, strips(panels_of(own)), behind)


def _losses_section(measured: Measured) -> doc.Section:
    points = loss_points(measured.agreement)
    points = points.assign(attack=points["base"] + " " + points["value"].astype(str))
    cells = points[["dataset", "target", "seed"]].drop_duplicates()
    references = measured.table_rows[measured.table_rows["attack"].isin(SHOWN_REFERENCES)].merge(cells)
    found = estimates(pd.concat([points, references], ignore_index=True))
    lines: Lines = [(with_words(base), [f"{base} {loss}" for loss in LOSSES]) for base in WITH_LOSSES]
    heads = [
        doc.Column("attack", lambda row: shown_name({"attack": row["attack"].partition(" ")[0]}), "l", names=True),
        doc.Column("ranking + positive loss", lambda row: row["attack"].partition(" ")[2], "l", names=True),
    ]
    caption = "Table 7 on ml-1m: Agr@50 of held-out users by the losses of the steal stage"
    lines = [*lines, (HEADINGS[1], SHOWN_REFERENCES)]
    table = beside_table("table7-ml-1m", caption, ("ml-1m", TARGETS), lines, found, paper_agreement(7), "table7", heads)
    blocks: list[doc.Block] = [doc.Paragraph(TEXTS["table7"]), doc.study("table7", measured=bool(found)), table]
    return doc.Section("table7", "Table 7: losses of the steal stage", blocks)


def _sequences_section(measured: Measured) -> doc.Section:
    rows = measured.plain[measured.plain["target"].isin(SEQUENTIAL_TARGETS)]
    found, paper = estimates(rows), paper_agreement(8)
    blocks: list[doc.Block] = [
        doc.Paragraph(TEXTS["table8"].format(length=SasrecSettings().length, of_paper=_LENGTH_OF_SASRECS_PAPER)),
        doc.study("table8", measured=bool(found)),
    ]
    datasets = datasets_of(rows, ("ml-1m-2999",))
    blocks += calls_blocks(measured, datasets)
    known = set(rows["attack"])
    references = [name for name in SHOWN_REFERENCES if name in known or name == "retrain"]
    for dataset in datasets:
        theirs = {(dataset, *key[1:]): value for key, value in paper.items()}
        caption, place = f"Table 8 on {dataset}: Agr@50 of held-out users", (dataset, SEQUENTIAL_TARGETS)
        lines = _lines(TABLE8, references)
        blocks.append(beside_table(f"table8-{dataset}", caption, place, lines, found, theirs, "table8"))
    return doc.Section("table8", "Table 8: sequential targets", blocks)


def _queried_section(measured: Measured) -> doc.Section:
    found = estimates(measured.table_rows, "queried")
    blocks: list[doc.Block] = []
    for dataset in datasets_of(measured.table_rows):
        own = _measured_targets(dataset, found)
        if own:
            caption = f"Agr@50 of queried users on {dataset}"
            blocks.append(beside_table(f"queried-{dataset}", caption, (dataset, own), _lines(ATTACKS), found, {}, ""))
    shown = doc.Folded("Show the tables", blocks) if blocks else doc.study("table4", measured=False)
    return doc.Section(
        "queried", "The same for queried users: memory, not theft", [doc.Paragraph(TEXTS["queried"]), shown]
    )


_COUNTS = ("users", "items", "interactions")


def statistics_section(measured: Measured) -> doc.Section:
    """Returns Table 6: the data sets after filtering, beside the paper's, and what was read of each."""
    known = {str(row["dataset"]): row for row in measured.statistics.to_dict("records")}
    paper, others = paper_table(6), measured.not_original
    listed = datasets_of(measured.statistics) if known else list(paper)
    frame = pd.DataFrame([_counts(name, known.get(name, {}), paper.get(name, {}), name in others) for name in listed])
    columns = [
        doc.Column("dataset", lambda row: doc.Cell(row["dataset"], "another file" * row["other"]), "l", names=True)
    ]
    more = partial(doc.count, signed=True)
    for count in _COUNTS:
        columns += [doc.Column("ours", doc.written(count, doc.count), group=count)]
        columns += [doc.Column("paper", doc.written(f"{count}_paper", doc.count, NOT_IN_PAPER), group=count)]
        columns += [doc.Column("difference", doc.written(f"{count}_difference", more), group=count)]
    columns.append(doc.Column("ours", doc.written("density", lambda value: f"{100 * value:.2f} %"), group="density"))
    data = ["dataset", *(f"{name}{of}" for name in _COUNTS for of in ("", "_paper")), "density"]
    table = doc.Table("table6-counts", "Users, items and interactions", frame, columns, data=data, file="table6")
    blocks: list[doc.Block] = [doc.Paragraph(TEXTS["table6"]), doc.study("table6", measured=bool(known)), table]
    read = reading_table(measured.statistics)
    return doc.Section("table6", "Table 6: the data sets", blocks if read is None else [*blocks, read])


def _counts(name: str, ours: Mapping[Any, Any], paper: Mapping[str, int], other: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"dataset": name, "other": other, "density": ours.get("density", float("nan"))}
    for count in _COUNTS:
        own, theirs = ours.get(count, float("nan")), paper.get(count, float("nan"))
        row |= {count: own, f"{count}_paper": theirs, f"{count}_difference": own - theirs}
    return row


def reading_table(statistics: pd.DataFrame) -> doc.Table | None:
    """Returns a row for each data set whose statistics say how it was read; None where none does."""
    if "rows_read" not in statistics:
        return None
    read = statistics.dropna(subset="rows_read")
    left_out = [", ".join(f"{n:,} for {reason}" for reason, n in dropped.items()) for dropped in read["rows_dropped"]]
    counts = {name: read[name].astype("int64") for name in ("rows_in_file", "rows_read", "repeats")}
    read = read.assign(left_out=left_out, odd=["; ".join(odd) for odd in read["odd"]], **counts)
    columns = [doc.Column("data set", "dataset", "l", names=True)]
    heads = zip(("rows", "read", "repeats"), counts, strict=True)
    columns += [doc.Column(head, doc.written(name, doc.count)) for head, name in heads]
    columns += [doc.Column("left out", "left_out", "l")]
    columns += [doc.Column(end, doc.written(f"time_{end}", str, "no times")) for end in ("from", "to")]
    columns.append(doc.Column("to look at", "odd", "l"))
    data = ["dataset", *counts, "left_out", "time_from", "time_to", "odd"]
    return doc.Table("reading", "What was read", read, columns, data=data, file="reading")


def learnt_section(measured: Measured) -> doc.Section:
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
    rows = [
        _learnt(tuple(map(str, key)), ended.get(key, runs.head(0)), added.get(key)) for key in sorted({*ended, *added})
    ]
    rows = [row for row in rows if row["attack"] in STARTS or row["nothing"] or row["at_limit"]]
    table = [doc.Folded("Show the table", [_learnt_table(pd.DataFrame(rows))])] if rows else []
    return doc.Section(
        doc.LEARNT, "What the steal stage learnt", [doc.Paragraph(f"{TEXTS['learnt']} {counted}"), *table]
    )


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


def _learnt_table(frame: pd.DataFrame) -> doc.Table:
    columns = [*doc.names(*ATTACK, as_code=["defense", "attack"]), doc.Column("seeds", "n_seeds")]
    columns += [doc.Column("learnt nothing", _ended("nothing")), doc.Column("at the limit", _ended("at_limit"))]
    columns += [doc.Column("gain, queried", _gain("queried")), doc.Column("gain, held-out", _gain("heldout"))]
    caption = "How the steal stages ended, and what the answers added"
    return doc.Table(
        "learnt-table", caption, frame, columns, notes=[TEXTS["learnt_gain"]], data=[*map(str, frame)], file=doc.LEARNT
    )


def _ended(how: str) -> Callable[[Row], doc.Cell]:
    return lambda row: doc.Cell(f"{row[how]} of {row['n_runs']}") if row["n_runs"] else doc.missing("not recorded")


def _gain(group: str) -> Callable[[Row], doc.Cell]:
    return doc.difference_of(f"gain_{group}", f"{group}_low", f"{group}_high", "no start to subtract")


def differences_section(measured: Measured) -> doc.Section:
    """Returns who is ahead of whom: paired differences with their tests, a table for each pair."""
    tables = difference_tables(table_rows(measured.per_user), PAIRS, "differences")
    there = {table.caption for table in tables}
    without = [f"{caption}. {NO_ROWS}" for caption in map(_compared, PAIRS.items()) if caption not in there]
    shown = [doc.Folded("Show the tables", tables)] if tables else []
    missing = [doc.Bullets(without)] if without else []
    return doc.Section("differences", "Who is ahead of whom", [doc.Paragraph(TEXTS["differences"]), *shown, *missing])


def difference_tables(rows: pd.DataFrame, pairs: Mapping[tuple[str, str], str], file: str) -> list[doc.Table]:
    """Returns a table of paired differences and their tests for each pair that was measured on the same cells.

    Args:
        rows: Agreement per user, of one side and architecture.
        pairs: Attacks, and what their comparison is about.
        file: The CSV file's name.
    """
    known = set(rows["attack"])
    judged = compare(rows, [pair for pair in pairs if known.issuperset(pair)])
    of_pair = {pair: judged[(judged["attack"] == pair[0]) & (judged["versus"] == pair[1])] for pair in pairs}
    return [
        _differences_table("-".join(["difference", *pair]), _compared((pair, pairs[pair])), own, file)
        for pair, own in of_pair.items()
        if len(own)
    ]


def _compared(item: tuple[tuple[str, str], str]) -> str:
    (attack, versus), meaning = item
    return f"`{attack}` − `{versus}`: {meaning}"


def _differences_table(name: str, caption: str, own: pd.DataFrame, file: str) -> doc.Table:
    columns = [*doc.names("dataset", "target"), doc.Column("difference", doc.difference_of())]
    columns += [doc.Column("p (Holm)", doc.p_of("p_holm"))]
    columns += [doc.Column("p given these models", doc.p_of("p_sign_flip"))]
    columns += [doc.Column("seeds", "n_seeds"), doc.Column("users", "n_users")]
    columns.append(doc.Column("verdict", _ahead, "l"))
    data = ["dataset", "target", "attack", "versus", "difference", "sd", "ci_low", "ci_high", "p_holm", "p_sign_flip"]
    return doc.Table(name, caption, own, columns, data=[*data, "n_seeds", "n_users", "verdict"], file=file)


def _ahead(row: Row) -> doc.Cell:
    ahead = row["attack"] if row["difference"] > 0 else row["versus"]
    so_far = f"`{ahead}` ahead" if round(row["difference"], DECIMALS) else "neither ahead"
    return doc.Cell(verdict_text(row, so_far), verdict=str(row["verdict"]))
