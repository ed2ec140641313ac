"""The page beside the paper's tables holds what was measured, and nothing that was not."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rec_msa.errors import DataError
from rec_msa.evaluation.intervals import seed_interval
from rec_msa.evaluation.results import Identity, agreement_of
from rec_msa.lists import Lists
from rec_msa.reporting.reproduction import ATTACKS, CLAIMS, paper_agreement, reproduction_page

N_USERS, N_ITEMS, LENGTH = 25, 300, 50
KEPT = dict(zip(ATTACKS, (0.1, 0.5, 0.55, 0.7, 0.75, 0.65, 0.7, 0.66, 0.7, 0.6), strict=True))
REFERENCES = {"random": 0.0, "popularity": 0.3, "knn_lists": 0.45, "cache": 0.3, "retrain": 0.8, "target": 1.0}
Results = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]
CELLS = [("ml-1m", "bpr", seed) for seed in range(3)] + [("ml-1m", "lmf", 0), ("steam", "ncf", 0)]


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
        identity = Identity(dataset, target, seed, "none", attack, attack, clone, 0)
        lists = {"served": Lists(users, served), "undefended": Lists(users, served)}
        parts.append(agreement_of(Lists(users, items), lists, groups, identity))
    summaries, details = zip(*parts, strict=True)
    return pd.concat(summaries, ignore_index=True), pd.concat(details, ignore_index=True)


def results_of(cells: list[tuple[str, str, int]]) -> Results:
    """Returns the three tables that the page is made from."""
    summaries, details = zip(*(cell(*key) for key in cells), strict=True)
    quality = pd.DataFrame(cells, columns=["dataset", "target", "seed"]).assign(
        defense="none", k=LENGTH, recall_test=lambda table: 0.4 + table["seed"] / 100, ndcg_test=0.3
    )
    return pd.concat(summaries, ignore_index=True), pd.concat(details, ignore_index=True), quality


@pytest.fixture(scope="module")
def results() -> Results:
    return results_of(CELLS)


@pytest.fixture(scope="module")
def page(results: Results) -> str:
    return reproduction_page(*results)


def section(page: str, *headings: str) -> str:
    """Returns what stands below headings, each within the one before it."""
    for heading in headings:
        level = heading.split(" ", 1)[0]
        _, found, page = page.partition(heading)
        assert found, heading
        page = re.split(rf"\n#{{2,{len(level)}}} ", page)[0]
    return page


def row(text: str, *starts: str) -> list[str]:
    """Returns the cells of the one table row that starts so."""
    rows = [[part.strip() for part in line.strip("|").split(" | ")] for line in text.splitlines() if line[:1] == "|"]
    [found] = [cells for cells in rows if tuple(cells[: len(starts)]) == starts]
    return found


def short(value: float) -> str:
    """Returns three decimals without the zero before the point."""
    return re.sub(r"^0", "", f"{value:.3f}")


def measured(results: Results, attack: str, group: str = "heldout", target: str = "bpr") -> pd.DataFrame:
    """Returns the rows at 50 items on ML-1M, one for each seed."""
    table = results[0]
    keys = {"dataset": "ml-1m", "target": target, "attack": attack, "group": group, "k": 50, "against": "served"}
    return table[np.logical_and.reduce([table[name] == value for name, value in keys.items()])].sort_values("seed")


HELDOUT, QUERIED = "## Tables 4 and 5", "## The same for queried users"


def test_several_seeds_give_their_mean_and_t_interval_beside_the_papers_figure(results: Results, page: str) -> None:
    over = seed_interval(measured(results, "ptd")["agreement"].to_numpy())
    cells = row(section(page, HELDOUT, "### ml-1m"), "`ptd`")
    assert cells[1] == f"{short(over.mean)} [{short(over.low)}, {short(over.high)}] · paper .499"


def test_a_single_seed_gives_its_bootstrap_interval(results: Results, page: str) -> None:
    [only] = measured(results, "ptaq", target="lmf").to_dict("records")
    text = section(page, HELDOUT, "### ml-1m")
    interval = f"[{short(only['ci_low'])}, {short(only['ci_high'])}]"
    assert row(text, "`ptaq`")[2] == f"{short(only['agreement'])} {interval} · paper .563"
    assert "t over seeds, bootstrap over users of a single seed" in text
    assert "bootstrap over users." in section(page, HELDOUT, "### steam")


def test_the_head_names_seeds_and_users_and_what_was_not_run(page: str) -> None:
    head = row(section(page, HELDOUT, "### ml-1m"), "attack")
    assert head[1:] == ["bpr, seeds 0–2, 10 users", "lmf, seed 0, 10 users", "ncf, not run"]


def test_what_was_not_measured_is_a_dash_and_never_zero(page: str) -> None:
    text = section(page, HELDOUT, "### ml-1m")
    assert row(text, "`qsd`")[3] == "– · paper .273"
    assert row(text, "`pta_mean`")[3] == "–"
    assert row(text, "*popularity in answers*")[1:] == ["–", "–", "–"]
    assert row(text, "`pta` / *retrained target*")[3] == "–"
    assert "### ta-feng" not in page


def test_attacks_stand_in_the_papers_order_and_references_below(page: str) -> None:
    firsts = re.findall(r"^\| (`\w+`|\*[^|]+\*) +\|", section(page, HELDOUT, "### ml-1m"), flags=re.MULTILINE)
    assert firsts[:10] == [f"`{attack}`" for attack in ATTACKS]
    assert firsts[10] == "*random items*"
    assert "*target as served*" not in firsts


def test_references_and_attacks_that_the_paper_lacks_have_no_paper_figure(page: str) -> None:
    text = section(page, HELDOUT, "### ml-1m")
    assert "paper" not in " ".join(row(text, "*k nearest lists*") + row(text, "`pta_joint`"))


def test_pta_is_set_against_a_retrained_target(results: Results, page: str) -> None:
    pta, retrain = (measured(results, name)["agreement"].mean() for name in ("pta", "retrain"))
    assert row(section(page, HELDOUT, "### ml-1m"), "`pta` / *retrained target*")[1] == short(pta / retrain)


def test_queried_users_stand_apart_as_memory_with_attacks_alone(results: Results, page: str) -> None:
    text = section(page, QUERIED)
    assert "memory, not theft" in text
    assert "paper" not in text
    assert "*cache" not in text
    over = seed_interval(measured(results, "qsd", "queried")["agreement"].to_numpy())
    assert row(section(text, "### ml-1m"), "`qsd`")[1] == f"{short(over.mean)} [{short(over.low)}, {short(over.high)}]"


def test_targets_have_their_quality_with_its_range(results: Results, page: str) -> None:
    over = seed_interval(measured(results, "retrain")["agreement"].to_numpy())
    text = section(page, "## Targets")
    interval = f"[{short(over.low)}, {short(over.high)}]"
    expected = ["0–2", ".410 (.400–.420)", ".300 (.300–.300)", f"{short(over.mean)} {interval}", "10", "15"]
    assert row(text, "ml-1m", "bpr")[2:] == expected
    assert row(text, "steam", "ncf")[2:5] == ["0", ".400", ".300"]


def test_quality_that_was_not_measured_is_missing(results: Results) -> None:
    agreement, per_user, quality = results
    text = section(reproduction_page(agreement, per_user, quality[quality["seed"] > 0]), "## Targets")
    assert row(text, "ml-1m", "bpr")[3] == ".415* (.410–.420)"
    assert row(text, "ml-1m", "lmf")[3:5] == ["–", "–"]
    assert "An asterisk: fewer seeds" in text
    none_at_all = quality[["dataset", "target", "seed", "defense"]].head(0)
    text = section(reproduction_page(agreement, per_user, none_at_all), "## Targets")
    assert row(text, "ml-1m", "bpr")[3:5] == ["–", "–"]


def test_an_attack_with_fewer_seeds_has_an_asterisk(results: Results, page: str) -> None:
    agreement, per_user, quality = results
    fewer = agreement[~((agreement["attack"] == "pta") & (agreement["seed"] == 2))]
    text = section(reproduction_page(fewer, per_user, quality), HELDOUT, "### ml-1m")
    assert re.match(r"\.\d+\* \[", row(text, "`pta`")[1])
    assert row(text, "`pta` / *retrained target*")[1] == "–"
    assert "An asterisk: fewer seeds" in text
    assert "An asterisk" not in page


def test_differences_are_means_over_seeds_and_open_with_few_of_them(results: Results, page: str) -> None:
    sides = [measured(results, name)["agreement"].to_numpy() for name in ("pta", "ptd")]
    over = seed_interval(sides[0] - sides[1])
    text = section(page, "## Differences", "### `pta` − `ptd`")
    cells = row(text, "ml-1m", "bpr")
    assert cells[2:4] == [f"+{short(over.mean)}", f"[+{short(over.low)}, +{short(over.high)}]"]
    assert cells[5:] == ["< .001", "3", "10", "open (3 of 5 seeds); so far `pta` ahead"]
    assert row(text, "ml-1m", "lmf")[3:5] == ["–", "–"]


def test_a_loser_and_a_tie_are_called_so(results: Results) -> None:
    agreement, per_user, quality = results
    tied = per_user.assign(agreement=per_user["agreement"].where(per_user["attack"] != "ptq", 0.125))
    tied = tied.assign(agreement=tied["agreement"].where(tied["attack"] != "ptd", 0.125))
    text = section(reproduction_page(agreement, tied, quality), "## Differences")
    level = row(section(text, "### `ptq` − `ptd`"), "ml-1m", "bpr")
    assert (level[2], level[-1]) == (".000", "open (3 of 5 seeds); so far level")
    behind = row(section(text, "### `ptq` − `knn_lists`"), "ml-1m", "bpr")
    assert behind[2].startswith("−.")
    assert behind[-1].endswith("so far `knn_lists` ahead")


def test_five_seeds_give_a_verdict() -> None:
    text = section(reproduction_page(*results_of([("ml-1m", "bpr", seed) for seed in range(5)])), "## Differences")
    assert row(section(text, "### `pta` − `ptd`"), "ml-1m", "bpr")[-1] == "borne out"


def test_claims_without_results_say_so(results: Results) -> None:
    agreement, per_user, quality = results
    without = [table[table["attack"] != "knn_lists"] for table in (agreement, per_user)]
    text = section(reproduction_page(*without, quality), "## Differences")
    assert section(text, "### `ptq` − `knn_lists`").rstrip().endswith("Not measured.")
    assert text.count("\n### ") == len(CLAIMS)


@pytest.mark.parametrize(
    ("attack", "changed"),
    [
        ("ptd", {"defense": "popular_mixing_5"}),
        ("ptd", {"attack": "ptd-with-more"}),
        ("ptd", {"clone": "ncf"}),
        ("knn_lists", {"attack": "knn_lists-attackers20"}),
    ],
)
def test_defenses_and_variants_are_left_out(results: Results, page: str, attack: str, changed: dict[str, str]) -> None:
    agreement, per_user, quality = results
    variant = [part[part["attack"] == attack].assign(**changed) for part in cell("ml-1m", "bpr", 3)]
    both = [pd.concat(pair, ignore_index=True) for pair in zip((agreement, per_user), variant, strict=True)]
    assert reproduction_page(*both, quality) == page


def test_nothing_measured_is_said_in_a_line(results: Results) -> None:
    agreement, per_user, quality = results
    text = reproduction_page(agreement[agreement["k"] < 50], per_user, quality)
    assert "Nothing was measured at 50 items" in text
    assert "|" not in text


@pytest.mark.parametrize(("place", "name"), [(0, "agreement"), (1, "agreement_per_user")])
def test_a_missing_column_is_named(results: Results, place: int, name: str) -> None:
    tables = list(results)
    tables[place] = tables[place].drop(columns="clone")
    with pytest.raises(DataError, match=f"^{name}: column 'clone' is missing"):
        reproduction_page(*tables)


@settings(max_examples=15, deadline=None)
@given(kept=st.sets(st.integers(0, 10_000), max_size=40))
def test_any_part_of_the_results_gives_aligned_tables_without_nan(results: Results, kept: set[int]) -> None:
    agreement, per_user, quality = results
    heads = agreement[["dataset", "target", "seed", "attack"]].drop_duplicates()
    some = heads.iloc[sorted({place % len(heads) for place in kept})]
    text = reproduction_page(agreement.merge(some), per_user.merge(some), quality)
    assert not re.search(r"nan|−\.000|\+\.000", text)
    for table in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
        bars = [[place for place, letter in enumerate(line) if letter == "|"] for line in table.splitlines()]
        assert all(line == bars[0] for line in bars)


def test_the_papers_figures_are_those_of_its_tables(shared_data: Any) -> None:
    printed = json.loads((shared_data.parent / "paper" / "tables.json").read_text())
    found = paper_agreement()
    for name in ("table4", "table5"):
        for attack, datasets in printed[name]["rows"].items():
            for dataset, targets in datasets.items():
                assert {target: found[dataset, target, attack] for target in targets} == targets


def test_the_papers_figures_are_shares_for_every_dataset_and_target() -> None:
    found = paper_agreement()
    assert len(found) == 3 * 3 * 7
    assert all(0 < value < 1 for value in found.values())
    assert found["ml-1m", "bpr", "ptd"] == 0.4987
    assert found["steam", "lmf", "pta_pre"] == 0.0167
