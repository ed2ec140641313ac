"""One run on Ray: which nodes wait, run, are done or failed."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from rec_msa.framework.clear_error import ClearError, NodesFailedError
from rec_msa.runners.order import Urgency
from rec_msa.runners.ray_task import Outcome, code_digest, execute, first_line, own_catalog

if TYPE_CHECKING:
    from collections.abc import Callable

    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node

    from rec_msa.bookkeeping.study_progress import StudyProgress

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
FAILURES_SHOWN = 10


class RayRun:
    """One run: which nodes wait, run, are done or failed.

    Args:
        threads: Cores that each task asks for.
        gpus: GPUs that each node on a GPU asks for; None for what there is.
        retries: How often a task is tried again whose worker died.
        is_async: Whether a task loads and saves in threads.

    Raises:
        ClearError: No machine has what a task would ask for.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        catalog: DataCatalog,
        run_id: str | None,
        progress: StudyProgress,
        *,
        threads: int,
        gpus: float | None,
        retries: int,
        is_async: bool,
    ) -> None:
        self.catalog, self.run_id, self.progress = catalog, run_id, progress
        self.threads, self.retries, self.is_async = threads, retries, is_async
        self.urgency = Urgency(pipeline, progress)
        # In an order in which each comes after what it needs: a failure is followed through it once.
        self.waiting = {node: set(pipeline.node_dependencies[node]) for node in pipeline.nodes}
        self.running: dict[Any, Node] = {}
        self.failed: dict[str, str] = {}
        self.skipped: list[str] = []
        self.gpus = self._gpus_of_a_task(gpus)
        self._require_cores()

    def drive(self, require_alive: Callable[[], None]) -> None:
        """Sends every node when what it needs is there, and collects what comes back.

        Args:
            require_alive: Looks whether Ray can go on; called between looks for what came back.
        """
        import ray

        # Sent by name: a worker imports the same function, and checks that it has the same code.
        remote = ray.remote(execute)
        code = code_digest()
        while self.waiting or self.running:
            require_alive()
            for node in self._ready():
                del self.waiting[node]
                options = remote.options(
                    num_cpus=self.threads, num_gpus=self._gpus_for(node), max_retries=self.retries, name=node.name
                )
                own = own_catalog(node, self.catalog)
                self.running[options.remote(node, own, self.run_id, self.threads, code, self.is_async)] = node
                self.progress.begin(node)
            if not self.running:
                time.sleep(LOOK_SECONDS)  # no machine has room just now
                continue
            done, _ = ray.wait(list(self.running), num_returns=1, timeout=LOOK_SECONDS)
            require_alive()  # or every node would be told that its worker died
            for reference in done:
                self._collect(self.running.pop(reference), reference)

    def raise_failures(self) -> None:
        """Names what failed (``NodesFailedError``)."""
        if not self.failed:
            return
        shown = [f"  {message}" for message in list(self.failed.values())[:FAILURES_SHOWN]]
        if len(self.failed) > FAILURES_SHOWN:
            shown.append(f"  and {len(self.failed) - FAILURES_SHOWN} more, in the log")
        nodes = "node" if len(self.failed) == 1 else "nodes"
        raise NodesFailedError(
            f"{len(self.failed)} {nodes} failed; {len(self.skipped)} that need them did not run, all others did:\n"
            + "\n".join(shown)
            + "\nMend it and go on with --only-missing-outputs."
        )

    def _ready(self) -> list[Node]:
        """Nodes that may start now: no more than fit, so that the first cells are finished first."""
        room, rooms_with_gpu = self._room()
        ready: list[Node] = []
        free = [node for node, needed in self.waiting.items() if not needed] if room > 0 else []
        for node in self.urgency.first(free):
            asks = bool(self._gpus_for(node))
            if len(ready) < room and (not asks or rooms_with_gpu > 0):
                ready.append(node)
                rooms_with_gpu -= asks
        return ready

    def _room(self) -> tuple[int, int]:
        import ray

        size = ray.cluster_resources()
        on_gpu = sum(bool(self._gpus_for(node)) for node in self.running.values())
        rooms_with_gpu = int(size.get("GPU", 0) / self.gpus + 1e-9) - on_gpu if self.gpus else 0
        return int(size.get("CPU", 0)) // self.threads - len(self.running), rooms_with_gpu

    def _collect(self, node: Node, reference: Any) -> None:
        import ray

        try:
            outcome: Outcome = ray.get(reference)
        except ray.exceptions.RayTaskError as error:
            outcome = Outcome(
                f"{node.name}: its worker could not run it: {first_line(error.cause or error)}", str(error)
            )
        except ray.exceptions.RayError as error:
            died = f"its worker died ({self.retries + 1} times): {first_line(error)}"
            outcome = Outcome(f"{node.name}: {died}", str(error))
        for warning in outcome.warnings:
            logger.warning("%s: %s", node.name, warning)
        if outcome.error is not None:
            self._fail(node, outcome)
            return
        self.progress.finish(node, outcome.in_function, outcome.in_task)
        for needed in self.waiting.values():
            needed.discard(node)

    def _fail(self, node: Node, outcome: Outcome) -> None:
        """Drops a node and all that depends on it."""
        self.failed[node.name] = str(outcome.error)
        logger.error("%s\n%s", outcome.error, outcome.trace)
        lost = {node}
        self.progress.drop(node)
        for other in list(self.waiting):
            if self.waiting[other] & lost:
                lost.add(other)
                self.skipped.append(other.name)
                self.progress.drop(other)
                del self.waiting[other]

    def _gpus_for(self, node: Node) -> float:
        return self.gpus if "gpu" in node.tags or "params:device" in node.inputs else 0

    def _gpus_of_a_task(self, asked: float | None) -> float:
        """GPUs that each node on a GPU asks for.

        Raises:
            ClearError: GPUs are asked for, and no machine has that many.
        """
        import ray

        device = self.catalog.load("params:device") if "params:device" in self.catalog else "auto"
        most = max((machine["Resources"].get("GPU", 0) for machine in _machines(ray)), default=0)
        if device == "cpu" or (not asked and asked is not None):
            return 0
        wanted = 1 if asked is None else asked
        if most >= wanted:
            return wanted
        if asked is not None or device == "cuda":
            have = f"no machine has more than {most:g}" if most else "the cluster has none"
            why = f"gpus={asked:g}" if asked is not None else "device=cuda"
            raise ClearError(f"RayRunner: {why} asks for GPUs, but {have}; leave it out to run on CPUs")
        logger.info("Ray: the cluster has no GPU, everything runs on CPUs")
        return 0

    def _require_cores(self) -> None:
        """Refuses tasks that no machine could ever take, for which Ray would wait without end.

        Raises:
            ClearError: No machine has as many cores as a task asks for, or none of those with the GPUs has.
        """
        import ray

        machines = [machine["Resources"] for machine in _machines(ray)]
        for gpus in sorted({self._gpus_for(node) for node in self.waiting}):
            most = max((own.get("CPU", 0) for own in machines if own.get("GPU", 0) >= gpus), default=0)
            if most < self.threads:
                which = f"machine with {gpus:g} GPU" if gpus else "machine"
                raise ClearError(
                    f"RayRunner: a task asks for {self.threads} cores (threads), but no {which} has more than "
                    f"{most:g}; set --runner-params=threads=1"
                )


def _machines(ray: Any) -> list[dict[str, Any]]:
    return [machine for machine in ray.nodes() if machine["Alive"]]
