"""Which source to believe, learnt from the queried users' lists: the super learner of an ensemble.

Source: van der Laan, Polley and Hubbard, "Super learner", Statistical Applications in Genetics and Molecular Biology 6,
2007. What a source says of a queried user must not come from that user's list; ``Ensemble`` sees to that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from rec_msa.foundation.lists import PADDING
from rec_msa.foundation.randomness import stream
from rec_msa.recommenders.ranking import chunks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rec_msa.attacks.settings import LearnerSettings
    from rec_msa.foundation.lists import Lists
    from rec_msa.recommenders.ensemble import Ensemble

    Floats = NDArray[np.float32]
    Weights = dict[str, float]


@dataclass(frozen=True, eq=False)
class Candidates:
    """Items that some source ranks high for a queried user, with what all sources signal.

    Attributes:
        names: The signals.
        user: The place of the user among the queried ``[n]``, ascending.
        signals: ``[n, n_signals]``.
        listed: Whether the served list holds the item ``[n]``.
        length: Places in a list.
    """

    names: tuple[str, ...]
    user: NDArray[np.int64]
    signals: Floats
    listed: NDArray[np.bool_]
    length: int

    def of(self, users: NDArray[np.int64]) -> Candidates:
        """Those of some of the users."""
        kept = np.isin(self.user, users)
        return Candidates(self.names, self.user[kept], self.signals[kept], self.listed[kept], self.length)

    def agreement(self, weights: Weights) -> float:
        """The share of listed items among each user's best by weighted signals; a mean over users."""
        scores = self.signals @ np.array([weights.get(name, 0.0) for name in self.names], dtype=np.float32)
        order = np.lexsort((-scores, self.user))
        start = np.flatnonzero(np.diff(self.user, prepend=-1))
        place = np.arange(len(order)) - np.repeat(start, np.diff(start, append=len(order)))
        return float(self.listed[order][place < self.length].sum()) / (self.length * len(start))


@torch.no_grad()
def candidates(ensemble: Ensemble, served: Lists, depth: int) -> Candidates:
    """The ``depth`` best items of each source for each queried user, in lists or not."""
    rows = ensemble.rows_of(torch.from_numpy(served.users).long())
    names = tuple(name for source in ensemble.sources for name in ensemble.signals_of_source(source))
    parts = [_candidates(ensemble, served, rows, part, names, depth) for part in chunks(ensemble, len(rows))]
    user, signals, listed = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Candidates(names, user, signals, listed, served.length)


def _candidates(
    ensemble: Ensemble, served: Lists, rows: torch.Tensor, part: slice, names: Sequence[str], depth: int
) -> tuple[NDArray[np.int64], Floats, NDArray[np.bool_]]:
    known = ensemble.histories.of(rows[part]).dense() > 0
    found, chosen = dict(ensemble.signals(rows[part], names)), torch.zeros_like(known)
    for source in ensemble.sources:
        best = found[source].masked_fill(known, -torch.inf).topk(min(depth, ensemble.n_items), dim=1).indices
        chosen.scatter_(1, best, True)
    chosen &= ~known
    signals = torch.stack([found[name][chosen] for name in names], dim=1)
    row, item = torch.nonzero(chosen, as_tuple=True)
    lists = torch.from_numpy(served.items[part].astype(np.int64)).to(item.device)
    held = torch.zeros(len(known), ensemble.n_items + 1, dtype=torch.bool, device=item.device)
    held.scatter_(1, torch.where(lists == PADDING, ensemble.n_items, lists), True)
    return (row + part.start).cpu().numpy(), signals.cpu().numpy(), held[row, item].cpu().numpy()


def fit(known: Candidates, names: Sequence[str], strength: float) -> Weights:
    """Weights of chosen signals by logistic regression on whether an item is listed, L2 on signals of variance 1.

    Args:
        strength: scikit-learn's C, the inverse of the penalty's weight.
    """
    from sklearn.linear_model import LogisticRegression

    signals = known.signals[:, [known.names.index(name) for name in names]]
    spread = np.maximum(signals.std(axis=0), 1e-9)
    learnt = LogisticRegression(C=strength, tol=1e-3, max_iter=500).fit(signals / spread, known.listed)
    return dict(zip(names, (learnt.coef_[0] / spread).tolist(), strict=True))


def learn(known: Candidates, settings: LearnerSettings, seed: int) -> Weights:
    """The weights of all signals; the penalty is the one whose weights agree best with users left out of learning."""
    n_users = int(known.user.max()) + 1
    folds = min(settings.folds, n_users)
    fold = stream(seed, "learner").permutation(n_users) % folds

    def quality(strength: float) -> float:
        agreed = 0.0
        for one in range(folds):
            learnt = fit(known.of(np.flatnonzero(fold != one)), known.names, strength)
            agreed += known.of(np.flatnonzero(fold == one)).agreement(learnt)
        return agreed

    return fit(known, known.names, max(settings.strengths, key=quality))


def beliefs(known: Candidates, sources: dict[str, tuple[str, ...]], weights: Weights, seed: int) -> pd.DataFrame:
    """How much each source is believed, and what it is worth on half of the queried users, learnt from the others.

    Returns:
        A row a source: source; weight, its part in the spread of the scores; agreement of it ``alone``, of all others
        ``without`` it, and of all ``together``.
    """
    half = stream(seed, "learner").permutation(int(known.user.max()) + 1) % 2
    learnt, tested = (known.of(np.flatnonzero(half == one)) for one in (0, 1))

    def worth(names: Sequence[str]) -> float:
        return tested.agreement(fit(learnt, names, 1.0)) if names else float("nan")

    told = {source: _spread(known, names, weights) for source, names in sources.items()}
    rows = [
        {
            "source": source,
            "weight": told[source] / max(sum(told.values()), 1e-9),
            "alone": worth(names),
            "without": worth([name for name in known.names if name not in names]),
            "together": worth(known.names),
        }
        for source, names in sources.items()
    ]
    return pd.DataFrame(rows).sort_values("weight", ascending=False, ignore_index=True)


def _spread(known: Candidates, names: Sequence[str], weights: Weights) -> float:
    columns = [known.names.index(name) for name in names]
    return float((known.signals[:, columns] @ np.array([weights.get(name, 0.0) for name in names])).std())
