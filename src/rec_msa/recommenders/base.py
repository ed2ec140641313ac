"""What a recommender is: it ranks; some also learn by gradients, some solve equations, some can be fused."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rec_msa.foundation.errors import QueryError, SettingsError
from rec_msa.recommenders.histories import Histories

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from rec_msa.recommenders.items import ItemTable
    from rec_msa.recommenders.settings import GradientSettings, RecommenderSettings


class Recommender(nn.Module, ABC):
    """What ranks a fixed catalogue for a fixed set of users; the gate, the probes and the evaluation ask no more.

    Users are known by their global ids (``user_ids``, sorted) and addressed inside by their row. Items are global.
    """

    name: ClassVar[str]
    user_ids: Tensor

    def __init__(self, user_ids: Tensor, n_items: int, settings: RecommenderSettings) -> None:
        super().__init__()
        self.settings = settings
        self.n_items = n_items
        self.register_buffer("user_ids", user_ids.long())

    @property
    def n_users(self) -> int:
        """Number of known users."""
        return len(self.user_ids)

    @property
    def device(self) -> torch.device:
        """The device that holds the parameters."""
        return self.user_ids.device

    @property
    def on_cpu(self) -> bool:
        """Whether the parameters are on the CPU: whether its cache is a limit, and reading a number back is free."""
        return self.device.type == "cpu"

    @property
    def floats_per_score(self) -> int:
        """Temporary numbers for each (user, item) in ``score_all``, for memory budgets."""
        return 2

    def rows_of(self, users: Tensor) -> Tensor:
        """Rows of global user ids ``[n]``.

        Raises:
            QueryError: A user is unknown to this model.
        """
        users = users.to(self.device)
        rows = torch.searchsorted(self.user_ids, users).clamp_(max=self.n_users - 1)
        strangers = users[self.user_ids[rows] != users]
        if len(strangers):
            raise QueryError(f"user {int(strangers[0])} is unknown to this {self.name} model of {self.n_users} users")
        return rows

    def pairs(self, interactions: pd.DataFrame) -> tuple[Tensor, Tensor]:
        """Rows and items ``[n]`` of interactions (columns user, item) in their order.

        Raises:
            QueryError: A user is unknown to this model.
        """
        users, items = (torch.from_numpy(interactions[name].to_numpy(np.int64, copy=True)) for name in ("user", "item"))
        return self.rows_of(users), items.to(self.device)

    def known_pairs(self, interactions: pd.DataFrame) -> tuple[Tensor, Tensor]:
        """The pairs of known users, strangers left out."""
        return self.pairs(interactions[interactions["user"].isin(self.user_ids.cpu().numpy())])

    def read(self, interactions: pd.DataFrame) -> None:
        """Takes interactions as the histories of their users, where a model knows users by histories.

        They have the columns user, item, each user's rows in the order of the sequence. Users without a row here keep
        what was read of them before; strangers are left out.
        """

    def initialise(self, generator: torch.Generator) -> None:
        """Draws every parameter anew from the stream, where there are any."""

    @abstractmethod
    def score_all(self, users: Tensor) -> Tensor:
        """Scores of the full catalogue: rows ``[batch]`` give ``[batch, n_items]``."""


class AnsweringRecommender(Recommender):
    """What answers with lists and shows no scores."""

    @abstractmethod
    def answers(self, users: np.ndarray, k: int) -> np.ndarray:
        """The lists of users: global ids ``[n]``, ascending, give items ``[n, k]``, -1 at the end of shorter ones."""

    def answers_after(self, sequences: np.ndarray, k: int) -> np.ndarray:
        """The lists after sequences ``[n, l]``, -1 at the end of shorter ones, in the form of ``answers``.

        Raises:
            SettingsError: It does not read sequences.
        """
        raise SettingsError(f"model: a {self.name} target without recommend_sequences knows users alone")

    def score_all(self, users: Tensor) -> Tensor:
        raise TypeError(f"a {self.name} model answers with lists and has no scores")


class SolvedRecommender(Recommender):
    """A recommender that solves equations for the histories that it has read, in one sweep or several."""

    def __init__(self, user_ids: Tensor, n_items: int, settings: RecommenderSettings) -> None:
        super().__init__(user_ids, n_items, settings)
        self.histories = Histories(self.n_users, n_items)

    @property
    def n_sweeps(self) -> int:
        """How many sweeps there are."""
        return 1

    def read(self, interactions: pd.DataFrame) -> None:
        self.histories.read(*self.known_pairs(interactions))

    @abstractmethod
    def solve(self) -> Iterator[float]:
        """Learns from the interactions that were read; yields the loss for each of them after each sweep."""


class DotLoss(NamedTuple):
    """A loss of p . q and biases alone, for which there are compiled gradients.

    Attributes:
        users: Vectors p ``[n_users, d]``.
        items: Vectors q ``[n_items, d]``.
        user_bias: ``[n_users]``, if any.
        item_bias: ``[n_items]``, if any.
        l2: As of ``regularised_dots``.
        pairwise: Whether positives are set against negatives, as BPR does; else it is the cross-entropy of each.
    """

    users: nn.Parameter
    items: nn.Parameter
    user_bias: nn.Parameter | None
    item_bias: nn.Parameter | None
    l2: float
    pairwise: bool


class GradientRecommender(Recommender):
    """A recommender with a loss whose gradients train it; the scores of pairs have gradients, too."""

    settings: GradientSettings

    @abstractmethod
    def initialise(self, generator: torch.Generator) -> None:
        """Draws every parameter anew from the stream."""

    def row_parameters(self) -> list[nn.Parameter]:
        """Parameters that the loss reads row by row and in no other way; large ones may get row-sparse updates."""
        return []

    def dot_loss(self) -> DotLoss | None:
        """What the loss is made of, where it is made of nothing else."""
        return None

    @abstractmethod
    def loss(self, users: Tensor, positives: Tensor, negatives: Tensor) -> Tensor:
        """The model's own training loss, a mean over its terms.

        Args:
            users: Rows ``[batch]``.
            positives: Items that the users interacted with ``[batch]``.
            negatives: Sampled items ``[batch, settings.n_sampled]``.
        """

    @abstractmethod
    def score_pairs(self, users: Tensor, items: Tensor) -> Tensor:
        """Scores of chosen items: rows ``[batch]`` and items ``[batch, m]`` give ``[batch, m]``."""


class FusableRecommender(GradientRecommender):
    """A recommender with item tables, each of which may be fused with an auxiliary model's."""

    item_tables: ClassVar[tuple[str, ...]] = ("items",)
    """Names of the attributes that hold an item embedding; fusion replaces each."""

    def tables(self) -> list[ItemTable]:
        """The item embeddings, in the order of ``item_tables``."""
        return [getattr(self, name) for name in self.item_tables]

    def item_vectors(self) -> list[Tensor]:
        """The vectors ``[n_items, d]`` that this model scores with, in the order of ``item_tables``."""
        return [table.weight.detach() for table in self.tables()]

    @property
    def floats_per_score(self) -> int:
        return sum(table.floats_per_score for table in self.tables())

    def initialise(self, generator: torch.Generator) -> None:
        """Draws every parameter anew from the stream.

        The attention of fused tables has a stream of its own, so that a fused clone starts, shuffles and samples
        exactly as a plain one does.
        """
        self._draw(generator)
        aside = torch.Generator().manual_seed(generator.initial_seed() + 1)
        for table in self.tables():
            table.draw_attention(aside)

    @abstractmethod
    def _draw(self, generator: torch.Generator) -> None:
        """Draws all parameters but the attention's."""


def squared_norms(*vectors: Tensor) -> Tensor:
    """Sum over the arguments of the mean squared norm of their last axis."""
    return torch.stack([v.square().sum(-1).mean() for v in vectors]).sum()


def cross_entropy(scores: Tensor) -> Tensor:
    """Mean binary cross-entropy of log-odds ``[batch, 1 + n]``, the positive first, the others negatives."""
    wrong = torch.cat([-scores[:, :1], scores[:, 1:]], dim=1)
    return -F.logsigmoid(-wrong).mean()
