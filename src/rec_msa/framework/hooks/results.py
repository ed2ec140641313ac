"""The results of all cells, put together and shown at the end of a run."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich
from kedro.io import DatasetError

from rec_msa.bookkeeping.locks import LockedError
from rec_msa.foundation.errors import RecMsaError
from rec_msa.framework.hooks.claims import lock_of
from rec_msa.framework.hooks.errors import raise_clearly
from rec_msa.framework.saying import say

if TYPE_CHECKING:
    import pandas as pd
    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline

    from rec_msa.bookkeeping.assembly import Assembled

logger = logging.getLogger(__name__)

CELL = ["dataset", "seed", "target", "defense", "label"]
COMPARED = "compared_page"
CELLS_IN_FULL = 3
"""Up to so many cells get a table each at the end of a run; more share one."""

PAGES = {
    "runs_page": "Your runs",
    "report_page": "The reproduction",
    "report_markdown": "The same as text",
    "report_files": "Its pictures and tables",
    "defense_page": "Defenses",
}
"""What `--pipeline=reporting` writes for people."""

ASSEMBLY_SECONDS = 300.0
"""How long a run waits for another that puts the results together."""


def reads_results(pipeline: Pipeline) -> bool:
    """Whether a run reads what is put together from the results of all cells."""
    from rec_msa.bookkeeping.assembly import ASSEMBLED

    return not pipeline.inputs().isdisjoint(ASSEMBLED)


def put_together(catalog: DataCatalog) -> Assembled | None:
    """Assembles the results while nobody else does: of two runs that end together each finds the other's cells."""
    from rec_msa.bookkeeping.assembly import ASSEMBLED, assemble

    lock = lock_of(ASSEMBLED, (), catalog)
    lock.take(patience=ASSEMBLY_SECONDS)
    try:
        assembled = assemble(catalog)
    finally:
        lock.free()
    if assembled is not None and assembled.stale:
        logger.warning(
            "%d results were made from other data or settings than lie here now, or lie in another's place, and are "
            "left out of agreement.parquet: %s",
            len(assembled.stale),
            ", ".join(assembled.stale),
        )
    return assembled


def show_results(pipeline: Pipeline, catalog: DataCatalog, *, shown: bool = True) -> None:
    """Writes ``agreement.parquet`` and its companions, and prints a table where this run measured something.

    Raises:
        ClearError: They cannot be written.
    """
    if reads_results(pipeline):
        if shown:
            _show_comparison(pipeline, catalog)
        return
    # Of a run that was stopped, what it left with these settings; not what others left in its place.
    left = [name for name in pipeline.all_outputs() if name.endswith(".agreement") and catalog.exists(name)] * shown
    try:
        assembled = put_together(catalog)
    except LockedError as error:
        logger.warning("this run has ended, and the next one puts its results together with the others': %s", error)
    except (OSError, DatasetError, RecMsaError) as error:
        raise_clearly(error, "")
        raise
    else:
        # An audit says itself what it found.
        if assembled is not None and left and not any(name.endswith(".audit_page") for name in pipeline.all_outputs()):
            _show(assembled.agreement, {name.rpartition(".")[0] for name in left}, catalog)


def show_pages(pipeline: Pipeline, catalog: DataCatalog) -> None:
    """Says where the pages lie that a run has written."""
    for name, title in PAGES.items():
        if name in pipeline.outputs():
            path = Path(getattr(catalog[name], "path", ""))
            shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
            rich.get_console().print(f"{title}: {shown}", highlight=False, soft_wrap=True)


def _show_comparison(pipeline: Pipeline, catalog: DataCatalog) -> None:
    """Prints labels side by side where a run has compared them."""
    if COMPARED not in pipeline.all_outputs() or not catalog.exists(COMPARED):
        return
    from rec_msa.reporting.comparing import side_by_side
    from rec_msa.reporting.terminal import labels_tables

    for table in labels_tables(side_by_side(catalog.load("agreement"), catalog.load("made_with"))):
        rich.get_console().print(table)
    page: Any = catalog[COMPARED]
    say(f"Also in {page.path}.")


def _apart(cell: dict[str, str]) -> list[str]:
    """What tells a cell from the undefended one without a label."""
    from rec_msa.defenses.settings import NO_DEFENSE

    defense = [] if cell["defense"] == NO_DEFENSE else [f"defense {cell['defense']}"]
    return defense + ([f"label {cell['label']}"] if cell["label"] else [])


def _show(agreement: pd.DataFrame, measured: set[str], catalog: DataCatalog) -> None:
    import pandas as pd

    from rec_msa.bookkeeping.assembly import served_spaces, spaces_of
    from rec_msa.reporting.terminal import results_table, study_table

    console = rich.get_console()
    own = agreement[spaces_of(agreement).isin(measured)]
    cells = own[CELL].drop_duplicates().sort_values(CELL)
    if len(cells) > CELLS_IN_FULL:
        console.print(study_table(own, catalog.load("target_quality")))
        return
    for names in cells.itertuples(index=False, name=None):
        cell = dict(zip(CELL, names, strict=True))
        quality = f"{served_spaces(pd.DataFrame([cell])).iloc[0]}.target_quality"
        rows = agreement[(agreement[CELL] == list(names)).all(axis=1)]
        title = " · ".join([cell["dataset"], cell["target"], f"seed {cell['seed']}", *_apart(cell)])
        console.print(results_table(rows, catalog.load(quality) if catalog.exists(quality) else None, title))
