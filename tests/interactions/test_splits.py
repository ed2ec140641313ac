from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rec_msa.foundation.errors import DataError, SettingsError
from rec_msa.foundation.randomness import stream
from rec_msa.interactions import (
    PARTS,
    DatasetSettings,
    SplitSettings,
    attacker_interactions,
    attackers,
    auxiliary_parts,
    count,
    item_sample,
    prepare,
    split_interactions,
    split_served,
    target_parts,
)

INTERACTIONS_OF = [5, 8, 3, 12, 6, 4, 9, 7]

SHARES = [0.1, 0.2, 0.4, 0.6, 0.8, 1.0]

RAW_ROWS = st.lists(st.tuples(st.integers(0, 15), st.integers(0, 9), st.none() | st.integers(0, 9)), max_size=120)
SPLITS = st.builds(
    SplitSettings,
    target_fraction=st.sampled_from([0.01, 0.3, 0.5, 0.99]),
    attacker_fraction=st.sampled_from([0.3, 0.5, 0.9]),
    heldout_fraction=st.sampled_from([0.1, 0.25, 0.9]),
    validation_fraction=st.sampled_from([0.01, 0.1, 0.49]),
    test_fraction=st.sampled_from([0.01, 0.1, 0.49]),
)


def table(sizes: list[int]) -> pd.DataFrame:
    """Users with so many interactions each, rows of all users mixed."""
    user = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    item = np.concatenate([np.arange(size, dtype=np.int32) for size in sizes])
    order = np.random.default_rng(0).permutation(len(user))
    times = pd.array(np.arange(len(user)), dtype="Int64")
    return pd.DataFrame({"user": user[order], "item": item[order], "timestamp": times})


def prepared(rows: list[tuple[int, int, int | None]], k: int) -> pd.DataFrame:
    """The k-core of the rows, or all of them with two users more where too little is left of it."""
    raw = pd.DataFrame([*rows, (98, 0, None), (99, 0, None)], columns=["user", "item", "timestamp"])
    raw = raw.astype({"timestamp": "Int64"})
    try:
        core = prepare(raw, DatasetSettings(min_interactions=k))[0]
    except DataError:
        core = raw.iloc[:0]
    return core if core["user"].nunique() > 1 else prepare(raw, DatasetSettings(min_interactions=1))[0]


def parts_of_users(split: pd.DataFrame) -> pd.DataFrame:
    """The number of interactions of every user (rows) in every part (columns)."""
    return pd.crosstab(split["user"], split["part"]).reindex(columns=list(PARTS), fill_value=0)


# ---- counts


@pytest.mark.parametrize(("share", "n", "expected"), [(0.29, 100, 29), (0.1, 30, 3), (0.1, 29, 2), (1.0, 7, 7)])
def test_a_count_is_the_floor_that_decimals_give(share: float, n: int, expected: int) -> None:
    assert count(share, n) == expected


@given(st.integers(1, 9999), st.lists(st.integers(0, 10_000_000), min_size=1, max_size=9))
def test_counts_of_arrays_are_exact(ten_thousandths: int, ns: list[int]) -> None:
    exact = [math.floor(Fraction(ten_thousandths, 10_000) * n) for n in ns]
    assert count(ten_thousandths / 10_000, np.array(ns)).tolist() == exact


@pytest.mark.parametrize("share", [0, -0.5, 1.1, float("nan")])
def test_a_share_out_of_range_is_refused(share: float) -> None:
    with pytest.raises(SettingsError, match="out of range"):
        count(share, 10)


# ---- halves and holdouts


def test_the_halves_have_the_counts_of_the_shares() -> None:
    split = split_interactions(table([10] * 9), SplitSettings(), seed=0)
    users = split.groupby(split["part"].str.startswith("target"))["user"].nunique()
    assert users.to_dict() == {True: 4, False: 5}


@pytest.mark.parametrize(
    ("size", "target", "auxiliary"),
    [(1, (1, 0, 0), (1, 0)), (2, (1, 0, 1), (1, 1)), (3, (1, 1, 1), (2, 1)), (29, (25, 2, 2), (27, 2))],
)
def test_every_user_holds_out_its_share(size: int, target: tuple[int, ...], auxiliary: tuple[int, ...]) -> None:
    held = parts_of_users(split_interactions(table([size] * 4), SplitSettings(), seed=0))
    assert sorted(held.itertuples(index=False, name=None)) == [(0, 0, 0, *auxiliary)] * 2 + [(*target, 0, 0)] * 2


def test_one_user_can_not_be_split() -> None:
    with pytest.raises(DataError, match="1 user"):
        split_interactions(table([5]), SplitSettings(), seed=0)


@given(RAW_ROWS, SPLITS, st.integers(1, 3), st.integers(0, 99))
def test_a_split_is_a_partition(
    rows: list[tuple[int, int, int | None]], settings: SplitSettings, k: int, seed: int
) -> None:
    interactions = prepared(rows, k)
    split = split_interactions(interactions, settings, seed)
    pd.testing.assert_frame_equal(split[["user", "item", "timestamp"]], interactions)
    parts = [*target_parts(split), *auxiliary_parts(split)]
    together = pd.concat(parts).sort_values(["user", "item"], ignore_index=True)
    pd.testing.assert_frame_equal(together, interactions.sort_values(["user", "item"], ignore_index=True))


@given(RAW_ROWS, SPLITS, st.integers(1, 3), st.integers(0, 99))
def test_users_are_in_one_half_and_train_there(
    rows: list[tuple[int, int, int | None]], settings: SplitSettings, k: int, seed: int
) -> None:
    held = parts_of_users(split_interactions(prepared(rows, k), settings, seed))
    in_target = held[["target_train", "target_validation", "target_test"]].sum(axis=1) > 0
    in_auxiliary = held[["auxiliary_train", "auxiliary_validation"]].sum(axis=1) > 0
    assert (in_target != in_auxiliary).all()
    assert in_target.any()
    assert in_auxiliary.any()
    assert (held["target_train"] + held["auxiliary_train"] >= 1).all()


@given(RAW_ROWS, st.integers(1, 3), st.integers(0, 99))
def test_ranks_number_the_users_of_each_half(rows: list[tuple[int, int, int | None]], k: int, seed: int) -> None:
    split = split_interactions(prepared(rows, k), SplitSettings(), seed)
    for _, half in split.groupby(split["part"].str.startswith("target")):
        ranks = half.drop_duplicates(["user", "user_rank"])
        assert ranks["user"].is_unique
        assert sorted(ranks["user_rank"]) == list(range(len(ranks)))


@given(RAW_ROWS, st.integers(0, 99))
def test_the_same_seed_gives_the_same_split(rows: list[tuple[int, int, int | None]], seed: int) -> None:
    interactions = prepared(rows, 1)
    pd.testing.assert_frame_equal(
        split_interactions(interactions, SplitSettings(), seed), split_interactions(interactions, SplitSettings(), seed)
    )


def slow_split(interactions: pd.DataFrame, settings: SplitSettings, seed: int) -> list[tuple[str, int]]:
    """Part and rank of every row, user by user from the same draws."""
    rng = stream(seed, "split")
    users = sorted(interactions["user"].unique())
    order = [users[index] for index in rng.permutation(len(users))]
    lots = rng.permutation(len(interactions))
    n_target = max(1, count(settings.target_fraction, len(users)))
    found: dict[int, tuple[str, int]] = {}
    for rank, user in enumerate(order):
        rows = sorted(np.flatnonzero(interactions["user"] == user), key=lambda row: lots[row])
        half = "target" if rank < n_target else "auxiliary"
        n_test = min(max(1, count(settings.test_fraction, len(rows))), len(rows) - 1) if half == "target" else 0
        n_validation = min(max(1, count(settings.validation_fraction, len(rows))), len(rows) - 1 - n_test)
        for place, row in enumerate(rows):
            part = "test" if place < n_test else "validation" if place < n_test + n_validation else "train"
            found[row] = (f"{half}_{part}", rank if half == "target" else rank - n_target)
    return [found[row] for row in range(len(interactions))]


@given(RAW_ROWS, SPLITS, st.integers(1, 3), st.integers(0, 99))
def test_a_split_is_what_a_slow_loop_over_users_makes(
    rows: list[tuple[int, int, int | None]], settings: SplitSettings, k: int, seed: int
) -> None:
    interactions = prepared(rows, k)
    split = split_interactions(interactions, settings, seed)
    assert list(zip(split["part"], split["user_rank"], strict=True)) == slow_split(interactions, settings, seed)


def test_users_may_have_gaps_between_their_indices() -> None:
    interactions = table([7, 3, 5])
    apart = interactions.assign(user=interactions["user"] * 10 + 3)
    columns = ["item", "part", "user_rank"]
    one, other = (split_interactions(rows, SplitSettings(), seed=1) for rows in (interactions, apart))
    pd.testing.assert_frame_equal(one[columns], other[columns])


def test_another_seed_changes_users_and_holdouts() -> None:
    one, other = (split_interactions(table([20] * 40), SplitSettings(), seed) for seed in (0, 1))
    assert not one["user_rank"].equals(other["user_rank"])
    target_in_both = one["part"].str.startswith("target") & other["part"].str.startswith("target")
    assert not one.loc[target_in_both, "part"].equals(other.loc[target_in_both, "part"])


def test_the_holdout_is_random_within_a_user() -> None:
    split = split_interactions(table([200] * 2), SplitSettings(test_fraction=0.2), seed=3)
    held_out = split.loc[split["part"] == "target_test", "item"]
    assert 80 < held_out.mean() < 120


# ---- auxiliary users, attackers, items: nested samples


def test_auxiliary_users_are_nested_and_counted() -> None:
    split = split_interactions(table([6] * 100), SplitSettings(), seed=0)
    users = [set(auxiliary_parts(split, share)[0]["user"]) for share in SHARES]
    assert [len(chosen) for chosen in users] == [5, 10, 20, 30, 40, 50]
    assert all(smaller < larger for smaller, larger in pairwise(users))
    assert all(set(auxiliary_parts(split, share)[1]["user"]) == users[place] for place, share in enumerate(SHARES))


def groups(split: pd.DataFrame, **shares: float) -> dict[str, list[int]]:
    chosen = attackers(split, SplitSettings(), **shares)
    return {name: chosen.loc[chosen["group"] == name, "user"].to_list() for name in ("heldout", "queried", "unasked")}


@pytest.fixture(scope="module")
def many_users() -> pd.DataFrame:
    return split_interactions(table([6] * 800), SplitSettings(), seed=0)


def test_attackers_are_the_first_target_users(many_users: pd.DataFrame) -> None:
    chosen = attackers(many_users, SplitSettings())
    targets = many_users[many_users["part"].str.startswith("target")].sort_values("user_rank")["user"].unique()
    assert chosen["user"].to_list() == targets[:40].tolist()
    assert chosen["group"].to_list() == ["heldout"] * 10 + ["queried"] * 30
    assert chosen["user"].dtype == "int32"


def test_heldout_users_are_the_same_whatever_is_varied(many_users: pd.DataFrame) -> None:
    base = groups(many_users)["heldout"]
    for share in [0.02, 0.05, 0.2, 0.3]:
        assert groups(many_users, attacker_fraction=share)["heldout"] == base
    for share in SHARES:
        assert groups(many_users, query_fraction=share)["heldout"] == base


def test_attackers_are_nested_as_their_share_grows(many_users: pd.DataFrame) -> None:
    shares = [0.05, 0.1, 0.2, 0.3]
    users = [set(attackers(many_users, SplitSettings(), share)["user"]) for share in shares]
    assert [len(chosen) for chosen in users] == [20, 40, 80, 120]
    assert all(smaller < larger for smaller, larger in pairwise(users))


def test_queried_users_are_nested_as_their_share_grows(many_users: pd.DataFrame) -> None:
    users = [groups(many_users, query_fraction=share) for share in SHARES]
    assert [len(chosen["queried"]) for chosen in users] == [3, 6, 12, 18, 24, 30]
    assert all(len(chosen["queried"]) + len(chosen["unasked"]) == 30 for chosen in users)
    assert all(set(one["queried"]) < set(two["queried"]) for one, two in pairwise(users))


def test_a_share_below_the_heldout_users_is_raised_to_them(
    many_users: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    chosen = groups(many_users, attacker_fraction=0.02)
    assert {name: len(users) for name, users in chosen.items()} == {"heldout": 10, "queried": 0, "unasked": 0}
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.parametrize("n_users", [2, 20, 38])
def test_fewer_than_two_attackers_are_refused(n_users: int) -> None:
    split = split_interactions(table([6] * n_users), SplitSettings(), seed=0)
    with pytest.raises(DataError, match="attacker_fraction"):
        attackers(split, SplitSettings())


def test_the_attacker_fraction_that_the_refusal_names_is_enough() -> None:
    split = split_interactions(table([6] * 14), SplitSettings(), seed=0)
    with pytest.raises(DataError, match=r"set it to 0\.286 or more"):
        attackers(split, SplitSettings())
    assert len(attackers(split, SplitSettings(attacker_fraction=0.286))) == 2


@given(RAW_ROWS, SPLITS, st.integers(0, 99))
def test_attackers_are_held_out_and_queried_or_too_few(
    rows: list[tuple[int, int, int | None]], settings: SplitSettings, seed: int
) -> None:
    split = split_interactions(prepared(rows, 1), settings, seed)
    n_target = split.loc[split["part"].str.startswith("target"), "user"].nunique()
    if count(settings.attacker_fraction, n_target) < 2:
        with pytest.raises(DataError, match="attacker_fraction"):
            attackers(split, settings)
        return
    chosen = attackers(split, settings)
    assert chosen["user"].is_unique
    assert {"heldout", "queried"} <= set(chosen["group"])
    known = attacker_interactions(split, chosen)
    assert set(known["user"]) == set(chosen["user"])
    train = target_parts(split)[0]
    expected = train[train["user"].isin(chosen["user"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(known, expected)


@given(st.integers(1, 300), st.integers(0, 99))
def test_items_are_nested_sorted_and_counted(n_items: int, seed: int) -> None:
    samples = [item_sample(n_items, share, seed) for share in SHARES]
    for smaller, larger in pairwise(samples):
        assert set(smaller) <= set(larger)
    for share, sample in zip(SHARES, samples, strict=True):
        assert len(sample) == max(1, count(share, n_items))
        assert (np.diff(sample) > 0).all()
    assert samples[-1].tolist() == list(range(n_items))


def test_a_stored_split_is_the_same(tmp_path: pytest.TempPathFactory) -> None:
    split = split_interactions(table([6] * 10), SplitSettings(), seed=0)
    split.to_parquet(f"{tmp_path}/split.parquet")
    stored = pd.read_parquet(f"{tmp_path}/split.parquet")
    for one, other in zip(target_parts(split), target_parts(stored), strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_a_target_that_others_trained_has_all_rows_of_the_users_whom_it_serves():
    split = split_served(table(INTERACTIONS_OF), SplitSettings(), 0, served=[0, 1, 2], left_out=[5, 6])
    of_part = {part: set(rows["user"]) for part, rows in split.groupby("part", observed=True)}
    assert of_part["target_train"] == {0, 1, 2}
    assert of_part["auxiliary_train"] | of_part["auxiliary_validation"] == {5, 6}
    assert len(split) == table(INTERACTIONS_OF)["user"].isin([0, 1, 2, 5, 6]).sum()


def test_who_was_left_out_of_training_is_no_user_of_the_target_even_if_served():
    split = split_served(table(INTERACTIONS_OF), SplitSettings(), 0, served=[0, 1, 2], left_out=[2])
    assert set(split.loc[split["part"] == "target_train", "user"]) == {0, 1}


def test_others_who_stand_in_are_those_whom_an_attacker_knows_last():
    split = split_served(table(INTERACTIONS_OF), SplitSettings(), 0, others=True)
    targets, auxiliary = target_parts(split)[0], auxiliary_parts(split)[0]
    assert set(targets["user"]) == set(table(INTERACTIONS_OF)["user"])
    known = attackers(split, SplitSettings(attacker_fraction=0.5), 0.5)["user"]
    assert not set(known) & set(auxiliary["user"])
    assert auxiliary["user"].nunique() == -(-targets["user"].nunique() // 2)


def test_the_seed_decides_whom_an_attacker_of_such_a_target_knows():
    known = [
        attackers(split_served(table(INTERACTIONS_OF), SplitSettings(), seed), SplitSettings(attacker_fraction=0.5))[
            "user"
        ]
        for seed in (0, 0, 1)
    ]
    assert known[0].equals(known[1])
    assert not known[0].equals(known[2])


def test_lists_of_nobody_in_the_interactions_are_refused():
    with pytest.raises(DataError, match="no user with a list is in the interactions"):
        split_served(table(INTERACTIONS_OF), SplitSettings(), 0, served=[])
