"""What it comes to: a few sentences made from what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rec_msa.attacks.settings import PAPER_ATTACKS
from rec_msa.evaluation.verdicts import SEEDS_FOR_A_VERDICT
from rec_msa.reporting.markdown import figure
from rec_msa.reporting.paper import DATASETS, paper_agreement
from rec_msa.reporting.paper_claims import UNMEASURED, ClaimVerdict
from rec_msa.reporting.report.claims import VERDICTS, scoreboard, tiles
from rec_msa.reporting.report.measured import Measured, datasets_of, estimates
from rec_msa.reporting.report.model import Bullets, Section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rec_msa.reporting.panels import Estimate

_TABLES = (4, 5)


def summary_section(measured: Measured, verdicts: Sequence[ClaimVerdict]) -> Section:
    """Returns the sentences and the claims at a glance."""
    found = estimates(measured.table_rows)
    sentences = [_claims(verdicts), *_closeness(found), *_reach(found), *_lookups(found), *_coverage(measured)]
    sentences += _other_files(measured)
    return Section("summary", "What it comes to", [Bullets(sentences), tiles(verdicts), scoreboard(verdicts)])


def _claims(verdicts: Sequence[ClaimVerdict]) -> str:
    whole = [one for one in verdicts if one.whole]
    part = [one for one in verdicts if one.measured and not one.whole]
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
    counts = {name: sum(one.verdict == name for one in verdicts) for name in VERDICTS}
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
    paper = {key: value for number in _TABLES for key, value in paper_agreement(number).items()}
    both = [(found[key], value) for key, value in paper.items() if key in found and key[0] != "steam"]
    if not both:
        return []
    inside = sum(ours.low <= value <= ours.high for ours, value in both)
    middle = float(np.median([ours.value - value for ours, value in both]))
    far = float(np.median([abs(ours.value - value) for ours, value in both]))
    return [
        f"**Magnitudes**: {inside} of {len(both)} figures of tables 4 and 5 (without Steam, whose data are not the "
        f"paper's) lie inside our 95 % intervals; the median distance is {figure(far)}, the median difference "
        f"{figure(middle, signed=True)}."
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
        f"{name} {figure(found[dataset, target, reference].value)}"
        for reference, name in (("popularity", "popularity"), ("retrain", "retrained target"))
        if (dataset, target, reference) in found
    ]
    note = f" ({', '.join(beside)})" if beside else ""
    return [f"{target} `{best}` {figure(own[best].value)}{note}"]


def _lookups(found: dict[tuple[str, str, str], Estimate]) -> list[str]:
    """What a clone with answers has above looking answers up."""
    gains = {
        key[:2]: one.value - found[*key[:2], "knn_lists"].value
        for key, one in found.items()
        if key[2] == "ptq" and (*key[:2], "knn_lists") in found and key[0] in DATASETS
    }
    if not gains:
        return []
    said = [f"{dataset} {target} {figure(gain, signed=True)}" for (dataset, target), gain in gains.items()]
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
