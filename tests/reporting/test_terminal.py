"""Tables as they are read: in a log of 80 columns without colours."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from rec_msa.foundation.errors import DataError
from rec_msa.reporting.panels import panels_of
from rec_msa.reporting.terminal import results_table, study_table

if TYPE_CHECKING:
    from conftest import AgreementMaker

QUALITY = {
    "k": 50,
    "n_users": 471,
    "recall_test": 0.3741,
    "ndcg_test": 0.2114,
    "recall_served": 0.3052,
    "ndcg_served": 0.1786,
}


def lines_of(renderable: Any, width: int = 80) -> list[str]:
    """Returns what a terminal without colours shows."""
    console = Console(width=width, file=io.StringIO(), no_color=True)
    console.print(renderable)
    return console.file.getvalue().splitlines()


def starting(lines: list[str], start: str) -> list[str]:
    """Returns the cells of the one line that starts so."""
    [line] = [line for line in lines if line.startswith(start + " ")]
    return re.split(r"\s{2,}", line.strip())


def test_a_row_holds_what_was_measured(one_cell: pd.DataFrame) -> None:
    lines = lines_of(results_table(one_cell, QUALITY, "ml-100k · bpr · seed 0"))
    rows = {row.attack: row.groups for row in panels_of(one_cell)[0].rows}
    held, asked = rows["ptaq"]["heldout"], rows["ptaq"]["queried"]
    interval = f"{held.low:.2f} – {held.high:.2f}"
    assert starting(lines, "ptaq") == ["ptaq", "bpr", f"{held.value:.2f}", interval, f"{asked.value:.2f}", "35"]
    assert starting(lines, "cache of answers")[-2:] == ["1.00", "35"]
    assert lines[0].strip() == "ml-100k · bpr · seed 0"


def test_attacks_come_first_and_references_under_a_heading(one_cell: pd.DataFrame) -> None:
    firsts = [line.split("  ")[0].strip() for line in lines_of(results_table(one_cell, None, "cell"))]
    [panel] = panels_of(one_cell)
    attacks = [row.label for row in panel.rows if not row.is_reference]
    references = [row.label for row in panel.rows if row.is_reference]
    start = firsts.index(attacks[0])
    assert firsts[start : start + 14] == [*attacks, "", "references", *references]


def test_the_caption_says_how_good_the_target_is_and_how_to_read_it(one_cell: pd.DataFrame) -> None:
    text = "\n".join(line.strip() for line in lines_of(results_table(one_cell, QUALITY, "cell")))
    assert "Target: Recall@50 0.374, NDCG@50 0.211 on the test items of 471 users." in text
    assert "12 held-out and 35 queried users; 95 % intervals, bootstrap over users." in text
    assert "a cache of the answers scores 1.00" in text
    assert "Target:" not in "\n".join(lines_of(results_table(one_cell, None, "cell")))


def test_a_defense_has_its_price_and_its_question(make_agreement: AgreementMaker) -> None:
    table = results_table(make_agreement(defense="popular_mixing_15"), QUALITY, "cell")
    text = "\n".join(line.strip() for line in lines_of(table))
    assert "Served lists: Recall 0.305, NDCG 0.179." in text
    assert "Agreement is with what the target would serve without its defense." in text
    assert "scores 1.00" not in text
    assert "target as served" in text


@pytest.mark.parametrize("width", [80, 100])
def test_tables_fit_the_terminal_without_cutting(study: pd.DataFrame, one_cell: pd.DataFrame, width: int) -> None:
    for table in (study_table(study), results_table(one_cell, QUALITY, "cell")):
        lines = lines_of(table, width)
        assert max(map(len, lines)) <= width
        assert not any("…" in line for line in lines)


def test_a_missing_group_leaves_a_dash(one_cell: pd.DataFrame) -> None:
    lines = lines_of(results_table(one_cell[one_cell["group"] == "heldout"], None, "cell"))
    assert starting(lines, "ptaq")[-2:] == ["–", "35"]


def test_two_targets_do_not_fit_one_results_table(study: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="made for one target, got 3"):
        results_table(study, None, "cell")


def test_a_study_shows_the_mean_and_half_its_interval(study: pd.DataFrame) -> None:
    lines = lines_of(study_table(study), width=200)
    bpr, lmf, ncf = ({row.attack: row.groups["heldout"] for row in panel.rows} for panel in panels_of(study))
    expected = [f"{cell['pta'].value:.2f} ±{cell['pta'].high - cell['pta'].value:.2f}" for cell in (bpr, lmf)]
    single = f"{ncf['pta'].value:.2f} [{ncf['pta'].low:.2f}, {ncf['pta'].high:.2f}]"
    assert starting(lines, "pta") == ["pta", *expected, single]


def test_a_study_shows_how_good_each_target_is(study: pd.DataFrame) -> None:
    keys = study[["dataset", "target", "seed", "defense"]].drop_duplicates()
    quality = keys.assign(k=50, recall_served=0.4 + keys["seed"] / 50)[keys["target"] != "lmf"]
    quality = pd.concat([quality, quality.assign(seed=99, recall_served=0.9)])
    lines = lines_of(study_table(study, quality), width=200)
    assert starting(lines, "target's recall")[1:] == ["0.42 @50", "–", "0.40 @50"]


def test_a_run_of_chosen_outputs_that_measured_no_target_has_a_table_all_the_same(study: pd.DataFrame) -> None:
    assert lines_of(study_table(study, pd.DataFrame()), 200) == lines_of(study_table(study), 200)


@pytest.fixture(scope="module")
def shown(study: pd.DataFrame) -> Any:
    return study_table(study)


@settings(max_examples=20)
@given(width=st.integers(45, 160))
def test_a_study_that_is_too_wide_goes_on_below(shown: Any, width: int) -> None:
    lines = lines_of(shown, width)
    assert max(map(len, lines)) <= width
    heads = [head for line in lines if line.startswith(" ") for head in re.findall("bpr|lmf|ncf", line)]
    assert heads == ["bpr", "lmf", "ncf"]
    needed = max(len(line) for line in lines_of(shown, 200)[:5])
    assert (sum(line.startswith("ptaq ") for line in lines) == 1) == (width >= needed)


def test_a_study_says_where_an_attack_was_not_run_or_has_fewer_seeds(study: pd.DataFrame) -> None:
    qsd = study["attack"] == "qsd"
    partly = study[~(qsd & (study["target"] == "lmf")) & ~(qsd & (study["target"] == "bpr") & (study["seed"] == 2))]
    lines = lines_of(study_table(partly), width=200)
    first, second = starting(lines, "qsd")[1:3]
    assert first.endswith("*")
    assert second == "–"
    assert "An asterisk: fewer seeds than the rest of the column." in lines


def test_defended_targets_stand_beside_the_undefended_one(make_agreement: AgreementMaker) -> None:
    both = pd.concat([make_agreement(defense=name) for name in ("none", "popular_mixing_15")])
    lines = lines_of(study_table(both), 200)
    assert "no defense" in "".join(lines)
    assert "popular_mixing_15" in "".join(lines)
    assert "Under a defense: agreement with what the target would serve without it." in lines
    assert starting(lines, "target as served")[-2] == "–"


def test_below_a_table_stands_which_attack_learnt_nothing_and_which_ended_at_its_limit(one_cell: pd.DataFrame) -> None:
    kept, steps = {"ptq": 0, "ptaq": 80}, {"ptq": 2_000, "ptaq": 10_000}
    known = one_cell.assign(
        kept_step=one_cell["attack"].map(kept).astype("Int64"), steps=one_cell["attack"].map(steps).astype("Int64")
    ).assign(step_limit=10_000)
    for shown in (results_table(known, None, "a title"), study_table(known)):
        text = " ".join(" ".join(lines_of(shown)).split())
        assert "Learnt nothing from the answers, the start was kept: ptq." in text
        assert "Ended at the limit of steps, perhaps too early: ptaq." in text
    assert "Learnt nothing" not in " ".join(lines_of(results_table(one_cell, None, "a title")))


def with_intervals(table: pd.DataFrame, **ends: tuple[float, float]) -> pd.DataFrame:
    low, high = ({name: pair[end] for name, pair in ends.items()} for end in (0, 1))
    own = table[table["attack"].isin(ends)]
    return own.assign(ci_low=own["attack"].map(low), ci_high=own["attack"].map(high))


def test_what_overlaps_the_best_attack_is_named_and_no_order_shown(one_cell: pd.DataFrame) -> None:
    table = one_cell.assign(agreement=one_cell["attack"].map({"ptaq": 0.5, "pta": 0.45, "ptd": 0.2}).fillna(0.3))
    shown = with_intervals(table, ptaq=(0.4, 0.6), pta=(0.35, 0.55), ptd=(0.1, 0.3), knn_lists=(0.3, 0.41))
    text = " ".join(" ".join(lines_of(results_table(shown, None, "cell"))).split())
    assert "Intervals overlap, so no order is shown: ptaq, pta, k nearest lists." in text
    apart = with_intervals(table, ptaq=(0.4, 0.6), ptd=(0.1, 0.3))
    assert "no order" not in " ".join(lines_of(results_table(apart, None, "cell")))


def test_a_table_without_the_retrained_target_says_how_to_see_the_ceiling(one_cell: pd.DataFrame) -> None:
    said = "Without its ceiling"
    assert said in " ".join(lines_of(results_table(one_cell[one_cell["attack"] != "retrain"], None, "cell")))
    assert said not in " ".join(lines_of(results_table(one_cell, None, "cell")))
