"""The paper's studies as they are declared: what they train, what they share, what a user may write."""

from __future__ import annotations

import functools
import re
from collections import Counter
from typing import TYPE_CHECKING

import pandas as pd
import pytest
import yaml
from kedro.framework.cli.utils import KedroCliError
from kedro.framework.project import pipelines

from rec_msa.framework.clear_error import ClearError
from rec_msa.framework.config import current_experiments
from rec_msa.pipeline_registry import OnDemand
from tests.small_project import ROOT, SmallProject

if TYPE_CHECKING:
    from collections.abc import Callable

    from kedro.pipeline import Pipeline

DECLARED = ["table4", "table5", "table6", "table7", "figure2", "figure3", "figure4", "figure5", "figure6", "figure9"]


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Callable[..., Pipeline]:
    """Builds a study of conf/paper for seed 0; the five seeds differ in nothing."""
    project = SmallProject(tmp_path_factory.mktemp("studies"))

    @functools.cache
    def build(name: str, **filters: object) -> Pipeline:
        project.session("paper", study=name, seed=0, **filters).load_context()
        return pipelines["study"]

    return build


def trainings(pipeline: Pipeline) -> dict[str, int]:
    kinds = Counter(node.name.rpartition(".")[2] for node in pipeline.nodes)
    return {kind: kinds[kind] for kind in ("train_target", "retrain_target", "train_auxiliary", "train_clone", "steal")}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # 3 targets; clone stages own and fused; what varies costs steal stages alone
        ("table7", [3, 3, 3, 6, 3 * 12]),
        ("figure2", [3, 3, 3, 6, 3 * 3 * 10]),
        ("figure9", [3, 3, 3, 6, 3 * 3 * 6]),
        # 9 pairs of clone and target share the clone stages of 3 architectures
        ("figure6", [3, 3, 3, 6, 9 * 2]),
        # one auxiliary model for all shares of items, one for each share of users
        ("figure5", [3, 3, 3, 3 * 7, 3 * 7]),
        ("figure4", [3, 3, 3 * 6, 3 * 7, 3 * 7]),
        ("figure3", [3, 3, 3, 3 * 5 * 2, 3 * 3 * 4]),
        ("table4", [9, 9, 9, 18, 27]),
        # 2 data sets x 3 architectures; 7 attacks without a clone stage, ptq and ptaq
        ("table8", [6, 6, 6, 12, 6 * 9]),
        # without a clone stage
        ("table8_sequences", [6, 6, 0, 0, 6]),
    ],
)
def test_what_does_not_vary_is_trained_once(study, name, expected):
    assert list(trainings(study(name)).values()) == expected


@pytest.mark.parametrize("name", ["table7", "figure2", "figure9"])
def test_no_clone_stage_is_trained_twice(study, name):
    stages = [node for node in study(name).nodes if node.name.endswith(".train_clone")]
    made = {(node.func.constants["seed"], node.func.constants["architecture"], tuple(node.inputs)) for node in stages}
    assert len(made) == len(stages)


def test_every_study_shares_the_targets_and_the_splits_of_table_4(study):
    shared = {node.name for node in study("table4").nodes if node.tags & {"target", "ingestion"}}
    for name in set(DECLARED) - {"table6"}:
        nodes = study(name).nodes
        assert {node.name for node in nodes if "target" in node.tags} <= shared
        assert {node.name for node in nodes if node.name.endswith(".split_by_seed")} <= shared


def test_all_is_the_union_of_every_study(study):
    names = {node.name for name in ("table5", "figure4", "figure5") for node in study(name, dataset="steam").nodes}
    figures = {name for name in names if name.endswith("draw_comparison")}
    assert {node.name for node in study("all", dataset="steam").nodes} >= names - figures


def test_a_study_is_filtered_by_a_data_set(study):
    assert {node.name.split(".")[0] for node in study("table4", dataset="ml-1m").nodes} == {"ml-1m"}


def test_a_study_of_the_data_alone_trains_nothing(study):
    assert not any(trainings(study("table6")).values())
    assert {node.name.split(".")[0] for node in study("table6").nodes} == {"ml-1m", "ta-feng", "steam"}


def test_the_points_of_a_figure_differ_in_one_setting(study):
    study("figure9", model="bpr")
    attacks = current_experiments().parameters.attacks
    for name in ("length", "users", "auxiliary", "items", "asked"):
        for attack, settings in attacks.items():
            base, _, value = attack.rpartition(f"_{name}")
            if base and value.isdigit():
                changed = settings.model_dump(exclude_unset=True)
                assert changed.pop("base") == base
                assert len(changed) == 1
                assert next(iter(changed.values())) in (int(value), int(value) / 100)


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"dataset": "small", "model": "bpr", "attacks": ["ptb"]}, "studies.own.attacks: there is no 'ptb'"),
        (
            {"dataset": "smal", "model": "bpr", "attacks": ["ptd"]},
            "studies.own.dataset: there is no 'smal'",
        ),
        ({"dataset": "small", "modle": "bpr", "attacks": ["ptd"]}, "no such parameter; did you mean 'model'"),
        ({"dataset": "small", "model": "bpr", "attacks": []}, "studies.own.attacks"),
        (
            [{"dataset": "small", "model": "bpr", "attacks": "ptd", "heldout_fraction": share} for share in (0.2, 0.5)],
            "studies.own.heldout_fraction: a run has one share",
        ),
        ({"dataset": "small", "model": "bpr"}, "names both model and attacks"),
        ({"dataset": "small", "datset": "x", "model": "bpr", "attacks": "ptd"}, "studies.own.datset: there is no such"),
        ([{"dataset": "small", "datset": "x", "model": "bpr", "attacks": "ptd"}], "studies.own.0.datset: there is no"),
        ([], "studies.own"),
        ({"dataset": "small", "model": "bpr", "attacks": "ptd", "defenses": "popular_mix_5"}, "popular_mix"),
    ],
)
def test_a_mistake_in_a_study_is_named(small_project, own, said):
    with pytest.raises(KedroCliError) as refusal:
        small_project.session(studies={"own": own}, study="own").load_context()
    assert said in str(refusal.value)


@pytest.fixture
def shares(small_project) -> Callable[..., float]:
    """The share of held-out users that a session comes to."""
    grid = {"dataset": "small", "model": "bpr", "attacks": ["ptd"]}
    studies = {"plain": grid, "half": {**grid, "seed": 7, "heldout_fraction": 0.5}}

    def share(**params: object) -> float:
        loader = small_project.session(studies=studies, **params).load_context().config_loader
        return loader["parameters"]["split"]["heldout_fraction"]

    return share


def test_a_study_holds_out_the_share_that_it_asks_for_unless_the_command_says_otherwise(shares):
    assert shares(study="half") == 0.5
    assert shares(study="half", split={"heldout_fraction": 0.3}) == 0.3
    assert shares(study="plain") == shares() == 0.25


def test_all_is_without_studies_that_hold_out_another_share_and_says_so(shares, caplog):
    assert shares(study="all") == 0.25
    assert {cell.seed for cell in current_experiments().cells} == {0}
    assert "without 'half'" in caplog.text
    assert shares(study="all", split={"heldout_fraction": 0.5}) == 0.5
    assert {cell.seed for cell in current_experiments().cells} == {0, 7}


def test_the_paper_s_table_8_holds_out_a_quarter_as_its_report_says(study):
    study("table8", dataset="ml-100k")
    assert current_experiments().parameters.split.heldout_fraction == 0.25
    study("table4", dataset="steam", model="lmf")
    assert current_experiments().parameters.split.heldout_fraction == 0.2


def test_an_attack_on_a_study_about_data_alone_names_the_pipeline_that_it_has(small_project):
    with pytest.raises(KedroCliError, match="study: 'own' is about data alone; run it with --pipeline=study"):
        small_project.run(params={"studies": {"own": {"dataset": "small"}}, "study": "own"})


def test_an_environment_that_is_not_there_is_answered_with_the_nearest(small_project):
    with pytest.raises(KedroCliError, match="--env: there is no 'papr'; did you mean 'paper'"):
        small_project.session("papr").load_context()


def test_a_study_of_one_s_own_is_a_few_lines_of_yaml(small_project):
    page = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")
    own = yaml.safe_load(page.partition("```yaml")[2].partition("```")[0])
    own["studies"]["questions"] |= {"dataset": "small", "model": ["bpr"]}
    small_project.run("study", params={**own, "study": "questions"})
    found = pd.read_parquet(small_project.folder / "data/08_reporting/agreement.parquet")
    assert {"pta", "ptaq_half", "ptaq"} <= set(found["attack"])
    assert set(found["seed"]) == {0, 1}
    calls = found.groupby("attack")["n_queries"].first()
    assert calls["ptaq_half"] == calls["ptaq"] // 2


def test_the_page_lists_every_study_of_the_paper():
    page = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8").partition("## Your own study")[0]
    first_cells = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    listed = {name for cell in first_cells for name in re.findall("`(.*?)`", cell)}
    declared = yaml.safe_load((ROOT / "conf/paper/parameters_studies.yml").read_text(encoding="utf-8"))["studies"]
    assert listed == set(declared)


def test_the_cell_of_the_environment_does_not_filter_a_study(small_project):
    own = {"dataset": "small", "model": ["lmf", "ncf"], "seed": [3, 4], "attacks": "ptd"}
    small_project.session(studies={"own": own}, study="own").load_context()
    assert len(current_experiments().cells) == 4


def test_an_attack_that_has_nobody_to_ask_is_refused_by_name(small_project):
    with pytest.raises(KedroCliError, match=r"attacks.few.attacker_fraction: 0.02 .* nobody to ask"):
        small_project.run("attack_few", params={"attacks": {"few": {"base": "ptq", "attacker_fraction": 0.02}}})


def test_a_mistyped_pipeline_is_refused_without_building_one(tmp_path, monkeypatch):
    def build(*_: object) -> Pipeline:
        raise AssertionError("built")

    monkeypatch.setattr(OnDemand, "__getitem__", build)
    with pytest.raises(ClearError, match=r"there is no 'stody'; did you mean 'study'\? each key under attacks"):
        SmallProject(tmp_path).run("stody")
