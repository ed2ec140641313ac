"""``agreement.parquet`` and its per-user companion, put together from the files of every cell on disk."""

from __future__ import annotations

import logging
from glob import escape
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from rec_msa.evaluation.results import COLUMNS, KEY
from rec_msa.provenance import is_current, whole
from rec_msa.reporting.names import REFERENCE_NAMES

if TYPE_CHECKING:
    from kedro.io import DataCatalog

logger = logging.getLogger(__name__)

ASSEMBLED = ("agreement", "agreement_per_user", "target_quality")
"""What no pipeline makes: it is put together at the end of each run that measures something."""

CELLS = "*/seed*/*/*/*/agreement.parquet"


class Assembled(NamedTuple):
    """What lies on disk.

    Attributes:
        agreement: The rows of every current cell file.
        stale: Names of cell files left out, damaged, or made from something that was made anew since.
    """

    agreement: pd.DataFrame
    stale: list[str]


def assemble(catalog: DataCatalog) -> Assembled | None:
    """Puts the results of every cell that still fits what it was made from into one file each.

    Writes ``agreement``, ``agreement_per_user`` and ``target_quality``; what is made from the same cells already is
    left as it is. Where no cell's results fit any more the three tables are taken away. One cell's users are in memory
    at a time.

    Args:
        catalog: The catalog.

    Returns:
        The results, or None where no cell has any.
    """
    seen: dict[str, bool] = {}
    current = {space: _is_whole(space, catalog, seen) for space in _measured_spaces(catalog)}
    if not current:
        return None
    fitting = [space for space, fits in current.items() if fits]
    served = dict.fromkeys(space.rpartition(".")[0] for space in fitting)
    targets = [space for space in served if _fits(f"{space}.target_quality", catalog, seen)]
    return Assembled(_written(fitting, targets, catalog), [space for space, fits in current.items() if not fits])


def _written(fitting: list[str], targets: list[str], catalog: DataCatalog) -> pd.DataFrame:
    """Writes the three tables where they are not there yet, and returns the results."""
    tables: dict[str, Any] = {name: catalog[name] for name in ASSEMBLED}
    if not fitting:
        for table in tables.values():
            table.discard()
        return pd.DataFrame(columns=list(COLUMNS))
    made_from = [*(f"{space}.agreement" for space in fitting), *(f"{space}.target_quality" for space in targets)]
    for table in tables.values():
        table.expected = whole(made_from, catalog)
    if all(table.exists() for table in tables.values()):
        there: pd.DataFrame = tables["agreement"].load()
        return there
    found = pd.concat([catalog.load(f"{space}.agreement") for space in fitting], ignore_index=True)
    agreement: pd.DataFrame = found.sort_values(list(KEY), ignore_index=True)
    tables["agreement"].save(agreement)
    tables["agreement_per_user"].save(catalog.load(f"{space}.agreement_per_user") for space in fitting)
    tables["target_quality"].save(pd.DataFrame([_quality(space, catalog) for space in targets]))
    return agreement


def _measured_spaces(catalog: DataCatalog) -> list[str]:
    whole_table: Any = catalog["agreement"]
    folder = PurePosixPath(whole_table.path).parent
    found = whole_table._fs.glob(f"{escape(str(folder))}/{CELLS}")
    return sorted(".".join(PurePosixPath(path).parts[-6:-1]) for path in found)


def _quality(space: str, catalog: DataCatalog) -> dict[str, Any]:
    dataset, seed, target, defense = space.split(".")
    labels = {"dataset": dataset, "target": target, "seed": int(seed.removeprefix("seed")), "defense": defense}
    return {**labels, **catalog.load(f"{space}.target_quality")}


def _is_whole(space: str, catalog: DataCatalog, seen: dict[str, bool]) -> bool:
    return all(_fits(f"{space}.{name}", catalog, seen) for name in ("agreement", "agreement_per_user"))


def _fits(name: str, catalog: DataCatalog, seen: dict[str, bool]) -> bool:
    dataset: Any = catalog.get(name)
    return is_current(name, catalog, seen) and dataset.intact()


def spaces_of(agreement: pd.DataFrame) -> pd.Series:
    """The namespace that each row of the results was measured in.

    Args:
        agreement: Rows with the columns of ``rec_msa.evaluation.results``.
    """
    seeds = "seed" + agreement["seed"].astype(str)
    cells = zip(agreement["dataset"], seeds, agreement["target"], agreement["defense"], strict=True)
    attacks = zip(agreement["attack"], agreement["base"], strict=True)
    spaces = [".".join([*cell, _name_in_space(*attack)]) for cell, attack in zip(cells, attacks, strict=True)]
    return pd.Series(spaces, agreement.index, dtype=str)


def _name_in_space(attack: str, base: str) -> str:
    """The last part of the namespace: references share one, the retrained target has its own (``NamedAttack``)."""
    if base not in REFERENCE_NAMES:
        return attack
    return ("retrain" if base == "retrain" else "references") + attack.removeprefix(base)
