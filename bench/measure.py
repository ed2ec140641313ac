"""Measuring in fresh processes: each is pinned to its cores, runs alone and prints one line of JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RAW = ROOT / "data" / "01_raw"
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_BEGUN = time.perf_counter(), time.process_time()

Figures = dict[str, Any]
"""What one run measured: a number for each metric, None where it was never reached, or the key ``error``."""


def fresh(arguments: list[str], threads: int) -> Figures:
    """Runs ``python …`` in a fresh process and reads the figures off its last line.

    Args:
        arguments: What follows ``python``, such as ``["-m", "bench.ours", "bpr"]``.
        threads: Cores that the process may use, and threads that its libraries start.

    Returns:
        The printed figures; or ``error`` with the last line of what a failed process said.
    """
    done = subprocess.run(
        _pinned([sys.executable, *arguments], threads),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")} | dict.fromkeys(THREAD_VARIABLES, str(threads)),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        return {"error": said[-1] if said else f"exit status {done.returncode}"}
    figures: Figures = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def command(arguments: list[str], folder: Path, cores: int) -> Figures:
    """Times ``python …`` from outside, as a user waits for it.

    Args:
        arguments: What follows ``python``.
        folder: The working directory.
        cores: Cores that the process may use.

    Returns:
        ``seconds``, ``cpu_s`` and ``peak_mib``; or ``error``.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        _pinned([sys.executable, *arguments], cores),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    output = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        return {"error": (output.strip().splitlines() or ["no output"])[-1]}
    return {"seconds": seconds, "cpu_s": usage.ru_utime + usage.ru_stime, "peak_mib": usage.ru_maxrss / 1024}


def _pinned(arguments: list[str], cores: int) -> list[str]:
    """Puts a pin before a command: the last cores that this process may use, since the first one serves interrupts."""
    chosen = sorted(os.sched_getaffinity(0))[-cores:]
    return ["taskset", "--cpu-list", ",".join(map(str, chosen)), *arguments]


def report(**figures: float | str | None) -> None:
    """Prints what a process measured as the one line that ``fresh`` reads.

    Beside it stand its peak memory and ``core_share``, the processor time that it got of the time that it took: well
    below 1 where it had to share its core, so that its seconds say more of the neighbours than of itself.
    """
    wall, processor = time.perf_counter() - _BEGUN[0], time.process_time() - _BEGUN[1]
    print(json.dumps({"peak_mib": peak_mib(), "core_share": processor / wall, **figures}))


def peak_mib() -> float:
    """Peak resident memory of this process in MiB.

    The kernel's ``ru_maxrss`` would begin at that of the process that started this one.
    """
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise OSError("/proc/self/status has no VmHWM: peak memory is measured on Linux alone")
