"""BPR of the library implicit: Rendle et al., "BPR: Bayesian personalized ranking from implicit feedback", UAI 2009.

The same seed makes the same model, to the last digit, since it is trained on one thread. Two write over each other's
vectors, and no two fits are alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rec_msa.victims.observed import train_implicit

if TYPE_CHECKING:
    import pandas as pd

    from rec_msa.victims.observed import Recommend

SETTINGS = {"factors": 64, "learning_rate": 0.01, "regularization": 0.02, "iterations": 80}


def fit(interactions: pd.DataFrame, seed: int) -> Recommend:
    """Trains the model on interactions (columns user, item); returns ``recommend(users, k)``."""
    return train_implicit("bpr", "BayesianPersonalizedRanking", SETTINGS, interactions, seed)
