"""What this machine can do on the measured cores: the rates that the limits on paper are worked out with."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import torch

from bench.measure import report

if TYPE_CHECKING:
    from collections.abc import Callable

LARGE, SMALL = 512 * 2**20, 8 * 2**20
ROUNDS, ROUND_SECONDS = 40, 0.01
DIMENSIONS, BATCH = 64, 2048


def main() -> None:
    """Measures and reports every rate."""
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    report(**{rate.__name__: rate() for rate in (copy_memory, copy_cache, add_cache, gather, sgemm, dispatch, uniform)})


def copy_memory() -> float:
    """GB/s moved (read and written) by copying 512 MiB, which no cache holds."""
    return _copied(LARGE)


def copy_cache() -> float:
    """GB/s moved by copying 8 MiB, about what a small model and its optimiser take."""
    return _copied(SMALL)


def add_cache() -> float:
    """GB/s moved by adding in place to 8 MiB: two reads and a write."""
    a, b = torch.zeros(SMALL // 8), torch.zeros(SMALL // 8)
    return 3 * SMALL / 2 / _seconds(lambda: a.add_(b)) / 1e9


def gather() -> float:
    """GB/s read and written by gathering 64-wide rows of a table of ML-1M's size."""
    table = torch.zeros(3706, DIMENSIONS)
    rows = torch.randint(len(table), (BATCH,))
    return 2 * 4 * BATCH * DIMENSIONS / _seconds(lambda: table.index_select(0, rows)) / 1e9


def sgemm() -> float:
    """Gflop/s of a product of 2048 x 2048 matrices of 32-bit floats."""
    a, b = torch.rand(2048, 2048), torch.rand(2048, 2048)
    return 2 * 2048**3 / _seconds(lambda: a @ b) / 1e9


def dispatch() -> float:
    """Microseconds of one operation on nearly nothing: what torch costs before it computes."""
    a = torch.zeros(8)
    return 1e6 * _seconds(lambda: a.add_(1.0))


def uniform() -> float:
    """Millions of 64-bit uniform numbers a second."""
    generator = torch.Generator().manual_seed(0)
    n = 500_000
    return n / _seconds(lambda: torch.rand(n, generator=generator, dtype=torch.float64)) / 1e6


def _copied(n_bytes: int) -> float:
    source = torch.zeros(n_bytes // 8)
    target = torch.empty_like(source)
    return n_bytes / _seconds(lambda: target.copy_(source)) / 1e9


def _seconds(action: Callable[[], object]) -> float:
    """Seconds of an action in the best of many short rounds: what the machine can do, by the clock of its processor."""
    action()
    rounds = []
    for _ in range(ROUNDS):
        start, n = time.thread_time(), 0
        while time.thread_time() - start < ROUND_SECONDS or not n:
            action()
            n += 1
        rounds.append((time.thread_time() - start) / n)
    return min(rounds)


if __name__ == "__main__":
    main()
