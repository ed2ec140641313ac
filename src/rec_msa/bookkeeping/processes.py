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
        parent: The id of the process that started it.
        start_ticks: When it started, in clock ticks since the machine did.
    """

    state: str
    parent: int
    start_ticks: int


def command_line() -> str:
    """What was typed to start this process, without the folder of the program."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


def command_of(process: int) -> str:
    """The program that a process runs, as the system calls it; empty where it does not tell."""
    try:
        return Path(f"/proc/{process}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


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
    return ProcessStat(after_name[0], int(after_name[1]), int(after_name[19]))


def started_by(process: int) -> dict[int, ProcessStat]:
    """The living processes that a process started, and those that these did; none where the system does not tell.

    Args:
        process: Its id.
    """
    stats: dict[int, ProcessStat] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stats[int(folder.name)] = process_stat(int(folder.name))
        except (ProcessLookupError, FileNotFoundError, PermissionError):
            continue  # it has ended in the meantime
    found: dict[int, ProcessStat] = {}
    open_ids = [process]
    while open_ids:
        parent = open_ids.pop()
        children = {child: stat for child, stat in stats.items() if stat.parent == parent and stat.state not in "ZX"}
        open_ids += children
        found |= children
    return found


def lives(process: int, start_ticks: int) -> bool:
    """Whether a process is still there, and not another one with its number."""
    try:
        stat = process_stat(process)
    except (ProcessLookupError, FileNotFoundError):
        return False
    return stat.start_ticks == start_ticks and stat.state not in "ZX"
