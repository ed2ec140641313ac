"""Gated recurrent units and their gradients, compiled for CPUs: torch takes many small steps at each place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rec_msa.recommenders.compiling import ONE, TWO, compiled, sigmoid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float32]

AT_ONCE = 16
"""Sequences that go through all their places together: for 64 hidden numbers as many as BLAS multiplies without a
second thread, and what they need at a place stays in the cache."""


@compiled
def recur(inputs: Numbers, weight_t: Numbers, bias: Numbers, told: Numbers, gates: Numbers, states: Numbers) -> None:
    """Fills the states ``[l + 1, batch, hidden]`` after each place, the first of which is there.

    Args:
        inputs: What the items say to the reset, update and new gates ``[l, batch, 3 hidden]``.
        weight_t: What a state says to them ``[hidden, 3 hidden]``.
        bias: Beside it ``[3 hidden]``.
        told: What states said to the new gate ``[l, batch, hidden]``, which is filled.
        gates: Reset, update and new ``[l, batch, 3 hidden]``, which are filled.
    """
    hidden = states.shape[2]
    said = np.empty((AT_ONCE, 3 * hidden), np.float32)
    for start in range(0, inputs.shape[1], AT_ONCE):
        end = min(start + AT_ONCE, inputs.shape[1])
        for t in range(inputs.shape[0]):
            np.dot(states[t][start:end], weight_t, said[: end - start])
            for row in range(start, end):
                before, after, gate, heard = states[t, row], states[t + 1, row], gates[t, row], inputs[t, row]
                speech, kept = said[row - start], told[t, row]
                for k in range(2 * hidden):
                    gate[k] = sigmoid(heard[k] + speech[k] + bias[k])
                for k in range(hidden):
                    kept[k] = speech[2 * hidden + k] + bias[2 * hidden + k]
                    new = TWO * sigmoid(TWO * (heard[2 * hidden + k] + gate[k] * kept[k])) - ONE
                    gate[2 * hidden + k] = new
                    after[k] = new + gate[hidden + k] * (before[k] - new)


@compiled
def recur_back(
    gradient: Numbers,
    weight: Numbers,
    told: Numbers,
    gates: Numbers,
    states: Numbers,
    to_inputs: Numbers,
    to_said: Numbers,
) -> None:
    """Fills what a gradient of the states after each place ``[l, batch, hidden]`` comes to.

    Args:
        gradient: The gradient; ``recur`` filled ``told``, ``gates`` and ``states``.
        weight: What a state says to the gates ``[3 hidden, hidden]``.
        to_inputs: Of the inputs ``[l, batch, 3 hidden]``.
        to_said: Of what states and bias said to the gates ``[l, batch, 3 hidden]``.
    """
    hidden = states.shape[2]
    for start in range(0, gradient.shape[1], AT_ONCE):
        end = min(start + AT_ONCE, gradient.shape[1])
        kept, came = np.zeros((end - start, hidden), np.float32), np.zeros((end - start, hidden), np.float32)
        for t in range(gradient.shape[0] - 1, -1, -1):
            for row in range(start, end):
                gate, before, speech, given = gates[t, row], states[t, row], told[t, row], gradient[t, row]
                to_input, to_speech, carried, pulled = (
                    to_inputs[t, row],
                    to_said[t, row],
                    kept[row - start],
                    came[row - start],
                )
                for k in range(hidden):
                    reset, update, new = gate[k], gate[hidden + k], gate[2 * hidden + k]
                    pull = given[k] + carried[k] + pulled[k]
                    to_new = pull * (ONE - update) * (ONE - new * new)
                    to_reset = to_new * speech[k] * reset * (ONE - reset)
                    to_update = pull * (before[k] - new) * update * (ONE - update)
                    to_input[k], to_input[hidden + k], to_input[2 * hidden + k] = to_reset, to_update, to_new
                    to_speech[k], to_speech[hidden + k], to_speech[2 * hidden + k] = to_reset, to_update, to_new * reset
                    carried[k] = pull * update
            np.dot(to_said[t][start:end], weight, came)
