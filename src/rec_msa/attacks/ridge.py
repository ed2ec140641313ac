"""A steal stage without gradients: kernel ridge regression on the served lists, on top of a clone that stays as it is.

The clone's standardised scores of a queried user are moved as little as makes its list the served one. What that adds
to each item is predicted for other users from those who are like them, so that nothing which the clone knows is
forgotten. How strongly is chosen by the queried users themselves, each predicted from the others.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from rec_msa.foundation.errors import DataError
from rec_msa.foundation.lists import PADDING, Lists
from rec_msa.recommenders.checkpoint import Checkpoint, from_checkpoint, to_checkpoint
from rec_msa.recommenders.corrected import Corrected, likeness, standardised_of
from rec_msa.training.device import choose_device

if TYPE_CHECKING:
    from collections.abc import Sequence


class Candidate(NamedTuple):
    """A penalty and a strength, and the agreement of queried users who are predicted from the others."""

    penalty: float
    strength: float
    validation: float


@torch.no_grad()
def correct(
    clone: Checkpoint,
    served: Lists,
    known: pd.DataFrame,
    penalties: Sequence[float],
    strengths: Sequence[float],
    device: str = "auto",
) -> tuple[Checkpoint, pd.DataFrame]:
    """Corrects a trained clone by the served lists.

    Args:
        clone: The clone, which is not changed.
        known: D_t (columns user, item): in no list, and the histories of a clone that reads them.
        penalties: Of the regression, lambda.
        strengths: What its predictions are multiplied by.

    Returns:
        The corrected model's checkpoint, and the candidates as a curve: step (0: the clone as it was), loss (none),
        validation (agreement of queried users, each predicted from the others), kept, penalty and strength.

    Raises:
        DataError: Fewer than two users were queried.
    """
    if len(served.users) < 2:  # noqa: PLR2004 - one to be predicted, one to predict from
        raise DataError(
            f"only {len(served.users)} user was queried, but one is predicted from the others; raise "
            "split.attacker_fraction or query_fraction"
        )
    model = from_checkpoint(clone, choose_device(device))
    model.read(known)
    taught = torch.from_numpy(served.users.astype(np.int64))
    scores = standardised_of(model, taught).double()
    out = _known_items(known, served, scores)
    lists = torch.from_numpy(served.items.astype(np.int64)).to(scores.device)
    moves, kernel = least_moves(scores, lists, out), likeness(scores, scores)
    best, curve = _chosen(scores, moves, kernel, lists, out, penalties, strengths)
    corrections = best.strength * solve_ridge(kernel, moves, best.penalty)[0]
    return to_checkpoint(Corrected(model, taught, corrections)), curve


def least_moves(scores: Tensor, lists: Tensor, out: Tensor) -> Tensor:
    """What makes the served lists of scores: an item's new score less its old one ``[n, n_items]``.

    The items of a list of m items get the m highest scores of the user's row, in the list's order; any other that
    stands above the next one, is lowered to it. Items that are ``out`` of the lists, since the user has them, stay.

    Args:
        scores: ``[n, n_items]``.
        lists: ``[n, length]``, padded with -1.
        out: ``[n, n_items]``.
    """
    there = lists != PADDING
    highest = scores.masked_fill(out, -torch.inf).topk(min(lists.shape[1] + 1, scores.shape[1]), dim=1).values
    border = highest.gather(1, there.sum(dim=1, keepdim=True).clamp(max=highest.shape[1] - 1))
    made = torch.where(out, scores, torch.minimum(scores, border))
    # Padding is written to a place of its own, behind the last item.
    made = torch.cat([made, made.new_zeros(len(made), 1)], dim=1)
    made.scatter_(1, torch.where(there, lists, scores.shape[1]), highest[:, : lists.shape[1]])
    return made[:, :-1] - scores


def solve_ridge(kernel: Tensor, moves: Tensor, penalty: float) -> tuple[Tensor, Tensor]:
    """Kernel ridge regression of moves ``[n, n_items]``: A = (K + lambda I)^-1 M, and each user left out of their own.

    Returns:
        The coefficients A, and the moves of each user as the others predict them: m_q - a_q / G_qq with
        G = (K + lambda I)^-1 (Hastie, Tibshirani and Friedman 2009, Eq. 7.64).
    """
    inverse = torch.linalg.inv(kernel + penalty * torch.eye(len(kernel), dtype=kernel.dtype, device=kernel.device))
    coefficients = inverse @ moves
    return coefficients, moves - coefficients / inverse.diagonal().unsqueeze(1)


def _chosen(
    scores: Tensor,
    moves: Tensor,
    kernel: Tensor,
    lists: Tensor,
    out: Tensor,
    penalties: Sequence[float],
    strengths: Sequence[float],
) -> tuple[Candidate, pd.DataFrame]:
    """The best candidate, the clone as it was among them, and all as a curve."""
    predicted = {penalty: solve_ridge(kernel, moves, penalty)[1] for penalty in penalties}
    tried = [Candidate(penalties[0], 0.0, agreement(scores, lists, out))]
    for penalty, strength in product(penalties, strengths):
        moved = scores + strength * predicted[penalty]
        tried.append(Candidate(penalty, strength, agreement(moved, lists, out)))
    best = max(tried, key=lambda one: one.validation)
    curve = pd.DataFrame(tried).rename_axis("step").reset_index()
    return best, curve.assign(loss=float("nan"), kept=curve.index == tried.index(best))


def agreement(scores: Tensor, lists: Tensor, out: Tensor) -> float:
    """The mean share of a list's items among as many items of the highest scores."""
    wanted = torch.zeros(len(scores), scores.shape[1] + 1, dtype=torch.bool, device=scores.device)
    wanted.scatter_(1, torch.where(lists != PADDING, lists, scores.shape[1]), True)
    best = scores.masked_fill(out, -torch.inf).topk(min(lists.shape[1], scores.shape[1]), dim=1).indices
    length = (lists != PADDING).sum(dim=1, keepdim=True)
    first = torch.arange(best.shape[1], device=best.device) < length
    return float(((wanted.gather(1, best) & first).sum(dim=1) / length.squeeze(1).clamp(min=1)).double().mean())


def _known_items(known: pd.DataFrame, served: Lists, scores: Tensor) -> Tensor:
    """Whether a queried user has an item ``[n, n_items]``."""
    out = torch.zeros(scores.shape, dtype=torch.bool, device=scores.device)
    own = known[known["user"].isin(served.users)]
    rows = served.users.searchsorted(own["user"].to_numpy())
    out[torch.from_numpy(rows), torch.from_numpy(own["item"].to_numpy(copy=True)).long()] = True
    return out
