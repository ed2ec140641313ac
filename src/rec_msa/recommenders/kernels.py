"""Scores of chosen items, and a loss of their pairs, in one pass over the candidates, compiled for CPUs.

torch reads and writes each candidate's vector a dozen times; here it is read once forwards and once backwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rec_msa.recommenders.compiling import ONE, TWO, ZERO, compiled, exp, item_ahead, prefetch, sigmoid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float32]
    Rows = NDArray[np.int64]


@compiled
def picked_scores(towards: Numbers, q: Numbers, items: Rows, scores: Numbers) -> None:
    """Fills ``scores`` ``[batch, m]`` with dot products of ``towards`` ``[batch, d]`` and rows of q."""
    for row in range(items.shape[0]):
        wanted = towards[row]
        for place in range(items.shape[1]):
            prefetch(q, item_ahead(items, row, place))
            vector, product = q[items[row, place]], ZERO
            for k in range(len(wanted)):
                product += wanted[k] * vector[k]
            scores[row, place] = product


@compiled
def picked_gradients(
    gradient: Numbers, towards: Numbers, q: Numbers, items: Rows, to_towards: Numbers, to_q: Numbers
) -> None:
    """Adds what a gradient of those scores comes to, in rows of q, too."""
    for row in range(items.shape[0]):
        wanted, into_towards = towards[row], to_towards[row]
        for place in range(items.shape[1]):
            later = item_ahead(items, row, place)
            prefetch(q, later)
            prefetch(to_q, later)
            item, slope = items[row, place], gradient[row, place]
            vector, into_q = q[item], to_q[item]
            for k in range(len(wanted)):
                into_towards[k] += slope * vector[k]
                into_q[k] += slope * wanted[k]


@compiled
def attended_scores(
    p: Numbers,
    towards: Numbers,
    q_c: Numbers,
    q_a: Numbers,
    w: Numbers,
    known: NDArray[np.bool_],
    items: Rows,
    scores: Numbers,
    squares: Numbers,
    shares: Numbers,
    slopes: Numbers,
) -> None:
    """Fills what is known of fused vectors q_a + share (q_c - q_a) of items ``[batch, m]`` (Zhu et al. 2023, Eq. 5-8).

    That is their products with ``towards``, their squared norms, their shares, and how fast products and squared norms
    grow with the share ``[2, batch, m]``.
    """
    for row in range(items.shape[0]):
        user, wanted = p[row], towards[row]
        for place in range(items.shape[1]):
            later = item_ahead(items, row, place)
            prefetch(q_c, later)
            prefetch(q_a, later)
            item = items[row, place]
            c = q_c[item]
            a = q_a[item] if known[item] else c
            other, apart, logit, a_square, a_apart, apart_square = ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
            for k in range(len(w)):
                more = c[k] - a[k]
                other += wanted[k] * a[k]
                apart += wanted[k] * more
                logit += w[k] * (max(user[k] * c[k], ZERO) - max(user[k] * a[k], ZERO))
                a_square += a[k] * a[k]
                a_apart += a[k] * more
                apart_square += more * more
            share = ONE / (ONE + np.exp(-logit)) if known[item] else ONE
            shares[row, place] = share
            scores[row, place] = other + share * apart
            squares[row, place] = a_square + share * (TWO * a_apart + share * apart_square)
            slopes[0, row, place] = apart
            slopes[1, row, place] = TWO * (a_apart + share * apart_square)


@compiled
def attended_gradients(
    to_scores: Numbers,
    to_squares: Numbers,
    p: Numbers,
    towards: Numbers,
    q_c: Numbers,
    q_a: Numbers,
    w: Numbers,
    items: Rows,
    shares: Numbers,
    slopes: Numbers,
    to_p: Numbers,
    to_towards: Numbers,
    to_q: Numbers,
    to_w: Numbers,
) -> None:
    """Adds what gradients of products and squared norms ``[batch, m]`` come to, in rows of q_c, too."""
    for row in range(items.shape[0]):
        user, wanted, into_p, into_towards = p[row], towards[row], to_p[row], to_towards[row]
        for place in range(items.shape[1]):
            later = item_ahead(items, row, place)
            prefetch(q_c, later)
            prefetch(q_a, later)
            prefetch(to_q, later)
            item, share = items[row, place], shares[row, place]
            c, into_q = q_c[item], to_q[item]
            a = q_a[item] if share < ONE else c
            to_score, to_length = to_scores[row, place], TWO * to_squares[row, place]
            to_share = to_score * slopes[0, row, place] + to_squares[row, place] * slopes[1, row, place]
            to_logit = to_share * share * (ONE - share)
            for k in range(len(w)):
                active, passive = user[k] * c[k], user[k] * a[k]
                turned = (c[k] if active > ZERO else ZERO) - (a[k] if passive > ZERO else ZERO)
                fused = a[k] + share * (c[k] - a[k])
                into_p[k] += to_logit * w[k] * turned
                to_w[k] += to_logit * user[k] * turned
                into_towards[k] += to_score * fused
                by_logit = to_logit * w[k] * user[k] if active > ZERO else ZERO
                into_q[k] += share * (to_score * wanted[k] + to_length * fused) + by_logit


@compiled
def attended_shares(
    p: Numbers, q_c: Numbers, q_a: Numbers, w: Numbers, known: NDArray[np.bool_], items: Rows, shares: Numbers
) -> None:
    """Fills the shares alone ``[batch, m]``."""
    for row in range(items.shape[0]):
        user = p[row]
        for place in range(items.shape[1]):
            later = item_ahead(items, row, place)
            prefetch(q_c, later)
            prefetch(q_a, later)
            item = items[row, place]
            c, a, logit = q_c[item], q_a[item], ZERO
            for k in range(len(w)):
                logit += w[k] * (max(user[k] * c[k], ZERO) - max(user[k] * a[k], ZERO))
            shares[row, place] = ONE / (ONE + np.exp(-logit)) if known[item] else ONE


@compiled
def share_gradients(
    to_logits: Numbers,
    p: Numbers,
    q_c: Numbers,
    q_a: Numbers,
    w: Numbers,
    items: Rows,
    to_p: Numbers,
    to_q: Numbers,
    to_w: Numbers,
) -> None:
    """Adds what gradients of the shares' logits ``[batch, m]`` come to, in rows of q_c, too."""
    for row in range(items.shape[0]):
        user, into_p = p[row], to_p[row]
        for place in range(items.shape[1]):
            later = item_ahead(items, row, place)
            prefetch(q_c, later)
            prefetch(q_a, later)
            prefetch(to_q, later)
            item, to_logit = items[row, place], to_logits[row, place]
            c, a, into_q = q_c[item], q_a[item], to_q[item]
            for k in range(len(w)):
                active = user[k] * c[k] > ZERO
                turned = (c[k] if active else ZERO) - (a[k] if user[k] * a[k] > ZERO else ZERO)
                into_p[k] += to_logit * w[k] * turned
                to_w[k] += to_logit * user[k] * turned
                into_q[k] += to_logit * w[k] * user[k] if active else ZERO


@compiled
def hinge_sum(
    listed: Numbers, outside: Numbers, margin: np.float32, total: Numbers, to_listed: Numbers, to_outside: Numbers
) -> None:
    """Adds up max(0, margin - (better - worse)) over every item of a list and every one outside, and its slopes.

    ``listed`` ``[n_lists, length]`` and ``outside`` ``[n_lists, n]``; the sum is the one number of ``total``.
    """
    sum_ = np.float64(0)
    for row in range(listed.shape[0]):
        others, into_others = outside[row], to_outside[row]
        for place in range(listed.shape[1]):
            needed, part, count = margin - listed[row, place], ZERO, ZERO
            for k in range(len(others)):
                missed = needed + others[k]
                wrong = ONE if missed > ZERO else ZERO
                part += max(missed, ZERO)
                count += wrong
                into_others[k] += wrong
            sum_ += part
            to_listed[row, place] = -count
    total[0] = sum_


@compiled
def softmax_slopes(scores: Numbers, greatest: Numbers, targets: Rows) -> float:
    """Puts the slopes of -ln softmax[target] in the place of scores ``[n, m]``.

    Args:
        scores: The scores; ``greatest`` has the greatest of each row ``[n]``.
        targets: The places ``[n]``.

    Returns:
        The sum of -ln softmax[target].
    """
    total = 0.0
    for row in range(scores.shape[0]):
        line, most, mass = scores[row], greatest[row], ZERO
        wanted = line[targets[row]] - most
        for k in range(len(line)):
            chance = exp(line[k] - most)
            line[k] = chance
            mass += chance
        share = ONE / mass
        for k in range(len(line)):
            line[k] *= share
        line[targets[row]] -= ONE
        total += np.log(mass) - wanted
    return total


@compiled
def fused_softmax_slopes(
    of_auxiliary: Numbers, of_own: Numbers, logits: Numbers, known: NDArray[np.bool_], targets: Rows
) -> float:
    """Puts the slopes of -ln softmax[target] in the place of what scores are made of ``[n, m]``.

    Args:
        of_auxiliary: Products with auxiliary vectors; a score lies between these and those of the own ones.
        of_own: Products with own vectors.
        logits: Of the share of the own ones, where the auxiliary one is ``known`` ``[m]``; else it is 1.
        targets: The places ``[n]``.

    Returns:
        The sum of -ln softmax[target].
    """
    total, shares, scores = 0.0, np.empty(len(known), np.float32), np.empty((1, len(known)), np.float32)
    greatest = np.empty(1, np.float32)
    for row in range(len(targets)):
        away, near, logit, score = of_auxiliary[row], of_own[row], logits[row], scores[0]
        for k in range(len(known)):
            shares[k] = sigmoid(logit[k]) if known[k] else ONE
            score[k] = away[k] + shares[k] * (near[k] - away[k])
        greatest[0] = score.max()
        total += softmax_slopes(scores, greatest, targets[row : row + 1])
        for k in range(len(known)):
            logit[k] = score[k] * (near[k] - away[k]) * shares[k] * (ONE - shares[k])
            near[k] = score[k] * shares[k]
            away[k] = score[k] - near[k]
    return total
