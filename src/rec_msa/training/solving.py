"""Learning by solving equations: sweeps instead of steps, the last of which counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from rec_msa.foundation.errors import DataError
from rec_msa.training.fit import Point
from rec_msa.training.probes import RECALL_AT, RecallProbe
from rec_msa.training.progress import TrainingProgress

if TYPE_CHECKING:
    from rec_msa.recommenders.base import SolvedRecommender


def solve(model: SolvedRecommender, train: pd.DataFrame, held_back: pd.DataFrame, title: str) -> pd.DataFrame:
    """Solves a recommender for interactions, which it reads, and measures it after each sweep.

    It is measured on interactions held back, which decide nothing.

    Returns:
        The curve, a row a sweep: step, loss, validation, kept (the last one).

    Raises:
        DataError: There is no interaction.
    """
    if train.empty:
        raise DataError("nothing to train on: there are no interactions")
    model.read(train)
    probe, curve = RecallProbe(model, train, held_back), list[Point]()
    with TrainingProgress(title, f"recall@{RECALL_AT}") as progress:
        for sweep, loss in enumerate(model.solve(), start=1):
            curve.append(Point(sweep, loss, probe()))
            best = max(point.validation for point in curve)
            progress.show(sweep, model.n_sweeps, loss, curve[-1].validation, best)
    return pd.DataFrame(curve).assign(kept=lambda points: points["step"] == model.n_sweeps)
