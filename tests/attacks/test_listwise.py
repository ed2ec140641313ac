"""Whole lists against the whole catalogue: the likelihood written out, and what is learnt beside it."""

from __future__ import annotations

from math import exp, log
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch

from rec_msa.attacks.clone import AttackerData
from rec_msa.attacks.list_learning import AgreementProbe, BesideTask, ListwiseTask, plackett_luce
from rec_msa.attacks.settings import CloneSettings, StealSettings
from rec_msa.attacks.steal import steal_listwise
from rec_msa.foundation.lists import Lists
from rec_msa.recommenders.checkpoint import from_checkpoint, to_checkpoint
from rec_msa.recommenders.settings import claiming
from rec_msa.training.interactions import InteractionTask
from rec_msa.training.settings import TrainingSettings
from tests.attacks.slow_lists import NOTHING, RAGGED, slow_agreement

if TYPE_CHECKING:
    from collections.abc import Callable

    from rec_msa.recommenders.base import GradientRecommender, Recommender

HISTORY = pd.DataFrame({"user": [4, 4, 6, 9], "item": [0, 9, 3, 10]})
EVERYTHING = pd.concat([HISTORY, RAGGED.to_frame()[["user", "item"]]], ignore_index=True)
SETTINGS = StealSettings()


def test_a_list_is_drawn_place_by_place_from_what_is_left() -> None:
    listed = torch.tensor([[2.0, -1.0, 0.5], [0.3, 1.0, 0.0]])
    there = torch.tensor([[True, True, True], [True, False, False]])
    outside, total = [[0.1, 0.2], [-2.0, 3.0]], 0.0
    for row, length in ((0, 3), (1, 1)):
        places = listed[row].tolist()[:length]
        for place in range(length):
            left = places[place:] + outside[row]
            total -= log(exp(places[place]) / sum(map(exp, left)))
    found = plackett_luce(listed, torch.tensor(outside).logsumexp(dim=1), there)
    assert found.item() == pytest.approx(total / 4, rel=1e-5)


def listwise(model: Recommender, temperature: float = 0.2) -> ListwiseTask:
    probe: Any = AgreementProbe(model, RAGGED, NOTHING, start_counts=True)
    return ListwiseTask(model, RAGGED, EVERYTHING, probe, SETTINGS, ("bpr", "bpr"), temperature=temperature)


def batch_of(task: Any, seed: int = 0) -> tuple[torch.Tensor, ...]:
    (batch,) = task.epoch(10**6, torch.Generator().manual_seed(seed))
    return batch


def slow_loss(scores: np.ndarray, users: list[int], temperature: float) -> float:
    """The formula as it stands, of scores ``[n_users, n_items]``."""
    total = 0.0
    for user, places in zip(RAGGED.users.tolist(), RAGGED.items.tolist(), strict=True):
        own = scores[users.index(user)]
        z = (own - own.mean()) / own.std() / temperature
        items = [item for item in places if item != -1]
        inside = set(EVERYTHING.loc[EVERYTHING["user"] == user, "item"])
        outside = [item for item in range(12) if item not in inside]
        total -= sum(z[item] - log(sum(exp(z[i]) for i in [*items[r:], *outside])) for r, item in enumerate(items))
    return temperature * total / 7


@pytest.mark.parametrize("temperature", [0.1, 1.0])
@pytest.mark.parametrize("fusion", [None, "attention"])
def test_the_loss_is_the_likelihood_of_standardised_scores(
    make_model: Callable[..., Recommender], fusion: str | None, temperature: float
) -> None:
    model = make_model("bpr", [4, 5, 6, 9], 12, fusion)
    with torch.no_grad():
        scores = model.score_all(torch.arange(4)).double().numpy()
    task = listwise(model, temperature)
    assert task.loss(batch_of(task)).item() == pytest.approx(slow_loss(scores, [4, 5, 6, 9], temperature), rel=1e-4)


def test_larger_scores_alone_are_no_way_to_a_lower_loss(make_model: Callable[..., Recommender]) -> None:
    model: Any = make_model("bpr", [4, 5, 6, 9], 12)
    task = listwise(model)
    before = task.loss(batch_of(task)).item()
    with torch.no_grad():
        model.users.weight.mul_(3)
    assert task.loss(batch_of(task)).item() == pytest.approx(before, rel=1e-4)


@pytest.mark.parametrize("name", claiming("gradients"))
def test_whole_lists_teach_every_architecture(make_model: Callable[..., Recommender], name: str) -> None:
    model = make_model(name, [4, 5, 6, 9], 12, "attention")
    task = listwise(model)
    task.loss(batch_of(task)).backward()
    slopes = [p.grad for p in model.parameters() if p.grad is not None]
    assert all(slope.isfinite().all() for slope in slopes)
    assert any(slope.abs().sum() > 0 for slope in slopes)


def test_a_step_learns_a_batch_of_lists_and_one_of_interactions(make_model: Callable[..., GradientRecommender]) -> None:
    model = make_model("bpr", [4, 5, 6, 9], 12)
    lists, own = listwise(model), InteractionTask(model, HISTORY, HISTORY)
    task = BesideTask(lists, own, 0.5)
    generator = torch.Generator().manual_seed(0)
    batches = [batch for _ in range(3) for batch in task.epoch(4, generator)]
    assert len(batches) == 3 * 3, "an epoch is one of the lists"
    taken = [item for *_, positives, _ in batches[:1] for item in positives.tolist()]
    assert sorted(taken) == [0, 3, 9, 10], "and interactions begin anew when all were taken"
    expected = lists.loss(batches[-1][:3]) + 0.5 * own.loss(batches[-1][3:])
    assert task.loss(batches[-1]).item() == pytest.approx(expected.item())
    assert task.quality() == lists.quality()


USERS, N_ITEMS, LENGTH = range(30), 40, 6
TRAINING = TrainingSettings(learning_rate=0.02, batch_size=64, max_steps=60, validate_every=10, stop_by="loss")


@pytest.mark.parametrize("auxiliary", [False, True])
def test_what_the_target_likes_more_is_learnt_for_users_who_were_not_asked_about(
    make_model: Callable[..., Recommender], random_interactions: Callable[..., pd.DataFrame], auxiliary: bool
) -> None:
    target, known = make_model("bpr", USERS, N_ITEMS), random_interactions(USERS, N_ITEMS, 12)
    others = random_interactions(range(100, 110), N_ITEMS, 8, seed=1)
    clone: Any = make_model("bpr", [*USERS, *range(100, 110)] if auxiliary else USERS, N_ITEMS)
    with torch.no_grad():
        clone.users.weight[:, 0] = 1.0  # what all users have in common, so that an item can be liked more by all
    wanted = lists_of(target, known)
    served = wanted.of(np.arange(24))
    data = AttackerData(known, N_ITEMS, auxiliary_interactions=others if auxiliary else None)
    how = StealSettings(training=TRAINING), CloneSettings(), 0.2, 0.1
    stolen, curve = steal_listwise(to_checkpoint(clone), served, data, *how, seed=0, device="cpu")
    again, _ = steal_listwise(to_checkpoint(clone), served, data, *how, seed=0, device="cpu")
    assert all(torch.equal(value, again["state"][name]) for name, value in stolen["state"].items())
    heldout = wanted.of(np.arange(24, 30))
    before, after = (slow_agreement(from_checkpoint(one), heldout, known) for one in (to_checkpoint(clone), stolen))
    assert after > before + 0.1
    assert curve.loc[curve["kept"], "step"].item() > 0


def lists_of(model: Recommender, known: pd.DataFrame) -> Lists:
    """The lists of a model that likes some items more whoever is asked about."""
    with torch.no_grad():
        scores = model.score_all(torch.arange(30)).numpy()
    scores[:, :8] += 3
    scores[known["user"], known["item"]] = -np.inf
    return Lists(np.arange(30), np.argsort(-scores, axis=1)[:, :LENGTH])
