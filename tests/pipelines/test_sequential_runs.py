"""Runs on a sequential target: what they leave, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from kedro.framework.cli.utils import KedroCliError

from rec_msa.evaluation import mean_quality
from rec_msa.recommenders.checkpoint import from_checkpoint
from rec_msa.recommenders.ranking import rank_lists
from tests.small_project import SmallProject

SMALL = {"dimensions": 8, "length": 6}
CELL = "small.seed0.gru4rec.none"


@pytest.fixture(scope="module")
def sequential_project(tmp_path_factory):
    """A small project in which three attacks on gru4rec have run."""
    project = SmallProject(tmp_path_factory.mktemp("sequential"))
    make_sequential(project)
    with project.session() as session:
        session.run(pipeline_names=[f"attack_{name}" for name in ("ptaq", "qsd5", "random_sequences")])
    return project


def make_sequential(project, **change) -> None:
    """Makes gru4rec the project's target, small and with few calls."""
    folder = project.folder / "conf" / "local" / "parameters.yml"
    given = yaml.safe_load(folder.read_text())
    attacks = {"random_sequences": {"base": "qsd", "calls_per_user": 3, "sequences": "random"}}
    models = dict.fromkeys(("sasrec", "stamp", "gru4rec"), SMALL)
    project.configure(given | {"model": "gru4rec", "recommenders": models, "attacks": attacks} | change)


@pytest.fixture
def agreement(sequential_project) -> pd.DataFrame:
    return pd.read_parquet(sequential_project.folder / "data/08_reporting/agreement.parquet")


def test_budgets_are_calls_for_each_queried_user(agreement):
    n_queried = agreement.loc[agreement["group"] == "queried", "n_users"].iloc[0]
    calls = agreement.groupby("attack")["n_queries"].first()
    assert calls[["ptaq", "qsd5", "random_sequences"]].tolist() == [n_queried, 5 * n_queried, 3 * n_queried]


def test_every_group_is_measured_for_every_attack(agreement):
    found = agreement[agreement["k"] == 20].groupby("attack")["group"].apply(set)
    assert all(found[name] == {"heldout", "queried"} for name in ("ptaq", "qsd5", "random_sequences", "popularity"))


def test_the_ledger_of_qsd_holds_the_sequences_and_no_user(sequential_project):
    ledger = sequential_project.load(f"{CELL}.qsd5.ledger")
    assert ledger["user"].isna().all()
    assert ledger["sequence"].map(len).between(1, SMALL["length"]).all()
    served = sequential_project.load(f"{CELL}.qsd5.served_lists")
    assert len(served.drop_duplicates(["sequence", "place"])) == len(ledger)
    assert served.groupby(["sequence", "place"])["item"].agg(list).map(sorted).tolist() != []


def test_the_target_s_last_items_are_held_out_and_training_is_in_order(sequential_project):
    parts = [sequential_project.load(f"small.seed0.temporal.target_{part}") for part in ("train", "validation", "test")]
    assert parts[0].groupby("user")["timestamp"].apply(lambda times: times.is_monotonic_increasing).all()
    latest = [part.groupby("user")["timestamp"].max() for part in parts]
    assert (latest[0] <= latest[1]).all()
    assert (latest[1] <= latest[2]).all()
    assert (parts[2].groupby("user").size() == 1).all()


def test_the_target_reads_training_sequences_and_the_assessment_the_validation_item_too(sequential_project):
    model = sequential_project.load("small.seed0.gru4rec.target_model")
    train = sequential_project.load("small.seed0.temporal.target_train")
    ends = np.array([rows.tolist()[-6:] for _, rows in train.groupby("user")["item"]])
    assert np.array_equal(model["state"]["histories"].numpy(), ends)
    quality = sequential_project.load(f"{CELL}.target_quality")
    assert 0 <= quality["recall_test_at_10"] <= quality["recall_test"] <= 1


def test_a_clone_of_qsd_knows_no_history(sequential_project):
    stolen = sequential_project.load(f"{CELL}.qsd5.stolen_model")
    assert (stolen["state"]["histories"] == -1).all()


@pytest.mark.parametrize("attack", ["ptaq", "qsd5"])
def test_a_clone_is_asked_after_the_histories_that_the_attacker_knows(sequential_project, attack):
    load = sequential_project.load
    clone = from_checkpoint(load(f"{CELL}.{attack}.stolen_model"))
    known = load("small.seed0.users10-temporal.attacker_train")
    users = load("small.seed0.users10-temporal.attackers")["user"].to_numpy()
    clone.read(known)
    lists = load(f"{CELL}.{attack}.clone_lists")
    pd.testing.assert_frame_equal(rank_lists(clone, users, known, 20).to_frame(), lists, check_dtype=False)
    assert lists.groupby("user")["item"].agg(tuple).nunique() > 1


def test_the_target_s_quality_is_measured_after_the_validation_item(sequential_project):
    parts = [sequential_project.load(f"small.seed0.temporal.target_{part}") for part in ("train", "validation", "test")]
    known = pd.concat(parts[:2])
    target = from_checkpoint(sequential_project.load("small.seed0.gru4rec.target_model"))
    target.read(known)
    users = np.unique(parts[0]["user"])
    quality = mean_quality(rank_lists(target, users, known, 20), parts[2], 20)
    assert sequential_project.load(f"{CELL}.target_quality")["recall_test"] == pytest.approx(quality["recall"])


def test_missing_times_are_refused_and_the_files_order_needs_none(small_project):
    table = pd.read_csv("small.csv")
    table.loc[3, "when"] = np.nan
    table.to_csv("small.csv", index=False)
    make_sequential(small_project)
    with pytest.raises(KedroCliError, match=r"1 of \d+ interactions have no time.*sequence\.order=file"):
        small_project.run("ingestion")
    small_project.run("ingestion", params={"sequence": {"order": "file"}})
    train = small_project.load("small.seed0.temporal.target_train")
    first = int(train["user"].iloc[0])
    items = table.loc[table["who"] == 1000 + first, "what"].tolist()
    vocabulary = small_project.load("small.items").set_index("item")["raw_item"]
    assert vocabulary[train.loc[train["user"] == first, "item"]].tolist() == items[:-2]


def test_a_defense_alters_what_users_of_a_sequential_target_are_served_and_refuses_sequences(sequential_project):
    defended = {"defense": "random_replacement_5"}
    sequential_project.run("attack_ptaq", params=defended, only_missing_outputs=True)
    own, served = (
        sequential_project.load(f"small.seed0.gru4rec.{defense}.ptaq.served_lists", **defended)
        for defense in ("none", "random_replacement_5")
    )
    both = own.merge(served, on=["user", "rank"])
    assert (both["item_x"] != both["item_y"]).groupby(both["user"]).sum().eq(5).all()
    with pytest.raises(KedroCliError, match="'random_replacement_5' alters the lists of users, not of given sequences"):
        sequential_project.run("attack_qsd5", params=defended)


def test_attacks_that_need_sequences_are_refused_on_a_target_without(small_project):
    with pytest.raises(KedroCliError, match="its calls are about made-up sequences, which bpr does not read"):
        small_project.run("attack_qsd5")
    with pytest.raises(KedroCliError, match="'sasrec' reads sequences, but bpr's data are split at random"):
        small_project.run("attack_odd", params={"attacks": {"odd": {"base": "ptd", "clone": "sasrec"}}})
    assert not list(Path("data").rglob("*.pt"))
