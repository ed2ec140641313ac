"""Recall@50 on held-back interactions, against a slow count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rec_msa.recommenders.checkpoint import as_trained, build
from rec_msa.recommenders.settings import SETTINGS, NcfSettings
from rec_msa.training.fit import fit
from rec_msa.training.interactions import InteractionTask
from rec_msa.training.probes import RecallProbe
from rec_msa.training.settings import TrainingSettings
from tests.training.small import USERS, bpr, frame, random_interactions, slow_recall

if TYPE_CHECKING:
    import pandas as pd

    from rec_msa.recommenders.base import Recommender

pytestmark = pytest.mark.filterwarnings("error")  # read-only columns of pandas must not reach torch


def recall(model: Recommender, known: pd.DataFrame, held_back: pd.DataFrame) -> float:
    return InteractionTask(model, known, held_back).quality()


@given(st.integers(0, 10_000), st.integers(20, 120))
@settings(max_examples=40)
def test_recall_equals_a_slow_count(seed: int, n_items: int) -> None:
    model = bpr(n_items, seed)
    interactions = random_interactions(n_items, 15, seed).sample(frac=1, random_state=seed)
    cut = 20 + seed % 30
    known, held_back = interactions[:cut], interactions[cut:]
    assert recall(model, known, held_back) == pytest.approx(slow_recall(model, known, held_back))


def test_recall_is_a_mean_over_users_not_over_interactions() -> None:
    model = bpr(200)
    with torch.no_grad():
        best = model.score_all(torch.arange(4)).argsort(dim=1, descending=True).tolist()
    held_back = frame((4, best[0][0]), *((10, item) for item in best[1][60:69]))
    assert recall(model, frame((30, 0)), held_back) == pytest.approx(0.5)


def test_training_items_are_left_out_before_the_first_fifty_are_taken() -> None:
    model = bpr(200)
    with torch.no_grad():
        best = model.score_all(torch.arange(4)).argsort(dim=1, descending=True)[0].tolist()
    held_back = frame((4, best[50]))
    assert recall(model, frame((10, 0)), held_back) == 0.0
    assert recall(model, frame((4, best[7])), held_back) == 1.0


def test_a_catalogue_below_fifty_is_ranked_whole() -> None:
    assert recall(bpr(20), frame((4, 1)), frame((4, 2), (10, 3))) == 1.0


def test_a_constant_model_has_no_perfect_recall() -> None:
    model = bpr(500)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    known = random_interactions(500, 50, 1)
    held_back = frame(*((user, item) for user in USERS for item in range(0, 500, 7)))
    assert recall(model, known, held_back) < 0.2


def test_recall_looks_at_the_model_as_it_is_now() -> None:
    model = bpr(200)
    task = InteractionTask(model, frame((4, 0)), random_interactions(200, 20, 3))
    before = task.quality()
    model.initialise(torch.Generator().manual_seed(9))
    assert task.quality() != before
    assert task.quality() == pytest.approx(slow_recall(model, frame((4, 0)), random_interactions(200, 20, 3)))


def test_recall_is_zero_where_nothing_was_held_back() -> None:
    known = random_interactions(30, 1, seed=0)
    assert RecallProbe(bpr(30), known, known.head(0))() == 0.0


@pytest.mark.parametrize(
    ("bound", "most"), [("recommenders.settings.PROBED_USERS", 2), ("training.probes.PROBED_SCORES", 2 * 60 + 59)]
)
def test_of_very_many_users_or_scores_every_so_manieth_user_is_looked_at(
    bound: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, held_back = random_interactions(60, 5, seed=0), random_interactions(60, 3, seed=1)
    model = bpr(60)
    monkeypatch.setattr(f"rec_msa.{bound}", most)
    probed = RecallProbe(model, known, held_back)
    chosen = [USERS[0], USERS[2]]
    assert model.user_ids[probed.rows].tolist() == chosen
    some = held_back[held_back["user"].isin(chosen)]
    assert probed() == pytest.approx(slow_recall(model, known, some))


def test_a_training_of_ncf_is_judged_by_the_same_few_of_its_own_users_at_each_look() -> None:
    known, held_back = random_interactions(60, 5, seed=0), random_interactions(60, 3, seed=1)
    held_back = held_back[held_back["user"] != USERS[1]]
    model = build("ncf", torch.tensor(USERS), 60, NcfSettings(dimensions=4, layers=(4,), probed_users=2))
    generator = torch.Generator().manual_seed(0)
    model.initialise(generator)
    task = InteractionTask(as_trained(model), known, held_back)
    judges = [USERS[0], USERS[3]]
    assert model.user_ids[task.validation.rows].tolist() == judges
    curve = fit(as_trained(model), task, TrainingSettings(max_steps=4, validate_every=2), generator, "a few")
    assert model.user_ids[task.validation.rows].tolist() == judges
    some = held_back[held_back["user"].isin(judges)]
    assert curve["validation"].max() == pytest.approx(slow_recall(model, known, some))


@pytest.mark.parametrize("name", sorted(SETTINGS.keys() - {"ncf"}))
def test_all_users_judge_where_a_score_is_a_product_of_vectors(name: str) -> None:
    assert SETTINGS[name]().n_probed == 10_000
