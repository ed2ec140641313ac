"""Learning from interactions: what a batch holds, and Recall@50 against a slow count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rec_msa.errors import SettingsError
from rec_msa.recommenders.checkpoint import build, from_checkpoint
from rec_msa.recommenders.settings import BprSettings, LmfSettings
from rec_msa.training.interactions import (
    InteractionTask,
    RecallProbe,
    fit_interactions,
    index_pairs,
    train_recommender,
)
from rec_msa.training.settings import TrainingSettings

if TYPE_CHECKING:
    from rec_msa.recommenders.base import Recommender
    from rec_msa.recommenders.checkpoint import Checkpoint

USERS = (4, 10, 11, 30)

pytestmark = pytest.mark.filterwarnings("error")  # read-only columns of pandas must not reach torch


def bpr(n_items: int, seed: int = 0) -> Recommender:
    """A model with scores far apart."""
    model = build("bpr", torch.tensor(USERS), n_items, BprSettings(dimensions=4))
    model.initialise(torch.Generator().manual_seed(seed))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(100)
    return model


def frame(*pairs: tuple[int, int]) -> pd.DataFrame:
    return pd.DataFrame(pairs, columns=["user", "item"], dtype="int64")


def random_interactions(n_items: int, per_user: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return frame(*((user, int(i)) for user in USERS for i in rng.choice(n_items, per_user, replace=False)))


def slow_recall(model: Recommender, known: pd.DataFrame, held_back: pd.DataFrame, k: int = 50) -> float:
    recalls = []
    for user, items in held_back.groupby("user")["item"]:
        with torch.no_grad():
            scores = model.score_all(model.rows_of(torch.tensor([user])))[0].tolist()
        seen = set(known.loc[known["user"] == user, "item"])
        ranked = sorted(set(range(model.n_items)) - seen, key=lambda item: -scores[item])
        recalls.append(len(set(ranked[:k]) & set(items)) / len(items))
    return float(np.mean(recalls))


def recall(model: Recommender, known: pd.DataFrame, held_back: pd.DataFrame) -> float:
    return InteractionTask(model, known, held_back).quality()


@given(st.integers(0, 10_000), st.integers(20, 120))
@settings(max_examples=40)
def test_recall_equals_a_slow_count(seed: int, n_items: int) -> None:
    model = bpr(n_items, seed)
    interactions = random_interactions(n_items, 15, seed).sample(frac=1, random_state=seed)
    cut = 20 + seed % 30
    known, held_back = interactions[:cut], interactions[cut:]
    assert recall(model, known, held_back) == pytest.approx(slow_recall(model, known, held_back))


def test_recall_is_a_mean_over_users_not_over_interactions() -> None:
    model = bpr(200)
    with torch.no_grad():
        best = model.score_all(torch.arange(4)).argsort(dim=1, descending=True).tolist()
    held_back = frame((4, best[0][0]), *((10, item) for item in best[1][60:69]))
    assert recall(model, frame((30, 0)), held_back) == pytest.approx(0.5)


def test_training_items_are_left_out_before_the_first_fifty_are_taken() -> None:
    model = bpr(200)
    with torch.no_grad():
        best = model.score_all(torch.arange(4)).argsort(dim=1, descending=True)[0].tolist()
    held_back = frame((4, best[50]))
    assert recall(model, frame((10, 0)), held_back) == 0.0
    assert recall(model, frame((4, best[7])), held_back) == 1.0


def test_a_catalogue_below_fifty_is_ranked_whole() -> None:
    assert recall(bpr(20), frame((4, 1)), frame((4, 2), (10, 3))) == 1.0


def test_a_constant_model_has_no_perfect_recall() -> None:
    model = bpr(500)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    known = random_interactions(500, 50, 1)
    held_back = frame(*((user, item) for user in USERS for item in range(0, 500, 7)))
    assert recall(model, known, held_back) < 0.2


def test_recall_looks_at_the_model_as_it_is_now() -> None:
    model = bpr(200)
    task = InteractionTask(model, frame((4, 0)), random_interactions(200, 20, 3))
    before = task.quality()
    model.initialise(torch.Generator().manual_seed(9))
    assert task.quality() != before
    assert task.quality() == pytest.approx(slow_recall(model, frame((4, 0)), random_interactions(200, 20, 3)))


def test_recall_is_zero_where_nothing_was_held_back() -> None:
    empty = (torch.empty(0, dtype=torch.long), torch.empty(0, dtype=torch.long))
    assert RecallProbe(bpr(30), (torch.tensor([0]), torch.tensor([1])), empty)() == 0.0


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


def test_a_user_who_has_seen_the_whole_catalogue_gives_no_training_pair() -> None:
    train = pd.concat([frame(*((10, item) for item in range(20))), frame((4, 1), (30, 2))])
    task = InteractionTask(bpr(20), train, frame((4, 0), (10, 3)))
    batches = list(task.epoch(5, torch.Generator().manual_seed(0)))
    pairs = {(USERS[row], item) for rows, items, _ in batches for row, item in zip(rows, items.tolist(), strict=True)}
    assert pairs == {(4, 1), (30, 2)}
    assert task.n_terms == 2
    assert task.quality() == pytest.approx(0.5)


def fitted(seed: int) -> tuple[Recommender, pd.DataFrame]:
    """A model fitted to two groups of users with items of their own."""
    rng, users = np.random.default_rng(0), range(20)
    pairs = [(user, int(item) + 100 * (user % 2)) for user in users for item in rng.choice(100, 40, replace=False)]
    held = np.arange(len(pairs)) % 8 == 0
    interactions = frame(*pairs)
    model = build("bpr", torch.tensor(users), 200, BprSettings(dimensions=4))
    generator = torch.Generator().manual_seed(seed)
    model.initialise(generator)
    rules = TrainingSettings(learning_rate=0.02, batch_size=64, max_steps=150, validate_every=10, patience=100)
    return model, fit_interactions(model, interactions[~held], interactions[held], rules, generator, "test")


def test_training_learns_what_users_have_in_common() -> None:
    _, curve = fitted(seed=1)
    kept = curve.loc[curve["kept"]].iloc[0]
    assert kept["validation"] > curve["validation"].iloc[0] + 0.1
    assert curve["loss"].iloc[-1] < curve["loss"].iloc[1]


def test_the_same_seed_gives_the_same_curve_and_another_seed_another() -> None:
    (model, curve), (again, same), (_, other) = fitted(seed=1), fitted(seed=1), fitted(seed=2)
    pd.testing.assert_frame_equal(curve, same)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))
    assert not curve["loss"].equals(other["loss"])


def from_scratch(role: str, name: str = "bpr", seed: int = 0, device: str = "cpu") -> tuple[Checkpoint, pd.DataFrame]:
    interactions = random_interactions(90, 40, 6)
    held = np.arange(len(interactions)) % 5 == 0
    rules = TrainingSettings(learning_rate=0.02, batch_size=64, max_steps=20, validate_every=5)
    parts = (interactions[~held], interactions[held])
    return train_recommender(name, {"dimensions": 4}, *parts, 90, rules, seed, role, device)


def test_a_recommender_from_scratch_knows_its_training_users_and_ends_in_its_best_state() -> None:
    checkpoint, curve = from_scratch("target")
    model = from_checkpoint(checkpoint)
    assert model.user_ids.tolist() == list(USERS)
    assert model.settings.dimensions == 4
    interactions = random_interactions(90, 40, 6)
    held = np.arange(len(interactions)) % 5 == 0
    expected = slow_recall(model, interactions[~held], interactions[held])
    assert curve.loc[curve["kept"], "validation"].item() == pytest.approx(expected)


def test_a_retrained_twin_differs_by_its_stream_alone() -> None:
    target, again, twin, other = (
        from_scratch(role, seed=seed)[0]["state"]["users.weight"]
        for role, seed in (("target", 1), ("target", 1), ("retrain", 1), ("target", 2))
    )
    assert torch.equal(target, again)
    assert not torch.equal(target, twin)
    assert not torch.equal(target, other)


def test_training_refuses_unknown_architectures_and_missing_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SettingsError, match="no recommender 'lfm'; did you mean 'lmf'"):
        from_scratch("target", name="lfm")
    with pytest.raises(SettingsError, match="device: 'cuda'"):
        from_scratch("target", device="cuda")


def test_of_very_many_users_every_so_manieth_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    known, held_back = random_interactions(60, 5, seed=0), random_interactions(60, 3, seed=1)
    model = bpr(60)
    monkeypatch.setattr("rec_msa.training.interactions.PROBED_USERS", 2)
    probed = RecallProbe(model, index_pairs(model, known), index_pairs(model, held_back))
    chosen = [USERS[0], USERS[2]]
    assert model.user_ids[probed.rows].tolist() == chosen
    some = held_back[held_back["user"].isin(chosen)]
    assert probed() == pytest.approx(slow_recall(model, known, some))


def test_a_step_size_that_blows_up_is_named_with_what_it_trained() -> None:
    model, train = bpr(60), random_interactions(60, 20, seed=0)
    rules = TrainingSettings(learning_rate=1e30, max_steps=20, validate_every=5)
    with pytest.raises(SettingsError, match=r"learning_rate: 1e\+30 makes the loss of 'target bpr' (nan|inf)"):
        fit_interactions(model, train, train.head(3), rules, torch.Generator().manual_seed(0), "target bpr")
