"""Learning from interactions: what a batch holds."""

from __future__ import annotations

from itertools import chain

import pandas as pd
import pytest
import torch

from rec_msa.recommenders.checkpoint import build
from rec_msa.recommenders.settings import LmfSettings
from rec_msa.training import interactions
from rec_msa.training.interactions import InteractionTask
from tests.training.small import USERS, bpr, frame, random_interactions

pytestmark = pytest.mark.filterwarnings("error")  # read-only columns of pandas must not reach torch


@pytest.mark.parametrize("batch_size", [1, 7, 60, 1000])
def test_an_epoch_has_every_interaction_once(batch_size: int) -> None:
    model, train = bpr(40), random_interactions(40, 15, 2)
    task = InteractionTask(model, train, frame((4, 0)))
    batches = list(task.epoch(batch_size, torch.Generator().manual_seed(0)))
    assert all(len(rows) == batch_size for rows, _, _ in batches[:-1])
    assert sum(len(rows) for rows, _, _ in batches) == task.n_terms
    pairs = [(USERS[row], item) for rows, items, _ in batches for row, item in zip(rows, items.tolist(), strict=True)]
    assert sorted(pairs) == sorted(train.itertuples(index=False, name=None))


def test_epochs_differ_in_order_and_negatives_and_repeat_with_the_stream() -> None:
    task = InteractionTask(bpr(40), random_interactions(40, 15, 2), frame((4, 0)))

    def two_epochs() -> list[list[list[int]]]:
        generator = torch.Generator().manual_seed(5)
        return [[part.tolist() for part in next(iter(task.epoch(60, generator)))] for _ in range(2)]

    first, second = two_epochs()
    assert all(a != b for a, b in zip(first, second, strict=True))
    assert two_epochs() == [first, second]


def test_negatives_lie_outside_training_but_held_back_items_are_possible() -> None:
    model, train = bpr(20), frame(*((user, item) for user in USERS for item in range(14)))
    held_back = frame(*((user, item) for user in USERS for item in (15, 16)))
    task = InteractionTask(model, train, held_back)
    drawn = torch.cat([batch[2] for batch in task.epoch(2048, torch.Generator().manual_seed(0))])
    assert set(drawn.flatten().tolist()) == set(range(14, 20))


def test_the_model_says_how_many_negatives() -> None:
    model = build("lmf", torch.tensor(USERS), 40, LmfSettings(dimensions=4, negatives=3))
    model.initialise(torch.Generator().manual_seed(0))
    task = InteractionTask(model, random_interactions(40, 5, 0), frame((4, 0)))
    rows, items, negatives = next(iter(task.epoch(8, torch.Generator().manual_seed(0))))
    assert negatives.shape == (8, 3)
    assert task.loss((rows, items, negatives)).item() == model.loss(rows, items, negatives).item()


def test_the_model_reads_the_training_interactions_and_not_those_held_back() -> None:
    model = build("lightgcn", torch.tensor(USERS), 20, {"dimensions": 4})
    InteractionTask(model, frame((4, 1), (30, 2)), frame((4, 0)))
    assert model.histories.dense().nonzero().tolist() == [[0, 1], [3, 2]]


def test_a_user_who_has_seen_the_whole_catalogue_gives_no_training_pair() -> None:
    train = pd.concat([frame(*((10, item) for item in range(20))), frame((4, 1), (30, 2))])
    task = InteractionTask(bpr(20), train, frame((4, 0), (10, 3)))
    batches = list(task.epoch(5, torch.Generator().manual_seed(0)))
    pairs = {(USERS[row], item) for rows, items, _ in batches for row, item in zip(rows, items.tolist(), strict=True)}
    assert pairs == {(4, 1), (30, 2)}
    assert task.n_terms == 2
    assert task.quality() == pytest.approx(0.5)


def blocks_of(monkeypatch: pytest.MonkeyPatch, whole: int, batch_size: int) -> tuple[InteractionTask, list[list[int]]]:
    """A task of 60 interactions, and the places of the pairs of each batch in the order of users."""
    monkeypatch.setattr(interactions, "SHUFFLED_WHOLE", whole)
    monkeypatch.setattr(interactions, "BLOCK", 17)
    task = InteractionTask(bpr(40), random_interactions(40, 15, 2), frame((4, 0)))
    place = {pair: at for at, pair in enumerate(zip(task.rows.tolist(), task.items.tolist(), strict=True))}
    epoch = task.epoch(batch_size, torch.Generator().manual_seed(0))
    return task, [[place[pair] for pair in zip(r.tolist(), i.tolist(), strict=True)] for r, i, _ in epoch]


def test_of_many_interactions_blocks_of_users_are_shuffled(monkeypatch: pytest.MonkeyPatch) -> None:
    _, batches = blocks_of(monkeypatch, whole=59, batch_size=4)  # blocks of 16 interactions, the last of 12
    assert sorted(len(batch) for batch in batches) == [4] * 15
    assert sorted([*chain.from_iterable(batches)]) == list(range(60))
    of_block = [{place // 16 for place in batch} for batch in batches]
    assert all(len(blocks) == 1 for blocks in of_block)
    visited = list(dict.fromkeys(next(iter(blocks)) for blocks in of_block))
    assert sorted(visited) == [0, 1, 2, 3] != visited
    assert [*chain.from_iterable(batches)] != sorted([*chain.from_iterable(batches)])


def test_interactions_that_fit_a_block_are_shuffled_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    task, batches = blocks_of(monkeypatch, whole=60, batch_size=4)
    generator = torch.Generator().manual_seed(0)
    task.sampler.draw(task.rows, 1, generator)
    assert [*chain.from_iterable(batches)] == torch.randperm(60, generator=generator).tolist()
