"""Kedro's session, with names that are not there explained instead of traced back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kedro.framework.session import KedroSession

from rec_msa.clear_error import ClearError
from rec_msa.errors import RecMsaError

if TYPE_CHECKING:
    from kedro.runner import AbstractRunner

NO_SUCH_PART = ("does not contain", "contains no nodes after")


class ClearSession(KedroSession):
    """A session that answers a mistyped node, tag or namespace with one clear error."""

    def run(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Runs as Kedro does.

        Raises:
            ClearError: A node, tag, namespace or dataset of that name is not there, or an attack cannot run.
        """
        try:
            return super().run(*args, **{**kwargs, "runner": _cell_by_cell(kwargs.get("runner"))})
        except RecMsaError as error:
            raise ClearError(str(error)) from error
        except ValueError as error:
            raise self._explained(error) from error

    def _explained(self, error: ValueError) -> Exception:
        message = str(error)
        if any(part in message for part in NO_SUCH_PART):
            remedy = "name the --pipeline and the --params (dataset, model, seed) of the run that it belongs to"
            return ClearError(f"{message} For a part of another cell, {remedy}.")
        return error


def _cell_by_cell(runner: AbstractRunner | None) -> AbstractRunner:
    """Kedro's default runner, but one cell of a study after the other."""
    from kedro.runner import SequentialRunner

    from rec_msa.runners.sequential import CellByCellRunner

    if runner is None or type(runner) is SequentialRunner:
        return CellByCellRunner(is_async=bool(runner and runner._is_async))
    return runner
