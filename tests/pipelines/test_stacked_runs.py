"""Stacked attacks from end to end: what they leave, whom they ask, on targets of users and of sequences."""

from __future__ import annotations

from typing import Any

import pytest

from rec_msa.recommenders.checkpoint import from_checkpoint
from tests.small_project import SmallProject

SHORT = {"batch_size": 256, "max_steps": 20, "validate_every": 10, "patience": 20}
STAGES = {"target": SHORT, "auxiliary": SHORT, "clone": {"training": SHORT}, "steal": {"training": SHORT}}
ASKING = {
    "stacked": {"base": "stacked", "starts": 2},
    "few": {"base": "stacked", "query_fraction": 0.5, "order": "coverage", "variants": ["joint"], "taught": []},
    "doubted": {"base": "stacked", "query_fraction": 0.5, "order": "disagreement", "variants": [], "taught": []},
    "any": {
        "base": "stacked",
        "architectures": ["bpr", "lmf"],
        "variants": ["joint"],
        "taught": ["joint"],
        "starts": 1,
    },
    "own": {"base": "stacked", "variants": ["own"], "taught": ["own"], "starts": 1},
    "one": {"base": "distilled", "auxiliary_users": 20, "starts": 1},
}
CELL = "small.seed0.bpr.none"


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> SmallProject:
    project = SmallProject(tmp_path_factory.mktemp("stacked"))
    attacks = {**ASKING, "mean": {"base": "pta_ensemble", "starts": 2}}
    grids = [
        {"dataset": "small", "model": "bpr", "attacks": list(attacks)},
        {"dataset": "small", "model": "gru4rec", "attacks": ["stacked"]},
    ]
    sizes = {"recommenders": {"gru4rec": {"dimensions": 8, "length": 6}}, "split": {"attacker_fraction": 0.3}}
    project.configure(project.parameters | STAGES | sizes | {"attacks": attacks, "studies": {"both": grids}})
    project.run("study", params={"study": "both"})
    return project


@pytest.mark.parametrize("attack", [*ASKING, "mean"])
def test_each_is_measured_like_any_attack(run: SmallProject, attack: str) -> None:
    measured: Any = run.load(f"{CELL}.{attack}.agreement")
    heldout = measured[(measured["group"] == "heldout") & (measured["k"] == 20)]
    assert heldout["agreement"].between(0.1, 1).all()
    assert (heldout["n_users"] == 6).all()


@pytest.mark.parametrize("attack", ["few", "doubted"])
def test_who_chooses_whom_to_ask_asks_a_share_and_is_measured_on_these(run: SmallProject, attack: str) -> None:
    whom: Any = run.load(f"{CELL}.{attack}.asked_attackers")
    queried = set(whom.loc[whom["group"] == "queried", "user"])
    ledger: Any = run.load(f"{CELL}.{attack}.ledger")
    measured: Any = run.load(f"{CELL}.{attack}.agreement_per_user")
    assert set(ledger["user"]) == queried == set(measured.loc[measured["group"] == "queried", "user"])
    assert len(queried) == (whom["group"] != "heldout").sum() // 2


def test_what_is_distilled_is_one_ordinary_model(run: SmallProject) -> None:
    assert from_checkpoint(run.load(f"{CELL}.one.stolen_model")).name == "bpr"


def test_the_beliefs_are_a_table_of_all_sources(run: SmallProject) -> None:
    told: Any = run.load(f"{CELL}.stacked.beliefs")
    members = {"fused", "joint", "ease", "ials", "taught fused", "taught joint"}
    assert set(told["source"]) > members
    assert told["weight"].sum() == pytest.approx(1)


def test_a_sequential_target_is_attacked_by_clones_that_read_sequences(run: SmallProject) -> None:
    ensemble = from_checkpoint(run.load("small.seed0.gru4rec.none.stacked.ensemble_model", model="gru4rec"))
    assert "gru4rec" in {model.name for model in ensemble.models}
    assert len(run.load("small.seed0.gru4rec.none.stacked.agreement", model="gru4rec"))
