"""Learning from interactions: the model's own loss, stopped by Recall@50 on interactions held back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from rec_msa.errors import DataError
from rec_msa.randomness import torch_stream
from rec_msa.recommenders.checkpoint import Checkpoint, build, to_checkpoint
from rec_msa.recommenders.ranking import Exclusions, best_items
from rec_msa.recommenders.sequential import SequentialRecommender
from rec_msa.training.device import choose_device
from rec_msa.training.fit import fit
from rec_msa.training.negatives import NegativeSampler

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from rec_msa.recommenders.base import Recommender
    from rec_msa.recommenders.settings import RecommenderSettings
    from rec_msa.training.fit import Batch, Task
    from rec_msa.training.settings import TrainingSettings

RECALL_AT = 50
PROBED_USERS = 10_000


class InteractionTask:
    """Batches of interactions with sampled negatives, and Recall@50 on interactions held back.

    Negatives lie outside the training interactions alone: held-back ones are possible negatives, else they would leak.

    Args:
        model: The recommender to train.
        train: Interactions (columns user, item) of users that the model knows.
        held_back: Interactions that decide when to stop.
    """

    measure = f"recall@{RECALL_AT}"
    start_counts = True

    def __init__(self, model: Recommender, train: pd.DataFrame, held_back: pd.DataFrame) -> None:
        self.model = model
        rows, items = by_row(*index_pairs(model, train))
        self.sampler = NegativeSampler(rows, items, model.n_users, model.n_items)
        useful = self.sampler.unseen[rows] > 0
        self.rows, self.items = rows[useful], items[useful]
        if not len(self.rows):
            msg = "nothing to train on: there are no interactions, or every user has interacted with every item"
            raise DataError(msg)
        self.n_terms = len(self.rows)
        self.validation = RecallProbe(model, (rows, items), index_pairs(model, held_back))

    def epoch(self, batch_size: int, generator: torch.Generator) -> Iterator[Batch]:
        """Yields (rows ``[batch]``, positives ``[batch]``, negatives ``[batch, n]``) in a new order."""
        negatives = self.sampler.draw(self.rows, self.model.settings.negatives, generator)
        yield from shuffled((self.rows, self.items, negatives), batch_size, generator)

    def loss(self, batch: Batch) -> Tensor:
        """The recommender's own loss."""
        return self.model.loss(*batch)

    def quality(self) -> float:
        """Recall@50 on the held-back interactions."""
        return self.validation()


class RecallProbe:
    """Recall@50 of a model on chosen interactions, its training items left out; a mean over users.

    Of more than ``PROBED_USERS`` users every second, third ... counts, so that a look's cost has a bound.

    Args:
        model: The recommender, looked at anew with each call.
        known: Rows and items ``[n_pairs]`` that are not recommended.
        held_back: Rows and items ``[n_held]`` that should be.
    """

    def __init__(self, model: Recommender, known: tuple[Tensor, Tensor], held_back: tuple[Tensor, Tensor]) -> None:
        self.model = model
        self.k = min(RECALL_AT, model.n_items)
        users = torch.unique(held_back[0])
        self.rows = users[:: -(-len(users) // PROBED_USERS)].contiguous() if len(users) else users
        asked = torch.isin(held_back[0], self.rows)
        held_back = held_back[0][asked], held_back[1][asked]
        place = torch.searchsorted(self.rows, held_back[0])
        inside = torch.isin(known[0], self.rows)
        self.excluded = Exclusions(torch.searchsorted(self.rows, known[0][inside]), known[1][inside], len(self.rows))
        self.keys = place * model.n_items + held_back[1]
        counts = torch.bincount(place, minlength=len(self.rows))
        self.weights = 1.0 / (counts[place] * len(self.rows)).double()

    def __call__(self) -> float:
        """Measures the model as it is now; 0 where nothing was held back."""
        if not len(self.rows):
            return 0.0
        found = best_items(self.model, self.rows, self.excluded, self.k, fill=self.model.n_items)
        places = torch.arange(len(self.rows), device=found.device).unsqueeze(1)
        hits = torch.isin(self.keys, (places * self.model.n_items + found)[found < self.model.n_items])
        return float(self.weights[hits].sum())


def index_pairs(model: Recommender, interactions: pd.DataFrame) -> tuple[Tensor, Tensor]:
    """Rows and items ``[n]`` of interactions on the model's device."""
    users, items = (torch.from_numpy(interactions[name].to_numpy(np.int64, copy=True)) for name in ("user", "item"))
    return model.rows_of(users), items.to(model.device)


def by_row(rows: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
    """Terms in the order of their rows: a sampler that goes through its keys in order finds them in the cache."""
    order = torch.argsort(rows, stable=True)
    return rows[order], *(values[order] for values in others)


def shuffled(terms: Sequence[Tensor], batch_size: int, generator: torch.Generator) -> Iterator[Batch]:
    """Batches of an epoch's terms, tensors of one length, in a new order."""
    order = torch.randperm(len(terms[0]), generator=generator).to(terms[0].device)
    yield from (tuple(values.index_select(0, batch) for values in terms) for batch in order.split(batch_size))


def task_of(model: Recommender, train: pd.DataFrame, held_back: pd.DataFrame) -> Task:
    """What a model learns from interactions (columns user, item): single ones, or each user's rows as a sequence."""
    if isinstance(model, SequentialRecommender):
        from rec_msa.training.sequences import SequenceTask

        return SequenceTask(model, train, held_back)
    return InteractionTask(model, train, held_back)


def fit_interactions(
    model: Recommender,
    train: pd.DataFrame,
    held_back: pd.DataFrame,
    settings: TrainingSettings,
    generator: torch.Generator,
    title: str,
) -> pd.DataFrame:
    """Trains a recommender on interactions with its own loss; returns the training curve."""
    return fit(model, task_of(model, train, held_back), settings, generator, title)


def train_recommender(
    architecture: str,
    recommender: RecommenderSettings | dict[str, Any],
    train: pd.DataFrame,
    validation: pd.DataFrame,
    n_items: int,
    settings: TrainingSettings,
    seed: int,
    role: str,
    device: str = "auto",
) -> tuple[Checkpoint, pd.DataFrame]:
    """Trains a recommender from scratch: the target, its retrained twin or an auxiliary model.

    Args:
        architecture: A key of ``RECOMMENDERS``.
        recommender: The architecture's settings.
        train: Training interactions (columns user, item); their users are the model's.
        validation: Interactions of the same users that decide when to stop.
        n_items: Size of the catalogue.
        settings: The training loop.
        seed: The cell's seed.
        role: ``target``, ``retrain`` or ``auxiliary``: the random stream, and what the progress bar says.
        device: ``auto``, ``cpu`` or ``cuda``.

    Returns:
        The checkpoint of the best state, and the training curve.
    """
    generator = torch_stream(seed, role)
    users = torch.from_numpy(np.unique(train["user"].to_numpy(np.int64)))
    model = build(architecture, users, n_items, recommender)
    model.initialise(generator)
    model.to(choose_device(device))
    curve = fit_interactions(model, train, validation, settings, generator, f"{role} {architecture}")
    return to_checkpoint(model), curve
