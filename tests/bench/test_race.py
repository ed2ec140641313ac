"""The clock of a race."""

from __future__ import annotations

import time

import pytest

from bench.contenders import Setting
from bench.race import FinishedError, Race


def test_measuring_recall_takes_no_time_of_the_race() -> None:
    race = Race(lambda: time.sleep(0.2) or 0.1, Setting(epochs=5))
    race.look()
    race.look()
    assert race.looks[-1].seconds < 0.1


def test_a_race_ends_after_its_epochs_or_when_nothing_gets_better() -> None:
    recalls = iter([0.0, 0.31, 0.36, 0.2, 0.2])
    race = Race(lambda: next(recalls), Setting(epochs=9, patience=2))
    for _ in range(4):
        race.look()
    with pytest.raises(FinishedError):
        race.look()
    figures = race.figures(n_pairs=1000)
    assert figures["best_recall"] == 0.36
    assert figures["to_0.3_s"] == race.looks[1].seconds
    assert figures["to_0.355_s"] == race.looks[2].seconds
    assert figures["epochs"] == 4


def test_a_threshold_that_was_never_reached_has_no_seconds() -> None:
    race = Race(lambda: 0.1, Setting(epochs=9))
    race.look()
    race.look()
    assert race.figures(n_pairs=10)["to_0.3_s"] is None
