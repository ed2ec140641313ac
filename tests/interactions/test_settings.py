from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from rec_msa.interactions import DatasetSettings, SplitSettings

FRACTIONS = ["target_fraction", "attacker_fraction", "heldout_fraction", "validation_fraction", "test_fraction"]


def test_the_defaults_are_those_of_the_specification() -> None:
    assert DatasetSettings().min_interactions == 5
    assert SplitSettings().model_dump() == {
        "target_fraction": 0.5,
        "attacker_fraction": 0.1,
        "heldout_fraction": 0.25,
        "validation_fraction": 0.1,
        "test_fraction": 0.1,
    }


@pytest.mark.parametrize("name", FRACTIONS)
@pytest.mark.parametrize("value", [0, 1, -0.1, 1.5, float("nan"), "half"])
def test_a_fraction_out_of_range_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=name):
        SplitSettings(**{name: value})


@pytest.mark.parametrize("name", ["validation_fraction", "test_fraction"])
def test_no_half_of_the_interactions_is_held_out_twice(name: str) -> None:
    with pytest.raises(ValidationError, match=name):
        SplitSettings(**{name: 0.5})


@pytest.mark.parametrize("settings", [DatasetSettings, SplitSettings])
def test_an_unknown_setting_is_refused(settings: type) -> None:
    with pytest.raises(ValidationError, match="min_interaction\n"):
        settings(min_interaction=3)


@pytest.mark.parametrize("value", [0, -1, 2.5])
def test_the_filter_is_a_whole_number_from_1(value: float) -> None:
    with pytest.raises(ValidationError, match="min_interactions"):
        DatasetSettings(min_interactions=value)


@pytest.mark.parametrize("incomplete", [{"path": "a.csv"}, {"user": "u", "item": "i"}, {"time": "t"}])
def test_own_data_names_path_user_and_item(incomplete: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="missing"):
        DatasetSettings(**incomplete)


def test_own_data_has_different_columns() -> None:
    with pytest.raises(ValidationError, match="different columns"):
        DatasetSettings(path="a.csv", user="id", item="id")
