"""The report's tables of agreement hold what was measured, and nothing that was not."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rec_msa.evaluation.intervals import seed_interval
from rec_msa.foundation.errors import DataError
from rec_msa.foundation.lists import Lists
from rec_msa.reporting.document import Report, Table
from rec_msa.reporting.measured import Measured
from rec_msa.reporting.names import NOT_IN_ALL, REFERENCE_NAMES, paper_agreement
from rec_msa.reporting.report import build_report
from rec_msa.reporting.sections import ATTACKS, PAIRS, tables_section, targets_section
from rec_msa.reporting.writing import to_markdown
from tests.reporting.facts import measured_rows

N_USERS, N_ITEMS, LENGTH = 25, 300, 50
KEPT = dict(zip(ATTACKS, (0.1, 0.5, 0.55, 0.7, 0.75, 0.65, 0.7, 0.66, 0.7, 0.6), strict=True))
REFERENCES = {"random": 0.0, "popularity": 0.3, "knn_lists": 0.45, "cache": 0.3, "retrain": 0.8, "target": 1.0}
Results = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]
CELLS = [("ml-1m", "bpr", seed) for seed in range(5)] + [("ml-1m", "lmf", 0), ("steam", "ncf", 0)]


def cell(dataset: str, target: str, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns the summary and the rows per user of a cell's attacks and references."""
    rng = np.random.default_rng([seed, len(dataset), len(target)])
    users = np.arange(N_USERS)
    served = np.stack([rng.permutation(N_ITEMS)[:LENGTH] for _ in users])
    groups = pd.DataFrame({"user": users, "group": np.where(users % 5 < 2, "heldout", "queried")})
    parts = []
    for attack, share in {**KEPT, **REFERENCES}.items():
        # Items from beyond the catalogue never agree.
        items = np.where(rng.random(served.shape) < share, served, served + N_ITEMS)
        clone = target if attack in KEPT or attack == "retrain" else None
        place = {"dataset": dataset, "target": target, "seed": seed, "defense": "none", "attack": attack}
        place |= {"base": attack, "clone": clone, "n_queries": 0}
        lists = {"served": Lists(users, served), "undefended": Lists(users, served)}
        parts.append(measured_rows(Lists(users, items), lists, groups, place))
    summaries, details = zip(*parts, strict=True)
    return pd.concat(summaries, ignore_index=True), pd.concat(details, ignore_index=True)


def results_of(cells: list[tuple[str, str, int]]) -> Results:
    """Returns the three tables that the page is made from."""
    summaries, details = zip(*(cell(*key) for key in cells), strict=True)
    quality = pd.DataFrame(cells, columns=["dataset", "target", "seed"]).assign(
        defense="none",
        rule="none",
        strength=0,
        fresh=False,
        k=LENGTH,
        recall_test=lambda table: 0.4 + table["seed"] / 100,
        ndcg_test=0.3,
    )
    return pd.concat(summaries, ignore_index=True), pd.concat(details, ignore_index=True), quality


@pytest.fixture(scope="module")
def results() -> Results:
    return results_of(CELLS)


@pytest.fixture(scope="module")
def another_seed() -> tuple[pd.DataFrame, pd.DataFrame]:
    return cell("ml-1m", "bpr", 5)


def report_of(results: Results) -> Report:
    """Returns the parts of the report with agreement of tables 4 and 5."""
    agreement, per_user, quality = results
    measured = Measured(agreement, quality, per_user)
    return Report("", sections=[targets_section(measured), tables_section(measured)])


@pytest.fixture(scope="module")
def report(results: Results) -> Report:
    return report_of(results)


def table(report: Report, name: str) -> Table:
    [found] = [one for one in report.tables() if one.name == name]
    return found


def row(report: Report, name: str, *starts: str) -> list[str]:
    """Returns the texts of the one row of a table that starts so."""
    rows = [cells for _, body in table(report, name).bodies() for cells in body]
    [found] = [cells for cells in rows if tuple(cell.text for cell in cells[: len(starts)]) == starts]
    return [f"{cell.text} {cell.below}".rstrip() for cell in found]


def short(value: float) -> str:
    """Returns three decimals without the zero before the point."""
    return re.sub(r"^0", "", f"{value:.3f}")


def measured(results: Results, attack: str, group: str = "heldout", target: str = "bpr") -> pd.DataFrame:
    """Returns the rows at 50 items on ML-1M, one for each seed."""
    table = results[0]
    keys = {"dataset": "ml-1m", "target": target, "attack": attack, "group": group, "k": 50, "against": "served"}
    return table[np.logical_and.reduce([table[name] == value for name, value in keys.items()])].sort_values("seed")


def over_seeds(results: Results, attack: str, group: str = "heldout") -> str:
    over = seed_interval(measured(results, attack, group)["agreement"].to_numpy())
    return f"{short(over.mean)} [{short(over.low)}, {short(over.high)}]"


def test_several_seeds_give_their_mean_and_t_interval(results: Results, report: Report) -> None:
    assert row(report, "table4-ml-1m", "`ptd`")[1:3] == [over_seeds(results, "ptd"), ".499"]
    assert "t over seeds, bootstrap over users of a single seed." in " ".join(table(report, "table4-ml-1m").notes)


def test_a_single_seed_gives_its_bootstrap_interval(results: Results, report: Report) -> None:
    [only] = measured(results, "ptaq", target="lmf").to_dict("records")
    interval = f"[{short(only['ci_low'])}, {short(only['ci_high'])}]"
    assert row(report, "table4-ml-1m", "`ptaq`")[7:9] == [f"{short(only['agreement'])} {interval}", ".563"]
    assert table(report, "table4-steam").notes == ["Mean and 95 % interval: bootstrap over users."]


def test_a_difference_says_whether_the_papers_figure_lies_in_our_interval(results: Results, report: Report) -> None:
    cells = table(report, "table4-ml-1m").bodies()[0][1][1]
    over = seed_interval(measured(results, "ptd")["agreement"].to_numpy())
    place = "inside" if over.low <= 0.4987 <= over.high else "outside"
    assert cells[3].title == f"the paper's figure lies {place} our interval"


def test_pta_is_set_against_a_retrained_target_of_the_same_seeds(results: Results, report: Report) -> None:
    pta, retrain = (measured(results, name)["agreement"].mean() for name in ("pta", "retrain"))
    assert row(report, "targets-table", "ml-1m", "bpr")[7] == short(pta / retrain)
    agreement, per_user, quality = results
    fewer = agreement[~((agreement["attack"] == "pta") & (agreement["seed"] == 2))]
    assert row(report_of((fewer, per_user, quality)), "targets-table", "ml-1m", "bpr")[7] == "–"


def test_queried_users_stand_apart_without_the_papers_figures(results: Results, report: Report) -> None:
    shown = table(report, "queried-ml-1m")
    assert row(report, "queried-ml-1m", "`qsd`")[1] == over_seeds(results, "qsd", "queried")
    assert "paper" not in [column.head for column in shown.columns]
    assert "queried" in shown.caption


def test_targets_have_their_quality_with_its_range(results: Results, report: Report) -> None:
    expected = ["0–4", ".420 (.400–.440)", ".300 (.300–.300)", over_seeds(results, "retrain")]
    assert row(report, "targets-table", "ml-1m", "bpr")[2:6] == expected
    assert row(report, "targets-table", "steam", "ncf")[2:5] == ["0", ".400", ".300"]


def test_quality_that_was_not_measured_is_missing(results: Results) -> None:
    agreement, per_user, quality = results
    found = report_of((agreement, per_user, quality[quality["seed"] > 0]))
    assert row(found, "targets-table", "ml-1m", "bpr")[3] == ".425* (.410–.440)"
    assert row(found, "targets-table", "ml-1m", "lmf")[3:5] == ["–", "–"]
    none_at_all = quality[["dataset", "target", "seed", "defense", "rule", "strength", "fresh"]].head(0)
    assert row(report_of((agreement, per_user, none_at_all)), "targets-table", "ml-1m", "bpr")[3:5] == ["–", "–"]


def test_an_attack_with_fewer_seeds_has_an_asterisk(results: Results, report: Report) -> None:
    agreement, per_user, quality = results
    found = report_of((agreement[~((agreement["attack"] == "pta") & (agreement["seed"] == 2))], per_user, quality))
    assert re.match(r"\.\d+\* \[", row(found, "table4-ml-1m", "`pta`")[1])
    assert "An asterisk: fewer seeds than the column has." in table(found, "table4-ml-1m").notes
    assert not re.search(r"\d\*", to_markdown(report))


def of_three_seeds(results: Results) -> Results:
    agreement, per_user, quality = results
    return agreement, per_user[per_user["seed"] < 3], quality


def test_differences_are_means_over_seeds_and_open_with_few_of_them(results: Results, report: Report) -> None:
    sides = [measured(results, name)["agreement"].to_numpy()[:3] for name in ("pta", "ptd")]
    over = seed_interval(sides[0] - sides[1])
    cells = row(report_of(of_three_seeds(results)), "difference-pta-ptd", "ml-1m", "bpr")
    assert cells[2] == f"+{short(over.mean)} [+{short(over.low)}, +{short(over.high)}]"
    assert cells[4:] == ["< .001", "3", "10", "open (3 of 5 seeds); so far `pta` ahead"]
    assert row(report, "difference-pta-ptd", "ml-1m", "lmf")[3] == "–"


def test_a_loser_and_a_tie_are_called_so(results: Results) -> None:
    agreement, per_user, quality = of_three_seeds(results)
    tied = per_user.assign(agreement=per_user["agreement"].where(~per_user["attack"].isin(["ptq", "ptd"]), 0.125))
    found = report_of((agreement, tied, quality))
    level = row(found, "difference-ptq-ptd", "ml-1m", "bpr")
    assert (level[2].split()[0], level[-1]) == (".000", "open (3 of 5 seeds); so far neither ahead")
    behind = row(found, "difference-ptq-knn_lists", "ml-1m", "bpr")
    assert behind[2].startswith("−.")
    assert behind[-1].endswith("so far `knn_lists` ahead")


def test_five_seeds_give_a_verdict(report: Report) -> None:
    assert row(report, "difference-pta-ptd", "ml-1m", "bpr")[-1] == "borne out"


def test_references_that_not_all_results_have_are_shown_where_they_were_measured(
    results: Results, report: Report
) -> None:
    agreement, per_user, quality = results
    twins = [one[one["attack"] == "retrain"] for one in (agreement, per_user)]
    twins = [one.assign(attack="retrain_ensemble", base="retrain_ensemble") for one in twins]
    on_ml_1m = [one[one["dataset"] == "ml-1m"] for one in twins]
    found = report_of((pd.concat([agreement, on_ml_1m[0]]), pd.concat([per_user, on_ml_1m[1]]), quality))
    averaged = row(found, "table4-ml-1m", "retrained, averaged")
    assert averaged[1] == row(found, "table4-ml-1m", "retrained target")[1] == over_seeds(results, "retrain")
    names = [body[0].text for _, rows in table(found, "table4-steam").bodies() for body in rows]
    assert "retrained target" in names
    assert not {REFERENCE_NAMES[name] for name in NOT_IN_ALL} & {*names}, "no row of dashes"
    assert table(found, "table4-steam").bodies() == table(report, "table4-steam").bodies()


def test_comparisons_without_results_say_so(results: Results) -> None:
    agreement, per_user, quality = results
    without = [one[one["attack"] != "knn_lists"] for one in (agreement, per_user)]
    found = report_of((without[0], without[1], quality))
    assert re.search(r"`ptq` − `knn_lists`: .*Not measured\.", to_markdown(found))
    assert sum(one.name.startswith("difference-") for one in found.tables()) == len(PAIRS) - 2


@pytest.mark.parametrize(
    ("attack", "changed"),
    [
        ("ptd", {"defense": "popular_mixing_5", "rule": "popular_mixing", "strength": 5}),
        ("ptd", {"attack": "a variant", "attacker_fraction": 0.2}),
        ("ptd", {"clone": "ncf"}),
        ("knn_lists", {"attack": "a label", "attacker_fraction": 0.2}),
    ],
)
def test_defenses_and_variants_are_left_out(
    results: Results,
    report: Report,
    another_seed: tuple[pd.DataFrame, pd.DataFrame],
    attack: str,
    changed: dict[str, Any],
) -> None:
    agreement, per_user, quality = results
    variant = [part[part["attack"] == attack].assign(**changed) for part in another_seed]
    both = [pd.concat(pair, ignore_index=True) for pair in zip((agreement, per_user), variant, strict=True)]
    found = report_of((both[0], both[1], quality))
    for name in ("table4-ml-1m", "queried-ml-1m", "difference-ptq-ptd", "difference-ptq-knn_lists"):
        assert table(found, name).bodies() == table(report, name).bodies()


@pytest.mark.parametrize(("place", "name"), [(0, "agreement"), (1, "agreement_per_user")])
def test_a_missing_column_is_named(results: Results, place: int, name: str) -> None:
    tables = list(results)
    tables[place] = tables[place].drop(columns="clone")
    with pytest.raises(DataError, match=f"^{name}: column 'clone' is missing"):
        report_of((tables[0], tables[1], tables[2]))


@settings(max_examples=4)
@given(kept=st.sets(st.integers(0, 10_000), max_size=40))
def test_any_part_of_the_results_gives_aligned_tables_without_nan(results: Results, kept: set[int]) -> None:
    agreement, per_user, quality = results
    heads = agreement[["dataset", "target", "seed", "attack"]].drop_duplicates()
    some = heads.iloc[sorted({place % len(heads) for place in kept})]
    text = to_markdown(build_report(Measured(agreement.merge(some), quality, per_user.merge(some))))
    assert not re.search(r"\bnan\b|−\.000|\+\.000", text)
    for shown in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
        bars = [[place for place, letter in enumerate(line) if letter == "|"] for line in shown.splitlines()]
        assert all(line == bars[0] for line in bars)


@pytest.mark.parametrize("number", [4, 5, 7, 8])
def test_the_papers_figures_are_those_of_its_tables(shared_data: Any, number: int) -> None:
    printed = json.loads((shared_data.parent / "paper" / "tables.json").read_text())[f"table{number}"]["rows"]
    assert sorted(paper_agreement(number).values()) == sorted(_leaves(printed))


def _leaves(rows: Any) -> list[float]:
    return [value for part in rows.values() for value in _leaves(part)] if isinstance(rows, dict) else [rows]


def test_the_papers_figures_are_shares_for_every_dataset_and_target() -> None:
    found = {**paper_agreement(4), **paper_agreement(5)}
    assert len(found) == 3 * 3 * 7
    assert all(0 < value < 1 for value in found.values())
    assert found["ml-1m", "bpr", "ptd"] == 0.4987
    assert found["steam", "lmf", "pta_pre"] == 0.0167
    assert paper_agreement(7)["ml-1m", "lmf", "ptaq bpr+hinge"] == found["ml-1m", "lmf", "ptaq"]
