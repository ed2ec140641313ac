"""Claims 1 to 6 on made-up agreement whose differences are known."""

from __future__ import annotations

import pandas as pd
import pytest

from rec_msa.reporting.attack_claims import attack_cells
from rec_msa.reporting.claims import NOT_MEASURED, claim_blocks, judge_claims
from rec_msa.reporting.paper_claims import claim_texts

CLAIMS = (1, 2, 3, 4, 5, 6)
LEVELS = {
    "random": 0.01,
    "popularity": 0.03,
    "knn_lists": 0.05,
    "qsd": 0.1,
    "ptd": 0.4,
    "ptq": 0.5,
    "pta": 0.6,
    "ptaq": 0.7,
}
JITTER = (0.0, 0.002, -0.002, 0.001, -0.001)


def agreement(seeds: int = 5, **of_lmf: float) -> pd.DataFrame:
    """Two targets; lmf's levels may be others. Each seed moves every second attack a little."""
    rows = [
        {"dataset": "ml", "target": target, "seed": seed, "group": group, "attack": attack, "agreement": value}
        for target, levels in (("bpr", LEVELS), ("lmf", LEVELS | of_lmf))
        for seed in range(seeds)
        for group, shift in (("heldout", 0.0), ("queried", 0.2))
        for place, (attack, level) in enumerate(levels.items())
        for value in [level + shift + JITTER[seed] * (place % 2)]
    ]
    return pd.DataFrame(rows)


def attack_claims(agreement: pd.DataFrame) -> pd.DataFrame:
    return judge_claims(attack_cells(agreement), CLAIMS)


def verdicts(judged: pd.DataFrame, claim: int) -> dict[tuple[str, str, str], str]:
    own = judged[judged["claim"] == claim]
    return {(row.target, row.attack, row.figure): row.verdict for row in own.itertuples()}


def test_an_order_that_holds_everywhere_bears_claims_1_to_4_out():
    judged = attack_claims(agreement())
    for claim, cells in ((1, 20), (2, 8), (3, 10), (4, 16)):
        assert list(verdicts(judged, claim).values()) == ["borne out"] * cells


def test_agreement_above_random_lists_and_below_a_look_up_was_counted_as_theft():
    judged = attack_claims(agreement(popularity=0.2, knn_lists=0.45))
    found = verdicts(judged, 1)
    assert found["lmf", "qsd", "above popularity"] == "contradicted"
    assert found["lmf", "ptd", "above popularity"] == "borne out"
    assert found["lmf", "ptd", "above the best look-up, knn_lists"] == "contradicted"
    assert found["lmf", "ptq", "above the best look-up, knn_lists"] == "borne out"
    [beside] = judged.loc[
        (judged["claim"] == 1) & (judged["target"] == "lmf") & (judged["attack"] == "qsd"), "beside"
    ].unique()
    assert beside == "above random: +.090"


def test_the_best_look_up_is_that_of_each_cell():
    found = verdicts(attack_claims(agreement(popularity=0.2)), 1)
    assert ("bpr", "pta", "above the best look-up, knn_lists") in found
    assert ("lmf", "pta", "above the best look-up, popularity") in found


def test_differences_are_those_of_the_means_of_held_out_users():
    judged = attack_claims(agreement())
    row = judged[(judged["claim"] == 2) & (judged["attack"] == "ptq") & (judged["target"] == "bpr")].iloc[0]
    assert row["figure"] == "above ptd"
    assert row["difference"] == pytest.approx(0.1)
    assert row["n_seeds"] == 5


def test_an_attack_that_falls_behind_contradicts():
    judged = attack_claims(agreement(ptaq=0.55, qsd=0.45))
    assert verdicts(judged, 3)["lmf", "ptaq", "above pta"] == "contradicted"
    assert verdicts(judged, 3)["bpr", "ptaq", "above pta"] == "borne out"
    assert verdicts(judged, 4)["lmf", "ptd", "held-out users, above qsd"] == "contradicted"


def test_qsd_is_judged_on_the_users_whose_lists_it_learnt_too():
    some = agreement()
    some.loc[(some["attack"] == "qsd") & (some["group"] == "queried"), "agreement"] += 0.35
    judged = verdicts(attack_claims(some), 4)
    assert judged["bpr", "ptd", "held-out users, above qsd"] == "borne out"
    assert judged["bpr", "ptd", "queried users, above qsd"] == "contradicted"


def test_lmf_is_set_beside_the_other_targets():
    judged = attack_claims(agreement(ptd=0.2, ptaq=0.6))
    assert verdicts(judged, 5) == {("lmf", "ptd", "below bpr"): "borne out"}
    assert verdicts(judged, 6) == {("lmf", "ptaq", "gain on ptd above that on bpr"): "borne out"}
    assert judged.loc[judged["claim"] == 5, "difference"].item() == pytest.approx(0.2)
    assert judged.loc[judged["claim"] == 6, "difference"].item() == pytest.approx(0.4 - 0.3)


def test_levels_that_are_alike_leave_claims_5_and_6_open():
    judged = attack_claims(agreement())
    assert set(verdicts(judged, 5).values()) | set(verdicts(judged, 6).values()) == {"open"}


def test_fewer_than_five_seeds_are_no_verdict():
    assert set(attack_claims(agreement(seeds=4))["verdict"]) == {"open"}


def test_what_was_not_measured_is_said_so():
    some = agreement()
    judged = attack_claims(some[(some["target"] == "bpr") & some["attack"].isin(["ptd", "ptq"])])
    assert set(judged["claim"]) == {2}
    blocks = claim_blocks(judged, claim_texts(CLAIMS))
    assert [block.split(".")[0] for block in blocks[::2]] == [f"### {claim}" for claim in CLAIMS]
    assert [block == NOT_MEASURED for block in blocks[1::2]] == [True, False, True, True, True, True]
    assert "above ptd" in blocks[3]
    assert "against" not in blocks[3].splitlines()[0]
