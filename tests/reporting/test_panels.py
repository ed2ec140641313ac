"""Which rows of the results are shown, in which order and with which intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from rec_msa.evaluation.intervals import bootstrap_interval, seed_interval
from rec_msa.foundation.errors import DataError
from rec_msa.reporting.measured import estimate
from rec_msa.reporting.names import NOT_IN_ALL, REFERENCE_NAMES
from rec_msa.reporting.panels import Panel, Row, intervals_text, panels_of

if TYPE_CHECKING:
    from conftest import AgreementMaker


def rows_by_attack(panel: Panel) -> dict[str, Row]:
    return {row.attack: row for row in panel.rows}


def values(agreement: pd.DataFrame, attack: str, group: str, against: str = "served", k: int = 50) -> list[float]:
    chosen = {"attack": attack, "group": group, "against": against, "k": k}
    shown = np.logical_and.reduce([agreement[name] == value for name, value in chosen.items()])
    return agreement.loc[shown].sort_values("seed")["agreement"].tolist()


def test_a_cell_is_one_panel_at_the_largest_k(one_cell: pd.DataFrame) -> None:
    [panel] = panels_of(one_cell)
    assert (panel.where, panel.k, panel.users) == ("ml-100k · bpr · seed 0", 50, "12 held-out and 35 queried users")
    for attack, row in rows_by_attack(panel).items():
        for group, one in row.groups.items():
            assert [one.value] == values(one_cell, attack, group)


def test_attacks_stand_above_references_and_the_best_first(one_cell: pd.DataFrame) -> None:
    [panel] = panels_of(one_cell)
    assert [row.is_reference for row in panel.rows] == [False] * 5 + [True] * 7
    for kind in (False, True):
        shown = [row.groups["heldout"].value for row in panel.rows if row.is_reference == kind]
        assert shown == sorted(shown, reverse=True)
    assert [line for line in panel.lines if isinstance(line, str)] == ["Attacks", "References"]
    assert len(panel.lines) == 14


def test_references_have_names_that_explain_themselves(one_cell: pd.DataFrame) -> None:
    rows = rows_by_attack(panels_of(one_cell)[0])
    assert rows["retrain"].label == "retrained target"
    assert rows["knn_lists"].label == "k nearest lists"
    assert rows["popularity"].label == "popularity in D_t"
    assert (rows["ptaq"].label, rows["ptaq"].clone, rows["ptaq"].calls) == ("ptaq", "bpr", "35")
    assert (rows["cache"].clone, rows["random"].calls) == ("", "0")


def test_a_reference_says_what_sets_it_apart_from_others_here_and_no_more(one_cell: pd.DataFrame) -> None:
    [alike] = panels_of(one_cell.assign(list_length=20))
    assert rows_by_attack(alike)["knn_lists"].label == "k nearest lists"
    of_another = one_cell["attack"] == "knn_lists"
    [apart] = panels_of(one_cell.assign(list_length=one_cell["list_length"].mask(of_another, 20)))
    assert rows_by_attack(apart)["knn_lists"].label == "k nearest lists, list_length 20"


def test_a_single_seed_has_the_interval_over_its_users(one_cell: pd.DataFrame) -> None:
    [panel] = panels_of(one_cell)
    shown = rows_by_attack(panel)["pta"].groups["heldout"]
    kept = one_cell[(one_cell["attack"] == "pta") & (one_cell["group"] == "heldout") & (one_cell["k"] == 50)].iloc[0]
    assert (shown.low, shown.high, shown.n_users) == (kept["ci_low"], kept["ci_high"], (12,))
    assert intervals_text([panel]) == "95 % intervals, bootstrap over users"


def test_five_seeds_have_their_mean_and_its_t_interval(make_agreement: AgreementMaker) -> None:
    five = pd.concat([make_agreement(seed=seed, attacks=("ptq",)) for seed in range(5)])
    [panel] = panels_of(five)
    over, shown = seed_interval(values(five, "ptq", "heldout")), rows_by_attack(panel)["ptq"].groups["heldout"]
    assert (shown.value, shown.low, shown.high) == pytest.approx((over.mean, over.low, over.high))
    assert intervals_text([panel]) == "95 % intervals, t over seeds"


def test_two_seeds_had_an_interval_from_below_0_to_above_1() -> None:
    seeds = [{"seed": seed, "n_users": 60, "kept_step": None} for seed in (0, 1)]
    figures = [{"agreement": value, "ci_low": value - 0.03, "ci_high": value + 0.04} for value in (0.5, 0.634)]
    found = estimate([seed | figure for seed, figure in zip(seeds, figures, strict=True)])
    assert found.value == pytest.approx(0.567)
    assert found.low == pytest.approx(0.567 - np.sqrt(2 * 0.03**2) / 2)
    assert found.high == pytest.approx(0.567 + np.sqrt(2 * 0.04**2) / 2)


def test_the_interval_of_few_seeds_is_the_bootstrap_of_the_mean_over_their_users() -> None:
    rng = np.random.default_rng(0)
    users = [rng.beta(3, 3, n) for n in (40, 60, 50)]
    ends = [bootstrap_interval(own, seed) for seed, own in enumerate(users)]
    drawn = [np.mean([rng.choice(own, own.size).mean() for own in users]) for _ in range(4000)]
    figures = [
        {"seed": seed, "agreement": own.mean(), "ci_low": low, "ci_high": high, "n_users": own.size, "kept_step": 1}
        for seed, (own, (low, high)) in enumerate(zip(users, ends, strict=True))
    ]
    found = estimate(figures)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.004)


def test_few_seeds_say_whose_they_are(study: pd.DataFrame) -> None:
    bpr, lmf, ncf = panels_of(study)
    shown = rows_by_attack(bpr)["ptq"].groups["heldout"]
    assert (shown.seeds, shown.n_users) == ((0, 1, 2), (12, 12, 12))
    assert [panel.where for panel in (bpr, lmf, ncf)] == [
        "ml-100k · bpr · seeds 0–2",
        "ml-100k · lmf · seeds 0–2",
        "ml-100k · ncf · seed 0",
    ]
    assert intervals_text([bpr, ncf]) == "95 % intervals, bootstrap over users"


def test_an_undefended_target_is_no_row_of_its_own(one_cell: pd.DataFrame) -> None:
    assert "target" not in rows_by_attack(panels_of(one_cell)[0])


def test_under_a_defense_the_undefended_lists_count(make_agreement: AgreementMaker) -> None:
    defended = make_agreement(defense="popular_mixing_15")
    [panel] = panels_of(defended)
    rows = rows_by_attack(panel)
    for attack in ("ptaq", "cache", "retrain"):
        shown = rows[attack].groups["queried"].value
        assert [shown] == values(defended, attack, "queried", "undefended") != values(defended, attack, "queried")
    assert [rows["target"].groups["heldout"].value] == values(defended, "target", "heldout", "served")
    assert rows["target"].groups["heldout"].value < 1


def test_a_cache_repeats_what_was_served_and_no_more(make_agreement: AgreementMaker) -> None:
    rows = rows_by_attack(panels_of(make_agreement(defense="popular_mixing_15"))[0])
    assert rows["cache"].groups["queried"].value == pytest.approx(rows["target"].groups["queried"].value)


def test_weaker_defenses_come_first(make_agreement: AgreementMaker) -> None:
    names = ["popular_mixing_10", "none", "popular_mixing_5"]
    panels = panels_of(pd.concat([make_agreement(defense=name, attacks=("ptaq",)) for name in names]))
    assert [panel.defense for panel in panels] == ["none", "popular_mixing_5", "popular_mixing_10"]


def test_what_sets_a_row_apart_is_noted(make_agreement: AgreementMaker) -> None:
    both = pd.concat([make_agreement(seed=0), make_agreement(seed=1)])
    short = (both["attack"] == "ptd") & (both["k"] > 20)
    fewer = (both["attack"] == "random") & (both["seed"] == 1)
    rows = rows_by_attack(panels_of(both[~short & ~fewer])[0])
    assert (rows["ptd"].label, rows["ptd"].k) == ("ptd (at 20)", 20)
    assert rows["random"].label == "random items (seed 0)"
    assert rows["pta"].label == "pta"


def test_references_with_other_shares_are_told_apart(one_cell: pd.DataFrame) -> None:
    apart = one_cell[one_cell["attack"] == "knn_lists"].assign(attack="a label", query_fraction=0.5)
    (panel,) = panels_of(pd.concat([one_cell, apart], ignore_index=True))
    labels = [row.label for row in panel.rows if row.is_reference]
    assert {"k nearest lists", "k nearest lists, query_fraction 0.5"} <= set(labels)


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_results_changes_nothing(study: pd.DataFrame, seed: int) -> None:
    few = study[study["attack"].isin(["ptaq", "ptd", "cache", "retrain"])]
    assert panels_of(few.sample(frac=1, random_state=seed)) == panels_of(few)


def test_a_panel_may_lack_references_or_a_group(make_agreement: AgreementMaker) -> None:
    agreement = make_agreement(attacks=("ptaq", "ptd"))
    [panel] = panels_of(agreement[agreement["group"] == "queried"])
    assert panel.lines == ["Attacks", *panel.rows]
    assert panel.users == "35 queried users"


def test_every_name_that_is_no_reference_is_an_attack(one_cell: pd.DataFrame) -> None:
    [panel] = panels_of(one_cell.replace({"attack": {"ptaq": "my_attack"}}))
    assert {row.attack for row in panel.rows if row.is_reference} == set(REFERENCE_NAMES) - {"target", *NOT_IN_ALL}
    assert "my_attack" in rows_by_attack(panel)


def test_nothing_to_show_is_said(one_cell: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="no row to show; run an attack"):
        panels_of(one_cell[one_cell["attack"] == "target"])
    with pytest.raises(DataError, match="column 'against' is missing"):
        panels_of(one_cell.drop(columns="against"))
