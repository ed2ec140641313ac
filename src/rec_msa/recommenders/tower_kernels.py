"""A perceptron's scores of chosen items and their gradients, compiled for CPUs, in blocks that stay in the cache.

The widest layer of ten thousand pairs is larger than a core's cache, and torch writes and reads it back a dozen times.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rec_msa.recommenders.compiling import compiled
from rec_msa.recommenders.kernels import ZERO

BLOCK = 128
"""Pairs at a time: for 64 numbers in and 32 out that is as much as BLAS multiplies without a second thread."""


@compiled
def enter(start: Any, n: Any, offset: Any, other: Any, apart: Any, share: Any, places: Any, hidden: Any) -> None:
    """Fills the first layer ``[BLOCK, width]`` of pairs from ``start`` on with relu(offset + other + share apart)."""
    m = places.shape[1]
    for at in range(n):
        row, place = (start + at) // m, (start + at) % m
        item = places[row, place]
        mine, others = offset[row], other[item]
        if len(apart):
            part, away = share[row, place], apart[item]
            for k in range(hidden.shape[1]):
                hidden[at, k] = max(mine[k] + others[k] + part * away[k], ZERO)
        else:
            for k in range(hidden.shape[1]):
                hidden[at, k] = max(mine[k] + others[k], ZERO)


@compiled
def climb(hidden: Any, weights: Any, biases: Any) -> None:
    """Fills all layers above the first."""
    for layer in range(len(weights)):
        above, bias = hidden[layer + 1], biases[layer]
        np.dot(hidden[layer], weights[layer].T, above)
        for at in range(BLOCK):
            for k in range(len(bias)):
                above[at, k] = max(above[at, k] + bias[k], ZERO)


@compiled
def scores(
    offset: Any, items: Any, share: Any, places: Any, weights: Any, biases: Any, last: Any, hidden: Any, into: Any
) -> None:
    """Fills ``into`` ``[batch, m]`` with the perceptron's scores.

    Args:
        offset: What users bring to the first layer ``[batch, width]``.
        items: What items bring ``[n, width]``, and what they bring by their share, or nothing.
        share: These shares ``[batch, m]``, if any.
        places: The row of each user's items in both ``[batch, m]``.
        weights: Of each layer above ``[out, in]``.
        biases: And theirs ``[out]``.
        last: The last layer's weights ``[in]``.
        hidden: Room for each layer ``[BLOCK, width]``.
    """
    m, top, depth = places.shape[1], hidden[len(weights)], len(last)
    for start in range(0, places.size, BLOCK):
        n = min(BLOCK, places.size - start)
        enter(start, n, offset, items[0], items[1], share, places, hidden[0])
        climb(hidden, weights, biases)
        for at in range(n):
            score = ZERO
            for k in range(depth):
                score += top[at, k] * last[k]
            into[(start + at) // m, (start + at) % m] = score


@compiled
def turn(start: Any, n: Any, to_scores: Any, last: Any, top: Any, slope: Any, to_last: Any) -> None:
    """Fills the top layer's slopes, 0 behind the last pair, and adds to those of the last weights."""
    m = to_scores.shape[1]
    for at in range(BLOCK):
        to_score = to_scores[(start + at) // m, (start + at) % m] if at < n else ZERO
        for k in range(len(last)):
            to_last[k] += to_score * top[at, k]
            slope[at, k] = to_score * last[k] if top[at, k] > ZERO else ZERO


@compiled
def descend(hidden: Any, slopes: Any, weights: Any, parts: Any, to_weights: Any, to_biases: Any) -> None:
    """Fills the slopes of all layers below the top one, and adds to those of weights and biases."""
    for layer in range(len(weights) - 1, -1, -1):
        above, below, under = slopes[layer + 1], hidden[layer], slopes[layer]
        np.dot(above.T, below, parts[layer])
        part, to_weight, to_bias = parts[layer], to_weights[layer], to_biases[layer]
        for row in range(part.shape[0]):
            for k in range(part.shape[1]):
                to_weight[row, k] += part[row, k]
        for at in range(BLOCK):
            for k in range(len(to_bias)):
                to_bias[k] += above[at, k]
        np.dot(above, weights[layer], under)
        for at in range(BLOCK):
            for k in range(under.shape[1]):
                under[at, k] = under[at, k] if below[at, k] > ZERO else ZERO


@compiled
def leave(
    start: Any, n: Any, slope: Any, apart: Any, share: Any, places: Any, to_offset: Any, to_items: Any, to_share: Any
) -> None:
    """Adds the first layer's slopes to those of users, items and shares."""
    m, (to_other, to_apart) = places.shape[1], to_items
    for at in range(n):
        row, place = (start + at) // m, (start + at) % m
        item = places[row, place]
        into_offset, into_other = to_offset[row], to_other[item]
        for k in range(slope.shape[1]):
            into_offset[k] += slope[at, k]
            into_other[k] += slope[at, k]
        if len(apart):
            part, away, into_apart, grown = share[row, place], apart[item], to_apart[item], ZERO
            for k in range(slope.shape[1]):
                into_apart[k] += part * slope[at, k]
                grown += slope[at, k] * away[k]
            to_share[row, place] = grown


@compiled
def gradients(
    to_scores: Any,
    offset: Any,
    items: Any,
    share: Any,
    places: Any,
    weights: Any,
    biases: Any,
    last: Any,
    room: Any,
    to_offset: Any,
    to_items: Any,
    to_share: Any,
    to_layers: Any,
) -> None:
    """Adds what gradients of the scores ``[batch, m]`` come to; the layers are computed once more and never kept.

    Args:
        to_scores: The gradients; the arguments up to ``last`` are those of ``scores``.
        room: Room for each layer, for its slopes, and for the gradient of each layer's weights.
        to_layers: Gradients of weights, biases and the last weights; the others have the name of what they belong to.
    """
    hidden, slopes, parts = room
    to_weights, to_biases, to_last = to_layers
    depth = len(weights)
    for start in range(0, places.size, BLOCK):
        n = min(BLOCK, places.size - start)
        enter(start, n, offset, items[0], items[1], share, places, hidden[0])
        climb(hidden, weights, biases)
        turn(start, n, to_scores, last, hidden[depth], slopes[depth], to_last)
        descend(hidden, slopes, weights, parts, to_weights, to_biases)
        leave(start, n, slopes[0], items[1], share, places, to_offset, to_items, to_share)
