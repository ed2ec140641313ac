"""What training, the gate, the attacks and the evaluation rely on: each recommender must hold what it claims."""

from __future__ import annotations

import copy
import io
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch

from rec_msa.foundation.errors import QueryError, SettingsError
from rec_msa.recommenders import ranking
from rec_msa.recommenders.base import FusableRecommender, GradientRecommender, SolvedRecommender
from rec_msa.recommenders.checkpoint import RECOMMENDERS, build, from_checkpoint, to_checkpoint
from rec_msa.recommenders.ranking import chunks, rank_lists
from rec_msa.recommenders.settings import SETTINGS, claiming

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from rec_msa.recommenders.base import Recommender

FUSIONS = [*product(claiming("fusable"), ("attention", "mean"))]
TRAINED = [*((name, None) for name in claiming("gradients")), *FUSIONS]
ALL = [*((name, None) for name in SETTINGS), *FUSIONS]


def cases(models: list[tuple[str, str | None]]) -> dict[str, Any]:
    return {"params": models, "ids": [f"{name}-{fusion or 'plain'}" for name, fusion in models]}


@pytest.fixture(**cases(ALL))
def model(request: pytest.FixtureRequest, make_model: Callable[..., Recommender]) -> Recommender:
    return make_model(*request.param)


@pytest.fixture(**cases(TRAINED))
def trained(request: pytest.FixtureRequest, make_model: Callable[..., Recommender]) -> GradientRecommender:
    return make_model(*request.param)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_recommender_is_of_the_kind_that_its_settings_claim(name: str) -> None:
    kind, claims = RECOMMENDERS[name], SETTINGS[name]
    assert issubclass(kind, GradientRecommender) is claims.gradients
    assert issubclass(kind, SolvedRecommender) is not claims.gradients
    assert issubclass(kind, FusableRecommender) is claims.fusable


@pytest.mark.parametrize("name", SETTINGS)
def test_users_of_their_own_do_not_depend_on_what_is_read(name: str, make_model: Callable[..., Recommender]) -> None:
    model = make_model(name)
    before = all_scores(model)
    model.read(exclusions((2, 12), (2, 4)))
    assert torch.equal(all_scores(model)[0], before[0]) is SETTINGS[name].own_users


def test_what_was_read_counts_once_however_often_it_is_read_and_strangers_do_not(model: Recommender) -> None:
    history, strangers = exclusions((3, 1), (3, 4), (3, 0)), exclusions((4, 5), (999, 2))
    model.read(history)
    before = all_scores(model)
    model.read(pd.concat([strangers, history]))
    torch.testing.assert_close(all_scores(model), before)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_user_of_whom_nothing_is_read_keeps_what_was(name: str, make_model: Callable[..., Recommender]) -> None:
    model, other = make_model(name), make_model(name)
    model.read(exclusions((2, 12), (2, 4)))
    model.read(exclusions((7, 3), (7, 9)))
    other.read(exclusions((2, 12), (2, 4), (7, 3), (7, 9)))
    torch.testing.assert_close(all_scores(model), all_scores(other))


def test_users_can_be_ranked_for_before_anything_is_read(model: Recommender) -> None:
    fresh = build(model.name, model.user_ids, model.n_items, model.settings)
    assert all_scores(fresh).isfinite().all()


def all_scores(model: Recommender) -> Tensor:
    """Scores of every user and item, through ``score_all``."""
    with torch.no_grad():
        return model.score_all(torch.arange(model.n_users))


def batch(model: GradientRecommender) -> tuple[Tensor, Tensor, Tensor]:
    """Every user with three positives (item below 6) and negatives (6 or above)."""
    users = torch.arange(model.n_users).repeat(3)
    generator = torch.Generator().manual_seed(2)
    positives = torch.randint(6, (len(users),), generator=generator)
    negatives = torch.randint(6, model.n_items, (len(users), model.settings.n_sampled), generator=generator)
    return users, positives, negatives


def exclusions(*pairs: tuple[int, int]) -> pd.DataFrame:
    return pd.DataFrame(pairs, columns=["user", "item"])


def slow_ranking(model: Recommender, user: int, exclude: set[int], k: int) -> list[int]:
    """The k best items by sorting the user's scores, the first of equals first, -1 where none is left."""
    scores = all_scores(model)[int(model.rows_of(torch.tensor([user])))].tolist()
    candidates = [item for item in range(model.n_items) if item not in exclude]
    candidates.sort(key=lambda item: -scores[item])
    return (candidates + [-1] * k)[:k]


def test_the_loss_is_a_finite_scalar_with_a_gradient_for_every_trainable_parameter(
    trained: GradientRecommender,
) -> None:
    loss = trained.loss(*batch(trained))
    loss.backward()
    assert loss.shape == ()
    assert loss.isfinite()
    for name, parameter in trained.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
            assert parameter.grad.any(), name
        else:
            assert parameter.grad is None, name


def test_full_catalogue_scores_equal_the_scores_of_pairs(trained: GradientRecommender) -> None:
    rows, items = torch.arange(trained.n_users), torch.arange(trained.n_items)
    with torch.no_grad():
        together = trained.score_pairs(rows, items.expand(trained.n_users, -1))
        apart = torch.cat([trained.score_pairs(rows, item.expand(trained.n_users, 1)) for item in items], dim=1)
    assert together.shape == (trained.n_users, trained.n_items)
    torch.testing.assert_close(all_scores(trained), together, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(apart, together, atol=1e-5, rtol=1e-5)


def test_scores_of_pairs_follow_rows_and_items_in_any_order_with_repeats(trained: GradientRecommender) -> None:
    rows, items = torch.tensor([4, 0, 4]), torch.tensor([[12, 0, 12, 7], [3, 3, 1, 0], [7, 12, 0, 1]])
    with torch.no_grad():
        scores = trained.score_pairs(rows, items)
    torch.testing.assert_close(scores, all_scores(trained)[rows].gather(1, items), atol=1e-5, rtol=1e-5)


def test_a_chunk_of_users_scores_as_in_the_whole(model: Recommender) -> None:
    with torch.no_grad():
        part = model.score_all(torch.tensor([3, 1]))
    torch.testing.assert_close(part, all_scores(model)[[3, 1]], atol=1e-5, rtol=1e-5)


def test_a_part_without_users_has_no_scores(model: Recommender) -> None:
    with torch.no_grad():
        assert model.score_all(torch.tensor([], dtype=torch.long)).shape == (0, all_scores(model).shape[1])


def test_ranking_equals_a_slow_sort_without_the_excluded_items(model: Recommender) -> None:
    exclude = exclusions((7, 3), (2, 0), (7, 12), (11, 5), (2, 9), (7, 3), (3, 1), (999, 4))
    lists = rank_lists(model, [11, 2, 7, 5], exclude, 6)
    assert lists.users.tolist() == [2, 5, 7, 11]
    gone = {2: {0, 9}, 5: set(), 7: {3, 12}, 11: {5}}
    for (user, left_out), items in zip(gone.items(), lists.items.tolist(), strict=True):
        scores = all_scores(model)[int(model.rows_of(torch.tensor([user])))]
        assert len({*items} - left_out) == 6
        assert torch.equal(scores[items], scores[slow_ranking(model, user, left_out, 6)])  # items may be level


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


def test_the_same_seed_draws_the_same_parameters_and_another_seed_others(trained: GradientRecommender) -> None:
    states = []
    for seed in (3, 3, 4):
        trained.initialise(torch.Generator().manual_seed(seed))
        states.append(copy.deepcopy(trained.state_dict()))
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
    assert [(n, p.requires_grad) for n, p in restored.named_parameters()] == [
        (n, p.requires_grad) for n, p in model.named_parameters()
    ]


def test_a_checkpoint_read_back_loses_alike(trained: GradientRecommender) -> None:
    restored = from_checkpoint(to_checkpoint(trained))
    assert restored.loss(*batch(trained)).item() == trained.loss(*batch(trained)).item()


def test_a_checkpoint_does_not_follow_the_models_later_training(trained: GradientRecommender) -> None:
    checkpoint, before = to_checkpoint(trained), all_scores(trained)
    train(trained, steps=2)
    assert not torch.equal(all_scores(trained), before)
    assert torch.equal(all_scores(from_checkpoint(checkpoint)), before)


def test_a_few_training_steps_lower_the_loss(trained: GradientRecommender) -> None:
    losses = train(trained, steps=20)
    assert losses[-1] < 0.9 * losses[0]


def train(model: GradientRecommender, steps: int) -> list[float]:
    optimiser = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=0.02)
    losses = []
    for _ in range(steps):
        optimiser.zero_grad()
        loss = model.loss(*batch(model))
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses
