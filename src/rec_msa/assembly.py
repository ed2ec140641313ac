"""``agreement.parquet`` and its per-user companion, put together from the files of every cell on disk."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from rec_msa.evaluation.results import KEY
from rec_msa.provenance import is_current, whole

if TYPE_CHECKING:
    from pathlib import Path

    from kedro.io import DataCatalog

    from rec_msa.datasets.recorded import Provenance

logger = logging.getLogger(__name__)

CELLS = "data/08_reporting/*/seed*/*/*/*/agreement.parquet"


class Assembled(NamedTuple):
    """What lies on disk.

    Attributes:
        agreement: The rows of every current cell file.
        per_user: The same for each user.
        quality: A row for each target under a defense: dataset, target, seed, defense, and how good it is.
        stale: Names of cell files left out, since something they were made from has been made anew.
        made_from: Provenance of the whole, so that figures of it are drawn anew when a cell is added.
    """

    agreement: pd.DataFrame
    per_user: pd.DataFrame
    quality: pd.DataFrame
    stale: list[str]
    made_from: Provenance


def assemble(catalog: DataCatalog, project: Path) -> Assembled | None:
    """Reads the results of every cell that still fits what it was made from.

    Args:
        catalog: The catalog.
        project: The project's root.

    Returns:
        The results, or None where no cell has any.
    """
    spaces = sorted(".".join(path.parts[-6:-1]) for path in project.glob(CELLS))
    seen: dict[str, bool] = {}
    current = {space: _is_whole(space, catalog, seen) for space in spaces}
    stale = [space for space, fits in current.items() if not fits]
    tables = [
        [catalog.load(f"{space}.{name}") for space, fits in current.items() if fits]
        for name in ("agreement", "agreement_per_user")
    ]
    if not tables[0]:
        return None
    agreement, per_user = (pd.concat(parts, ignore_index=True) for parts in tables)
    quality = _quality(agreement, catalog, seen)
    made_from = whole([f"{space}.agreement" for space, fits in current.items() if fits], catalog)
    return Assembled(agreement.sort_values(list(KEY), ignore_index=True), per_user, quality, stale, made_from)


def _quality(agreement: pd.DataFrame, catalog: DataCatalog, seen: dict[str, bool]) -> pd.DataFrame:
    targets = agreement[["dataset", "target", "seed", "defense"]].drop_duplicates()
    names = [f"{row.dataset}.seed{row.seed}.{row.target}.{row.defense}.target_quality" for row in targets.itertuples()]
    current = [is_current(name, catalog, seen) for name in names]
    figures = pd.DataFrame([catalog.load(name) for name, fits in zip(names, current, strict=True) if fits])
    return pd.concat([targets[current].reset_index(drop=True), figures], axis=1)


def _is_whole(space: str, catalog: DataCatalog, seen: dict[str, bool]) -> bool:
    return all(is_current(f"{space}.{name}", catalog, seen) for name in ("agreement", "agreement_per_user"))
