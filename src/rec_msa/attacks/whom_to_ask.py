"""Whom to ask where not all may be asked about: an order of the users by what an attacker knows without an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rec_msa.interactions.splits import count

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


def asked(attackers: pd.DataFrame, order: np.ndarray, fraction: float) -> pd.DataFrame:
    """The attackers (columns user, group), those asked about being the first of an order of them.

    Args:
        attackers: Group ``queried`` may be asked about.
        order: Their user ids, those to ask first in front ``[n_allowed]``.
        fraction: Share of them to ask.
    """
    n = min(len(order), max(1, count(fraction, len(order))))
    whom, allowed = attackers["user"].isin(order[:n]), attackers["group"] == "queried"
    return attackers.assign(group=attackers["group"].where(~allowed | whom, "unasked"))


def by_coverage(likeness: Tensor, n: int) -> Tensor:
    """Greedily whoever makes everybody's most alike asked user most alike (facility location).

    The greedy choice reaches 1 - 1/e of the best one. Source: Nemhauser, Wolsey and Fisher, 1978.

    Args:
        likeness: Of all users with those who may be asked ``[n_users, n_allowed]``.

    Returns:
        Columns of ``likeness`` in the order of asking ``[n]``.
    """
    covered, order = torch.zeros(len(likeness), 1), list[int]()
    for _ in range(n):
        gain = (likeness - covered).clamp_(min=0).sum(0)
        gain[order] = -torch.inf
        order.append(int(gain.argmax()))
        covered = torch.maximum(covered, likeness[:, order[-1:]])
    return torch.tensor(order)


def by_disagreement(lists: Tensor, n_items: int) -> Tensor:
    """Users by how little the lists that several models make of them share, the least first.

    Args:
        lists: Of each model ``[n_models, n_allowed, length]``.

    Returns:
        Places of users in the order of asking ``[n_allowed]``.
    """
    n_models, n_users, length = lists.shape
    votes = torch.zeros(n_users, n_items)
    for one in lists:
        votes.scatter_add_(1, one, torch.ones(one.shape))
    # Pairs of models that share an item: the more, the more agree.
    shared = (votes * (votes - 1)).sum(1) / max(1, n_models * (n_models - 1) * length)
    return shared.argsort(stable=True)
