"""The choice of the device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from rec_msa.foundation.errors import SettingsError

if TYPE_CHECKING:
    from torch import Tensor


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
