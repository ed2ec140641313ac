"""Agreement counts the items that two lists share, by group of users."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rec_msa.evaluation import agreement, agreement_tables, bootstrap_interval, cutoffs, overlap
from rec_msa.foundation.errors import DataError, SettingsError
from rec_msa.foundation.lists import Lists

if TYPE_CHECKING:
    from numpy.typing import NDArray


@st.composite
def two_sides(draw: st.DrawFn) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Lists of the same users from two models, padded where short."""
    n_users, length, n_items = draw(st.integers(0, 5)), draw(st.integers(1, 8)), draw(st.integers(1, 12))
    sides = np.full((2, n_users, length), -1, dtype=np.int32)
    for side in sides:
        for row in side:
            listed = draw(st.lists(st.integers(0, n_items - 1), unique=True, max_size=length))
            row[: len(listed)] = listed
    return sides[0], sides[1]


def overlap_by_sets(a: NDArray[np.int32], b: NDArray[np.int32], ks: list[int]) -> NDArray[np.float64]:
    """The definition, one user and k at a time."""
    shares = np.empty((len(a), len(ks)))
    for row, (left, right) in enumerate(zip(a.tolist(), b.tolist(), strict=True)):
        for column, k in enumerate(ks):
            shares[row, column] = len((set(left[:k]) & set(right[:k])) - {-1}) / k
    return shares


def every_k(a: NDArray[np.int32]) -> list[int]:
    return list(range(1, a.shape[1] + 1))


def test_a_hand_worked_example() -> None:
    a = np.array([[1, 2, 3, 4], [5, 6, -1, -1]])
    b = np.array([[4, 1, 9, 2], [6, -1, -1, -1]])
    assert overlap(a, b, [1, 2, 4]).tolist() == [[0, 1 / 2, 3 / 4], [0, 1 / 2, 1 / 4]]


@given(two_sides())
def test_it_equals_the_definition_by_sets(sides: tuple[NDArray[np.int32], NDArray[np.int32]]) -> None:
    ks = every_k(sides[0])[::-1]
    assert np.array_equal(overlap(*sides, ks), overlap_by_sets(*sides, ks))


@given(two_sides())
def test_it_is_symmetric(sides: tuple[NDArray[np.int32], NDArray[np.int32]]) -> None:
    a, b = sides
    assert np.array_equal(overlap(a, b, every_k(a)), overlap(b, a, every_k(a)))


@given(st.integers(1, 6), st.integers(1, 9), st.integers(0, 99))
def test_full_lists_agree_with_themselves(n_users: int, length: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    full = rng.permuted(np.tile(np.arange(12), (n_users, 1)), axis=1)[:, :length]
    assert np.all(overlap(full, full, every_k(full)) == 1)


@given(two_sides(), st.integers(0, 99), st.data())
def test_order_within_the_first_k_does_not_matter(
    sides: tuple[NDArray[np.int32], NDArray[np.int32]], seed: int, data: st.DataObject
) -> None:
    a, b = sides
    k = data.draw(st.integers(1, a.shape[1]))
    shuffled = a.copy()
    shuffled[:, :k] = np.random.default_rng(seed).permuted(a[:, :k], axis=1)
    assert np.array_equal(overlap(shuffled, b, [k]), overlap(a, b, [k]))


def test_it_is_the_same_in_small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.permuted(np.tile(np.arange(30), (7, 1)), axis=1)[:, :10] for _ in range(2))
    whole = overlap(a, b, [5, 10])
    monkeypatch.setattr(agreement, "_CELLS_AT_ONCE", 50)
    assert np.array_equal(overlap(a, b, [5, 10]), whole)


def test_lists_of_different_length_are_compared_as_far_as_both_go() -> None:
    assert overlap(np.array([[1, 2, 3]]), np.array([[3, 1]]), [2]).tolist() == [[0.5]]


@pytest.mark.parametrize("k", [0, 3])
def test_a_k_that_does_not_fit_is_refused(k: int) -> None:
    with pytest.raises(SettingsError, match=f"k={k}.*use 1 to 2"):
        overlap(np.array([[1, 2]]), np.array([[1, 2]]), [k])


def test_different_numbers_of_users_are_refused() -> None:
    with pytest.raises(DataError, match="2 and of 1 users"):
        overlap(np.array([[1], [2]]), np.array([[1]]), [1])


@pytest.mark.parametrize(
    ("length", "expected"), [(5, [5]), (10, [10]), (25, [10, 20, 25]), (50, [10, 20, 30, 40, 50]), (1, [1])]
)
def test_cutoffs_go_in_tens_up_to_the_list_length(length: int, expected: list[int]) -> None:
    assert cutoffs(length) == expected


def test_a_list_length_of_zero_is_refused() -> None:
    with pytest.raises(SettingsError, match="list_length=0"):
        cutoffs(0)


@pytest.fixture
def target() -> Lists:
    return Lists(np.array([1, 2, 3, 4]), np.array([[1, 2], [3, 4], [5, 6], [7, 8]]))


@pytest.fixture
def clone() -> Lists:
    return Lists(np.array([1, 2, 3, 4]), np.array([[2, 1], [3, 9], [9, 5], [0, 9]]))


def groups(**members: list[int]) -> pd.DataFrame:
    rows = [(user, group) for group, users in members.items() for user in users]
    return pd.DataFrame(rows, columns=["user", "group"])


def test_groups_are_never_mixed_and_others_left_out(target: Lists, clone: Lists) -> None:
    asked = groups(queried=[2], unasked=[4], heldout=[3, 1])
    summary, per_user = agreement_tables(target, clone, asked, [1, 2], seed=0)
    assert per_user.to_dict("list") == {
        "user": [1, 1, 3, 3, 2, 2],
        "group": ["heldout"] * 4 + ["queried"] * 2,
        "k": [1, 2, 1, 2, 1, 2],
        "agreement": [0, 1, 0, 0.5, 1, 0.5],
    }
    expected = [("heldout", 1, 0, 2), ("heldout", 2, 0.75, 2), ("queried", 1, 1, 1), ("queried", 2, 0.5, 1)]
    assert list(summary[["group", "k", "agreement", "n_users"]].itertuples(index=False, name=None)) == expected


def test_the_interval_is_the_bootstrap_over_the_users_of_the_group(target: Lists, clone: Lists) -> None:
    summary, per_user = agreement_tables(target, clone, groups(heldout=[1, 2, 3, 4]), [2], seed=3)
    low, high = bootstrap_interval(per_user["agreement"].to_numpy(), seed=3)
    assert summary.loc[0, ["ci_low", "ci_high"]].tolist() == [low, high]


def test_a_group_without_a_user_has_no_row(target: Lists, clone: Lists) -> None:
    summary, per_user = agreement_tables(target, clone, groups(heldout=[1]), [2], seed=0)
    assert set(summary["group"]) == set(per_user["group"]) == {"heldout"}


def test_without_any_group_the_tables_are_empty_but_whole(target: Lists, clone: Lists) -> None:
    full = agreement_tables(target, clone, groups(heldout=[1]), [2], seed=0)
    empty = agreement_tables(target, clone, groups(unasked=[1]), [2], seed=0)
    for table, shown in zip(empty, full, strict=True):
        assert table.empty
        assert table.dtypes.equals(shown.dtypes)


def test_a_user_without_a_list_or_in_two_groups_is_refused(target: Lists, clone: Lists) -> None:
    with pytest.raises(DataError, match="user 8"):
        agreement_tables(target, clone, groups(heldout=[8]), [2], seed=0)
    with pytest.raises(DataError, match="user 1 is there twice"):
        agreement_tables(target, clone, groups(heldout=[1], queried=[1]), [2], seed=0)
