"""Recommenders made of others become checkpoints and come back, and read what their members read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import torch

from rec_msa.foundation.errors import SettingsError
from rec_msa.recommenders.averaged import Averaged
from rec_msa.recommenders.checkpoint import COMPOSED, from_checkpoint, to_checkpoint
from rec_msa.recommenders.corrected import Corrected
from rec_msa.recommenders.settings import SETTINGS
from rec_msa.recommenders.vectors import untrained_like, vectors_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from rec_msa.recommenders.base import Recommender

USERS = torch.arange(5)
TAUGHT = torch.tensor([3, 7])
CORRECTIONS = torch.randn(2, 13, generator=torch.Generator().manual_seed(0))
MAKERS: dict[str, Callable[[Recommender], Recommender]] = {
    "averaged": lambda one: Averaged([one, one]),
    "corrected": lambda one: Corrected(one, TAUGHT, CORRECTIONS),
    "of each other": lambda one: Averaged([one, Corrected(one, TAUGHT, CORRECTIONS)]),
}


def test_no_name_is_an_architecture() -> None:
    assert not {*COMPOSED} & {*SETTINGS}


@pytest.mark.parametrize("made", MAKERS)
@pytest.mark.parametrize("name", ["bpr", "ease", "sasrec"])
def test_a_checkpoint_ranks_as_what_it_was_made_of(
    make_model: Callable[..., Recommender], name: str, made: str
) -> None:
    model = MAKERS[made](make_model(name).eval())
    with torch.no_grad():
        scores, again = model.score_all(USERS), from_checkpoint(to_checkpoint(model)).eval().score_all(USERS)
    assert torch.allclose(scores, again, atol=1e-6)
    assert again.shape == (5, 13)


@pytest.mark.parametrize("made", MAKERS)
@pytest.mark.parametrize("name", ["ease", "sasrec"])
def test_what_is_read_reaches_the_members_and_the_taught_users_too(
    make_model: Callable[..., Recommender], name: str, made: str
) -> None:
    others = pd.DataFrame({"user": [3, 3, 5], "item": [1, 2, 3]})
    model, expected = MAKERS[made](make_model(name).eval()), make_model(name).eval()
    with torch.no_grad():
        before = model.score_all(USERS)
        model.read(others)
        expected.read(others)
        assert torch.allclose(model.score_all(USERS), MAKERS[made](expected).score_all(USERS), atol=1e-6)
    assert not torch.allclose(model.score_all(USERS), before)


def test_what_is_made_of_others_has_no_vectors_of_its_own_and_knows_no_other_users(
    make_model: Callable[..., Recommender],
) -> None:
    made = to_checkpoint(Corrected(make_model("bpr"), TAUGHT, CORRECTIONS))
    assert vectors_of(made, pd.Series(range(12)), pd.Series(range(13))).empty
    with pytest.raises(SettingsError, match=r"export\.histories: 'corrected' models are made of others"):
        untrained_like(made, np.arange(3))


def test_a_correction_is_a_sum_over_taught_users_by_squared_correlation(
    make_model: Callable[..., Recommender],
) -> None:
    one = make_model("bpr")
    with torch.no_grad():
        plain = one.score_all(USERS).double().numpy()
        found = Corrected(one, TAUGHT, CORRECTIONS).score_all(USERS).numpy()
    rows = [one.user_ids.tolist().index(user) for user in TAUGHT.tolist()]
    for user in range(5):
        z = (plain[user] - plain[user].mean()) / plain[user].std()
        likeness = [np.corrcoef(plain[user], plain[row])[0, 1] ** 2 for row in rows]
        expected = z + sum(k * a for k, a in zip(likeness, CORRECTIONS.numpy(), strict=True))
        assert found[user] == pytest.approx(expected, abs=1e-4)
