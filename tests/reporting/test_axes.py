"""Where rows stand on the axes of the paper's figures, by their facts and never by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rec_msa.reporting import axes
from rec_msa.reporting.axes import Axis, clone_points, loss_points, points_of, table_rows
from tests.reporting.facts import facts_of, results_frame

if TYPE_CHECKING:
    import pandas as pd

POINTS = {
    axes.LIST_LENGTH: (20, 20, 50),
    axes.TARGET_USERS: (0.05, 5, 10),
    axes.AUXILIARY_USERS: (0.2, 20, 100),
    axes.ITEMS: (0.4, 40, 100),
    axes.ASKED: (0.6, 60, 100),
}
"""A value of each axis as the results have it and as people read it, and where the base's own attack stands."""


def row(base: str, attack: str = "", **other: Any) -> dict[str, Any]:
    clone = None if base in ("cache", "target") else "bpr"
    cell = {"dataset": "ml-1m", "target": "bpr", "clone": clone, "defense": "none", "against": "served", "seed": 0}
    figures = {"group": "heldout", "k": 50, "agreement": 0.5, "ci_low": 0.4, "ci_high": 0.6, "n_users": 9}
    own = {**cell, "attack": attack or base, "base": base, **figures, "n_queries": 0, **other}
    return facts_of(base, own["defense"]) | own


def values(points: pd.DataFrame) -> list[tuple[str, Any]]:
    return list(zip(points["attack"], points["value"], strict=True))


@pytest.mark.parametrize("axis", POINTS, ids=lambda axis: axis.name)
def test_a_row_stands_where_its_fact_says_whatever_its_name(axis: Axis) -> None:
    fact, value, usual = POINTS[axis]
    table = results_frame([row("ptaq"), row("ptaq", "any name", **{axis.fact: fact, "k": axes.K})])
    if axis is axes.LIST_LENGTH:
        table["k"] = table["list_length"]
    assert values(points_of(table, axis)) == [("ptaq", usual), ("any name", value)]
    assert axis.usual == usual


def test_who_does_not_have_the_fact_stands_at_the_usual_value() -> None:
    assert values(points_of(results_frame([row("ptd")]), axes.AUXILIARY_USERS)) == [("ptd", 100)]


def test_references_of_other_settings_stand_beside_their_attacks() -> None:
    table = results_frame([row("ptq", "a", query_fraction=0.1), row("cache", "b", query_fraction=0.1)])
    assert values(points_of(table, axes.ASKED)) == [("a", 10), ("b", 10)]


@pytest.mark.parametrize(
    "other",
    [{"attacker_fraction": 0.2}, {"otherwise": "denoise"}, {"ranking_loss": "hinge"}, {"calls_per_user": 5}],
    ids=str,
)
def test_who_differs_in_more_is_no_point(other: dict[str, Any]) -> None:
    assert points_of(results_frame([row("ptq", "a", query_fraction=0.1, **other)]), axes.ASKED).empty
    assert table_rows(results_frame([row("ptq", "a", **other)])).empty


def test_figure_2_is_read_at_each_lists_own_length_and_other_axes_at_50_items() -> None:
    table = results_frame(
        [*(row("ptq", "a", list_length=20, k=k) for k in (10, 20)), *(row("ptq", k=k) for k in (20, 50))]
    )
    points = points_of(table, axes.LIST_LENGTH)
    assert list(zip(points["value"], points["k"], strict=True)) == [(20, 20), (50, 50)]
    assert points_of(table, axes.ASKED)["k"].tolist() == [50]


def test_a_second_name_for_the_same_settings_is_the_same_point() -> None:
    table = results_frame([row("ptq", "again", agreement=0.6), row("ptq"), row("ptq", "few", attacker_fraction=0.05)])
    assert values(points_of(table, axes.TARGET_USERS)) == [("ptq", 10), ("few", 5)]
    assert table_rows(table)["agreement"].tolist() == [0.5]


def test_budgets_of_sequential_targets_have_no_usual_value_and_whole_sequences_are_none() -> None:
    table = results_frame([row("qsd", "qsd5", calls_per_user=5), row("qsd"), row("qsd", "whole", calls_per_user=1500)])
    assert values(points_of(table, axes.CALLS)) == [("qsd5", 5)]


def test_foreign_clones_defended_cells_and_the_target_itself_are_no_points() -> None:
    table = results_frame(
        [
            row("pta", item_fraction=0.1, clone="ncf"),
            row("pta", item_fraction=0.1, defense="shuffle_50"),
            row("pta", item_fraction=0.1, against="undefended"),
            row("target"),
        ]
    )
    assert points_of(table, axes.ITEMS).empty
    assert loss_points(table).empty


def test_no_rows_are_no_points() -> None:
    none = results_frame([])
    for points in (points_of(none, axes.ITEMS), loss_points(none), clone_points(none), table_rows(none)):
        assert points.empty


def test_losses_and_clones_are_points_too() -> None:
    other = {"ranking_loss": "hinge", "positive_loss": "bpr"}
    table = results_frame([row("qsd"), row("ptq"), row("ptq", "a", **other), row("ptq", "b", clone="ncf"), row("ptd")])
    assert values(loss_points(table)) == [("qsd", "hinge+hinge"), ("ptq", "bpr+hinge"), ("a", "hinge+bpr")]
    assert values(clone_points(table)) == [("qsd", "bpr"), ("ptq", "bpr"), ("b", "ncf"), ("ptd", "bpr")]


def test_targets_that_read_sequences_have_their_own_rows() -> None:
    table = results_frame([row("ptq"), row("ptq", target="sasrec", clone="sasrec")])
    assert table_rows(table)["target"].tolist() == ["bpr"]
    assert table_rows(table, sequential=True)["target"].tolist() == ["sasrec"]
