"""The page on one's own runs has all that was measured, and nothing that was not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from rec_msa.reporting.measured import Measured
from rec_msa.reporting.panels import panels_of
from rec_msa.reporting.result import ladder, meaning
from rec_msa.reporting.runs import runs_page
from rec_msa.reporting.writing import to_markdown, to_page
from tests.reporting.made_up import made_up

if TYPE_CHECKING:
    from conftest import AgreementMaker

    from rec_msa.reporting.document import Report

QUALITY = pd.DataFrame(columns=["dataset", "target", "seed", "defense"])


@pytest.fixture(scope="module")
def mine(one_cell: pd.DataFrame) -> pd.DataFrame:
    """A cell with a named attack of one's own."""
    few = one_cell[one_cell["attack"] == "ptaq"].assign(attack="ptaq_few", query_fraction=0.2)
    return pd.concat([one_cell, few], ignore_index=True)


@pytest.fixture(scope="module")
def curves() -> pd.DataFrame:
    """A target, the target retrained, a clone and what it learnt from answers, kept at the middle of three steps."""
    places = ["ml-100k.seed0.bpr", "ml-100k.seed0.bpr", "ml-100k.seed0.users10.bpr.own", "ml-100k.seed0.bpr.none.ptq"]
    steps = pd.DataFrame({"step": [0, 100, 200], "validation": [0.1, 0.4, 0.3], "kept": [False, True, False]})
    stages = zip(places, ("target", "retrain", "clone", "steal"), strict=True)
    return pd.concat([steps.assign(place=place, stage=stage, loss=0.5) for place, stage in stages], ignore_index=True)


@pytest.fixture(scope="module")
def own_page(mine: pd.DataFrame, curves: pd.DataFrame) -> Report:
    return runs_page(Measured(mine, QUALITY), curves)


def test_a_named_attack_of_ones_own_is_on_the_page(own_page: Report) -> None:
    [table] = [one for one in own_page.tables() if one.name == "comparison-table"]
    names = [row[0].text for _, body in table.bodies() for row in body]
    assert {"ptaq_few", "ptaq", "retrained target"} <= set(names)
    assert "ptaq_few" in to_page(own_page)


def test_nothing_stands_there_that_was_not_measured(own_page: Report) -> None:
    text = to_markdown(own_page)
    assert not re.search(r"\| *– *\||not measured|claim \d", text)
    assert [section.anchor for section in own_page.sections] == ["result", "comparison", "trainings", "made"]


def test_the_figure_goes_from_random_items_to_the_target_itself(own_page: Report) -> None:
    [bars] = own_page.figures()[0].drawing.rows[0]
    assert [name.partition(":")[0] for name in bars.names] == [
        *("random items", "popularity", "best look-up", "best clone", "target retrained", "the target itself"),
    ]
    assert bars.found[-1].value == 1
    assert bars.marked == ["best clone: pta"]


def test_plain_models_of_the_same_data_were_left_out_of_the_first_figure(mine: pd.DataFrame) -> None:
    plain = mine[mine["attack"] == "knn_lists"].assign(attack="ials_joint", base="ials_joint", agreement=0.99)
    [panel] = panels_of(pd.concat([mine, plain]))
    shown = ladder(panel)
    assert shown["best plain model"].attack == "ials_joint"
    assert "A plain model, which asks nothing, repeats as much." in meaning(panel, shown)


def test_the_sentence_counts_the_items_of_the_list(mine: pd.DataFrame) -> None:
    [panel] = panels_of(mine)
    shown, own = (
        ladder(panel),
        mine.query("attack == 'pta' and group == 'heldout' and k == 50 and against == 'served'"),
    )
    text = meaning(panel, shown)
    assert f"the clone `pta` names **{50 * own['agreement'].iloc[0]:.0f}**" in text
    assert "12 users, seed 0" in text
    assert "% of the way from popularity" in text
    assert "Intervals overlap with that of `pta`: " in text


def test_an_attack_that_knows_more_users_is_not_set_beside_the_references(mine: pd.DataFrame) -> None:
    more = mine[mine["attack"] == "ptaq"].assign(attack="ptaq_more", attacker_fraction=0.3, agreement=0.99)
    [panel] = panels_of(pd.concat([mine, more], ignore_index=True))
    assert panel.rows[0].attack == "ptaq_more"
    assert ladder(panel)["best clone"].attack == "pta"


def test_of_several_targets_one_sentence_has_the_medians(study: pd.DataFrame) -> None:
    [sentence, _, words] = runs_page(Measured(study, QUALITY), pd.DataFrame()).sections[0].blocks
    assert sentence.text.startswith("Medians over 3 targets")
    assert len(words.blocks[0].items) == 3


def test_fewer_seeds_are_said_and_give_no_share_of_the_way(make_agreement: AgreementMaker) -> None:
    both = pd.concat([make_agreement(seed=seed) for seed in (0, 1)])
    [panel] = panels_of(both[(both["attack"] != "retrain") | (both["seed"] == 0)])
    text = meaning(panel, ladder(panel))
    assert "target retrained (seed 0)" in text
    assert "of the way" not in text


def test_trainings_have_a_plot_for_each_stage_and_say_where_each_was_kept(own_page: Report) -> None:
    figure = own_page.figures()[2]
    [plots] = figure.drawing.rows
    assert [curve.name for curve in plots[0].curves] == ["bpr", "bpr retrained"]
    assert plots[-1].y_title == "agreement with answers held back"
    assert all(list(curve.labels) == ["", "kept", ""] for plot in plots for curve in plot.curves)
    assert {row[2].text for _, body in figure.table.bodies() for row in body} == {"100"}


def test_an_attack_of_ones_own_on_a_defended_target_is_beside_the_papers() -> None:
    results = made_up(("tables", "defense"))
    agreement = results["agreement"].query("dataset == 'ml-1m' and target == 'bpr' and seed == 0")
    few = agreement[agreement["attack"] == "ptaq"].assign(attack="ptaq_few")
    measured = Measured(pd.concat([agreement, few], ignore_index=True), results["quality"])
    [section] = [one for one in runs_page(measured, pd.DataFrame()).sections if one.anchor == "overview"]
    heads = [column.head for block in section.blocks[1:-1] for column in block.columns]
    assert "`ptaq_few`" in heads
    assert any("ptaq_few" in plot.title for row in section.blocks[0].drawing.rows for plot in row)
