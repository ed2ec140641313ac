"""What a run says at its end of the results of all cells."""

from __future__ import annotations

import pytest
from kedro.io import DataCatalog
from kedro.pipeline import pipeline

from rec_msa.bookkeeping.locks import LockedError
from rec_msa.foundation.errors import DataError
from rec_msa.framework.clear_error import ClearError
from rec_msa.framework.hooks import results
from rec_msa.framework.hooks.results import ResultsTable


@pytest.fixture
def at_the_end(monkeypatch):
    """The hooks of a run that has measured something, and an error that putting the results together ends with."""
    hooks = ResultsTable()
    hooks.before_pipeline_run(pipeline([]), DataCatalog({}))

    def end_with(error: Exception) -> ResultsTable:
        def refuse(_: DataCatalog) -> None:
            raise error

        monkeypatch.setattr(results, "put_together", refuse)
        return hooks

    return end_with


def test_a_finished_run_failed_while_another_put_the_results_together(at_the_end, caplog):
    at_the_end(LockedError("another run writes 3")).after_pipeline_run()
    (said,) = caplog.messages
    assert "the next one puts its results together" in said
    assert "another run writes 3" in said


def test_results_that_cannot_be_put_together_are_an_error_as_before(at_the_end):
    with pytest.raises(ClearError, match="agreement"):
        at_the_end(DataError("agreement: damaged")).after_pipeline_run()
