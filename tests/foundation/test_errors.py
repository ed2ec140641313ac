"""Errors with a remedy, and the hint at the nearest valid name."""

from __future__ import annotations

import pytest

from rec_msa.foundation.errors import DataError, QueryError, RecMsaError, SettingsError, nearest


def test_the_nearest_name_is_suggested_first_and_all_are_listed() -> None:
    assert nearest("nfc", ["ncf", "lmf", "bpr"]) == "did you mean 'ncf'? Allowed: bpr, lmf, ncf"


def test_no_suggestion_where_nothing_is_near() -> None:
    assert nearest("zzz", ("ncf", "bpr")) == "Allowed: bpr, ncf"


def test_a_name_in_capitals_is_near_to_its_own() -> None:
    assert nearest("NCF", ["ncf", "zzz"]) == "did you mean 'ncf'? Allowed: ncf, zzz"


def test_names_come_from_any_iterable() -> None:
    assert nearest("ptd", iter({"ptq": 1})) == "did you mean 'ptq'? Allowed: ptq"


@pytest.mark.parametrize("kind", [SettingsError, DataError, QueryError])
def test_every_error_that_a_user_can_mend_is_of_one_family(kind: type[Exception]) -> None:
    assert issubclass(kind, RecMsaError)
