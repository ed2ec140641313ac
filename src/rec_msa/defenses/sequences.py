"""What a sequential target serves after given sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rec_msa.defenses.settings import NO_DEFENSE
from rec_msa.foundation.errors import SettingsError
from rec_msa.recommenders.checkpoint import Checkpoint, from_checkpoint
from rec_msa.recommenders.ranking import rank_sequences
from rec_msa.recommenders.sequential import SequentialRecommender
from rec_msa.training.device import choose_device

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np


def served_after_sequences(
    target: Checkpoint, list_length: int, defense: str, device: str = "auto"
) -> Callable[[np.ndarray], np.ndarray]:
    """The target's side of a gate that answers for given sequences.

    Args:
        target: The checkpoint of a sequential target.
        list_length: Items in a list.
        defense: ``none``: the defenses alter lists of users.
        device: ``auto``, ``cpu`` or ``cuda``.

    Returns:
        A function from sequences ``[n, l]``, -1 at the end of shorter ones, to served lists ``[n, list_length]``.

    Raises:
        SettingsError: There is a defense, or the target does not read sequences.
    """
    model = from_checkpoint(target, choose_device(device))
    if not isinstance(model, SequentialRecommender):
        msg = f"model: a {model.name} target knows users alone and cannot be asked about sequences"
        raise SettingsError(msg)
    if defense != NO_DEFENSE:
        msg = f"defense: '{defense}' alters the lists of users, not of given sequences; use --params=defense=none"
        raise SettingsError(msg)
    return lambda sequences: rank_sequences(model, sequences, list_length)
