"""Building recommenders by name."""

from __future__ import annotations

import pytest
import torch

from rec_msa.foundation.errors import DataError, SettingsError
from rec_msa.recommenders.checkpoint import RECOMMENDERS, build, from_checkpoint, to_checkpoint
from rec_msa.recommenders.settings import BprSettings, StampSettings


def test_an_unknown_architecture_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(SettingsError, match="no recommender 'nfc'; did you mean 'ncf'"):
        build("nfc", torch.arange(3), 4, BprSettings())


def test_users_are_known_once_and_in_order() -> None:
    model = build("bpr", torch.tensor([9, 4, 9, 1]), 4, BprSettings(dimensions=2))
    assert model.user_ids.tolist() == [1, 4, 9]
    assert model.n_users == 3


def test_each_architecture_is_filed_under_its_own_name() -> None:
    assert {name: model.name for name, model in RECOMMENDERS.items()} == {name: name for name in RECOMMENDERS}


def test_a_checkpoint_of_stamp_that_still_had_negatives_ended_in_a_traceback() -> None:
    saved = to_checkpoint(build("stamp", torch.arange(3), 4, StampSettings(dimensions=2)))
    saved["settings"]["negatives"] = 1
    with pytest.raises(
        DataError, match=r"'stamp' has settings of another version \(negatives\); --only-missing-outputs"
    ):
        from_checkpoint(saved)
