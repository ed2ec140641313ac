"""Figures and page of the defense: what is drawn and judged is what was measured."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rec_msa.evaluation.intervals import seed_interval
from rec_msa.evaluation.results import Identity, agreement_of
from rec_msa.foundation.lists import Lists
from rec_msa.reporting.defense import (
    NOTHING,
    defense_points,
    mixing,
    trade_off,
)
from rec_msa.reporting.defense_claims import DEFENSE_CLAIMS, defense_claims
from rec_msa.reporting.defense_page import defense_page
from rec_msa.reporting.paper_claims import claim_texts

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
        identity = Identity("ml-1m", "bpr", seed, defense, attack, base, clone, calls)
        against = {"served": Lists(users, served), "undefended": Lists(users, own)}
        parts.append(agreement_of(Lists(users, lists), against, groups, identity)[0])
    return pd.concat(parts, ignore_index=True)


def results_of(seeds: range, targets: tuple[str, ...] = ("bpr",)) -> Results:
    """Agreement and quality of every defense."""
    keys = [(target, seed, defense) for target in targets for seed in seeds for defense in DEFENSES]
    quality = pd.DataFrame(keys, columns=["target", "seed", "defense"]).assign(dataset="ml-1m", k=50, n_users=100)
    n = quality["defense"].str.extract(r"popular.*_(\d+)$")[0].astype(float).fillna(0)
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
    assert (point["estimate"].value, point["estimate"].low, point["estimate"].high) == (over.mean, over.low, over.high)
    assert (point["kind"], point["strength"]) == ("popular_mixing", 25)
    assert point["recall"] == pytest.approx(0.4 - 0.1 + 0.002)


def test_a_defense_of_strength_zero_is_no_second_undefended_target(one_seed: Results) -> None:
    again = [table[table["defense"] == "none"].assign(defense="popular_mixing_0") for table in one_seed]
    more = [pd.concat([table, rows], ignore_index=True) for table, rows in zip(one_seed, again, strict=True)]
    pd.testing.assert_frame_equal(defense_points(*more), defense_points(*one_seed))
    pd.testing.assert_frame_equal(defense_claims(*more), defense_claims(*one_seed))


def test_targets_without_a_defended_cell_have_no_points(one_seed: Results) -> None:
    agreement, quality = one_seed
    undefended = agreement[agreement["defense"] == "none"]
    assert defense_points(undefended, quality).empty
    for drawn in (trade_off, mixing):
        drawing = drawn(defense_points(undefended, quality))
        assert NOTHING in drawing.preview().layout.title.text
        assert NOTHING in drawing.picture().get_suptitle()
    assert NOTHING in defense_page(undefended, quality)


def traces(figure: Any, axis: str, name: str) -> Any:
    [trace] = [trace for trace in figure.data if trace.xaxis == axis and trace.name == name]
    return trace


def line(place: Any, name: str) -> Any:
    [found] = [container[0] for container in place.containers if container.get_label() == name]
    return found


def test_the_trade_off_has_a_plot_for_each_attack_that_asks_and_a_point_for_each_strength(one_seed: Results) -> None:
    drawing = trade_off(defense_points(*one_seed))
    figure, picture = drawing.preview(), drawing.picture()
    titles = [f"ml-1m · bpr · {attack}" for attack in ("ptq", "ptaq", "qsd", "ptaq_denoise")]
    assert [note.text for note in figure.layout.annotations] == titles
    assert [place.get_title(loc="left") for place in picture.axes] == titles
    names = ["none", "popular_mixing_5", "popular_mixing_10", "popular_mixing_25"]
    expected = [heldout(one_seed, "ptaq", name, "undefended")[0] for name in names]
    recall = one_seed[1].set_index("defense").loc[names, "recall_served"].tolist()
    mixed, drawn = traces(figure, "x2", "popular mixing"), line(picture.axes[1], "popular mixing")
    assert list(mixed.y) == list(drawn.get_ydata()) == expected
    assert list(mixed.x) == list(drawn.get_xdata()) == pytest.approx(recall)
    assert list(mixed.text) == ["", "5", "10", "25"]
    fresh = traces(figure, "x2", "popular mixing, fresh draws")
    assert fresh.marker.symbol == "circle-open"
    assert fresh.marker.color == mixed.marker.color != traces(figure, "x2", "shuffle").marker.color


def test_who_asks_nothing_is_the_level_of_the_trade_off(one_seed: Results) -> None:
    level = traces(trade_off(defense_points(*one_seed)).preview(), "x", "pta, which asks nothing")
    assert set(level.y) == {heldout(one_seed, "pta", "none", "undefended")[0]}
    assert level.mode == "lines"


def test_figures_7_and_8_stand_side_by_side_for_each_target(five_seeds: Results) -> None:
    drawing = mixing(defense_points(*five_seeds))
    figure, picture = drawing.preview(), drawing.picture()
    assert len(picture.axes) == len(figure.layout.annotations) == 6
    names = ["none", "popular_mixing_5", "popular_mixing_10", "popular_mixing_25"]
    for axis, place, side in (("x", 0, "served"), ("x2", 1, "undefended")):
        for attack in ("ptd", "ptaq"):
            expected = [heldout(five_seeds, attack, name, side).mean() for name in names]
            trace = traces(figure, axis, attack)
            assert list(trace.x) == [0, 5, 10, 25]
            assert list(trace.y) == list(line(picture.axes[place], attack).get_ydata()) == pytest.approx(expected)
    assert list(traces(figure, "x", "target as served").y) == pytest.approx([1, 0.9, 0.8, 0.5])
    assert list(traces(figure, "x3", "Recall of served lists").y) == pytest.approx([0.402, 0.382, 0.362, 0.302])


def test_each_name_stands_once_in_the_legend(five_seeds: Results) -> None:
    for drawn in (trade_off, mixing):
        figure = drawn(defense_points(*five_seeds)).preview()
        shown = [trace.name for trace in figure.data if trace.showlegend]
        assert len(shown) == len(set(shown))


def test_the_note_says_who_and_what_the_intervals_are(one_seed: Results, five_seeds: Results) -> None:
    title = trade_off(defense_points(*one_seed)).preview().layout.title.text
    assert "(seed 0)" in title
    assert "5 held-out users, never asked about; lines: 95 % intervals, bootstrap over users" in title
    assert "95 % intervals, t over seeds" in trade_off(defense_points(*five_seeds)).preview().layout.title.text


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
    page = defense_page(*five_seeds)
    for number, text in claim_texts(DEFENSE_CLAIMS).items():
        assert f"### {number}. {text}" in page
    for defense in DEFENSES:
        assert page.count(f"| `{defense}`") >= 4
    row = re.search(r"\| `popular_mixing_25` +\| +(\S+) \| +(\S+) \| +(\S+) \|", page)
    assert row.groups() == (".302", ".225", ".250")
    assert "nan" not in page


def test_the_page_sets_asking_again_beside_asking_once(five_seeds: Results) -> None:
    page = defense_page(*five_seeds).partition("## Asking again")[2]
    fresh, plain = (
        re.search(rf"\| ml-1m +\| bpr +\| `{name}` .*", page).group() for name in ("popular_mixing_fresh_10", "none")
    )
    assert "| 75 |" in " ".join(fresh.split())
    assert "| .000 |" in " ".join(plain.split())
