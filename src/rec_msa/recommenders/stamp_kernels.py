"""STAMP's attention and its gradient, compiled for CPUs: a gate is made where it is used and never kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rec_msa.recommenders.compiling import ONE, ZERO, compiled, sigmoid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float32]


@compiled
def attention(keys: Numbers, asked: Numbers, w_0: Numbers, seen: NDArray[np.int64], weights: Numbers) -> None:
    """Fills the weights ``[batch, t, l]`` of the items that each end has seen.

    Args:
        keys: Of each item ``[batch, l, d]``.
        asked: Of each end ``[batch, t, d]``.
        w_0: What gates are multiplied with ``[d]``.
        seen: How many items an end has seen ``[batch, t]``.
    """
    for row in range(asked.shape[0]):
        for end in range(asked.shape[1]):
            wanted = asked[row, end]
            for item in range(seen[row, end]):
                key, weight = keys[row, item], ZERO
                for k in range(len(w_0)):
                    weight += w_0[k] * sigmoid(key[k] + wanted[k])
                weights[row, end, item] = weight


@compiled
def attention_gradients(
    gradient: Numbers,
    keys: Numbers,
    asked: Numbers,
    w_0: Numbers,
    seen: NDArray[np.int64],
    to_keys: Numbers,
    to_asked: Numbers,
    to_w_0: Numbers,
) -> None:
    """Adds what a gradient of those weights comes to."""
    for row in range(asked.shape[0]):
        part = np.zeros_like(w_0)  # short sums lose less than one over the whole batch
        for end in range(asked.shape[1]):
            wanted, into_asked = asked[row, end], to_asked[row, end]
            for item in range(seen[row, end]):
                key, into_key, slope = keys[row, item], to_keys[row, item], gradient[row, end, item]
                for k in range(len(w_0)):
                    gate = sigmoid(key[k] + wanted[k])
                    to_sum = slope * w_0[k] * gate * (ONE - gate)
                    part[k] += slope * gate
                    into_key[k] += to_sum
                    into_asked[k] += to_sum
        for k in range(len(w_0)):
            to_w_0[k] += part[k]
