"""Who is target, auxiliary data and attacker, and which interactions are held out, all by one seed.

Every sample is a prefix of one permutation for each data set and seed, so that the samples of smaller shares are
contained in those of larger ones, and points of a figure are comparable.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, overload

import numpy as np
import pandas as pd

from rec_msa.foundation.errors import DataError, SettingsError
from rec_msa.foundation.randomness import stream

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from rec_msa.interactions.settings import SequenceSettings, SplitSettings

logger = logging.getLogger(__name__)

PARTS = ("target_train", "target_validation", "target_test", "auxiliary_train", "auxiliary_validation")
"""The parts of a split, in the order of their codes."""

_TARGET_TRAIN, _TARGET_VALIDATION, _TARGET_TEST, _AUXILIARY_TRAIN, _AUXILIARY_VALIDATION = range(len(PARTS))


@overload
def count(share: float, n: int) -> int: ...
@overload
def count(share: float, n: NDArray[np.int64]) -> NDArray[np.int64]: ...
def count(share: float, n: int | NDArray[np.int64]) -> int | NDArray[np.int64]:
    """Returns floor(share · n) as decimals have it: 0.29 of 100 is 29, although 0.29 * 100 < 29 in floats.

    Args:
        share: A share in (0, 1].
        n: Of how many; a number, or an array of any shape for as many counts.

    Raises:
        SettingsError: The share is out of range.
    """
    if not 0 < share <= 1:
        raise SettingsError(f"a share of {share} is out of range: it must be above 0 and at most 1")
    counts = np.floor(share * np.asarray(n) * (1 + 1e-12)).astype(np.int64)
    return int(counts) if counts.ndim == 0 else counts


def split_interactions(interactions: pd.DataFrame, settings: SplitSettings, seed: int) -> pd.DataFrame:
    """Divides users into the target and the auxiliary half, and each user's interactions into parts.

    Target users hold out interactions for the test, then for validation; auxiliary users for validation only. Each
    count is floor(share · n), at least 1, but every user keeps at least one interaction for training.

    Args:
        interactions: Columns ``user``, ``item`` and ``timestamp``, without repeated pairs.

    Returns:
        The same rows in their order, with ``part`` (categorical, one of ``PARTS``) and ``user_rank`` (int32), the
        user's place in the random order of its half.

    Raises:
        DataError: There are fewer than two users.
    """
    rng = stream(seed, "split")
    user = _without_gaps(interactions["user"].to_numpy())
    n_of_user = np.bincount(user)
    n_users = len(n_of_user)
    if n_users < 2:  # noqa: PLR2004
        raise DataError(f"{n_users} user can't be split into target and auxiliary users: use more data")
    n_target = max(1, count(settings.target_fraction, n_users))
    place = _places(user, rng)
    is_target = place < n_target
    n_test = np.where(is_target, np.minimum(np.maximum(1, count(settings.test_fraction, n_of_user)), n_of_user - 1), 0)
    n_validation = np.maximum(1, count(settings.validation_fraction, n_of_user))
    n_validation = np.minimum(n_validation, n_of_user - 1 - n_test)
    sizes = np.column_stack([n_test, n_validation, n_of_user - n_test - n_validation])
    codes = np.where(
        is_target[:, None],
        np.array([_TARGET_TEST, _TARGET_VALIDATION, _TARGET_TRAIN], dtype=np.int8),
        np.array([_TARGET_TEST, _AUXILIARY_VALIDATION, _AUXILIARY_TRAIN], dtype=np.int8),  # their test is empty
    )
    part = _dealt(user, np.repeat(codes.ravel(), sizes.ravel()), rng)
    return _as_part(interactions, np.where(is_target, place, place - np.int32(n_target))[user], part)


def split_by_time(
    interactions: pd.DataFrame, settings: SplitSettings, sequence: SequenceSettings, seed: int
) -> pd.DataFrame:
    """Divides users as ``split_interactions`` does, and holds out the end of each user's sequence.

    A target user's last item is the test, the second-last the validation; an auxiliary user's last one is the
    validation. Every user keeps at least one interaction for training.

    Returns:
        The rows sorted by user and in the order of each user's sequence, with ``part`` and ``user_rank`` as
        ``split_interactions`` returns them: whoever reads a sequence later takes the rows as they come.

    Raises:
        DataError: There are fewer than two users, or times are missing where they decide.
    """
    split = split_interactions(in_sequence(interactions, sequence), settings, seed)
    is_target = split["part"].isin(["target_train", "target_validation", "target_test"])
    n, place = split.groupby("user")["item"].transform("size"), split.groupby("user").cumcount()
    from_end = n - 1 - place
    n_test = np.minimum(1, n - 1) * is_target
    n_validation = np.minimum(1, n - 1 - n_test)
    side = np.where(is_target, "target", "auxiliary")
    kind = np.select([from_end < n_test, from_end < n_test + n_validation], ["test", "validation"], "train")
    part = np.char.add(np.char.add(side, "_"), kind)
    return split.assign(part=pd.Categorical(part, categories=list(PARTS)))


def split_served(
    interactions: pd.DataFrame,
    settings: SplitSettings,
    seed: int,
    served: ArrayLike | None = None,
    left_out: ArrayLike | None = None,
    *,
    others: bool = False,
) -> pd.DataFrame:
    """Divides users by what a target was trained on, which was trained elsewhere, on all of its users' interactions.

    Args:
        interactions: As of ``split_interactions``, in the order of each user's sequence where that counts.
        served: The users of whom lists are known, the target's; None: all who are not left out.
        left_out: Users whom the target was not trained on, the auxiliary data.
        others: Half of the target's users stand in for auxiliary users, those whom an attacker knows last.

    Returns:
        As ``split_interactions``, without the rows of users who are neither; those who stand in are there twice.

    Raises:
        DataError: No user is the target's.
    """
    rng, user = stream(seed, "split"), interactions["user"].to_numpy()
    is_auxiliary = np.isin(user, np.asarray([] if left_out is None else left_out, dtype=np.int64))
    is_target = ~is_auxiliary if served is None else np.isin(user, np.asarray(served)) & ~is_auxiliary
    if not is_target.any():
        raise DataError("no user with a list is in the interactions, or all of them are left out of training")
    target = interactions[is_target]
    user = _without_gaps(target["user"].to_numpy())
    rank = _places(user, rng)[user]
    parts = [_as_part(target, rank, np.full(len(target), _TARGET_TRAIN, dtype=np.int8))]
    half = len(np.unique(rank)) // 2
    source = target[rank >= half] if others else interactions[is_auxiliary]
    if len(source):
        user = _without_gaps(source["user"].to_numpy())
        place = rank[rank >= half] - np.int32(half) if others else _places(user, rng)[user]
        n_of_user = np.bincount(user)
        n_validation = np.minimum(np.maximum(1, count(settings.validation_fraction, n_of_user)), n_of_user - 1)
        sizes = np.column_stack([n_validation, n_of_user - n_validation])
        codes = np.tile(np.array([_AUXILIARY_VALIDATION, _AUXILIARY_TRAIN], dtype=np.int8), (len(n_of_user), 1))
        parts.append(_as_part(source, place, _dealt(user, np.repeat(codes.ravel(), sizes.ravel()), rng)))
    return pd.concat(parts, ignore_index=True)


def _places(user: NDArray[np.int32], rng: np.random.Generator) -> NDArray[np.int32]:
    """The place of each user ``[n_users]`` in a random order; users without gaps."""
    n_users = int(user.max()) + 1
    place = np.empty(n_users, dtype=np.int32)
    place[rng.permutation(n_users)] = np.arange(n_users, dtype=np.int32)
    return place


def _as_part(interactions: pd.DataFrame, rank: NDArray[np.int32], codes: NDArray[np.int8]) -> pd.DataFrame:
    part = pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(list(PARTS)))
    return interactions[["user", "item", "timestamp"]].assign(part=part, user_rank=rank)


def in_sequence(interactions: pd.DataFrame, sequence: SequenceSettings) -> pd.DataFrame:
    """Sorts interactions by user and, within a user, by time; equal times stay in the file's order.

    Args:
        interactions: Columns ``user``, ``item`` and ``timestamp``, in the file's order.
        sequence: ``order: file`` keeps the file's order and does not look at times.

    Raises:
        DataError: A time is missing where times decide.
    """
    user = interactions["user"].to_numpy()
    if sequence.order == "file":
        order = np.argsort(user, kind="stable")
    else:
        missing = int(interactions["timestamp"].isna().sum())
        if missing:
            raise DataError(
                f"{missing} of {len(user)} interactions have no time, and a sequential model must know what came "
                "first: use data with times, or, if the rows of the file are in order, --params=sequence.order=file"
            )
        order = np.lexsort((interactions["timestamp"].to_numpy(dtype=np.int64), user))
    return interactions.iloc[order].reset_index(drop=True)


def target_parts(split: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Returns the target's training, validation and test interactions: columns ``user``, ``item``, ``timestamp``."""
    code = split["part"].cat.codes.to_numpy()
    train, validation, test = (_rows(split, code == part) for part in (_TARGET_TRAIN, _TARGET_VALIDATION, _TARGET_TEST))
    return train, validation, test


def auxiliary_parts(split: pd.DataFrame, fraction: float = 1.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns the training and validation interactions of a share of the auxiliary users, each as ``target_parts``.

    Raises:
        SettingsError: The share is not in (0, 1]; smaller ones are contained in larger ones.
    """
    code = split["part"].cat.codes.to_numpy()
    rank = split["user_rank"].to_numpy()
    n_auxiliary = int(rank[code >= _AUXILIARY_TRAIN].max(initial=-1)) + 1
    chosen = rank < max(1, count(fraction, n_auxiliary))
    return _rows(split, chosen & (code == _AUXILIARY_TRAIN)), _rows(split, chosen & (code == _AUXILIARY_VALIDATION))


def attackers(
    split: pd.DataFrame,
    settings: SplitSettings,
    attacker_fraction: float | None = None,
    query_fraction: float = 1.0,
) -> pd.DataFrame:
    """Chooses the attacker users and which of them may be asked about.

    Held-out users come first, and their number follows from the settings alone, so that they are the same whatever
    the two shares of a figure are.

    Args:
        split: What ``split_interactions`` returns.
        settings: The shares of the cell.
        attacker_fraction: Share of the target users that the attacker knows here; by default that of the settings.
            Where it is less than the held-out users it is raised to them, with a warning in the log; then nobody may
            be asked about.
        query_fraction: Share of the attacker users other than the held-out ones who are asked about, in (0, 1].

    Returns:
        Columns ``user`` (int32) and ``group``: ``heldout``, ``queried`` or ``unasked``; in the order of their ranks.

    Raises:
        DataError: There are too few target users for two attacker users, one held out and one asked about.
        SettingsError: A share is out of range.
    """
    targets = _users_by_rank(split)
    n_target = len(targets)
    n_base = count(settings.attacker_fraction, n_target)
    if n_base < 2:  # noqa: PLR2004
        raise DataError(
            f"split.attacker_fraction: {settings.attacker_fraction} of {n_target} target users is {n_base} attacker "
            f"user(s), and one to hold out and one to ask about are needed: {_remedy(n_target)}"
        )
    n_heldout = max(1, count(settings.heldout_fraction, n_base))
    share = settings.attacker_fraction if attacker_fraction is None else attacker_fraction
    n_attackers = count(share, n_target)
    if n_attackers < n_heldout:
        logger.warning(
            "attacker_fraction: %s of %d target users is %d, less than the %d held-out users: raised to these",
            *(share, n_target, n_attackers, n_heldout),
        )
        n_attackers = n_heldout
    n_allowed = n_attackers - n_heldout
    n_queried = min(n_allowed, max(1, count(query_fraction, n_allowed)))
    sizes = [n_heldout, n_queried, n_allowed - n_queried]
    group = np.repeat(np.array(["heldout", "queried", "unasked"], dtype=object), sizes)
    return pd.DataFrame({"user": targets[:n_attackers].astype(np.int32), "group": pd.Series(group, dtype="str")})


def attacker_interactions(split: pd.DataFrame, attackers: pd.DataFrame) -> pd.DataFrame:
    """Returns what the attacker knows of the target data: its users' training interactions, as ``target_parts``."""
    is_train = split["part"].cat.codes.to_numpy() == _TARGET_TRAIN
    return _rows(split, is_train & split["user"].isin(attackers["user"]).to_numpy())


def item_sample(n_items: int, fraction: float, seed: int) -> NDArray[np.int64]:
    """Draws a share of the items, in (0, 1], sorted, one at least; smaller shares are contained in larger ones.

    Raises:
        SettingsError: The share is out of range.
    """
    order = stream(seed, "split-items").permutation(n_items)
    return np.sort(order[: max(1, count(fraction, n_items))])


def _without_gaps(indices: NDArray[np.int32]) -> NDArray[np.int32]:
    """Numbers the indices that occur from 0, in their order."""
    is_there = np.bincount(indices) > 0
    return indices if is_there.all() else (np.cumsum(is_there, dtype=np.int32) - 1)[indices]


def _dealt(user: NDArray[np.int32], parts: NDArray[np.int8], rng: np.random.Generator) -> NDArray[np.int8]:
    """Deals each user's parts to its rows at random ``[n]``, given all parts user by user ``[n]``."""
    lot = rng.permutation(np.arange(len(user), dtype=np.int32))
    # users, and within a user its lots, in order: both as one number, which sorts far quicker than two columns
    n_bits = len(user).bit_length()
    in_turn = user.astype(np.int64)
    in_turn <<= n_bits
    in_turn |= lot
    in_turn.sort()
    in_turn &= (1 << n_bits) - 1
    part_of_lot = np.empty(len(user), dtype=np.int8)
    part_of_lot[in_turn] = parts
    part: NDArray[np.int8] = part_of_lot[lot]
    return part


def _rows(split: pd.DataFrame, chosen: NDArray[np.bool_]) -> pd.DataFrame:
    return split.loc[chosen, ["user", "item", "timestamp"]].reset_index(drop=True)


def _users_by_rank(split: pd.DataFrame) -> NDArray[np.int32]:
    is_target = split["part"].cat.codes.to_numpy() < _AUXILIARY_TRAIN
    user, rank = split["user"].to_numpy()[is_target], split["user_rank"].to_numpy()[is_target]
    users = np.empty(rank.max(initial=-1) + 1, dtype=np.int32)
    users[rank] = user
    return users


def _remedy(n_target: int) -> str:
    if n_target <= 2:  # noqa: PLR2004
        return "use more data, or a smaller min_interactions"
    share = np.ceil(2 / n_target * 1000) / 1000
    return f"set it to {share:g} or more, or use more data"
