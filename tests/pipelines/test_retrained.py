"""The target trained again several times: the first is ``retrain``, and their average is beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch
from kedro.framework.project import pipelines

from rec_msa.experiments.cells import Attacker, Cell
from rec_msa.pipelines.evaluation.pipeline import create_retrain_pipeline as create_evaluation_pipeline
from rec_msa.pipelines.target.pipeline import create_retrain_pipeline
from rec_msa.recommenders.checkpoint import build, from_checkpoint, to_checkpoint
from tests.pipelines.attack_rules import faults
from tests.recommenders.test_averaged import slowly

if TYPE_CHECKING:
    from kedro.pipeline import Pipeline

CELL = Cell("small", "bpr", 0)
ATTACKER = Attacker(CELL, 0.1, 1.0, 20, (0.1, 20))
ROLES = ("retrain", "retrain2", "retrain3")


def node_names(pipeline: Pipeline) -> set[str]:
    return {node.name.removeprefix("small.seed0.bpr.") for node in pipeline.nodes}


def test_one_is_the_default_and_several_contain_it() -> None:
    one, three = (create_retrain_pipeline(CELL, times) for times in (1, 3))
    assert node_names(one) == {"retrain_target"}
    assert node_names(three) == {f"{role}_target" for role in ROLES}
    assert set(one.nodes) < set(three.nodes)
    assert set(create_evaluation_pipeline(ATTACKER).nodes) < set(create_evaluation_pipeline(ATTACKER, 3).nodes)


def test_the_average_is_measured_of_all_of_them_beside_the_first_alone() -> None:
    made = create_evaluation_pipeline(ATTACKER, 3)
    [together] = [node for node in made.nodes if node.name.endswith(".rank_together")]
    assert [name for name in together.inputs if name.endswith("_model")] == [
        f"small.seed0.bpr.{role}_model" for role in ROLES
    ]
    measured = {"small.seed0.bpr.none.retrain.agreement", "small.seed0.bpr.none.retrain_ensemble.agreement"}
    assert measured <= made.all_outputs()


def checkpoint(seed: int) -> dict[str, Any]:
    model = build("bpr", torch.arange(6), 40, {"dimensions": 4})
    model.initialise(torch.Generator().manual_seed(seed))
    return to_checkpoint(model)


def test_lists_of_the_average_are_those_of_the_mean_of_standardised_scores() -> None:
    [node] = [one for one in create_evaluation_pipeline(ATTACKER, 3).nodes if one.name.endswith(".rank_together")]
    own = pd.DataFrame({"user": [0, 0, 1], "item": [3, 4, 5]})
    models = [checkpoint(seed) for seed in range(3)]
    given = dict(zip([name for name in node.inputs if name.endswith("_model")], models, strict=True))
    given |= {"small.seed0.users10.attacker_train": own, "params:device": "cpu"}
    given["small.seed0.users10.attackers"] = pd.DataFrame({"user": range(6), "group": "heldout"})
    [made] = node.run(given).values()
    for user, lists in made.sort_values("rank").groupby("user")["item"]:
        scores = mean_of_standardised(models, int(user))
        scores[own.loc[own["user"] == user, "item"]] = -np.inf
        assert lists.tolist() == np.argsort(-scores)[:20].tolist()


def mean_of_standardised(models: list[dict[str, Any]], user: int) -> np.ndarray:
    restored: Any = [from_checkpoint(model) for model in models]
    for model in restored:
        model.scores = model.score_all(torch.arange(6)).detach()
    return slowly(restored, user)


@pytest.mark.parametrize("retrained", [1, 3])
def test_comparisons_train_the_target_again_as_often_as_they_are_asked_to(small_project, retrained) -> None:
    small_project.session(retrained=retrained).load_context()
    made = pipelines["__default__"]
    assert {name for name in made.all_outputs() if name.endswith("_model") and ".retrain" in name} == {
        f"small.seed0.bpr.{role}_model" for role in ROLES[:retrained]
    }
    drawn = next(node for node in made.nodes if node.name.endswith("draw_comparison"))
    assert ("small.seed0.bpr.none.retrain_ensemble.agreement" in drawn.inputs) is (retrained > 1)
    assert not faults(made)
    alone = pipelines["attack_ptaq"]
    assert not [name for name in alone.all_outputs() if "retrain" in name], "a single attack costs no second target"


def test_the_models_of_an_ensemble_are_catalogued_each_in_a_file_of_its_own(small_project) -> None:
    catalog = small_project.catalog(retrained=3)
    names = [f"small.seed0.bpr.{role}_{kind}" for role in ROLES for kind in ("model", "curve")]
    files = [catalog.get(name)._filepath for name in names]
    assert len({*files}) == len(names)
    assert [file.name for file in files[::2]] == ["retrain.pt", "retrain2.pt", "retrain3.pt"]
