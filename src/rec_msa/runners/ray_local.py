"""The processes of a Ray that was started here: seen when they die, and ended when the run that started them does."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from rec_msa.bookkeeping.processes import command_of, lives, started_by
from rec_msa.framework.clear_error import ClearError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

NEEDED = {"gcs_server": "head", "raylet": "raylet"}
"""Programs without which Ray waits for minutes before it says anything, or does not say anything."""

LOOK_SECONDS, GRACE_SECONDS = 1.0, 10.0


class LocalRay:
    """What this process started to have Ray: its head, its raylet, their agents and workers.

    Args:
        before: The processes that it had started before, which are none of Ray's.
    """

    def __init__(self, before: Collection[int] = ()) -> None:
        started = started_by(os.getpid())
        self.processes = {process: since for process, since in started.items() if process not in before}
        self.needed = {process: command_of(process) for process in self.processes}
        self.needed = {process: name for process, name in self.needed.items() if name in NEEDED}

    def require_alive(self) -> None:
        """Refuses to go on where one of Ray's processes is gone (``ClearError``)."""
        for process, name in self.needed.items():
            if not lives(process, self.processes[process]):
                raise ClearError(
                    f"RayRunner: Ray's {NEEDED[name]} (process {process}) died; what was finished is kept, go on with "
                    "--only-missing-outputs"
                )

    @contextlib.contextmanager
    def ended_with_this_process(self) -> Iterator[None]:
        """Has what is left of Ray ended when this process is killed: its agents would stay for ever."""
        typed = [
            sys.executable,
            "-m",
            "rec_msa.bookkeeping.guard",
            *(f"{process}:{since}" for process, since in self.processes.items()),
        ]
        with subprocess.Popen(typed, stdin=subprocess.PIPE, start_new_session=True) as watcher:
            ended = threading.Event()
            threading.Thread(target=self._speak_up, args=(ended,), daemon=True).start()
            try:
                yield
            finally:
                ended.set()
                watcher.kill()  # Ray has been shut down in the proper way

    def _speak_up(self, ended: threading.Event) -> None:
        """Ends the run with a line where Ray keeps its main thread: asked after its head died, it waits a minute, and
        ends the process then without a word. The run's claims are those of a dead process."""
        while not ended.wait(LOOK_SECONDS):
            try:
                self.require_alive()
            except ClearError as error:
                if not ended.wait(GRACE_SECONDS):
                    error.show()
                    os._exit(error.exit_code)
