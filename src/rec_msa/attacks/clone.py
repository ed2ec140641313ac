"""The clone stage (Alg. 1, first loop): a clone from the attacker's own data; the target is never seen.

It depends on dataset, seed, clone architecture and attacker data alone, so all targets, defenses and losses share it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from rec_msa.foundation.errors import DataError
from rec_msa.foundation.randomness import stream, torch_stream
from rec_msa.interactions.splits import count
from rec_msa.recommenders.checkpoint import (
    Checkpoint,
    as_fusable,
    build,
    fuse,
    item_vectors,
    load_auxiliary,
    to_checkpoint,
)
from rec_msa.recommenders.settings import is_sequential
from rec_msa.training.device import choose_device
from rec_msa.training.recommender import fit_interactions

if TYPE_CHECKING:
    from rec_msa.attacks.settings import CloneSettings
    from rec_msa.attacks.stages import Variant
    from rec_msa.recommenders.base import Recommender
    from rec_msa.recommenders.settings import RecommenderSettings


class AttackerData(NamedTuple):
    """What the attacker has at the clone stage.

    Attributes:
        interactions: D_t, the attacker users' training interactions (columns user, item).
        auxiliary_model: Checkpoint of the auxiliary model, for the variants fused, pretrained and mean.
        auxiliary_interactions: Auxiliary interactions, for the variant joint.
        known_items: Items whose auxiliary vector may be used ``[n_known]``; all where None.
    """

    interactions: pd.DataFrame
    n_items: int
    auxiliary_model: Checkpoint | None = None
    auxiliary_interactions: pd.DataFrame | None = None
    known_items: np.ndarray | None = None


def train_clone(
    variant: Variant,
    data: AttackerData,
    architecture: str,
    recommender: RecommenderSettings | dict[str, Any],
    settings: CloneSettings,
    seed: int,
    device: str = "auto",
    start: int = 0,
) -> tuple[Checkpoint, pd.DataFrame]:
    """Trains a clone on the attacker's data with the model's own loss.

    Args:
        variant: Where item embeddings come from: ``own``; ``fused`` with the auxiliary ones by attention (Eq. 5-8);
            ``mean``, fused half and half; ``pretrained``, started from the auxiliary item vectors; ``joint``, own, but
            trained on auxiliary interactions too.
        start: Which of several clones of the same data: each has a random stream of its own, so other first vectors
            and batches, and holds other interactions back.

    Returns:
        The clone's checkpoint and its training curve.

    Raises:
        DataError: The variant needs auxiliary data or an auxiliary model that is not there, or no attacker user has
            enough interactions to hold one back.
    """
    if variant == "joint" and data.auxiliary_interactions is None:
        raise DataError("the clone variant 'joint' needs auxiliary interactions")
    role = f"clone-{start}" if start else "clone"
    learnt = data if variant == "joint" else data._replace(auxiliary_interactions=None)
    train, held_back = learnt_of(learnt, settings, seed, last=is_sequential(architecture), role=role)
    users = torch.from_numpy(np.union1d(train["user"].to_numpy(), data.interactions["user"].to_numpy()))
    generator = torch_stream(seed, role)
    clone = build(architecture, users, data.n_items, recommender)
    if variant in ("fused", "mean"):
        fuse(clone, attention=variant == "fused")
    clone.initialise(generator)
    _use_auxiliary(clone, variant, data)
    clone.to(choose_device(device))
    curve = fit_interactions(clone, train, held_back, settings.training, generator, f"clone {architecture} {variant}")
    return to_checkpoint(clone), curve


def learnt_of(
    data: AttackerData, settings: CloneSettings, seed: int, *, last: bool, role: str = "clone"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What a clone is trained on, auxiliary interactions too where there are any, and what is held back of D_t."""
    train, held_back = hold_back(data.interactions, settings, seed, last=last, role=role)
    if data.auxiliary_interactions is not None:
        train = pd.concat([train, data.auxiliary_interactions[["user", "item"]]], ignore_index=True)
    return train, held_back


def _use_auxiliary(clone: Recommender, variant: Variant, data: AttackerData) -> None:
    if variant in ("own", "joint"):
        return
    if data.auxiliary_model is None:
        raise DataError(f"the clone variant '{variant}' needs an auxiliary model")
    if variant == "pretrained":
        with torch.no_grad():
            for table, vectors in zip(as_fusable(clone).tables(), item_vectors(data.auxiliary_model), strict=True):
                table.weight.copy_(vectors)
        return
    known = np.arange(data.n_items) if data.known_items is None else data.known_items
    load_auxiliary(clone, data.auxiliary_model, torch.from_numpy(np.isin(np.arange(data.n_items), known)))


def hold_back(
    interactions: pd.DataFrame, settings: CloneSettings, seed: int, *, last: bool = False, role: str = "clone"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Splits D_t (columns user, item) into what trains the clone and what decides when it stops.

    Of every user with ``held_back_from`` or more interactions, the share ``held_back_fraction`` (at least one) is held
    back, drawn from the seed's stream of a role; or the ``last`` rows: a sequence with holes is none that the user had.

    Raises:
        DataError: No user has enough interactions to hold one back.
    """
    n_rows = len(interactions)
    order = np.arange(n_rows)[::-1] if last else stream(seed, role).permutation(n_rows)
    shuffled = interactions.iloc[order]
    by_user = shuffled.groupby("user", sort=False)["item"]
    n, place = by_user.transform("size"), by_user.cumcount()
    held = (n >= settings.held_back_from) & (place < np.maximum(1, count(settings.held_back_fraction, n.to_numpy())))
    if not held.any():
        raise DataError(
            f"clone.held_back_from: no attacker user has {settings.held_back_from} interactions, so nothing can decide "
            "when to stop; lower it or take more attacker users (split.attacker_fraction)"
        )
    mask = np.empty(len(held), dtype=bool)
    mask[order] = held.to_numpy()
    return interactions[~mask], interactions[mask]
