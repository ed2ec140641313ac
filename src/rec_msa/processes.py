"""What the system tells of processes."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import NamedTuple


class ProcessStat(NamedTuple):
    """A process as ``/proc`` has it.

    Attributes:
        state: ``R``, ``S``, ``D``, ``Z``, …
        start_ticks: When it started, in clock ticks since the machine did.
    """

    state: str
    start_ticks: int


def command_line() -> str:
    """What was typed to start this process, without the folder of the program."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


def process_stat(process: int | str) -> ProcessStat:
    """Returns what the system tells of a process.

    Args:
        process: Its id, or ``self``.

    Raises:
        ProcessLookupError: There is no such process.
        FileNotFoundError: The system has no ``/proc``.
    """
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            raise ProcessLookupError(f"there is no process {process}") from None
        raise
    after_name = text.rpartition(")")[2].split()
    return ProcessStat(after_name[0], int(after_name[19]))
