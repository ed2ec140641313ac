"""A trained model for users whom it never saw."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rec_msa.evaluation import mean_quality
from rec_msa.recommenders.checkpoint import to_checkpoint
from rec_msa.recommenders.ranking import rank_lists
from rec_msa.recommenders.settings import SETTINGS
from rec_msa.recommenders.vectors import rows_of, vectors_of
from rec_msa.training.fold_in import fold_in
from rec_msa.training.recommender import train_recommender
from rec_msa.training.settings import TrainingSettings

N_ITEMS = 120
FEW = TrainingSettings(max_steps=4, validate_every=2, batch_size=256)
SOME = TrainingSettings(max_steps=200, validate_every=50, batch_size=256, learning_rate=0.02)


def tastes(n_users: int, first: int, seed: int = 0) -> pd.DataFrame:
    """Users who like the even or the odd items."""
    rng = np.random.default_rng(seed)
    users = np.repeat(np.arange(first, first + n_users), 12)
    items = np.concatenate([2 * rng.permutation(N_ITEMS // 2)[:12] + user % 2 for user in range(n_users)])
    return pd.DataFrame({"user": users.astype(np.int32), "item": items.astype(np.int32)})


def trained(name: str, settings: TrainingSettings) -> dict:
    data = tastes(60, 0)
    held_back = data.iloc[::9]
    train = data.drop(held_back.index)
    return train_recommender(name, {}, train, held_back, N_ITEMS, settings, 0, "target", "cpu")[0]


@pytest.mark.parametrize("name", SETTINGS)
def test_every_model_ranks_for_users_whom_it_never_saw(name):
    new = tastes(7, 1000, seed=1)
    model = fold_in(trained(name, FEW), new, FEW, 0, "cpu")
    lists = rank_lists(model, new["user"].unique(), new, 10)
    assert lists.users.tolist() == list(range(1000, 1007))
    keys = lists.users[:, None] * N_ITEMS + lists.items
    assert not np.isin(keys, new["user"].to_numpy() * N_ITEMS + new["item"].to_numpy()).any()


@pytest.mark.parametrize("name", ["bpr", "lmf", "ials"])
def test_what_it_learned_of_items_serves_them(name):
    checkpoint, new = trained(name, SOME), tastes(20, 1000, seed=1)
    hidden = new.groupby("user").head(4)
    model = fold_in(checkpoint, new.drop(hidden.index), SOME, 0, "cpu")
    n_left = N_ITEMS // 2 - 8  # of a taste, without the items known
    lists = rank_lists(model, new["user"].unique(), new.drop(hidden.index), n_left)
    assert mean_quality(lists, hidden, n_left)["recall"] > 0.8
    for table in rows_of(checkpoint, "item"):
        assert to_checkpoint(model)["state"][table].equal(checkpoint["state"][table])


def test_vectors_have_the_ids_of_the_file():
    checkpoint = trained("bpr", FEW)
    raw_users = pd.Series([f"u{n}" for n in range(60)])
    raw_items = pd.Series(np.arange(N_ITEMS) + 500)
    vectors = vectors_of(checkpoint, raw_users, raw_items)
    assert vectors.groupby("side")["id"].agg(list).to_dict() == {
        "item": [str(n) for n in raw_items],
        "user": raw_users.tolist(),
    }
    assert np.allclose(vectors["vector"].iloc[3], checkpoint["state"]["users.weight"][3])


def test_a_model_without_vectors_hands_none_on():
    checkpoint = trained("ease", FEW)
    assert vectors_of(checkpoint, pd.Series(range(60)), pd.Series(range(N_ITEMS))).empty
