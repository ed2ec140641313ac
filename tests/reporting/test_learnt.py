"""Attacks that learnt nothing from the answers are told apart from those that did."""

from __future__ import annotations

import pandas as pd
import pytest

from rec_msa.attacks.registry import STARTS
from rec_msa.reporting.axes import table_rows
from rec_msa.reporting.document import Folded, Report, Table, estimate_cell
from rec_msa.reporting.measured import Measured, estimates, gains, remarks, steal_runs
from rec_msa.reporting.sections import learnt_section
from rec_msa.reporting.writing import to_markdown
from tests.reporting.made_up import made_up

KEPT = {"ptq": (0, 0, 40, 60, 0), "ptaq": (200, 400, 300, 200, 500), "qsd": (900, 900, 900, 900, 900)}
STEPS = {"ptq": 500, "ptaq": 1_000, "qsd": 1_000}
LIMIT = 1_000


def recorded(agreement: pd.DataFrame) -> pd.DataFrame:
    """The same results with the steps of the steal stages of ``KEPT`` on ml-1m's bpr."""
    own = (agreement["dataset"] == "ml-1m") & (agreement["target"] == "bpr") & agreement["attack"].isin(list(KEPT))
    kept = [KEPT[attack][seed] for attack, seed in agreement.loc[own, ["attack", "seed"]].itertuples(index=False)]
    table = agreement.assign(**{name: pd.array([pd.NA] * len(agreement), "Int64") for name in ("kept_step", "steps")})
    table["step_limit"] = table["steps"]
    table.loc[own, "kept_step"] = pd.array(kept, "Int64")
    table.loc[own, "steps"] = agreement.loc[own, "attack"].map(STEPS).astype("Int64")
    table.loc[own, "step_limit"] = LIMIT
    return table


@pytest.fixture(scope="module")
def old() -> pd.DataFrame:
    return made_up(("tables",))["agreement"]


@pytest.fixture(scope="module")
def new(old: pd.DataFrame) -> pd.DataFrame:
    return recorded(old)


def test_every_attack_with_queries_starts_from_the_one_without_that_makes_its_items_alike() -> None:
    starts = {"ptq": "ptd", "ptaq": "pta", "ptaq_pre": "pta_pre", "ptaq_joint": "pta_joint"}
    otherwise = {
        f"{name}_{how}": starts[name] for name in ("ptq", "ptaq", "ptaq_joint") for how in ("listwise", "ridge")
    }
    assert starts | otherwise == STARTS


def test_a_stage_is_counted_once_whatever_its_rows(new: pd.DataFrame) -> None:
    runs = steal_runs(new)
    counted = runs.groupby("attack")[["nothing", "at_limit"]].sum()
    assert len(runs) == 15
    assert counted["nothing"].to_dict() == {"ptaq": 0, "ptq": 3, "qsd": 0}
    assert counted["at_limit"].to_dict() == {"ptaq": 5, "ptq": 0, "qsd": 5}


def test_an_older_table_says_nothing_of_steps_and_never_zero(old: pd.DataFrame) -> None:
    assert steal_runs(old).empty
    assert remarks(old) == []


def test_remarks_name_the_attacks_and_their_seeds(new: pd.DataFrame) -> None:
    assert remarks(new) == [
        "Learnt nothing from the answers, the start was kept: ptq (3 of 5 seeds).",
        "Ended at the limit of steps, perhaps too early: ptaq (5 of 5 seeds), qsd (5 of 5 seeds).",
    ]
    assert remarks(new[(new["seed"] == 1) & (new["attack"] != "qsd")]) == [
        "Learnt nothing from the answers, the start was kept: ptq.",
        "Ended at the limit of steps, perhaps too early: ptaq.",
    ]
    other = new.assign(target="lmf")
    assert "ptq on bpr (3 of 5 seeds), ptq on lmf" in remarks(pd.concat([new[new["target"] == "bpr"], other]))[0]


def test_gains_are_paired_by_seed_and_group(new: pd.DataFrame) -> None:
    gained = gains(new)
    cell = "dataset == 'ml-1m' and target == 'bpr' and seed == 2 and group == 'queried'"
    [found] = gained.query(f"{cell} and attack == 'ptq'")["gain"]
    own = new.query(f"{cell} and k == 50 and against == 'undefended'").set_index("attack")["agreement"]
    assert found == pytest.approx(own["ptq"] - own["ptd"])
    assert "qsd" not in set(gained["attack"])


def test_a_shorter_lists_start_is_of_that_length() -> None:
    gained = gains(made_up(("axes",))["agreement"])
    short = gained[(gained["attack"] == "ptq list_length 20") & (gained["group"] == "heldout")]
    assert len(short) == 15
    assert short["gain"].mean() == pytest.approx(0.06, abs=0.02)


def test_longer_lists_of_one_data_set_took_the_gains_of_another_away(new: pd.DataFrame) -> None:
    own = new[(new["dataset"] == "ml-1m") & (new["target"] == "bpr")]
    shorter = own.assign(k=own["k"] // 2, dataset="small")
    both, alone = gains(pd.concat([own, shorter], ignore_index=True)), gains(own)
    assert len(both) == 2 * len(alone) > 0
    assert both[both["dataset"] == "small"]["gain"].tolist() == alone["gain"].tolist()


def shown(agreement: pd.DataFrame) -> tuple[str, dict[tuple[str, ...], list[str]]]:
    quality = made_up(("tables",))["quality"]
    section = learnt_section(Measured(agreement, quality))
    [folded] = [block for block in section.blocks if isinstance(block, Folded)]
    [table] = folded.blocks
    assert isinstance(table, Table)
    rows = {tuple(cell.text for cell in row[:4]): [cell.text for cell in row[4:7]] for row in table.bodies()[0][1]}
    return to_markdown(Report("", sections=[section])), rows


def test_the_report_says_how_many_seeds_learnt_nothing_and_how_many_ended_at_the_limit(new: pd.DataFrame) -> None:
    text, rows = shown(new)
    assert (
        "Of 15 stages whose steps are recorded, 3 learnt nothing from the answers and 10 ended at their limit." in text
    )
    assert rows["ml-1m", "bpr", "`none`", "`ptq`"] == ["5", "3 of 5", "0 of 5"]
    assert rows["ml-1m", "bpr", "`none`", "`qsd`"] == ["5", "0 of 5", "5 of 5"]
    assert rows["ml-1m", "lmf", "`none`", "`ptq`"] == ["5", "–", "–"]


def test_what_is_not_recorded_is_a_dash_and_the_gain_stands_all_the_same(old: pd.DataFrame) -> None:
    text, rows = shown(old)
    assert "not recorded in these results" in text
    assert rows["ml-1m", "bpr", "`none`", "`ptq`"] == ["5", "–", "–"]


def test_a_figure_of_an_attack_that_learnt_nothing_looked_like_any_other(new: pd.DataFrame) -> None:
    found = estimates(table_rows(new))
    marked, plain = (estimate_cell(found["ml-1m", "bpr", attack]) for attack in ("ptq", "ptaq"))
    assert marked.text.endswith("[†](#learnt)")
    assert marked.title.endswith("3 of 5 learnt nothing from the answers")
    assert "†" not in plain.text
    assert "nothing" not in plain.title
