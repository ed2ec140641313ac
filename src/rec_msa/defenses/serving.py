"""What a target serves: its own lists, altered by its defense."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rec_msa.defenses.defended import Defended
from rec_msa.defenses.settings import NO_DEFENSE, build_defense, require_room
from rec_msa.foundation.errors import SettingsError
from rec_msa.foundation.lists import check_length
from rec_msa.recommenders.checkpoint import Checkpoint, from_checkpoint
from rec_msa.recommenders.ranking import rank_lists, rank_sequences
from rec_msa.recommenders.sequential import SequentialRecommender
from rec_msa.training.device import choose_device

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import pandas as pd

    from rec_msa.defenses.base import Defense
    from rec_msa.foundation.lists import Lists


class Server:
    """The target's side of the gate: users go in, the lists that they are served come out.

    It remembers how often each user was asked about, where a defense gives fresh draws.

    Args:
        target: The target's checkpoint.
        interactions: The target's training interactions (columns user, item), never recommended; a sequential target
            reads them as the users' sequences.
        list_length: Items in a list.
        defense: ``none`` or ``<name>_<strength>``.
        settings: The settings under ``defenses.<name>``; None without a defense.
        seed: The cell's seed.
        device: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        SettingsError: The defense alters more places than a list has.
    """

    def __init__(
        self,
        target: Checkpoint,
        interactions: pd.DataFrame,
        list_length: int,
        defense: str,
        settings: Defense | dict[str, Any] | None,
        seed: int,
        device: str = "auto",
    ) -> None:
        self._model, self._interactions = from_checkpoint(target, choose_device(device)), interactions
        self._model.read(interactions)
        check_length(list_length, self._model.n_items)
        self._ranked, self._defended = list_length, None
        if defense != NO_DEFENSE:
            require_room(defense, list_length)
            rule, strength = build_defense(defense, settings or {})
            self._ranked = min(list_length + rule.tail_length, self._model.n_items)
            self._defended = Defended(rule, strength, interactions, self._model.n_items, list_length, seed)

    def __call__(self, users: np.ndarray) -> Lists:
        """The lists that users (global ids ``[n]``) are served."""
        own = self._own(users)
        return own if self._defended is None else self._defended.serve(own)

    def n_widened(self, users: np.ndarray) -> int:
        """How many of these users get replacements from elsewhere than the settings say; too many are refused."""
        return 0 if self._defended is None else self._defended.n_widened(self._own(users))

    def _own(self, users: np.ndarray) -> Lists:
        return rank_lists(self._model, users, self._interactions, self._ranked)


def served_after_sequences(
    target: Checkpoint, list_length: int, defense: str, device: str = "auto"
) -> Callable[[np.ndarray], np.ndarray]:
    """The target's side of a gate that answers for given sequences.

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
