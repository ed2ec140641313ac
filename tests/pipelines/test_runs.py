"""Runs of the whole pipelines on a small dataset: what they leave, and what they do when asked for the impossible."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from kedro.framework.cli.utils import KedroCliError

from rec_msa.evaluation.results import COLUMNS, KEY
from rec_msa.experiments import PAPER_ATTACKS

REFERENCES = {"random", "popularity", "auxiliary_popularity", "list_popularity", "knn_lists", "cache", "retrain"}


@pytest.fixture(scope="module")
def agreement(finished_project) -> pd.DataFrame:
    return pd.read_parquet(finished_project.folder / "data/08_reporting/agreement.parquet")


def test_agreement_has_the_columns_of_the_contract_and_a_unique_key(agreement):
    assert tuple(agreement.columns) == COLUMNS
    assert not agreement.duplicated(list(KEY)).any()


def test_the_default_run_compares_the_papers_attacks_with_every_reference(agreement):
    assert set(agreement["attack"]) == {*PAPER_ATTACKS, *REFERENCES, "target"}


def test_both_groups_and_all_cutoffs_are_there_for_every_attack(agreement):
    rows = agreement.groupby("attack")[["group", "k", "against"]].apply(lambda part: set(map(tuple, part.to_numpy())))
    expected = {(g, k, a) for g in ("heldout", "queried") for k in (10, 20) for a in ("served", "undefended")}
    assert all(found == expected for found in rows)


def test_without_a_defense_served_and_undefended_rows_are_equal(agreement):
    keys = [name for name in KEY if name != "against"]
    sides = [agreement[agreement["against"] == side].set_index(keys).sort_index() for side in ("served", "undefended")]
    pd.testing.assert_frame_equal(sides[0].drop(columns="against"), sides[1].drop(columns="against"))


def test_a_cache_repeats_the_queried_lists_and_the_target_agrees_with_itself(agreement):
    at_queried = agreement[(agreement["group"] == "queried") & (agreement["k"] == 20)].set_index("attack")["agreement"]
    assert (at_queried.loc["cache"] == 1).all()
    assert (agreement.loc[agreement["attack"] == "target", "agreement"] == 1).all()


def test_queries_are_counted_as_one_call_for_each_queried_user(agreement):
    n_queried = agreement.loc[agreement["group"] == "queried", "n_users"].iloc[0]
    calls = agreement.groupby("attack")["n_queries"].first()
    assert set(calls[["ptq", "ptaq", "qsd", "knn_lists", "cache", "list_popularity"]]) == {n_queried}
    assert set(calls[["ptd", "pta", "random", "popularity", "retrain"]]) == {0}


def test_the_per_user_companion_averages_to_the_summary(finished_project, agreement):
    per_user = pd.read_parquet(finished_project.folder / "data/08_reporting/agreement_per_user.parquet")
    means = per_user.groupby(list(KEY), dropna=False)["agreement"].agg(["mean", "size"])
    merged = agreement.set_index(list(KEY)).join(means)
    assert merged["agreement"].to_numpy() == pytest.approx(merged["mean"].to_numpy())
    assert (merged["n_users"] == merged["size"]).all()


def test_held_out_users_are_in_no_ledger(finished_project):
    attackers = finished_project.load("small.seed0.users10.attackers")
    heldout = set(attackers.loc[attackers["group"] == "heldout", "user"])
    for attack in ("ptq", "ptaq", "qsd"):
        ledger = finished_project.load(f"small.seed0.bpr.none.{attack}.ledger")
        assert len(ledger)
        assert not heldout & set(ledger["user"])


def test_the_target_is_measured(finished_project):
    quality = finished_project.load("small.seed0.bpr.none.target_quality")
    assert 0 < quality["recall_test"] <= 1
    assert 0 < quality["ndcg_served"] <= 1


def test_every_training_left_its_curve(finished_project):
    for name in (
        "bpr.target_curve",
        "bpr.retrain_curve",
        "auxiliary100.bpr.auxiliary_curve",
        "bpr.none.ptaq.steal_curve",
    ):
        curve = finished_project.load(f"small.seed0.{name}")
        assert list(curve.columns) == ["step", "loss", "validation", "kept"]
        assert curve["kept"].sum() == 1


def test_figures_are_there_in_both_forms(finished_project):
    folder = finished_project.folder / "data/08_reporting/comparison"
    assert (folder / "small.seed0.bpr.none.png").read_bytes().startswith(b"\x89PNG")
    assert finished_project.load("small.seed0.bpr.none.comparison_figure").data


def test_a_single_node_runs_again_on_what_a_run_left(finished_project):
    path = finished_project.folder / "data/06_models/small/seed0/bpr/none/ptaq/stolen.pt"
    before = path.read_bytes()
    path.unlink()
    finished_project.run("attack_ptaq", node_names=["small.seed0.bpr.none.ptaq.steal"])
    assert path.read_bytes() == before


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(small_project, agreement):
    small_project.run("attack_ptd")
    again = pd.read_parquet("data/08_reporting/agreement.parquet")
    merged = again.merge(agreement, on=list(KEY), suffixes=("", "_before"))
    assert len(merged) == len(again)
    assert (merged["agreement"] == merged["agreement_before"]).all()
    small_project.run("attack_ptd", params={"seed": 1})
    both = pd.read_parquet("data/08_reporting/agreement.parquet")
    assert set(both["seed"]) == {0, 1}


def test_only_missing_outputs_runs_nothing_twice_and_a_changed_parameter_reruns_what_depends_on_it(small_project):
    def written() -> dict[str, int]:
        return {str(p): p.stat().st_mtime_ns for p in Path("data").rglob("*") if p.suffix in (".parquet", ".pt")}

    small_project.run("attack_ptaq")
    first = written()
    small_project.run("attack_ptaq", only_missing_outputs=True)
    cells = {name for name in first if Path(name).parent.name != "08_reporting"}
    assert {name: written()[name] for name in cells} == {name: first[name] for name in cells}
    small_project.run("attack_ptaq", params={"steal": {"margin": 0.25}}, only_missing_outputs=True)
    changed = {Path(name).name for name in cells if written()[name] != first[name]}
    assert changed == {
        "stolen.pt",
        "steal_curve.parquet",
        "clone_lists.parquet",
        "agreement.parquet",
        "agreement_per_user.parquet",
    }


def test_a_truncated_artifact_is_made_again(small_project):
    small_project.run("attack_ptd")
    model = Path("data/06_models/small/seed0/bpr/target.pt")
    whole = model.read_bytes()
    model.write_bytes(whole[:100])
    small_project.run("attack_ptd", only_missing_outputs=True)
    assert model.read_bytes() == whole


def test_results_of_other_settings_are_left_out_of_the_assembled_table(small_project):
    small_project.run("attack_ptd")
    small_project.run("attack_pta", params={"target": {"learning_rate": 0.01}})
    found = pd.read_parquet("data/08_reporting/agreement.parquet")
    assert "pta" in set(found["attack"])
    assert "ptd" not in set(found["attack"])


def test_two_sessions_in_one_process_each_run_their_own_cell(small_project):
    first, second = small_project.session(seed=3), small_project.session(model="lmf", seed=4)
    with first:
        first.run(pipeline_names=["attack_ptd"])
    with second:
        second.run(pipeline_names=["attack_ptd"])
    found = pd.read_parquet("data/08_reporting/agreement.parquet")
    cells = set(found.loc[found["attack"] == "ptd", ["target", "seed"]].itertuples(index=False, name=None))
    assert cells == {("bpr", 3), ("lmf", 4)}


def test_a_variant_of_an_attack_is_a_line_of_yaml(small_project):
    variants = {
        "ptaq_short": {"base": "ptaq", "list_length": 10},
        "ptaq_lmf": {"base": "ptaq", "clone": "lmf"},
        "ptaq_half": {"base": "ptaq", "auxiliary_fraction": 0.5, "query_fraction": 0.5, "item_fraction": 0.5},
    }
    for name in variants:
        small_project.run(f"attack_{name}", params={"attacks": variants})
    found = pd.read_parquet("data/08_reporting/agreement.parquet").query("attack in @variants and group == 'heldout'")
    assert found.groupby("attack")["k"].max().to_dict() == {"ptaq_short": 10, "ptaq_lmf": 20, "ptaq_half": 20}
    assert found.groupby("attack")["clone"].first()["ptaq_lmf"] == "lmf"
    assert set(found["base"]) == {"ptaq"}


def test_a_defended_target_is_measured_against_what_it_serves_and_against_itself(small_project):
    small_project.run(
        "attack_ptd", params={"defense": "popular_mixing_5", "defenses": {"popular_mixing": {"pool": 40}}}
    )
    found = pd.read_parquet("data/08_reporting/agreement.parquet").query("k == 20 and group == 'heldout'")
    ceiling = found[found["attack"] == "target"].set_index("against")["agreement"]
    assert ceiling["undefended"] == 1
    assert ceiling["served"] == pytest.approx(1 - 5 / 20)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"modle": "ncf"}, ["modle", "model"]),
        ({"model": "nfc"}, ["nfc", "'ncf'"]),
        ({"dataset": "smal"}, ["smal", "'small'"]),
        ({"attacks": {"x": {"base": "ptak"}}}, ["attacks.x.base", "ptak", "'pta'"]),
        ({"split": {"attacker_fraction": 1.5}}, ["split.attacker_fraction", "1.5", "less than 1"]),
        ({"split": {"atacker_fraction": 0.5}}, ["split.atacker_fraction", "'attacker_fraction'"]),
        ({"steal": {"training": {"patiense": 3}}}, ["steal.training.patiense", "'patience'"]),
        ({"recommenders": {"bpr": {"dimension": 3}}}, ["recommenders.bpr.dimension", "'dimensions'"]),
        ({"seed": "zero"}, ["seed", "'zero'"]),
        ({"defense": "popular_mixin_5"}, ["popular_mixin_5", "'popular_mixing'"]),
        ({"device": "gpu"}, ["device", "'gpu'", "'cuda'"]),
        ({"study": "table4"}, ["study", "table4"]),
    ],
)
def test_a_wrong_parameter_is_refused_by_key_value_and_nearest_name(small_project, params, said):
    with pytest.raises(KedroCliError) as refusal:
        small_project.run("ingestion", params=params)
    assert all(part in str(refusal.value) for part in said), refusal.value


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"datasets": {"small": {"min_interactions": 500}}}, ["min_interactions", "500"]),
        ({"list_length": 500}, ["list_length", "500"]),
        ({"split": {"attacker_fraction": 0.001}}, ["attacker_fraction"]),
        ({"datasets": {"small": {"path": "none.csv"}}}, ["none.csv"]),
        ({"datasets": {"small": {"user": "whom"}}}, ["whom", "who"]),
    ],
)
def test_data_that_cannot_be_used_give_one_clear_error(small_project, params, said):
    with pytest.raises(KedroCliError) as refusal:
        small_project.run("attack_ptd", params=params)
    assert all(part in str(refusal.value) for part in said), refusal.value


def test_a_failed_node_leaves_no_half_written_file(small_project, monkeypatch):
    def full_disk(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "data/05")

    monkeypatch.setattr("pandas.DataFrame.to_parquet", full_disk)
    with pytest.raises(KedroCliError, match="No space left on device"):
        small_project.run("ingestion")
    assert not [p for p in Path("data").rglob("*") if p.suffix in (".parquet", ".part")]


def test_the_paper_environment_refuses_to_start_without_a_study_or_a_cell(small_project):
    with pytest.raises(KedroCliError, match="study"):
        small_project.session(env="paper").load_context()


def test_a_study_filters_its_cells(small_project):
    from kedro.framework.project import pipelines

    small_project.session(env="paper", study="table4", dataset="ml-1m", seed=2).load_context()
    cells = {".".join(node.name.split(".")[:3]) for node in pipelines["study"].nodes if ".train_target" in node.name}
    assert cells == {"ml-1m.seed2.bpr", "ml-1m.seed2.lmf", "ml-1m.seed2.ncf"}


def test_the_reporting_is_drawn_anew_when_a_cell_is_added_and_only_then(small_project):
    small_project.run("attack_ptd")
    small_project.run("reporting")
    page = Path("data/08_reporting/reproduction.md")
    first = page.stat().st_mtime_ns
    small_project.run("reporting", only_missing_outputs=True)
    assert page.stat().st_mtime_ns == first
    small_project.run("attack_ptq")
    small_project.run("reporting", only_missing_outputs=True)
    assert page.stat().st_mtime_ns != first


def test_the_defense_pipeline_measures_every_strength_against_both_sides(small_project):
    defenses = {"popular_mixing": {"pool": 20, "strengths": [5, 10]}}
    small_project.run("defense", params={"defenses": defenses})
    found = pd.read_parquet("data/08_reporting/agreement.parquet").query("k == 20 and group == 'heldout'")
    assert set(found["defense"]) == {"none", "popular_mixing_5", "popular_mixing_10"}
    without_queries = found[found["attack"].isin(["ptd", "pta"]) & (found["against"] == "undefended")]
    assert (without_queries.groupby("attack")["agreement"].nunique() == 1).all()
    ceiling = found[(found["attack"] == "target") & (found["against"] == "served")].set_index("defense")["agreement"]
    assert ceiling.to_dict() == {"none": 1, "popular_mixing_5": 0.75, "popular_mixing_10": 0.5}
    quality = pd.read_parquet("data/08_reporting/target_quality.parquet").set_index("defense")
    assert quality["recall_test"].nunique() == 1
    assert quality["recall_served"].nunique() == 3
