"""What a target serves: its own lists, altered by its defense."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rec_msa.defenses.popular_mixing import PopularMixing
from rec_msa.defenses.settings import DefenseSettings, parse_defense
from rec_msa.recommenders.checkpoint import Checkpoint, from_checkpoint
from rec_msa.recommenders.ranking import rank_lists
from rec_msa.training.device import choose_device

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import pandas as pd

    from rec_msa.lists import Lists


def served_by(
    target: Checkpoint,
    interactions: pd.DataFrame,
    list_length: int,
    defense: str,
    settings: DefenseSettings,
    seed: int,
    device: str = "auto",
) -> Callable[[np.ndarray], Lists]:
    """The target's side of the gate.

    Args:
        target: The target's checkpoint.
        interactions: The target's training interactions (columns user, item), never recommended; a sequential target
            reads them as the users' sequences.
        list_length: Items in a list.
        defense: ``none`` or ``<name>_<strength>``.
        settings: Settings of the defenses.
        seed: The cell's seed.
        device: ``auto``, ``cpu`` or ``cuda``.

    Returns:
        A function from global user ids ``[n]`` to the lists that these users are served.
    """
    model = from_checkpoint(target, choose_device(device))
    model.read(interactions)
    name, strength = parse_defense(defense)

    def undefended(users: np.ndarray) -> Lists:
        return rank_lists(model, users, interactions, list_length)

    if name == "none":
        return undefended
    mixing = settings.popular_mixing
    altered = PopularMixing(
        interactions, model.n_items, strength, pool=mixing.pool, consistent=mixing.consistent, seed=seed
    )
    return lambda users: altered.serve(undefended(users))
