"""What targets rely on: every victim ranks by the user's own ids, without what is known, the same each time."""

from __future__ import annotations

import importlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import rec_msa.victims
from rec_msa.foundation.errors import DataError, SettingsError
from rec_msa.targets.recording import Fitting
from rec_msa.targets.settings import TargetSettings

if TYPE_CHECKING:
    from rec_msa.victims.observed import Recommend

VICTIMS = sorted(
    file.stem for folder in rec_msa.victims.__path__ for file in Path(folder).glob("*_*.py") if file.stem != "__init__"
)
N_USERS, N_ITEMS, N_GROUPS, K = 90, 60, 3, 5


@cache
def liked() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Users who like a third of the catalogue, its first items most: twelve interactions each, and four held out."""
    rng = np.random.default_rng(7)
    tastes = np.arange(N_USERS)[:, None] % N_GROUPS == np.arange(N_ITEMS) % N_GROUPS
    scores = 3.0 * tastes + np.linspace(1, 0, N_ITEMS) + rng.gumbel(size=tastes.shape)
    items = rng.permuted(np.argsort(-scores, axis=1)[:, :16], axis=1)
    pairs = pd.DataFrame({"user": np.repeat(np.arange(N_USERS) * 10 + 1000, 16), "item": items.ravel() * 3 + 7})
    held_out = pairs.groupby("user").cumcount() >= 12
    return pairs[~held_out].reset_index(drop=True), pairs[held_out].reset_index(drop=True)


def as_words(pairs: pd.DataFrame) -> pd.DataFrame:
    """The same with strings for ids, in the order of the numbers."""
    return pd.DataFrame({"user": "u" + pairs["user"].astype(str), "item": "i" + pairs["item"].astype(str).str.zfill(3)})


def of(victim: str) -> Any:
    library = victim.split("_", 1)[0]
    if find_spec(library) is None:
        pytest.skip(f"needs {library}, of the extra 'victims'")
    return importlib.import_module(f"rec_msa.victims.{victim}")


@cache
def fitted(victim: str, ids: str = "numbers", seed: int = 0) -> Recommend:
    train = liked()[0] if ids == "numbers" else as_words(liked()[0])
    recommend: Recommend = of(victim).fit(train, seed)
    return recommend


def recall(lists: np.ndarray) -> float:
    """Of lists for all users in order."""
    held_out = liked()[1]["item"].to_numpy().reshape(N_USERS, -1)
    return float(np.mean([np.isin(own, listed).mean() for own, listed in zip(held_out, lists, strict=True)]))


@pytest.fixture(params=VICTIMS)
def victim(request: pytest.FixtureRequest) -> str:
    of(request.param)
    return request.param


@pytest.fixture
def users() -> np.ndarray:
    return liked()[0]["user"].unique()


@pytest.mark.parametrize("name", VICTIMS)
def test_a_library_that_is_not_there_is_named_with_what_installs_it(name, monkeypatch):
    monkeypatch.setattr("rec_msa.victims.observed.find_spec", lambda library: None)
    with pytest.raises(SettingsError, match=rf"^{name.split('_')[0]}: this library is not installed: pip install"):
        importlib.import_module(f"rec_msa.victims.{name}").fit(liked()[0], 0)


def test_there_are_victims_of_three_libraries():
    assert {victim.split("_", 1)[0] for victim in VICTIMS} == {"implicit", "lenskit", "cornac"}


def test_lists_have_the_length_asked_for_and_hold_nothing_twice_or_known(victim, users):
    for k in (1, K, N_ITEMS - 12):
        lists = fitted(victim)(users, k)
        assert lists.shape == (N_USERS, k)
        assert all(len(set(row)) == k for row in lists)
        listed = pd.DataFrame({"user": np.repeat(users, k), "item": lists.ravel()})
        assert listed.merge(liked()[0], on=["user", "item"]).empty


def test_a_longer_list_begins_as_a_shorter_one(victim, users):
    assert np.array_equal(fitted(victim)(users, 2 * K)[:, :K], fitted(victim)(users, K))


def test_a_list_does_not_depend_on_who_is_asked_about_beside_it(victim, users):
    together = fitted(victim)(users, K)
    assert np.array_equal(fitted(victim)(users[::-1], K)[::-1], together)
    assert np.array_equal(np.concatenate([fitted(victim)(users[[row]], K) for row in range(9)]), together[:9])
    assert fitted(victim)(users[:0], K).shape == (0, K)


def test_ids_may_be_words(victim, users):
    words = as_words(pd.DataFrame({"user": users, "item": 7}))["user"].to_numpy()
    numbers = fitted(victim)(users, K)
    expected = as_words(pd.DataFrame({"user": np.repeat(users, K), "item": numbers.ravel()}))["item"].to_numpy()
    assert np.array_equal(fitted(victim, "words")(words, K).ravel(), expected)
    assert np.array_equal(fitted(victim, "words")(list(words), K).ravel(), expected)


def test_the_seed_makes_the_model_whatever_the_order_of_the_table(victim, users):
    shuffled = of(victim).fit(liked()[0].sample(frac=1, random_state=3), 0)
    assert np.array_equal(shuffled(users, K), fitted(victim)(users, K))


def test_what_an_audit_says_of_it_is_that_the_same_seed_makes_the_same_model(victim, caplog):
    tables = {side: pd.DataFrame({f"raw_{side}": liked()[0][side].unique()}) for side in ("user", "item")}
    codes = {side: pd.Index(table[f"raw_{side}"]).get_indexer(liked()[0][side]) for side, table in tables.items()}
    settings = TargetSettings(fit=f"rec_msa.victims.{victim}:fit", depth=K)
    assert Fitting(settings, victim, *tables.values()).checked(pd.DataFrame(codes), 0)[1] is True
    assert not caplog.records


def test_a_fit_leaves_random_streams_of_others_alone(victim):
    import torch

    torch.manual_seed(5)
    np.random.seed(5)
    expected = torch.rand(1), np.random.rand()
    torch.manual_seed(5)
    np.random.seed(5)
    of(victim).fit(liked()[0], 1)
    assert (torch.rand(1), np.random.rand()) == expected


def test_it_learns_more_than_what_is_popular(victim, users):
    counts = liked()[0]["item"].value_counts()
    known = liked()[0].groupby("user")["item"].agg(set)
    popular = np.array([[item for item in counts.index if item not in known[user]][:K] for user in users])
    assert recall(fitted(victim)(users, K)) > recall(popular) + 0.1


def test_a_user_without_interactions_is_named(victim):
    with pytest.raises(DataError, match="user 5: has no interaction that the model was trained on"):
        fitted(victim)(np.array([1000, 5]), K)


def test_lists_that_cannot_be_filled_are_refused(victim, users):
    with pytest.raises(DataError, match="k=49: user 1000 has all but 48 of 60 items; ask for at most 48"):
        fitted(victim)(users, N_ITEMS - 11)
