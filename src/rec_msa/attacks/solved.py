"""References that are known models in closed form: ``ease`` and ``ials`` on what the attacker knows.

They need neither the target's architecture nor an answer, and take seconds. ``ease`` and ``ials`` know D_t alone, as
``ptd`` does; ``ease_joint`` and ``ials_joint`` the auxiliary interactions, too, as ``pta_joint``.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rec_msa.attacks.settings import SOLVED_REFERENCES
from rec_msa.foundation.randomness import torch_stream
from rec_msa.recommenders.base import SolvedRecommender
from rec_msa.recommenders.ranking import rank_lists
from rec_msa.training.recommender import untrained

if TYPE_CHECKING:
    from rec_msa.attacks.references import Knowledge
    from rec_msa.attacks.settings import ReferenceSettings
    from rec_msa.foundation.lists import Lists
    from rec_msa.recommenders.settings import RecommenderSettings

logger = logging.getLogger(__name__)


def solved_references(
    known: Knowledge, list_length: int, settings: ReferenceSettings, seed: int, device: str = "auto"
) -> dict[str, Lists]:
    """The lists of each of ``SOLVED_REFERENCES`` for all attacker users, by name.

    Those of ``ease`` are left out, and it is said, where the catalogue is larger than ``ease_items``.
    """
    names: tuple[str, ...] = SOLVED_REFERENCES
    if known.n_items > settings.ease_items:
        logger.warning(
            "references.ease_items: ease is left out of the references: %d items are more than %d and would take %d GB",
            *(known.n_items, settings.ease_items, round(24 * known.n_items**2 / 1e9)),
        )
        names = tuple(name for name in names if not name.startswith("ease"))
    both = pd.concat([known.attacker_train, known.auxiliary_train], ignore_index=True)
    ranked = {}
    for name in names:
        architecture, _, joint = name.partition("_")
        of_model: RecommenderSettings = getattr(settings, architecture)
        interactions = both if joint else known.attacker_train
        ranked[name] = solved_lists(known, interactions, architecture, of_model, list_length, seed, device)
    return ranked


def solved_lists(
    known: Knowledge,
    interactions: pd.DataFrame,
    architecture: str,
    settings: RecommenderSettings,
    list_length: int,
    seed: int,
    device: str = "auto",
) -> Lists:
    """Solves a recommender for interactions (columns user, item), and ranks with it for all attacker users."""
    users = np.union1d(known.users, interactions["user"].to_numpy())
    generator = torch_stream(seed, "references")
    model = untrained(architecture, settings, users, known.n_items, generator, device)
    if not isinstance(model, SolvedRecommender):
        raise TypeError(f"'{architecture}' solves no equations")
    model.read(interactions[["user", "item"]])
    for _ in model.solve():
        pass
    return rank_lists(model, known.users, known.attacker_train, list_length)
