"""Training a recommender on interactions: the task that fits its kind, and models from scratch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rec_msa.foundation.randomness import torch_stream
from rec_msa.recommenders.base import SolvedRecommender
from rec_msa.recommenders.checkpoint import Checkpoint, as_trained, build, from_checkpoint, to_checkpoint
from rec_msa.recommenders.ranking import rank_lists
from rec_msa.recommenders.sequential import SequentialRecommender
from rec_msa.training.device import choose_device
from rec_msa.training.fit import fit
from rec_msa.training.interactions import InteractionTask
from rec_msa.training.sequences import SequenceTask
from rec_msa.training.solving import solve

if TYPE_CHECKING:
    import pandas as pd

    from rec_msa.foundation.lists import Lists
    from rec_msa.recommenders.base import GradientRecommender, Recommender
    from rec_msa.recommenders.settings import RecommenderSettings
    from rec_msa.training.fit import Task
    from rec_msa.training.settings import TrainingSettings


def untrained(
    architecture: str,
    recommender: RecommenderSettings | dict[str, Any],
    users: np.ndarray,
    n_items: int,
    generator: torch.Generator,
    device: str = "auto",
) -> Recommender:
    """A recommender for users in any order, its parameters drawn on the CPU, on the device where it will learn."""
    model = build(architecture, torch.from_numpy(np.unique(users)), n_items, recommender)
    model.initialise(generator)
    return model.to(choose_device(device))


def task_of(model: GradientRecommender, train: pd.DataFrame, held_back: pd.DataFrame) -> Task:
    """What a model learns from interactions (columns user, item): single ones, or each user's rows as a sequence."""
    if isinstance(model, SequentialRecommender):
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
    """Trains a recommender on interactions, by its equations or by its own loss; returns the training curve."""
    if isinstance(model, SolvedRecommender):
        return solve(model, train, held_back, title)
    return fit(as_trained(model), task_of(as_trained(model), train, held_back), settings, generator, title)


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
        train: Training interactions (columns user, item); their users are the model's.
        validation: Interactions of the same users that decide when to stop.
        role: ``target``, ``retrain`` or ``auxiliary``: the random stream, and what the progress bar says.

    Returns:
        The checkpoint of the best state, and the training curve.
    """
    generator = torch_stream(seed, role)
    model = untrained(architecture, recommender, train["user"].unique(), n_items, generator, device)
    curve = fit_interactions(model, train, validation, settings, generator, f"{role} {architecture}")
    return to_checkpoint(model), curve


def lists_of(
    checkpoint: Checkpoint, users: np.ndarray, known: pd.DataFrame, list_length: int, device: str = "auto"
) -> Lists:
    """What a trained model recommends to users, their interactions (columns user, item) read and left out."""
    model = from_checkpoint(checkpoint, choose_device(device))
    model.read(known)
    return rank_lists(model, users, known, list_length)
