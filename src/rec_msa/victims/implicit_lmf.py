"""LMF of the library implicit: Johnson, "Logistic matrix factorization for implicit feedback data", 2014.

The same seed makes the same model, to the last digit: vectors are drawn and updated one after the other, on one thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rec_msa.victims.observed import train_implicit

if TYPE_CHECKING:
    import pandas as pd

    from rec_msa.victims.observed import Recommend

SETTINGS = {"factors": 64, "learning_rate": 1.0, "regularization": 6.0, "neg_prop": 30, "iterations": 30}


def fit(interactions: pd.DataFrame, seed: int) -> Recommend:
    """Trains the model on interactions (columns user, item); returns ``recommend(users, k)``."""
    return train_implicit("lmf", "LogisticMatrixFactorization", SETTINGS, interactions, seed)
