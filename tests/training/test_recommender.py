"""A recommender from scratch: what it learns, and what its seed and its role decide."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import torch

from rec_msa.foundation.errors import SettingsError
from rec_msa.recommenders.checkpoint import build, from_checkpoint
from rec_msa.recommenders.settings import BprSettings
from rec_msa.training.recommender import fit_interactions, train_recommender
from rec_msa.training.settings import TrainingSettings
from tests.training.small import USERS, bpr, frame, random_interactions, slow_recall

if TYPE_CHECKING:
    from rec_msa.recommenders.base import Recommender
    from rec_msa.recommenders.checkpoint import Checkpoint

pytestmark = pytest.mark.filterwarnings("error")  # read-only columns of pandas must not reach torch


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


@pytest.mark.parametrize("name", ["ease", "ials", "lightgcn"])
def test_every_kind_of_model_learns_from_interactions_alike(name: str) -> None:
    """Two groups of users have items of their own; popular items are found by half."""
    rng, users = np.random.default_rng(0), range(40)
    pairs = [(user, int(item) + 100 * (user % 2)) for user in users for item in rng.choice(100, 40, replace=False)]
    interactions, held = frame(*pairs), np.arange(len(pairs)) % 8 == 0
    train, held_back = interactions[~held], interactions[held]
    rules = TrainingSettings(learning_rate=0.02, batch_size=64, max_steps=150, validate_every=25)
    checkpoint, curve = train_recommender(name, {}, train, held_back, 200, rules, 0, "target", "cpu")
    popular = train["item"].value_counts().reindex(range(200), fill_value=0).to_numpy()
    by_popularity = SimpleNamespace(
        n_items=200,
        rows_of=lambda users: users,
        score_all=lambda rows: torch.from_numpy(popular.astype(float)).expand(len(rows), -1),
    )
    kept = curve.loc[curve["kept"], "validation"].item()
    assert kept == pytest.approx(slow_recall(from_checkpoint(checkpoint), train, held_back))
    assert kept > slow_recall(by_popularity, train, held_back) + 0.2


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


def test_a_step_size_that_blows_up_is_named_with_what_it_trained() -> None:
    model, train = bpr(60), random_interactions(60, 20, seed=0)
    rules = TrainingSettings(learning_rate=1e30, max_steps=20, validate_every=5)
    with pytest.raises(SettingsError, match=r"learning_rate: 1e\+30 makes the loss of 'target bpr' (nan|inf)"):
        fit_interactions(model, train, train.head(3), rules, torch.Generator().manual_seed(0), "target bpr")
