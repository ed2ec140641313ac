"""The yardstick."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bench.contenders import Setting
from bench.plain_loop import build, draw, loss, train
from bench.speed_task import SpeedTask


@pytest.fixture
def small_task() -> SpeedTask:
    """Users of two tastes: even users like even items, odd ones odd items."""
    users = np.repeat(np.arange(60), 30)
    items = (np.tile(np.arange(30), 60) * 2 + users % 2).astype(np.int64)
    held = np.random.default_rng(0).random(len(users)) < 0.2
    return SpeedTask(users[~held], items[~held], users[held], items[held], n_users=60, n_items=200)


@pytest.mark.parametrize("name", ["bpr", "lmf", "ncf"])
def test_a_model_of_the_plain_loop_learns(name: str, small_task: SpeedTask) -> None:
    torch.manual_seed(0)
    setting = Setting({"negatives": 2}, {"learning_rate": 0.02}, epochs=12, patience=12)
    race = train(name, setting, small_task)
    assert race.figures(1)["best_recall"] > race.looks[0].recall + 0.2


@pytest.mark.parametrize("name", ["bpr", "lmf", "ncf"])
def test_the_loss_is_that_of_scores_that_say_nothing_at_the_start(name: str) -> None:
    torch.manual_seed(0)
    model = build(name, 8, 20)
    for parameter in model.parameters():
        torch.nn.init.zeros_(parameter)
    rows, items = torch.arange(8), torch.arange(8)
    assert loss(name, model, rows, items, items.unsqueeze(1) + 1).item() == pytest.approx(np.log(2))


def test_negatives_lie_outside_the_training_pairs() -> None:
    torch.manual_seed(0)
    seen = torch.zeros(2, 10, dtype=torch.bool)
    seen[0, :9] = seen[1, 5:] = True
    drawn = draw(torch.tensor([0, 1]), 50, 10, seen.flatten())
    assert set(drawn[0].tolist()) == {9}
    assert set(drawn[1].tolist()) == {0, 1, 2, 3, 4}
