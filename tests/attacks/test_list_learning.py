"""What a clone learns from lists: its loss against Eq. 9-12 written as loops, its batches, and what stops it."""

from __future__ import annotations

from itertools import pairwise
from math import exp, log
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import torch

from rec_msa.attacks.list_learning import TASKS, AgreementProbe, HardestTask, SoftmaxTask, StealTask, pair_loss
from rec_msa.attacks.settings import StealSettings
from rec_msa.foundation.errors import DataError
from rec_msa.recommenders.settings import claiming
from tests.attacks.slow_lists import ALL_LOSSES, LENGTH, N_ITEMS, NOTHING, RAGGED, SINGLE, USERS, slow_agreement

if TYPE_CHECKING:
    from collections.abc import Callable

    from rec_msa.foundation.lists import Lists
    from rec_msa.recommenders.base import Recommender
    from tests.attacks.slow_lists import Losses

pytestmark = pytest.mark.filterwarnings("error")


def slow_pair_loss(kind: str, better: float, worse: float, margin: float) -> float:
    if kind == "bpr":
        return -log(1 / (1 + exp(-(better - worse))))
    return max(0.0, margin - (better - worse))


@pytest.mark.parametrize("kind", ["bpr", "hinge"])
@pytest.mark.parametrize("margin", [0.0, 0.5, 2.0])
def test_the_loss_of_a_pair_is_that_of_the_formula(kind: Any, margin: float) -> None:
    better, worse = torch.tensor([1.0, 0.2, -3.0, 0.5]), torch.tensor([0.1, 0.2, 2.0, 0.0])
    expected = [slow_pair_loss(kind, b, w, margin) for b, w in zip(better.tolist(), worse.tolist(), strict=True)]
    assert pair_loss(kind, better, worse, margin).tolist() == pytest.approx(expected, abs=1e-6)


def test_the_loss_of_a_pair_stays_finite_where_scores_are_huge() -> None:
    assert pair_loss("bpr", torch.tensor(-1e4), torch.tensor(1e4), 0.5).item() == pytest.approx(2e4)
    assert pair_loss("bpr", torch.tensor(1e4), torch.tensor(-1e4), 0.5).item() == 0.0


HISTORY = pd.DataFrame({"user": [4, 4, 6, 9], "item": [0, 9, 3, 10]})


@pytest.fixture
def small(make_model: Callable[..., Recommender]) -> Recommender:
    return make_model("bpr", [4, 5, 6, 9], 12)


def task_of(
    model: Recommender,
    lists: Lists,
    forbidden: pd.DataFrame,
    settings: StealSettings | None = None,
    losses: Losses = ("bpr", "hinge"),
) -> StealTask:
    probe = AgreementProbe(model, lists, NOTHING, start_counts=True)
    return StealTask(model, lists, forbidden, probe, settings or StealSettings(), losses)


def whole_epoch(task: StealTask, seed: int = 0) -> tuple[torch.Tensor, ...]:
    (batch,) = task.epoch(10**6, torch.Generator().manual_seed(seed))
    return batch


def test_a_step_takes_whole_lists_in_their_order(small: Recommender) -> None:
    rows, items, _ = whole_epoch(task_of(small, RAGGED, RAGGED.to_frame()))
    taught = dict(zip(small.user_ids[rows].tolist(), items.tolist(), strict=True))
    assert taught == dict(zip(RAGGED.users.tolist(), RAGGED.items.tolist(), strict=True))


@pytest.mark.parametrize(("batch_size", "lists"), [(1, 1), (8, 2), (11, 2), (100, 3)])
def test_an_epoch_has_every_list_once_in_steps_of_so_many_places(
    small: Recommender, batch_size: int, lists: int
) -> None:
    task = task_of(small, RAGGED, RAGGED.to_frame())
    batches = list(task.epoch(batch_size, torch.Generator().manual_seed(1)))
    assert [len(rows) for rows, *_ in batches[:-1]] == [lists] * (len(batches) - 1)
    assert sorted(small.user_ids[torch.cat([rows for rows, *_ in batches])].tolist()) == [4, 6, 9]
    assert task.n_terms == 7


@pytest.mark.parametrize("negatives", [1, 4])
def test_negatives_lie_outside_list_and_history_and_are_redrawn(small: Recommender, negatives: int) -> None:
    forbidden = pd.concat([HISTORY, RAGGED.to_frame()[["user", "item"]]])
    task = task_of(small, RAGGED, forbidden, StealSettings(negatives=negatives))
    drawn: dict[int, set[int]] = {}
    generator = torch.Generator().manual_seed(0)
    epochs = [next(iter(task.epoch(100, generator))) for _ in range(60)]
    assert all(batch[2].shape == (3, negatives) for batch in epochs)
    for rows, _, items in epochs:
        for user, chosen in zip(small.user_ids[rows].tolist(), items.tolist(), strict=True):
            drawn.setdefault(user, set()).update(chosen)
    everything = set(range(12))
    assert drawn[4] == everything - {3, 1, 7, 5} - {0, 9}
    assert drawn[6] == everything - {2, 8} - {3}
    assert drawn[9] == everything - {6} - {10}


def slow_loss(model: Recommender, batch: tuple[torch.Tensor, ...], losses: Losses, margin: float) -> float:
    """Eq. 9-12, the sums as they stand, for each list place."""
    total, n_places = 0.0, 0
    with torch.no_grad():
        scores = model.score_all(torch.arange(model.n_users)).tolist()
    for i, places, negatives in zip(*(part.tolist() for part in batch), strict=True):
        items = [j for j in places if j != -1]
        total += sum(slow_pair_loss(losses[0], scores[i][j], scores[i][after], margin) for j, after in pairwise(items))
        total += sum(slow_pair_loss(losses[1], scores[i][j], scores[i][k], margin) for j in items for k in negatives)
        n_places += len(items)
    return total / n_places


@pytest.mark.parametrize("losses", ALL_LOSSES, ids="+".join)
@pytest.mark.parametrize("name", claiming("gradients"))
@pytest.mark.parametrize("fusion", [None, "attention"])
def test_the_loss_equals_the_slow_sum(
    make_model: Callable[..., Recommender], losses: Losses, name: str, fusion: str | None
) -> None:
    model = make_model(name, [4, 5, 6, 9], 12, fusion)
    task = task_of(model, RAGGED, RAGGED.to_frame(), StealSettings(negatives=3, margin=0.8), losses)
    batch = whole_epoch(task)
    assert task.loss(batch).item() == pytest.approx(slow_loss(model, batch, losses, 0.8), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("losses", ALL_LOSSES, ids="+".join)
def test_a_batch_of_last_items_alone_has_no_ranking_part(small: Recommender, losses: Losses) -> None:
    lists = SINGLE
    task = task_of(small, lists, lists.to_frame(), losses=losses)
    batch = whole_epoch(task)
    assert task.loss(batch).item() == pytest.approx(slow_loss(small, batch, losses, 0.5), abs=1e-5)
    task.loss(batch).backward()
    assert all(p.grad.isfinite().all() for p in small.parameters() if p.grad is not None)


def test_a_list_and_history_that_cover_the_catalogue_are_refused(small: Recommender) -> None:
    everything = pd.DataFrame({"user": 6, "item": range(12)})
    with pytest.raises(DataError, match="cover the whole catalogue"):
        task_of(small, RAGGED, pd.concat([HISTORY, everything]))


@pytest.mark.parametrize("seed", range(5))
def test_the_probe_measures_agreement_as_a_slow_count_does(
    make_model: Callable[..., Recommender],
    random_lists: Callable[..., Lists],
    random_interactions: Callable[..., pd.DataFrame],
    seed: int,
) -> None:
    model = make_model("lmf", USERS, N_ITEMS, seed=seed)
    lists = random_lists([11, 13, 17, 29], N_ITEMS, LENGTH, seed)
    exclude = random_interactions(USERS, N_ITEMS, 12, seed)
    probe = AgreementProbe(model, lists, exclude, start_counts=True)
    assert probe() == pytest.approx(slow_agreement(model, lists, exclude))
    model.initialise(torch.Generator().manual_seed(seed))
    assert probe() == pytest.approx(slow_agreement(model, lists, exclude))


EVERYTHING = pd.concat([HISTORY, RAGGED.to_frame()[["user", "item"]]], ignore_index=True)


def items_outside(user: int) -> list[int]:
    """The catalogue without a user's list and history."""
    return [item for item in range(12) if item not in set(EVERYTHING.loc[EVERYTHING["user"] == user, "item"])]


def scores_of(model: Recommender) -> dict[int, list[float]]:
    with torch.no_grad():
        return dict(zip(model.user_ids.tolist(), model.score_all(torch.arange(model.n_users)).tolist(), strict=True))


@pytest.mark.parametrize("losses", ALL_LOSSES, ids="+".join)
@pytest.mark.parametrize("fusion", [None, "attention"])
def test_the_hardest_items_are_those_outside_that_the_clone_ranks_highest(
    make_model: Callable[..., Recommender], losses: Losses, fusion: str | None
) -> None:
    model = make_model("bpr", [4, 5, 6, 9], 12, fusion)
    probe = AgreementProbe(model, RAGGED, NOTHING, start_counts=True)
    task = HardestTask(model, RAGGED, EVERYTHING, probe, StealSettings(negatives=2, margin=0.8), losses)
    rows, items, _ = whole_epoch(task)
    scores = scores_of(model)
    hardest = [sorted(items_outside(u), key=lambda i, u=u: -scores[u][i])[:2] for u in model.user_ids[rows].tolist()]
    batch = (rows, items, torch.tensor(hardest))
    assert task.loss(whole_epoch(task)).item() == pytest.approx(slow_loss(model, batch, losses, 0.8), rel=1e-4)


def test_against_the_catalogue_each_list_item_meets_all_items_outside_in_one_softmax(
    make_model: Callable[..., Recommender],
) -> None:
    model = make_model("lmf", [4, 5, 6, 9], 12)
    probe = AgreementProbe(model, RAGGED, NOTHING, start_counts=True)
    task = SoftmaxTask(model, RAGGED, EVERYTHING, probe, StealSettings(), ("bpr", "hinge"))
    scores, total = scores_of(model), 0.0
    for user, places in zip(RAGGED.users.tolist(), RAGGED.items.tolist(), strict=True):
        own, items = scores[user], [item for item in places if item != -1]
        rest = sum(exp(own[item]) for item in items_outside(user))
        total += sum(log((exp(own[item]) + rest) / exp(own[item])) for item in items)
        total += sum(slow_pair_loss("bpr", own[a], own[b], 0) for a, b in pairwise(items))
    assert task.loss(whole_epoch(task)).item() == pytest.approx(total / 7, rel=1e-5)


@pytest.mark.parametrize("kind", TASKS)
@pytest.mark.parametrize("name", claiming("gradients"))
def test_every_kind_of_items_outside_teaches_every_architecture(
    make_model: Callable[..., Recommender], name: str, kind: Any
) -> None:
    model = make_model(name, [4, 5, 6, 9], 12, "attention")
    probe = AgreementProbe(model, RAGGED, NOTHING, start_counts=True)
    task = TASKS[kind](model, RAGGED, EVERYTHING, probe, StealSettings(), ("bpr", "hinge"))
    task.loss(whole_epoch(task)).backward()
    slopes = [p.grad for p in model.parameters() if p.grad is not None]
    assert all(slope.isfinite().all() for slope in slopes)
    assert any(slope.abs().sum() > 0 for slope in slopes)


def test_fewer_items_outside_than_the_hardest_asked_for_is_no_fault(small: Recommender) -> None:
    nearly_all = pd.DataFrame({"user": 6, "item": [i for i in range(12) if i != 3]})
    probe = AgreementProbe(small, RAGGED, NOTHING, start_counts=True)
    forbidden = pd.concat([RAGGED.to_frame()[["user", "item"]], nearly_all])
    task = HardestTask(small, RAGGED.of([6]), forbidden, probe, StealSettings(negatives=5), ("bpr", "hinge"))
    own = scores_of(small)[6]
    expected = slow_pair_loss("bpr", own[2], own[8], 0.5)
    expected += sum(slow_pair_loss("hinge", own[item], own[3], 0.5) for item in (2, 8))
    assert task.loss(whole_epoch(task)).item() == pytest.approx(expected / 2, rel=1e-5)
