"""What a target serves: its own lists, altered by its defense."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rec_msa.defenses.defended import Defended
from rec_msa.defenses.settings import NO_DEFENSE, build_defense, require_room
from rec_msa.foundation.errors import SettingsError
from rec_msa.foundation.lists import check_length
from rec_msa.recommenders.base import AnsweringRecommender
from rec_msa.recommenders.checkpoint import Checkpoint, from_checkpoint
from rec_msa.recommenders.ranking import rank_lists, rank_sequences
from rec_msa.recommenders.sequential import SequentialRecommender
from rec_msa.training.device import choose_device

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import pandas as pd

    from rec_msa.defenses.base import Defense
    from rec_msa.defenses.settings import Serving
    from rec_msa.foundation.lists import Lists


class Server:
    """The target's side of the gate: users or sequences go in, the lists that they are served come out.

    It remembers how often each user was asked about, where a defense gives fresh draws. ``Serving.of`` makes one.
    """

    def __init__(
        self,
        serving: Serving,
        target: Checkpoint,
        interactions: pd.DataFrame,
        device: str,
        settings: Defense | dict[str, Any] | None,
    ) -> None:
        self.serving, self.interactions = serving, interactions
        self.model = from_checkpoint(target, choose_device(device))
        self.model.read(interactions)
        length, n_items = serving.list_length, self.model.n_items
        check_length(length, n_items)
        self._ranked, self._defended = length, None
        if serving.defense != NO_DEFENSE:
            require_room(serving.defense, length)
            rule, strength = build_defense(serving.defense, settings or {})
            self._ranked = min(length + rule.tail_length, n_items)
            self._defended = Defended(rule, strength, interactions, n_items, length, serving.seed)

    def __call__(self, users: np.ndarray) -> Lists:
        """The lists that users (global ids ``[n]``) are served."""
        own = self._own(users)
        return own if self._defended is None else self._defended.serve(own)

    def after_sequences(self) -> Callable[[np.ndarray], np.ndarray]:
        """Answers about given sequences: ``[n, l]``, -1 at the end of shorter ones, in; lists ``[n, list_length]`` out.

        Raises:
            SettingsError: There is a defense (it alters lists of users), or the target does not read sequences.
        """
        model, defense = self.model, self.serving.defense
        if not isinstance(model, SequentialRecommender | AnsweringRecommender):
            msg = f"model: a {model.name} target knows users alone and cannot be asked about sequences"
            raise SettingsError(msg)
        if defense != NO_DEFENSE:
            msg = f"defense: '{defense}' alters the lists of users, not of given sequences; use --params=defense=none"
            raise SettingsError(msg)
        length = self.serving.list_length
        if isinstance(model, AnsweringRecommender):
            return lambda sequences: model.answers_after(sequences, length)
        return lambda sequences: rank_sequences(model, sequences, length)

    def n_widened(self, users: np.ndarray) -> int:
        """How many of these users get replacements from elsewhere than the settings say; too many are refused."""
        return 0 if self._defended is None else self._defended.n_widened(self._own(users))

    def _own(self, users: np.ndarray) -> Lists:
        return rank_lists(self.model, users, self.interactions, self._ranked)
