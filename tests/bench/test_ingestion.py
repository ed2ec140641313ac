from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from bench import ingestion
from bench.synthetic import FIRST_TIME, SECONDS, Population, row_count, shop, write_interactions

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("synthetic") / "interactions.parquet"
    write_interactions(path, 50_000, repeats=0.1, chunk=7_000)
    return path


def test_the_rows_are_as_many_as_asked_for_and_in_the_order_of_their_times(file: Path) -> None:
    table = pd.read_parquet(file)
    assert len(table) == 50_000
    assert table["timestamp"].is_monotonic_increasing
    assert table["timestamp"].between(FIRST_TIME, FIRST_TIME + SECONDS).all()
    assert (table.dtypes == "int64").all()


def test_a_share_of_the_rows_repeats_a_pair(file: Path) -> None:
    repeated = pd.read_parquet(file).duplicated(["user_id", "item_id"]).mean()
    assert 0.09 < repeated < 0.16  # beside those that are drawn twice by chance


def test_the_same_seed_gives_the_same_rows(tmp_path: Path) -> None:
    tables = []
    for seed in (0, 0, 1):
        write_interactions(tmp_path / "rows.parquet", 1_000, seed=seed)
        tables.append(pd.read_parquet(tmp_path / "rows.parquet"))
    assert tables[0].equals(tables[1])
    assert not tables[0].equals(tables[2])


def test_a_shop_has_as_many_users_and_items_as_asked_for_and_its_ids_may_be_text(tmp_path: Path) -> None:
    tables = {}
    for text in (False, True):
        write_interactions(tmp_path / "shop.csv", 20_000, repeats=0, of=shop(300, 80), text=text)
        tables[text] = pd.read_csv(tmp_path / "shop.csv")
    assert tables[False].nunique().tolist()[:2] == [300, 80]
    assert tables[True]["user_id"].tolist() == [f"u{user}" for user in tables[False]["user_id"]]
    assert tables[True]["item_id"].tolist() == [f"i{item}" for item in tables[False]["item_id"]]
    assert tables[True]["timestamp"].equals(tables[False]["timestamp"])


@pytest.mark.parametrize("exponent", [0.0, 0.9, 1.0, 2.0])
def test_ranks_are_drawn_by_the_power_law(exponent: float) -> None:
    population = Population(50, exponent, shift=5.0, id_step=3)
    ranks = population.ranks(200_000, np.random.default_rng(0))
    edges = np.arange(51) + 5.0
    integral = np.log(edges) if exponent == 1 else edges ** (1 - exponent) / (1 - exponent)
    expected = np.diff(integral) / (integral[-1] - integral[0])
    assert np.bincount(ranks, minlength=50) / len(ranks) == pytest.approx(expected, abs=0.003)


@pytest.mark.parametrize(("text", "n"), [("500", 500), ("500k", 500_000), ("1.5M", 1_500_000)])
def test_numbers_of_rows_may_have_a_unit(text: str, n: int) -> None:
    assert row_count(text) == n


def test_the_plain_way_keeps_as_many_rows(file: Path) -> None:
    ours, plain = ingestion.measure(file=file), ingestion.measure(file=file, plain=True)
    assert ours["rows"] == plain["rows"] == 50_000
    assert 0 < ours["kept_rows"] == plain["kept_rows"] < 50_000
    assert ours["peak_mib"] >= ours["core_peak_mib"] > 0
    assert ours["total_seconds"] > ours["core_seconds"] > 0
