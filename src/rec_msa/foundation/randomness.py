"""Random streams: one for each seed and role, so that no part of a run disturbs another's numbers.

Roles of a run are ``split`` and ``split-items``, ``target``, ``retrain`` (``retrain2`` and so on), ``auxiliary``,
``clone`` (``clone-1``, … of further clones of the same data), ``steal``, ``learner``, ``gate``, ``defense`` and
``references``; of its evaluation ``bootstrap`` and ``sign_flip``. Never an attack's name, so that variants share their
start and a new attack changes no other attack's numbers.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch
    from numpy.typing import ArrayLike, NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


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


def keyed_uniforms(seed: int, role: str, keys: ArrayLike, n: int) -> NDArray[np.float64]:
    """Returns uniform numbers that depend on seed, role and key alone, whatever other keys are asked for.

    A row is the stream of SplitMix64 whose state the row's key gives, so that users get the same numbers in any batch
    and no generator has to be made for each. Source: Steele, Lea and Flood, OOPSLA 2014.

    Args:
        seed: The cell's seed.
        role: What the numbers are for.
        keys: A row of integers for each row of numbers ``[n_rows, n_keys]``, such as user and repetition.
        n: Numbers in a row; those of fewer are the first of those of more.

    Returns:
        Numbers in [0, 1) ``[n_rows, n]``.
    """
    columns = np.atleast_2d(np.asarray(keys, dtype=np.int64)).astype(np.uint64)
    state = np.full(columns.shape[0], _sequence(seed, role).generate_state(1, np.uint64)[0])
    for column in columns.T:
        state = _mixed(state + _GOLDEN * (column + np.uint64(1)))
    steps = _GOLDEN * np.arange(1, n + 1, dtype=np.uint64)
    return (_mixed(state[:, None] + steps) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def _sequence(seed: int, role: str) -> np.random.SeedSequence:
    return np.random.SeedSequence([seed, zlib.crc32(role.encode())])
