"""Popular-item mixing, held on small lists."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rec_msa.defenses.popular_mixing import PopularMixing
from rec_msa.defenses.settings import parse_defense
from rec_msa.errors import SettingsError
from rec_msa.lists import Lists

N_ITEMS, POOL = 60, 30


@pytest.fixture
def interactions() -> pd.DataFrame:
    # Item j is interacted with by 60 - j users, so item 0 is the most popular one.
    pairs = [(user, item) for item in range(N_ITEMS) for user in range(N_ITEMS - item)]
    return pd.DataFrame(pairs, columns=["user", "item"]).query("user >= 5 or item < 3")


@pytest.fixture
def lists() -> Lists:
    return Lists(np.arange(5), np.tile(np.arange(40, 50), (5, 1)))


def mixing(interactions: pd.DataFrame, strength: int, **options) -> PopularMixing:
    return PopularMixing(interactions, N_ITEMS, strength, **{"pool": POOL, "consistent": True, "seed": 0, **options})


def test_exactly_n_items_are_replaced_by_popular_ones_that_are_new_to_the_user(interactions, lists):
    served = mixing(interactions, 4).serve(lists)
    for user, before, after in zip(lists.users, lists.items, served.items, strict=True):
        new = set(after) - set(before)
        assert len(new) == 4
        assert new <= set(range(POOL)) - set(interactions.loc[interactions["user"] == user, "item"])
        assert (after == before).sum() == 6


def test_the_same_question_gets_the_same_answer_whatever_else_is_asked(interactions, lists):
    defense = mixing(interactions, 4)
    whole = defense.serve(lists).items
    assert (defense.serve(lists.of([3])).items[0] == whole[3]).all()


def test_without_consistency_asking_again_gives_another_answer(interactions, lists):
    defense = mixing(interactions, 4, consistent=False)
    assert (defense.serve(lists).items != defense.serve(lists).items).any()


def test_the_positions_are_spread_over_the_list(interactions, lists):
    places = [(mixing(interactions, 4, seed=seed).serve(lists).items != lists.items).mean(axis=0) for seed in range(40)]
    assert np.mean(places, axis=0) == pytest.approx(np.full(10, 0.4), abs=0.12)


def test_no_strength_changes_nothing(interactions, lists):
    assert (mixing(interactions, 0).serve(lists).items == lists.items).all()


@pytest.mark.parametrize(
    ("strength", "options", "said"),
    [(11, {}, "more than the 10 of user 0's list"), (4, {"pool": 61}, "60 items")],
)
def test_what_cannot_be_served_is_refused(interactions, lists, strength, options, said):
    with pytest.raises(SettingsError, match=said):
        mixing(interactions, strength, **options).serve(lists)


def test_a_user_who_has_the_popular_items_gets_the_next_most_popular_ones(interactions, lists):
    has_most = pd.concat([interactions, pd.DataFrame({"user": 0, "item": range(3, 32)})])
    served = mixing(has_most, 4).serve(lists)
    assert set(served.items[0]) - set(lists.items[0]) == {32, 33, 34, 35}


def test_a_catalogue_without_new_items_is_refused(interactions, lists):
    has_all = pd.concat([interactions, pd.DataFrame({"user": 0, "item": range(3, 58)})])
    with pytest.raises(SettingsError, match="only 2 items that are new to user 0"):
        mixing(has_all, 4).serve(lists)


def test_padding_stays_at_the_end(interactions):
    short = Lists(np.array([0]), np.array([[40, 41, 42, 43, -1, -1]]))
    served = mixing(interactions, 3).serve(short).items[0]
    assert (served[:4] >= 0).all()
    assert (served[4:] == -1).all()


def test_names_of_defenses_are_read():
    assert parse_defense("none") == ("none", 0)
    assert parse_defense("popular_mixing_15") == ("popular_mixing", 15)


@pytest.mark.parametrize("name", ["popular_mixing", "popular_mixing_x", "mixing_5", ""])
def test_other_names_are_refused(name):
    with pytest.raises(ValueError, match="popular_mixing"):
        parse_defense(name)
