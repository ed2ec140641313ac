"""Before, during and after a run: fingerprints, claims, progress, results and what it cost."""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl
from kedro.io import DatasetError

from rec_msa.foundation.errors import DryRunError
from rec_msa.framework.clear_error import ClearError
from rec_msa.framework.hooks.claims import claim, nothing_was_run
from rec_msa.framework.hooks.node_times import NodeTimes, Tally
from rec_msa.framework.hooks.results import ASSEMBLY_SECONDS, put_together, reads_results, show_pages, show_results
from rec_msa.framework.hooks.threads import threads_in_environment
from rec_msa.framework.saying import say
from rec_msa.training.progress import Watched, watch

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext
    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node

    from rec_msa.bookkeeping.locks import Lock
    from rec_msa.bookkeeping.plan import Earlier
    from rec_msa.bookkeeping.study_progress import StudyProgress

logger = logging.getLogger(__name__)

IN_FULL = {"study", "audit"}
"""Pipelines that say what they do, however few their cells."""


@dataclass
class Run:
    """A run that goes on in this process.

    Attributes:
        asked: What ``kedro run`` was asked for.
        pipeline: What is to run.
        catalog: Its datasets.
        progress: Counts the nodes that it will run.
        lock: Its claim on what it writes and reads; None where it runs no node.
        tally: Where the processes of ``ParallelRunner`` note their nodes.
        outside: Seconds of a runner's own start and end; None where it has neither.
        threads: Threads of each task, where the runner says so.
    """

    asked: dict[str, Any]
    pipeline: Pipeline
    catalog: DataCatalog
    progress: StudyProgress
    lock: Lock | None = None
    tally: Tally | None = None
    outside: float | None = None
    threads: int | None = None
    thread: threading.Thread = field(default_factory=threading.current_thread)
    process: int = field(default_factory=os.getpid)

    def count(self) -> None:
        """Counts the nodes that other processes ran."""
        if self.tally is not None:
            nodes = dict(self.progress.waiting)
            for name, in_function, in_task in self.tally.close():
                self.progress.finish(nodes[name], in_function, in_task)
            self.tally = None

    def note(self) -> None:
        """Notes what it cost; of a run that trained for hours nothing else may be lost for it."""
        from rec_msa.bookkeeping.run_entry import command, entry

        # What only draws is no cost of what is drawn.
        if not self.progress.n_done or all("reporting" in node.tags for node in self.progress.nodes):
            return
        asked = {name: self.asked[name] for name in ("env", "pipeline_names", "runtime_params")}
        done, threads = self.progress, self.threads or threads_in_environment() or 1
        cost = entry(done.started, done.in_functions, done.in_tasks, done.n_done, threads)
        try:
            self.catalog.save("journal", {**cost, "command": command(asked), "nodes": done.took()})
        except (OSError, DatasetError) as error:
            logger.warning("the journal has no entry of this run: %s", error)

    def end(self) -> None:
        """Notes what it cost, and gives the artifacts free."""
        try:
            self.progress.stop()
            self.note()
        finally:
            if self.lock is not None:
                self.lock.free()


class Runs(NodeTimes):
    """What a run must be made from and claims, and how it ends, whichever session and runner it has.

    Attributes:
        run: The run that goes on in this process, or in the one that this is a fork of.
    """

    def __init__(self) -> None:
        super().__init__()
        self.run: Run | None = None
        self._started = 0.0

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Looks at the clock, and puts raw files under the project."""
        from rec_msa.bookkeeping.study_progress import run_started

        self._started = run_started()
        loader: Any = context.config_loader
        loader.follow(context.project_path)

    @hook_impl(trylast=True)
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Sets the expected fingerprints, which travel with the datasets, and claims the artifacts.

        Raises:
            ClearError: Another run writes some of them or reads what this one writes, the disk is full or read-only, or
                processes share no memory.
            DryRunError: It was to say what it would do, and no more.
        """
        from rec_msa.bookkeeping.made_with import tell_settings
        from rec_msa.bookkeeping.provenance import expect
        from rec_msa.bookkeeping.study_progress import StudyProgress, is_last_of_a_cell

        self._require_alone()
        runner, for_readers = str(run_params.get("runner", "")), reads_results(pipeline)
        _require_shared_artifacts(runner, catalog)
        only_said = bool(catalog.load("params:dry_run"))
        if for_readers and not only_said:
            with nothing_was_run():
                put_together(catalog)  # or a report would be of what the run before left
        expect(pipeline, catalog, fetch=not only_said)
        tell_settings(pipeline, catalog)
        nodes = list(pipeline.nodes)
        if run_params["only_missing_outputs"]:
            nodes = [node for node in nodes if not all(catalog.exists(name) for name in node.outputs)]
        if for_readers:
            _require_no_new_results(nodes)
        several = sum(map(is_last_of_a_cell, nodes)) > 1 or bool(IN_FULL & set(run_params["pipeline_names"] or ()))
        earlier = _say(nodes, pipeline, catalog, in_full=several or only_said)
        if only_said:
            raise DryRunError("a dry run: nothing was run, and nothing written")
        lock = claim(nodes, catalog, patience=ASSEMBLY_SECONDS if for_readers else 0.0)
        n_current = len(pipeline.nodes) - len(nodes)
        progress = StudyProgress(nodes, n_current, catalog, self._started, earlier.seconds)
        self.run = Run(run_params, pipeline, catalog, progress, lock)
        if "ParallelRunner" in runner:
            self.run.tally = Tally()
        elif len(pipeline.nodes) > 1:
            progress.show(in_full=several)

    @hook_impl(tryfirst=True)
    def after_pipeline_run(self) -> None:
        """Puts the results together, says where the time went, and ends the run.

        Raises:
            ClearError: The results cannot be put together.
        """
        if (run := self._ended()) is None:
            return
        try:
            show_results(run.pipeline, run.catalog)
            show_pages(run.pipeline, run.catalog)
            if run.progress.in_full and not run.progress.waiting:
                say(run.progress.account(run.outside))
        finally:
            run.end()

    @hook_impl(tryfirst=True)
    def on_pipeline_error(self) -> None:
        """Ends a run that failed."""
        self.break_off()

    def break_off(self, *, shown: bool = True) -> None:
        """Ends a run that failed or was stopped by hand; what ended it is what must be said.

        Args:
            shown: Whether what it measured is shown, too.
        """
        if (run := self._ended()) is None:
            return
        try:
            show_results(run.pipeline, run.catalog, shown=shown)
        except (ClearError, OSError, DatasetError) as error:
            logger.warning("the results of the nodes that were finished were not put together: %s", error)
        finally:
            run.end()

    def begun(self, node: Node) -> None:
        """Shows a node that starts in the run's own process."""
        if self.run is not None and self.run.process == os.getpid():
            self.run.progress.begin(node)

    def called(self, node: Node) -> None:
        """Has the bar of a training say which attack it is of, and how long its like took."""
        from rec_msa.bookkeeping.study_progress import is_training

        if is_training(node):
            attack = str(node.namespace).rpartition(".")[2] if "attack" in node.tags else ""
            known = self.run.progress.known_seconds(node) if self.run is not None else None
            watch(Watched(attack, known))

    def finished(self, node: Node, in_function: float, in_task: float) -> None:
        """Counts a node in the run's own process; in another one, notes it."""
        if self.run is not None and self.run.process == os.getpid():
            self.run.progress.finish(node, in_function, in_task)
        else:
            Tally.note(node, in_function, in_task)

    def _ended(self) -> Run | None:
        """The run, which is none from now on."""
        run, self.run = self.run, None
        self.forget()
        if run is not None:
            run.count()
        return run

    def _require_alone(self) -> None:
        """Ends what was interrupted in this thread, as a cell of a notebook may be.

        Raises:
            ClearError: A run goes on in another thread, as a server's may.
        """
        thread = threading.current_thread() if self.run is None else self.run.thread
        if thread is not threading.current_thread() and thread.is_alive():
            raise ClearError("another run goes on in this process; wait for it, or start this one in another process")
        self.on_pipeline_error()


def _say(nodes: list[Node], pipeline: Pipeline, catalog: DataCatalog, *, in_full: bool) -> Earlier:
    """Says what will run, where that is more than a cell or trains something, and what of other settings it replaces.

    Returns:
        What nodes took in earlier runs.
    """
    from rec_msa.bookkeeping.made_with import replaced
    from rec_msa.bookkeeping.plan import Earlier, plan_of

    earlier = Earlier.of(catalog.load("journal"))
    plan = plan_of(nodes, len(pipeline.nodes) - len(nodes), catalog, earlier)
    if in_full or plan.trainings:
        say(str(plan))
    if (gone := replaced(nodes, catalog)) is not None:
        logger.warning("%s", gone)
    return earlier


def _require_shared_artifacts(runner: str, catalog: DataCatalog) -> None:
    table: Any = catalog["agreement"]
    if any(name in runner for name in ("ParallelRunner", "RayRunner")) and "memory" in table._fs.protocol:
        msg = (
            f"{runner}: the artifacts lie in memory:// (data in globals.yml), where no process sees another's; set "
            "data to a folder, or run without --runner"
        )
        raise ClearError(msg)


def _require_no_new_results(nodes: list[Node]) -> None:
    """Refuses a run that both measures and reads all results: what it reads would lack what it measures."""
    measures = [name for node in nodes for name in node.outputs if name.endswith((".agreement", ".target_quality"))]
    if measures:
        raise ClearError(
            f"--pipeline: reporting reads the results of all cells, and this run makes some of them ({measures[0]}); "
            "run it alone afterwards, with kedro run --pipeline=reporting"
        )
