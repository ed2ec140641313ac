"""References that are known models in closed form."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from rec_msa.attacks.references import Knowledge
from rec_msa.attacks.settings import SOLVED_REFERENCES, ReferenceSettings
from rec_msa.attacks.solved import solved_lists, solved_references
from rec_msa.foundation.lists import Lists
from rec_msa.recommenders.settings import BprSettings, EaseSettings
from tests.recommenders.test_ease import slow_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

N_ITEMS, LENGTH = 25, 6
USERS = np.arange(8, dtype=np.int32)
NOBODY = Lists(np.empty(0), np.empty((0, LENGTH)))


def interactions(users: Sequence[int], seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    pairs = [(user, item) for user in users for item in rng.choice(N_ITEMS, 7, replace=False)]
    return pd.DataFrame(pairs, columns=["user", "item"])


OWN, AUXILIARY = interactions(range(7), 0), interactions(range(100, 130), 1)


@pytest.fixture
def known() -> Knowledge:
    """What is known of eight users, of whom the last has no interaction."""
    return Knowledge(USERS, OWN, AUXILIARY, NOBODY, N_ITEMS)


def matrix(table: pd.DataFrame) -> np.ndarray:
    users = np.unique(table["user"])
    x = np.zeros((len(users), N_ITEMS))
    x[np.searchsorted(users, table["user"]), table["item"]] = 1
    return x


@pytest.mark.parametrize(("name", "learnt"), [("ease", OWN), ("ease_joint", pd.concat([OWN, AUXILIARY]))])
def test_ease_predicts_each_item_from_the_others_in_what_is_known(
    known: Knowledge, name: str, learnt: pd.DataFrame
) -> None:
    settings = ReferenceSettings(ease=EaseSettings(l2=3.0))
    made = solved_references(known, LENGTH, settings, 0, "cpu")[name]
    scores = matrix(OWN) @ slow_weights(matrix(learnt), 3.0)
    scores[matrix(OWN) > 0] = -np.inf
    best = -np.sort(-scores, axis=1)[:, :LENGTH]
    assert np.take_along_axis(scores, made.items[:7], axis=1) == pytest.approx(best, abs=1e-6), "but for ties"


def test_every_attacker_user_has_a_full_list_without_known_items(known: Knowledge) -> None:
    made = solved_references(known, LENGTH, ReferenceSettings(), 0, "cpu")
    assert tuple(made) == SOLVED_REFERENCES
    for lists in made.values():
        assert lists.users.tolist() == USERS.tolist()
        assert (lists.items >= 0).all()
        assert not matrix(OWN)[np.arange(7)[:, None], lists.items[:7]].any()


def test_ease_of_a_huge_catalogue_is_left_out_and_it_is_said(
    known: Knowledge, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        made = solved_references(known, LENGTH, ReferenceSettings(ease_items=N_ITEMS - 1), 0, "cpu")
    assert list(made) == ["ials", "ials_joint"]
    assert "references.ease_items" in caplog.text


def test_a_model_that_is_trained_is_none_of_them(known: Knowledge) -> None:
    with pytest.raises(TypeError, match="'bpr' solves no equations"):
        solved_lists(known, OWN, "bpr", BprSettings(), LENGTH, 0, "cpu")
