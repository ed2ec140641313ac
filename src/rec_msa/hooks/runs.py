"""Before, during and after a run: fingerprints, locks, progress and what it cost."""

from __future__ import annotations

import logging
import time
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import rich
from kedro.framework.hooks import hook_impl
from kedro.io import DatasetError

from rec_msa.clear_error import ClearError
from rec_msa.hooks.errors import no_room
from rec_msa.hooks.threads import threads_in_environment

if TYPE_CHECKING:
    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node

    from rec_msa.locks import Lock
    from rec_msa.progress import StudyProgress

logger = logging.getLogger(__name__)

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
        from rec_msa.progress import run_started

        self.started = run_started()

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Sets the expected fingerprints, which travel with the datasets, and claims the artifacts.

        Raises:
            ClearError: Another run writes some of them, the disk is full or read-only, or processes share no memory.
        """
        from rec_msa.progress import StudyProgress, is_last_of_a_cell
        from rec_msa.provenance import expect

        self.end()
        _require_shared_artifacts(str(run_params.get("runner", "")), catalog)
        expect(pipeline, catalog)
        nodes = list(pipeline.nodes)
        if run_params["only_missing_outputs"]:
            nodes = [node for node in nodes if not all(catalog.exists(name) for name in node.outputs)]
        # What only draws is no cost of what is drawn.
        self.journal = catalog if any("reporting" not in node.tags for node in nodes) else None
        self._claim([name for node in nodes for name in node.outputs], catalog)
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

    def _claim(self, names: list[str], catalog: DataCatalog) -> None:
        from rec_msa.locks import LockedError

        if not names:
            return
        lock = lock_of(names, catalog)
        try:
            lock.take()
        except LockedError as error:
            raise ClearError(str(error)) from error
        except OSError as error:
            raise ClearError(f"nothing was run: {no_room(error)}") from error
        self.lock = lock

    def _write_journal(self, progress: StudyProgress) -> None:
        """Notes what the run cost; of a run that trained for hours nothing else may be lost for it."""
        from rec_msa.journal import command, entry

        if self.journal is None or not progress.n_done:
            return
        threads = self.threads or threads_in_environment() or 1
        cost = entry(progress.started, progress.in_functions, progress.in_tasks, progress.n_done, threads)
        try:
            self.journal.save("journal", {**cost, "command": command(self._parameters)})
        except (OSError, DatasetError) as error:
            logger.warning("the journal has no entry of this run: %s", error)


def _require_shared_artifacts(runner: str, catalog: DataCatalog) -> None:
    table: Any = catalog["agreement"]
    if any(name in runner for name in OF_PROCESSES) and "memory" in table._fs.protocol:
        msg = (
            f"{runner}: the artifacts lie in memory:// (data in globals.yml), where no process sees another's; set "
            "data to a folder, or run without --runner"
        )
        raise ClearError(msg)


def lock_of(names: list[str], catalog: DataCatalog) -> Lock:
    """A lock on artifacts, not taken yet; lock files lie beside the artifacts, in ``.locks``."""
    from rec_msa.locks import Lock

    table: Any = catalog["agreement"]
    paths = [getattr(catalog.get(name), "path", name) for name in names]
    return Lock(table._fs, str(PurePosixPath(table.path).parents[1] / ".locks"), paths)
