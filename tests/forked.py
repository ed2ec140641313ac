"""Kedro's commands as processes that are forked from one which has imported everything: imports cost seconds each."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FORKS = multiprocessing.get_context("forkserver")
PREPARED = (
    "torch",
    "kedro.framework.cli",
    "kedro_datasets.pandas",
    "matplotlib.figure",
    "scipy.stats",
    "statsmodels.stats.multitest",
    "pandera.pandas",
    "rec_msa.framework.hooks",
    "rec_msa.framework.session",
    "rec_msa.pipeline_registry",
    "rec_msa.datasets.files",
    "rec_msa.reporting.report",
    "tests.killed_run",
)


class Command:
    """``kedro ...`` as a process of its own.

    Args:
        folder: The project.
        arguments: What is typed after ``kedro``.
        first: What the process does before it begins.
    """

    def __init__(self, folder: Path, *arguments: str, first: Callable[[], object] | None = None) -> None:
        with tempfile.NamedTemporaryFile(prefix="rec_msa-", suffix=".log", delete=False) as file:
            self._output = Path(file.name)
        FORKS.set_forkserver_preload(list(PREPARED))
        self.process = FORKS.Process(target=_kedro, args=(str(folder), arguments, first, str(self._output)))
        self.process.start()
        self.pid = int(self.process.pid or 0)

    def ended(self, seconds: float | None = None) -> bool:
        """Whether it ends within some seconds."""
        self.process.join(seconds)
        return self.process.exitcode is not None

    @property
    def status(self) -> int | None:
        """Its exit status; negative where a signal ended it, None where it goes on."""
        return self.process.exitcode

    def kill(self) -> None:
        """Kills it with all that it started."""
        os.killpg(self.pid, signal.SIGKILL)

    def printed(self) -> str:
        """What it said; only once."""
        said = self._output.read_text(errors="replace")
        self._output.unlink()
        return said


def _kedro(folder: str, arguments: tuple[str, ...], first: Callable[[], object] | None, output: str) -> None:
    os.setsid()
    os.chdir(folder)
    with open(output, "w", encoding="utf-8") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    # On a machine that does something else, too, a run's two threads wait for each other: minutes in place of seconds.
    os.environ |= {"OMP_NUM_THREADS": "1", "DO_NOT_TRACK": "1"}
    sys.argv = ["kedro", *arguments]
    if first is not None:
        first()
    from kedro.framework.cli import main

    main()
