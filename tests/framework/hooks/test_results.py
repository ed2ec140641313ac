"""What a run says at its end of the results of all cells."""

from __future__ import annotations

import pytest
from kedro.io import DataCatalog
from kedro.pipeline import pipeline

from rec_msa.bookkeeping.locks import LockedError
from rec_msa.foundation.errors import DataError
from rec_msa.framework.clear_error import ClearError
from rec_msa.framework.hooks import results
from rec_msa.framework.hooks.results import show_results


@pytest.fixture
def show_where(monkeypatch):
    """Shows the results of a run where putting them together ends with an error."""

    def show(error: Exception) -> None:
        def refuse(_: DataCatalog) -> None:
            raise error

        monkeypatch.setattr(results, "put_together", refuse)
        show_results(pipeline([]), DataCatalog({}))

    return show


def test_a_finished_run_failed_while_another_put_the_results_together(show_where, caplog):
    show_where(LockedError("another run writes 3"))
    (said,) = caplog.messages
    assert "the next one puts its results together" in said
    assert "another run writes 3" in said


def test_results_that_cannot_be_put_together_are_an_error_as_before(show_where):
    with pytest.raises(ClearError, match="agreement"):
        show_where(DataError("agreement: damaged"))
