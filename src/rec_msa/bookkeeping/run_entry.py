"""What a run says of itself when it ends: when, how long, with what and on what machine."""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from rec_msa.bookkeeping.processes import command_line

LIBRARIES = ("torch", "kedro", "numpy")
INSTRUCTIONS = (
    "ATEN_CPU_CAPABILITY",
    "LD_PRELOAD",
    "MKL_CBWR",
    "MKL_ENABLE_INSTRUCTIONS",
    "NUMBA_CPU_FEATURES",
    "NUMBA_CPU_NAME",
    "ONEDNN_MAX_CPU_ISA",
    "OPENBLAS_CORETYPE",
)
"""Variables that set in which order libraries add numbers, and so, by its last digits, where a training ends."""


def entry(started: float, in_functions: float, in_tasks: float, n_nodes: int, threads: int) -> dict[str, Any]:
    """The journal's row of a run that ends now.

    Args:
        started: When it began, in seconds of ``time.monotonic``.
        in_functions: Seconds in the nodes' own functions, summed over nodes.
        in_tasks: The same with loading and saving.
        n_nodes: Nodes that ran.
        threads: torch's threads in each node.

    Returns:
        ``started`` (ISO 8601, UTC), ``seconds``, ``in_functions``, ``core_seconds`` (seconds of nodes times threads:
        what the run held, busy or not), ``n_nodes``, ``threads``, versions, commit and machine.
    """
    seconds = time.monotonic() - started
    return {
        "started": (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
        "in_functions": round(in_functions, 1),
        "core_seconds": round(max(in_tasks, seconds) * threads, 1),
        "n_nodes": n_nodes,
        "threads": threads,
        "commit": commit(),
        "python": platform.python_version(),
        **{library: version(library) for library in LIBRARIES},
        **machine(),
    }


def command(asked: dict[str, Any]) -> str:
    """What was typed, the variables among ``INSTRUCTIONS`` that were set before it.

    Args:
        asked: Environment, pipelines and parameters of the run, which stand behind it where a file said what to run.
    """
    chosen = [f"{name}={shlex.quote(os.environ[name])}" for name in INSTRUCTIONS if name in os.environ]
    typed = " ".join([*chosen, command_line()])
    from_file = any(word in ("-c", "--config") or word.startswith("--config=") for word in sys.argv)
    return f"{typed} # {json.dumps(asked, default=str)}" if from_file else typed


def machine() -> dict[str, Any]:
    """The processor's name, the cores that this process may use, and the memory in GiB."""
    may_use = getattr(psutil.Process(), "cpu_affinity", None)  # macOS binds no process to cores
    return {
        "machine": processor(),
        "cores": len(may_use()) if may_use else psutil.cpu_count() or 1,
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
    }


def processor() -> str:
    """The processor's name."""
    try:
        described = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # another system has another name for it
        described = []
    names = {line.partition(":")[2].strip() for line in described if line.startswith("model name")}
    return ", ".join(sorted(names)) or platform.processor() or platform.machine()


def commit() -> str:
    """The commit that the code is of, with a ``+`` where files differ from it; empty outside a checkout."""
    source = Path(__file__).resolve()
    folder = source.parents[1]
    tracked = _git(folder, "ls-files", str(source))  # and not installed within a checkout of something else
    found = tracked and _git(folder, "rev-parse", "--short=10", "HEAD")
    return found + "+" * bool(found and _git(folder, "status", "--porcelain", "--untracked-files=no", "."))


def _git(folder: Path, *arguments: str) -> str:
    try:
        return subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
