"""Targets that others trained as checkpoints, and what is refused before anything is trained."""

from __future__ import annotations

import itertools
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from rec_msa.foundation.errors import DataError, SettingsError
from rec_msa.recommenders.checkpoint import from_checkpoint
from rec_msa.recommenders.ranking import rank_lists
from rec_msa.targets import recording
from rec_msa.targets.settings import TargetSettings

USERS = pd.DataFrame({"user": [0, 1, 2], "raw_user": [10, 20, 30]})
ITEMS = pd.DataFrame({"item": range(6), "raw_item": [100, 101, 102, 103, 104, 105]})
TRAIN = pd.DataFrame({"user": [0, 0, 1, 1, 2], "item": [0, 1, 2, 3, 0]})
RAW = pd.DataFrame({"user": [10, 10, 20, 20, 30, 30], "item": [102, 103, 100, 105, 104, 101]})


def coded(raw: pd.DataFrame = RAW, *, drop: bool = False) -> pd.DataFrame:
    return recording.coded_lists(raw, USERS, ITEMS, "mine", drop)


def recorded(raw: pd.DataFrame = RAW, *, drop_known: bool = False) -> dict:
    return recording.record(coded(raw), TRAIN, 6, 2, "mine", drop_known)


def with_row(**row: int) -> pd.DataFrame:
    return pd.concat([RAW, pd.DataFrame([row])], ignore_index=True)


def test_recorded_lists_are_served_as_they_were_recorded():
    lists = rank_lists(from_checkpoint(recorded()), [0, 1, 2], TRAIN, 3)
    assert lists.items.tolist() == [[2, 3, -1], [0, 5, -1], [4, 1, -1]]


def test_longer_lists_are_cut():
    assert rank_lists(from_checkpoint(recorded()), [1], TRAIN, 1).items.tolist() == [[0]]


def test_ids_that_the_file_of_lists_has_as_numbers_and_the_interactions_as_strings_are_the_same():
    texts = USERS.assign(raw_user=["10", "20", "x"])
    assert recording.coded_lists(RAW[:4], texts, ITEMS, "mine", False)["user"].tolist() == [0, 0, 1, 1]


def test_an_unknown_item_is_counted_and_named():
    with pytest.raises(DataError, match=r"1 items in 1 of 7 rows are in no interaction that .* kept \(999, \.\.\.\)"):
        coded(with_row(user=10, item=999))


def test_ids_that_lost_zeros_at_their_start_are_told():
    texts = ITEMS.assign(raw_item=[f"0{item}" for item in ITEMS["raw_item"]])
    whole = texts["raw_item"].iloc[0]
    raw = pd.DataFrame({"user": [10, 10], "item": [whole, whole[1:]]})
    with pytest.raises(DataError, match=rf"1 of these are there with other zeros at the start, as {whole} for"):
        recording.coded_lists(raw, USERS, texts, "mine", False)


def test_what_is_unknown_is_left_out_where_asked():
    assert len(coded(with_row(user=10, item=999), drop=True)) == len(RAW)


def test_ids_of_another_kind_are_told_by_an_example_of_each():
    with pytest.raises(DataError, match=r"no user of the file is in the interactions \(u10 here, 10 there\)"):
        coded(RAW.assign(user="u" + RAW["user"].astype(str)))


def test_a_list_of_one_item_is_left_out_and_users_without_any_other_are_refused():
    assert coded(RAW[:5])["user"].tolist() == [0, 0, 1, 1]
    with pytest.raises(DataError, match="no user has a list of two items"):
        coded(RAW[::2])


def test_a_user_of_the_target_without_a_list_is_refused():
    with pytest.raises(DataError, match="1 of the target's 3 users have no list"):
        recorded(RAW[:4])


def test_an_item_that_the_user_has_already_is_refused_or_left_out():
    known = with_row(user=10, item=100)
    with pytest.raises(DataError, match="1 places of 7 hold an item that the user has already"):
        recorded(known)
    assert rank_lists(from_checkpoint(recorded(known, drop_known=True)), [0], TRAIN, 3).items.tolist() == [[2, 3, -1]]


def test_a_user_whose_list_is_all_known_already_is_named_where_known_items_are_left_out():
    known = pd.DataFrame({"user": [10, 10, *RAW["user"][2:]], "item": [100, 101, *RAW["item"][2:]]})
    with pytest.raises(DataError, match="1 users have in their list nothing but what they have already"):
        recorded(known, drop_known=True)


def test_one_user_who_has_nearly_all_items_leaves_no_list_to_serve(monkeypatch):
    monkeypatch.setattr(
        "tests.targets.test_recording.TRAIN", pd.DataFrame({"user": [0, 0, 0, 1], "item": [0, 1, 2, 3]})
    )
    with pytest.raises(DataError, match="one user has all items but 1"):
        fitted(monkeypatch, fitting)


def test_lists_shorter_than_asked_for_name_the_length_to_choose():
    with pytest.raises(SettingsError, match="list_length=2"):
        recording.require_length(coded(), 3, "mine")
    recording.require_length(coded(), 2, "mine")


def fitting(interactions: pd.DataFrame, seed: int):
    """The most popular items; the seed decides between equal ones."""
    order = interactions["item"].sample(frac=1, random_state=seed).value_counts().index
    order = [*order, *(item for item in ITEMS["raw_item"] if item not in set(order))]
    known = interactions.groupby("user")["item"].agg(set)
    return lambda users, k: [[item for item in order if item not in known[user]][:k] for user in users]


def fitted(monkeypatch, function, **settings: object) -> dict:
    monkeypatch.setattr(recording, "function_of", lambda *_: function)
    return fitting_of(monkeypatch, function, **settings).checkpoint(TRAIN, 0, "target")


def fitting_of(monkeypatch, function, **settings: object) -> recording.Fitting:
    monkeypatch.setattr(recording, "function_of", lambda *_: function)
    settings = TargetSettings(fit="shop:fit", depth=3, **settings)
    return recording.Fitting(settings, "mine", USERS, ITEMS)


def test_a_fitted_target_is_trained_on_own_ids_and_its_lists_are_kept(monkeypatch):
    seen = []

    def fit(interactions: pd.DataFrame, seed: int):
        seen.append((interactions["user"].tolist(), interactions["item"].tolist()))
        return fitting(interactions, seed)

    lists = rank_lists(from_checkpoint(fitted(monkeypatch, fit)), [0, 1, 2], TRAIN, 3)
    assert seen == [([10, 10, 20, 20, 30], [100, 101, 102, 103, 100])]
    assert lists.items[1].tolist()[0] == 0  # the most popular, which user 1 lacks
    assert not np.isin(lists.items[0], [0, 1]).any()


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda interactions, seed: 1 / 0, r"targets\.mine\.fit: ZeroDivisionError: .* \(in training"),
        (lambda interactions, seed: None, "returned NoneType, not a function"),
        (lambda interactions, seed: lambda users, k: 1 / 0, r"targets\.mine\.fit: ZeroDivisionError"),
    ],
)
def test_what_goes_wrong_in_a_fit_is_told_in_one_line(monkeypatch, function, said):
    with pytest.raises(DataError, match=said):
        fitted(monkeypatch, function)


DRAWS = itertools.count()
SHOP_USERS, SHOP_ITEMS = (
    pd.DataFrame({side: range(n), f"raw_{side}": range(n)}) for side, n in (("user", 160), ("item", 8))
)
SHOP = pd.DataFrame({"user": np.repeat(range(160), 2), "item": np.arange(320) % 7})


def by_seed(interactions: pd.DataFrame, seed: int):
    """Items in the order that the seed draws."""
    order = np.random.default_rng(seed).permutation(interactions["item"].unique())
    known = interactions.groupby("user")["item"].agg(set)
    return lambda users, k: [[item for item in order if item not in known[user]][:k] for user in users]


def by_chance(interactions: pd.DataFrame, seed: int):
    """As a library that is not told the seed: each training draws anew."""
    return by_seed(interactions, next(DRAWS))


def checked(monkeypatch, fit, took: float = 1) -> tuple[bool | None, list[int]]:
    """Whether it repeats itself, and how many users each training had."""
    seen = []

    def counting(interactions: pd.DataFrame, seed: int):
        seen.append(interactions["user"].nunique())
        return fit(interactions, seed)

    monkeypatch.setattr(recording, "function_of", lambda *_: counting)
    monkeypatch.setattr(recording, "time", SimpleNamespace(perf_counter=itertools.count(0, took).__next__))
    settings = TargetSettings(fit="shop:fit", depth=3)
    _, repeats = recording.Fitting(settings, "mine", SHOP_USERS, SHOP_ITEMS).checked(SHOP, 0)
    return repeats, seen


def test_a_fit_that_is_the_same_each_time_is_said_to_be(monkeypatch, caplog):
    assert checked(monkeypatch, by_seed) == (True, [160, 160])
    assert not caplog.records


def test_a_fit_that_is_not_the_same_each_time_is_warned_of_in_one_line(monkeypatch, caplog):
    assert checked(monkeypatch, by_chance) == (False, [160, 160])
    (said,) = (record.getMessage() for record in caplog.records)
    assert re.match(
        r"targets\.mine\.fit is not deterministic: trained twice with one seed it serves \d+ of 160 users", said
    )


def test_a_fit_that_takes_long_is_tried_again_on_some_of_the_users(monkeypatch):
    long = 4 * recording.AGAIN_S
    assert checked(monkeypatch, by_seed, long) == (True, [160, 20, 20])
    assert checked(monkeypatch, by_chance, long) == (False, [160, 20, 20])


def test_where_it_cannot_be_trained_on_so_few_it_is_not_known(monkeypatch, caplog):
    def of_many(interactions: pd.DataFrame, seed: int):
        if len(interactions) < 100:
            raise ValueError("too few to train on")
        return by_seed(interactions, seed)

    assert checked(monkeypatch, of_many, 1e6) == (None, [160, 2])
    assert re.search("the same seed makes the same model is not known: .* too few to train on", caplog.text)
