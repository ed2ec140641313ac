"""The whole report, from what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rec_msa.reporting.names import seeds_text
from rec_msa.reporting.paper_claims import judge_paper, paper_claims, verdict_of
from rec_msa.reporting.report.claims import claims_section
from rec_msa.reporting.report.environment import cost, environment_section
from rec_msa.reporting.report.figures import figures_section
from rec_msa.reporting.report.model import Report
from rec_msa.reporting.report.protocol import protocol_section
from rec_msa.reporting.report.summary import summary_section
from rec_msa.reporting.report.tables import tables_section
from rec_msa.reporting.report.targets import targets_section

if TYPE_CHECKING:
    from rec_msa.reporting.report.measured import Measured

_LEAD = (
    "How much of a recommender can be copied by somebody who knows a few of its users and may ask it a little? Every "
    "table, figure and claim of Model Stealing Attack against Recommender System (arXiv 2312.11571), measured "
    "again and set beside the paper's own figures."
)


def build_report(measured: Measured) -> Report:
    """Returns the report.

    Args:
        measured: What was measured; what is absent is shown as missing.
    """
    judged = judge_paper(measured.agreement, measured.quality)
    verdicts = [verdict_of(judged, number) for number in paper_claims()]
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
    return [*facts, *([cost(measured.journal)] if len(measured.journal) and cost(measured.journal) else [])]
