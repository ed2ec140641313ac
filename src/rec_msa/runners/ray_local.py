"""The processes of a Ray that was started here: seen when they die, and ended when the run that started them does."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from rec_msa.clear_error import ClearError
from rec_msa.processes import command_of, lives, started_by

if TYPE_CHECKING:
    from collections.abc import Iterator

NEEDED = {"gcs_server": "head", "raylet": "raylet"}
"""Programs without which Ray waits for minutes before it says anything, or does not say anything."""

GRACE_SECONDS = 3.0


class LocalRay:
    """What was started by this process since Ray was: its head, its raylet, their agents and workers."""

    def __init__(self) -> None:
        self.processes = {process: stat.start_ticks for process, stat in started_by(os.getpid()).items()}
        self.needed = {process: command_of(process) for process in self.processes}
        self.needed = {process: name for process, name in self.needed.items() if name in NEEDED}

    def require_alive(self) -> None:
        """Looks whether Ray can go on.

        Raises:
            ClearError: One of its processes is gone.
        """
        for process, name in self.needed.items():
            if not lives(process, self.processes[process]):
                raise ClearError(
                    f"RayRunner: Ray's {NEEDED[name]} (process {process}) died; what was finished is kept, go on with "
                    "--only-missing-outputs"
                )

    @contextlib.contextmanager
    def ended_with_this_process(self) -> Iterator[None]:
        """Has what is left of Ray ended when this process is killed: its agents would stay for ever."""
        typed = [sys.executable, "-m", __name__, *(f"{process}:{ticks}" for process, ticks in self.processes.items())]
        with subprocess.Popen(typed, stdin=subprocess.PIPE, start_new_session=True) as guard:
            try:
                yield
            finally:
                guard.kill()  # Ray has been shut down in the proper way


def end(processes: dict[int, int]) -> None:
    """Ends what is left of some processes and of what they started.

    Args:
        processes: When each started, by its id; another one that has its number by now is left alone.
    """
    family = {child: stat.start_ticks for process in processes for child, stat in started_by(process).items()}
    deadline = time.monotonic() + GRACE_SECONDS
    while (left := _left({**family, **processes})) and time.monotonic() < deadline:
        time.sleep(0.1)
    for process in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, 9)


def _left(processes: dict[int, int]) -> list[int]:
    return [process for process, ticks in processes.items() if lives(process, ticks)]


if __name__ == "__main__":
    sys.stdin.read()  # ends when the process dies that holds the other side
    end({int(process): int(ticks) for process, _, ticks in (word.partition(":") for word in sys.argv[1:])})
