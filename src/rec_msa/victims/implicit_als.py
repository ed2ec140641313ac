"""ALS of the library implicit: Hu, Koren and Volinsky, ICDM 2008.

The same seed makes the same model, to the last digit: each vector is solved for by itself, on one thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rec_msa.victims.observed import train_implicit

if TYPE_CHECKING:
    import pandas as pd

    from rec_msa.victims.observed import Recommend

SETTINGS = {"factors": 64, "regularization": 10.0, "alpha": 1.0, "iterations": 15}


def fit(interactions: pd.DataFrame, seed: int) -> Recommend:
    """Trains the model on interactions (columns user, item); returns ``recommend(users, k)``."""
    return train_implicit("als", "AlternatingLeastSquares", SETTINGS, interactions, seed)
