"""What the environment says about threads."""

from __future__ import annotations

import pytest

from rec_msa.framework.hooks.threads import VARIABLE, threads_in_environment


@pytest.mark.parametrize(
    ("said", "threads"), [("3", 3), ("2,1", 2), (" 4 , 2", 4), ("", None), ("0", None), ("many", None)]
)
def test_the_first_of_nested_threads_counts_and_what_says_nothing_is_none(monkeypatch, said, threads):
    monkeypatch.setenv(VARIABLE, said)
    assert threads_in_environment() == threads


def test_an_environment_without_the_variable_says_nothing(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert threads_in_environment() is None
