"""Runs of the whole pipelines on a small dataset: what they leave, and what they do when asked for the impossible."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import rich
from kedro.framework.cli.utils import KedroCliError
from kedro.framework.project import configure_project

from rec_msa.attacks.settings import PAPER_ATTACKS
from rec_msa.evaluation.results import COLUMNS, KEY
from rec_msa.framework.clear_error import ClearError
from rec_msa.framework.config import current_experiments
from tests.small_project import SmallProject

REFERENCES = {"random", "popularity", "auxiliary_popularity", "list_popularity", "knn_lists", "cache", "retrain"}
REFERENCES |= {"ease", "ials", "ease_joint", "ials_joint"}


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
    assert set(calls[["ptd", "pta", "random", "popularity", "ease", "ials_joint", "retrain"]]) == {0}


def test_what_attacks_with_queries_made_of_the_answers_stands_beside_their_agreement(finished_project, agreement):
    learnt = agreement.groupby("attack")[["kept_step", "steps", "step_limit"]].first()
    for attack in ("ptq", "ptaq", "qsd"):
        curve = finished_project.load(f"small.seed0.bpr.none.{attack}.steal_curve")
        assert learnt.loc[attack].tolist() == [curve.loc[curve["kept"], "step"].item(), curve["step"].max(), 60]
    assert learnt.drop(index=["ptq", "ptaq", "qsd"]).isna().all(axis=None)


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


def test_the_figure_is_there(finished_project):
    folder = finished_project.folder / "data/08_reporting/comparison"
    assert (folder / "small.seed0.bpr.none.png").read_bytes().startswith(b"\x89PNG")


def test_a_single_node_runs_again_on_what_a_run_left(finished_project):
    path = finished_project.folder / "data/06_models/small/seed0/bpr/none/ptaq/stolen.pt"
    before = path.read_bytes()
    path.unlink()
    finished_project.run("attack_ptaq", node_names=["small.seed0.bpr.none.ptaq.steal"])
    assert path.read_bytes() == before


def test_a_run_notes_what_it_cost_and_one_that_only_draws_notes_nothing(finished_project):
    before = finished_project.load("journal")
    assert (before["n_nodes"] > 0).all()
    assert (before["core_seconds"] >= before["seconds"]).all()
    finished_project.run("__default__", node_names=["small.seed0.bpr.none.draw_comparison"])
    assert len(finished_project.load("journal")) == len(before) > 0


def test_a_run_that_is_stopped_by_hand_notes_what_it_cost_and_holds_no_lock(small_project, monkeypatch):
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped, pytest.raises(KeyboardInterrupt):
        stopped.setattr("rec_msa.training.recommender.fit", stop)
        small_project.run("attack_ptd")
    assert list(small_project.load("journal")["n_nodes"] > 0) == [True]
    assert not list(Path("data/.locks").iterdir())


def test_a_run_that_is_stopped_ends_with_the_command_that_goes_on_and_no_table(attacked_project, monkeypatch):
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rec_msa.training.recommender.fit", stop)
    with rich.get_console().capture() as captured, pytest.raises(KeyboardInterrupt):
        attacked_project.run("attack_ptd")
    said = captured.get().rstrip().splitlines()
    assert said[-1].endswith("--only-missing-outputs")
    assert not any("held-out" in line for line in said)


def test_a_study_that_fails_in_its_second_cell_leaves_the_first_one_in_the_assembled_table(small_project):
    pd.read_csv("small.csv").groupby("who").head(8).to_csv("short.csv", index=False)
    short = {"path": "short.csv", "user": "who", "item": "what", "min_interactions": 2}
    study = {"dataset": ["small", "zone"], "model": "bpr", "attacks": ["ptd"]}
    with pytest.raises(KedroCliError, match=r"clone\.held_back_from"):
        small_project.run("study", params={"datasets": {"zone": short}, "studies": {"s": study}, "study": "s"})
    found = pd.read_parquet("data/08_reporting/agreement.parquet")
    assert set(found["dataset"]) == {"small"}
    assert "ptd" in set(found["attack"])


def test_missing_data_of_a_later_cell_end_a_study_before_anything_is_trained(small_project):
    gone = {"path": "gone.csv", "user": "who", "item": "what"}
    study = {"dataset": ["small", "zone"], "model": "bpr", "attacks": ["ptd"]}
    with pytest.raises(ClearError, match=r"gone\.csv"):
        small_project.run("study", params={"datasets": {"zone": gone}, "studies": {"s": study}, "study": "s"})
    assert not list(Path("data").rglob("*.pt"))


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(attacked_project, agreement):
    again = pd.read_parquet("data/08_reporting/agreement.parquet")
    merged = again.merge(agreement, on=list(KEY), suffixes=("", "_before"))
    assert len(merged) == len(again)
    assert (merged["agreement"] == merged["agreement_before"]).all()
    attacked_project.run("attack_ptd", params={"seed": 1})
    both = pd.read_parquet("data/08_reporting/agreement.parquet")
    assert set(both["seed"]) == {0, 1}


def test_only_missing_outputs_runs_nothing_twice_and_a_changed_parameter_reruns_what_depends_on_it(
    finished_project, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    project = finished_project.copied(tmp_path)

    def written() -> dict[str, int]:
        return {str(p): p.stat().st_mtime_ns for p in Path("data").rglob("*") if p.suffix in (".parquet", ".pt")}

    first = written()
    project.run("attack_ptaq", only_missing_outputs=True)
    cells = {name for name in first if Path(name).parent.name != "08_reporting"}
    assert {name: written()[name] for name in cells} == {name: first[name] for name in cells}
    project.run("attack_ptaq", params={"steal": {"margin": 0.25}}, only_missing_outputs=True)
    changed = {Path(name).name for name in cells if written()[name] != first[name]}
    assert changed == {
        "stolen.pt",
        "steal_curve.parquet",
        "clone_lists.parquet",
        "agreement.parquet",
        "agreement_per_user.parquet",
    }


def test_a_truncated_artifact_is_made_again(attacked_project):
    model = Path("data/06_models/small/seed0/bpr/target.pt")
    whole = model.read_bytes()
    model.write_bytes(whole[:100])
    attacked_project.run("attack_ptd", only_missing_outputs=True)
    assert model.read_bytes() == whole


def test_results_of_other_settings_are_left_out_of_the_assembled_table(attacked_project):
    attacked_project.run("attack_pta", params={"target": {"learning_rate": 0.01}})
    found = pd.read_parquet("data/08_reporting/agreement.parquet")
    assert "pta" in set(found["attack"])
    assert "ptd" not in set(found["attack"])


def test_results_that_are_all_of_other_settings_leave_no_assembled_table(attacked_project):
    attacked_project.run("target", params={"target": {"learning_rate": 0.01}})
    assert not [path.name for path in Path("data/08_reporting").glob("*.parquet")]


def test_a_report_on_nothing_says_what_to_run(small_project):
    with pytest.raises(ClearError, match="agreement is not there; run an attack or a study first"):
        small_project.run("reporting")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"node_names": ["small.seed0.bpr.none.ptaq.stel"]}, ["--nodes", "node", "'small.seed0.bpr.none.ptaq.steal'"]),
        ({"node_names": ["steal"]}, ["did you mean 'small.seed0.bpr.none.ptaq.steal'"]),
        ({"from_nodes": ["small.seed0.bpr.none.ptaq.query"]}, ["--from-nodes", "ptaq.query_target'"]),
        ({"to_nodes": ["small.seed0.bpr.trian_target"]}, ["--to-nodes", "'small.seed0.bpr.train_target'"]),
        ({"to_outputs": ["small.seed0.bpr.target"]}, ["--to-outputs", "dataset", "'small.seed0.bpr.target_model'"]),
        ({"from_inputs": ["small.raw_interaction"]}, ["--from-inputs", "'small.raw_interactions'"]),
        ({"namespaces": ["small.seed0.bp"]}, ["--namespaces", "namespace", "'small.seed0.bpr'"]),
        ({"tags": ["atack"]}, ["--tags", "tag", "'attack'"]),
        ({"node_names": ["another.seed7.lmf.none.qsd.steal"]}, ["another cell", "--params"]),
    ],
)
def test_a_mistyped_part_of_a_run_is_refused_by_its_option_and_the_nearest_name(small_project, options, said):
    with pytest.raises(ClearError) as refusal:
        small_project.run("attack_ptaq", **options)
    assert all(part in str(refusal.value) for part in said), refusal.value


def test_two_sessions_in_one_process_each_run_their_own_cell(small_project):
    first, second = small_project.session(seed=3), small_project.session(model="lmf", seed=4)
    with first:
        first.run(pipeline_names=["target"])
    with second:
        second.run(pipeline_names=["target"])
    trained = {str(path.parent.relative_to("data/06_models/small")) for path in Path("data").rglob("target.pt")}
    assert trained == {"seed3/bpr", "seed4/lmf"}


def test_a_variant_of_an_attack_is_a_line_of_yaml(small_project):
    variants = {
        "ptaq_short": {"base": "ptaq", "list_length": 10},
        "ptaq_lmf": {"base": "ptaq", "clone": "lmf"},
        "ptaq_half": {"base": "ptaq", "auxiliary_fraction": 0.5, "query_fraction": 0.5, "item_fraction": 0.5},
    }
    with small_project.session(attacks=variants) as session:
        session.run(pipeline_names=[f"attack_{name}" for name in variants])
    found = pd.read_parquet("data/08_reporting/agreement.parquet").query("attack in @variants and group == 'heldout'")
    assert found.groupby("attack")["k"].max().to_dict() == {"ptaq_short": 10, "ptaq_lmf": 20, "ptaq_half": 20}
    assert found.groupby("attack")["clone"].first()["ptaq_lmf"] == "lmf"
    assert set(found["base"]) == {"ptaq"}


def test_a_defended_target_is_measured_against_what_it_serves_and_against_itself(attacked_project):
    defended = {"defense": "popular_mixing_5", "defenses": {"popular_mixing": {"pool": 50}}}
    attacked_project.run("attack_ptd", params=defended, only_missing_outputs=True)
    cell = "k == 20 and group == 'heldout' and defense != 'none'"
    found = pd.read_parquet("data/08_reporting/agreement.parquet").query(cell)
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
        ({"datasets": {"small": {"patience_of": {"nfc": 9}}}}, ["datasets.small.patience_of", "nfc", "'ncf'"]),
        ({"datasets": {"small": {"patience_of": {"ncf": 0}}}}, ["datasets.small.patience_of.ncf: 0"]),
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


def test_a_failed_run_shows_no_results_that_others_left_in_its_place(small_project, monkeypatch):
    shown: list[set[str]] = []
    monkeypatch.setattr("rec_msa.framework.hooks.results._show", lambda _, measured, __: shown.append(measured))
    small_project.run("attack_ptd")
    with pytest.raises(KedroCliError):
        small_project.run("attack_ptd", params={"list_length": 200})
    assert shown == [{f"small.seed0.bpr.none.{name}" for name in ("ptd", "references")}]


def test_pipelines_are_found_from_a_folder_of_the_project(small_project, monkeypatch):
    monkeypatch.setattr("rec_msa.framework.config._session", [])
    monkeypatch.chdir(small_project.folder / "conf")
    configure_project("rec_msa")
    assert [cell.dataset for cell in current_experiments().cells] == ["small"]


def test_the_paper_environment_refuses_to_start_without_a_study_or_a_cell(small_project):
    with pytest.raises(KedroCliError, match="study"):
        small_project.session(env="paper").load_context()


def test_a_study_filters_its_cells(small_project):
    from kedro.framework.project import pipelines

    small_project.session(env="paper", study="table4", dataset="ml-1m", seed=2).load_context()
    cells = {".".join(node.name.split(".")[:3]) for node in pipelines["study"].nodes if ".train_target" in node.name}
    assert cells == {"ml-1m.seed2.bpr", "ml-1m.seed2.lmf", "ml-1m.seed2.ncf"}


def test_the_reporting_is_drawn_anew_when_a_cell_is_added_and_only_then(attacked_project):
    attacked_project.run("reporting")
    page = Path("data/08_reporting/report.html")
    first = page.stat().st_mtime_ns
    attacked_project.run("reporting", only_missing_outputs=True)
    assert page.stat().st_mtime_ns == first
    attacked_project.run("attack_ptq", only_missing_outputs=True)
    attacked_project.run("reporting", only_missing_outputs=True)
    assert page.stat().st_mtime_ns != first


SMALL_DEFENSES = {
    "popular_mixing": {"pool": 40, "widened_users": 1, "strengths": [5, 10], "fresh_strengths": [5]},
    "random_replacement": {"strengths": [5], "fresh_strengths": []},
    "shuffle": {"strengths": [20], "fresh_strengths": []},
    "swap_tail": {"depth": 10, "strengths": [5], "fresh_strengths": []},
}
DEFENDED = {
    "popular_mixing_5",
    "popular_mixing_10",
    "popular_mixing_fresh_5",
    "random_replacement_5",
    "shuffle_20",
    "swap_tail_5",
}


@pytest.fixture(scope="module")
def defended_project(tmp_path_factory):
    """A small project in which ``defense`` has run."""
    project = SmallProject(tmp_path_factory.mktemp("defended"))
    for pipeline in ("defense", "reporting"):
        project.run(pipeline, params={"defenses": SMALL_DEFENSES})
    return project


@pytest.fixture(scope="module")
def defended(defended_project) -> pd.DataFrame:
    found = pd.read_parquet(defended_project.folder / "data/08_reporting/agreement.parquet")
    return found.query("k == 20 and group == 'heldout'")


def test_the_defense_pipeline_measures_every_strength_of_every_defense(defended):
    assert set(defended["defense"]) == {"none", *DEFENDED}
    attacks = defended.groupby("defense")["attack"].agg(set)
    assert all({*PAPER_ATTACKS, "ptaq_denoise"} <= attacks[name] for name in DEFENDED if "fresh" not in name)
    assert {"ptaq", "ptaq_denoise"} <= attacks["popular_mixing_fresh_5"]


def test_attacks_that_ask_nothing_are_exactly_constant_against_undefended_lists(defended):
    rows = defended[defended["attack"].isin(["ptd", "pta"]) & (defended["against"] == "undefended")]
    assert rows.groupby("attack").size().to_dict() == {"pta": 6, "ptd": 6}
    assert (rows.groupby("attack")[["agreement", "ci_low", "ci_high"]].nunique() == 1).all(axis=None)


def test_the_target_s_row_is_the_ceiling_that_the_defense_leaves(defended):
    ceiling = defended[(defended["attack"] == "target") & (defended["against"] == "served")]
    expected = dict.fromkeys(DEFENDED, 0.75) | {"none": 1, "popular_mixing_10": 0.5, "shuffle_20": 1}
    assert ceiling.set_index("defense")["agreement"].to_dict() == pytest.approx(expected)


def test_a_defense_costs_served_quality_alone(defended_project):
    quality = pd.read_parquet(defended_project.folder / "data/08_reporting/target_quality.parquet").set_index("defense")
    assert quality["recall_test"].nunique() == quality["ndcg_test"].nunique() == 1
    assert quality.loc["shuffle_20", "recall_served"] == quality.loc["none", "recall_served"]
    assert quality.loc["shuffle_20", "ndcg_served"] != quality.loc["none", "ndcg_served"]
    assert quality.loc["popular_mixing_fresh_5", "recall_served"] == quality.loc["popular_mixing_5", "recall_served"]
    assert quality["n_widened"].isna().to_dict() == {name: name == "none" for name in quality.index}


def test_a_denoising_attacker_asks_five_times_and_learns_nothing_from_answers_that_stay(defended_project, defended):
    rows = defended[defended["against"] == "undefended"].set_index(["attack", "defense"])
    assert (rows.loc["ptaq_denoise", "n_queries"] == 5 * rows.loc["ptaq", "n_queries"].iloc[0]).all()
    asked_again, asked_once = rows.loc["ptaq_denoise", "agreement"], rows.loc["ptaq", "agreement"]
    assert asked_again["popular_mixing_5"] == asked_once["popular_mixing_5"]
    ledgers = [
        defended_project.load(f"small.seed0.bpr.{name}.ptaq_denoise.ledger", defenses=SMALL_DEFENSES)
        for name in ("popular_mixing_5", "popular_mixing_fresh_5")
    ]
    answers = [
        ledger.groupby("user")["items"].agg(lambda rows: len({tuple(row) for row in rows})) for ledger in ledgers
    ]
    assert (answers[0] == 1).all()
    assert answers[1].max() > 1


def test_figures_and_page_of_the_defense_are_drawn(defended_project):
    folder = defended_project.folder / "data/08_reporting"
    for space in ("small.seed0.bpr", "overview"):
        for name in ("trade_off", "mixing"):
            assert (folder / "defense" / f"{space}.{name}.png").stat().st_size > 1000
    page = (folder / "defense.md").read_text()
    assert all(f"`{name}`" in page for name in DEFENDED)


def test_strength_zero_is_the_undefended_target_to_the_last_digit(small_project):
    for name in ("none", "popular_mixing_0", "swap_tail_0"):
        small_project.run("target", params={"defense": name, "defenses": SMALL_DEFENSES}, only_missing_outputs=True)
    quality = [
        small_project.load(f"small.seed0.bpr.{name}.target_quality")
        for name in ("none", "popular_mixing_0", "swap_tail_0")
    ]
    assert [one["recall_served"] for one in quality] == [quality[0]["recall_served"]] * 3
    assert [one["ndcg_served"] for one in quality] == [quality[0]["ndcg_served"]] * 3


@pytest.mark.parametrize(
    ("pipeline", "params", "said"),
    [
        ("attack_ptd", {"list_length": 200}, ["list_length: 200", "60 items"]),
        ("attack_ptd", {"defense": "popular_mixing_21"}, ["popular_mixing_21", "list_length", "20"]),
        (
            "attack_short",
            {"defense": "popular_mixing_15", "attacks": {"short": {"base": "ptq", "list_length": 10}}},
            ["attacks.short.list_length", "popular_mixing_15", "a list has 10"],
        ),
        (
            "attack_long",
            {"attacks": {"long": {"base": "ptd", "list_length": 55}}},
            ["list_length: 55", "choose at most"],
        ),
        ("defense", {"defenses": {"popular_mixing": {"pool": 60}}}, ["popular_mixing_25", "list_length"]),
        ("attack_ptd", {"defense": "popular_mixing_5"}, ["defenses.popular_mixing.pool: 100", "60 items"]),
        ("attack_ptd", {"defense": "popular_mixing_5", "defenses": {"popular_mixing": {"pool": 4}}}, ["pool", "raise"]),
        ("attack_ptd", {"defense": "swap_tail_15", "defenses": {"swap_tail": {"depth": 9}}}, ["swap_tail.depth: 9"]),
    ],
)
def test_what_cannot_be_served_is_refused_before_anything_is_trained(small_project, pipeline, params, said):
    with pytest.raises(KedroCliError) as refusal:
        small_project.run(pipeline, params=params)
    assert all(part in str(refusal.value) for part in said), refusal.value
    assert not list(Path("data").rglob("*.pt"))


def test_a_pool_that_the_lists_leave_too_few_of_is_refused(small_project):
    narrow = {"popular_mixing": {"pool": 30, "widened_users": 0}}
    with pytest.raises(KedroCliError, match=r"assess_target: defenses.popular_mixing.pool: of the 30 most popular"):
        small_project.run("attack_ptd", params={"defense": "popular_mixing_14", "defenses": narrow})


def test_a_study_may_name_defenses(small_project):
    from kedro.framework.project import pipelines

    small_project.session(env="paper", study="figure7", model="lmf", seed=1).load_context()
    assert {node.name.split(".")[3] for node in pipelines["study"].nodes if node.name.endswith("query_target")} == {
        "none",
        *(f"popular_mixing_{n}" for n in (5, 10, 15, 20, 25)),
    }


def test_other_defenses_settings_make_no_artifact_stale(small_project):
    small_project.run("attack_ptq", params={"defense": "shuffle_5"})
    before = {path: path.stat().st_mtime_ns for path in Path("data").rglob("*.pt")}
    changed = {"swap_tail": {"depth": 7}, "shuffle": {"strengths": [5, 6]}}
    small_project.run("attack_ptq", params={"defense": "shuffle_5", "defenses": changed}, only_missing_outputs=True)
    assert {path: path.stat().st_mtime_ns for path in Path("data").rglob("*.pt")} == before


def test_a_dry_run_writes_nothing_and_ends_cleanly(small_project):
    small_project.run("defense", params={"dry_run": True, "defenses": SMALL_DEFENSES})
    assert not [path for path in Path("data").rglob("*") if path.is_file()]
