"""Sequences: a user's interactions in order, and the end of each held out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rec_msa.foundation.errors import DataError
from rec_msa.interactions.splits import PARTS, split_interactions

if TYPE_CHECKING:
    from rec_msa.interactions.settings import SequenceSettings, SplitSettings


def split_by_time(
    interactions: pd.DataFrame, settings: SplitSettings, sequence: SequenceSettings, seed: int
) -> pd.DataFrame:
    """Divides users as ``split_interactions`` does, and holds out the end of each user's sequence.

    A target user's last item is the test, the second-last the validation; an auxiliary user's last one is the
    validation. Every user keeps at least one interaction for training.

    Args:
        interactions: Columns ``user``, ``item`` and ``timestamp``, without repeated pairs.
        settings: The shares of users.
        sequence: What puts a user's interactions in order.
        seed: The cell's seed.

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
