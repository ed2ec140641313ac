"""Learning from sequences: what a pass covers, and that a sequential model learns what follows what."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rec_msa.foundation.errors import DataError
from rec_msa.recommenders.checkpoint import build, from_checkpoint
from rec_msa.recommenders.settings import SETTINGS, is_sequential
from rec_msa.training.recommender import train_recommender
from rec_msa.training.sequences import SequenceTask
from rec_msa.training.settings import TrainingSettings

NAMES = tuple(filter(is_sequential, SETTINGS))
LENGTH = 5


def frame(sequences: dict[int, list[int]]) -> pd.DataFrame:
    pairs = [(user, item) for user, items in sequences.items() for item in items]
    return pd.DataFrame(pairs, columns=["user", "item"], dtype="int64")


def random_sequences(seed: int, n_items: int = 60) -> dict[int, list[int]]:
    rng = np.random.default_rng(seed)
    return {user: rng.choice(n_items, rng.integers(1, 23), replace=False).tolist() for user in (4, 10, 11, 30, 31)}


def task(sequences: dict[int, list[int]], name: str = "sasrec", n_items: int = 60, **change: object) -> SequenceTask:
    chosen = {"dimensions": 4, "length": LENGTH} | change
    model = build(name, torch.tensor(list(sequences)), n_items, chosen)
    model.initialise(torch.Generator().manual_seed(0))
    return SequenceTask(model, frame(sequences), frame({}))  # type: ignore[arg-type]


@given(st.integers(0, 10_000), st.integers(1, 40))
@settings(max_examples=40)
def test_a_pass_learns_every_place_once_in_steps_of_about_the_batch_size(seed: int, batch_size: int) -> None:
    sequences = random_sequences(seed)
    given_task = task(sequences)
    steps: Counter[tuple[int, int]] = Counter()
    for start, length, negatives, _ in given_task.epoch(batch_size, torch.Generator().manual_seed(seed)):
        assert int(length.sum()) <= batch_size + LENGTH - 1
        assert int(length.max()) <= LENGTH
        assert len(negatives) == int(length.sum())
        for first, n in zip(start.tolist(), length.tolist(), strict=True):
            items = given_task.items[first : first + n + 1].tolist()
            steps.update(pairwise(items))
    expected = Counter(pair for items in sequences.values() for pair in pairwise(items))
    assert steps == expected
    assert given_task.n_terms == expected.total()


def test_windows_begin_elsewhere_in_every_pass() -> None:
    given_task = task({1: list(range(40)), 2: [3, 4]})
    generator = torch.Generator().manual_seed(0)
    begins = [{int(first) for start, *_ in given_task.epoch(8, generator) for first in start} for _ in range(4)]
    assert len(set(map(frozenset, begins))) > 1


def test_negatives_are_items_that_the_user_never_had() -> None:
    sequences = random_sequences(3)
    given_task = task(sequences)
    users = list(sequences)
    for start, length, negatives, _ in given_task.epoch(30, torch.Generator().manual_seed(1)):
        rows = given_task.rows[start].repeat_interleave(length)
        for row, item in zip(rows.tolist(), negatives[:, 0].tolist(), strict=True):
            assert item not in sequences[users[row]]


def test_what_is_held_back_may_be_a_negative_for_what_leaves_it_out_knows_it() -> None:
    model = build("sasrec", torch.tensor([1]), 6, {"dimensions": 4, "length": LENGTH})
    model.initialise(torch.Generator().manual_seed(0))
    given_task = SequenceTask(model, frame({1: [0, 1, 2, 3]}), frame({1: [4]}))  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(1)
    drawn = {int(item) for _ in range(20) for batch in given_task.epoch(30, generator) for item in batch[2].flatten()}
    assert drawn == {4, 5}


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_has_the_loss_of_its_windows_one_by_one(name: str) -> None:
    given_task = task(random_sequences(5), name, dropout=0.0) if name != "stamp" else task(random_sequences(5), name)
    batch = next(iter(given_task.epoch(30, torch.Generator().manual_seed(2))))
    start, length, negatives, _ = batch
    losses, place = [], 0
    with torch.no_grad():
        for first, n in zip(start.tolist(), length.tolist(), strict=True):
            states = given_task.model.states(given_task.items[first : first + n].unsqueeze(0))[0]
            for t in range(n):
                target = given_task.items[first + t + 1].reshape(1)
                one = given_task.model.next_item_loss(states[t : t + 1], target, negatives[place : place + 1])
                losses.append(one.item())
                place += 1
        assert given_task.loss(batch).item() == pytest.approx(np.mean(losses), rel=1e-4)


def test_dropout_is_drawn_with_the_batch() -> None:
    given_task = task(random_sequences(5))
    batch = next(iter(given_task.epoch(30, torch.Generator().manual_seed(2))))
    assert given_task.loss(batch).item() == given_task.loss(batch).item()
    assert given_task.loss((*batch[:3], batch[3] + 1)).item() != given_task.loss(batch).item()


def test_sequences_of_one_item_alone_are_refused() -> None:
    with pytest.raises(DataError, match="no user has two interactions"):
        task({1: [3], 2: [4]})


def test_a_sequence_of_one_item_beside_longer_ones_is_read_but_not_learned_from() -> None:
    given_task = task({1: [3], 2: [4, 5, 6]})
    assert given_task.n_terms == 2
    assert given_task.model.histories[0].tolist() == [3, -1, -1, -1, -1]


def cycles(n_users: int = 40, n_items: int = 60) -> dict[int, list[int]]:
    """Item i is followed by i + 1, except that each user starts elsewhere."""
    return {user: [(7 * user + step) % n_items for step in range(9)] for user in range(n_users)}


@pytest.mark.parametrize("name", NAMES)
def test_a_model_learns_what_follows_and_the_same_seed_gives_the_same_model(name: str) -> None:
    sequences = cycles()
    train = frame({user: items[:-1] for user, items in sequences.items()})
    held_back = frame({user: items[-1:] for user, items in sequences.items()})
    rules = TrainingSettings(learning_rate=0.01, batch_size=100, max_steps=240, validate_every=120, patience=1000)
    few = rules.model_copy(update={"max_steps": 10, "validate_every": 5})
    chosen = {"dimensions": 16, "length": LENGTH}
    (checkpoint, curve), *models = (
        train_recommender(name, chosen, train, held_back, 60, settings, seed, "target", "cpu")
        for settings, seed in ((rules, 0), (few, 0), (few, 0), (few, 1))
    )
    assert curve["loss"].iloc[-1] < curve["loss"].iloc[1]
    assert curve["validation"].max() == 1
    model = from_checkpoint(checkpoint)
    with torch.no_grad():
        best = model.score_all(torch.arange(40)).topk(5).indices
    truth = torch.tensor([items[-1] for items in sequences.values()])
    assert (best == truth.unsqueeze(1)).any(1).float().mean() > 0.8
    same, again, other = (checkpoint["state"]["items.weight"] for checkpoint, _ in models)
    assert torch.equal(same, again)
    assert not torch.equal(same, other)
