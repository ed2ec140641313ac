"""The task on which speed is compared."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from bench.speed_task import RECALL_AT, SpeedTask
from rec_msa.recommenders.checkpoint import build
from rec_msa.recommenders.ranking import rank_lists
from rec_msa.training.interactions import InteractionTask

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def task(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> SpeedTask:
    raw = tmp_path_factory.mktemp("raw")
    (raw / "ml-1m").mkdir()
    ratings = gzip.decompress((shared_data / "ml-1m" / "ratings-no-timestamp.dat.gz").read_bytes())
    (raw / "ml-1m" / "ratings.dat").write_bytes(ratings)
    return SpeedTask.from_raw(raw)


def test_the_speed_task_has_the_counts_that_others_report(task: SpeedTask) -> None:
    assert (task.n_users, task.n_items) == (3020, 3706)
    assert (len(task.train_users), len(task.test_users)) == (410_380, 102_751)
    assert len(np.unique(task.test_users)) == 3016


def test_a_saved_task_is_the_same_task(task: SpeedTask, tmp_path: Path) -> None:
    task.save(tmp_path / "task.npz")
    restored = SpeedTask.load(tmp_path / "task.npz")
    assert all(np.array_equal(value, getattr(restored, name)) for name, value in vars(task).items())


def test_peers_and_ours_are_measured_by_the_same_recall(task: SpeedTask) -> None:
    model = build("bpr", torch.arange(task.n_users), task.n_items, {})
    model.initialise(torch.Generator().manual_seed(0))
    train, held_out = task.frames()
    users, items = model.users.weight.detach().numpy(), model.items.weight.detach().numpy()
    ours = InteractionTask(model, train, held_out).quality()
    lists = rank_lists(model, np.arange(task.n_users), train, RECALL_AT).items
    assert task.recall_of_factors(users, items) == pytest.approx(ours, abs=1e-5)
    assert task.recall(lists) == pytest.approx(ours, abs=1e-9)


def test_recall_is_the_share_of_a_users_held_out_items_and_a_mean_over_users_that_have_one() -> None:
    pairs = [np.array(values) for values in ([], [], [0, 0, 2], [5, 6, 9])]
    task = SpeedTask(*pairs, n_users=3, n_items=100)
    lists = np.stack([np.arange(50), np.arange(50), np.arange(10, 60)])
    lists[0, 6] = 99
    assert task.recall(lists) == pytest.approx((1 / 2 + 0) / 2)
