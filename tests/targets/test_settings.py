"""Settings of targets that others trained."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from rec_msa.targets.settings import TargetSettings


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "name one of lists, recommend, fit"),
        ({"lists": "l.csv", "fit": "a:b"}, "lists and fit are there"),
        ({"recommend": "shop.model"}, "module:function"),
        ({"fit": "a:b", "rank": "rank"}, "rank: this means something with lists alone"),
        ({"lists": "l.csv", "depth": 20}, "depth: this means something with fit alone"),
        ({"fit": "a:b", "separator": ";", "auxiliary": "others"}, "separator: this means something with lists alone"),
        ({"lists": "l.csv", "rank": "r", "score": "s"}, "rank and score: name one of them"),
        ({"lists": "l.csv", "version": 2}, "version: this means nothing with lists"),
        ({"lists": "l.csv", "auxiliary": "nonne"}, "there is no 'nonne'; did you mean 'none'"),
    ],
)
def test_settings_that_say_two_things_or_nothing_are_refused(settings, said):
    with pytest.raises(ValidationError, match=said):
        TargetSettings(**settings)


def test_who_is_auxiliary_depends_on_who_trains():
    assert TargetSettings(fit="a:b").source == "split"
    assert TargetSettings(lists="l.csv").source == "none"
    assert TargetSettings(lists="l.csv", auxiliary="others.csv").auxiliary_file.path == "others.csv"


def test_a_function_may_name_the_column_of_users_in_its_file_of_auxiliary_users():
    settings = TargetSettings(recommend="shop:recommend", auxiliary="others.csv", user="customer")
    assert settings.auxiliary_file.user == "customer"


def test_the_layout_of_a_functions_auxiliary_file_could_not_be_said():
    settings = TargetSettings(fit="a:b", auxiliary="others.csv", separator="tab", encoding="latin-1")
    assert (settings.auxiliary_file.separator, settings.auxiliary_file.encoding) == ("\t", "iso8859-1")


def test_a_setting_that_is_new_and_not_set_makes_no_artifact_old():
    assert "missing" not in TargetSettings(lists="l.csv").model_dump()
    assert TargetSettings(lists="l.csv", missing="drop").model_dump()["missing"] == "drop"


def test_a_version_may_be_a_number_or_a_date():
    assert [TargetSettings(recommend="a:b", version=one).version for one in (2, date(2026, 12, 1))] == [
        "2",
        "2026-12-01",
    ]


def test_files_follow_the_project_and_urls_stay():
    placed = TargetSettings(lists="l.csv", auxiliary="s3://bucket/others.csv").under(Path("/project"))
    assert (placed.lists, placed.auxiliary) == ("/project/l.csv", "s3://bucket/others.csv")
