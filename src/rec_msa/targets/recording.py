"""Targets that others trained as checkpoints: recorded lists, a function to ask, the lists of a fitted model."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from rec_msa.foundation.errors import DataError, RecMsaError, SettingsError
from rec_msa.foundation.functions import function_of
from rec_msa.foundation.lists import Lists
from rec_msa.foundation.randomness import stream
from rec_msa.interactions.vocabulary import codes_of
from rec_msa.recommenders.called import Called
from rec_msa.recommenders.checkpoint import Checkpoint, from_checkpoint, to_checkpoint
from rec_msa.recommenders.recorded import Recorded
from rec_msa.recommenders.settings import CalledSettings, RecordedSettings

if TYPE_CHECKING:
    from rec_msa.targets.settings import TargetSettings

logger = logging.getLogger(__name__)

SHORTEST = 2
"""Items that a list needs: the steal stage learns which of two stands first."""

PROBED = 20
"""Users about whom a function is asked, to see whether it answers as before."""
AGAIN_S = 60
"""Seconds that it may take to see whether the same seed makes the same model."""


def coded_lists(lists: pd.DataFrame, users: pd.DataFrame, items: pd.DataFrame, target: str, drop: bool) -> pd.DataFrame:
    """Lists in our numbers; users with fewer than two items are left out, with a warning.

    Args:
        lists: Columns user and item, ids as in the file, user by user, best first.
        users: Columns user (ours) and raw_user.
        items: Columns item (ours) and raw_item.
        target: The target's key under ``targets``, for messages.
        drop: Whether users and items without an interaction are left out instead of refused.

    Returns:
        Columns user, rank (from 1), item: a row for each place.

    Raises:
        DataError: Ids are of another kind than those of the interactions, some have no interaction, or no list is left.
    """
    key, remedy = f"targets.{target}", None if drop else f"targets.{target}.unknown: drop"
    codes = {
        "user": codes_of(lists["user"], users["raw_user"], "user", key, remedy),
        "item": codes_of(lists["item"], items["raw_item"], "item", key, remedy),
    }
    table = pd.DataFrame(codes)[(codes["user"] >= 0) & (codes["item"] >= 0)]
    n_items = table.groupby("user")["item"].transform("size")
    if (n_items < SHORTEST).any():
        n_short = int(table.loc[n_items < SHORTEST, "user"].nunique())
        logger.warning("targets.%s: %d users have a list of one item, and are left out", target, n_short)
        table = table[n_items >= SHORTEST]
    if table.empty:
        raise DataError(f"targets.{target}.lists: no user has a list of two items or more")
    rank = table.groupby("user").cumcount().to_numpy() + 1
    return table.assign(rank=rank.astype(np.int16))[["user", "rank", "item"]].reset_index(drop=True)


def coded_users(raw_users: pd.Series, users: pd.DataFrame, target: str, drop: bool) -> pd.DataFrame:
    """Users whom a file names, in our numbers (column user); refused as those of lists are."""
    remedy = None if drop else f"targets.{target}.unknown: drop"
    codes = codes_of(raw_users, users["raw_user"], "user", f"targets.{target}.auxiliary", remedy)
    return pd.DataFrame({"user": np.unique(codes[codes >= 0]).astype(np.int32)})


def record(
    lists: pd.DataFrame, target_train: pd.DataFrame, n_items: int, list_length: int, target: str, drop_known: bool
) -> Checkpoint:
    """A target that serves recorded lists (columns user, rank, item).

    Args:
        target_train: What its users have already (columns user, item); they are the target's users.
        list_length: Items that it is to serve.
        target: Its key, for messages.
        drop_known: Whether items that a user has already are left out of the list instead of refused.

    Raises:
        DataError: A user of the target has no list, or one with an item that the user has already, or nothing else.
        SettingsError: Most lists are shorter than asked for.
    """
    users = np.unique(target_train["user"].to_numpy())
    missing = np.setdiff1d(users, lists["user"].to_numpy())
    if len(missing):
        raise DataError(
            f"targets.{target}.lists: {len(missing)} of the target's {len(users)} users have no list; record one for "
            "each, or leave auxiliary: split out, after which the users with lists are the target's"
        )
    kept = lists[lists["user"].isin(users)]
    keys = kept["user"].to_numpy().astype(np.int64) * n_items + kept["item"].to_numpy()
    known = np.isin(keys, target_train["user"].to_numpy().astype(np.int64) * n_items + target_train["item"].to_numpy())
    if known.any():
        if not drop_known:
            raise DataError(
                f"targets.{target}.lists: {known.sum()} places of {len(known)} hold an item that the user has already; "
                f"targets.{target}.known: drop leaves these out"
            )
        kept = kept[~known]
        kept = kept.assign(rank=kept.groupby("user").cumcount().to_numpy() + 1)
        if n_empty := len(users) - kept["user"].nunique():
            raise DataError(
                f"targets.{target}.lists: {n_empty} users have in their list nothing but what they have already; leave "
                "these users out of the file"
            )
    require_length(kept, list_length, target)
    return _recorded(Lists.from_frame(kept), n_items)


def require_length(lists: pd.DataFrame, list_length: int, target: str) -> None:
    """Refuses to serve more items than most of the lists have (``SettingsError``, with the length to choose)."""
    lengths = lists.groupby("user").size()
    if (typical := int(lengths.median())) < list_length:
        raise SettingsError(
            f"list_length: {list_length} is more than the {typical} items that half of the lists of targets.{target} "
            f"have at most; set --params=list_length={typical}"
        )
    if n_shorter := int((lengths < list_length).sum()):
        logger.warning(
            "targets.%s: %d of %d lists have fewer than %d items; agreement counts their missing places as missed",
            *(target, n_shorter, len(lengths), list_length),
        )


def call(
    settings: TargetSettings, target: str, users: pd.DataFrame, items: pd.DataFrame, target_train: pd.DataFrame, k: int
) -> Checkpoint:
    """A target that is asked by calling a function; it is asked about a few users first, to see that it answers.

    Args:
        settings: Its settings, with ``recommend``.
        users: Columns user and raw_user.
        items: Columns item and raw_item.
        target_train: What its users have already (columns user, item).
        k: Items that it will be asked for.

    Raises:
        SettingsError: The function cannot be imported.
        DataError: Its answer is none.
    """
    assert settings.recommend is not None
    ids = np.unique(target_train["user"].to_numpy())
    key = f"targets.{target}.recommend"
    model = _called(settings, key, settings.recommend, users, items, target_train)
    probed = ids[:: -(-len(ids) // PROBED)]
    model.answers(probed, k)
    model.settings = model.settings.model_copy(update={"probed": tuple(probed.tolist()), "probed_for": k})
    final = model.settings.model_copy(update={"answered": model.answered()})
    return to_checkpoint(Called(model.user_ids, model.n_items, final))


def answers_as_before(checkpoint: Checkpoint) -> bool:
    """Whether a target that is asked by calling a function answers as it did when this checkpoint was made.

    It is asked about the users who were asked about then; whoever cannot be asked does not.
    """
    try:
        model = from_checkpoint(checkpoint)
        return isinstance(model, Called) and model.answered() == model.settings.answered
    except RecMsaError:
        return False


@dataclass(frozen=True)
class Fitting:
    """A function of the user's own that trains a target.

    Attributes:
        settings: The target's settings, with ``fit``.
        target: Its key.
        users: Columns user and raw_user.
        items: Columns item and raw_item.
    """

    settings: TargetSettings
    target: str
    users: pd.DataFrame
    items: pd.DataFrame

    def checkpoint(self, target_train: pd.DataFrame, seed: int, role: str) -> Checkpoint:
        """Trains the target, and records the lists of all of its users.

        Args:
            target_train: What it is trained on (columns user, item, perhaps timestamp).
            seed: The cell's seed.
            role: ``target``, or ``retrain`` for another start.

        Raises:
            SettingsError: The function cannot be imported.
            DataError: It raises, or what it returns does not answer as it must.
        """
        return _recorded(self._lists(target_train, _start(seed, role)), len(self.items))

    def checked(self, target_train: pd.DataFrame, seed: int) -> tuple[Checkpoint, bool | None]:
        """The target, and whether a second training with the same seed serves the same lists; warns where not.

        Where training takes longer than ``AGAIN_S``, two trainings on some of the users are compared, as many as take
        about so long together. None where it cannot be trained on so few.
        """
        began = time.perf_counter()
        lists = self._lists(target_train, _start(seed, "target"))
        took = time.perf_counter() - began
        if lists.length < self.settings.depth:
            logger.warning("%s: lists have %d items, since one user has all others", self._key, lists.length)
        return _recorded(lists, len(self.items)), self._repeats(lists, target_train, seed, took)

    def _repeats(self, lists: Lists, train: pd.DataFrame, seed: int, took: float) -> bool | None:
        start = _start(seed, "target")
        try:
            if took > AGAIN_S:
                n_some = max(2, int(AGAIN_S / 2 / took * len(lists.users)))
                some = stream(seed, "trained-again").permutation(lists.users)[:n_some]
                train = train[train["user"].isin(some)]
                lists = self._lists(train, start)
            again = self._lists(train, start)
        except DataError as error:
            logger.warning("%s: whether the same seed makes the same model is not known: %s", self._key, error)
            return None
        if n_others := int((lists.items != again.items).any(axis=1).sum()):
            logger.warning(
                "%s is not deterministic: trained twice with one seed it serves %d of %d users other lists; figures "
                "are of the first training; seed all that it draws, and train on one thread",
                *(self._key, n_others, len(lists.users)),
            )
        return not n_others

    @property
    def _key(self) -> str:
        return f"targets.{self.target}.fit"

    def _lists(self, target_train: pd.DataFrame, start: int) -> Lists:
        assert self.settings.fit is not None
        function = function_of(self.settings.fit, self._key)
        tables = {"user": self.users, "item": self.items}
        own = {side: table[f"raw_{side}"].to_numpy()[target_train[side]] for side, table in tables.items()}
        try:
            recommend = function(target_train.assign(**own), start)
        except (Exception, SystemExit) as error:
            raise DataError(f"{self._key}: {type(error).__name__}: {error} (in training with seed {start})") from error
        if not callable(recommend):
            raise DataError(f"{self._key} returned {type(recommend).__name__}, not a function recommend(users, k)")
        model = _called(self.settings, self._key, self.settings.fit, self.users, self.items, target_train)
        model.recommend = recommend
        # A library knows the items that it was trained on, and of them each user has some.
        left = target_train["item"].nunique() - int(target_train["user"].value_counts().max())
        if left < SHORTEST:
            raise DataError(
                f"{self._key}: one user has all items but {max(left, 0)}, so no list can be served; leave that user out"
            )
        ids = model.user_ids.numpy()
        return Lists(ids, model.answers(ids, min(self.settings.depth, left)))


def _start(seed: int, role: str) -> int:
    return int(stream(seed, role).integers(2**31))


def _called(
    settings: TargetSettings, key: str, name: str, users: pd.DataFrame, items: pd.DataFrame, target_train: pd.DataFrame
) -> Called:
    """A function in the form of a recommender that has read what its users have already."""
    called = CalledSettings(
        key=key,
        recommend=name,
        recommend_sequences=settings.recommend_sequences,
        batch=settings.batch,
        users=tuple(users["raw_user"].tolist()),
        items=tuple(items["raw_item"].tolist()),
        drop=tuple(name for name in ("unknown", "known") if getattr(settings, name) == "drop"),
    )
    ids = np.unique(target_train["user"].to_numpy())
    model = Called(torch.from_numpy(ids.astype(np.int64)), len(items), called)
    model.read(target_train)
    return model


def _recorded(lists: Lists, n_items: int) -> Checkpoint:
    model = Recorded(torch.from_numpy(lists.users.astype(np.int64)), n_items, RecordedSettings(length=lists.length))
    model.record(lists)
    return to_checkpoint(model)
