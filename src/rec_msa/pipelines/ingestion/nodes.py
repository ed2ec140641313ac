"""From the raw file to interactions, and from interactions to the seed's splits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rec_msa import interactions as domain
from rec_msa.interactions import DatasetSettings, RawFile, SequenceSettings, SplitSettings
from rec_msa.targets.settings import LISTS, TargetSettings

FEWEST_KNOWN = 8
"""Users known to an attacker of an audit, however small the share: two of them are held out."""


def acquire_raw_file(dataset_settings: DatasetSettings, raw_folder: str, dataset: str) -> dict[str, Any]:
    """Finds the raw file, or fetches, checks and keeps it; returns its name and its checksum."""
    return domain.acquire(dataset, dataset_settings, Path(raw_folder)).to_dict()


def read_raw_interactions(raw_file: dict[str, Any], dataset_settings: DatasetSettings, raw_folder: str) -> pd.DataFrame:
    """Reads users, items and times as they stand in the raw file, which must be the one that was described."""
    with domain.verified(RawFile.from_dict(raw_file), dataset_settings, Path(raw_folder)) as raw:
        return domain.read_raw(raw, dataset_settings)


def filter_and_index(
    raw_interactions: pd.DataFrame, dataset_settings: DatasetSettings
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Drops repeats, takes the k-core, replaces ids by indices; returns interactions, users, items, statistics."""
    interactions, users, items, repeats = domain.prepare(raw_interactions, dataset_settings)
    return interactions, users, items, domain.describe(interactions) | domain.summarise(raw_interactions, repeats)


def split_by_seed(
    interactions: pd.DataFrame, target_fraction: float, validation_fraction: float, test_fraction: float, seed: int
) -> pd.DataFrame:
    """Divides users into target and auxiliary halves, and their interactions into training, validation and test."""
    return domain.split_interactions(interactions, _shares(target_fraction, validation_fraction, test_fraction), seed)


def split_by_time(
    interactions: pd.DataFrame,
    target_fraction: float,
    validation_fraction: float,
    test_fraction: float,
    sequence: SequenceSettings,
    seed: int,
) -> pd.DataFrame:
    """Divides users as at random, and holds out the end of each user's sequence: last item test, then validation."""
    shares = _shares(target_fraction, validation_fraction, test_fraction)
    return domain.split_by_time(interactions, shares, sequence, seed)


def split_by_target(
    interactions: pd.DataFrame,
    validation_fraction: float,
    sequence: SequenceSettings,
    seed: int,
    others: bool,
    in_order: bool,
    served: pd.DataFrame | None = None,
    left_out: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Takes the users whom a target serves for its own, all of their interactions, and others for auxiliary users."""
    if in_order:
        interactions = domain.in_sequence(interactions, sequence)
    users, apart = (None if table is None else table["user"].to_numpy() for table in (served, left_out))
    shares = SplitSettings(validation_fraction=validation_fraction)
    return domain.split_served(interactions, shares, seed, users, apart, others=others)


def name_users(lists: pd.DataFrame) -> pd.DataFrame:
    """Who has a list, and nothing of what stands in it."""
    return pd.DataFrame({"user": np.unique(lists["user"].to_numpy())})


def acquire_target_file(
    dataset_settings: DatasetSettings, raw_folder: str, dataset: str, target: str
) -> dict[str, Any]:
    """Finds a file that a target is described by; returns its name and its checksum."""
    from rec_msa.targets.reading import told_of

    with told_of(target, dataset):
        return acquire_raw_file(dataset_settings, raw_folder, dataset)


def read_target_file(
    raw_file: dict[str, Any],
    dataset_settings: DatasetSettings,
    raw_folder: str,
    settings: TargetSettings,
    users: pd.DataFrame,
    items: pd.DataFrame,
    target: str,
    what: str,
) -> pd.DataFrame:
    """Reads, in our numbers, the lists that a target served, or which users it was not trained on."""
    from rec_msa.targets.reading import read_lists, read_users
    from rec_msa.targets.recording import coded_lists, coded_users

    drop = settings.unknown == "drop"
    with domain.verified(RawFile.from_dict(raw_file), dataset_settings, Path(raw_folder)):
        if what == LISTS:
            return coded_lists(read_lists(target, settings, items["raw_item"]), users, items, target, drop)
        return coded_users(read_users(target, settings, dataset_settings), users, target, drop)


def _shares(target: float, validation: float, test: float) -> SplitSettings:
    return SplitSettings(target_fraction=target, validation_fraction=validation, test_fraction=test)


def select_target_data(split: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Takes the target's training, validation and test interactions."""
    return domain.target_parts(split)


def select_auxiliary_data(split: pd.DataFrame, fraction: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Takes the auxiliary training and validation interactions of a share of the auxiliary users."""
    return domain.auxiliary_parts(split, fraction)


def choose_attackers(
    split: pd.DataFrame,
    heldout_fraction: float,
    attacker_fraction: float,
    query_fraction: float,
    cell_attacker_fraction: float | None = None,
) -> pd.DataFrame:
    """Draws the attacker users and says which are held out and which may be asked about.

    As many are held out as of the cell's share of attacker users, or, where it is not given, of their own, who are then
    ``FEWEST_KNOWN`` at the least.
    """
    of = cell_attacker_fraction
    if of is None:
        n_users = domain.target_parts(split)[0]["user"].nunique()
        of = attacker_fraction = min(max(attacker_fraction, FEWEST_KNOWN / n_users), 1 - 1e-9)
    cell = SplitSettings(attacker_fraction=of, heldout_fraction=heldout_fraction)
    return domain.attackers(split, cell, attacker_fraction, query_fraction)


def select_attacker_data(split: pd.DataFrame, attackers: pd.DataFrame) -> pd.DataFrame:
    """Takes D_t: the attacker users' training interactions, all that the attacker knows of the target's data."""
    return domain.attacker_interactions(split, attackers)
