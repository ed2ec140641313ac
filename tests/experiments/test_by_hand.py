"""An attack by hand does what the pipelines do, and refuses what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import rec_msa
from rec_msa.attacks.settings import CloneSettings
from rec_msa.foundation.errors import QueryError, SettingsError
from rec_msa.foundation.lists import Lists
from rec_msa.training.recommender import train_recommender
from rec_msa.training.settings import TrainingSettings

SHORT = {"training": {"max_steps": 20, "validate_every": 10}}
SETTINGS = {"clone": SHORT, "steal": SHORT, "auxiliary": SHORT["training"]}
N_ITEMS, LENGTH, N_USERS = 120, 10, 20


def interactions(users: range, seed: int) -> pd.DataFrame:
    draw = np.random.default_rng(seed).permutation
    return pd.DataFrame([(u, i) for u in users for i in draw(N_ITEMS)[:15]], columns=["user", "item"])


KNOWN = interactions(range(N_USERS), 0)
USERS = pd.DataFrame({"user": range(N_USERS), "group": ["heldout"] * 5 + ["queried"] * 15})
SERVED = Lists(range(N_USERS), [np.setdiff1d(range(N_ITEMS), own)[:LENGTH] for _, own in KNOWN.groupby("user").item])


def gate(budget: int = 15) -> Any:
    return rec_msa.Gate(SERVED.of, allowed=range(5, N_USERS), budget=budget)


def run(name: str, settings: dict[str, Any] | None = None, **options: Any) -> Any:
    return rec_msa.attack(name, KNOWN, USERS, N_ITEMS, list_length=LENGTH, settings=settings or SETTINGS, **options)


@pytest.mark.parametrize("name", ["ptd", "ptq", "pta", "ptaq", "qsd", "ptaq_joint"])
def test_every_base_recommends_to_all_attacker_users_what_they_do_not_know(name: str) -> None:
    door = gate()
    stolen = run(name, gate=door, auxiliary=interactions(range(20, 40), 1))
    assert stolen.lists.items.shape == (N_USERS, LENGTH)
    given = stolen.lists.to_frame().merge(KNOWN, on=["user", "item"])
    assert given.empty
    asks = "q" in name
    assert door.n_calls == (15 if asks else 0)
    assert ("steal_curve" in stolen.curves) is asks


def test_the_same_seed_steals_the_same_and_another_clone_is_another() -> None:
    first, again = (run("ptq", gate=gate()).lists.items for _ in range(2))
    other = run("ptq", {**SETTINGS, "attack": {"clone": "lmf"}}, gate=gate()).lists.items
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("ptaqq", {}, "no base 'ptaqq'; did you mean 'ptaq'"),
        ("ptd", {"clones": {}}, "no 'clones'; did you mean 'clone'"),
        ("ptd", {"clone": {"held_back": 1}}, "clone.held_back: there is no such parameter"),
        ("ptd", {"attack": {"clone": "bpl"}}, "no 'bpl'; did you mean 'bpr'"),
        ("pta", {}, "auxiliary: this attack learns from interactions of other users"),
        ("ptq", {}, "gate: this attack asks"),
        ("ptq", {"attack": {"clone": "ease"}}, "cannot be taught lists"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(name: str, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        run(name, settings)


def test_typed_settings_as_a_run_has_them_are_taken() -> None:
    typed = {"clone": CloneSettings(training=TrainingSettings(**SHORT["training"]))}
    assert run("ptd", typed).curves["clone_curve"]["step"].max() == SHORT["training"]["max_steps"]


def test_an_attack_that_asks_for_more_than_its_budget_is_refused() -> None:
    with pytest.raises(QueryError, match="pass the budget of 3"):
        run("ptq", gate=gate(budget=3))


def test_a_clone_is_fused_with_a_model_of_its_own_architecture(monkeypatch: pytest.MonkeyPatch) -> None:
    trained_models: list[str] = []

    def noted(architecture: str, *arguments: Any) -> Any:
        trained_models.append(architecture)
        return train_recommender(architecture, *arguments)

    monkeypatch.setattr("rec_msa.training.recommender.train_recommender", noted)
    own = {"architectures": ["lmf"], "variants": ["fused"], "taught": [], "solved": []}
    others = interactions(range(20, 40), 1)
    stolen = run("stacked", {**SETTINGS, "attack": own}, gate=gate(), auxiliary=others)
    assert stolen.model["committees"]["lmf_fused"][0]["architecture"] == "lmf"
    assert trained_models == ["lmf"]
