"""The whole report: what it comes to, the protocol, the claims one by one, what it cost, and the parts between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rec_msa.attacks.settings import PAPER_ATTACKS
from rec_msa.evaluation.verdicts import BORNE_OUT, CONTRADICTED, OPEN, SEEDS_FOR_A_VERDICT
from rec_msa.reporting import document as doc
from rec_msa.reporting.claims import (
    CLAIMS,
    EQUALITY,
    MIXED,
    PARTLY,
    TREND,
    UNMEASURED,
    UNTESTED,
    ClaimVerdict,
    World,
    direction,
    judge,
    verdict_of,
)
from rec_msa.reporting.figures import figures_section
from rec_msa.reporting.measured import Measured, datasets_of, estimates
from rec_msa.reporting.names import ATTACKS_IN_WORDS, DATASETS, TEXTS, paper_agreement, seeds_text, share, verdict_text
from rec_msa.reporting.sections import tables_section, targets_section

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rec_msa.reporting.measured import Estimate

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
_KINDS = {
    EQUALITY: "Equality: two one-sided t tests over seeds at ±.03, with Holm's correction over the rows.",
    TREND: "Trend: how far the line fitted to each seed's points rises or falls over the axis; Student's t over seeds, "
    "with Holm's correction over the rows. Positive is for the claim.",
}
_JOURNAL = ["started", "seconds", "core_seconds", "in_functions", "n_nodes", "command", "threads", "machine"]
_JOURNAL += ["cores", "memory_gib", "commit", "python", "torch", "kedro", "numpy"]
_MINUTE, _HOUR = 60, 3600


def build_report(measured: Measured) -> doc.Report:
    """Returns the report; what was not measured is shown as missing."""
    judged = judge(World(measured.agreement, measured.quality).counted)
    verdicts = [verdict_of(judged, claim.id) for claim in CLAIMS]
    sections = [
        summary_section(measured, verdicts),
        protocol_section(),
        targets_section(measured),
        tables_section(measured),
        figures_section(measured),
        claims_section(judged, verdicts),
        environment_section(measured.journal),
    ]
    return doc.Report("Stealing a recommender: the reproduction", TEXTS["lead"], _facts(measured), sections)


def _facts(measured: Measured) -> list[str]:
    seeds = tuple(sorted({int(seed) for seed in measured.agreement["seed"]}))
    datasets = sorted(set(measured.agreement["dataset"]))
    facts = [", ".join(datasets), seeds_text(seeds)] if datasets else []
    return [*facts, *filter(None, [cost(measured.journal)])]


def summary_section(measured: Measured, verdicts: Sequence[ClaimVerdict]) -> doc.Section:
    """Returns the sentences and the claims at a glance."""
    found = estimates(measured.table_rows)
    sentences = [_claims(verdicts), *_closeness(found), *_reach(found), *_lookups(found), *_coverage(measured)]
    sentences += _other_files(measured)
    return doc.Section("summary", "What it comes to", [doc.Bullets(sentences), _tiles(verdicts), scoreboard(verdicts)])


def _claims(verdicts: Sequence[ClaimVerdict]) -> str:
    whole = [one for one in verdicts if one.whole]
    part = [one for one in verdicts if one.n_cells and not one.whole]
    if not whole + part:
        return f"None of the paper's {len(verdicts)} claims was measured yet."
    cells = f"{sum(one.n_cells for one in part)} of {sum(one.n_expected for one in part)} cells"
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


def _other_files(measured: Measured) -> list[str]:
    """Data sets that are not what their name says: beside the paper's figures theirs mean nothing."""
    return [
        f"**Not the known {name}**: its raw file is another one (sha256 `{sha256}`), so its figures do not compare "
        "with the paper's."
        for name, sha256 in measured.not_original.items()
    ]


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


def _reach(found: dict[tuple[str, str, str], Estimate]) -> list[str]:
    """The best attack of each dataset beside popularity and a retrained target."""
    sentences = []
    for dataset in DATASETS:
        targets = sorted({key[1] for key in found if key[0] == dataset})
        parts = [text for target in targets for text in _best(found, dataset, target)]
        if parts:
            sentences.append(f"**{dataset}**, the best of the paper's five attacks on each target: {'; '.join(parts)}.")
    return sentences


def _best(found: dict[tuple[str, str, str], Estimate], dataset: str, target: str) -> list[str]:
    own = {attack: found[dataset, target, attack] for attack in PAPER_ATTACKS if (dataset, target, attack) in found}
    if not own:
        return []
    best = max(own, key=lambda attack: own[attack].value)
    beside = [
        f"{name} {share(found[dataset, target, reference].value)}"
        for reference, name in (("popularity", "popularity"), ("retrain", "retrained target"))
        if (dataset, target, reference) in found
    ]
    note = f" ({', '.join(beside)})" if beside else ""
    return [f"{target} `{best}` {share(own[best].value)}{note}"]


def _lookups(found: dict[tuple[str, str, str], Estimate]) -> list[str]:
    """What a clone with answers has above looking answers up."""
    gains = {
        key[:2]: one.value - found[*key[:2], "knn_lists"].value
        for key, one in found.items()
        if key[2] == "ptq" and (*key[:2], "knn_lists") in found and key[0] in DATASETS
    }
    if not gains:
        return []
    said = [f"{dataset} {target} {share(gain, signed=True)}" for (dataset, target), gain in gains.items()]
    what = "what `ptq` agrees more than the lists of the most similar asked users do"
    return [f"**Beyond a look-up**: {what}: {', '.join(said)}."]


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
    columns = [*doc.names("attack", code=["attack"]), doc.Column("learns from", doc.text_of("learns from"), "l")]
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
    frame = pd.DataFrame({"of": verdicts})
    columns = [
        doc.Column("claim", lambda row: _link(row, str(row["of"].claim.id)), "l", names=True),
        doc.Column("verdict", lambda row: doc.Cell(row["of"].said, verdict=row["of"].verdict), "l"),
        doc.Column("what the paper says", lambda row: _link(row, row["of"].claim.says), "l"),
        doc.Column("cells", _n_cells),
        *(doc.Column(name, _count_of(name.replace(" ", "_"))) for name in (BORNE_OUT, CONTRADICTED, OPEN)),
    ]
    return doc.Table("scoreboard", "The paper's claims", frame, columns, notes=[TEXTS["scoreboard"]])


def _link(row: Mapping[Any, Any], text: str) -> doc.Cell:
    return doc.Cell(f"[{text}](#claim-{row['of'].claim.id})")


def _n_cells(row: Mapping[Any, Any]) -> doc.Cell:
    one: ClaimVerdict = row["of"]
    return doc.Cell(f"{one.n_cells} of {one.n_expected}") if one.n_expected else doc.missing(UNTESTED)


def _count_of(name: str) -> Callable[[Mapping[Any, Any]], doc.Cell]:
    return lambda row: doc.Cell(str(getattr(row["of"], name))) if row["of"].n_cells else doc.missing(row["of"].verdict)


def claims_section(judged: pd.DataFrame, verdicts: Sequence[ClaimVerdict]) -> doc.Section:
    """Returns the claims one by one."""
    parts = [_claim(judged[judged["claim"] == one.claim.id], one) for one in verdicts]
    return doc.Section("claims", "The paper's claims, one by one", [doc.Paragraph(TEXTS["claims"])], parts)


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
        doc.Column(heads.get(name, name), doc.text_of(name, code=name == "attack"), "l", names=True) for name in named
    ]
    columns += [doc.Column("value", doc.difference_cell), doc.Column("p (Holm)", lambda row: doc.p_cell(row["p_holm"]))]
    columns += [doc.Column("seeds", doc.text_of("n_seeds")), doc.Column("verdict", _verdict, "l")]
    notes = [_KINDS.get(kind, TEXTS["test_difference"]) for kind in dict.fromkeys(own["kind"])]
    caption, data = f"The cells of claim {number}", [str(name) for name in own if name != "note"]
    return doc.Table(f"claim-{number}-cells", caption, own, columns, notes=notes, data=data, file="claims")


def _verdict(row: Mapping[Any, Any]) -> doc.Cell:
    return doc.Cell(verdict_text(row, direction(row)), verdict=str(row["verdict"]))


def environment_section(journal: pd.DataFrame) -> doc.Section:
    """Returns machine, versions, commits, and what the runs took."""
    title = "Environment and cost"
    if not len(journal):
        return doc.Section("environment", title, [doc.Paragraph(TEXTS["nothing_recorded"])])
    runs = journal.reindex(columns=_JOURNAL)
    blocks: list[doc.Block] = [_summary(runs), doc.Folded(f"Show all {len(runs)} runs", [_runs(runs)])]
    return doc.Section("environment", title, blocks)


def cost(journal: pd.DataFrame) -> str:
    """Returns what all runs took, in words; empty where nothing was recorded."""
    runs = journal.reindex(columns=_JOURNAL)
    hours = pd.to_numeric(runs["core_seconds"]).sum() / _HOUR
    return f"{len(runs)} runs, {hours:.1f} core-hours" if hours else ""


def duration(seconds: float) -> str:
    """Returns ``12 s``, ``3 min 20 s`` or ``2 h 5 min``."""
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


def _summary(runs: pd.DataFrame) -> doc.Table:
    sums = {name: pd.to_numeric(runs[name]).sum() for name in ("seconds", "core_seconds", "in_functions")}
    started = sorted(runs["started"].dropna().astype(str))
    facts = {
        "runs": doc.Cell(str(len(runs))),
        "first and last start": doc.Cell(f"{_day(started[0])} to {_day(started[-1])}") if started else doc.missing(),
        "wall-clock, all runs": _seconds(sums["seconds"]),
        "cost": doc.Cell(f"{sums['core_seconds'] / _HOUR:.1f} core-hours") if sums["core_seconds"] else doc.missing(),
        "in the nodes' own functions": _seconds(sums["in_functions"]),
        "machine": _values(runs["machine"]),
        "cores": _values(runs["cores"], "{:.0f}".format),
        "memory": _values(runs["memory_gib"], "{:g} GiB".format),
        **{name: _values(runs[name]) for name in ("python", "torch", "kedro", "numpy")},
        "commits": _values(runs["commit"], "`{}`".format),
    }
    columns = [
        doc.Column("", doc.text_of("name"), "l", names=True),
        doc.Column("all runs", lambda row: row["cell"], "l"),
    ]
    frame = pd.DataFrame({"name": list(facts), "cell": list(facts.values())})
    return doc.Table("cost", "Where, with what, and what it took", frame, columns)


def _runs(runs: pd.DataFrame) -> doc.Table:
    columns = [
        doc.Column("started", _recorded("started", _day), "l", names=True),
        doc.Column("command", _recorded("command", lambda value: f"`{str(value).replace('`', chr(39))}`"), "l"),
        doc.Column("took", _recorded("seconds", lambda value: duration(float(value)))),
        doc.Column("core-hours", _recorded("core_seconds", lambda value: f"{float(value) / _HOUR:.2f}")),
        doc.Column("nodes", _recorded("n_nodes", "{:.0f}".format)),
        doc.Column("threads", _recorded("threads", "{:.0f}".format)),
        doc.Column("commit", _recorded("commit", "`{}`".format), "l"),
    ]
    return doc.Table("runs", "Every run, by its start", runs, columns, data=_JOURNAL, file="runs")


def _recorded(name: str, write: Callable[[Any], str]) -> Callable[[Mapping[Any, Any]], doc.Cell]:
    return lambda row: (
        doc.missing("not recorded") if doc.absent(row[name]) or row[name] == "" else doc.Cell(write(row[name]))
    )


def _values(column: pd.Series, write: Callable[[Any], str] = str) -> doc.Cell:
    """What stands in a column, each once."""
    found = list(dict.fromkeys(write(value) for value in column.dropna() if value != ""))
    return doc.Cell(", ".join(found)) if found else doc.missing("not recorded")


def _seconds(value: float) -> doc.Cell:
    return doc.Cell(duration(value)) if value else doc.missing("not recorded")


def _day(started: Any) -> str:
    return str(started)[:16].replace("T", " ")
