"""Random streams: one for each seed and role, so that no part of a run disturbs another's numbers.

Roles of a run are ``split`` and ``split-items``, ``target``, ``retrain``, ``auxiliary``, ``clone``, ``steal``,
``defense`` and ``references``; of its evaluation ``bootstrap`` and ``sign_flip``. Never an attack's name, so that
variants share their start and a new attack changes no other attack's numbers.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def stream(seed: int, role: str) -> np.random.Generator:
    """Returns the NumPy stream of a role under a seed.

    Args:
        seed: The cell's seed, 0 or more.
        role: What the numbers are for.
    """
    return np.random.default_rng(_sequence(seed, role))


def torch_stream(seed: int, role: str) -> torch.Generator:
    """Returns the torch stream (on the CPU) of a role under a seed."""
    import torch

    return torch.Generator().manual_seed(int(_sequence(seed, role).generate_state(1, np.uint64)[0]) >> 1)


def _sequence(seed: int, role: str) -> np.random.SeedSequence:
    return np.random.SeedSequence([seed, zlib.crc32(role.encode())])
