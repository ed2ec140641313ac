"""A trained model for other users: what it learned of items stays, and it gets to know them by their interactions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rec_msa.foundation.randomness import stream, torch_stream
from rec_msa.recommenders.base import GradientRecommender
from rec_msa.recommenders.vectors import rows_of, untrained_like
from rec_msa.training.device import choose_device
from rec_msa.training.fit import fit
from rec_msa.training.interactions import InteractionTask

if TYPE_CHECKING:
    import pandas as pd

    from rec_msa.recommenders.base import Recommender
    from rec_msa.recommenders.checkpoint import Checkpoint
    from rec_msa.training.settings import TrainingSettings

HELD_BACK, HELD_BACK_FROM = 0.05, 10


def fold_in(
    checkpoint: Checkpoint, histories: pd.DataFrame, settings: TrainingSettings, seed: int, device: str = "auto"
) -> Recommender:
    """A trained model that knows other users.

    Vectors of users are learned by the model's own loss while all else stands still; a model without any reads them.

    Args:
        histories: Interactions of its new users (columns user, item, in the order of each user's sequence).
        seed: Where vectors start from, and what decides when to stop.
        device: ``auto``, ``cpu`` or ``cuda``.
    """
    model = untrained_like(checkpoint, np.unique(histories["user"].to_numpy()))
    generator, own = torch_stream(seed, "fold-in"), rows_of(checkpoint, "user")
    model.initialise(generator)
    state = model.state_dict()
    kept = {name: value for name, value in checkpoint["state"].items() if name in state and name not in own}
    model.load_state_dict(state | {name: value for name, value in kept.items() if not name.startswith("histories.")})
    model.to(choose_device(device))
    model.read(histories)
    if isinstance(model, GradientRecommender) and model.settings.own_users:
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(parameter.requires_grad and name in own)
        held_back = _held_back(histories, seed)
        task = InteractionTask(model, histories[~held_back], histories[held_back])
        fit(model, task, settings, generator, f"users {model.name}")
    return model


def _held_back(histories: pd.DataFrame, seed: int) -> np.ndarray:
    """What decides when to stop ``[n]``: a twentieth of the rows of users who have ten or more, at least one row."""
    n_each = histories.groupby("user")["item"].transform("size").to_numpy()
    chance = stream(seed, "fold-in").random(len(histories))
    held_back: np.ndarray = (chance < HELD_BACK) & (n_each >= HELD_BACK_FROM)
    if not held_back.any():
        held_back[int(n_each.argmax())] = True
    return held_back
