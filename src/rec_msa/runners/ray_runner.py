"""``RayRunner``: the nodes of a pipeline as tasks of Ray, on this machine or on a cluster."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
import os
import socket
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl
from kedro.framework.hooks.manager import _create_hook_manager, _register_hooks
from kedro.framework.project import configure_project, settings
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import AbstractRunner, Task

from rec_msa.clear_error import ClearError, NodesFailedError
from rec_msa.hooks import Runs
from rec_msa.progress import StudyProgress
from rec_msa.runners.sequential import by_cell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node
    from pluggy import PluginManager

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
LOOK_SECONDS = 1.0
OBJECT_STORE_BYTES = 128 << 20
"""Artifacts go through the catalog, never through Ray's memory."""

FAILURES_SHOWN = 10


@dataclass(frozen=True)
class Outcome:
    """What a worker tells of a node.

    Attributes:
        error: What went wrong, for a person; None where nothing did.
        trace: The traceback of an error that nobody foresaw.
        in_function: Seconds in the node's own function.
        in_task: Seconds with loading and saving.
        warnings: What the project warned of.
    """

    error: str | None = None
    trace: str = ""
    in_function: float = 0.0
    in_task: float = 0.0
    warnings: tuple[str, ...] = ()


class RayRunner(AbstractRunner):
    """Runs nodes as Ray tasks; the artifacts are the same bytes as with ``SequentialRunner``.

    A node that fails ends only what depends on it: the run goes on, names it at the end and fails then. The task of a
    worker that was killed is tried again. Only a node's own datasets are sent, never the data: they lie on a path (a
    folder, or an fsspec URL) that all machines see.

    Example::

        kedro run --runner=rec_msa.runners.RayRunner --runner-params=workers=2
        kedro run --runner=rec_msa.runners.RayRunner --runner-params=address=10.0.0.1:6379,gpus=0.25

    Args:
        address: ``host:port`` of a running cluster's head, from one of its machines; without one, Ray is started here.
        workers: Tasks at a time where Ray is started here; by default as many as the cores carry.
        gpus: GPUs that a node tagged ``gpu``, or any that takes ``device``, asks for; a fraction shares one. By
            default 1 where the cluster has any.
        threads: torch's threads, and cores asked for, by each task; by default as many as without this runner.
        retries: How often a task is tried again whose worker died.
        is_async: Whether inputs and outputs are loaded and saved in threads.

    Raises:
        ClearError: A value is out of range.
    """

    def __init__(
        self,
        address: str | None = None,
        workers: int | None = None,
        gpus: float | None = None,
        threads: int | None = None,
        retries: int = 3,
        is_async: bool = False,
    ) -> None:
        super().__init__(is_async=is_async)
        _require_numbers({"workers": (workers, 1), "threads": (threads, 1), "retries": (retries, 0)}, gpus)
        if address is not None and workers is not None:
            raise ClearError("RayRunner: workers is for Ray on this machine; a cluster at an address has a size")
        self.address, self.workers, self.gpus, self.threads, self.retries = address, workers, gpus, threads, retries

    def _get_executor(self, max_workers: int) -> None:
        return None

    def _run(
        self,
        pipeline: Pipeline,
        catalog: DataCatalog,  # type: ignore[override]
        hook_manager: PluginManager | None = None,
        run_id: str | None = None,
    ) -> None:
        _require_files(pipeline, catalog)
        hooks = next((plugin for plugin in _plugins(hook_manager) if isinstance(plugin, Runs)), None)
        progress = hooks.progress if hooks else None
        progress = progress or StudyProgress(pipeline.nodes, 0, catalog, time.monotonic())
        started = time.monotonic()
        with self._ray():
            nodes_run = _Run(self, pipeline, catalog, run_id, progress)
            progress.show()
            begun = time.monotonic()
            nodes_run.drive()
            ended = time.monotonic()
        if hooks:
            hooks.outside = begun - progress.started + time.monotonic() - ended
        logger.info("Ray: %.1f s to start, %.1f s of tasks", begun - started, ended - begun)
        nodes_run.raise_failures()

    def threads_of_a_task(self) -> int:
        """Threads, and cores, of each task."""
        return self.threads or int(os.environ.get("OMP_NUM_THREADS", "1"))

    @contextlib.contextmanager
    def _ray(self) -> Iterator[None]:
        """Ray, connected or started here; one that is up already (a notebook's) is used and left."""
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        # Ray's own default lets any other process go first; here nothing waits but the driver.
        os.environ.setdefault("RAY_worker_niceness", "0")
        try:
            import ray
        except ModuleNotFoundError as error:
            raise ClearError("RayRunner needs Ray: pip install 'rec_msa[cluster]'") from error
        if ray.is_initialized():
            yield
            return
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": True}
        if self.address is not None:
            _require_answer(self.address)
            try:
                ray.init(address=self.address, **quiet)
            except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
                hint = "a cluster with a token asks for RAY_AUTH_MODE=token here too, see docs/cluster.md"
                msg = f"RayRunner, address: {self.address} answers, but: {_first_line(error)} ({hint})"
                raise ClearError(msg) from error
        else:
            cores = self.workers * self.threads_of_a_task() if self.workers else None
            small = {"include_dashboard": False, "object_store_memory": OBJECT_STORE_BYTES}
            ray.init(address="local", num_cpus=cores, **small, **quiet)
        try:
            yield
        finally:
            ray.shutdown()


class _Run:
    """One run: which nodes wait, run, are done or failed."""

    def __init__(
        self, runner: RayRunner, pipeline: Pipeline, catalog: DataCatalog, run_id: str | None, progress: StudyProgress
    ) -> None:
        self.catalog, self.run_id, self.progress = catalog, run_id, progress
        self.threads = runner.threads_of_a_task()
        self.waiting = {node: set(pipeline.node_dependencies[node]) for node in by_cell(pipeline)}
        self.running: dict[Any, Node] = {}
        self.failed: dict[str, str] = {}
        self.skipped: list[str] = []
        self.retries = runner.retries
        self.gpus = self._gpus_of_a_task(runner.gpus)
        self._require_cores()

    def drive(self) -> None:
        """Sends every node when what it needs is there, and collects what comes back."""
        import ray

        # Sent by name: a worker imports the same function, and checks that it has the same code.
        remote = ray.remote(execute)
        code = code_digest()
        while self.waiting or self.running:
            for node in self._ready():
                del self.waiting[node]
                options = remote.options(
                    num_cpus=self.threads, num_gpus=self._gpus_for(node), max_retries=self.retries, name=node.name
                )
                own = own_catalog(node, self.catalog)
                self.running[options.remote(node, own, self.run_id, self.threads, code)] = node
                self.progress.begin(node)
            done, _ = ray.wait(list(self.running), num_returns=1, timeout=LOOK_SECONDS)
            for reference in done:
                self._collect(self.running.pop(reference), reference)

    def raise_failures(self) -> None:
        """Names what failed.

        Raises:
            NodesFailedError: Some node did.
        """
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
        for node, needed in self.waiting.items():
            if len(ready) >= room:
                break
            asks = bool(self._gpus_for(node))
            if not needed and (not asks or rooms_with_gpu > 0):
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
        except ray.exceptions.RayError as error:
            died = f"its worker died ({self.retries + 1} times): {_first_line(error)}"
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


def execute(node: Node, catalog: DataCatalog, run_id: str | None, threads: int, code: str) -> Outcome:
    """Runs a node in a worker: loads, calls, saves, with the project's hooks.

    Args:
        node: The node.
        catalog: Its own datasets.
        run_id: The run.
        threads: torch's threads.
        code: Digest of the sender's code.
    """
    if code != code_digest():
        return Outcome(
            f"{node.name}: {socket.gethostname()} has other code of rec_msa than the machine that runs the study; "
            "install the same version on every machine"
        )
    _limit_threads(threads)
    configure_project("rec_msa")
    hook_manager, clock = _create_hook_manager(), _Clock()
    _register_hooks(hook_manager, [*settings.HOOKS, clock])
    listener = _Listener()
    logging.getLogger("rec_msa").addHandler(listener)
    started = time.monotonic()
    try:
        Task(node=node, catalog=catalog, hook_manager=hook_manager, is_async=False, run_id=run_id).execute()
    except ClearError as error:
        return Outcome(error.message, warnings=tuple(listener.heard))
    except Exception as error:  # whatever it is, the other nodes go on
        message = f"{node.name}: {type(error).__name__}: {_first_line(error)}"
        return Outcome(message, traceback.format_exc(), warnings=tuple(listener.heard))
    finally:
        logging.getLogger("rec_msa").removeHandler(listener)
    return Outcome(in_function=clock.seconds, in_task=time.monotonic() - started, warnings=tuple(listener.heard))


def own_catalog(node: Node, catalog: DataCatalog) -> DataCatalog:
    """A catalog of a node's own datasets, with what validates them."""
    names = {*node.inputs, *node.outputs}
    own = DataCatalog({name: catalog[name] for name in names}, validation_enabled=catalog.validation_enabled)
    own._validator_specs = {name: spec for name, spec in catalog.validator_specs.items() if name in names}
    return own


@functools.cache
def code_digest() -> str:
    """Digest of this package's source files."""
    folder = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()


@dataclass
class _Clock:
    """Measures the node's function alone."""

    seconds: float = 0.0

    @hook_impl
    def before_node_run(self) -> None:
        self.seconds = -time.monotonic()

    @hook_impl
    def after_node_run(self) -> None:
        self.seconds += time.monotonic()

    __hash__ = object.__hash__


@dataclass
class _Listener(logging.Handler):
    """Keeps the project's warnings, which a person would not see on another machine."""

    heard: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage())

    __hash__ = object.__hash__


def _limit_threads(threads: int) -> None:
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(threads)
    import torch

    torch.set_num_threads(threads)


def _require_numbers(counts: dict[str, tuple[Any, int]], gpus: Any) -> None:
    """Checks what the command line gives, which may be of any type."""
    for name, (value, least) in counts.items():
        if value is not None and (not isinstance(value, int) or value < least):
            raise ClearError(f"RayRunner, {name}: {value!r} is not valid: a whole number from {least} up is")
    if gpus is not None and not (isinstance(gpus, int | float) and (0 <= gpus <= 1 or gpus == int(gpus) > 0)):
        raise ClearError(f"RayRunner, gpus: {gpus!r} is not valid: a share from 0 to 1 or a whole number is")


def _require_files(pipeline: Pipeline, catalog: DataCatalog) -> None:
    missing = sorted(name for name in pipeline.all_outputs() if isinstance(catalog[name], MemoryDataset))
    if missing:
        raise ClearError(
            f"RayRunner: {', '.join(missing)} has no catalog entry, and what lies in memory does not cross to another "
            "process; add it to the catalog"
        )


def _require_answer(address: str) -> None:
    """Asks whether anything listens, since Ray itself waits for minutes.

    Raises:
        ClearError: The address is not ``host:port``, or nothing answers there.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise ClearError(f"RayRunner, address: '{address}' is not host:port, as 10.0.0.1:6379")
    try:
        socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        raise ClearError(
            f"RayRunner, address: no cluster answers at {address} ({error.strerror or error}); start its head with "
            f"'ray start --head --port={port}' there, or leave address out to use this machine alone"
        ) from error


def _machines(ray: Any) -> list[dict[str, Any]]:
    return [machine for machine in ray.nodes() if machine["Alive"]]


def _plugins(hook_manager: Any) -> Any:
    from pluggy import PluginManager

    return hook_manager.get_plugins() if isinstance(hook_manager, PluginManager) else ()


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
