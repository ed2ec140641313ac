"""Several recommenders as one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from rec_msa.recommenders.averaged import Averaged, standardised
from rec_msa.recommenders.base import Recommender
from rec_msa.recommenders.ranking import rank_lists
from rec_msa.recommenders.settings import RecommenderSettings


class Known(Recommender):
    """Has the scores that it is given, a row for each user."""

    name = "known"

    def __init__(self, users: list[int], scores: list[list[float]]) -> None:
        super().__init__(torch.tensor(users), len(scores[0]), RecommenderSettings())
        self.scores = torch.tensor(scores)

    def score_all(self, users: Tensor) -> Tensor:
        return self.scores[users]


def members(seed: int = 0, n_items: int = 30) -> list[Known]:
    rng = np.random.default_rng(seed)
    places = ([2, 5, 9], [1, 5, 9, 20], [0, 2, 5, 9])
    return [
        Known(users, (rng.normal(5, 3, (len(users), n_items)) * 10.0**n).tolist()) for n, users in enumerate(places)
    ]


def slowly(models: list[Known], user: int) -> np.ndarray:
    """The definition: of each model, the user's scores less their mean, divided by their deviation; then the mean."""
    found = []
    for model in models:
        own = model.scores[model.user_ids.tolist().index(user)].numpy().astype(float)
        found.append((own - own.mean()) / own.std())
    return np.mean(found, axis=0)


def test_scores_are_standardised_over_the_catalogue_and_averaged() -> None:
    averaged = Averaged(members())
    assert averaged.user_ids.tolist() == [5, 9], "the users whom all members know"
    scores = averaged.score_all(torch.tensor([1, 0])).numpy()
    assert scores[0] == pytest.approx(slowly(members(), 9), abs=1e-5)
    assert scores[1] == pytest.approx(slowly(members(), 5), abs=1e-5)


def test_the_average_ranks_without_what_is_excluded() -> None:
    wanted = slowly(members(), 9).copy()
    own = pd.DataFrame({"user": [9, 9], "item": np.argsort(-wanted)[:2]})
    wanted[own["item"]] = -np.inf
    assert rank_lists(Averaged(members()), [9], own, 5).items.tolist() == [np.argsort(-wanted)[:5].tolist()]


def test_the_unit_of_a_members_scores_says_nothing() -> None:
    [one, *others] = members()
    other_unit = Known(one.user_ids.tolist(), (one.scores * 1e-6 + 3).double().tolist())
    before, after = (Averaged([first, *others]).score_all(torch.arange(2)) for first in (one, other_unit))
    assert torch.allclose(before, after, atol=0.2), "but for the digits that are lost"
    assert torch.equal(standardised(torch.ones(2, 3)), torch.zeros(2, 3)), "a member without a preference has no say"
