"""The section on what goes beyond the paper's attacks."""

from __future__ import annotations

import pandas as pd
import pytest

from rec_msa.reporting.measured import Measured
from rec_msa.reporting.strongest import strongest_sections
from tests.reporting.made_up import SEEDS, Rows, typed_results

AGREEMENT = {"ptaq": 0.6, "stacked": 0.7, "knn_lists": 0.4, "list_popularity": 0.5, "retrain": 0.8}
KNOWS_LESS = {"stacked_any": 0.68, "stacked_own": 0.5, "stacked_few": 0.6, "stacked_few_coverage": 0.6}


def measured(attacks: tuple[str, ...] = tuple(AGREEMENT), costs: dict[str, float] | None = None) -> Measured:
    rows = Rows()
    for seed in SEEDS:
        for attack in attacks:
            base = "stacked" if attack in KNOWS_LESS else attack
            rows.add("ml-1m", "bpr", seed, attack, base, (AGREEMENT | KNOWS_LESS)[attack], users=True)
    agreement, per_user, quality = typed_results(rows)
    took = [
        {"label": "", "dataset": "ml-1m", "target": "bpr", "clone": "bpr", "attack": attack, "defense": "none"}
        | {"seed": seed, "seconds": seconds + seed}
        for attack, seconds in (costs or {}).items()
        for seed in SEEDS
    ]
    known = {"costs": pd.DataFrame(took)} if took else {}
    return Measured(agreement, quality, per_user, **known)


def test_without_such_an_attack_there_is_no_section():
    assert strongest_sections(measured(("ptaq", "knn_lists", "retrain"))) == []


def test_gains_are_over_the_paper_s_strongest_the_best_look_up_and_the_ceiling():
    [section] = strongest_sections(measured(costs={"ptaq": 100.0, "stacked": 300.0}))
    [gains] = [table for table in section.all_blocks() if getattr(table, "name", "") == "strongest-gains"]
    row = gains.frame.iloc[0]
    # Each figure of the made-up results scatters by some thousandths.
    assert row[["over_ptaq", "over_lookups"]].tolist() == pytest.approx([0.1, 0.2], abs=0.03)
    assert row["of_retrain"] == pytest.approx(0.7 / 0.8, abs=0.03)
    assert row[["seconds", "seconds_ptaq"]].tolist() == [302.0, 102.0]
    assert [cell.text for cell in gains.bodies()[0][1][0]][-2:] == ["302", "102"]


def test_a_gain_was_between_means_over_different_seeds():
    both = measured()
    late = (both.agreement["attack"] != "stacked") | (both.agreement["seed"] == 0)
    level = both.agreement["agreement"].where(both.agreement["seed"] == 0, 0.01)
    [section] = strongest_sections(Measured(both.agreement.assign(agreement=level)[late], both.quality, both.per_user))
    [gains] = [table for table in section.all_blocks() if getattr(table, "name", "") == "strongest-gains"]
    assert gains.frame["over_ptaq"].item() == pytest.approx(0.1, abs=0.05)


def test_its_tests_are_paired_over_the_same_users_and_what_was_not_measured_is_left_out():
    [section] = strongest_sections(measured())
    tables = {block.name: block.frame for block in section.all_blocks() if hasattr(block, "frame")}
    compared = {name.removeprefix("difference-") for name in tables if name.startswith("difference-")}
    assert compared == {"stacked-ptaq", "stacked-knn_lists", "stacked-list_popularity", "stacked-retrain"}
    assert tables["difference-stacked-ptaq"]["difference"].item() == pytest.approx(0.1, abs=0.03)
    assert tables["difference-stacked-ptaq"]["verdict"].item() == "borne out"
    assert tables["difference-stacked-retrain"]["verdict"].item() == "contradicted"


def test_who_knows_or_asks_less_has_a_table_and_tests_of_its_own():
    [section] = strongest_sections(measured((*AGREEMENT, *KNOWS_LESS)))
    tables = {block.name: block.frame for block in section.all_blocks() if hasattr(block, "frame")}
    assert list(tables["strongest-knowledge-ml-1m"]["attack"]) == [
        "stacked",
        "stacked_any",
        "stacked_own",
        "stacked_few",
        "stacked_few_coverage",
    ]
    assert not set(tables["strongest-ml-1m"]["attack"]) & {"stacked_any", "stacked_own", "stacked_few_coverage"}
    assert tables["difference-stacked_any-stacked"]["difference"].item() == pytest.approx(-0.02)
    assert "difference-stacked_few_disagreement-stacked_few" not in tables


def test_where_nobody_knew_less_there_is_no_such_table():
    [section] = strongest_sections(measured())
    assert not [block for block in section.all_blocks() if getattr(block, "name", "").startswith("strongest-know")]
