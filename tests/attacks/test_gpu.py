"""Clone and steal stages on a double of a GPU: they end where they end on a CPU, and no step waits for a number."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest

from rec_msa.attacks.clone import AttackerData, train_clone
from rec_msa.attacks.list_learning import TASKS
from rec_msa.attacks.prefixes import PrefixLists
from rec_msa.attacks.settings import CloneSettings, StealSettings
from rec_msa.attacks.stages import Variant
from rec_msa.attacks.steal import steal, steal_from_lists_alone, steal_listwise
from rec_msa.recommenders.checkpoint import to_checkpoint
from rec_msa.recommenders.settings import claiming, is_sequential
from rec_msa.training.settings import TrainingSettings
from tests.gpu import assert_same
from tests.models import SMALL, small_model

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from rec_msa.foundation.lists import Lists
    from rec_msa.recommenders.checkpoint import Checkpoint
    from tests.gpu import GpuDouble

    Trained = tuple[Checkpoint, pd.DataFrame]

USERS, N_ITEMS, LENGTH = range(12), 80, 5
RULES = TrainingSettings(learning_rate=0.01, batch_size=32, max_steps=6, validate_every=3, patience=100)
CLONE, STEAL = CloneSettings(training=RULES), StealSettings(training=RULES, negatives=7)
LOSSES = ("hinge", "bpr")
TRAINED = claiming("gradients")
SEQUENTIAL = [name for name in TRAINED if is_sequential(name)]
BY_ROW = {"training": RULES.model_copy(update={"row_sparse_from": 1})}


@pytest.fixture
def known(random_interactions: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    return random_interactions(USERS, N_ITEMS, 20)


@pytest.fixture
def served(random_lists: Callable[..., Lists]) -> Lists:
    return random_lists(USERS, N_ITEMS, LENGTH)


def assert_same_on(gpu: GpuDouble, train: Callable[[str], Trained]) -> None:
    here = train("cpu")
    with gpu:
        there = train("cuda")
    assert_same(there, here)


def model(name: str, known: pd.DataFrame, fusion: str | None = None) -> Checkpoint:
    return to_checkpoint(small_model(name, USERS, N_ITEMS, known, fusion, **SMALL.get(name, {})))


@pytest.mark.parametrize("variant", get_args(Variant))
@pytest.mark.parametrize("name", TRAINED)
def test_a_clone_is_trained_as_on_a_cpu(name: str, variant: Variant, known: pd.DataFrame, gpu: GpuDouble) -> None:
    others = known.assign(user=known["user"] + 100)
    data = AttackerData(known, N_ITEMS, model(name, known), others, np.arange(0, N_ITEMS, 2))
    settings = SMALL.get(name, {}) | {"dimensions": 6}
    assert_same_on(gpu, lambda device: train_clone(variant, data, name, settings, CLONE, 0, device))


@pytest.mark.parametrize("outside", TASKS)
@pytest.mark.parametrize("name", TRAINED)
def test_lists_are_learnt_as_on_a_cpu(
    name: str, outside: str, known: pd.DataFrame, served: Lists, gpu: GpuDouble
) -> None:
    clone = model(name, known, "attention")
    assert_same_on(gpu, lambda device: steal(clone, served, known, STEAL, LOSSES, 0, device, outside))


@pytest.mark.parametrize("name", claiming("own_users"))
def test_lists_are_learnt_row_by_row_as_on_a_cpu(name: str, known: pd.DataFrame, served: Lists, gpu: GpuDouble) -> None:
    clone, rules = model(name, known), STEAL.model_copy(update=BY_ROW)
    assert_same_on(gpu, lambda device: steal(clone, served, known, rules, LOSSES, 0, device))


@pytest.mark.parametrize("name", TRAINED)
def test_whole_lists_are_learnt_beside_interactions_as_on_a_cpu(
    name: str, known: pd.DataFrame, served: Lists, gpu: GpuDouble
) -> None:
    clone, data = model(name, known), AttackerData(known, N_ITEMS)
    assert_same_on(gpu, lambda device: steal_listwise(clone, served, data, STEAL, CLONE, 0.2, 1.0, 0, device))


@pytest.mark.parametrize("name", claiming("own_users"))
def test_a_fresh_clone_learns_lists_alone_as_on_a_cpu(name: str, served: Lists, gpu: GpuDouble) -> None:
    users = np.array(USERS)
    how = (name, SMALL.get(name, {}), users, N_ITEMS, served, STEAL, LOSSES, 0)
    assert_same_on(gpu, lambda device: steal_from_lists_alone(*how, device))


@pytest.mark.parametrize("name", SEQUENTIAL)
def test_lists_after_prefixes_are_learnt_as_on_a_cpu(
    name: str, random_lists: Callable[..., Lists], gpu: GpuDouble
) -> None:
    made = random_lists(range(8), N_ITEMS, 4).items, random_lists(range(32), N_ITEMS, LENGTH, 1).items
    prefixes = PrefixLists(made[0].astype(np.int32), made[1].reshape(8, 4, LENGTH).astype(np.int32))
    how = (name, SMALL[name], np.array(USERS), N_ITEMS, prefixes, STEAL, LOSSES, 0)
    assert_same_on(gpu, lambda device: steal_from_lists_alone(*how, device))
