"""Popular-item mixing: what is mixed in, for whom the pool is too small, and what asking again gives away."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rec_msa.defenses.popular_mixing import PopularMixing
from rec_msa.foundation.errors import SettingsError
from rec_msa.foundation.lists import Lists

N_ITEMS, LENGTH, POOL = 120, 20, 60


def most_popular(interactions: pd.DataFrame, n: int) -> list[int]:
    counts = np.bincount(interactions["item"], minlength=N_ITEMS)
    return sorted(range(N_ITEMS), key=lambda item: (-counts[item], item))[:n]


def test_exactly_n_items_are_replaced_by_popular_ones_that_are_new_to_the_user(defended, ranked, interactions):
    served = defended("popular_mixing_6", pool=POOL).serve(ranked)
    popular = set(most_popular(interactions, POOL))
    for user, before, after in zip(ranked.users, ranked.items[:, :LENGTH], served.items, strict=True):
        mixed_in = set(after) - set(before)
        assert len(mixed_in) == 6
        assert mixed_in <= popular - set(interactions.loc[interactions["user"] == user, "item"])


def test_the_popular_items_are_mixed_in_alike_often(defended, ranked):
    lists = Lists(ranked.users, np.tile(np.arange(100, 120), (60, 1)))
    nobody = pd.DataFrame({"user": [99] * N_ITEMS, "item": np.arange(N_ITEMS)})
    mixed_in = np.concatenate(
        [defended("popular_mixing_10", seed=seed, data=nobody, pool=50).serve(lists).items for seed in range(40)]
    )
    counts = np.bincount(mixed_in[mixed_in < 100], minlength=50)
    assert len(counts) == 50
    assert counts / len(mixed_in) == pytest.approx(np.full(50, 10 / 50), abs=0.035)


@pytest.fixture
def owner(interactions: pd.DataFrame) -> pd.DataFrame:
    """Everybody's interactions, and user 0's with all of the most popular 30 but two."""
    others = interactions[interactions["user"] != 0]
    owned = most_popular(others, 30)[2:]
    return pd.concat([others, pd.DataFrame({"user": 0, "item": owned})], ignore_index=True)


def test_a_user_who_has_the_popular_items_gets_what_is_left_and_the_next_most_popular(defended, owner):
    popular = most_popular(owner, N_ITEMS)
    listed = popular[-LENGTH:]
    served = defended("popular_mixing_5", pool=30, data=owner).serve(Lists(np.array([0]), np.array([listed])))
    owned = set(owner.loc[owner["user"] == 0, "item"])
    assert set(served.items[0]) - set(listed) == set([item for item in popular if item not in owned][:5])


def test_users_for_whom_the_pool_is_widened_are_counted(defended, owner, ranked):
    defense = defended("popular_mixing_5", pool=30, data=owner, widened_users=1)
    popular = most_popular(owner, 30)
    by_hand = 0
    for user, items in zip(ranked.users, ranked.items[:, :LENGTH], strict=True):
        known = {*items, *owner.loc[owner["user"] == user, "item"]}
        by_hand += len(set(popular) - known) < 5
    assert 0 < by_hand < 60
    assert defense.n_widened(ranked) == by_hand


def test_a_pool_too_small_for_too_many_is_refused_when_lists_are_known(defended, owner, ranked):
    defense = defended("popular_mixing_5", pool=30, data=owner, widened_users=0)
    with pytest.raises(SettingsError, match=r"popular_mixing.pool: of the 30 .* raise pool, lower the strength"):
        defense.n_widened(ranked)


def test_a_pool_smaller_than_n_is_refused_before_anything_is_trained(interactions):
    with pytest.raises(SettingsError, match=r"of the 10 most popular items, fewer than the 15 .* to 60 of 60"):
        PopularMixing(pool=10, widened_users=1).check(15, N_ITEMS, interactions)


def test_a_pool_too_small_after_the_training_items_is_refused_before_anything_is_trained(owner):
    PopularMixing(pool=30, widened_users=1).check(5, N_ITEMS, owner)
    with pytest.raises(SettingsError, match="new to 1 of 60 users, and at most 0%"):
        PopularMixing(pool=30, widened_users=0).check(5, N_ITEMS, owner)


def test_a_catalogue_smaller_than_the_pool_is_refused(interactions):
    with pytest.raises(SettingsError, match="pool: 121 is more than the 120 items of the catalogue"):
        PopularMixing(pool=121).check(5, N_ITEMS, interactions)


def test_a_catalogue_without_new_items_is_refused(defended, interactions):
    has_all = pd.concat([interactions, pd.DataFrame({"user": 0, "item": np.arange(98)})])
    lists = Lists(np.array([0]), np.arange(100, 120)[None])
    with pytest.raises(SettingsError, match="only 2 items that are new to user 0"):
        defended("popular_mixing_4", data=has_all).serve(lists)


def test_asking_a_defense_with_fresh_draws_again_and_again_removes_it(defended, ranked):
    own = ranked.items[:, :LENGTH]
    for settings, found in (({"consistent": False}, 1.0), ({"consistent": True}, 0.5)):
        defense = defended("popular_mixing_10", **settings)
        answers = np.stack([defense.serve(ranked).items for _ in range(60)])
        commonest = np.array([[np.bincount(place).argmax() for place in user.T] for user in answers.transpose(1, 0, 2)])
        assert (commonest == own).mean() == pytest.approx(found, abs=0.002)
