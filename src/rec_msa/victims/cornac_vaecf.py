"""Mult-VAE of the library cornac: Liang et al., "Variational autoencoders for collaborative filtering", WWW 2018.

The same seed makes the same model on one machine; torch's sums may differ in their last digits on another one.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np

from rec_msa.victims.observed import Observed, require, undisturbed

if TYPE_CHECKING:
    import pandas as pd

    from rec_msa.victims.observed import Recommend

SETTINGS = {"k": 64, "autoencoder_structure": [200], "n_epochs": 100, "batch_size": 100, "learning_rate": 0.001}


def fit(interactions: pd.DataFrame, seed: int) -> Recommend:
    """Trains the model on interactions (columns user, item); returns ``recommend(users, k)``."""
    require("cornac")
    from cornac.data import Dataset
    from cornac.models import VAECF

    observed = Observed(interactions)
    pairs = observed.matrix.tocoo()
    names = [OrderedDict((place, place) for place in range(n)) for n in pairs.shape]
    data = Dataset(*pairs.shape, *names, (pairs.row, pairs.col, pairs.data), seed=seed)
    model = VAECF(**SETTINGS, seed=seed)
    with undisturbed():
        model.fit(data)
    return observed.lists_by(lambda rows: np.stack([model.score(row) for row in rows]))
