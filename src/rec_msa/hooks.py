"""The project's hooks: errors a person can read, fingerprints, and the results of a run."""

from __future__ import annotations

import errno
import logging
import os
import sys
import time
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import rich
from kedro.framework.hooks import hook_impl
from kedro.io import DatasetError
from kedro.validation.exceptions import DataValidationError

from rec_msa.clear_error import ClearError, NodesFailedError
from rec_msa.errors import RecMsaError

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext
    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node

    from rec_msa.locks import Lock
    from rec_msa.progress import StudyProgress

logger = logging.getLogger(__name__)

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)
"""A full or read-only disk."""

ASSEMBLY_SECONDS = 300.0
"""How long a run waits for another that puts the results together."""

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
            raise ClearError(f"{where}{no_room(full)}") from error
        missing = _cause(error, FileNotFoundError)
        if isinstance(error, DatasetError) and missing is not None:
            name = str(error).partition(":")[0]
            msg = f"{where}{name} is not there; its pipeline makes it, with --only-missing-outputs"
            raise ClearError(msg) from error
        if isinstance(error, DatasetError):
            remedy = "if the file is damaged, run its pipeline with --only-missing-outputs, which makes it again"
            raise ClearError(f"{where}{error}; {remedy}") from error


def no_room(error: OSError) -> str:
    """What is wrong with a disk and what to do."""
    return (
        f"{error.strerror}: {error.filename or error}; nothing half-written was kept; make room or give access, then "
        "go on with --only-missing-outputs"
    )


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


class Runs:
    """Before a run: what its artifacts must be made from, which of them it writes, and that nobody else does."""

    def __init__(self) -> None:
        self.journal: DataCatalog | None = None
        self.lock: Lock | None = None
        self.progress: StudyProgress | None = None
        self.started = 0.0
        self.outside: float | None = None
        self._functions: dict[str, float] = {}
        self._tasks: dict[str, float] = {}
        self._unsaved: dict[str, int] = {}

    @hook_impl
    def after_context_created(self) -> None:
        """Looks at the clock."""
        from rec_msa.progress import run_started

        self.started = run_started()

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Sets the expected fingerprints, which travel with the datasets, and claims the artifacts.

        Raises:
            ClearError: Another run writes some of them, or the disk is full or read-only.
        """
        from rec_msa.progress import StudyProgress, is_last_of_a_cell
        from rec_msa.provenance import expect

        self._end()
        expect(pipeline, catalog)
        nodes = list(pipeline.nodes)
        if run_params["only_missing_outputs"]:
            nodes = [node for node in nodes if not all(catalog.exists(name) for name in node.outputs)]
        # What only draws is no cost of what is drawn.
        self.journal = catalog if any("reporting" not in node.tags for node in nodes) else None
        self._claim([name for node in nodes for name in node.outputs], catalog)
        self.outside = None
        self.progress = StudyProgress(nodes, len(pipeline.nodes) - len(nodes), catalog, self.started)
        if sum(map(is_last_of_a_cell, nodes)) > 1 or "study" in (run_params["pipeline_names"] or ()):
            self.progress.show()

    @hook_impl
    def before_dataset_loaded(self, node: Node) -> None:
        """A node's first input is loaded: it starts."""
        if self.progress is not None and node.name not in self._tasks:
            self._tasks[node.name] = time.monotonic()
            self._unsaved[node.name] = len(node.outputs)
            self.progress.begin(node)

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """A node's function starts."""
        self._functions[node.name] = time.monotonic()

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """A node's function has ended."""
        self._functions[node.name] = time.monotonic() - self._functions[node.name]

    @hook_impl
    def after_dataset_saved(self, node: Node) -> None:
        """With its last output saved a node is finished."""
        if self.progress is None or node.name not in self._tasks:
            return
        self._unsaved[node.name] -= 1
        if not self._unsaved[node.name]:
            in_task = time.monotonic() - self._tasks.pop(node.name)
            self.progress.finish(node, self._functions.pop(node.name), in_task)

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Says where the time went, and gives the artifacts free."""
        if self.progress is not None and self.progress.shown and not self.progress.waiting:
            rich.get_console().print(self.progress.account(self.outside), highlight=False, soft_wrap=True)
        self._end()

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Gives the artifacts free."""
        self._end()

    def _claim(self, names: list[str], catalog: DataCatalog) -> None:
        from rec_msa.locks import LockedError

        if not names:
            return
        lock = _lock_of(names, catalog)
        try:
            lock.take()
        except LockedError as error:
            raise ClearError(str(error)) from error
        except OSError as error:
            raise ClearError(f"nothing was run: {no_room(error)}") from error
        self.lock = lock

    def _end(self) -> None:
        if self.progress is not None:
            self.progress.stop()
            self._write_journal(self.progress)
            self.progress = None
        if self.lock is not None:
            self.lock.free()
            self.lock = None

    def _write_journal(self, progress: StudyProgress) -> None:
        """Notes what the run cost; of a run that trained for hours nothing else may be lost for it."""
        from rec_msa.journal import entry

        n_done = progress.n_nodes - len(progress.waiting)
        if self.journal is None or not n_done:
            return
        try:
            self.journal.save("journal", entry(progress.started, progress.in_functions, progress.in_tasks, n_done))
        except (OSError, DatasetError) as error:
            logger.warning("the journal has no entry of this run: %s", error)


def _lock_of(names: list[str], catalog: DataCatalog) -> Lock:
    """A lock on artifacts, not taken yet; lock files lie beside the artifacts, in ``.locks``."""
    from rec_msa.locks import Lock

    table: Any = catalog["agreement"]
    paths = [getattr(catalog.get(name), "path", name) for name in names]
    return Lock(table._fs, str(PurePosixPath(table.path).parents[1] / ".locks"), paths)


class ResultsTable:
    """Assembles the results of all cells at the end of a run and shows those of this run."""

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Writes ``agreement.parquet`` and its companions, and prints a table where this run measured something."""
        try:
            self._assemble(pipeline, catalog)
        except (OSError, DatasetError, RecMsaError) as error:
            ClearErrors().on_pipeline_error(error)
            raise

    @hook_impl
    def on_pipeline_error(self, error: Exception, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Where some nodes failed, the results of the others are put together all the same."""
        if isinstance(error, NodesFailedError):
            self._assemble(pipeline, catalog)

    def _assemble(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        from rec_msa.assembly import assemble

        measured = {name.rpartition(".")[0] for name in pipeline.all_outputs() if name.endswith(".agreement")}
        # Of two runs that end together each finds the other's cells, or is found.
        lock = _lock_of(["agreement"], catalog)
        lock.take(patience=ASSEMBLY_SECONDS)
        try:
            assembled = assemble(catalog)
        finally:
            lock.free()
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

    from rec_msa.assembly import spaces_of
    from rec_msa.reporting.table import results_table, study_table

    console = rich.get_console()
    cells = {tuple(space.split(".")[:4]) for space in measured}
    keys = agreement["dataset"], "seed" + agreement["seed"].astype(str), agreement["target"], agreement["defense"]
    names = list(zip(*keys, strict=True))
    cells &= set(names)
    if len(cells) > CELLS_IN_FULL:
        console.print(study_table(agreement[spaces_of(agreement).isin(measured)]))
        return
    for cell in sorted(cells):
        quality = f"{'.'.join(cell)}.target_quality"
        rows = agreement[[name == cell for name in names]]
        title = f"{cell[0]} · {cell[2]} · seed {cell[1].removeprefix('seed')}" + (
            "" if cell[3] == "none" else f" · defense {cell[3]}"
        )
        console.print(results_table(rows, catalog.load(quality) if catalog.exists(quality) else None, title))
