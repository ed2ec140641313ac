"""Sequences: what puts interactions in order, and what of each is held out."""

from __future__ import annotations

import gzip

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rec_msa.foundation.errors import DataError
from rec_msa.interactions import (
    SequenceSettings,
    SplitSettings,
    attackers,
    auxiliary_parts,
    in_sequence,
    split_by_time,
    split_interactions,
    target_parts,
)

BY_TIME, BY_FILE = SequenceSettings(), SequenceSettings(order="file")
SETTINGS = SplitSettings(attacker_fraction=0.5)


def table(*rows: tuple[int, int, int | None]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["user", "item", "timestamp"])
    return frame.astype({"user": "int32", "item": "int32", "timestamp": "Int64"})


def random_table(seed: int, n_users: int = 30, most: int = 9) -> pd.DataFrame:
    """Users with 1 to ``most`` interactions, in any order, with many equal times."""
    rng = np.random.default_rng(seed)
    rows = [
        (user, int(item), int(rng.integers(4)))
        for user in range(n_users)
        for item in rng.choice(50, rng.integers(1, most + 1), replace=False)
    ]
    return table(*(rows[i] for i in rng.permutation(len(rows))))


def test_equal_times_stay_in_the_files_order() -> None:
    mixed = table((1, 5, 9), (0, 3, 2), (1, 4, 9), (0, 7, 1), (1, 6, 8), (0, 8, 2))
    assert in_sequence(mixed, BY_TIME)["item"].tolist() == [7, 3, 8, 6, 5, 4]
    assert in_sequence(mixed, BY_FILE)["item"].tolist() == [3, 7, 8, 5, 4, 6]


def test_missing_times_are_refused_with_the_remedy_and_the_files_order_needs_none() -> None:
    some = table((0, 1, 4), (0, 2, None), (1, 1, 3))
    none = table((0, 1, None), (0, 2, None), (1, 1, None))
    with pytest.raises(DataError, match=r"1 of 3 interactions have no time.*sequence\.order=file"):
        split_by_time(some, SETTINGS, BY_TIME, 0)
    with pytest.raises(DataError, match="3 of 3 interactions have no time"):
        split_by_time(none, SETTINGS, BY_TIME, 0)
    assert split_by_time(none, SETTINGS, BY_FILE, 0)["item"].tolist() == [1, 2, 1]


@given(st.integers(0, 10_000))
def test_the_end_of_each_sequence_is_held_out(seed: int) -> None:
    interactions = random_table(seed)
    split = split_by_time(interactions, SETTINGS, BY_TIME, seed)
    is_target = set(split.loc[split["part"].str.startswith("target"), "user"])
    for user, rows in split.groupby("user"):
        expected = interactions[interactions["user"] == user].sort_values("timestamp", kind="stable")["item"].tolist()
        assert rows["item"].tolist() == expected
        tail = ["target_validation", "target_test"] if user in is_target else ["auxiliary_validation"]
        head = "target_train" if user in is_target else "auxiliary_train"
        if len(rows) == 2 and user in is_target:
            tail = ["target_test"]
        n_train = max(1, len(rows) - len(tail))
        assert rows["part"].tolist() == ([head] * n_train + tail)[: len(rows)]


def test_users_halves_and_attackers_are_those_of_the_random_protocol() -> None:
    interactions = random_table(3)
    by_time, at_random = (
        split_by_time(interactions, SETTINGS, BY_TIME, 7),
        split_interactions(interactions, SETTINGS, 7),
    )
    pd.testing.assert_frame_equal(attackers(by_time, SETTINGS), attackers(at_random, SETTINGS))
    places = [split[["user", "user_rank"]].drop_duplicates().sort_values("user") for split in (by_time, at_random)]
    pd.testing.assert_frame_equal(places[0].reset_index(drop=True), places[1].reset_index(drop=True))


def test_parts_keep_the_order_of_the_sequence() -> None:
    split = split_by_time(random_table(5), SETTINGS, BY_TIME, 1)
    for part in (*target_parts(split), *auxiliary_parts(split)):
        assert part.groupby("user")["timestamp"].apply(lambda times: times.is_monotonic_increasing).all()


def test_ml_1m_is_not_in_order_in_its_file(shared_data) -> None:
    with gzip.open(shared_data / "ml-1m" / "ratings-first-487650.dat.gz", "rt") as file:
        rows = pd.read_csv(file, sep="::", engine="python", nrows=20_000, names=["user", "item", "rating", "timestamp"])
    same_user = rows["user"].diff().eq(0)
    assert 0.4 < (rows["timestamp"].diff()[same_user] > 0).mean() < 0.6
    ordered = in_sequence(rows, BY_TIME)
    assert ordered.groupby("user")["timestamp"].apply(lambda times: times.is_monotonic_increasing).all()
