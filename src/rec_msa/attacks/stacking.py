"""Building ensembles: sources from what an attacker knows, and weights from what the target answered."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from rec_msa.attacks import list_votes
from rec_msa.attacks.learner import beliefs, candidates, learn
from rec_msa.attacks.steal import steal
from rec_msa.attacks.whom_to_ask import asked, by_coverage, by_disagreement
from rec_msa.foundation.errors import DataError
from rec_msa.foundation.lists import Lists
from rec_msa.foundation.randomness import stream
from rec_msa.recommenders.checkpoint import Checkpoint, from_checkpoint
from rec_msa.recommenders.ensemble import (
    EVERYBODY,
    Committee,
    Ensemble,
    discounted,
    ensemble_to_checkpoint,
    standardised_outside,
)
from rec_msa.recommenders.ranking import chunks, rank_lists
from rec_msa.training.device import choose_device

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rec_msa.attacks.list_learning import Losses
    from rec_msa.attacks.settings import LearnerSettings, Order, Outside, StealSettings

COMPARED = 50
"""Items of each clone's list where lists are compared."""


@dataclass(frozen=True, eq=False)
class World:
    """What an ensemble is made of.

    Attributes:
        users: Those to rank for, ascending ``[n_users]``; attacker users, and auxiliary ones where these are to be
            ranked for, too.
        known: Their interactions (columns user, item).
        own: Interactions of the attacker users alone (columns user, item).
        auxiliary: Auxiliary interactions (columns user, item); None where there are none.
        n_items: Items of the catalogue.
        device: Where it computes.
    """

    users: np.ndarray
    known: pd.DataFrame
    own: pd.DataFrame
    auxiliary: pd.DataFrame | None
    n_items: int
    device: str = "auto"

    def constants(self) -> dict[str, Tensor]:
        """ln(1 + interactions) of each item, in every source."""
        tables = {"popularity": self.own, "auxiliary popularity": self.auxiliary}
        return {name: self._popularity(table) for name, table in tables.items() if table is not None}

    def _popularity(self, interactions: pd.DataFrame) -> Tensor:
        counts = np.bincount(interactions["item"].to_numpy(), minlength=self.n_items)
        return torch.from_numpy(np.log1p(counts).astype(np.float32))


def world_of(
    attackers: pd.DataFrame,
    own: pd.DataFrame,
    auxiliary: pd.DataFrame | None,
    n_items: int,
    device: str,
    also_rank: int = 0,
) -> World:
    """What an attacker knows (columns user, group; and user, item), who ranks for some auxiliary users, too."""
    users, known = np.sort(attackers["user"].to_numpy()), own
    if also_rank and auxiliary is not None:
        others = auxiliary["user"].unique()[:also_rank]
        users = np.union1d(users, others)
        known = pd.concat([own, auxiliary.loc[auxiliary["user"].isin(others), own.columns]], ignore_index=True)
    return World(users, known, own, auxiliary, n_items, device)


def teach_folds(
    clones: Mapping[str, Checkpoint],
    served: Lists,
    known: pd.DataFrame,
    settings: StealSettings,
    losses: Losses,
    outside: Outside,
    folds: int,
    seed: int,
    device: str = "auto",
) -> tuple[Checkpoint, pd.DataFrame]:
    """Teaches each clone the lists of all queried users but those of one part of them, for each part anew.

    Returns:
        The models of each clone, and for each queried user the part that is not taught the own list; all curves.

    Raises:
        DataError: There are fewer than two users outside some part.
    """
    fold = stream(seed, "learner").permutation(len(served.users)) % folds
    models: dict[str, list[Checkpoint]] = {name: [] for name in clones}
    curves = []
    for (name, clone), part in product(clones.items(), range(folds)):
        others = served.of(served.users[fold != part])
        taught, curve = steal(clone, others, known, settings, losses, seed, device, outside)
        models[name].append(taught)
        curves.append(curve.assign(clone=name, part=part))
    whom = {"users": torch.from_numpy(served.users), "fold": torch.from_numpy(fold)}
    return {"models": models, **whom}, pd.concat(curves, ignore_index=True)


def average(world: World, clones: Mapping[str, Sequence[Checkpoint]]) -> Checkpoint:
    """The mean of standardised scores: of each committee's clones, then of the committees."""
    ensemble = _ensemble(world, _committees(world, clones))
    ensemble.weights = {name: 1 / len(clones) for name in clones}
    return ensemble_to_checkpoint(ensemble, clones)


@torch.no_grad()
def choose(
    world: World, clones: Mapping[str, Sequence[Checkpoint]], attackers: pd.DataFrame, order: Order, fraction: float
) -> pd.DataFrame:
    """The attackers (columns user, group), of whom those are ``queried`` who are worth a question before any is asked.

    They are found by what the clones say of them (``whom_to_ask``); ``random`` takes the first ones.
    """
    allowed = attackers.loc[attackers["group"] == "queried", "user"].to_numpy()
    if order == "random":
        return asked(attackers, allowed, fraction)
    allowed = np.sort(allowed)
    plain = _ensemble(world, _committees(world, clones))
    rows = plain.rows_of(torch.from_numpy(allowed).long())
    if order == "coverage":
        return asked(attackers, allowed[by_coverage(_likeness(plain, rows, tuple(clones)), len(rows))], fraction)
    known = plain.histories.of(rows).dense() > 0
    said = [plain.scores_of(name, rows, known).masked_fill(known, -torch.inf) for name in clones]
    lists = torch.stack([scores.topk(min(COMPARED, world.n_items), dim=1).indices.cpu() for scores in said])
    return asked(attackers, allowed[by_disagreement(lists, world.n_items)], fraction)


def distil(
    ensemble: Checkpoint,
    clone: Checkpoint,
    world: World,
    served: Lists,
    settings: StealSettings,
    losses: Losses,
    outside: Outside,
    seed: int,
) -> tuple[Checkpoint, pd.DataFrame]:
    """Teaches one clone what an ensemble says of everybody in it: a single model with vectors.

    Of queried users it learns what the target served. Some auxiliary users, drawn by the seed, decide which state is
    kept; where there are none, some of all.

    Returns:
        The clone's checkpoint and its curve.
    """
    teacher = from_checkpoint(ensemble, choose_device(world.device))
    teacher.read(world.known)
    said = rank_lists(teacher, world.users, world.known, served.length)
    items = said.items.copy()
    items[np.searchsorted(said.users, served.users)] = served.items
    judges = np.setdiff1d(world.users, world.own["user"].to_numpy())
    taught = Lists(said.users, items)
    return steal(clone, taught, world.known, settings, losses, seed, world.device, outside, judges)


def stack(
    world: World,
    clones: Mapping[str, Sequence[Checkpoint]],
    taught: Checkpoint | None,
    served: Lists,
    settings: LearnerSettings,
    seed: int,
) -> tuple[Checkpoint, pd.DataFrame]:
    """Learns from the served lists which source to believe.

    Args:
        clones: Checkpoints of committees that have seen no list.
        taught: As ``teach_folds`` returns them; None where no clone was taught.
        seed: Draws the folds.

    Returns:
        The ensemble's checkpoint, and how much each source is believed (``learner.beliefs``).

    Raises:
        DataError: Fewer than two lists were served.
    """
    if len(served.users) < 2:  # noqa: PLR2004 - one to learn from, and one to judge
        n = len(served.users)
        raise DataError(f"stacked: {n} lists were served, and nobody is left to judge what is learnt: ask two users")
    committees, checkpoints = _committees(world, clones), dict(clones)
    plain = _ensemble(world, committees)
    lookups = _lookups(plain, served, settings, seed)
    for name, models in (taught or {"models": {}})["models"].items():
        committees[f"taught {name}"] = _taught(world, models, taught or {})
        checkpoints[f"taught {name}"] = models
    ensemble = _ensemble(world, committees, served, lookups, world.constants())
    known = candidates(ensemble, served, max(settings.depth, 2 * served.length))
    ensemble.weights = learn(known, settings, seed)
    sources = {source: ensemble.signals_of_source(source) for source in ensemble.sources}
    return ensemble_to_checkpoint(ensemble, checkpoints), beliefs(known, sources, ensemble.weights, seed)


def _committees(world: World, clones: Mapping[str, Sequence[Checkpoint]]) -> dict[str, Committee]:
    device, n_users = choose_device(world.device), len(world.users)
    return {
        name: Committee.of_all([from_checkpoint(one, device) for one in models], n_users)
        for name, models in clones.items()
    }


def _taught(world: World, models: Sequence[Checkpoint], whom: Checkpoint) -> Committee:
    """Of a queried user the one model speaks that was not taught the own list; of all others all do."""
    speaker = torch.full((len(world.users),), EVERYBODY)
    speaker[np.searchsorted(world.users, whom["users"].numpy())] = whom["fold"].long()
    device = choose_device(world.device)
    return Committee([from_checkpoint(one, device) for one in models], speaker)


def _ensemble(
    world: World,
    committees: Mapping[str, Committee],
    served: Lists | None = None,
    lookups: Mapping[str, Tensor] | None = None,
    constants: Mapping[str, Tensor] | None = None,
) -> Ensemble:
    lists = np.empty((0, 1), np.int32) if served is None else served.items
    users, items = torch.from_numpy(world.users), torch.from_numpy(lists)
    ensemble = Ensemble(users, world.n_items, committees, items, lookups or {}, constants or {})
    ensemble.to(choose_device(world.device))
    ensemble.read(world.known)
    ensemble.take_as_usual()
    return ensemble


@torch.no_grad()
def _lookups(plain: Ensemble, served: Lists, settings: LearnerSettings, seed: int) -> dict[str, Tensor]:
    """Look-ups by likeness of what users have, and of what the clones say of them."""
    queried = plain.rows_of(torch.from_numpy(served.users).long()).cpu()
    by_items = _likeness(plain, queried, ())
    by_clones = _likeness(plain, queried, tuple(plain.committees))
    judge = _Judge(plain, served, seed)
    return {
        "list popularity": list_votes.list_popularity(plain.n_users, queried),
        "nearest by items": list_votes.nearest(by_items, queried, settings.neighbours),
        "nearest by clones": list_votes.nearest(by_clones, queried, settings.neighbours),
        "ridge by items": list_votes.ridge(by_items + 1, queried, judge),
        "ridge by clones": list_votes.ridge(by_clones + 1, queried, judge),
    }


def _likeness(plain: Ensemble, queried: Tensor, committees: Sequence[str]) -> Tensor:
    """Cosines with the queried users ``[n_users, n_queried]``: of what committees say, or of histories."""

    def described(rows: Tensor) -> Tensor:
        known = plain.histories.of(rows).dense() > 0
        if not committees:
            return known.float()
        said = torch.stack([plain.scores_of(name, rows, known) for name in committees]).mean(dim=0)
        return standardised_outside(said, known)

    everyone = torch.arange(plain.n_users, device=plain.device)
    towards = torch.nn.functional.normalize(described(queried.to(plain.device)), dim=1)
    parts = [torch.nn.functional.normalize(described(everyone[part]), dim=1) for part in chunks(plain, plain.n_users)]
    return torch.cat([part @ towards.T for part in parts]).cpu()


class _Judge:
    """How well a look-up's lists agree with the served ones, of some of the queried users."""

    MOST = 500

    def __init__(self, plain: Ensemble, served: Lists, seed: int) -> None:
        chosen = np.sort(stream(seed, "learner").permutation(len(served.users))[: self.MOST])
        self.plain, self.served, self.chosen = plain, served, chosen

    def __call__(self, weights: Tensor) -> float:
        rows = self.plain.rows_of(torch.from_numpy(self.served.users[self.chosen]).long())
        known = self.plain.histories.of(rows).dense() > 0
        lists = torch.from_numpy(self.served.items.astype(np.int64)).to(rows.device)
        listed = discounted(lists, self.plain.n_items)
        scores = (weights[rows.cpu()].to(rows.device) @ listed).masked_fill(known, -torch.inf)
        best = scores.topk(self.served.length, dim=1).indices
        return float((listed[torch.from_numpy(self.chosen).to(rows.device)].gather(1, best) > 0).float().mean())
