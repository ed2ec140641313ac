"""Item neighbours of the library LensKit: Deshpande and Karypis, ACM TOIS 22 (2004). Needs Python 3.12.5 or newer.

There is no chance in it: every seed makes the same model, so a retrained twin serves the same lists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rec_msa.victims.observed import Observed, require, undisturbed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rec_msa.victims.observed import Recommend

SETTINGS = {"max_nbrs": 20, "feedback": "implicit"}


def fit(interactions: pd.DataFrame, seed: int) -> Recommend:
    """Trains the model on interactions (columns user, item); returns ``recommend(users, k)``."""
    require("lenskit")
    from lenskit.data import ItemList, RecQuery, from_interactions_df
    from lenskit.knn import ItemKNNScorer
    from lenskit.training import TrainingOptions

    observed = Observed(interactions)
    pairs = observed.matrix.tocoo()
    data = from_interactions_df(pd.DataFrame({"user_id": pairs.row, "item_id": pairs.col}))
    model = ItemKNNScorer(**SETTINGS)
    with undisturbed():
        model.train(data, TrainingOptions(rng=seed))
    catalogue = ItemList(item_ids=np.arange(len(observed.items)), vocabulary=data.items)

    def score(rows: NDArray[np.intp]) -> NDArray[np.float64]:
        histories = (ItemList(item_ids=observed.matrix[row].indices, vocabulary=data.items) for row in rows)
        scores = [model(RecQuery(history_items=own), catalogue).scores() for own in histories]
        return np.nan_to_num(np.array(scores, dtype=np.float64))  # an item without a neighbour has no score

    return observed.lists_by(score)
