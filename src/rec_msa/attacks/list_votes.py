"""Look-ups in the served lists: how much each list counts for a user, who never has a say in the own list's favour.

All of them are matrices of weights ``[n_users, n_queried]``: an item scores the weights of the lists that hold it. Of a
queried user the own list counts nothing, so that a look-up says of queried users what it would say of others, and a
learner may hold it against their lists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Judge = Callable[[Tensor], float]
    """How good a look-up's weights are, by lists of queried users alone; higher is better."""

STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""Of ridge regression, as shares of the mean of the kernel's diagonal."""


def list_popularity(n_users: int, queried: Tensor) -> Tensor:
    """Every list counts the same. ``queried`` are the rows of the queried users ``[n_queried]``."""
    return _without_own(torch.full((n_users, len(queried)), 1 / len(queried)), queried)


def nearest(likeness: Tensor, queried: Tensor, neighbours: int) -> Tensor:
    """The lists of the most alike queried users count by their likeness ``[n_users, n_queried]``, if it is above 0."""
    others = likeness.clone()
    others[queried, torch.arange(len(queried))] = -torch.inf
    best, lists = others.topk(min(neighbours, len(queried)), dim=1)
    return torch.zeros_like(likeness).scatter_(1, lists, best.clamp(min=0))


def ridge(kernel: Tensor, queried: Tensor, judge: Judge, strengths: Sequence[float] = STRENGTHS) -> Tensor:
    """Kernel ridge regression of lists on what is known of their users; its strength is what the judge likes best.

    With K the kernel among the queried and G = (K + lambda I)^-1 the prediction for a user is k G Y. For queried user i
    it is that of the regression without i, in closed form: y_i - (G Y)_i / G_ii, which counts list j by -G_ij / G_ii.
    Source: Rasmussen and Williams, "Gaussian processes for machine learning", 2006, Eq. 5.12.

    Args:
        kernel: Likeness of all users with the queried ``[n_users, n_queried]``, symmetric and positive among these.
        queried: Rows of the queried users ``[n_queried]``.
        judge: Chooses the strength.
        strengths: Those to choose from.
    """
    among = kernel[queried].double()
    values, vectors = torch.linalg.eigh((among + among.T) / 2)
    of_each = (_ridge(kernel, queried, values, vectors, float(among.diagonal().mean()) * one) for one in strengths)
    return max(of_each, key=judge)


def _ridge(kernel: Tensor, queried: Tensor, values: Tensor, vectors: Tensor, strength: float) -> Tensor:
    inverse = (vectors / (values.clamp(min=0) + strength)) @ vectors.T
    weights = kernel.double() @ inverse
    weights[queried] = -inverse / inverse.diagonal().unsqueeze(1)
    return _without_own(weights.float(), queried)


def _without_own(weights: Tensor, queried: Tensor) -> Tensor:
    weights[queried, torch.arange(len(queried))] = 0
    return weights
