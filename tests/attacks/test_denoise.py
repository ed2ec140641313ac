"""The denoising attacker: how it asks, and what it makes of several answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rec_msa.attacks.denoise import Denoise, denoised
from rec_msa.attacks.gate import query
from rec_msa.foundation.errors import QueryError
from rec_msa.foundation.lists import Lists

USERS = np.array([2, 5, 9])


class NoisyTarget:
    """Serves ten items of each user's own, of which a random three are replaced by items that anybody may get."""

    def __init__(self, *, fresh: bool) -> None:
        self.fresh, self.calls = fresh, 0

    def own(self, users: np.ndarray) -> np.ndarray:
        return 100 + 20 * users[:, None] + np.arange(10)

    def __call__(self, users: np.ndarray) -> Lists:
        self.calls += self.fresh
        rows = []
        for user, items in zip(users, self.own(users), strict=True):
            rng = np.random.default_rng([int(user), self.calls])
            mixed = items.copy()
            mixed[rng.permutation(10)[:3]] = rng.permutation(20)[:3]
            rows.append(mixed)
        return Lists(users, np.stack(rows))


def asked(target: NoisyTarget, calls: int, budget: int | None = None, **settings: float) -> tuple[Lists, pd.DataFrame]:
    people = pd.DataFrame({"user": [*USERS, 11], "group": ["queried"] * 3 + ["heldout"]})
    strategy = Denoise(calls_per_user=calls, **{"discount": 0.5, "kept": 1.0, **settings})
    lists, ledger = query(target, people, budget or calls, strategy, seed=0)
    return Lists.from_frame(lists), ledger


def test_asking_often_finds_the_lists_behind_fresh_noise_in_their_order():
    target = NoisyTarget(fresh=True)
    lists, _ = asked(target, calls=25)
    assert (lists.users == USERS).all()
    assert (lists.items == target.own(USERS)).all()


def test_against_answers_that_stay_the_same_it_learns_what_was_served():
    target = NoisyTarget(fresh=False)
    lists, _ = asked(target, calls=25)
    assert (lists.items == target(USERS).items).all()


def test_every_call_is_counted():
    _, ledger = asked(NoisyTarget(fresh=True), calls=4)
    assert len(ledger) == 12
    assert ledger["user"].value_counts().to_dict() == {2: 4, 5: 4, 9: 4}
    assert ledger["calls_left"].iloc[-1] == 0


def test_more_calls_than_the_budget_are_refused():
    with pytest.raises(QueryError, match="budget of 6"):
        asked(NoisyTarget(fresh=True), calls=3, budget=2)


def test_users_are_asked_about_in_rounds_of_random_order():
    _, ledger = asked(NoisyTarget(fresh=True), calls=30)
    rounds = ledger["user"].to_numpy().reshape(30, 3)
    assert (np.sort(rounds, axis=1) == USERS).all()
    assert len({tuple(row) for row in rounds}) > 1


def test_items_of_everybody_are_dropped_first():
    answers = np.array([[[7, 1, 2]], [[3, 7, 4]], [[5, 6, 7]]])
    lists = denoised(USERS, answers, discount=0.5, kept=2 / 3)
    assert lists.items.tolist() == [[1, 2], [3, 4], [5, 6]]


def by_loop(answers: list[list[list[int]]], discount: float, n_kept: int) -> list[list[int]]:
    """The definition, one user and item at a time."""
    found = []
    for user, own in enumerate(answers):
        scores = {}
        for item in {item for answer in own for item in answer if item >= 0}:
            shares = [np.mean([item in answer for answer in other]) for other in answers]
            rest = np.mean([share for place, share in enumerate(shares) if place != user])
            mean_rank = np.mean([answer.index(item) for answer in own if item in answer])
            scores[item] = (shares[user] - discount * rest, mean_rank)
        best = sorted(scores, key=lambda item: (-round(scores[item][0], 9), scores[item][1], item))[:n_kept]
        found.append(sorted(best, key=lambda item: (scores[item][1], item)))
    return found


@pytest.mark.parametrize("discount", [0.0, 0.3, 1.0])
def test_it_is_what_the_definition_says(discount):
    rng = np.random.default_rng(4)
    answers = np.stack([np.stack([rng.permutation(16)[:8] for _ in range(3)]) for _ in range(5)])
    answers[1, 2, 5:] = -1
    lists = denoised(np.arange(5), answers, discount, kept=0.75)
    assert lists.items.tolist() == by_loop(answers.tolist(), discount, 6)
