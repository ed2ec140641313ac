"""The results of all cells, put together at the end of a run."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import rich
from kedro.framework.hooks import hook_impl
from kedro.io import DatasetError

from rec_msa.bookkeeping.locks import LockedError
from rec_msa.defenses.settings import NO_DEFENSE
from rec_msa.foundation.errors import RecMsaError
from rec_msa.framework.hooks.errors import raise_clearly
from rec_msa.framework.hooks.runs import put_together, reads_results

if TYPE_CHECKING:
    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline

logger = logging.getLogger(__name__)

CELLS_IN_FULL = 3
"""Up to so many cells get a table each at the end of a run; more share one."""


class ResultsTable:
    """Assembles the results of all cells at the end of a run, however it ends, and shows those of this run."""

    def __init__(self) -> None:
        self._run: tuple[Pipeline, DataCatalog] | None = None

    @hook_impl(trylast=True)
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Nobody has refused the run: from here on it may leave results, unless it reads those of all cells."""
        self._run = None if reads_results(pipeline) else (pipeline, catalog)

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Writes ``agreement.parquet`` and its companions, and prints a table where this run measured something."""
        try:
            self._assemble()
        except LockedError as error:
            logger.warning(
                "this run is finished, and the next one puts its results together with the others': %s", error
            )
        except (OSError, DatasetError, RecMsaError) as error:
            raise_clearly(error, "")
            raise

    def end(self) -> None:
        """Does the same where a run failed or was stopped; what ended it is what must be said."""
        try:
            self._assemble()
        except (OSError, DatasetError, RecMsaError) as error:
            logger.warning("the results of the nodes that were finished were not put together: %s", error)

    def _assemble(self) -> None:
        if self._run is None:
            return
        pipeline, catalog = self._run
        self._run = None
        # Of a run that was stopped, what it left with these settings; not what others left in its place.
        left = [name for name in pipeline.all_outputs() if name.endswith(".agreement") and catalog.exists(name)]
        assembled = put_together(catalog)
        if assembled is not None and left:
            _show(assembled.agreement, {name.rpartition(".")[0] for name in left}, catalog)


def _show(agreement: Any, measured: set[str], catalog: DataCatalog) -> None:
    from rec_msa.bookkeeping.assembly import spaces_of
    from rec_msa.reporting.terminal import results_table, study_table

    console = rich.get_console()
    cells = {tuple(space.split(".")[:4]) for space in measured}
    keys = agreement["dataset"], "seed" + agreement["seed"].astype(str), agreement["target"], agreement["defense"]
    names = list(zip(*keys, strict=True))
    cells &= set(names)
    if len(cells) > CELLS_IN_FULL:
        console.print(study_table(agreement[spaces_of(agreement).isin(measured)], catalog.load("target_quality")))
        return
    for cell in sorted(cells):
        quality = f"{'.'.join(cell)}.target_quality"
        rows = agreement[[name == cell for name in names]]
        title = f"{cell[0]} · {cell[2]} · seed {cell[1].removeprefix('seed')}" + (
            "" if cell[3] == NO_DEFENSE else f" · defense {cell[3]}"
        )
        console.print(results_table(rows, catalog.load(quality) if catalog.exists(quality) else None, title))
