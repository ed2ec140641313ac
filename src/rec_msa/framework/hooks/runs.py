"""Before, during and after a run: fingerprints, locks, progress and what it cost."""

from __future__ import annotations

import contextlib
import logging
import posixpath
import time
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import rich
from kedro.framework.hooks import hook_impl
from kedro.io import DatasetError

from rec_msa.foundation.errors import RecMsaError
from rec_msa.framework.clear_error import ClearError
from rec_msa.framework.hooks.errors import no_room
from rec_msa.framework.hooks.threads import threads_in_environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node

    from rec_msa.bookkeeping.assembly import Assembled
    from rec_msa.bookkeeping.locks import Lock
    from rec_msa.bookkeeping.progress import StudyProgress

logger = logging.getLogger(__name__)

ASSEMBLY_SECONDS = 300.0
"""How long a run waits for another that puts the results together."""
OF_PROCESSES = ("ParallelRunner", "RayRunner")
"""Runners whose tasks are processes of their own."""


class Runs:
    """Before a run: what its artifacts must be made from, which of them it writes, and that nobody else does.

    Attributes:
        progress: Counts the nodes of the run that goes on.
        outside: Seconds of a runner's own start and end; None where it has neither.
        threads: Threads of each task, where the runner says so.
    """

    def __init__(self) -> None:
        self.journal: DataCatalog | None = None
        self.lock: Lock | None = None
        self.progress: StudyProgress | None = None
        self.started = 0.0
        self.outside: float | None = None
        self.threads: int | None = None
        self._functions: dict[str, float] = {}
        self._tasks: dict[str, float] = {}
        self._unsaved: dict[str, int] = {}
        self._parameters: dict[str, Any] = {}

    @hook_impl
    def after_context_created(self) -> None:
        """Looks at the clock."""
        from rec_msa.bookkeeping.progress import run_started

        self.started = run_started()

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Sets the expected fingerprints, which travel with the datasets, and claims the artifacts.

        Raises:
            ClearError: Another run writes some of them or reads what this one writes, the disk is full or read-only, or
                processes share no memory.
        """
        from rec_msa.bookkeeping.progress import StudyProgress, is_last_of_a_cell
        from rec_msa.bookkeeping.provenance import expect

        self.end()
        _require_shared_artifacts(str(run_params.get("runner", "")), catalog)
        for_readers = reads_results(pipeline)
        if for_readers:
            with _nothing_was_run():
                put_together(catalog)  # or a report would be of what the run before left
        expect(pipeline, catalog)
        nodes = list(pipeline.nodes)
        if run_params["only_missing_outputs"]:
            nodes = [node for node in nodes if not all(catalog.exists(name) for name in node.outputs)]
        if for_readers:
            _require_no_new_results(nodes)
        # What only draws is no cost of what is drawn.
        self.journal = catalog if any("reporting" not in node.tags for node in nodes) else None
        self._claim(nodes, catalog, patience=ASSEMBLY_SECONDS if for_readers else 0.0)
        self.outside = self.threads = None
        self._parameters = {name: run_params[name] for name in ("env", "pipeline_names", "runtime_params")}
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
        """Says where the time went."""
        if self.progress is not None and self.progress.shown and not self.progress.waiting:
            rich.get_console().print(self.progress.account(self.outside), highlight=False, soft_wrap=True)

    def end(self) -> None:
        """Notes what the run cost, however it ended, and gives the artifacts free."""
        if self.progress is not None:
            self.progress.stop()
            self._write_journal(self.progress)
            self.progress = None
        # A notebook's next run has the same hooks.
        for of_nodes in (self._functions, self._tasks, self._unsaved):
            of_nodes.clear()
        if self.lock is not None:
            self.lock.free()
            self.lock = None

    def _claim(self, nodes: list[Node], catalog: DataCatalog, patience: float) -> None:
        from rec_msa.bookkeeping.provenance import is_parameter

        if not nodes:
            return
        reads = {name for node in nodes for name in node.inputs if not is_parameter(name)}
        lock = lock_of([name for node in nodes for name in node.outputs], reads, catalog)
        with _nothing_was_run():
            lock.take(patience)
        self.lock = lock

    def _write_journal(self, progress: StudyProgress) -> None:
        """Notes what the run cost; of a run that trained for hours nothing else may be lost for it."""
        from rec_msa.bookkeeping.journal import command, entry

        if self.journal is None or not progress.n_done:
            return
        threads = self.threads or threads_in_environment() or 1
        cost = entry(progress.started, progress.in_functions, progress.in_tasks, progress.n_done, threads)
        try:
            self.journal.save("journal", {**cost, "command": command(self._parameters)})
        except (OSError, DatasetError) as error:
            logger.warning("the journal has no entry of this run: %s", error)


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


@contextlib.contextmanager
def _nothing_was_run() -> Iterator[None]:
    """Says clearly why a run cannot begin."""
    try:
        yield
    except RecMsaError as error:
        raise ClearError(str(error)) from error
    except OSError as error:
        raise ClearError(f"nothing was run: {no_room(error)}") from error


def _require_shared_artifacts(runner: str, catalog: DataCatalog) -> None:
    table: Any = catalog["agreement"]
    if any(name in runner for name in OF_PROCESSES) and "memory" in table._fs.protocol:
        msg = (
            f"{runner}: the artifacts lie in memory:// (data in globals.yml), where no process sees another's; set "
            "data to a folder, or run without --runner"
        )
        raise ClearError(msg)


def lock_of(writes: Iterable[str], reads: Iterable[str], catalog: DataCatalog) -> Lock:
    """A lock on artifacts, not taken yet; lock files lie beside the artifacts, in ``.locks``.

    Artifacts go by their paths from there: one folder may have several, through a link or on another machine.
    """
    from rec_msa.bookkeeping.locks import Lock

    table: Any = catalog["agreement"]
    root = PurePosixPath(table.path).parents[1]

    def places(names: Iterable[str]) -> list[str]:
        paths = [getattr(catalog.get(name), "path", None) for name in names]
        return [posixpath.relpath(path, root) for path in paths if path is not None]

    return Lock(table._fs, str(root / ".locks"), places(writes), places(reads))


def _require_no_new_results(nodes: list[Node]) -> None:
    """Refuses a run that both measures and reads all results: what it reads would lack what it measures.

    Raises:
        ClearError: It does.
    """
    measures = [name for node in nodes for name in node.outputs if name.endswith((".agreement", ".target_quality"))]
    if measures:
        raise ClearError(
            f"--pipeline: reporting reads the results of all cells, and this run makes some of them ({measures[0]}); "
            "run it alone afterwards, with kedro run --pipeline=reporting"
        )
