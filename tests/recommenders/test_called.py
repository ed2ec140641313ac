"""A function as a recommender: what it is asked, and what is refused of its answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from rec_msa.foundation.errors import DataError, SettingsError
from rec_msa.recommenders.called import Called
from rec_msa.recommenders.ranking import rank_lists
from rec_msa.recommenders.settings import CalledSettings

ITEMS = ("a", "b", "c", "d")
TRAIN = pd.DataFrame({"user": [0, 1, 2], "item": [0, 1, 2]})
GOOD = {7: ["b", "c"], 8: ["a", "d"], 9: ["d", "a"]}


def called(function, *, items: tuple = ITEMS, batch: int = 2, drop: tuple = (), **settings: object) -> Called:
    known = {"users": (7, 8, 9), "items": items, "batch": batch, "drop": drop, "recommend": "shop:recommend"}
    model = Called(torch.arange(3), len(items), CalledSettings(key="targets.mine.recommend", **(known | settings)))
    model.read(TRAIN)
    model.recommend = function
    return model


def answer(rows: object):
    """Answers so, whoever is asked about."""
    return lambda users, k: rows


def refusal(rows: object, **settings: object) -> str:
    with pytest.raises(DataError) as error:
        called(answer(rows), batch=3, **settings).answers(np.arange(3), 2)
    assert "\n" not in str(error.value)
    assert "targets.mine.recommend" in str(error.value)
    return str(error.value)


def test_it_is_asked_in_batches_in_its_own_ids():
    asked = []

    def recommend(users: np.ndarray, k: int) -> list[list[str]]:
        asked.append((users.tolist(), k))
        return [GOOD[user] for user in users]

    model = called(recommend)
    assert rank_lists(model, [2, 0, 1], TRAIN, 2).items.tolist() == [[1, 2], [0, 3], [3, 0]]
    assert asked == [([7, 8], 2), ([9], 2)]
    assert model.n_calls == 3


def test_whole_numbers_are_ids_too():
    model = called(answer(np.array([[5, 6]])), items=(4, 5, 6), batch=3)
    assert model.answers(np.array([0]), 2).tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([["b"], ["a"], ["d"]], "returned the shape [3, 1], not [3, 2]"),
        ([["b", "c"]], "returned the shape [1, 2], not [3, 2]"),
        ([["b", "c"], ["a"], ["d", "a"]], "lists of 1 to 2 items"),
        (None, "returned None, not [3, 2]"),
        ({7: ["b", "c"]}, "returned a dict, not [3, 2]"),
        (pd.Series([["b"], ["a"], ["d"]]), "not [3, 2]: 2 items for each that was asked; where it has fewer, ask"),
        ([["b", None], ["a", "d"], ["d", "a"]], "returned None in the place of an item"),
        ([[b"b", b"c"]] * 3, "returned bytes; the interactions have items as strings"),
        ([None, ["a", "d"], ["d", "a"]], "lists of 0 to 2 items"),
        ([[1.5, 2.0]] * 3, "numbers with a point"),
        ([[1.0, float("nan")]] * 3, "NaN"),
        ([[1, 2]] * 3, "values of the type int64; the interactions have items as strings"),
        ([["b", "x"], ["a", "d"], ["d", "a"]], "item x, recommended to 7, is in no interaction"),
        ([["b", "a"], ["a", "d"], ["d", "a"]], "item a, recommended to 7, is one that was asked with"),
        ([["b", "b"], ["a", "d"], ["d", "a"]], "item b is recommended twice to 7"),
    ],
)
def test_what_is_no_answer_is_refused_in_one_line(rows, said):
    assert said in refusal(rows)


def test_strings_where_ids_are_whole_numbers_are_refused():
    assert "returned strings; the interactions have items as whole numbers, as 4" in refusal(
        [["5", "6"]] * 3, items=(4, 5, 6)
    )


def test_what_raises_says_after_how_many_calls():
    def recommend(users: np.ndarray, k: int) -> list[list[str]]:
        if 9 in users:
            raise KeyError("no such customer")
        return [GOOD[user] for user in users]

    with pytest.raises(DataError, match=r"KeyError: 'no such customer' \(asked about 1 from 9 on, k=2, after 2 that"):
        called(recommend).answers(np.arange(3), 2)


def test_what_is_left_out_leaves_no_gap():
    rows = [["x", "b"], ["a", "d"], ["c", "a"]]
    model = called(answer(rows), batch=3, drop=("unknown", "known"))
    assert model.answers(np.arange(3), 2).tolist() == [[1, -1], [0, 3], [0, -1]]


def test_answers_of_other_ids_are_refused_where_unknown_items_are_left_out_and_nothing_remains():
    said = refusal([["SKU-b", "SKU-c"]] * 3, drop=("unknown",))
    assert "of 6 items for 3 that were asked none is left" in said
    assert "as SKU-b; the interactions have ids as a" in said


def test_what_is_left_out_is_said_once(caplog):
    model = called(answer([["x", "b"], ["a", "d"], ["c", "a"]]), batch=3, drop=("unknown", "known"))
    for _ in range(2):
        model.answers(np.arange(3), 2)
    [said] = caplog.messages
    assert "2 of 6 places are left out" in said


def test_a_function_answers_otherwise_when_its_answers_are_others():
    asked = {"probed": (0, 2), "probed_for": 2}
    first, same, other = (
        called(lambda users, k, lists=lists: [lists[user][:k] for user in users], **asked).answered()
        for lists in (GOOD, {**GOOD, 8: ["c", "c"]}, {**GOOD, 9: ["a", "d"]})
    )
    assert first == same != other


def test_what_is_no_answer_answers_otherwise_and_ends_in_no_traceback():
    model = called(answer([["b", "c"], ["a"]]), probed=(0, 2), probed_for=2)
    with pytest.raises(DataError, match="lists of 1 to 2 items"):
        model.answered()


def test_a_function_without_sequences_is_not_asked_about_any():
    with pytest.raises(SettingsError, match="recommend_sequences"):
        called(answer([])).answers_after(np.array([[0, 1]]), 2)


def test_sequences_are_asked_about_in_own_ids(monkeypatch):
    asked = []

    def after(sequences: list, k: int) -> list[list[str]]:
        asked.extend(sequences)
        return [["d"] for _ in sequences]

    monkeypatch.setattr("rec_msa.recommenders.called.function_of", lambda *_: after)
    model = called(None, recommend_sequences="shop:after")
    assert model.answers_after(np.array([[0, 1], [2, -1]]), 1).tolist() == [[3], [3]]
    assert asked == [["a", "b"], ["c"]]
