"""The steal stage (Alg. 1, second loop; Eq. 9-12): teaching a clone the lists that the target served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rec_msa.attacks.clone import learnt_of
from rec_msa.attacks.held_back import places_held_back, users_held_back
from rec_msa.attacks.list_learning import TASKS, AgreementProbe, BesideTask, ListTask, ListwiseTask, StealTask
from rec_msa.attacks.prefix_learning import prefix_task
from rec_msa.foundation.lists import Lists
from rec_msa.foundation.randomness import torch_stream
from rec_msa.recommenders.checkpoint import Checkpoint, as_trained, from_checkpoint, to_checkpoint
from rec_msa.recommenders.settings import is_sequential
from rec_msa.training.device import choose_device
from rec_msa.training.fit import fit
from rec_msa.training.recommender import task_of, untrained

if TYPE_CHECKING:
    from rec_msa.attacks.clone import AttackerData
    from rec_msa.attacks.list_learning import Losses
    from rec_msa.attacks.prefixes import PrefixLists
    from rec_msa.attacks.settings import CloneSettings, Outside, StealSettings
    from rec_msa.recommenders.base import GradientRecommender
    from rec_msa.recommenders.settings import RecommenderSettings


def steal(
    clone: Checkpoint,
    served: Lists,
    known: pd.DataFrame,
    settings: StealSettings,
    losses: Losses,
    seed: int,
    device: str = "auto",
    outside: Outside = "sampled",
    judges: np.ndarray | None = None,
) -> tuple[Checkpoint, pd.DataFrame]:
    """Teaches a trained clone the served lists; some of the queried users (``held_back_fraction``) decide when to stop.

    ``known`` is D_t (columns user, item): never a negative, never recommended, and the histories of a sequential clone.
    Where there are ``judges``, users with a list, those who decide are some of them.

    Returns:
        The stolen model's checkpoint and its training curve.

    Raises:
        DataError: Fewer than two users were queried.
    """
    model = as_trained(from_checkpoint(clone, choose_device(device)))
    model.read(known)
    among = served.users if judges is None or not len(judges) else judges
    learnt = _what_is_taught(model, served, known, settings, seed, among)
    task = TASKS[outside](model, *learnt, settings, losses)
    curve = fit(model, task, settings.training, torch_stream(seed, "steal"), f"steal {model.name}")
    return to_checkpoint(model), curve


def _what_is_taught(
    model: GradientRecommender,
    served: Lists,
    known: pd.DataFrame,
    settings: StealSettings,
    seed: int,
    among: np.ndarray | None = None,
) -> tuple[Lists, pd.DataFrame, AgreementProbe]:
    """The lists to learn, what is outside no list (columns user, item), and agreement with those held back."""
    users = served.users if among is None else among
    held_back = users_held_back(users, settings.held_back_fraction, seed)
    taught = served.of(np.setdiff1d(served.users, held_back))
    probe = AgreementProbe(model, served.of(held_back), known, start_counts=True)
    forbidden = pd.concat([known[["user", "item"]], served.to_frame()[["user", "item"]]], ignore_index=True)
    return taught, forbidden, probe


def steal_listwise(
    clone: Checkpoint,
    served: Lists,
    data: AttackerData,
    settings: StealSettings,
    clone_settings: CloneSettings,
    temperature: float,
    own_weight: float,
    seed: int,
    device: str = "auto",
) -> tuple[Checkpoint, pd.DataFrame]:
    """Teaches a trained clone whole lists against the whole catalogue, and what it was trained on beside them.

    Args:
        data: What the clone was trained on: D_t, and the auxiliary interactions where it knows them.
        clone_settings: Of the clone stage: the same interactions are held back.
        temperature: Of the lists' loss, in deviations of a user's scores.
        own_weight: What the clone's own loss counts.

    Returns:
        The stolen model's checkpoint and its training curve.

    Raises:
        DataError: Fewer than two users were queried.
    """
    model, known = as_trained(from_checkpoint(clone, choose_device(device))), data.interactions
    own = task_of(model, *learnt_of(data, clone_settings, seed, last=is_sequential(model.name)))
    model.read(known)
    what = _what_is_taught(model, served, known, settings, seed)
    lists = ListwiseTask(model, *what, settings, ("bpr", "bpr"), temperature=temperature)
    task = BesideTask(lists, own, own_weight) if own_weight else lists
    # The loss falls long after the clone has begun to learn the taught users by heart.
    training = settings.training.model_copy(update={"stop_by": "validation"})
    curve = fit(model, task, training, torch_stream(seed, "steal"), f"steal {model.name} listwise")
    return to_checkpoint(model), curve


def steal_from_lists_alone(
    architecture: str,
    recommender: RecommenderSettings | dict[str, Any],
    users: np.ndarray,
    n_items: int,
    served: Lists | PrefixLists,
    settings: StealSettings,
    losses: Losses,
    seed: int,
    device: str = "auto",
) -> tuple[Checkpoint, pd.DataFrame]:
    """QSD (Yue et al. 2021, as Zhu et al. 2023 apply it): a fresh clone from the served lists, no interactions.

    A part of each list's places is left out of training; the state that ranks these best is kept. The clone has a
    vector for each of ``users``, those without a list keep their first one; or the evaluator will ask a sequential
    clone about them, whose histories are not known here.

    Returns:
        The stolen model's checkpoint and its training curve.

    Raises:
        SettingsError: The clone's architecture reads no sequences, or shorter ones than were made.
        DataError: The lists are too short to hold a place back, or cover the whole catalogue.
    """
    generator = torch_stream(seed, "steal")
    model = as_trained(untrained(architecture, recommender, users, n_items, generator, device))
    if isinstance(served, Lists):
        task: ListTask = _user_task(model, served, settings, losses, seed)
    else:  # what is learnt of prefixes comes slowly: after 500 steps of little the loss still has much to fall
        settings = settings.waiting(settings.prefix_patience)
        task = prefix_task(model, served, settings, losses, seed)
    curve = fit(model, task, settings.training, generator, f"steal {architecture} from lists")
    return to_checkpoint(model), curve


def _user_task(
    model: GradientRecommender, served: Lists, settings: StealSettings, losses: Losses, seed: int
) -> StealTask:
    taught, held_back = places_held_back(served, settings.held_back_places, seed)
    probe = AgreementProbe(model, held_back, taught.to_frame(), start_counts=False)
    return StealTask(model, taught, served.to_frame(), probe, settings, losses)
