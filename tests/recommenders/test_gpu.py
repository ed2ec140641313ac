"""Rankings on a double of a GPU: the lists of a CPU, and between two chunks of users nothing is waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch

from rec_msa.foundation.lists import Lists
from rec_msa.recommenders import ranking
from rec_msa.recommenders.averaged import Averaged
from rec_msa.recommenders.checkpoint import build, from_checkpoint, to_checkpoint
from rec_msa.recommenders.corrected import Corrected
from rec_msa.recommenders.ensemble import Committee, Ensemble, ensemble_to_checkpoint
from rec_msa.recommenders.ranking import rank_lists, rank_sequences
from rec_msa.recommenders.settings import SETTINGS, RecordedSettings, claiming, is_sequential
from tests.gpu import GPU, WaitError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rec_msa.recommenders.base import Recommender
    from tests.gpu import GpuDouble

    Make = Callable[..., Recommender]

USERS = (2, 3, 5, 7, 11)
KNOWN = pd.DataFrame({"user": [2, 2, 7], "item": [4, 9, 1]})
LISTS = np.array([[4, 2, 9], [1, 5, 7], [3, 2, 1], [0, 6, 8], [12, 11, 10]], dtype=np.int32)


def recorded(make: Make) -> Recommender:
    model = build("recorded", torch.tensor(USERS), 13, RecordedSettings(length=3))
    model.record(Lists(np.array(USERS), LISTS))
    return model


def corrected(make: Make) -> Recommender:
    return Corrected(make("bpr"), torch.tensor([3, 7]), torch.ones(2, 13))


def ensemble(make: Make) -> Recommender:
    committee = Committee.of_all([make("bpr")], len(USERS))
    lookups, constants = {"nearest": torch.ones(len(USERS), 2)}, {"popularity": torch.arange(13.0)}
    made = Ensemble(torch.tensor(USERS), 13, {"clones": committee}, torch.from_numpy(LISTS[:2]), lookups, constants)
    made.weights = {name: 1.0 for source in made.sources for name in made.signals_of_source(source)}
    return made


OTHERS: dict[str, Callable[[Make], Recommender]] = {
    "recorded": recorded,
    "averaged": lambda make: Averaged([make("bpr"), make("lmf")]),
    "corrected": corrected,
    "ensemble": ensemble,
}
MODELS: dict[str, Callable[[Make], Recommender]] = {
    **{name: lambda make, name=name: make(name) for name in SETTINGS},
    **{f"{name} fused": lambda make, name=name: make(name, "attention") for name in claiming("fusable")},
    **{f"{name} halved": lambda make, name=name: make(name, "mean") for name in claiming("fusable")},
    **OTHERS,
}
WAITS = {
    "ease": "the histories of a chunk are cut out of all, and take as much room as they are long together",
    "averaged": "each member says which of its users a chunk's are, and names those whom it does not know",
    "corrected": "the first chunk asks who the taught users are, and names those whom the model does not know",
    "ensemble": "histories as for ease, and of some users only some of a committee's models may speak",
}
"""What waits for the GPU once a chunk, and why."""


def checkpoint_of(made: Recommender) -> dict[str, Any]:
    if not isinstance(made, Ensemble):
        return to_checkpoint(made)
    own = {name: [to_checkpoint(one) for one in committee.models] for name, committee in made.committees.items()}
    return ensemble_to_checkpoint(made, own)


def on(device: torch.device | str, made: Recommender) -> Recommender:
    model = from_checkpoint(checkpoint_of(made), device)
    model.read(KNOWN)
    return model


@pytest.fixture(autouse=True)
def _two_users_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "chunks", lambda model, n: (slice(start, start + 2) for start in range(0, n, 2)))


@pytest.mark.parametrize("name", MODELS)
def test_a_ranking_is_that_of_a_cpu(name: str, make_model: Make, gpu: GpuDouble) -> None:
    model, gpu.may_wait = MODELS[name](make_model), name in WAITS
    here = rank_lists(on("cpu", model), USERS, KNOWN, 6)
    with gpu:
        there = rank_lists(on(GPU, model), USERS, KNOWN, 6)
    assert np.array_equal(there.items, here.items)


@pytest.mark.parametrize("name", WAITS)
def test_what_is_said_to_wait_does(name: str, make_model: Make, gpu: GpuDouble) -> None:
    with gpu, pytest.raises(WaitError):
        rank_lists(on(GPU, MODELS[name](make_model)), USERS, KNOWN, 6)


@pytest.mark.parametrize("name", [name for name in SETTINGS if is_sequential(name)])
def test_a_ranking_after_sequences_is_that_of_a_cpu(name: str, make_model: Make, gpu: GpuDouble) -> None:
    model = make_model(name)
    here = rank_sequences(on("cpu", model), LISTS, 6)  # type: ignore[arg-type]
    with gpu:
        there = rank_sequences(on(GPU, model), LISTS, 6)  # type: ignore[arg-type]
    assert np.array_equal(there, here)
