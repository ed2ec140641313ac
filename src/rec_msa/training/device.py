"""Where a training computes: the choice of the device, and what its CPU makes of tiny numbers."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from rec_msa.foundation.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

TINY = 1e-40
"""A number below 1.2e-38, the least that a float of 32 bits holds with all its digits."""


def choose_device(name: str) -> torch.device:
    """Turns ``auto``, ``cpu`` or ``cuda`` into a device; ``auto`` takes a GPU where there is one.

    Raises:
        SettingsError: ``cuda`` is asked for where there is no usable GPU.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise SettingsError("device: 'cuda' is asked for, but torch sees no GPU here; use device=auto or device=cpu")
    return torch.device("cuda" if available and name != "cpu" else "cpu")


def sent(numbers: Tensor, device: torch.device) -> Tensor:
    """Numbers of the CPU on a device; the CPU goes on without waiting until they are there."""
    return numbers.to(device, non_blocking=True)


@contextmanager
def tiny_is_nothing() -> Iterator[None]:
    """Within it numbers below 1.2e-38 are 0 on this thread's CPU.

    Adam's moments fall there, step by step, where nothing is learnt any more; a CPU takes up to twenty times as long to
    work with them, and what they would move is far less than a parameter's last digit.
    """
    before = float(torch.tensor(TINY) * 1) == 0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)
