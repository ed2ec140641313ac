"""A perceptron's scores of chosen items and their gradients, compiled for CPUs, in blocks that stay in the cache.

The widest layer of ten thousand pairs is larger than a core's cache, and torch writes and reads it back a dozen times.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rec_msa.recommenders.compiling import ZERO, compiled, inlined

BLOCK = 128
"""Pairs at a time: for 64 numbers in and 32 out that is as much as BLAS multiplies without a second thread."""


@compiled
def enter(start: Any, n: Any, offset: Any, other: Any, apart: Any, share: Any, places: Any, first: Any) -> None:
    """Fills the first layer ``[BLOCK, width]`` of pairs from ``start`` on with relu(offset + other + share apart)."""
    m = places.shape[1]
    row, place = start // m, start % m
    for at in range(n):
        item = places[row, place]
        mine, others = offset[row], other[item]
        if len(apart):
            part, away = share[row, place], apart[item]
            for k in range(first.shape[1]):
                first[at, k] = max(mine[k] + others[k] + part * away[k], ZERO)
        else:
            for k in range(first.shape[1]):
                first[at, k] = max(mine[k] + others[k], ZERO)
        row, place = after(row, place, m)


@inlined
def after(row: Any, place: Any, m: Any) -> Any:
    """The pair behind one, where each row has ``m``; to divide for each pair takes longer than what is done with it."""
    return (row, place + 1) if place + 1 < m else (row + 1, 0)


@compiled
def climb(first: Any, above: Any, block: Any, weights: Any, biases: Any) -> None:
    """Fills a block of all layers ``[n_blocks, BLOCK, width]`` above the first ``[BLOCK, width]``."""
    below = first
    for layer in range(len(weights)):
        hidden, bias = above[layer][block], biases[layer]
        np.dot(below, weights[layer].T, hidden)
        for at in range(BLOCK):
            for k in range(len(bias)):
                hidden[at, k] = max(hidden[at, k] + bias[k], ZERO)
        below = hidden


@compiled
def scores(
    offset: Any,
    items: Any,
    share: Any,
    places: Any,
    weights: Any,
    biases: Any,
    last: Any,
    first: Any,
    above: Any,
    into: Any,
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
        first: Room for a block of the first layer ``[BLOCK, width]``.
        above: The layers above it, which are filled: ``[n_blocks, BLOCK, width]`` each.
    """
    m, depth, row, place = places.shape[1], len(last), 0, 0
    for block in range(len(above[0])):
        start = block * BLOCK
        n = min(BLOCK, places.size - start)
        enter(start, n, offset, items[0], items[1], share, places, first)
        climb(first, above, block, weights, biases)
        top = above[len(weights) - 1][block]
        for at in range(n):
            score = ZERO
            for k in range(depth):
                score += top[at, k] * last[k]
            into[row, place] = score
            row, place = after(row, place, m)


@compiled
def turn(start: Any, n: Any, to_scores: Any, last: Any, top: Any, slope: Any, to_last: Any) -> None:
    """Fills the top layer's slopes, 0 behind the last pair, and adds to those of the last weights."""
    m = to_scores.shape[1]
    row, place = start // m, start % m
    for at in range(BLOCK):
        to_score = to_scores[row, place] if at < n else ZERO
        for k in range(len(last)):
            to_last[k] += to_score * top[at, k]
            slope[at, k] = to_score * last[k] if top[at, k] > ZERO else ZERO
        row, place = after(row, place, m)


@compiled
def descend(
    first: Any, hidden: Any, block: Any, slopes: Any, weights: Any, parts: Any, to_weights: Any, to_biases: Any
) -> None:
    """Fills the slopes of all layers below the top one, and adds to those of weights and biases."""
    for layer in range(len(weights) - 1, -1, -1):
        below = hidden[layer - 1][block] if layer else first
        above, under = slopes[layer + 1], slopes[layer]
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
    row, place = start // m, start % m
    for at in range(n):
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
        row, place = after(row, place, m)


@compiled
def gradients(
    to_scores: Any,
    offset: Any,
    items: Any,
    share: Any,
    places: Any,
    weights: Any,
    last: Any,
    above: Any,
    room: Any,
    to_offset: Any,
    to_items: Any,
    to_share: Any,
    to_layers: Any,
) -> None:
    """Adds what gradients of the scores ``[batch, m]`` come to; the first layer is computed once more and never kept.

    Args:
        to_scores: The gradients; the arguments up to ``above`` are those of ``scores``, which filled that.
        room: Room for the first layer, for each layer's slopes, and for the gradient of each layer's weights.
        to_layers: Gradients of weights, biases and the last weights; the others have the name of what they belong to.
    """
    first, slopes, parts = room
    to_weights, to_biases, to_last = to_layers
    depth = len(weights)
    for block in range(len(above[0])):
        start = block * BLOCK
        n = min(BLOCK, places.size - start)
        enter(start, n, offset, items[0], items[1], share, places, first)
        turn(start, n, to_scores, last, above[depth - 1][block], slopes[depth], to_last)
        descend(first, above, block, slopes, weights, parts, to_weights, to_biases)
        leave(start, n, slopes[0], items[1], share, places, to_offset, to_items, to_share)
