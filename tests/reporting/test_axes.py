"""Where the named attacks of conf/paper stand on the axes of the paper's figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from rec_msa.evaluation.results import COLUMNS
from rec_msa.reporting import axes
from rec_msa.reporting.axes import POINT_COLUMNS, Axis, clone_points, loss_of, loss_points, points_of

PAPER = yaml.safe_load((Path(__file__).parents[2] / "conf/paper/parameters_attacks.yml").read_text("utf-8"))["attacks"]
SETTINGS = {
    axes.LIST_LENGTH: ("list_length", 1),
    axes.TARGET_USERS: ("attacker_fraction", 100),
    axes.AUXILIARY_USERS: ("auxiliary_fraction", 100),
    axes.ITEMS: ("item_fraction", 100),
    axes.ASKED: ("query_fraction", 100),
}


def row(attack: str, base: str, **other: Any) -> dict[str, Any]:
    cell = {"dataset": "ml-1m", "target": "bpr", "clone": "bpr", "defense": "none", "against": "served", "seed": 0}
    figures = {"group": "heldout", "k": 50, "agreement": 0.5, "ci_low": 0.4, "ci_high": 0.6, "n_users": 9}
    return {**cell, "attack": attack, "base": base, **figures, "n_queries": 0, **other}


def frame(*rows: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"clone": "str"})


@pytest.mark.parametrize("axis", SETTINGS, ids=lambda axis: axis.name)
def test_names_say_what_the_parameters_say(axis: Axis) -> None:
    key, scale = SETTINGS[axis]
    said = {name: axis.value_of(name, attack["base"]) for name, attack in PAPER.items()}
    meant = {name: round(attack[key] * scale) if key in attack else None for name, attack in PAPER.items()}
    assert said == meant
    assert sum(value is not None for value in said.values()) >= 10


def test_losses_are_read_from_names_as_the_parameters_have_them() -> None:
    for name, attack in PAPER.items():
        losses = {"ranking_loss", "positive_loss"} & set(attack)
        assert loss_of(name, attack["base"]) == ("{ranking_loss}+{positive_loss}".format(**attack) if losses else None)
    assert [loss_of(base, base) for base in ("qsd", "ptq", "ptaq", "ptd")] == [
        *("hinge+hinge", "bpr+hinge", "bpr+hinge", None)
    ]


def test_the_bases_own_attack_stands_at_the_default_and_references_beside_it() -> None:
    table = frame(row("ptq", "ptq"), row("ptq_asked10", "ptq"), row("cache-asked10", "cache", clone=None))
    points = points_of(table, axes.ASKED)
    assert list(points.columns) == POINT_COLUMNS
    assert dict(zip(points["attack"], points["value"], strict=True)) == {
        "ptq": 100,
        "ptq_asked10": 10,
        "cache-asked10": 10,
    }


def test_a_point_of_another_axis_a_variant_or_another_base_is_none() -> None:
    table = frame(row("ptq_users5", "ptq"), row("ptaq_denoise", "ptaq"), row("pta_mean", "pta_mean"))
    assert points_of(table, axes.ASKED)["attack"].tolist() == ["pta_mean"]
    assert axes.ASKED.value_of("ptaq_asked10", "ptq") is None


def test_figure_2_is_read_at_each_lists_own_length() -> None:
    table = frame(*(row("ptq_length20", "ptq", k=k) for k in (10, 20)), *(row("ptq", "ptq", k=k) for k in (20, 50)))
    points = points_of(table, axes.LIST_LENGTH)
    assert list(zip(points["value"], points["k"], strict=True)) == [(20, 20), (50, 50)]


def test_a_second_name_for_the_default_point_is_the_same_point() -> None:
    table = frame(row("ptq_users10", "ptq", agreement=0.6), row("ptq", "ptq"), row("ptq_users5", "ptq"))
    points = points_of(table, axes.TARGET_USERS)
    assert points[["attack", "value"]].to_numpy().tolist() == [["ptq", 10], ["ptq_users5", 5]]


def test_other_axes_are_read_at_50_items() -> None:
    points = points_of(frame(*(row("ptq_users5", "ptq", k=k) for k in (40, 50))), axes.TARGET_USERS)
    assert points["k"].tolist() == [50]


def test_budgets_of_sequential_targets_have_no_default() -> None:
    points = points_of(frame(row("qsd5", "qsd"), row("qsd", "qsd"), row("qsd30_sequences", "qsd")), axes.CALLS)
    assert points[["attack", "value"]].to_numpy().tolist() == [["qsd5", 5]]


def test_foreign_clones_defended_cells_and_the_target_itself_are_no_points() -> None:
    table = frame(
        row("pta_items10", "pta", clone="ncf"),
        row("pta_items10", "pta", defense="shuffle_50"),
        row("pta_items10", "pta", against="undefended"),
        row("target", "target", clone=None),
    )
    assert points_of(table, axes.ITEMS).empty
    assert loss_points(table).empty


def test_no_rows_are_no_points() -> None:
    for points in (points_of(frame(), axes.ITEMS), loss_points(frame()), clone_points(frame())):
        assert list(points.columns) == POINT_COLUMNS
        assert points.empty


def test_losses_and_clones_are_points_too() -> None:
    losses = loss_points(frame(row("ptq", "ptq"), row("ptq_hinge_bpr", "ptq"), row("ptq_ncf", "ptq", clone="ncf")))
    assert losses["value"].tolist() == ["bpr+hinge", "hinge+bpr"]
    table = frame(row("ptq", "ptq"), row("ptq_ncf", "ptq", clone="ncf"), row("ptq_bpr", "ptq"), row("pta_x", "pta"))
    assert clone_points(table)[["attack", "value"]].to_numpy().tolist() == [["ptq", "bpr"], ["ptq_ncf", "ncf"]]
