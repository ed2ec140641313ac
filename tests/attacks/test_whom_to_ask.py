"""Whom to ask: orders of users made without an answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from rec_msa.attacks.whom_to_ask import asked, by_coverage, by_disagreement


def test_the_first_of_an_order_are_asked_and_held_out_users_stay_held_out() -> None:
    attackers = pd.DataFrame({"user": [7, 3, 9, 1, 4], "group": ["heldout", *["queried"] * 4]})
    chosen = asked(attackers, np.array([4, 9, 1, 3]), 0.5).set_index("user")["group"]
    assert chosen.to_dict() == {7: "heldout", 3: "unasked", 9: "queried", 1: "unasked", 4: "queried"}


def test_somebody_is_asked_however_small_the_share() -> None:
    attackers = pd.DataFrame({"user": [0, 1], "group": ["queried", "queried"]})
    assert (asked(attackers, np.array([1, 0]), 0.01)["group"] == ["unasked", "queried"]).all()


def test_coverage_adds_whoever_gains_most() -> None:
    likeness = torch.rand(12, 7, generator=torch.Generator().manual_seed(0))
    order = by_coverage(likeness, 7).tolist()
    assert sorted(order) == list(range(7))
    for n in range(3):
        gains = [float(likeness[:, [*order[:n], one]].max(dim=1).values.sum()) for one in range(7)]
        assert order[n] == int(np.argmax(gains))


def test_those_come_first_of_whom_lists_share_least() -> None:
    alike, half, apart = ([[0, 1], [0, 1]], [[0, 1], [0, 2]], [[0, 1], [2, 3]])
    lists = torch.tensor([half, apart, alike]).permute(1, 0, 2)
    assert by_disagreement(lists, 4).tolist() == [1, 0, 2]
