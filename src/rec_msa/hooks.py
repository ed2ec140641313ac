"""The project's hooks: errors a person can read, fingerprints, and the results of a run."""

from __future__ import annotations

import errno
import logging
import os
import sys
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl
from kedro.io import DatasetError
from kedro.validation.exceptions import DataValidationError

from rec_msa.clear_error import ClearError
from rec_msa.errors import RecMsaError

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext
    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node

logger = logging.getLogger(__name__)

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)
"""A full or read-only disk."""

CELLS_IN_FULL = 3
"""Up to so many cells get a table each at the end of a run; more share one."""


class ClearErrors:
    """Turns errors that a person can mend into one clear line without a traceback."""

    @hook_impl
    def on_node_error(self, error: Exception, node: Node) -> None:
        """Names the node and the remedy."""
        self._raise_clearly(error, f"{node.name}: ")

    @hook_impl
    def on_pipeline_error(self, error: Exception) -> None:
        """Catches what happens between nodes: loading and saving."""
        self._raise_clearly(error, "")

    def _raise_clearly(self, error: Exception, where: str) -> None:
        if isinstance(error, ClearError):
            return
        if isinstance(error, RecMsaError | DataValidationError):
            raise ClearError(f"{where}{error}") from error
        full = _cause(error, OSError)
        if full is not None and full.errno in NO_ROOM:
            msg = f"{where}{full.strerror}: {full.filename or error}; nothing half-written was kept; "
            raise ClearError(msg + "make room or give access, then go on with --only-missing-outputs") from error
        missing = _cause(error, FileNotFoundError)
        if isinstance(error, DatasetError) and missing is not None:
            name = str(error).partition(":")[0]
            msg = f"{where}{name} is not there; its pipeline makes it, with --only-missing-outputs"
            raise ClearError(msg) from error
        if isinstance(error, DatasetError):
            remedy = "if the file is damaged, run its pipeline with --only-missing-outputs, which makes it again"
            raise ClearError(f"{where}{error}; {remedy}") from error


def _cause(error: BaseException | None, kind: type[OSError]) -> OSError | None:
    """The first error of a kind behind an error, if there is one."""
    while error is not None and not isinstance(error, kind):
        error = error.__cause__ or error.__context__
    return error


class Threads:
    """Limits torch's threads: on small steps, threads that wait for a busy core cost many times what they give."""

    def __init__(self) -> None:
        self.ours: str | None = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Sets the environment, which torch reads when it is imported and worker processes inherit."""
        if os.environ.get("OMP_NUM_THREADS") == self.ours:
            self.ours = os.environ["OMP_NUM_THREADS"] = str(context.config_loader["parameters"]["threads"])
        if "torch" in sys.modules:
            sys.modules["torch"].set_num_threads(int(os.environ["OMP_NUM_THREADS"]))


class Provenances:
    """Tells every artifact what it must have been made from, before a run looks for missing ones."""

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Sets the expected fingerprints; they travel with the datasets."""
        from rec_msa.provenance import expect

        expect(pipeline, catalog)


class ResultsTable:
    """Assembles the results of all cells at the end of a run and shows those of this run."""

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Writes ``agreement.parquet`` and its companions, and prints a table where this run measured something."""
        from rec_msa.assembly import assemble

        measured = {name.rpartition(".")[0] for name in pipeline.all_outputs() if name.endswith(".agreement")}
        assembled = assemble(catalog)
        if assembled is None:
            return
        if assembled.stale:
            logger.warning(
                "%d results were made from other data or settings than lie here now and are left out of "
                "agreement.parquet: %s",
                len(assembled.stale),
                ", ".join(assembled.stale),
            )
        if measured:
            _show(assembled.agreement, measured, catalog)


def _show(agreement: Any, measured: set[str], catalog: DataCatalog) -> None:
    import rich

    from rec_msa.reporting.table import results_table, study_table

    console = rich.get_console()
    cells = {tuple(space.split(".")[:4]) for space in measured}
    keys = agreement["dataset"], "seed" + agreement["seed"].astype(str), agreement["target"], agreement["defense"]
    names = list(zip(*keys, strict=True))
    if len(cells) > CELLS_IN_FULL:
        console.print(study_table(agreement[[name in cells for name in names]]))
        return
    for cell in sorted(cells):
        quality = f"{'.'.join(cell)}.target_quality"
        rows = agreement[[name == cell for name in names]]
        title = f"{cell[0]} · {cell[2]} · seed {cell[1].removeprefix('seed')}" + (
            "" if cell[3] == "none" else f" · defense {cell[3]}"
        )
        console.print(results_table(rows, catalog.load(quality) if catalog.exists(quality) else None, title))
