"""LMF of the library implicit: Johnson, "Logistic matrix factorization for implicit feedback data", 2014.

The same seed makes the same model, to the last digit: vectors are drawn and updated one after the other, on one thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rec_msa.victims.observed import Observed, require, undisturbed

if TYPE_CHECKING:
    import pandas as pd

    from rec_msa.victims.observed import Recommend

SETTINGS = {"factors": 64, "learning_rate": 1.0, "regularization": 6.0, "neg_prop": 30, "iterations": 30}


def fit(interactions: pd.DataFrame, seed: int) -> Recommend:
    """Trains the model on interactions (columns user, item); returns ``recommend(users, k)``."""
    require("implicit")
    from implicit.cpu.lmf import LogisticMatrixFactorization

    observed = Observed(interactions)
    with undisturbed():
        model = LogisticMatrixFactorization(**SETTINGS, num_threads=1, random_state=seed)
        model.fit(observed.matrix, show_progress=False)
    return observed.lists_of_vectors(model.user_factors, model.item_factors)
