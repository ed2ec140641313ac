"""What a worker of Ray does with a node, and what it tells of it."""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import socket
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kedro.framework.hooks.manager import _create_hook_manager, _register_hooks
from kedro.framework.project import configure_project, settings
from kedro.io import DataCatalog
from kedro.runner import Task

from rec_msa.framework.clear_error import ClearError
from rec_msa.framework.hooks.errors import raise_clearly
from rec_msa.framework.hooks.node_times import NodeTimes

if TYPE_CHECKING:
    from kedro.pipeline.node import Node


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


def execute(node: Node, catalog: DataCatalog, run_id: str | None, threads: int, code: str, is_async: bool) -> Outcome:
    """Runs a node in a worker: loads, calls, saves, with the project's hooks.

    Args:
        threads: torch's threads.
        code: Digest of the sender's code.
        is_async: Whether to load and save in threads.
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
    try:
        Task(node=node, catalog=catalog, hook_manager=hook_manager, is_async=is_async, run_id=run_id).execute()
    except Exception as error:  # whatever it is, the other nodes go on
        return _failed(node, error, tuple(listener.heard))
    finally:
        logging.getLogger("rec_msa").removeHandler(listener)
    return Outcome(in_function=clock.in_function, in_task=clock.in_task, warnings=tuple(listener.heard))


def _failed(node: Node, error: Exception, warnings: tuple[str, ...]) -> Outcome:
    """What is told of a node that failed: in one line with a remedy where there is one, as without Ray."""
    try:
        raise_clearly(error, f"{node.name}: ")
    except ClearError as clear:
        return Outcome(clear.message, warnings=warnings)
    if isinstance(error, ClearError):
        return Outcome(error.message, warnings=warnings)
    trace = "".join(traceback.format_exception(error))
    return Outcome(f"{node.name}: {type(error).__name__}: {first_line(error)}", trace, warnings=warnings)


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


class _Clock(NodeTimes):
    """Keeps what the node took."""

    in_function = in_task = 0.0

    def finished(self, node: Node, in_function: float, in_task: float) -> None:
        self.in_function, self.in_task = in_function, in_task


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


def first_line(error: BaseException) -> str:
    """What an error says, in a line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
