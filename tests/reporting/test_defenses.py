"""Figures and page of the defense: what is drawn and judged is what was measured."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rec_msa.defenses.settings import parse_defense
from rec_msa.evaluation.intervals import seed_interval
from rec_msa.foundation.lists import Lists
from rec_msa.reporting.claims import DEFENSE_CLAIMS, judge
from rec_msa.reporting.defenses import defense_page
from rec_msa.reporting.figures import NOTHING, defense_points, mixing, trade_off
from rec_msa.reporting.measured import Measured
from rec_msa.reporting.writing import to_markdown
from tests.reporting.facts import measured_rows

N_USERS, LENGTH = 20, 50
ATTACKS = {"ptd": 0.5, "ptq": 0.55, "pta": 0.6, "ptaq": 0.7, "qsd": 0.2, "ptaq_denoise": 0.7, "popularity": 0.3}
ASKING = ("ptq", "ptaq", "qsd", "ptaq_denoise")
DEFENSES = ["none", *(f"popular_mixing_{n}" for n in (5, 10, 25)), "popular_mixing_fresh_10", "shuffle_50"]
Results = tuple[pd.DataFrame, pd.DataFrame]


def cell(seed: int, defense: str) -> pd.DataFrame:
    """A cell of bpr whose attacks with queries lose half of what a defense replaces."""
    n = 0 if defense.startswith("shuffle") or defense == "none" else int(defense.rpartition("_")[2])
    rng, users = np.random.default_rng([seed, 1]), np.arange(N_USERS)
    own = np.stack([rng.permutation(500)[:LENGTH] for _ in users])
    served = np.where(np.arange(LENGTH) < n, own + 1000, own)
    groups = pd.DataFrame({"user": users, "group": np.where(users % 4 == 0, "heldout", "queried")})
    parts = []
    for attack, share in {**ATTACKS, "target": 1.0}.items():
        lost = 0.5 * n / LENGTH if attack in ASKING and "fresh" not in defense else 0
        order = np.random.default_rng([seed, len(attack)]).permuted(np.tile(np.arange(LENGTH), (N_USERS, 1)), axis=1)
        lists = np.where(order < round((share - lost) * LENGTH), own, own + 2000)
        base, clone = attack.removesuffix("_denoise"), None if attack in ("target", "popularity") else "bpr"
        calls = {"ptaq_denoise": 75}.get(attack, 15 if attack in ASKING else 0)
        place = {"dataset": "ml-1m", "target": "bpr", "seed": seed, "defense": defense, "attack": attack}
        place |= {"base": base, "clone": clone, "n_queries": calls, "otherwise": "denoise" if base != attack else ""}
        against = {"served": Lists(users, served), "undefended": Lists(users, own)}
        parts.append(measured_rows(Lists(users, lists), against, groups, place)[0])
    return pd.concat(parts, ignore_index=True)


def results_of(seeds: range, targets: tuple[str, ...] = ("bpr",)) -> Results:
    """Agreement and quality of every defense."""
    keys = [(target, seed, defense) for target in targets for seed in seeds for defense in DEFENSES]
    quality = pd.DataFrame(keys, columns=["target", "seed", "defense"]).assign(dataset="ml-1m", k=50, n_users=100)
    rules = [parse_defense(defense) for defense in quality["defense"]]
    quality["rule"] = [rule.removesuffix("_fresh") for rule, _ in rules]
    quality["strength"], quality["fresh"] = [n for _, n in rules], [rule.endswith("_fresh") for rule, _ in rules]
    n = quality["strength"].where(quality["rule"] == "popular_mixing", 0).astype(float)
    quality = quality.assign(recall_served=0.4 - 0.004 * n + quality["seed"] / 1000, ndcg_served=0.3 - 0.003 * n)
    quality["n_widened"] = np.where(n > 0, n, np.nan)
    cells = pd.concat([cell(seed, defense) for seed in seeds for defense in DEFENSES], ignore_index=True)
    parts = [of_target(cells, target, place) for place, target in enumerate(targets)]
    return pd.concat(parts, ignore_index=True), quality


def of_target(cells: pd.DataFrame, target: str, place: int) -> pd.DataFrame:
    """The same cells of another target, whose lists are a little harder to agree with."""
    clone = cells["clone"].where(cells["clone"].isna(), target)
    return cells.assign(target=target, clone=clone, agreement=cells["agreement"] * (1 - place / 20))


@pytest.fixture(scope="module")
def one_seed() -> Results:
    return results_of(range(1))


@pytest.fixture(scope="module")
def five_seeds() -> Results:
    return results_of(range(5), ("bpr", "lmf"))


def defense_claims(agreement: pd.DataFrame, quality: pd.DataFrame) -> pd.DataFrame:
    return judge(Measured(agreement, quality), DEFENSE_CLAIMS)


def page_of(agreement: pd.DataFrame, quality: pd.DataFrame) -> str:
    return to_markdown(defense_page(agreement, quality))


def heldout(results: Results, attack: str, defense: str, against: str, target: str = "bpr") -> np.ndarray:
    keys = {"attack": attack, "defense": defense, "against": against, "target": target, "group": "heldout", "k": 50}
    table = results[0]
    rows = table[np.logical_and.reduce([table[name] == value for name, value in keys.items()])]
    return rows.sort_values("seed")["agreement"].to_numpy()


def test_points_hold_agreement_and_utility_over_the_same_seeds(five_seeds: Results) -> None:
    points = defense_points(*five_seeds)
    [point] = points.query(
        "target == 'lmf' and attack == 'ptaq' and against == 'undefended' and defense == 'popular_mixing_25'"
    ).to_dict("records")
    over = seed_interval(heldout(five_seeds, "ptaq", "popular_mixing_25", "undefended", "lmf"))
    assert (point["one"].value, point["one"].low, point["one"].high) == (over.mean, over.low, over.high)
    assert (point["rule"], point["strength"]) == ("popular_mixing", 25)
    assert point["recall"] == pytest.approx(0.4 - 0.1 + 0.002)


def test_a_defense_of_strength_zero_is_no_second_undefended_target(one_seed: Results) -> None:
    again = [
        table[table["defense"] == "none"].assign(defense="popular_mixing_0", rule="popular_mixing")
        for table in one_seed
    ]
    more = [pd.concat([table, rows], ignore_index=True) for table, rows in zip(one_seed, again, strict=True)]
    pd.testing.assert_frame_equal(defense_points(*more), defense_points(*one_seed))
    pd.testing.assert_frame_equal(defense_claims(*more), defense_claims(*one_seed))


def test_targets_without_a_defended_cell_have_no_points(one_seed: Results) -> None:
    agreement, quality = one_seed
    undefended = agreement[agreement["defense"] == "none"]
    assert defense_points(undefended, quality).empty
    for drawn in (trade_off, mixing):
        drawing = drawn(defense_points(undefended, quality))
        assert NOTHING in drawing.picture().get_suptitle()
    assert NOTHING in page_of(undefended, quality)


def curves(plot: Any) -> dict[str, Any]:
    return {curve.name: curve for curve in plot.curves}


def test_the_trade_off_has_a_plot_for_each_attack_that_asks_and_a_point_for_each_strength(one_seed: Results) -> None:
    [plots] = trade_off(defense_points(*one_seed)).rows
    assert [plot.title for plot in plots] == [
        f"ml-1m · bpr · {attack}" for attack in ("ptq", "ptaq", "qsd", "ptaq_denoise")
    ]
    names = ["none", "popular_mixing_5", "popular_mixing_10", "popular_mixing_25"]
    drawn = curves(plots[1])
    mixed, fresh = drawn["popular mixing"], drawn["popular mixing, fresh draws"]
    assert mixed.y == [heldout(one_seed, "ptaq", name, "undefended")[0] for name in names]
    assert mixed.x == pytest.approx(one_seed[1].set_index("defense").loc[names, "recall_served"].tolist())
    assert mixed.labels == ["", "5", "10", "25"]
    assert (fresh.open, mixed.open) == (True, False)
    assert fresh.colour == mixed.colour != drawn["shuffle"].colour


def test_who_asks_nothing_is_the_level_of_the_trade_off(one_seed: Results) -> None:
    level = curves(trade_off(defense_points(*one_seed)).rows[0][0])["pta, which asks nothing"]
    assert set(level.y) == {heldout(one_seed, "pta", "none", "undefended")[0]}
    assert level.level


def test_figures_7_and_8_stand_side_by_side_for_each_target(five_seeds: Results) -> None:
    rows = mixing(defense_points(*five_seeds)).rows
    assert [len(row) for row in rows] == [3, 3]
    names = ["none", "popular_mixing_5", "popular_mixing_10", "popular_mixing_25"]
    served, undefended, utility = map(curves, rows[0])
    for drawn, side in ((served, "served"), (undefended, "undefended")):
        for attack in ("ptd", "ptaq"):
            assert drawn[attack].x == [0, 5, 10, 25]
            assert drawn[attack].y == pytest.approx([heldout(five_seeds, attack, name, side).mean() for name in names])
    assert served["target as served"].y == pytest.approx([1, 0.9, 0.8, 0.5])
    assert utility["Recall of served lists"].y == pytest.approx([0.402, 0.382, 0.362, 0.302])


def test_the_note_says_who_and_what_the_intervals_are(one_seed: Results, five_seeds: Results) -> None:
    one, five = (trade_off(defense_points(*results)) for results in (one_seed, five_seeds))
    assert "(seed 0)" in one.title
    assert one.note == "5 held-out users, never asked about; lines: 95 % intervals, bootstrap over users"
    assert "95 % intervals, t over seeds" in five.note


@pytest.fixture(scope="module")
def claims(five_seeds: Results) -> pd.DataFrame:
    return defense_claims(*five_seeds)


def claim(claims: pd.DataFrame, number: int, attack: str, against: str, figure: str = "agreement") -> pd.Series:
    own = claims[(claims["claim"] == number) & (claims["target"] == "bpr") & (claims["attack"] == attack)]
    [row] = own[(own["against"] == against) & (own["figure"] == figure)].to_dict("records")
    return row


def test_every_claim_is_judged_on_every_target(claims: pd.DataFrame) -> None:
    assert claims.groupby("claim").size().to_dict() == {19: 8, 20: 8, 21: 2, 22: 12, 23: 4}
    assert (claims["n_seeds"] == 5).all()


def test_claim_19_is_the_fall_from_no_defense_to_the_highest_n(five_seeds: Results, claims: pd.DataFrame) -> None:
    falls = heldout(five_seeds, "ptaq", "none", "undefended") - heldout(
        five_seeds, "ptaq", "popular_mixing_25", "undefended"
    )
    row = claim(claims, 19, "ptaq", "undefended")
    assert row["difference"] == pytest.approx(falls.mean())
    assert row["verdict"] == "borne out"


def test_claim_20_is_also_judged_relative_to_the_ceiling(five_seeds: Results, claims: pd.DataFrame) -> None:
    before, after = (heldout(five_seeds, "pta", name, "served") for name in ("none", "popular_mixing_25"))
    assert claim(claims, 20, "pta", "served")["difference"] == pytest.approx((before - after).mean())
    relative = claim(claims, 20, "pta", "served", "share of the ceiling")
    assert relative["difference"] == pytest.approx((before - after / 0.5).mean())
    assert relative["verdict"] == "open"


def test_claims_21_and_22_are_trends_over_n(five_seeds: Results, claims: pd.DataFrame) -> None:
    assert claim(claims, 21, "", "", "Recall of served lists, trend")["difference"] == pytest.approx(25 * 0.004)
    n = [0, 5, 10, 25]
    values = np.stack(
        [heldout(five_seeds, "ptq", name, "undefended") for name in ["none", *(f"popular_mixing_{i}" for i in n[1:])]]
    )
    expected = np.mean([-25 * np.polyfit(n, of_seed, 1)[0] for of_seed in values.T])
    assert claim(claims, 22, "ptq", "undefended", "agreement, trend")["difference"] == pytest.approx(expected)


def test_claim_23_sets_ptaq_beside_popularity_at_the_highest_n(five_seeds: Results, claims: pd.DataFrame) -> None:
    sides = [heldout(five_seeds, attack, "popular_mixing_25", "served") for attack in ("ptaq", "popularity")]
    row = claim(claims, 23, "ptaq", "served", "agreement at n = 25, above popularity")
    assert row["difference"] == pytest.approx((sides[0] - sides[1]).mean())


def test_few_seeds_leave_every_verdict_open(one_seed: Results) -> None:
    assert set(defense_claims(*one_seed)["verdict"]) == {"open"}


def test_a_seed_that_lacks_a_strength_is_left_out(five_seeds: Results) -> None:
    agreement, quality = five_seeds
    gone = (agreement["seed"] == 2) & (agreement["defense"] == "popular_mixing_25")
    found = defense_claims(agreement[~gone], quality)
    assert set(found.loc[found["claim"] == 19, "n_seeds"]) == {4}


def test_the_page_has_every_claim_and_every_defense_with_its_price(five_seeds: Results) -> None:
    page = page_of(*five_seeds)
    for claim in DEFENSE_CLAIMS:
        assert f"### {claim.id}. {claim.says}: {claim.check}" in page
    for defense in DEFENSES:
        assert page.count(f"| `{defense}`") >= 4
    row = re.search(r"\| `popular_mixing_25` +\| +(\S+) \| +(\S+) \| +(\S+) \|", page)
    assert row.groups() == (".302", ".225", ".250")
    assert "nan" not in page


def test_the_page_sets_asking_again_beside_asking_once(five_seeds: Results) -> None:
    page = page_of(*five_seeds).partition("## Asking again")[2]
    fresh, plain = (
        re.search(rf"\| ml-1m +\| bpr +\| `{name}` .*", page).group() for name in ("popular_mixing_fresh_10", "none")
    )
    assert "| 75 |" in " ".join(fresh.split())
    assert "| .000 [.000, .000] |" in " ".join(plain.split())
