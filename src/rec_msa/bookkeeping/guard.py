"""Ends what a killed run had started: ``python -m rec_msa.bookkeeping.guard PROCESS:BORN ...``, until its input ends.

A process of its own, which imports next to nothing: it must outlive the run and cost nothing beside it.
"""

from __future__ import annotations

import contextlib
import select
import sys
import time
from typing import IO

import psutil

from rec_msa.bookkeeping.processes import lives, started_by

GRACE_SECONDS = 3.0
LOOK_SECONDS = 2.0


def guard(processes: dict[int, float], alive: IO[bytes]) -> None:
    """Waits for the end of a stream, and ends then what is left of some processes and of what they started.

    Args:
        processes: When each was ``born``, by its id.
        alive: Ends when the process dies that holds its other side.
    """
    known = dict(processes)
    while not select.select([alive], [], [], LOOK_SECONDS)[0]:
        # Looked up while the parents live: agents are started late, and stay behind without a parent.
        for process in _left(processes):
            known |= started_by(process)
    end(known)


def end(processes: dict[int, float]) -> None:
    """Ends what is left of some processes, if it does not end by itself in time.

    Args:
        processes: When each was ``born``, by its id; another one that has its number by now is left alone.
    """
    deadline = time.monotonic() + GRACE_SECONDS
    while (left := _left(processes)) and time.monotonic() < deadline:
        time.sleep(0.1)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(process).kill()


def _left(processes: dict[int, float]) -> list[int]:
    return [process for process, since in processes.items() if lives(process, since)]


if __name__ == "__main__":
    words = (word.partition(":") for word in sys.argv[1:])
    guard({int(process): float(since) for process, _, since in words}, sys.stdin.buffer)
