from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from rec_msa.interactions import DatasetSettings, SplitSettings

if TYPE_CHECKING:
    from pathlib import Path

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


OWN = {"path": "a.csv", "user": "u", "item": "i", "time": "t"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"separator": "ab"}, "a separator is one character, the same one several times as '::', or one of tab, space"),
        ({"separator": '"'}, "a separator is one character"),
        ({"where": {"rating": ">= four"}}, "rating: '>= four' is no condition; write a value"),
        ({"where": {"rating": ">="}}, "rating: '>=' is no condition"),
        ({"where": {"rating": []}}, "rating: .* is no condition"),
        ({"where": {"rating": {"is": 4}}}, "rating: .* is no value to compare with"),
        ({"missing": "skip"}, "'refuse', 'drop' or 'keep'"),
        ({"quotes": "single"}, "'doubled', 'backslash' or 'none'"),
        ({"encoding": "utf-9"}, "there is no such encoding; utf-8, latin-1"),
        ({"time_format": "dd.mm.yyyy"}, "a format has directives as %Y"),
        ({"encoding": "rot13"}, "rot13 is no encoding of text; utf-8, latin-1"),
        ({"encoding": "hex"}, "hex is no encoding of text"),
        ({"time_format": "%Q"}, "%Q is no format .*; one has directives as %Y"),
        ({"time_format": "%Y %"}, "%Y % is no format"),
        ({"time_format": "%Y %Y"}, "%Y %Y is no format"),
        ({"time_format": "%m/%d/%Y %H:%M:%S %p"}, "%S %p: %p, a.m. or p.m., counts with %I alone"),
        ({"time_format": "%Y-%m-%d %I:%M:%S"}, "without %p night and day are the same: write %H, or add %p"),
        ({"time_format": "%Y-%M-%d"}, "the month is missing: %m is 12"),
        ({"time_format": "%Y-%M"}, "the hour is missing: %H or %I with %p; months are %m"),
        ({"columns": ["u", "u"]}, "each name may be there once"),
        ({"columns": ["u...", "i"]}, "only the last one may take all that follow"),
        ({"columns": ["u", "i..."]}, "add quotes: none"),
        ({"order": "t"}, "different columns"),
        ({"time": None, "order": "o"}, "order: this needs a column of times"),
        ({"time": None, "time_format": "%Y"}, "time_format: this needs a column of times"),
        ({"min_per_user": 0}, "min_per_user"),
        ({"path": []}, "path"),
    ],
)
def test_a_wrong_setting_of_own_data_is_refused_with_what_is_allowed(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        DatasetSettings(**(OWN | wrong))


def test_a_known_data_set_is_read_as_it_is() -> None:
    with pytest.raises(ValidationError, match="where, missing: a known data set is read as it is"):
        DatasetSettings(where={"rating": ">= 4"}, missing="drop")


def test_what_nobody_set_is_not_written_down_so_that_artifacts_of_before_stay_current() -> None:
    before = {"min_interactions": 5, "patience": None, "patience_of": {}}
    known = dict.fromkeys(("path", "user", "item", "time")) | before
    assert DatasetSettings().model_dump(mode="json") == known
    assert DatasetSettings(**OWN).model_dump(mode="json") == OWN | before
    written = DatasetSettings(**OWN, separator="tab", min_per_item=3).model_dump(mode="json")
    assert written == OWN | before | {"separator": "\t", "min_per_item": 3}
    assert DatasetSettings.model_validate(written) == DatasetSettings(**OWN, separator="tab", min_per_item=3)


def test_urls_do_not_follow_the_project_and_paths_do(tmp_path: Path) -> None:
    several = DatasetSettings(**(OWN | {"path": ["a.csv", "s3://shop/b.csv", "/c.csv"]}))
    assert several.under(tmp_path).paths == (str(tmp_path / "a.csv"), "s3://shop/b.csv", "/c.csv")
    assert DatasetSettings().under(tmp_path) == DatasetSettings()


READABLE = ["%d.%m.%Y %H:%M", "%Y%m%d", "%b %d %Y", "%Y-%m-%dT%H:%M:%S.%f%z", "%d %b", "%m/%d/%y %I:%M %p", "%Y-%j"]


@pytest.mark.parametrize("pattern", [*READABLE, "%Y-%W-%w", "%G-%V-%u %H%%p", "%Y", "%c", "%x %X"])
def test_a_format_that_can_be_read_is_taken(pattern: str) -> None:
    assert DatasetSettings(**(OWN | {"time_format": pattern})).time_format == pattern
