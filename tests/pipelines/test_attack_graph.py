"""What the attacks may see, held on the graph of every registered pipeline."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from kedro.framework.project import pipelines
from kedro.pipeline import Pipeline

from rec_msa.attacks.base import Attack, Stage, Target
from rec_msa.experiments.cells import Attacker, Cell, NamedAttack
from rec_msa.pipelines.attack.pipeline import create_pipeline as create_attack_pipeline
from tests.pipelines.attack_rules import faults
from tests.small_project import SmallProject

if TYPE_CHECKING:
    import pandas as pd
    from kedro.framework.context import KedroContext
    from kedro.pipeline.node import Node


@pytest.fixture(scope="module")
def context(tmp_path_factory) -> KedroContext:
    return SmallProject(tmp_path_factory.mktemp("graph")).session().load_context()


@pytest.fixture(scope="module")
def built(context) -> dict[str, Pipeline]:
    return dict(pipelines)


@pytest.fixture(scope="module")
def artifacts(context, built) -> dict[str, Any]:
    """The dataset of every output of every pipeline."""
    catalog = context.catalog
    return {name: catalog.get(name) for pipeline in built.values() for name in pipeline.all_outputs()}


def attack_nodes(pipeline: Pipeline) -> list[Node]:
    return [node for node in pipeline.nodes if "attack" in node.tags]


OTHERS = {
    "recorded": {"lists": "lists.csv", "auxiliary": "others"},
    "left-out": {"lists": "lists.csv", "auxiliary": "others.csv"},
    "alone": {"lists": "lists.csv"},
    "called": {"recommend": "shop:recommend", "auxiliary": "split"},
    "fitted": {"fit": "shop:fit"},
    "sequences": {"recommend": "shop:recommend", "recommend_sequences": "shop:after", "clone": "sasrec"},
}


@pytest.mark.parametrize("model", ["bpr", "sasrec", *OTHERS])
def test_no_clone_or_steal_node_descends_from_the_target_but_through_a_gate(small_project, model):
    targets = {"targets": {model: OTHERS[model]}} if model in OTHERS else {}
    small_project.session(model=model, **targets).load_context()
    checked = 0
    for pipeline in dict(pipelines).values():
        assert not faults(pipeline)
        checked += len(attack_nodes(pipeline))
    assert checked >= 40


TARGET, SPLIT, SPACE = "small.seed0.bpr", "small.seed0", "small.seed0.bpr.none"

MUTANTS = {
    "the target is an input of the steal stage": (".steal", {"more": f"{TARGET}.target_model"}, "sees .*target_model"),
    "its data are": (".steal", {"more": f"{SPLIT}.target_train"}, "sees .*target_train"),
    "its data are, of a node without the tag": (
        ".steal",
        {"more": f"{SPLIT}.target_validation", "tags": ["gpu"]},
        "sees .*target_validation",
    ),
    "a node without the tag makes a clone": (".train_clone", {"tags": []}, "makes a clone and is tagged"),
    "a gate makes a clone": (".steal", {"tags": ["gate"]}, "makes a clone and is tagged"),
    "a gate that learns": (".steal", {"tags": ["gate"]}, "tagged as a gate and is steal"),
    "a gate that is trained on a GPU": (".query_target", {"tags": ["gate", "gpu"]}, "is a gate and more"),
    "a third output with weights": (
        ".query_target",
        {"outputs": [f"{SPACE}.ptaq.{name}" for name in ("served_lists", "ledger", "weights")]},
        "hands out .*weights",
    ),
    "weights in the place of the ledger": (
        ".query_target",
        {"outputs": [f"{SPACE}.ptaq.{name}" for name in ("served_lists", "weights")]},
        "hands out .*weights",
    ),
    "a gate that is given D_t": (
        ".query_target",
        {"more": f"{SPLIT}.users10.attacker_train"},
        "is given .*attacker_train",
    ),
    "the steal stage reads a ledger": (".steal", {"more": f"{SPACE}.ptaq.ledger"}, "sees .*ledger"),
    "another attack's answers": (".steal", {"more": f"{SPACE}.ptq.served_lists"}, "learns what another attack asked"),
    "the lists that the evaluation ranked": (
        ".steal",
        {"more": f"{SPACE}.references.served_target_lists"},
        "sees .*served_target_lists",
    ),
    "lists that a target served before": (".steal", {"more": "small.mine.lists"}, "sees .*lists"),
    "a node without a tag takes the target": (
        ".choose_attackers",
        {"more": f"{TARGET}.target_model"},
        "takes .*target_model",
    ),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_graph_that_lets_an_attack_see_more_is_found_out(built, mutant):
    where, change, said = MUTANTS[mutant]
    assert any(re.search(said, fault) for fault in faults(mutated(built["attack_ptaq"], where, **change)))


def mutated(pipeline: Pipeline, where: str, more: str | None = None, **change: list[str]) -> Pipeline:
    """The pipeline with one node changed, or with another input."""
    plain = next(node for node in pipeline.nodes if node.name.endswith(where))

    def func(*_: object) -> None:
        """Takes any inputs."""

    func.__name__ = plain.func.__name__
    inputs = [*plain.inputs, *([more] if more else [])]
    return Pipeline(
        [node for node in pipeline.nodes if node != plain] + [plain._copy(func=func, inputs=inputs, **change)]
    )


STACKED_MUTANTS = {
    "the learner sees the lists that the evaluation ranked": (".stack", "references.served_target_lists", "sees"),
    "the learner sees the undefended lists": (".stack", "references.undefended_target_lists", "sees"),
    "the learner sees the ledger": (".stack", "stacked_few_coverage.ledger", "sees .*ledger"),
    "who is taught is taught another attack's answers": (".teach_folds", "ptaq.served_lists", "another attack asked"),
    "who is asked is chosen by answers": (".choose_whom_to_ask", "ptaq.served_lists", "whom to ask"),
}


@pytest.mark.parametrize("mutant", STACKED_MUTANTS)
def test_a_stacked_attack_that_sees_more_is_found_out(built, mutant):
    where, more, said = STACKED_MUTANTS[mutant]
    plain = built["attack_stacked_few_coverage"]
    assert not faults(plain)
    assert any(re.search(said, fault) for fault in faults(mutated(plain, where, more=f"{SPACE}.{more}")))


def test_a_learner_is_told_answers_of_its_own_and_nothing_else_of_the_target(built):
    pipeline = built["attack_stacked"]
    stack = next(node for node in attack_nodes(pipeline) if node.name.endswith(".stacked.stack"))
    data = Counter(name.rpartition(".")[2] for name in stack.inputs if not name.startswith("params:"))
    assert data == {
        **{"clone_model": 6, "taught_models": 1, "served_lists": 1, "attackers": 1},
        **{"attacker_train": 1, "auxiliary_train": 1, "statistics": 1},
    }


def test_members_are_shared_with_the_attacks_that_have_them_already(built):
    others = ("attack_pta", "attack_pta_joint")
    both = sum((built[name] for name in others), built["attack_stacked"])
    assert sum(node.name.endswith(".train_clone") for node in both.nodes) == 6
    [fused, joint] = (clones_of(built[name]) for name in others)
    own = clones_of(built["attack_stacked"])
    assert {name: own[name] for name in {**fused, **joint}} == fused | joint


def clones_of(pipeline: Pipeline) -> dict[str, tuple[object, ...]]:
    """What tells an artifact that is current from one that is not: the constants and inputs of each clone stage."""
    stages = [node for node in pipeline.nodes if node.name.endswith(".train_clone")]
    return {node.name: (node.func.constants, sorted(node.inputs)) for node in stages}


@pytest.mark.parametrize("attack", ["ptq", "ptaq", "qsd", "ptaq_pre", "ptaq_joint", "stacked", "stacked_few_coverage"])
def test_an_attack_with_queries_has_exactly_one_gate_and_it_alone_takes_the_target(built, attack):
    nodes = built[f"attack_{attack}"].nodes
    gates = [node for node in nodes if "gate" in node.tags]
    assert [node.name for node in gates] == [f"small.seed0.bpr.none.{attack}.query_target"]
    own = [node for node in nodes if node.namespace.endswith(f".none.{attack}")]
    assert [node for node in own if any(name.endswith(".target_model") for name in node.inputs)] == gates


@pytest.mark.parametrize("attack", ["ptd", "pta", "pta_pre", "pta_joint", "pta_mean", "pta_ensemble"])
def test_an_attack_without_queries_asks_nothing(built, attack):
    assert not [node for node in built[f"attack_{attack}"].nodes if "gate" in node.tags]


@pytest.mark.parametrize("training", ["train_target", "retrain_target"])
def test_a_target_learns_and_stops_by_what_is_no_test(built, training):
    trained = next(node for node in built["__default__"].nodes if node.name.endswith(f".{training}"))
    data = {name.rpartition(".")[2] for name in trained.inputs if not name.startswith("params:")}
    assert data == {"target_train", "target_validation", "statistics"}


def test_qsd_learns_from_served_lists_and_user_ids_alone(built):
    pipeline = built["attack_qsd"]
    steal = next(node for node in attack_nodes(pipeline) if node.name.endswith(".qsd.steal"))
    data = {name.rpartition(".")[2] for name in steal.inputs if not name.startswith("params:")}
    assert data == {"served_lists", "attackers", "statistics"}


def test_qsd_on_a_sequential_target_learns_from_answers_about_made_up_sequences_alone(small_project):
    small_project.session(model="sasrec").load_context()
    pipeline = pipelines["attack_qsd30"]
    steal = next(node for node in attack_nodes(pipeline) if node.name.endswith(".qsd30.steal"))
    data = {name.rpartition(".")[2] for name in steal.inputs if not name.startswith("params:")}
    assert data == {"served_lists", "attackers", "statistics"}
    gates = [node for node in pipeline.nodes if "gate" in node.tags]
    assert [node.name for node in gates] == ["small.seed0.sasrec.none.qsd30.query_target"]


def test_the_auxiliary_model_never_meets_target_users_data(built):
    pipeline = built["__default__"]
    trained = next(node for node in pipeline.nodes if node.name.endswith("train_auxiliary"))
    data = {name.rpartition(".")[2] for name in trained.inputs if not name.startswith("params:")}
    assert data == {"auxiliary_train", "auxiliary_validation", "statistics"}


def test_defenses_are_met_by_attacks_whose_clone_can_be_of_the_target(small_project):
    small_project.session(model="ease").load_context()
    attacks = {
        node.name.split(".")[4] for node in pipelines["defense"].nodes if node.name.endswith(".measure_agreement")
    }
    assert "ptd" in attacks
    assert attacks.isdisjoint({"ptq", "pta", "ptaq", "qsd"})


def test_the_auxiliary_model_of_a_target_of_others_is_one_that_we_can_train(small_project):
    small_project.session(model="recorded", targets={"recorded": {"lists": "lists.csv"}}).load_context()
    [trained] = [node for node in pipelines["auxiliary"].nodes if node.name.endswith("train_auxiliary")]
    assert "params:recommenders.bpr" in trained.inputs


def test_ptaq_and_pta_share_one_clone_stage(built):
    stages = [n for n in built["__default__"].nodes if n.name.endswith("train_clone")]
    assert sorted(node.name.split(".")[-2] for node in stages) == ["fused", "own"]


def test_two_attacks_on_one_cell_run_together(built):
    both = built["attack_ptd"] + built["attack_ptq"]
    assert {node.name for node in both.nodes} >= {
        f"small.seed0.bpr.none.draw_comparison_{name}" for name in ("ptd", "ptq")
    }


def test_every_output_is_catalogued(artifacts):
    for name, dataset in artifacts.items():
        assert type(dataset).__module__.startswith("rec_msa.datasets"), name


def test_no_two_artifacts_of_a_pipeline_share_a_file(artifacts, built):
    for pipeline in built.values():
        files = [str(artifacts[name]._filepath) for name in pipeline.all_outputs()]
        assert len(files) == len(set(files))


@pytest.mark.parametrize("attack", ["ptq", "ptaq", "qsd", "pta_joint"])
def test_the_patience_that_data_ask_for_reaches_every_training_of_an_attack(small_project, attack):
    small_project.session(**{"datasets": {"small": {"patience": 777}}}).load_context()
    trained = [node for node in pipelines[f"attack_{attack}"].nodes if "gpu" in node.tags and "rank" not in node.name]
    assert {node.func.constants.get("patience") for node in trained} == {777}
    assert any(node.name.endswith("steal") for node in trained) is (attack != "pta_joint")


def solve(attacker_train: pd.DataFrame, statistics: dict[str, Any]) -> tuple[dict[str, Any], pd.DataFrame]:
    """A stage that trains nothing step by step."""
    return statistics, attacker_train


class Solved(Attack):
    """An attack of one such stage."""

    def stages(self, target: Target) -> tuple[Stage, ...]:
        return (Stage("solve", solve, ("clone_model", "clone_curve")),)


def test_data_that_ask_for_patience_stopped_the_build_of_an_attack_that_waits_for_nothing():
    cell = Cell("small", "bpr", 0, patience=777)
    attack = NamedAttack(Attacker(cell, 0.1, 1.0, 20, (0.1, 20)), "solved", Solved(base="solved"))
    [stage] = attack_nodes(create_attack_pipeline(attack))
    assert stage.func.constants == {}
    assert {name.rpartition(".")[2] for name in stage.inputs} == {"attacker_train", "statistics"}
