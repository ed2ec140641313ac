"""Beyond the paper: what several members and a learner get out of the knowledge of PTAQ, and what that costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from rec_msa.attacks.settings import ENSEMBLE, RETRAIN, SOLVED_REFERENCES
from rec_msa.defenses.settings import NO_DEFENSE
from rec_msa.reporting import document as doc
from rec_msa.reporting.measured import Measured, datasets_of, estimates, records
from rec_msa.reporting.names import SEQUENTIAL_TARGETS, TARGETS, TEXTS
from rec_msa.reporting.panels import HEADINGS
from rec_msa.reporting.sections import beside_table, difference_tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

BASIS, BEST = "ptaq", "stacked"
FAMILY = ("stacked", "stacked_few", "stacked_solved", "distilled", "pta_ensemble")
KNOWING_LESS = ("stacked_any", "stacked_own", "stacked_few_coverage", "stacked_few_disagreement")
LOOKUPS = ("knn_lists", "list_popularity")
BESIDE = ("popularity", *LOOKUPS, *SOLVED_REFERENCES, RETRAIN, ENSEMBLE)
PAIRS = {(one, other): about for one, other, about in TEXTS["strongest_pairs"]}


def strongest_sections(measured: Measured) -> list[doc.Section]:
    """Returns what goes beyond the paper's attacks, their tests and costs; nothing where none was measured."""
    rows = measured.plain
    there = rows[rows["attack"].isin((*FAMILY, *KNOWING_LESS))]
    places = [place for place in _places(rows) if place in {*zip(there["dataset"], there["target"], strict=True)}]
    if not places:
        return []
    own = rows[[place in places for place in zip(rows["dataset"], rows["target"], strict=True)]]
    found = estimates(own)
    blocks: list[doc.Block] = [doc.Paragraph(TEXTS["strongest"]), doc.study("strongest")]
    blocks += [*_tables(places, _lines(), found), *_of_less(places, found)]
    told = _at_once(own, places, _mean_seconds(measured.costs))
    tests = difference_tables(_per_user(measured), PAIRS, "strongest_differences")
    blocks += [told, *([doc.Folded("Show the paired tests", tests)] if tests else [])]
    return [doc.Section("strongest", "Beyond the paper: the strongest attack", blocks)]


def _of_less(places: list[tuple[str, str]], found: Mapping[Any, Any]) -> list[doc.Block]:
    """What is left to who knows or asks less, on the data sets where that was measured."""
    datasets = {dataset for dataset, _, attack in found if attack in KNOWING_LESS}
    about = [place for place in places if place[0] in datasets]
    asked = [(HEADINGS[0], (BEST, *KNOWING_LESS[:2], "stacked_few", *KNOWING_LESS[2:]))]
    tables = [*_tables(about, asked, found, "knowledge-", ", whoever knows or asks less")]
    return [doc.Paragraph(TEXTS["strongest_knowledge"]), doc.study("strongest_knowledge"), *tables] if tables else []


def _tables(
    places: list[tuple[str, str]],
    asked: Sequence[tuple[str, tuple[str, ...]]],
    found: Mapping[Any, Any],
    name: str = "",
    caption: str = "",
) -> Iterator[doc.Table]:
    """A table for each data set: of the attacks that are asked for those that were measured there."""
    for dataset in dict.fromkeys(dataset for dataset, _ in places):
        targets = [target for own, target in places if own == dataset]
        known = {key[2] for key in found if key[0] == dataset}
        lines = [(head, [one for one in names if one in known]) for head, names in asked]
        text = f"Agr@50 of held-out users on {dataset}{caption}"
        yield beside_table(f"strongest-{name}{dataset}", text, (dataset, targets), lines, found, {}, "strongest")


def _lines() -> list[tuple[str, tuple[str, ...]]]:
    return [*zip(HEADINGS, ((*FAMILY[:1], BASIS, *FAMILY[1:]), BESIDE), strict=True)]


def _places(rows: pd.DataFrame) -> list[tuple[str, str]]:
    """Data sets and targets in the order of the paper's tables, then others."""
    order = [*TARGETS, *SEQUENTIAL_TARGETS, *sorted(set(rows["target"]))]
    return list(dict.fromkeys((dataset, target) for dataset in datasets_of(rows) for target in order))


def _per_user(measured: Measured) -> pd.DataFrame:
    rows = measured.plain_per_user
    return rows[rows["attack"].isin({name for pair in PAIRS for name in pair})]


def _mean_seconds(costs: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """Processor seconds of each data set, target and attack without a defense, a mean over seeds."""
    own = costs[(costs["defense"] == NO_DEFENSE) & (costs["clone"].isna() | (costs["clone"] == costs["target"]))]
    keys = ["dataset", "target", "attack"]
    return {key: sum(row["seconds"] for row in each) / len(each) for key, each in records(own, keys).items()}


def _at_once(
    rows: pd.DataFrame, places: list[tuple[str, str]], seconds: Mapping[tuple[str, str, str], float]
) -> doc.Table:
    """A row for each data set and target: what the best attack gains, and what it costs."""
    frame = pd.DataFrame([_gain(rows, place, seconds) for place in places])
    columns = doc.names("dataset", "target")
    columns += [
        doc.Column(f"− `{BASIS}`", doc.written("over_ptaq", doc.signed_share)),
        doc.Column("− best look-up", doc.written("over_lookups", doc.signed_share)),
        doc.Column("/ retrained", "of_retrain"),
        doc.Column("/ retrained, averaged", "of_ensemble"),
        doc.Column("seconds", doc.written("seconds", doc.count, "not recorded")),
        doc.Column(f"`{BASIS}`'s", doc.written("seconds_ptaq", doc.count, "not recorded")),
    ]
    caption = f"`{BEST}` beside the paper's strongest, the best look-up and the ceiling, over seeds that both have"
    return doc.Table(
        "strongest-gains", caption, frame, columns, data=[str(name) for name in frame], file="strongest_gains"
    )


def _gain(rows: pd.DataFrame, place: tuple[str, str], seconds: Mapping[Any, float]) -> dict[str, Any]:
    """Means of a target over the seeds that both sides have."""
    own = rows[(rows["dataset"] == place[0]) & (rows["target"] == place[1]) & (rows["group"] == "heldout")]
    by = own.pivot(index="seed", columns="attack", values="agreement").reindex(columns=[BEST, BASIS, *BESIDE])
    by = by[by[BEST].notna()]
    lookup = by[list(LOOKUPS)].mean().fillna(0).idxmax()
    ratios = {name: by[by[name].notna()][[BEST, name]].mean() for name in (RETRAIN, ENSEMBLE)}
    return {
        "dataset": place[0],
        "target": place[1],
        "over_ptaq": (by[BEST] - by[BASIS]).mean(),
        "over_lookups": (by[BEST] - by[lookup]).mean(),
        "of_retrain": ratios[RETRAIN][BEST] / ratios[RETRAIN][RETRAIN],
        "of_ensemble": ratios[ENSEMBLE][BEST] / ratios[ENSEMBLE][ENSEMBLE],
        "seconds": seconds.get((*place, BEST), float("nan")),
        "seconds_ptaq": seconds.get((*place, BASIS), float("nan")),
    }
