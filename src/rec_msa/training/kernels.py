"""Compiled loops for CPUs: whole steps of dot products, and unseen items. Importing it loads numba, so do that late."""

from __future__ import annotations

from typing import Any

import numpy as np

from rec_msa.recommenders.compiling import AHEAD, compiled, inlined, prefetch


@inlined
def slopes_of(scores: Any, pairwise: bool, slopes: Any) -> Any:
    """The loss of one term's scores, the positive first, as a sum; writes its slope in each score."""
    one, product, straight = np.float32(1), 1.0, np.float32(0)
    slopes[0] = 0
    for j in range(1 if pairwise else 0, len(scores)):
        x = scores[j] - scores[0] if pairwise else (scores[j] if j else -scores[0])
        small = np.exp(-np.abs(x))
        # ln(1 + e^x) is max(x, 0) + ln(1 + e^-|x|), of which one logarithm takes the product; its slope is the sigmoid.
        product, straight = product * (1.0 + small), straight + max(x, np.float32(0))
        slope = (one if x >= 0 else small) / (one + small)
        slopes[j] = slope if j else -slope
        if pairwise:
            slopes[0] -= slope
    return np.log(product) + straight


@inlined
def product_and_square(p: Any, u: Any, q: Any, i: Any) -> Any:
    """The product of two rows, and the second one's with itself."""
    product, square = np.float32(0), np.float32(0)
    for k in range(p.shape[1]):
        product += p[u, k] * q[i, k]
        square += q[i, k] * q[i, k]
    return product, square


@inlined
def place_of(row: Any, n: Any, room: Any) -> Any:
    """Where a row's gradients are summed, cleared where it is new, and how many rows there are now.

    Nothing is sorted, and no slot cleared: one counts where its row stands at the place that it names.
    """
    slots, rows, vectors, biases = room
    at = np.uintp(slots[row])
    if at < n and rows[at] == row:
        return at, n
    at = np.uintp(n)
    slots[row], rows[at] = n, row
    vectors[at] = np.float32(0)
    biases[at, 0] = np.float32(0)
    return at, n + 1


@compiled
def gradients(users: Any, items: Any, pairwise: bool, l2: float, tables: Any, by_user: Any, by_item: Any) -> Any:
    """The loss of a batch, and its gradients, summed by row.

    Args:
        users: Rows ``[batch]``.
        items: Each user's positive and negatives ``[batch, m]``.
        pairwise: The loss of BPR; else the cross-entropy.
        l2: Weight of the vectors' squared norms.
        tables: Vectors ``[n_users, d]`` and ``[n_items, d]``, biases ``[n_users, 1]`` and ``[n_items, 1]`` or empty.
        by_user: Slots, rows, gradients of vectors and of biases: room for them.
        by_item: The same of items.

    Returns:
        The mean loss, and how many users and items there are.
    """
    (p, q, user_bias, item_bias), (n_terms, m) = tables, items.shape
    (to_p, to_user_bias), (to_q, to_item_bias) = by_user[2:], by_item[2:]
    n_users, n_items, loss = 0, 0, 0.0
    scores, slopes = np.empty(m, np.float32), np.empty(m, np.float32)
    scale = np.float32(1 / (n_terms * (m - 1 if pairwise else m)))
    pull_first, pull_others = np.float32(l2 / n_terms), np.float32(l2 / n_terms / (m - 1))
    for b in range(n_terms):
        if b + AHEAD < n_terms:
            prefetch(p, np.uintp(users[b + AHEAD]))
            for j in range(m):
                prefetch(q, np.uintp(items[b + AHEAD, j]))
        u = np.uintp(users[b])
        if l2:
            loss += pull_first * product_and_square(p, u, p, u)[1] / 2
        for j in range(m):
            i = np.uintp(items[b, j])
            scores[j], square = product_and_square(p, u, q, i)
            loss += (pull_others if j else pull_first) * square / 2
            if len(item_bias):
                scores[j] += item_bias[i, 0]
            if len(user_bias):
                scores[j] += user_bias[u, 0]
        loss += slopes_of(scores, pairwise, slopes) * scale
        at_user, n_users = place_of(u, n_users, by_user)
        for j in range(m):
            i, slope = np.uintp(items[b, j]), slopes[j] * scale
            at_item, n_items = place_of(i, n_items, by_item)
            to_item_bias[at_item, 0] += slope
            to_user_bias[at_user, 0] += slope
            pull_item, pull_user = (pull_others, np.float32(0)) if j else (pull_first, pull_first)
            for k in range(p.shape[1]):
                to_q[at_item, k] += slope * p[u, k] + pull_item * q[i, k]
                to_p[at_user, k] += slope * q[i, k] + pull_user * p[u, k]
    return loss, n_users, n_items


@compiled
def adam(
    table: Any, moments: Any, rows: Any, gradient: Any, rate: Any, eps: Any, first_lost: Any, second_lost: Any
) -> None:
    """Moves rows of a table ``[n_rows, d]``, each of which comes once, and their moments ``[n_rows, 2, d]``.

    Args:
        rows: Which rows ``[n]``.
        gradient: Of these ``[n, d]``.
        rate: The step size, made free of the moments' bias.
        eps: Added to the root.
        first_lost: What is lost of the first moment in a step.
        second_lost: And of the second.
    """
    for at in range(len(rows)):
        if at + AHEAD < len(rows):
            prefetch(moments, np.uintp(rows[at + AHEAD]))
            prefetch(table, np.uintp(rows[at + AHEAD]))
        row = np.uintp(rows[at])
        for k in range(table.shape[1]):
            g = gradient[at, k]
            first = moments[row, 0, k] + first_lost * (g - moments[row, 0, k])
            second = moments[row, 1, k] + second_lost * (g * g - moments[row, 1, k])
            moments[row, 0, k], moments[row, 1, k] = first, second
            table[row, k] -= rate * first / (np.sqrt(second) + eps)


@compiled
def unseen(rows: Any, uniform: Any, known: Any, n_items: int, into: Any) -> None:
    """What ``NegativeSampler`` draws: a search among a row's own keys for each uniform number ``[batch, n]``."""
    keys, offsets, n_unseen = known
    for b in range(len(rows)):
        row = rows[b]
        free, start = n_unseen[row], offsets[row]
        before = row * (n_items + 1)
        for j in range(uniform.shape[1]):
            r = min(np.int64(uniform[b, j] * free), free - 1)
            low, size = start, n_items - free
            while size > 0:  # no branch that could be guessed wrong
                half = (size + 1) // 2
                low += half if keys[low + half - 1] - before <= r else 0
                size -= half
            into[b, j] = r + low - start
