"""Who draws from which random stream: what a stage makes follows the stream of its own role and no other."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch

from rec_msa.attacks.prefixes import PrefixLists
from rec_msa.attacks.references import Knowledge
from rec_msa.attacks.settings import CloneSettings, ReferenceSettings, StealSettings
from rec_msa.attacks.solved import solved_references
from rec_msa.attacks.stages import train_clone
from rec_msa.attacks.steal import steal, steal_from_lists_alone
from rec_msa.experiments.cells import Cell
from rec_msa.foundation import randomness
from rec_msa.foundation.lists import Lists
from rec_msa.pipelines.auxiliary.pipeline import create_pipeline as create_auxiliary_pipeline
from rec_msa.pipelines.target.pipeline import create_pipeline as create_target_pipeline
from rec_msa.pipelines.target.pipeline import create_retrain_pipeline
from rec_msa.recommenders.settings import IalsSettings
from rec_msa.training.settings import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from kedro.pipeline import Pipeline

ROLES = (
    *("split", "split-items", "target", "retrain", "retrain2", "retrain3", "auxiliary", "clone", "steal", "gate"),
    *("defense", "references"),
)
CELL = Cell("small", "bpr", 0)
USERS, N_ITEMS = np.arange(12, dtype=np.int32), 40
SHORT = TrainingSettings(learning_rate=0.01, batch_size=32, max_steps=4, validate_every=2)
STEAL = StealSettings(training=SHORT)
SMALL = {"dimensions": 4}
SEQUENTIAL = {"dimensions": 4, "length": 5}
HINGES: Any = ("hinge", "hinge")


def interactions(per_user: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    pairs = [(user, item) for user in USERS for item in rng.choice(N_ITEMS, per_user, replace=False)]
    return pd.DataFrame(pairs, columns=["user", "item"])


def lists() -> Lists:
    rng = np.random.default_rng(0)
    return Lists(USERS, np.stack([rng.choice(N_ITEMS, 10, replace=False) for _ in USERS]))


def trained_by(pipeline: Pipeline, name: str) -> Any:
    """Runs a pipeline's training, whichever it is, on the same small data."""
    [node] = [one for one in pipeline.nodes if one.name.endswith(name)]
    data: dict[str, Any] = {"train": interactions(12, 0), "validation": interactions(3, 1), "items": N_ITEMS}
    given: dict[str, Any] = {"statistics": data, "bpr": SMALL, "params:device": "cpu"}
    given |= {"params:target": SHORT, "params:auxiliary": SHORT}
    inputs = {place: given.get(place.rpartition(".")[2]) for place in node.inputs}
    inputs |= {place: data[place.rpartition("_")[2]] for place in node.inputs if inputs[place] is None}
    [checkpoint] = [made for place, made in node.run(inputs).items() if place.endswith("_model")]
    return checkpoint


def target() -> Any:
    return trained_by(create_target_pipeline(CELL), "train_target")


def retrain() -> Any:
    return trained_by(create_retrain_pipeline(CELL), ".retrain_target")


def first_of_three() -> Any:
    return trained_by(create_retrain_pipeline(CELL, 3), ".retrain_target")


def third_of_three() -> Any:
    return trained_by(create_retrain_pipeline(CELL, 3), ".retrain3_target")


def models_of_references() -> Any:
    known = interactions(12, 0)
    knowledge = Knowledge(USERS, known, interactions(5, 1), Lists(USERS[:0], np.empty((0, 5))), N_ITEMS)
    # So few numbers in one sweep that the start is still to be seen.
    settings = ReferenceSettings(ials=IalsSettings(dimensions=2, sweeps=1))
    return {name: made.items for name, made in solved_references(knowledge, 5, settings, 0, "cpu").items()}


def auxiliary() -> Any:
    return trained_by(create_auxiliary_pipeline(CELL, "bpr"), "train_auxiliary")


def clone() -> Any:
    settings = CloneSettings(training=SHORT)
    known, statistics = interactions(12, 0), {"items": N_ITEMS}
    return train_clone(known, statistics, SMALL, settings, "cpu", "own", "bpr", seed=0)[0]


@cache
def before_stealing() -> Any:
    return clone()


def taught() -> Any:
    # The curve and not the model: what is kept may be the start, whatever was drawn.
    return steal(before_stealing(), lists(), interactions(12, 0), STEAL, ("bpr", "hinge"), 0, "cpu")[1]


def qsd() -> Any:
    return steal_from_lists_alone("bpr", SMALL, USERS, N_ITEMS, lists(), STEAL, HINGES, 0, "cpu")[0]


def qsd_of_sequences() -> Any:
    rng = np.random.default_rng(0)
    order = np.stack([rng.permutation(N_ITEMS) for _ in range(4)]).astype(np.int32)
    served = np.repeat(order[:, None, 5:15], 5, axis=1)
    made = PrefixLists(order[:, :5], served)
    return steal_from_lists_alone("gru4rec", SEQUENTIAL, USERS, N_ITEMS, made, STEAL, HINGES, 0, "cpu")[0]


def drawn_otherwise(monkeypatch: pytest.MonkeyPatch, roles: set[str]) -> None:
    """Gives some roles other numbers than they have."""
    plain = randomness._sequence
    monkeypatch.setattr(randomness, "_sequence", lambda seed, role: plain(seed, role + "!" * (role in roles)))


def alike(first: Any, second: Any) -> bool:
    """Whether two checkpoints, or two curves, hold the same numbers."""
    if isinstance(first, pd.DataFrame):
        return first.equals(second)
    if isinstance(first, dict):
        return all(alike(value, second[key]) for key, value in first.items())
    return torch.equal(first, second) if isinstance(first, torch.Tensor) else bool(np.all(first == second))


STAGES = {
    "target": (target, "target"),
    "retrained target": (retrain, "retrain"),
    "the first of several": (first_of_three, "retrain"),
    "the third": (third_of_three, "retrain3"),
    "references that are solved": (models_of_references, "references"),
    "auxiliary model": (auxiliary, "auxiliary"),
    "clone stage": (clone, "clone"),
    "steal stage": (taught, "steal"),
    "qsd": (qsd, "steal"),
    "qsd of sequences": (qsd_of_sequences, "steal"),
}


@pytest.mark.parametrize(("stage", "role"), STAGES.values(), ids=list(STAGES))
def test_a_stage_follows_the_stream_of_its_role_and_no_other(
    stage: Callable[[], Any], role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = stage()
    with monkeypatch.context() as others:
        drawn_otherwise(others, set(ROLES) - {role})
        assert alike(stage(), plain), "it follows the stream of another role"
    drawn_otherwise(monkeypatch, {role})
    assert not alike(stage(), plain), f"it does not follow the stream {role!r}"
