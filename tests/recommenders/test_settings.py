"""Settings of the recommenders: nothing unknown, nothing out of range."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from rec_msa.recommenders.settings import SETTINGS


@pytest.mark.parametrize("name", sorted(SETTINGS))
@pytest.mark.parametrize("wrong", [{"dimension": 8}, {"dimensions": 0}, {"negatives": 0}, {"l2": -0.1}])
def test_unknown_keys_and_impossible_values_are_refused(name: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        SETTINGS[name](**wrong)


def test_the_papers_setting_is_the_default() -> None:
    defaults = {name: SETTINGS[name]() for name in ("bpr", "lmf", "ncf")}
    assert {settings.dimensions for settings in defaults.values()} == {64}
    assert [settings.negatives for settings in defaults.values()] == [1, 4, 4]
    assert defaults["bpr"].l2 == 0
