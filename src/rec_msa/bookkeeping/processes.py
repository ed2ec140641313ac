"""What the system tells of processes, asked in one way on every platform."""

from __future__ import annotations

import os
import shlex
import sys
import time
from pathlib import Path

import psutil

SAME_SECONDS = 2.0
"""The start of the machine is known in whole seconds on some systems; no number of a process is used again so soon."""


def command_line() -> str:
    """What was typed to start this process, without the folder of the program."""
    program = Path(sys.argv[0])
    typed = ["python", "-m", program.parent.name] if program.name == "__main__.py" else [program.name]
    return shlex.join([*typed, *sys.argv[1:]])


def command_of(process: int) -> str:
    """The program that a process runs, as the system calls it; empty where it does not tell."""
    try:
        return str(psutil.Process(process).name())
    except psutil.Error:
        return ""


def born(process: int) -> float | None:
    """When a process started, in seconds since the machine did, which no change of the clock alters.

    Returns:
        None where there is no such process, or one that has ended and whose parent has not asked.
    """
    try:
        found = psutil.Process(process)
        ended = found.status() == psutil.STATUS_ZOMBIE
        return None if ended else float(found.create_time() - psutil.boot_time())
    except psutil.Error:
        return None


def lives(process: int, since: float) -> bool:
    """Whether a process that was ``born`` then is still there, and not another one with its number."""
    now = born(process)
    return now is not None and abs(now - since) < SAME_SECONDS


def started_by(process: int) -> dict[int, float]:
    """The living processes that a process started, and those that these did: when each was ``born``, by its id."""
    try:
        children = psutil.Process(process).children(recursive=True)
    except psutil.Error:
        return {}
    found = {child.pid: born(child.pid) for child in children}
    return {child: since for child, since in found.items() if since is not None}


def age() -> float:
    """Seconds since this process started."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME) - (born(os.getpid()) or 0.0)
    return time.time() - float(psutil.Process().create_time())
