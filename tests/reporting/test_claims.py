"""Every claim of the paper, judged on a made-up world in which all of them hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from rec_msa.foundation.errors import SettingsError
from rec_msa.reporting.axes import LOSSES
from rec_msa.reporting.claims import CLAIMS, ClaimVerdict, counted, judge, verdict_of
from rec_msa.reporting.measured import Measured
from rec_msa.reporting.names import paper_table
from tests.reporting.facts import facts_of, results_frame

if TYPE_CHECKING:
    from collections.abc import Callable

TESTED = [claim.id for claim in CLAIMS if claim.per]
JITTER = (0.0, 0.002, -0.002, 0.001, -0.001)
LEVELS = {
    "bpr": {"ptd": 0.4, "ptq": 0.5, "pta": 0.6, "ptaq": 0.7, "pta_pre": 0.45, "ptaq_pre": 0.55, "pta_joint": 0.35},
    "ncf": {"ptd": 0.4, "ptq": 0.41, "pta": 0.6, "ptaq": 0.61, "pta_pre": 0.45, "ptaq_pre": 0.55, "pta_joint": 0.35},
    "lmf": {"ptd": 0.2, "ptq": 0.35, "pta": 0.5, "ptaq": 0.65, "pta_pre": 0.3, "ptaq_pre": 0.45, "pta_joint": 0.15},
}
EVERYWHERE = {"qsd": 0.1, "random": 0.01, "popularity": 0.05, "knn_lists": 0.07}
REFERENCES = ("random", "popularity", "knn_lists", "target")
ASKING = ("qsd", "ptq", "ptaq")
FIVE = ("qsd", "ptd", "ptq", "pta", "ptaq")
Row = dict[str, Any]


def row(dataset: str, target: str, attack: str, base: str, agreement: float, **other: Any) -> Row:
    clone = None if base in REFERENCES else target
    where = {"dataset": dataset, "target": target, "clone": clone, "attack": attack, "base": base}
    about = {"defense": "none", "against": "served", "group": "heldout", "k": 50, "agreement": agreement}
    figures = {"ci_low": 0.0, "ci_high": 1.0, "n_users": 9, "n_queries": 0}
    return {**where, **about, **figures, **facts_of(base, str(other.get("defense", "none"))), **other}


def judge_paper(agreement: pd.DataFrame, quality: pd.DataFrame, *claims: int) -> pd.DataFrame:
    asked = [claim for claim in CLAIMS if claim.id in claims or not claims]
    return judge(counted(Measured(agreement, quality)), asked)


def levels_of(dataset: str, target: str) -> dict[str, float]:
    more = {"ptq": 0.15, "ptaq": 0.15} if dataset == "steam" else {}
    return {name: level + more.get(name, 0) for name, level in {**EVERYWHERE, **LEVELS[target]}.items()}


def tables(dataset: str, target: str) -> list[Row]:
    levels = levels_of(dataset, target)
    queried = [row(dataset, target, name, name, levels[name], group="queried") for name in FIVE]
    return queried + [row(dataset, target, name, name, level) for name, level in levels.items()]


def figures_2_and_3(target: str) -> list[Row]:
    level = levels_of("ml-1m", target)
    lengths = [
        row("ml-1m", target, f"{a}_length{n}", a, level[a] + 0.001 * (n - 50), k=n, list_length=n)
        for a in FIVE
        for n in (*range(10, 50, 10), *range(60, 110, 10))
    ]
    users = [
        row("ml-1m", target, f"{a}_users{n}", a, level[a] + 0.002 * (n - 10), attacker_fraction=n / 100)
        for a in FIVE
        for n in (2, 5, 20, 30)
        if n > 2 or a not in ASKING
    ]
    return lengths + users


def figures_4_and_5(dataset: str) -> list[Row]:
    return [
        row(dataset, "lmf", f"{a}_{axis}{n}", a, levels_of(dataset, "lmf")[a] - 0.001 * (100 - n), **{fact: n / 100})
        for axis, fact in (("auxiliary", "auxiliary_fraction"), ("items", "item_fraction"))
        for a in ("pta", "ptaq")
        for n in (10, 20, 40, 60, 80)
    ]


def figure_6(target: str) -> list[Row]:
    return [
        row("ml-1m", target, f"{a}_{c}", a, levels_of("ml-1m", target)[a] + (0.03 if c == "bpr" else -0.03), clone=c)
        for a in ("ptd", "ptq", "pta", "ptaq")
        for c in LEVELS
        if c != target
    ]


def figure_7(target: str) -> list[Row]:
    rows = []
    for n in (0, 5, 10, 15, 20, 25):
        for against in ("served", "undefended"):
            about = {"defense": f"popular_mixing_{n}" if n else "none", "against": against}
            for a in ("popularity", "ptd", "ptq", "pta", "ptaq"):
                falls = a in ASKING or (against == "served" and a != "popularity")
                rows.append(
                    row("ml-1m", target, a, a, levels_of("ml-1m", target)[a] * (1 - 0.025 * n * falls), **about)
                )
            rows.append(row("ml-1m", target, "target", "target", 1 - n / 50, **about))
    return [one for one in rows if (one["defense"], one["against"]) != ("none", "served") or one["base"] == "target"]


def figure_9(target: str) -> list[Row]:
    slope, level = {"qsd": 0.0005, "ptq": 0.0001, "ptaq": 0.0001}, levels_of("ml-1m", target)
    return [
        row("ml-1m", target, f"{a}_asked{n}", a, level[a] - slope[a] * (100 - n), group=group, query_fraction=n / 100)
        for a in ASKING
        for n in (10, 20, 40, 60, 80)
        for group in ("heldout", "queried")
    ]


def table_7(target: str) -> list[Row]:
    rows = []
    for a in ASKING:
        default = "hinge+hinge" if a == "qsd" else "bpr+hinge"
        for place, loss in enumerate(one for one in LOSSES if one != default):
            losses = dict(zip(("ranking_loss", "positive_loss"), loss.split("+"), strict=True))
            level = levels_of("ml-1m", target)[a] + place / 500
            rows.append(row("ml-1m", target, f"{a}_{loss.replace('+', '_')}", a, level, **losses))
    return rows


def table_8(dataset: str, target: str) -> list[Row]:
    plain = [row(dataset, target, a, a, level) for a, level in (("ptd", 0.3), ("ptq", 0.4), ("ptaq", 0.6))]
    return plain + [row(dataset, target, f"qsd{n}", "qsd", 0.1 + 0.002 * n, calls_per_user=n) for n in range(5, 35, 5)]


def world(seeds: int = 5) -> pd.DataFrame:
    """All points of all studies; each seed moves every second row a little."""
    rows = [one for d in ("ml-1m", "ta-feng", "steam") for t in LEVELS for one in tables(d, t)]
    for target in LEVELS:
        for part in (figures_2_and_3, figure_6, figure_7, figure_9, table_7):
            rows += part(target)
    rows += [one for d in ("ml-1m", "ta-feng", "steam") for one in figures_4_and_5(d)]
    rows += [one for d in ("ml-1m-2999", "ml-100k") for t in ("sasrec", "stamp", "gru4rec") for one in table_8(d, t)]
    table = results_frame(rows)
    moved = [table.assign(seed=s, agreement=table["agreement"] + JITTER[s] * (table.index % 2)) for s in range(seeds)]
    return pd.concat(moved, ignore_index=True)


def prices(seeds: int = 5) -> pd.DataFrame:
    rows = [
        {"dataset": "ml-1m", "target": t, "seed": s, "defense": f"popular_mixing_{n}" if n else "none"}
        | {"recall_served": 0.4 - 0.004 * n + JITTER[s], "rule": "popular_mixing" if n else "none"}
        | {"strength": n, "fresh": False}
        for t in LEVELS
        for s in range(seeds)
        for n in (0, 5, 10, 15, 20, 25)
    ]
    return pd.DataFrame(rows)


def upside_down(agreement: pd.DataFrame) -> pd.DataFrame:
    """What was above is below; only the ceiling stays."""
    kept = agreement["base"] == "target"
    return agreement.assign(agreement=agreement["agreement"].where(kept, 1 - agreement["agreement"]))


def moved(agreement: pd.DataFrame, attacks: str, by: Callable[[pd.DataFrame], Any]) -> pd.DataFrame:
    """Moves the agreement of the attacks that a pattern fits."""
    fits = agreement["attack"].str.fullmatch(attacks)
    return agreement.assign(agreement=agreement["agreement"] + np.where(fits, by(agreement), 0))


@pytest.fixture(scope="module")
def agreement() -> pd.DataFrame:
    return world()


@pytest.fixture(scope="module")
def judged(agreement: pd.DataFrame) -> pd.DataFrame:
    return judge_paper(agreement, prices())


@pytest.fixture(scope="module")
def reversed_world(agreement: pd.DataFrame) -> pd.DataFrame:
    """The world upside down; what stays as it is in a mirror is turned around by hand."""
    table = upside_down(agreement)
    table = moved(table, "(ptd|pta)(_length.*)?", lambda rows: 0.04 * (rows["target"] == "ncf"))
    table = moved(table, ".*_hinge_bpr", lambda _: 0.1)
    asked = pd.to_numeric(table["attack"].str.extract("asked(.*)")[0]).fillna(100)
    return moved(table, "pta?q_asked.*", lambda _: 0.004 * (100 - asked))


@pytest.fixture(scope="module")
def reversed_verdicts(reversed_world: pd.DataFrame) -> pd.DataFrame:
    dearer = prices().assign(recall_served=1 - prices()["recall_served"])
    return judge_paper(reversed_world, dearer)


@pytest.fixture(scope="module")
def four_seeds() -> pd.DataFrame:
    return judge_paper(world(4), prices(4))


@pytest.mark.parametrize("claim", TESTED)
def test_a_claim_that_holds_is_borne_out_in_all_of_its_cells(judged: pd.DataFrame, claim: int) -> None:
    found = verdict_of(judged, claim)
    own = judged[judged["claim"] == claim]
    assert (found.n_cells, len(own)) == (found.n_expected, found.n_expected)
    assert found.verdict == "borne out", own[own["verdict"] != "borne out"].to_string()
    if claim != 13:
        assert found.summary == f"Borne out: borne out in {len(own)} of {len(own)} cells."


@pytest.mark.parametrize("claim", [claim for claim in TESTED if claim != 13])
def test_a_claim_whose_opposite_holds_is_contradicted(reversed_verdicts: pd.DataFrame, claim: int) -> None:
    own = reversed_verdicts[reversed_verdicts["claim"] == claim]
    assert verdict_of(reversed_verdicts, claim).verdict == "contradicted", own.to_string()


def test_claim_13_is_contradicted_where_every_other_architecture_is_worse(agreement: pd.DataFrame) -> None:
    worse = moved(agreement[agreement["k"] == 50], "(pt.*)_(bpr|ncf|lmf)", lambda _: -0.2)
    assert verdict_of(judge_paper(worse, prices().head(0), 13), 13).verdict == "contradicted"


@pytest.mark.parametrize("claim", TESTED)
def test_four_seeds_leave_a_claim_open(four_seeds: pd.DataFrame, claim: int) -> None:
    found = verdict_of(four_seeds, claim)
    assert (found.verdict, found.open) == ("open", found.n_expected)
    assert f"({found.n_expected} for want of seeds)" in found.summary
    assert not found.whole
    assert found.said == f"open so far, 0 of {found.n_expected} cells"


VARIANTS = {
    **{
        1: "popularity|knn_lists",
        7: ".*_length.*",
        10: ".*_users.*",
        11: "popularity",
        12: ".*_(bpr|ncf|lmf)",
        13: "",
        14: ".*_pre",
    },
    **{15: "pta_auxiliary10", 16: ".*_auxiliary.*", 17: "pta_items10", 18: "pta_joint", 23: "popularity"},
    **{24: ".*_hinge_bpr", 25: "qsd_asked.*", 26: "qsd_asked.*", 28: "qsd5|qsd1.*|qsd2.*", 29: "qsd30"},
}
BASES = {
    2: "ptd|ptaq",
    3: "ptaq",
    4: "qsd",
    5: "ptd",
    6: "ptaq",
    8: "pt(d|aq).*",
    9: "ptd",
    19: "ptq|ptaq",
    20: "ptd|pta",
}


@pytest.mark.parametrize("needed", [VARIANTS, {**BASES, 22: "ptd|pta|ptq|ptaq", 27: "ptaq"}], ids=["variants", "bases"])
def test_claims_whose_points_are_missing_are_not_measured(agreement: pd.DataFrame, needed: dict[int, str]) -> None:
    gone = agreement["attack"].str.fullmatch("|".join(filter(None, needed.values())))
    judged = judge_paper(agreement[~gone], prices())
    for claim in needed:
        found = verdict_of(judged, claim)
        assert (found.verdict, found.summary, found.n_cells) == ("not measured", "Not measured.", 0), claim
    assert not judged.empty


def test_without_the_price_of_a_defense_claim_21_is_not_measured(agreement: pd.DataFrame) -> None:
    bare = prices().drop(columns="recall_served")
    assert verdict_of(judge_paper(agreement, bare, 21), 21).verdict == "not measured"


def test_nothing_measured_is_no_verdict() -> None:
    nothing = judge_paper(world().head(0), prices().head(0))
    assert {verdict_of(nothing, claim).verdict for claim in TESTED} == {"not measured"}


OTHERS = [
    {"clone": "other"},
    {"defense": "shuffle_50", "rule": "shuffle", "strength": 50},
    {"attack": "longer", "list_length": 100},
    {"attack": "fewer", "attacker_fraction": 0.2},
    {"attack": "other", "otherwise": "denoise"},
    {"k": 35},
    {"group": "neither"},
    {"dataset": "own"},
    {"seed": 100},
]


def test_rows_of_another_question_change_no_verdict(agreement: pd.DataFrame, judged: pd.DataFrame) -> None:
    """Another clone, defense, cutoff, group of users, data set (of targets that the paper has data for) or seed."""
    own = agreement[(agreement["seed"] == 0) & agreement["clone"].notna() & agreement["target"].isin(list(LEVELS))]
    more = [own.assign(agreement=0.999, **other) for other in OTHERS]
    pd.testing.assert_frame_equal(judge_paper(pd.concat([agreement, *more], ignore_index=True), prices()), judged)


def test_kinds_say_what_was_tested(judged: pd.DataFrame) -> None:
    kinds = judged.groupby("claim")["kind"].unique().map(list).to_dict()
    assert {claim for claim, kind in kinds.items() if kind == ["equality"]} == {8, 24}
    assert {claim for claim, kind in kinds.items() if kind == ["trend"]} == {7, 10, 16, 21, 22, 25, 26, 28}
    assert all(len(kind) == 1 for kind in kinds.values())


def figure(judged: pd.DataFrame, claim: int, **keys: str) -> pd.Series:
    own = judged[judged["claim"] == claim]
    [found] = own[np.logical_and.reduce([own[name] == value for name, value in keys.items()])].to_dict("records")
    return found


def test_differences_are_those_of_the_made_up_world(judged: pd.DataFrame) -> None:
    near = {"abs": 0.005}
    trend = figure(judged, 7, target="bpr", attack="ptq")
    assert trend["figure"] == "trend over items in a list, 10 to 100"
    assert trend["difference"] == pytest.approx(0.001 * 90, **near)
    assert figure(judged, 10, target="bpr", attack="qsd")["figure"] == "trend over target users known, 5 to 30 %"
    assert figure(judged, 10, target="bpr", attack="ptd")["difference"] == pytest.approx(0.002 * 28, **near)
    equal = figure(judged, 8, attack="pta", figure="equal to ptaq, 20 items in a list")
    assert equal["difference"] == pytest.approx(-0.01, **near)
    more = figure(judged, 9, target="bpr", figure="gain on ptd above that on ml-1m")
    assert more["difference"] == pytest.approx(0.15, **near)
    least = figure(judged, 15, dataset="steam")
    assert (least["target"], least["difference"]) == ("lmf", pytest.approx(0.5 - 0.09 - 0.2, **near))
    slope = "queried users, slope below qsd's, users asked, of those that may be, 10 to 100 %"
    flatter = figure(judged, 25, target="ncf", attack="ptaq", figure=slope)
    assert flatter["difference"] == pytest.approx(0.0004 * 90, **near)
    assert figure(judged, 24, target="bpr", attack="qsd")["difference"] == pytest.approx(0.004, **near)
    calls = figure(judged, 28, dataset="ml-1m-2999", target="stamp")
    assert calls["difference"] == pytest.approx(0.002 * 25, **near)
    assert figure(judged, 29, dataset="ml-100k", target="stamp")["difference"] == pytest.approx(0.44, **near)


def test_a_seed_that_lacks_a_point_is_left_out_of_the_trend(agreement: pd.DataFrame) -> None:
    gone = (agreement["attack"] == "ptq_length20") & (agreement["seed"] == 3) & (agreement["target"] == "bpr")
    judged = judge_paper(agreement[~gone], prices(), 7)
    assert figure(judged, 7, target="bpr", attack="ptq")["n_seeds"] == 4
    assert verdict_of(judged, 7).verdict == "partly borne out"
    assert verdict_of(judged, 7).summary == (
        "Partly borne out so far, 14 of 15 cells: borne out in 14, open in 1 (1 for want of seeds)."
    )


def test_two_points_are_no_trend(agreement: pd.DataFrame) -> None:
    two = agreement[~agreement["attack"].str.contains("length") | agreement["attack"].str.endswith("length20")]
    assert verdict_of(judge_paper(two, prices(), 7), 7).verdict == "not measured"


def cells(*verdicts: str, claim: int = 2) -> ClaimVerdict:
    table = pd.DataFrame({"claim": claim, "verdict": verdicts, "note": ""})
    return verdict_of(table, claim)


def test_cells_that_disagree_are_mixed_and_counted() -> None:
    found = cells("borne out", "borne out", "contradicted", "open")
    assert (found.verdict, found.borne_out, found.contradicted, found.open) == ("mixed", 2, 1, 1)
    assert found.summary == "Mixed so far, 4 of 36 cells: borne out in 2, contradicted in 1, open in 1."
    assert cells("contradicted", "open").verdict == "contradicted"
    assert cells("borne out", "open").verdict == "partly borne out"
    assert cells("open").verdict == "open"


@pytest.mark.parametrize("verdict", ["borne out", "contradicted", "open"])
def test_a_claim_measured_in_part_was_called_simply_borne_out_or_contradicted(verdict: str) -> None:
    part, whole = cells(*[verdict] * 5, claim=7), cells(*[verdict] * 15, claim=7)
    assert (part.whole, part.said) == (False, f"{verdict} so far, 5 of 15 cells")
    assert (whole.whole, whole.said) == (True, verdict)


def test_one_cell_is_enough_for_a_claim_that_says_some() -> None:
    assert cells("contradicted", "borne out", claim=13).verdict == "borne out"
    assert cells("contradicted", "borne out", claim=13).said == "borne out, 2 of 24 cells"
    assert cells("contradicted", "open", claim=13).verdict == "open"
    # Another cell, which was not measured, may still bear it out.
    assert cells("contradicted", claim=13).verdict == "open"
    assert cells(*["contradicted"] * 24, claim=13).verdict == "contradicted"


def test_where_the_papers_figures_come_from_is_no_matter_of_a_test(judged: pd.DataFrame) -> None:
    found = verdict_of(judged, 30)
    assert found.verdict == "no test"
    cells = [row["ml-1m"] for number in (4, 5) for row in paper_table(number).values()]
    figures = {figure for cell in cells for figure in cell.values()}
    multiples = [figure for figure in figures if abs(round(figure * 1500) / 1500 - figure) < 1e-4]
    assert f"{len(multiples)} of the {len(figures)} different ML-1M figures" in found.summary
    counts = paper_table(6)["ml-1m"]
    assert f"{counts['items']:,} items and {counts['interactions']:,} interactions" in found.summary


def test_the_claims_are_numbered_through_and_each_says_how_it_is_checked() -> None:
    assert [claim.id for claim in CLAIMS] == list(range(1, 31))
    assert all(claim.says and claim.check and claim.section and claim.paper_tables for claim in CLAIMS)
    assert CLAIMS[0].says.startswith("Every method steals")


def test_a_number_without_a_claim_is_refused(judged: pd.DataFrame) -> None:
    with pytest.raises(SettingsError, match="claim 31: there is none; the claims are 1 to 30"):
        verdict_of(judged, 31)


KNOWN = {"random": 0.01, "popularity": 0.03, "knn_lists": 0.05} | {
    "qsd": 0.1,
    "ptd": 0.4,
    "ptq": 0.5,
    "pta": 0.6,
    "ptaq": 0.7,
}


def known(seeds: int = 5, **of_lmf: float) -> pd.DataFrame:
    """Two targets; lmf's levels may be others. Each seed moves every second attack a little."""
    rows = [
        row("ml", target, attack, attack, value, seed=seed, group=group)
        for target, levels in (("bpr", KNOWN), ("lmf", KNOWN | of_lmf))
        for seed in range(seeds)
        for group, shift in (("heldout", 0.0), ("queried", 0.2))
        for place, (attack, level) in enumerate(levels.items())
        for value in [level + shift + JITTER[seed] * (place % 2)]
    ]
    return results_frame(rows)


def known_levels(agreement: pd.DataFrame) -> pd.DataFrame:
    """Claims 1 to 6 on agreement whose differences are known."""
    return judge(Measured(agreement, pd.DataFrame()), CLAIMS[:6])


def verdicts(judged: pd.DataFrame, claim: int) -> dict[tuple[str, str, str], str]:
    own = judged[judged["claim"] == claim]
    return {(row.target, row.attack, row.figure): row.verdict for row in own.itertuples()}


def test_an_order_that_holds_everywhere_bears_claims_1_to_4_out():
    judged = known_levels(known())
    for claim, cells in ((1, 20), (2, 8), (3, 10), (4, 16)):
        assert list(verdicts(judged, claim).values()) == ["borne out"] * cells


def test_agreement_above_random_lists_and_below_a_look_up_was_counted_as_theft():
    judged = known_levels(known(popularity=0.2, knn_lists=0.45))
    found = verdicts(judged, 1)
    assert found["lmf", "qsd", "above popularity"] == "contradicted"
    assert found["lmf", "ptd", "above popularity"] == "borne out"
    assert found["lmf", "ptd", "above the best look-up, knn_lists"] == "contradicted"
    assert found["lmf", "ptq", "above the best look-up, knn_lists"] == "borne out"
    [beside] = judged.loc[
        (judged["claim"] == 1) & (judged["target"] == "lmf") & (judged["attack"] == "qsd"), "beside"
    ].unique()
    assert beside == "above random: +.090"


def test_the_best_look_up_is_that_of_each_cell():
    found = verdicts(known_levels(known(popularity=0.2)), 1)
    assert ("bpr", "pta", "above the best look-up, knn_lists") in found
    assert ("lmf", "pta", "above the best look-up, popularity") in found


def test_differences_are_those_of_the_means_of_held_out_users():
    judged = known_levels(known())
    row = judged[(judged["claim"] == 2) & (judged["attack"] == "ptq") & (judged["target"] == "bpr")].iloc[0]
    assert row["figure"] == "above ptd"
    assert row["difference"] == pytest.approx(0.1)
    assert row["n_seeds"] == 5


def test_an_attack_that_falls_behind_contradicts():
    judged = known_levels(known(ptaq=0.55, qsd=0.45))
    assert verdicts(judged, 3)["lmf", "ptaq", "above pta"] == "contradicted"
    assert verdicts(judged, 3)["bpr", "ptaq", "above pta"] == "borne out"
    assert verdicts(judged, 4)["lmf", "ptd", "held-out users, above qsd"] == "contradicted"


def test_qsd_is_judged_on_the_users_whose_lists_it_learnt_too():
    some = known()
    some.loc[(some["attack"] == "qsd") & (some["group"] == "queried"), "agreement"] += 0.35
    judged = verdicts(known_levels(some), 4)
    assert judged["bpr", "ptd", "held-out users, above qsd"] == "borne out"
    assert judged["bpr", "ptd", "queried users, above qsd"] == "contradicted"


def test_lmf_is_set_beside_the_other_targets():
    judged = known_levels(known(ptd=0.2, ptaq=0.6))
    assert verdicts(judged, 5) == {("lmf", "ptd", "below bpr"): "borne out"}
    assert verdicts(judged, 6) == {("lmf", "ptaq", "gain on ptd above that on bpr"): "borne out"}
    assert judged.loc[judged["claim"] == 5, "difference"].item() == pytest.approx(0.2)
    assert judged.loc[judged["claim"] == 6, "difference"].item() == pytest.approx(0.4 - 0.3)


def test_levels_that_are_alike_leave_claims_5_and_6_open():
    judged = known_levels(known())
    assert set(verdicts(judged, 5).values()) | set(verdicts(judged, 6).values()) == {"open"}


def test_fewer_than_five_seeds_are_no_verdict():
    assert set(known_levels(known(seeds=4))["verdict"]) == {"open"}
