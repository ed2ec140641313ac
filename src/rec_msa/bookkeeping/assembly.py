"""``agreement.parquet`` and its per-user companion, put together from the files of every cell on disk."""

from __future__ import annotations

import logging
import re
from glob import escape
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from rec_msa.attacks.settings import ENSEMBLE, RETRAIN
from rec_msa.bookkeeping.costs import attacker_seconds, made_by
from rec_msa.bookkeeping.provenance import is_current, whole
from rec_msa.evaluation.results import COLUMNS, COST_KEY, KEY, LABEL, NO_LABEL, PER_USER_COLUMNS, with_label
from rec_msa.reporting.names import REFERENCE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kedro.io import DataCatalog

    from rec_msa.datasets.recorded import Provenance

logger = logging.getLogger(__name__)

ASSEMBLED = ("agreement", "agreement_per_user", "target_quality", "costs")
"""What no pipeline makes: it is put together at the end of each run that measures something."""

CELLS = "*/*/*/*/*/agreement.parquet"

MOST_TIMES = 3
"""How often the tables are put together where another run makes a cell of them anew at the same time."""

SPACE = re.compile(r"([a-z0-9_-]+\.)?[a-z0-9_-]+\.seed[0-9]+(\.[a-z0-9_-]+){3}")
"""What folders of a cell come to, under a label or none; a copy that somebody left beside one may have any name."""


class Assembled(NamedTuple):
    """What lies on disk.

    Attributes:
        agreement: The rows of every current cell file.
        stale: Names of cell files left out: damaged, made from something that was made anew since, or of another place.
    """

    agreement: pd.DataFrame
    stale: list[str]


def assemble(catalog: DataCatalog) -> Assembled | None:
    """Puts the results of every cell that still fits what it was made from into one file each.

    Writes ``agreement``, ``agreement_per_user``, ``target_quality`` and ``costs``; what is made from the same cells
    already is left as it is. Where no cell's results fit any more the tables are taken away. One cell's users are in
    memory at a time. Where a cell was made anew meanwhile it begins again; where that happens each time, the tables'
    records name the old cells, so that the next run finds them old.

    Returns:
        The results, or None where no cell has any.
    """
    for _ in range(MOST_TIMES):
        assembled, made_from = _assembled(catalog)
        if all(whole(name, list(each.inputs), catalog).inputs == each.inputs for name, each in made_from.items()):
            break
    return assembled


def _assembled(catalog: DataCatalog) -> tuple[Assembled | None, dict[str, Provenance]]:
    """The results, and what the tables that were written say that they are made from."""
    seen: dict[str, bool] = {}
    found = measured_spaces(catalog)
    if not found:
        return None, {}
    fitting = [space for space in found if SPACE.fullmatch(space) and _is_whole(space, catalog, seen)]
    agreement, made_from = _there(fitting, catalog, seen), {}
    if agreement is None:
        rows, tables = _rows(fitting, catalog, seen)
        fitting = list(rows)
        agreement = _written(rows, tables, catalog, seen)
        made_from = {name: table.expected for name, table in tables.items()}
    return Assembled(agreement, [space for space in found if space not in fitting]), made_from


def _rows(
    fitting: list[str], catalog: DataCatalog, seen: dict[str, bool]
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """The rows of each cell that say its place, and the tables, told what they are made from before any row is read."""
    tables = _expecting(fitting, catalog, seen)
    rows = {space: with_label(catalog.load(f"{space}.agreement")) for space in fitting}
    own = [space for space, table in rows.items() if set(spaces_of(table)) == {space}]
    return (rows, tables) if own == fitting else _rows(own, catalog, seen)


def _there(fitting: list[str], catalog: DataCatalog, seen: dict[str, bool]) -> pd.DataFrame | None:
    """The results, where all tables are made from these cells already."""
    tables = _expecting(fitting, catalog, seen)
    if not fitting or not all(table.exists() for table in tables.values()):
        return None
    return with_label(tables["agreement"].load())


def _written(
    rows: dict[str, pd.DataFrame], tables: dict[str, Any], catalog: DataCatalog, seen: dict[str, bool]
) -> pd.DataFrame:
    """Writes the tables anew from the rows of each cell, and returns the results."""
    if not rows:
        for table in tables.values():
            table.discard()
        return pd.DataFrame(columns=list(COLUMNS))
    found = pd.concat(rows.values(), ignore_index=True)
    agreement: pd.DataFrame = found.reindex(columns=list(COLUMNS)).sort_values(list(KEY), ignore_index=True)
    tables["agreement"].save(agreement)
    tables["agreement_per_user"].save(
        with_label(catalog.load(f"{space}.agreement_per_user"))[list(PER_USER_COLUMNS)] for space in rows
    )
    tables["target_quality"].save(
        with_label(pd.DataFrame([catalog.load(f"{space}.target_quality") for space in _targets(rows, catalog, seen)]))
    )
    tables["costs"].save(_costs(rows, catalog))
    return agreement


def _costs(rows: dict[str, pd.DataFrame], catalog: DataCatalog) -> pd.DataFrame:
    """What each attack took: ``COST_KEY`` and ``seconds``, of the processor; one of which it is unknown is left out."""
    made, key = made_by(catalog), list(COST_KEY)
    attacks = {space: table for space, table in rows.items() if (table["kind"] == "attack").all()}
    found = [
        table[key].head(1).assign(seconds=seconds)
        for space, table in attacks.items()
        if (seconds := attacker_seconds(f"{space}.agreement", made)) is not None
    ]
    return pd.concat(found).sort_values(key, ignore_index=True) if found else pd.DataFrame(columns=[*key, "seconds"])


def _expecting(fitting: list[str], catalog: DataCatalog, seen: dict[str, bool]) -> dict[str, Any]:
    """The tables, told what they must be made from."""
    tables: dict[str, Any] = {name: catalog[name] for name in ASSEMBLED}
    made_from = [f"{space}.agreement" for space in fitting]
    made_from += [f"{space}.target_quality" for space in _targets(fitting, catalog, seen)]
    for name, table in tables.items():
        table.expected = whole(name, made_from, catalog)
    return tables


def _targets(fitting: Iterable[str], catalog: DataCatalog, seen: dict[str, bool]) -> list[str]:
    """The targets behind some cells whose quality fits, too."""
    served = dict.fromkeys(space.rpartition(".")[0] for space in fitting)
    return [space for space in served if _fits(f"{space}.target_quality", catalog, seen)]


def measured_spaces(catalog: DataCatalog) -> list[str]:
    """The namespaces in which results lie, whether they fit or not."""
    whole_table: Any = catalog["agreement"]
    folder = PurePosixPath(whole_table.path).parent
    found = whole_table._fs.glob(f"{escape(str(folder))}/{CELLS}")
    return sorted(".".join(PurePosixPath(path).parts[-6:-1]) for path in found)


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
    attacks = zip(agreement["attack"], agreement["base"], strict=True)
    served = zip(served_spaces(agreement), attacks, strict=True)
    return pd.Series([f"{space}.{_name_in_space(*attack)}" for space, attack in served], agreement.index, dtype=str)


def served_spaces(table: pd.DataFrame) -> pd.Series:
    """The namespace of the target under its defense that each row is about.

    Args:
        table: dataset, seed, target, defense and, where there are any, labels.
    """
    labels = with_label(table)[LABEL]
    data = (labels + ".").where(labels != NO_LABEL, "") + table["dataset"]
    cells = zip(data, "seed" + table["seed"].astype(str), table["target"], table["defense"], strict=True)
    return pd.Series([".".join(cell) for cell in cells], table.index, dtype=str)


def _name_in_space(attack: str, base: str) -> str:
    """The last part of the namespace: references share one, the retrained target has its own (``NamedAttack``)."""
    if base not in REFERENCE_NAMES:
        return attack
    return (base if base in (RETRAIN, ENSEMBLE) else "references") + attack.removeprefix(base)
