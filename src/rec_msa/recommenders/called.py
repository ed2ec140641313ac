"""A recommender that is a function of the user's own: each of its answers is checked before it counts."""

from __future__ import annotations

import hashlib
import logging
import time
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from rec_msa.foundation.errors import DataError
from rec_msa.foundation.functions import function_of
from rec_msa.foundation.lists import PADDING
from rec_msa.recommenders.answers import Answer
from rec_msa.recommenders.base import AnsweringRecommender
from rec_msa.recommenders.histories import Histories

if TYPE_CHECKING:
    from collections.abc import Callable

    from rec_msa.recommenders.settings import CalledSettings

logger = logging.getLogger(__name__)


class Called(AnsweringRecommender):
    """Asks ``recommend(users, k)`` in batches, in ids of its own.

    Attributes:
        n_calls: Users and sequences asked about.
        seconds: What the function took for them.
    """

    name: ClassVar[str] = "called"
    settings: CalledSettings

    def __init__(self, user_ids: Tensor, n_items: int, settings: CalledSettings) -> None:
        super().__init__(user_ids, n_items, settings)
        self.histories = Histories(self.n_users, n_items)
        self.users, self.items = np.asarray(settings.users), pd.Index(settings.items)
        self.recommend: Callable[..., Any] | None = None
        self.n_calls, self.seconds, self.has_warned = 0, 0.0, False

    def read(self, interactions: pd.DataFrame) -> None:
        self.histories.read(*self.known_pairs(interactions))

    def answered(self) -> str:
        """A digest of what the function answers now about the users who are ``probed``.

        Raises:
            SettingsError: It cannot be imported.
            DataError: It raises, or what it returns is no answer.
        """
        key, asked, k = self.settings.key, self.users[list(self.settings.probed)], self.settings.probed_for
        raw = Answer(key, asked, self.items).table(self._call(key, self._function, asked, k), k)
        return hashlib.sha256(repr(raw.tolist()).encode()).hexdigest()

    def answers(self, users: np.ndarray, k: int) -> np.ndarray:
        own = self.histories.of(self.rows_of(torch.from_numpy(np.asarray(users, dtype=np.int64))))
        known = own.rows.cpu().numpy(), own.items.cpu().numpy()
        return self._in_batches(self.settings.key, self._function, self.users[users], k, known)

    @property
    def _function(self) -> Callable[..., Any]:
        if self.recommend is None:
            self.recommend = function_of(self.settings.recommend, self.settings.key)
        return self.recommend

    def answers_after(self, sequences: np.ndarray, k: int) -> np.ndarray:
        if self.settings.recommend_sequences is None:
            return super().answers_after(sequences, k)
        key = f"{self.settings.key}_sequences"
        function = function_of(self.settings.recommend_sequences, key)
        rows, places = np.nonzero(sequences != PADDING)
        asked = np.empty(len(sequences), dtype=object)
        asked[:] = [self.items[one[one != PADDING]].tolist() for one in sequences]
        return self._in_batches(key, function, asked, k, (rows, sequences[rows, places]))

    def _in_batches(
        self, key: str, function: Callable[..., Any], asked: np.ndarray, k: int, known: tuple[np.ndarray, np.ndarray]
    ) -> np.ndarray:
        found, n_dropped = np.full((len(asked), k), PADDING, dtype=np.int32), 0
        for start in range(0, len(asked), self.settings.batch):
            part = slice(start, start + self.settings.batch)
            inside = (known[0] >= start) & (known[0] < start + self.settings.batch)
            answer = self._call(key, function, asked[part], k)
            check = Answer(key, asked[part], self.items, self.settings.drop)
            found[part] = check.codes(answer, k, (known[0][inside] - start, known[1][inside]))
            n_dropped += check.n_dropped
        if n_dropped and not self.has_warned:
            self.has_warned = True
            logger.warning(
                "%s: %d of %d places are left out, since their items are unknown or known already; agreement counts "
                "them as missed",
                *(key, n_dropped, found.size),
            )
        return found

    def _call(self, key: str, function: Callable[..., Any], asked: np.ndarray, k: int) -> Any:
        """Calls the user's function.

        Raises:
            DataError: It raises; the message says at which call.
        """
        began = time.perf_counter()
        try:
            return function(asked if asked.dtype != object else list(asked), k)
        except (Exception, SystemExit) as error:
            about = f"{len(asked)} from {asked[0]} on, k={k}, after {self.n_calls} that it answered"
            raise DataError(f"{key}: {type(error).__name__}: {error} (asked about {about})") from error
        finally:
            self.seconds += time.perf_counter() - began
            self.n_calls += len(asked)
