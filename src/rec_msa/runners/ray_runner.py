"""``RayRunner``: the nodes of a pipeline as tasks of Ray, on this machine or on a cluster."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import time
from inspect import signature
from typing import TYPE_CHECKING, Any

from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import AbstractRunner

from rec_msa.bookkeeping.processes import started_by
from rec_msa.bookkeeping.study_progress import StudyProgress
from rec_msa.foundation.errors import nearest
from rec_msa.framework.clear_error import ClearError
from rec_msa.framework.hooks import Runs, threads_in_environment
from rec_msa.runners.ray_local import LocalRay
from rec_msa.runners.ray_run import RayRun
from rec_msa.runners.ray_task import first_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kedro.pipeline import Pipeline
    from pluggy import PluginManager

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
HTTP2_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
"""The preface and an empty frame of settings."""

OBJECT_STORE_BYTES = 128 << 20
"""Artifacts go through the catalog, never through Ray's memory."""


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
        **unknown: Any,
    ) -> None:
        super().__init__(is_async=is_async)
        for name in unknown:
            known = set(signature(RayRunner).parameters) - {"unknown"}
            raise ClearError(f"RayRunner: there is no {name}; {nearest(name, known)}")
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
        run = hooks and hooks.run
        progress = run.progress if run else StudyProgress(pipeline.nodes, 0, catalog, time.monotonic())
        started = time.monotonic()
        with self._ray() as local:
            nodes_run = RayRun(
                pipeline,
                catalog,
                run_id,
                progress,
                threads=self.threads_of_a_task(),
                gpus=self.gpus,
                retries=self.retries,
                is_async=self._is_async,
            )
            progress.show()
            begun = time.monotonic()
            nodes_run.drive(local.require_alive if local else _nothing)
            ended = time.monotonic()
        if run:
            run.threads = self.threads_of_a_task()
            run.outside = begun - progress.started + time.monotonic() - ended
        logger.info("Ray: %.1f s to start, %.1f s of tasks", begun - started, ended - begun)
        nodes_run.raise_failures()

    def threads_of_a_task(self) -> int:
        """Threads, and cores, of each task."""
        return self.threads or threads_in_environment() or 1

    @contextlib.contextmanager
    def _ray(self) -> Iterator[LocalRay | None]:
        """Ray, connected or started here; one that is up already (a notebook's) is used and left.

        Yields:
            Its processes, where it was started here.
        """
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        # Ray's own default lets any other process go first; here nothing waits but the driver.
        os.environ.setdefault("RAY_worker_niceness", "0")
        try:
            import ray
        except ModuleNotFoundError as error:
            raise ClearError("RayRunner needs Ray: pip install 'rec_msa[cluster]'") from error
        if ray.is_initialized():
            yield None
            return
        before = started_by(os.getpid())
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": True}
        if self.address is not None:
            _require_answer(self.address)
            try:
                ray.init(address=self.address, **quiet)
            except Exception as error:  # Ray raises the class itself where a node does not come up in time
                hint = "a cluster with a token asks for RAY_AUTH_MODE=token here too, see docs/cluster.md"
                msg = f"RayRunner, address: {self.address} answers, but: {first_line(error)} ({hint})"
                raise ClearError(msg) from error
        else:
            cores = self.workers * self.threads_of_a_task() if self.workers else None
            small = {"include_dashboard": False, "object_store_memory": OBJECT_STORE_BYTES}
            self._start(num_cpus=cores, **small, **quiet)
        local = LocalRay(before) if self.address is None else None
        try:
            with local.ended_with_this_process() if local else contextlib.nullcontext():
                yield local
        finally:
            ray.shutdown()

    @staticmethod
    def _start(**options: Any) -> None:
        """Starts Ray here, or says what it needs (``ClearError``)."""
        import ray

        try:
            ray.init(address="local", **options)
        except Exception as error:  # Ray raises the class itself where a node does not come up in time
            raise ClearError(
                f"RayRunner: Ray did not start here: {first_line(error)}; it needs a folder for temporary files to "
                "write to (TMPDIR or RAY_TMPDIR), and free ports; without --runner no Ray is needed"
            ) from error


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
    """Asks whether anything answers, since Ray itself waits for minutes.

    Raises:
        ClearError: The address is not ``host:port``, or nothing answers there.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise ClearError(f"RayRunner, address: '{address}' is not host:port, as 10.0.0.1:6379")
    try:
        _greet(host, int(port))
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise ClearError(
            f"RayRunner, address: no cluster answers at {address} ({why}); start its head with "
            f"'ray start --head --port={port}' there, or leave address out to use this machine alone"
        ) from error


def _greet(host: str, port: int) -> None:
    """Greets as gRPC does, on HTTP/2; who speaks it answers at once, and what only listens says nothing.

    A cluster with TLS hangs up on what is not encrypted: there it is enough that the port is open.

    Raises:
        OSError: There is no answer.
    """
    with socket.create_connection((host, port), timeout=CONNECT_SECONDS) as connection:
        if os.environ.get("RAY_USE_TLS", "").lower() in ("1", "true"):
            return
        connection.sendall(HTTP2_GREETING)
        if not connection.recv(1):
            raise OSError("it hung up without a word")


def _nothing() -> None:
    """A cluster at an address says itself when a part of it is gone."""


def _plugins(hook_manager: Any) -> Any:
    from pluggy import PluginManager

    return hook_manager.get_plugins() if isinstance(hook_manager, PluginManager) else ()
