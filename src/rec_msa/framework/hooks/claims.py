"""What a run claims, and why it cannot begin."""

from __future__ import annotations

import contextlib
import posixpath
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from rec_msa.foundation.errors import RecMsaError
from rec_msa.framework.clear_error import ClearError
from rec_msa.framework.hooks.errors import no_room

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kedro.io import DataCatalog
    from kedro.pipeline.node import Node

    from rec_msa.bookkeeping.locks import Lock


def claim(nodes: list[Node], catalog: DataCatalog, patience: float) -> Lock | None:
    """Claims what some nodes write and read; None for no nodes.

    Args:
        patience: Seconds to wait for a run that holds some of them.

    Raises:
        ClearError: Another run works on them, or the disk is full or read-only.
    """
    from rec_msa.bookkeeping.provenance import is_parameter

    if not nodes:
        return None
    reads = {name for node in nodes for name in node.inputs if not is_parameter(name)}
    lock = lock_of([name for node in nodes for name in node.outputs], reads, catalog)
    with nothing_was_run():
        lock.take(patience)
    return lock


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


@contextlib.contextmanager
def nothing_was_run() -> Iterator[None]:
    """Says clearly why a run cannot begin."""
    try:
        yield
    except RecMsaError as error:
        raise ClearError(str(error)) from error
    except OSError as error:
        raise ClearError(f"nothing was run: {no_room(error)}") from error
