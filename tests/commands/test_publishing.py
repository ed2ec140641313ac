"""What was measured is committed as small tables, and never two targets as one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from rec_msa.commands.publishing import publish
from rec_msa.foundation.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

CELL = {"dataset": "ml-1m", "target": "bpr", "seed": 0, "defense": "none"}


def measured(
    folder: Path, attacks: dict[str, float], *, recall: float = 0.4, ndcg: float = 0.2, **cell: object
) -> Path:
    """A data folder with an agreement for each attack on one cell."""
    labels = {**CELL, **cell}
    rows = [
        {**labels, "attack": attack, "against": "served", "group": group, "k": k, "agreement": value}
        for attack, value in attacks.items()
        for group in ("heldout", "queried")
        for k in (10, 50)
    ]
    where = folder / "08_reporting"
    where.mkdir(parents=True)
    pd.DataFrame(rows).to_parquet(where / "agreement.parquet")
    pd.DataFrame([{**row, "user": user} for row in rows for user in (3, 4)]).to_parquet(
        where / "agreement_per_user.parquet"
    )
    quality = {**labels, "recall_test": recall, "ndcg_test": ndcg}
    pd.DataFrame([quality]).to_parquet(where / "target_quality.parquet")
    return folder


def found(folder: Path) -> dict[tuple[str, int, str], float]:
    table = pd.read_parquet(folder / "08_reporting" / "agreement.parquet")
    table = table[(table["k"] == 50) & (table["group"] == "heldout")]
    return {(row.target, row.seed, row.attack): row.agreement for row in table.itertuples()}


def test_what_was_published_stays_beside_what_is_new(tmp_path):
    publish(measured(tmp_path / "one", {"ptd": 0.5}), tmp_path / "docs")
    publish(measured(tmp_path / "two", {"ptq": 0.6}), tmp_path / "docs")
    publish(measured(tmp_path / "three", {"ptd": 0.3}, target="lmf"), tmp_path / "docs")
    assert found(tmp_path / "docs") == {("bpr", 0, "ptd"): 0.5, ("bpr", 0, "ptq"): 0.6, ("lmf", 0, "ptd"): 0.3}


def test_what_was_measured_again_is_replaced_once(tmp_path):
    publish(measured(tmp_path / "one", {"ptd": 0.5}), tmp_path / "docs")
    publish(measured(tmp_path / "two", {"ptd": 0.55}), tmp_path / "docs")
    assert found(tmp_path / "docs") == {("bpr", 0, "ptd"): 0.55}
    assert len(pd.read_parquet(tmp_path / "docs/08_reporting/target_quality.parquet")) == 1


def test_attacks_on_an_older_target_are_not_set_beside_those_on_a_new_one(tmp_path):
    publish(measured(tmp_path / "one", {"ptd": 0.5, "qsd": 0.1}), tmp_path / "docs")
    publish(measured(tmp_path / "one_more", {"ptd": 0.4}, seed=1), tmp_path / "docs")
    said = publish(measured(tmp_path / "two", {"ptd": 0.6}, recall=0.41), tmp_path / "docs")
    assert said == ["trained anew: ml-1m · bpr · 0"]
    assert found(tmp_path / "docs") == {("bpr", 0, "ptd"): 0.6, ("bpr", 1, "ptd"): 0.4}


def test_a_target_trained_anew_is_noticed_where_its_recall_is_the_same_by_chance(tmp_path):
    publish(measured(tmp_path / "one", {"ptd": 0.5, "qsd": 0.1}), tmp_path / "docs")
    assert publish(measured(tmp_path / "two", {"ptd": 0.6}, ndcg=0.21), tmp_path / "docs") == [
        "trained anew: ml-1m · bpr · 0"
    ]
    assert found(tmp_path / "docs") == {("bpr", 0, "ptd"): 0.6}


def test_a_target_trained_anew_is_noticed_under_a_defense_that_is_published_for_the_first_time(tmp_path):
    publish(measured(tmp_path / "one", {"ptd": 0.5}), tmp_path / "docs")
    defended = measured(tmp_path / "two", {"ptaq": 0.3}, recall=0.41, defense="popular_mixing_fresh_15")
    assert publish(defended, tmp_path / "docs") == ["trained anew: ml-1m · bpr · 0"]
    assert found(tmp_path / "docs") == {("bpr", 0, "ptaq"): 0.3}


def test_what_attacks_took_is_published_where_it_is_known(tmp_path):
    costs = tmp_path / "docs/08_reporting/costs.parquet"
    publish(measured(tmp_path / "one", {"ptd": 0.5}), tmp_path / "docs")
    assert pd.read_parquet(costs).empty
    for folder, attack, seconds in (("two", "ptq", 7.0), ("three", "ptq", 8.0), ("four", "pta", 9.0)):
        took = {**CELL, "clone": "bpr", "label": "", "attack": attack, "seconds": seconds}
        place = measured(tmp_path / folder, {attack: 0.6}) / "08_reporting/costs.parquet"
        pd.DataFrame([took]).to_parquet(place)
        publish(tmp_path / folder, tmp_path / "docs")
    assert pd.read_parquet(costs).set_index("attack")["seconds"].to_dict() == {"ptq": 8.0, "pta": 9.0}


def test_of_users_only_what_paired_tests_need_is_published(tmp_path):
    publish(measured(tmp_path / "one", {"ptd": 0.5}), tmp_path / "docs")
    users = pd.read_parquet(tmp_path / "docs/08_reporting/agreement_per_user.parquet")
    assert set(users["group"]) == {"heldout"}
    assert set(users["k"]) == {50}


def test_the_journal_and_the_statistics_come_with_it(tmp_path):
    folder = measured(tmp_path / "one", {"ptd": 0.5})
    for name in ("08_reporting/journal/a.json", "03_primary/ml-1m/statistics.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps({"started": "now"}))
    publish(folder, tmp_path / "docs")
    assert (tmp_path / "docs/08_reporting/journal/a.json").exists()
    assert (tmp_path / "docs/03_primary/ml-1m/statistics.json").exists()


def test_an_empty_data_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="no results lie here"):
        publish(tmp_path, tmp_path / "docs")
