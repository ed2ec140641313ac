"""Measuring whole commands: wall time and the peak memory of the process."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """A measured row.

    Attributes:
        what: What was measured.
        seconds: Wall seconds of each run.
        mebibytes: Peak memory of the process over the runs.
        limit: What the project promises, in words; empty where it promises nothing.
    """

    what: str
    seconds: list[float]
    mebibytes: float
    limit: str = ""

    @property
    def median(self) -> float:
        """The median of the runs, in seconds."""
        return statistics.median(self.seconds)


def command(what: str, arguments: list[str], folder: Path, runs: int = 1, limit: str = "") -> Figure:
    """Runs ``python -m …`` in a folder several times.

    Args:
        what: What the row is called.
        arguments: What follows ``python``.
        folder: The working directory.
        runs: How often.
        limit: What the project promises.

    Raises:
        SystemExit: The command failed; its output is shown.
    """
    seconds, peak = [], 0.0
    for _ in range(runs):
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        output = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        seconds.append(time.perf_counter() - start)
        if status:
            raise SystemExit(f"{what}: {' '.join(arguments)} failed\n{output}")
        peak = max(peak, usage.ru_maxrss / 1024)
    return Figure(what, seconds, peak, limit)
