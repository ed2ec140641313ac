"""The cells that the report waits for are those of the studies in ``conf/paper``."""

from __future__ import annotations

from rec_msa.experiments import expected as counting
from rec_msa.reporting.claims import CLAIMS, expected_cells


def test_the_counts_that_the_report_reads_are_those_of_the_papers_studies() -> None:
    counted = counting.expected_cells()
    assert expected_cells() == counted, "run python -m rec_msa.experiments.expected"
    assert set(counted) == {claim.id for claim in CLAIMS if claim.per}
