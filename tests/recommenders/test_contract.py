"""What training, the gate, the attacks and the evaluation rely on: every recommender must hold it, fused or not."""

from __future__ import annotations

import copy
import io
from functools import partial
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import torch

from rec_msa.foundation.errors import QueryError, SettingsError
from rec_msa.recommenders import ranking
from rec_msa.recommenders.checkpoint import RECOMMENDERS, from_checkpoint, to_checkpoint
from rec_msa.recommenders.ranking import chunks, rank_lists

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from rec_msa.recommenders.base import Recommender

CASES = list(product(sorted(RECOMMENDERS), (None, "attention", "mean")))


@pytest.fixture(params=CASES, ids=[f"{name}-{fusion or 'plain'}" for name, fusion in CASES])
def model(request: pytest.FixtureRequest, make_model: Callable[..., Recommender]) -> Recommender:
    name, fusion = request.param
    return make_model(name, fusion)


def all_scores(model: Recommender) -> Tensor:
    """Scores of every user and item, through ``score_all``."""
    with torch.no_grad():
        return model.score_all(torch.arange(model.n_users))


def batch(model: Recommender) -> tuple[Tensor, Tensor, Tensor]:
    """Every user with three positives (item below 6) and negatives (6 or above)."""
    users = torch.arange(model.n_users).repeat(3)
    generator = torch.Generator().manual_seed(2)
    positives = torch.randint(6, (len(users),), generator=generator)
    negatives = torch.randint(6, model.n_items, (len(users), model.settings.n_sampled), generator=generator)
    return users, positives, negatives


def exclusions(*pairs: tuple[int, int]) -> pd.DataFrame:
    return pd.DataFrame(pairs, columns=["user", "item"])


def slow_ranking(model: Recommender, user: int, exclude: set[int], k: int) -> list[int]:
    """The k best items by sorting the scores of single pairs, -1 where none is left."""
    row = model.rows_of(torch.tensor([user]))
    candidates = [item for item in range(model.n_items) if item not in exclude]
    with torch.no_grad():
        candidates.sort(key=lambda item: -model.score_pairs(row, torch.tensor([[item]])).item())
    return (candidates + [-1] * k)[:k]


def test_the_loss_is_a_finite_scalar_with_a_gradient_for_every_trainable_parameter(model: Recommender) -> None:
    loss = model.loss(*batch(model))
    loss.backward()
    assert loss.shape == ()
    assert loss.isfinite()
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
            assert parameter.grad.any(), name
        else:
            assert parameter.grad is None, name


def test_full_catalogue_scores_equal_the_scores_of_pairs(model: Recommender) -> None:
    rows, items = torch.arange(model.n_users), torch.arange(model.n_items)
    with torch.no_grad():
        together = model.score_pairs(rows, items.expand(model.n_users, -1))
        apart = torch.cat([model.score_pairs(rows, item.expand(model.n_users, 1)) for item in items], dim=1)
    assert together.shape == (model.n_users, model.n_items)
    torch.testing.assert_close(all_scores(model), together, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(apart, together, atol=1e-5, rtol=1e-5)


def test_scores_of_pairs_follow_rows_and_items_in_any_order_with_repeats(model: Recommender) -> None:
    rows, items = torch.tensor([4, 0, 4]), torch.tensor([[12, 0, 12, 7], [3, 3, 1, 0], [7, 12, 0, 1]])
    with torch.no_grad():
        scores = model.score_pairs(rows, items)
    torch.testing.assert_close(scores, all_scores(model)[rows].gather(1, items), atol=1e-5, rtol=1e-5)


def test_a_chunk_of_users_scores_as_in_the_whole(model: Recommender) -> None:
    with torch.no_grad():
        part = model.score_all(torch.tensor([3, 1]))
    torch.testing.assert_close(part, all_scores(model)[[3, 1]], atol=1e-5, rtol=1e-5)


def test_ranking_equals_a_slow_sort_without_the_excluded_items(model: Recommender) -> None:
    exclude = exclusions((7, 3), (2, 0), (7, 12), (11, 5), (2, 9), (7, 3), (3, 1), (999, 4))
    lists = rank_lists(model, [11, 2, 7, 5], exclude, 6)
    assert lists.users.tolist() == [2, 5, 7, 11]
    gone = {2: {0, 9}, 5: set(), 7: {3, 12}, 11: {5}}
    assert lists.items.tolist() == [slow_ranking(model, user, gone[user], 6) for user in (2, 5, 7, 11)]


def test_a_list_that_runs_out_of_candidates_ends_in_minus_one(model: Recommender) -> None:
    exclude = exclusions(*((3, item) for item in range(13) if item not in (4, 8)), *((5, item) for item in range(13)))
    lists = rank_lists(model, [3, 5, 7], exclude, 13)
    assert lists.items[0].tolist() == slow_ranking(model, 3, set(range(13)) - {4, 8}, 13)
    assert lists.items[1].tolist() == [-1] * 13
    assert sorted(lists.items[2]) == list(range(13))


def test_a_tiny_memory_budget_does_not_change_the_ranking(model: Recommender, monkeypatch: pytest.MonkeyPatch) -> None:
    exclude = exclusions((2, 0), (3, 1), (3, 2), (7, 3), (11, 5))
    in_one = rank_lists(model, model.user_ids.numpy(), exclude, 6)
    monkeypatch.setattr(ranking, "chunks", partial(chunks, memory_budget=1))
    one_by_one = rank_lists(model, model.user_ids.numpy(), exclude, 6)
    two_users = 2 * 4 * model.n_items * model.floats_per_score
    monkeypatch.setattr(ranking, "chunks", partial(chunks, memory_budget=two_users))
    two_by_two = rank_lists(model, model.user_ids.numpy(), exclude, 6)
    assert np.array_equal(in_one.items, one_by_one.items)
    assert np.array_equal(in_one.items, two_by_two.items)


def test_a_list_longer_than_the_catalogue_is_refused(model: Recommender) -> None:
    with pytest.raises(SettingsError, match=r"list_length: 14 .* 13 items"):
        rank_lists(model, [2], exclusions(), 14)


@pytest.mark.parametrize("stranger", [0, 4, 12])
def test_unknown_users_are_refused_by_name(model: Recommender, stranger: int) -> None:
    with pytest.raises(QueryError, match=f"user {stranger} is unknown"):
        model.rows_of(torch.tensor([2, stranger]))
    with pytest.raises(QueryError, match=f"user {stranger} is unknown"):
        rank_lists(model, [2, stranger], exclusions(), 3)


def test_rows_follow_the_order_asked_in(model: Recommender) -> None:
    assert model.rows_of(torch.tensor([11, 2, 5, 2])).tolist() == [4, 0, 2, 0]


def test_the_same_seed_draws_the_same_parameters_and_another_seed_others(model: Recommender) -> None:
    states = []
    for seed in (3, 3, 4):
        model.initialise(torch.Generator().manual_seed(seed))
        states.append(copy.deepcopy(model.state_dict()))
    same, again, other = states
    assert all(torch.equal(same[name], again[name]) for name in same)
    assert any(not torch.equal(same[name], other[name]) for name in same)


def test_a_checkpoint_read_back_without_pickled_classes_scores_alike(model: Recommender) -> None:
    file = io.BytesIO()
    torch.save(to_checkpoint(model), file)
    file.seek(0)
    restored = from_checkpoint(torch.load(file, weights_only=True))
    assert type(restored) is type(model)
    assert restored.settings == model.settings
    assert torch.equal(restored.user_ids, model.user_ids)
    assert torch.equal(all_scores(restored), all_scores(model))
    assert to_checkpoint(restored).keys() == to_checkpoint(model).keys()
    assert restored.loss(*batch(model)).item() == model.loss(*batch(model)).item()
    assert [(n, p.requires_grad) for n, p in restored.named_parameters()] == [
        (n, p.requires_grad) for n, p in model.named_parameters()
    ]


def test_a_checkpoint_does_not_follow_the_models_later_training(model: Recommender) -> None:
    checkpoint, before = to_checkpoint(model), all_scores(model)
    train(model, steps=2)
    assert not torch.equal(all_scores(model), before)
    assert torch.equal(all_scores(from_checkpoint(checkpoint)), before)


def test_a_few_training_steps_lower_the_loss(model: Recommender) -> None:
    losses = train(model, steps=20)
    assert losses[-1] < 0.9 * losses[0]


def train(model: Recommender, steps: int) -> list[float]:
    optimiser = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=0.02)
    losses = []
    for _ in range(steps):
        optimiser.zero_grad()
        loss = model.loss(*batch(model))
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses
