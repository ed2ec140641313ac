"""BPR of the library implicit: Rendle et al., "BPR: Bayesian personalized ranking from implicit feedback", UAI 2009.

The same seed makes the same model, to the last digit, since it is trained on one thread. Two write over each other's
vectors, and no two fits are alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rec_msa.victims.observed import Observed, require, undisturbed

if TYPE_CHECKING:
    import pandas as pd

    from rec_msa.victims.observed import Recommend

SETTINGS = {"factors": 64, "learning_rate": 0.01, "regularization": 0.02, "iterations": 80}


def fit(interactions: pd.DataFrame, seed: int) -> Recommend:
    """Trains the model on interactions (columns user, item); returns ``recommend(users, k)``."""
    require("implicit")
    from implicit.cpu.bpr import BayesianPersonalizedRanking

    observed = Observed(interactions)
    with undisturbed():
        model = BayesianPersonalizedRanking(**SETTINGS, num_threads=1, random_state=seed)
        model.fit(observed.matrix, show_progress=False)
    return observed.lists_of_vectors(model.user_factors, model.item_factors)
