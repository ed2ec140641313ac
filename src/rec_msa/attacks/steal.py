"""The steal stage (Alg. 1, second loop; Eq. 9-12): teaching a clone the lists that the target served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional as F

from rec_msa.errors import DataError
from rec_msa.interactions.splits import count
from rec_msa.lists import PADDING, Lists
from rec_msa.randomness import stream, torch_stream
from rec_msa.recommenders.checkpoint import Checkpoint, from_checkpoint, to_checkpoint
from rec_msa.recommenders.ranking import best_items, exclusions_of
from rec_msa.training.device import choose_device
from rec_msa.training.fit import fit
from rec_msa.training.interactions import index_pairs, shuffled
from rec_msa.training.negatives import NegativeSampler
from rec_msa.training.probes import are_found
from rec_msa.training.recommender import untrained

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rec_msa.attacks.settings import PairLoss, StealSettings
    from rec_msa.recommenders.base import Recommender
    from rec_msa.recommenders.settings import RecommenderSettings
    from rec_msa.training.fit import Batch

Losses = tuple["PairLoss", "PairLoss"]


def pair_loss(kind: PairLoss, better: Tensor, worse: Tensor, margin: float) -> Tensor:
    """The loss of scores that should be in this order, elementwise (Eq. 9 and 10).

    Args:
        kind: ``bpr``: -ln sigmoid(better - worse); ``hinge``: max(0, margin - (better - worse)).
        better: Scores, any shape.
        worse: Scores that broadcast with them.
        margin: m of the hinge.
    """
    difference = better - worse
    return F.softplus(-difference) if kind == "bpr" else F.relu(margin - difference)


def list_loss(listed: Tensor, outside: Tensor, there: Tensor, losses: Losses, margin: float) -> Tensor:
    """L_S = L_r + L_p of some lists (Eq. 9-12): the sums as they stand, both divided by the number of list places.

    Every place is compared with all of its list's negatives: n_j is the same for each item j of a list.

    Args:
        listed: Scores of the lists' items, best place first ``[n_lists, length]``.
        outside: Scores of each list's negatives ``[n_lists, n]``.
        there: Whether a list has the place; padding has none after it ``[n_lists, length]``.
        losses: Ranking loss and positive-item loss.
        margin: m of the hinge.
    """
    ranking, positive = losses
    in_order = pair_loss(ranking, listed[:, :-1], listed[:, 1:], margin)
    # An item that is not there stands above everything: its loss is 0, and so is its slope.
    above = listed.masked_fill(~there, torch.inf).unsqueeze(2)
    l_p = pair_loss(positive, above, outside.unsqueeze(1), margin).sum()
    return (torch.where(there[:, 1:], in_order, 0.0).sum() + l_p) / there.sum()


class StealTask:
    """Served lists as training terms, and agreement on places or lists held back.

    A step takes whole lists, so that an item is scored once for all the terms that it is in. A list's negatives lie
    outside the list and the user's known history, and are drawn anew in each epoch.

    Args:
        model: The clone; it knows the lists' users.
        lists: The lists to learn from.
        forbidden: Interactions (columns user, item) that are no negatives: whole lists and known histories.
        probe: Measures the clone on what was held back.
        settings: Margin and negatives.
        losses: Ranking loss and positive-item loss.

    Raises:
        DataError: For some user everything is forbidden, so that nothing is a negative.
    """

    def __init__(
        self,
        model: Recommender,
        lists: Lists,
        forbidden: pd.DataFrame,
        probe: AgreementProbe,
        settings: StealSettings,
        losses: Losses,
    ) -> None:
        self.model, self.settings, self.losses, self.probe = model, settings, losses, probe
        self.measure, self.start_counts = probe.measure, probe.start_counts
        taught = lists.of(lists.users[(lists.items != PADDING).any(axis=1)])
        self.rows = model.rows_of(torch.from_numpy(taught.users.astype(np.int64)))
        self.items = torch.from_numpy(taught.items.astype(np.int64)).to(model.device)
        self.n_terms = int((taught.items != PADDING).sum())
        self.sampler = NegativeSampler(*index_pairs(model, forbidden), model.n_users, model.n_items)
        if not bool((self.sampler.unseen[self.rows] > 0).all()):
            msg = (
                "list_length: a served list and its user's history cover the whole catalogue, so nothing is a negative"
            )
            raise DataError(msg)

    def epoch(self, batch_size: int, generator: torch.Generator) -> Iterator[Batch]:
        """Yields (rows ``[n]``, lists ``[n, length]``, negatives ``[n, m]``) of so many places in a new order."""
        negatives = self.sampler.draw(self.rows, self.settings.negatives, generator)
        at_once = max(1, batch_size // self.items.shape[1])
        yield from shuffled((self.rows, self.items, negatives), at_once, generator)

    def loss(self, batch: Batch) -> Tensor:
        """L_S of the lists in a batch, for each of their places."""
        rows, items, negatives = batch
        scores = self.model.score_pairs(rows, torch.cat([items.clamp(min=0), negatives], dim=1))
        listed, outside = scores.tensor_split([items.shape[1]], dim=1)
        return list_loss(listed, outside, items != PADDING, self.losses, self.settings.margin)

    def quality(self) -> float:
        """Agreement on what was held back."""
        return self.probe()


class AgreementProbe:
    """Agreement of a clone's lists with lists held back, some items left out of both.

    Args:
        model: The clone, looked at anew with each call.
        lists: What the clone should say, -1 where a place is not asked for.
        exclude: Interactions (columns user, item) that the clone must not recommend.
        start_counts: Whether the state before the first step may be the best one.

    Raises:
        DataError: No place is asked for.
    """

    def __init__(self, model: Recommender, lists: Lists, exclude: pd.DataFrame, *, start_counts: bool) -> None:
        self.model, self.start_counts = model, start_counts
        self.k = int((lists.items != PADDING).sum(axis=1).max(initial=0))
        self.measure = f"agr@{self.k}"
        users = lists.users.astype(np.int64)
        self.rows = model.rows_of(torch.from_numpy(users))
        self.excluded = exclusions_of(users, exclude, model.device)
        user, place = np.nonzero(lists.items != PADDING)
        if not len(user):
            msg = "list_length: the served lists are so short that no place can be held back; serve longer lists"
            raise DataError(msg)
        keys = user * model.n_items + lists.items[user, place].astype(np.int64)
        self.keys = torch.from_numpy(keys).to(model.device)

    def __call__(self) -> float:
        """Measures the model as it is now: the share of the held-back items among its first k."""
        found = best_items(self.model, self.rows, self.excluded, self.k, fill=self.model.n_items)
        places = torch.arange(len(self.rows), device=found.device)
        return float(are_found(self.keys, places, found, self.model.n_items).double().mean())


def steal(
    clone: Checkpoint,
    served: Lists,
    known: pd.DataFrame,
    settings: StealSettings,
    losses: Losses,
    seed: int,
    device: str = "auto",
) -> tuple[Checkpoint, pd.DataFrame]:
    """Teaches a trained clone the served lists; some of the queried users (``held_back_fraction``) decide when to stop.

    Args:
        clone: Checkpoint of the clone stage.
        served: The lists that the gate served.
        known: D_t (columns user, item): never a negative, never recommended, and the histories of a sequential clone.
        settings: Margin, negatives, held-back share, training loop.
        losses: Ranking loss and positive-item loss.
        seed: The cell's seed.
        device: ``auto``, ``cpu`` or ``cuda``.

    Returns:
        The stolen model's checkpoint and its training curve.

    Raises:
        DataError: Fewer than two users were queried.
    """
    model = from_checkpoint(clone, choose_device(device))
    model.read(known)
    held_back = users_held_back(served.users, settings.held_back_fraction, seed)
    taught = served.of(np.setdiff1d(served.users, held_back))
    probe = AgreementProbe(model, served.of(held_back), known, start_counts=True)
    forbidden = pd.concat([known[["user", "item"]], served.to_frame()[["user", "item"]]], ignore_index=True)
    task = StealTask(model, taught, forbidden, probe, settings, losses)
    curve = fit(model, task, settings.training, torch_stream(seed, "steal"), f"steal {model.name}")
    return to_checkpoint(model), curve


def steal_from_lists_alone(
    architecture: str,
    recommender: RecommenderSettings | dict[str, Any],
    users: np.ndarray,
    n_items: int,
    served: Lists,
    settings: StealSettings,
    losses: Losses,
    seed: int,
    device: str = "auto",
) -> tuple[Checkpoint, pd.DataFrame]:
    """QSD (Yue et al. 2021, as Zhu et al. 2023 apply it): a fresh clone from the served lists, no interactions.

    A part of each list's places is left out of training; the state that ranks these best is kept.

    Args:
        architecture: The clone's architecture.
        recommender: The architecture's settings.
        users: Users that the clone has a vector for; those without a list keep their first one ``[n_users]``.
        n_items: Size of the catalogue.
        served: The lists that the gate served.
        settings: Margin, negatives, held-back places, training loop.
        losses: Ranking loss and positive-item loss.
        seed: The cell's seed.
        device: ``auto``, ``cpu`` or ``cuda``.

    Returns:
        The stolen model's checkpoint and its training curve.

    Raises:
        DataError: The lists are too short to hold a place back, or cover the whole catalogue.
    """
    generator = torch_stream(seed, "steal")
    model = untrained(architecture, recommender, users, n_items, generator, device)
    taught, held_back = places_held_back(served, settings.held_back_places, seed)
    probe = AgreementProbe(model, held_back, taught.to_frame(), start_counts=False)
    task = StealTask(model, taught, served.to_frame(), probe, settings, losses)
    curve = fit(model, task, settings.training, generator, f"steal {architecture} from lists")
    return to_checkpoint(model), curve


def users_held_back(users: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """The queried users whose lists decide when to stop: floor(fraction x n), at least one.

    Raises:
        DataError: Fewer than two users were queried.
    """
    if len(users) < 2:  # noqa: PLR2004 - one to learn from, one to stop by
        msg = (
            f"only {len(users)} user was queried, but stealing needs one to learn from and one to stop by; "
            "raise split.attacker_fraction or query_fraction"
        )
        raise DataError(msg)
    n = max(1, count(fraction, len(users)))
    return np.sort(stream(seed, "steal").permutation(users)[:n])


def places_held_back(lists: Lists, fraction: float, seed: int) -> tuple[Lists, Lists]:
    """Splits each list into places to learn and places held back, both in the served order.

    Returns:
        Two lists of each user, together holding every item once.

    Raises:
        DataError: The lists have fewer than two places.
    """
    n = max(1, count(fraction, lists.length))
    if n >= lists.length:
        msg = f"list_length: {lists.length} leaves no place to learn from once {n} are held back; serve longer lists"
        raise DataError(msg)
    rank = stream(seed, "steal").permuted(np.tile(np.arange(lists.length), (len(lists.users), 1)), axis=1)
    parts = (_kept(lists, rank >= n), _kept(lists, rank < n))
    return parts[0], parts[1]


def _kept(lists: Lists, mask: np.ndarray) -> Lists:
    """Lists with the unmarked places taken out and the rest moved up."""
    items = np.where(mask, lists.items, PADDING)
    order = np.argsort(items == PADDING, axis=1, kind="stable")
    width = int(mask.sum(axis=1).max())
    return Lists(lists.users, np.take_along_axis(items, order, axis=1)[:, :width])
