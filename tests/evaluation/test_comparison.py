"""An attack against another, each test checked by hand or against all sign patterns."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from rec_msa.evaluation import (
    compare,
    paired_verdict,
    sign_flip,
)
from rec_msa.foundation.errors import DataError, SettingsError

CLEAR_GAIN = [0.04, 0.05, 0.06, 0.05, 0.05]
NOISE = [0.04, -0.05, 0.06, -0.05, 0.01]


def exact_sign_flip(by_seed: list[list[float]]) -> float:
    """All sign patterns, one at a time."""
    shares = [value / len(seed) / len(by_seed) for seed in by_seed for value in seed]
    patterns = itertools.product([1, -1], repeat=len(shares))
    sums = [abs(sum(sign * share for sign, share in zip(signs, shares, strict=True))) for signs in patterns]
    return float(np.mean([value >= sums[0] - 1e-12 for value in sums]))


def test_the_sign_flip_by_hand() -> None:
    # One seed: of 8 sign patterns only + + + and - - - reach 0.6. Two seeds: shares .1, .025 and .075 of .2, the same.
    assert sign_flip([[0.1, 0.2, 0.3]]) == 2 / 8
    assert sign_flip([[0.2], [0.05, 0.15]]) == 2 / 8
    # These sum to 0, which every pattern reaches.
    assert sign_flip([[0.1, 0.1], [-0.1]]) == 1


@pytest.mark.parametrize(
    "by_seed", [[[0.1, 0.2, 0.3, 0.1]], [[0.1, -0.2, 0.3], [0.2, 0.2]], [[0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3]]]
)
def test_the_sign_flip_comes_near_all_patterns(by_seed: list[list[float]]) -> None:
    assert sign_flip(by_seed, draws=40_000) == pytest.approx(exact_sign_flip(by_seed), abs=0.01)


def test_the_sign_flip_of_no_difference_is_one() -> None:
    assert sign_flip([[0.0, 0.0], [0.0]]) == 1


def test_the_sign_flip_knows_no_side_and_is_never_zero() -> None:
    gains = [np.full(40, 0.1), np.full(30, 0.2)]
    assert sign_flip(gains) == sign_flip([-part for part in gains]) == 1 / 10_000


@pytest.mark.parametrize("by_seed", [[], [[]]])
def test_a_sign_flip_of_nobody_is_refused(by_seed: list[list[float]]) -> None:
    with pytest.raises(DataError, match="at least one user"):
        sign_flip(by_seed)


def results(gains: dict[str, list[float]], dataset: str = "ml", target: str = "bpr", n_users: int = 4) -> pd.DataFrame:
    """Agreement per user of attacks whose users all score their seed's figure."""
    rows = [
        (dataset, target, seed, "heldout", 50, attack, user, figure)
        for attack, figures in gains.items()
        for seed, figure in enumerate(figures)
        for user in range(n_users)
    ]
    return pd.DataFrame(rows, columns=["dataset", "target", "seed", "group", "k", "attack", "user", "agreement"])


def test_a_comparison_by_hand() -> None:
    base = [0.5, 0.4, 0.5, 0.6, 0.5]
    table = compare(
        results({"ptq": [a + b for a, b in zip(base, CLEAR_GAIN, strict=True)], "ptd": base}), [("ptq", "ptd")]
    )
    row = table.iloc[0]
    assert row[["dataset", "target", "attack", "versus", "group"]].tolist() == ["ml", "bpr", "ptq", "ptd", "heldout"]
    assert row["difference"] == pytest.approx(0.05)
    expected = paired_verdict(CLEAR_GAIN)
    assert (row["ci_low"], row["ci_high"]) == (pytest.approx(expected.low), pytest.approx(expected.high))
    assert row["p"] == pytest.approx(row["p_holm"]) == pytest.approx(expected.p)
    assert row[["n_seeds", "n_users", "k", "verdict", "note"]].tolist() == [5, 4, 50, "borne out", ""]
    assert row["p_sign_flip"] == 1 / 10_000


def test_holm_runs_over_the_cells_of_a_claim_and_decides() -> None:
    noisy = [0.01, 0.05, 0.06, 0.002, 0.05]
    assert 0.025 < paired_verdict(noisy).p < 0.05
    frames = [results({"a": noisy, "b": [0.0] * 5}, target=target) for target in ("bpr", "lmf")]
    alone, both = compare(frames[0], [("a", "b")]), compare(pd.concat(frames), [("a", "b")])
    assert alone["verdict"].tolist() == ["borne out"]
    assert both["verdict"].tolist() == ["open", "open"]
    assert both["p_holm"].tolist() == pytest.approx((2 * both["p"]).tolist())


def test_another_claim_corrects_nothing() -> None:
    frame = results({"a": CLEAR_GAIN, "b": [0.0] * 5, "c": NOISE})
    both = compare(frame, [("a", "b"), ("c", "b")])
    assert both["p_holm"].tolist() == both["p"].tolist()


def test_only_seeds_that_both_have_count() -> None:
    row = compare(results({"a": [0.5, 0.6, 0.7], "b": [0.4, 0.4]}), [("a", "b")]).iloc[0]
    assert (row["n_seeds"], row["verdict"]) == (2, "open")
    assert row["difference"] == pytest.approx(0.15)
    assert row["note"] == "2 of the 5 seeds that a verdict needs"


def test_cells_that_miss_an_attack_have_no_row() -> None:
    frame = pd.concat([results({"a": [0.5], "b": [0.4]}), results({"a": [0.5]}, target="ncf")])
    assert compare(frame, [("a", "b")])["target"].tolist() == ["bpr"]


def test_the_other_group_and_cutoff_do_not_count() -> None:
    frame = results({"a": [0.5], "b": [0.4]})
    frame = pd.concat([frame, frame.assign(group="queried", agreement=1), frame.assign(k=10, agreement=1)])
    assert compare(frame, [("a", "b")])["difference"].tolist() == pytest.approx([0.1])
    assert compare(frame, [("a", "b")], k=20).empty


def test_an_unknown_attack_is_named_with_the_nearest() -> None:
    with pytest.raises(SettingsError, match="'ptqq' is not among the results: did you mean 'ptq'"):
        compare(results({"ptq": [0.5], "ptd": [0.4]}), [("ptqq", "ptd")])


def test_rows_that_cannot_be_paired_are_refused() -> None:
    frame = results({"a": [0.5], "b": [0.4]})
    with pytest.raises(DataError, match="a: user 0 is there twice"):
        compare(pd.concat([frame, frame]), [("a", "b")])
    with pytest.raises(DataError, match="not the same users"):
        compare(frame.iloc[1:], [("a", "b")])
