"""The whole report: what it comes to, the protocol, the claims one by one, what it cost, and the parts between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rec_msa.attacks.settings import PAPER_ATTACKS
from rec_msa.evaluation.verdicts import BORNE_OUT, CONTRADICTED, OPEN, SEEDS_FOR_A_VERDICT
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
from rec_msa.reporting.document import (
    Block,
    Bullets,
    Cell,
    Column,
    Folded,
    Paragraph,
    Report,
    Section,
    Table,
    Tiles,
    difference_cell,
    missing,
    names,
    p_cell,
    text_of,
)
from rec_msa.reporting.figures import figures_section
from rec_msa.reporting.measured import Measured, datasets_of, estimates
from rec_msa.reporting.names import ATTACKS_IN_WORDS, seeds_text, share, verdict_text
from rec_msa.reporting.paper import DATASETS, paper_agreement
from rec_msa.reporting.sections import tables_section, targets_section

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rec_msa.reporting.measured import Estimate

_LEAD = (
    "How much of a recommender can be copied by somebody who knows a few of its users and may ask it a little? Every "
    "table, figure and claim of Model Stealing Attack against Recommender System (arXiv 2312.11571), measured "
    "again and set beside the paper's own figures."
)
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
_DIFFERENCE = (
    "Difference: paired by seed; Student's t over seeds, two-sided, with Holm's correction over the rows. Positive "
    "is for the claim."
)
_CLAIMS = (
    "Each claim is checked cell by cell and needs five seeds for a verdict; with fewer it is open, and the sign "
    "is a direction, no finding. A claim counts as borne out where all of its cells are, as partly borne out "
    "where the others are open, as mixed where others are contradicted; a verdict on some of its cells is one so "
    "far. A comparison may belong to two claims and is corrected within each for itself: `ptaq` against `qsd30` "
    "belongs to 27 and 29, and what 2 and 4 compare with `ptaq` to 3 as well."
)
_CELLS = (
    "The last columns count cells: a data set and a target, or two that are compared. A claim of which cells are "
    'missing has a verdict "so far": those that are missing may say otherwise.'
)
NOTHING_RECORDED = "No run was recorded: the journal is kept from the first run on that ends after it was introduced."
_JOURNAL = ["started", "seconds", "core_seconds", "in_functions", "n_nodes", "command", "threads", "machine"]
_JOURNAL += ["cores", "memory_gib", "commit", "python", "torch", "kedro", "numpy"]
_MINUTE, _HOUR = 60, 3600
_STEPS = (
    "Half of the users are the **target data**: a recommender, the target, is trained on them. The other half, which "
    "has no user in common with it, is what an attacker may have beside: the **auxiliary data**.",
    "A tenth of the target's users are the **attacker users**: the attacker knows what they did. A fifth of "
    "these (in Table 8 a quarter) are "
    "**held out**: the target is never asked about them. For the others it answers once each, with a list of 50 items.",
    "The attacker builds a **clone** from what it knows, and lets the answers correct it. **Agreement** at 50 "
    "(Agr@50) is the share of the target's 50 items for a user that the clone recommends too.",
    "Everything is done with five seeds, which draw other users, other splits and other starts. Settings were chosen "
    "on ml-100k and on seeds from 100 up. Four were changed after reported seeds had been run, and what they touch was "
    "run again or is a dash until it is: how the steal stage learns and when it ends, the held-out share of Table 8, "
    "what `qsd`'s clones of sequential targets stop by, and the patience of all trainings on Ta-Feng.",
)
_HELDOUT = (
    "The paper does not say on whom it measures. A list that the target handed out can simply be kept: a cache "
    "agrees on it by 1.000 without having learnt anything. So agreement with asked users shows what was stored, "
    "and only users who were not asked show what was learnt. The paper's own figures point the same way: its attack "
    "that has nothing but answers stays near .05 on ML-1M, where lists that it was trained on would give .9; and its "
    "ML-1M figures are all multiples of 1/1500 (in Table 8 of 1/3050), which is 30 (61) users times 50 items, a "
    "tenth (a fifth) of the 302 attacker users. This is an inference. It also says that the printed figures are of "
    "single runs, not means of five."
)
_LIMITS = (
    "For targets with a vector for each user, an attack that has answers alone (`qsd`) cannot know a user it never "
    "asked about: that it is behind on held-out users says nothing about it elsewhere.",
    "Held-out users are few: 60 a seed on ML-1M. So every figure has its interval, of several seeds Student's t over "
    "seeds, of one seed the bootstrap over its users.",
    "Seeds split one data set anew, and what an interval or a test over them says holds given this data set: it is "
    "about another split and another start, not about other users or items.",
    "Users of one seed share one target. They are never counted as if each were a run of its own, and a verdict "
    "needs five seeds.",
)


def build_report(measured: Measured) -> Report:
    """Returns the report.

    Args:
        measured: What was measured; what is absent is shown as missing.
    """
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
    return Report("Stealing a recommender: the reproduction", _LEAD, _facts(measured), sections)


def _facts(measured: Measured) -> list[str]:
    seeds = tuple(sorted({int(seed) for seed in measured.agreement["seed"]}))
    datasets = sorted(set(measured.agreement["dataset"]))
    facts = [", ".join(datasets), seeds_text(seeds)] if datasets else []
    return [*facts, *filter(None, [cost(measured.journal)])]


def summary_section(measured: Measured, verdicts: Sequence[ClaimVerdict]) -> Section:
    """Returns the sentences and the claims at a glance."""
    found = estimates(measured.table_rows)
    sentences = [_claims(verdicts), *_closeness(found), *_reach(found), *_lookups(found), *_coverage(measured)]
    sentences += _other_files(measured)
    return Section("summary", "What it comes to", [Bullets(sentences), _tiles(verdicts), scoreboard(verdicts)])


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
    names = ", ".join(name for name in datasets_of(rows) if name in set(rows["dataset"]))
    text = f"**Measured**: {cells} cells of a target and a seed on {names}."
    return [text + (f" Fewer than {SEEDS_FOR_A_VERDICT} seeds, so directions only: {', '.join(few)}." if few else "")]


def protocol_section() -> Section:
    """Returns the protocol, the argument for held-out users, and what each attack learns from."""
    frame = pd.DataFrame(ATTACKS_IN_WORDS.items(), columns=["attack", "learns from"])
    columns = [*names("attack", code=["attack"]), Column("learns from", text_of("learns from"), "l")]
    table = Table("who", "What each attack learns from", frame, columns)
    heldout = Section("heldout", "Why held-out users", [Paragraph(_HELDOUT), Bullets(_LIMITS)])
    return Section("protocol", "The protocol in short", [Bullets(_STEPS), table], [heldout])


def _tiles(verdicts: Sequence[ClaimVerdict]) -> Tiles:
    """How many claims that were measured whole have each verdict, and how many were measured in part."""
    said = [one.verdict if one.whole or not one.n_cells else IN_PART for one in verdicts]
    return Tiles([(name, said.count(name)) for name in SYMBOLS if name in said])


def scoreboard(verdicts: Sequence[ClaimVerdict]) -> Table:
    """Returns a row for each claim that leads to its section."""
    frame = pd.DataFrame({"of": verdicts})
    columns = [
        Column("claim", lambda row: _link(row, str(row["of"].claim.id)), "l", names=True),
        Column("verdict", lambda row: Cell(row["of"].said, verdict=row["of"].verdict), "l"),
        Column("what the paper says", lambda row: _link(row, row["of"].claim.says), "l"),
        Column("cells", _n_cells),
        *(Column(name, _count_of(name.replace(" ", "_"))) for name in (BORNE_OUT, CONTRADICTED, OPEN)),
    ]
    return Table("scoreboard", "The paper's claims", frame, columns, notes=[_CELLS])


def _link(row: Mapping[Any, Any], text: str) -> Cell:
    return Cell(f"[{text}](#claim-{row['of'].claim.id})")


def _n_cells(row: Mapping[Any, Any]) -> Cell:
    one: ClaimVerdict = row["of"]
    return Cell(f"{one.n_cells} of {one.n_expected}") if one.n_expected else missing(UNTESTED)


def _count_of(name: str) -> Callable[[Mapping[Any, Any]], Cell]:
    return lambda row: Cell(str(getattr(row["of"], name))) if row["of"].n_cells else missing(row["of"].verdict)


def claims_section(judged: pd.DataFrame, verdicts: Sequence[ClaimVerdict]) -> Section:
    """Returns the claims one by one."""
    parts = [_claim(judged[judged["claim"] == one.claim.id], one) for one in verdicts]
    return Section("claims", "The paper's claims, one by one", [Paragraph(_CLAIMS)], parts)


def _claim(own: pd.DataFrame, one: ClaimVerdict) -> Section:
    claim = one.claim
    blocks: list[Block] = [Paragraph(f"**{one.summary}**")]
    blocks.append(Paragraph(f"Checked by: {claim.check} (section {claim.section} of the paper).", quiet=True))
    blocks.append(Paragraph(f"The paper's own tables: {claim.paper_tables}.", quiet=True))
    if len(own):
        what = f"Show the {len(own)} cells and the test" if len(own) > 1 else "Show the cell and the test"
        blocks.append(Folded(what, [claim_table(own, claim.id)]))
    return Section(f"claim-{claim.id}", f"{claim.id}. {claim.says}", blocks)


def claim_table(own: pd.DataFrame, number: int) -> Table:
    """Returns the cells of a claim, each with its test and verdict; columns that say nothing are left out.

    Args:
        own: Its rows of what ``rec_msa.reporting.claims.judge`` found.
        number: The claim's number.
    """
    heads = {"figure": "what is compared", "beside": "beside it"}
    named = [name for name in ("dataset", "target", "attack", "against", "figure", "beside") if own[name].any()]
    columns = [Column(heads.get(name, name), text_of(name, code=name == "attack"), "l", names=True) for name in named]
    columns += [Column("value", difference_cell), Column("p (Holm)", lambda row: p_cell(row["p_holm"]))]
    columns += [Column("seeds", text_of("n_seeds")), Column("verdict", _verdict, "l")]
    notes = [_KINDS.get(kind, _DIFFERENCE) for kind in dict.fromkeys(own["kind"])]
    caption, data = f"The cells of claim {number}", [name for name in own if name != "note"]
    return Table(f"claim-{number}-cells", caption, own, columns, notes=notes, data=data, file="claims")


def _verdict(row: Mapping[Any, Any]) -> Cell:
    return Cell(verdict_text(row, direction(row)), verdict=str(row["verdict"]))


def environment_section(journal: pd.DataFrame) -> Section:
    """Returns machine, versions, commits, and what the runs took."""
    title = "Environment and cost"
    if not len(journal):
        return Section("environment", title, [Paragraph(NOTHING_RECORDED)])
    runs = journal.reindex(columns=_JOURNAL)
    blocks: list[Block] = [_summary(runs), Folded(f"Show all {len(runs)} runs", [_runs(runs)])]
    return Section("environment", title, blocks)


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


def _summary(runs: pd.DataFrame) -> Table:
    sums = {name: pd.to_numeric(runs[name]).sum() for name in ("seconds", "core_seconds", "in_functions")}
    started = sorted(runs["started"].dropna().astype(str))
    facts = {
        "runs": Cell(str(len(runs))),
        "first and last start": Cell(f"{_day(started[0])} to {_day(started[-1])}") if started else missing(),
        "wall-clock, all runs": _seconds(sums["seconds"]),
        "cost": Cell(f"{sums['core_seconds'] / _HOUR:.1f} core-hours") if sums["core_seconds"] else missing(),
        "in the nodes' own functions": _seconds(sums["in_functions"]),
        "machine": _values(runs["machine"]),
        "cores": _values(runs["cores"], "{:.0f}".format),
        "memory": _values(runs["memory_gib"], "{:g} GiB".format),
        **{name: _values(runs[name]) for name in ("python", "torch", "kedro", "numpy")},
        "commits": _values(runs["commit"], "`{}`".format),
    }
    columns = [Column("", text_of("name"), "l", names=True), Column("all runs", lambda row: row["cell"], "l")]
    frame = pd.DataFrame({"name": list(facts), "cell": list(facts.values())})
    return Table("cost", "Where, with what, and what it took", frame, columns)


def _runs(runs: pd.DataFrame) -> Table:
    columns = [
        Column("started", _recorded("started", _day), "l", names=True),
        Column("command", _recorded("command", lambda value: f"`{str(value).replace('`', chr(39))}`"), "l"),
        Column("took", _recorded("seconds", lambda value: duration(float(value)))),
        Column("core-hours", _recorded("core_seconds", lambda value: f"{float(value) / _HOUR:.2f}")),
        Column("nodes", _recorded("n_nodes", "{:.0f}".format)),
        Column("threads", _recorded("threads", "{:.0f}".format)),
        Column("commit", _recorded("commit", "`{}`".format), "l"),
    ]
    return Table("runs", "Every run, by its start", runs, columns, data=_JOURNAL, file="runs")


def _recorded(name: str, write: Callable[[Any], str]) -> Callable[[Mapping[Any, Any]], Cell]:
    return lambda row: missing("not recorded") if pd.isna(row[name]) or row[name] == "" else Cell(write(row[name]))


def _values(column: pd.Series, write: Callable[[Any], str] = str) -> Cell:
    """What stands in a column, each once."""
    found = list(dict.fromkeys(write(value) for value in column.dropna() if value != ""))
    return Cell(", ".join(found)) if found else missing("not recorded")


def _seconds(value: float) -> Cell:
    return Cell(duration(value)) if value else missing("not recorded")


def _day(started: Any) -> str:
    return str(started)[:16].replace("T", " ")
