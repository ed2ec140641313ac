"""A clone's lists and vectors, in the ids of the raw file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from rec_msa.attacks.settings import CloneSettings
from rec_msa.interactions import DatasetSettings


def read_histories(
    dataset_settings: DatasetSettings, items: pd.DataFrame, dataset: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Reads histories of any users from a file; items that the clone does not know are left out.

    ``dataset`` is what the file is called where its settings are read, so that another file makes other lists.

    Returns:
        Interactions (columns user, item) and the users' own ids (columns user, raw_user).
    """
    from rec_msa.interactions.reading.own import read_own
    from rec_msa.interactions.vocabulary import codes_of

    raw, _ = read_own("export.histories", dataset_settings)
    item = codes_of(raw["item"], items["raw_item"], "item", "export.histories", None)
    user, raw_users = pd.factorize(raw["user"][item >= 0], sort=True)
    pairs = pd.DataFrame({"user": user.astype(np.int32), "item": item[item >= 0].astype(np.int32)}).drop_duplicates()
    return pairs, pd.DataFrame({"user": np.arange(len(raw_users)), "raw_user": raw_users})


def export_clone(
    clone_model: dict[str, Any],
    attacker_train: pd.DataFrame,
    users: pd.DataFrame,
    items: pd.DataFrame,
    clone_settings: CloneSettings,
    list_length: int,
    device: str,
    seed: int,
    histories: pd.DataFrame | None = None,
    history_users: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A clone's lists for the attacker users, or for the users of other histories, and its vectors; in raw ids.

    Returns:
        Lists (columns user, rank, item) and vectors (columns side, table, id, vector; no row where it has none).
    """
    from rec_msa.recommenders.checkpoint import from_checkpoint, to_checkpoint
    from rec_msa.recommenders.ranking import rank_lists
    from rec_msa.recommenders.vectors import vectors_of
    from rec_msa.training.device import choose_device
    from rec_msa.training.fold_in import fold_in

    if histories is None or history_users is None:
        known, named = attacker_train, users
        model = from_checkpoint(clone_model, choose_device(device))
        model.read(known)
    else:
        known, named = histories, history_users
        model = fold_in(clone_model, known, clone_settings.training, seed, device)
    lists = rank_lists(model, known["user"].unique(), known, list_length).to_frame()
    lists["user"] = named["raw_user"].to_numpy()[lists["user"]]
    lists["item"] = items["raw_item"].to_numpy()[lists["item"]]
    return lists, vectors_of(to_checkpoint(model), named["raw_user"], items["raw_item"])
