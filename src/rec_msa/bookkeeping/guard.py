"""Ends what a killed run had started: ``python -m rec_msa.bookkeeping.guard PROCESS:TICKS ...``, until its input ends.

A process of its own, which imports next to nothing: it must outlive the run and cost nothing beside it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from typing import IO

from rec_msa.bookkeeping.processes import lives, started_by

GRACE_SECONDS = 3.0
LOOK_SECONDS = 2.0


def guard(processes: dict[int, int], alive: IO[bytes]) -> None:
    """Waits for the end of a stream, and ends then what is left of some processes and of what they started.

    Args:
        processes: When each started, by its id.
        alive: Ends when the process dies that holds its other side.
    """
    known = dict(processes)
    while not select.select([alive], [], [], LOOK_SECONDS)[0]:
        # Looked up while the parents live: agents are started late, and stay behind without a parent.
        for process in _left(processes):
            known |= {child: stat.start_ticks for child, stat in started_by(process).items()}
    end(known)


def end(processes: dict[int, int]) -> None:
    """Ends what is left of some processes, if it does not end by itself in time.

    Args:
        processes: When each started, by its id; another one that has its number by now is left alone.
    """
    deadline = time.monotonic() + GRACE_SECONDS
    while (left := _left(processes)) and time.monotonic() < deadline:
        time.sleep(0.1)
    for process in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def _left(processes: dict[int, int]) -> list[int]:
    return [process for process, ticks in processes.items() if lives(process, ticks)]


if __name__ == "__main__":
    words = (word.partition(":") for word in sys.argv[1:])
    guard({int(process): int(ticks) for process, _, ticks in words}, sys.stdin.buffer)
