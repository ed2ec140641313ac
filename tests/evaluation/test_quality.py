"""Recall and NDCG by hand, against a plain loop and against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from rec_msa.evaluation import mean_quality, recall_ndcg
from rec_msa.foundation.errors import SettingsError
from rec_msa.foundation.lists import Lists


def held_out(**rows: list[int]) -> pd.DataFrame:
    """Test interactions written as u<user>=items."""
    pairs = [(int(user[1:]), item) for user, items in rows.items() for item in items]
    return pd.DataFrame(pairs, columns=["user", "item"])


def by_loop(lists: Lists, test: pd.DataFrame, k: int) -> dict[int, tuple[float, float]]:
    """The definitions, one user at a time."""
    figures = {}
    for user, row in zip(lists.users.tolist(), lists.items.tolist(), strict=True):
        wanted = set(test.loc[test["user"] == user, "item"])
        if wanted:
            places = [place for place, item in enumerate(row[:k], start=1) if item in wanted]
            ideal = sum(1 / math.log2(place + 1) for place in range(1, min(k, len(wanted)) + 1))
            gain = sum(1 / math.log2(place + 1) for place in places)
            figures[user] = (len(places) / len(wanted), gain / ideal)
    return figures


@pytest.fixture
def lists() -> Lists:
    return Lists(np.array([1, 2, 5]), np.array([[10, 11, 12], [13, -1, -1], [14, 15, 16]]))


def test_a_hand_worked_example(lists: Lists) -> None:
    table = recall_ndcg(lists, held_out(u1=[11, 12, 40, 41], u2=[13]), k=3)
    # Hits at ranks 2 and 3 of three places that could all be filled.
    gain, ideal = 1 / math.log2(3) + 1 / 2, 1 + 1 / math.log2(3) + 1 / 2
    assert table["user"].tolist() == [1, 2]
    assert table["recall"].tolist() == [0.5, 1]
    assert table["ndcg"].tolist() == pytest.approx([gain / ideal, 1])


def test_recall_divides_by_all_test_items_even_above_k(lists: Lists) -> None:
    assert recall_ndcg(lists, held_out(u1=[10, 11, 12]), k=2)["recall"].tolist() == [pytest.approx(2 / 3)]


def test_users_without_a_test_item_or_a_list_are_left_out(lists: Lists) -> None:
    table = recall_ndcg(lists, held_out(u3=[10], u5=[1]), k=3)
    assert table.to_dict("list") == {"user": [5], "recall": [0], "ndcg": [0]}


@given(st.integers(1, 8), st.integers(0, 999))
def test_it_equals_the_plain_loop(k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    items = rng.permuted(np.tile(np.arange(15), (6, 1)), axis=1)[:, :8]
    items[rng.random(6) < 0.3, 4:] = -1
    lists = Lists(np.arange(0, 12, 2), items)
    test = pd.DataFrame({"user": rng.integers(12, size=20), "item": rng.integers(15, size=20)})
    table = recall_ndcg(lists, test, k)
    expected = by_loop(lists, test, k)
    assert table["user"].tolist() == list(expected)
    figures = np.array(list(expected.values())).reshape(-1, 2)
    assert np.allclose(table[["recall", "ndcg"]].to_numpy(), figures)


def test_ndcg_equals_scikit_learns() -> None:
    rng = np.random.default_rng(3)
    items = rng.permuted(np.tile(np.arange(60), (20, 1)), axis=1)
    test = pd.DataFrame({"user": np.repeat(np.arange(20), 14), "item": rng.integers(60, size=280)}).drop_duplicates()
    relevance, scores = np.zeros((20, 60)), np.empty((20, 60))
    relevance[test["user"], test["item"]] = 1
    np.put_along_axis(scores, items, np.tile(-np.arange(60.0), (20, 1)), axis=1)
    quality = mean_quality(Lists(np.arange(20), items), test, 10)
    assert quality["ndcg"] == pytest.approx(ndcg_score(relevance, scores, k=10))


def test_without_test_items_there_is_no_figure(lists: Lists) -> None:
    quality = mean_quality(lists, held_out(), 3)
    assert quality["n_users"] == 0
    assert math.isnan(quality["recall"])


@pytest.mark.parametrize("k", [0, 4])
def test_a_k_that_does_not_fit_is_refused(lists: Lists, k: int) -> None:
    with pytest.raises(SettingsError, match=f"k={k}.*use 1 to 3"):
        recall_ndcg(lists, held_out(u1=[1]), k)
