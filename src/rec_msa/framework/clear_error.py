"""How an error with a remedy reaches a person on the command line."""

from __future__ import annotations

from typing import IO, Any

import click
from kedro.framework.cli.utils import KedroCliError


class ClearError(KedroCliError):
    """An error whose message is all that there is to say: shown as it is, without a traceback."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Prints the message; Kedro's own would print the exception being handled, which is gone by then."""
        click.secho(f"Error: {self.message}", fg="red", file=file, err=file is None)


class NodesFailedError(ClearError):
    """Some nodes of a run failed; all that does not depend on them was finished."""
