"""Every model's training on a double of a GPU: it ends where it ends on a CPU, and no step waits for a number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from rec_msa.recommenders.checkpoint import to_checkpoint
from rec_msa.recommenders.settings import SETTINGS, claiming
from rec_msa.training.fold_in import fold_in
from rec_msa.training.recommender import train_recommender
from rec_msa.training.settings import TrainingSettings
from tests.gpu import assert_same
from tests.models import SMALL
from tests.training.small import random_interactions

if TYPE_CHECKING:
    import pandas as pd

    from rec_msa.recommenders.checkpoint import Checkpoint
    from tests.gpu import GpuDouble

N_ITEMS = 80
TRAIN, HELD_BACK = random_interactions(N_ITEMS, 12, 0), random_interactions(N_ITEMS, 3, 1)
RULES = TrainingSettings(learning_rate=0.01, batch_size=16, max_steps=9, validate_every=3, patience=100)
BY_ROW = RULES.model_copy(update={"row_sparse_from": 1})

WAITS = {"ease": "is measured once, by a ranking that waits (tests/recommenders/test_gpu.py)"}


def train(name: str, device: str, rules: TrainingSettings = RULES) -> tuple[Checkpoint, pd.DataFrame]:
    return train_recommender(name, SMALL.get(name, {}), TRAIN, HELD_BACK, N_ITEMS, rules, 0, "target", device)


@pytest.mark.parametrize(
    ("name", "rules"),
    [*((name, RULES) for name in SETTINGS), *((name, BY_ROW) for name in claiming("own_users"))],
    ids=lambda value: value if isinstance(value, str) else f"rows from {value.row_sparse_from}",
)
def test_a_training_ends_where_it_ends_on_a_cpu(name: str, rules: TrainingSettings, gpu: GpuDouble) -> None:
    here, gpu.may_wait = train(name, "cpu", rules), name in WAITS
    with gpu:
        there = train(name, "cuda", rules)
    assert_same(there, here)


@pytest.mark.parametrize("name", claiming("own_users"))
def test_vectors_of_other_users_are_learnt_as_on_a_cpu(name: str, gpu: GpuDouble) -> None:
    target, _ = train(name, "cpu")
    others = TRAIN.assign(user=TRAIN["user"] + 1)
    here = to_checkpoint(fold_in(target, others, RULES, 0, "cpu"))
    with gpu:
        there = to_checkpoint(fold_in(target, others, RULES, 0, "cuda"))
    torch.testing.assert_close(there["state"], here["state"], rtol=1e-4, atol=1e-5)
