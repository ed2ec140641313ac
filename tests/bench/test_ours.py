"""Our side of the races: a change of the training loop must not break the suite unseen."""

from __future__ import annotations

import numpy as np
import pytest

from bench.contenders import OURS, Setting
from bench.ours import run
from bench.scaling import made_up, measure
from bench.speed_task import SpeedTask
from rec_msa.recommenders.settings import SETTINGS
from rec_msa.training.settings import TrainingSettings


def small_task() -> SpeedTask:
    random = np.random.default_rng(0)
    pairs = np.unique(random.integers(0, 40 * 300, 4000))
    users, items = np.divmod(pairs, 300)
    held = random.random(len(pairs)) < 0.2
    return SpeedTask(users[~held], items[~held], users[held], items[held], n_users=40, n_items=300)


@pytest.mark.parametrize("model", OURS)
def test_a_model_races_and_is_looked_at_once_an_epoch(model: str) -> None:
    figures = run(model, Setting(epochs=2), small_task(), seed=0)
    assert figures["epochs"] == 2
    assert figures["epoch_s"] > 0
    assert figures["best_at_s"] < 60


@pytest.mark.parametrize("model", OURS)
def test_the_named_settings_are_valid(model: str) -> None:
    for setting in OURS[model].values():
        SETTINGS[model].model_validate(setting.model)
        TrainingSettings.model_validate(setting.training)


def test_an_epoch_that_was_timed_in_part_is_reckoned_from_its_steps() -> None:
    train = made_up(30_000, n_users=300, n_items=200)
    whole, part = (measure("bpr", train, 300, 200, limit) for limit in (60.0, 0.0))
    assert whole["timed_share"] == 1
    assert part["timed_share"] == pytest.approx(1 / 15)
    assert part["epoch_s"] > 0
