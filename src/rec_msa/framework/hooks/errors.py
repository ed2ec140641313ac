"""Errors that a person can mend, shown without a traceback."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, TypeVar

from kedro.framework.hooks import hook_impl
from kedro.io import DatasetError
from kedro.validation.exceptions import DataValidationError

from rec_msa.datasets.recorded import OtherArtifactError
from rec_msa.foundation.errors import RecMsaError
from rec_msa.framework.clear_error import ClearError

if TYPE_CHECKING:
    from kedro.pipeline.node import Node

Kind = TypeVar("Kind", bound=BaseException)

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)
"""A full or read-only disk."""


class ClearErrors:
    """Turns errors that a person can mend into one clear line without a traceback."""

    @hook_impl
    def on_node_error(self, error: Exception, node: Node) -> None:
        """Names the node and the remedy."""
        raise_clearly(error, f"{node.name}: ")

    @hook_impl(trylast=True)
    def on_pipeline_error(self, error: Exception) -> None:
        """Catches what happens between nodes: loading and saving."""
        raise_clearly(error, "")


def raise_clearly(error: Exception, where: str) -> None:
    """Raises a clear error in the place of one that a person can mend; does nothing with others.

    Args:
        where: What stands before the message.
    """
    if isinstance(error, ClearError):
        return
    if isinstance(error, RecMsaError | DataValidationError):
        raise ClearError(f"{where}{error}") from error
    other = _cause(error, OtherArtifactError)
    if other is not None:
        raise ClearError(f"{where}{other}") from error
    full = _cause(error, OSError)
    if full is not None and full.errno in NO_ROOM:
        raise ClearError(f"{where}{no_room(full)}") from error
    missing = _cause(error, FileNotFoundError)
    if isinstance(error, DatasetError) and missing is not None:
        from rec_msa.bookkeeping.assembly import ASSEMBLED

        name = str(error).partition(":")[0]
        remedy = "kedro run, or the attack_<key> or study that it is of, makes it with --only-missing-outputs"
        if name in ASSEMBLED:
            remedy = "run an attack or a study first"
        msg = f"{where}{name} is not there; {remedy}"
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


def _cause(error: BaseException | None, kind: type[Kind]) -> Kind | None:
    """The first error of a kind behind an error, if there is one."""
    while error is not None and not isinstance(error, kind):
        error = error.__cause__ or error.__context__
    return error
