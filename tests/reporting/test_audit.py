"""The page of an audit, its Markdown and its JSON, on made-up results."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pandas as pd
import pytest
from pydantic import ValidationError

from rec_msa.foundation.errors import DataError, SettingsError
from rec_msa.reporting.audit import AuditReport, audit
from rec_msa.reporting.audit_findings import concerns, defenses_bought, findings, lengths, needs, over_calls
from rec_msa.reporting.audit_json import Audit
from rec_msa.reporting.audit_results import LOOKUPS, Audited, AuditResults, profile_of
from tests.reporting.made_up import plain
from tests.reporting.made_up_audit import TARGET, audit_results, without


@pytest.fixture(scope="module")
def results() -> AuditResults:
    """An audit with everything: defenses, profiles, minutes, and a part that the budget left out."""
    seconds = {"ptaq_users5": 90.0, "ptd_users5": 30.0}
    left_out = ["qsd at 20 % of the users known: the budget of 5 minutes was used up"]
    return audit_results(defenses={"popular_mixing_2": 0.3, "shuffle_20": 0.0}, seconds=seconds, left_out=left_out)


@pytest.fixture(scope="module")
def report(results: AuditResults) -> AuditReport:
    return audit(results)


def part(markdown: str, anchor: str) -> str:
    """Returns what stands in a section of the Markdown, with single spaces."""
    return plain(markdown.split(f'<a id="{anchor}"></a>')[1].split('<a id="', maxsplit=1)[0])


# the first sentence


def test_the_first_sentence_says_what_is_known_and_copied_and_what_popularity_gives() -> None:
    plain_results = without(audit_results(auxiliary="none"), "pta", "ptaq", "ptq", "qsd")
    assert audit(plain_results).headline == (
        "Somebody who knows 5 % of your users copies 40 of 100 recommended items; popularity alone gives 29."
    )


def test_it_says_what_else_the_best_attack_has(report: AuditReport) -> None:
    assert report.headline == (
        "Somebody who knows 5 % of your users, has data of other users and asks 12 times copies 60 of 100 "
        "recommended items; popularity alone gives 29."
    )
    assert report.page.lead.startswith(f"**{report.headline}**")


def test_a_plain_model_that_copies_more_than_every_attack_is_what_leaks() -> None:
    report = audit(audit_results(levels={"ease_joint": 0.71}))
    assert report.headline == (
        "Somebody who knows 5 % of your users and has data of other users copies 71 of 100 recommended items; "
        "popularity alone gives 29."
    )
    assert report.worst == pytest.approx(0.71)
    assert report.json["best"]["kind"] == "reference"
    assert "the best copy at 5 % known (EASE of both data) repeats 42" in part(report.markdown, "stands-out")
    assert "71 of 100, by EASE of both data" in part(report.markdown, "stands-out")
    assert report.json["needs"][0]["without_questions"]["base"] == "ease_joint"


def test_a_look_up_that_copies_more_than_every_attack_is_what_leaks() -> None:
    best = audit(audit_results(levels={"knn_lists": 0.8}, auxiliary="none")).json["best"]
    assert (best["base"], best["calls"]) == ("knn_lists", 12)


def test_without_auxiliary_data_nothing_stands_there_that_is_made_of_them() -> None:
    report = audit(audit_results(auxiliary="none", levels={"ease": 0.4, "ease_joint": 0.9}))
    assert {"ease_joint", "auxiliary_popularity"}.isdisjoint(one["base"] for one in report.json["figures"])
    assert report.json["best"]["base"] != "ease_joint"


def test_a_plain_model_of_the_targets_other_users_overstates() -> None:
    report = audit(audit_results(auxiliary="others", levels={"ease_joint": 0.71}))
    assert report.headline.startswith("Somebody who knows 5 % of your users and asks 12 times copies 48 of 100")
    assert "it is 71 of 100, which overstates what an outsider gets" in report.page.lead


def test_where_five_percent_were_not_measured_the_nearest_share_is_taken() -> None:
    assert "knows 10 % of your users" in audit(audit_results(shares=(0.1, 0.2))).headline


def test_where_intervals_overlap_no_copy_is_claimed() -> None:
    weak = audit_results(scatter=0.2, levels=dict.fromkeys(("ptd", "ptq", "pta", "ptaq"), 0.31))
    assert "the intervals overlap, so no copy beyond what is popular is shown" in audit(weak).headline
    assert "No order is claimed" in part(audit(weak).markdown, "stands-out")


def test_where_all_is_below_popularity_nothing_is_copied_beyond_it() -> None:
    weak = without(audit_results(levels=dict.fromkeys(("ptd", "ptq", "pta", "ptaq"), 0.2)), *LOOKUPS)
    assert "less than popularity alone, which gives 29" in audit(weak).headline


def test_other_users_in_the_place_of_auxiliary_data_stay_out_of_the_first_sentence_and_are_said_to_overstate() -> None:
    report = audit(audit_results(auxiliary="others"))
    assert report.headline.startswith("Somebody who knows 5 % of your users and asks 12 times copies 48 of 100")
    assert "it is 60 of 100, which overstates what an outsider gets" in report.page.lead
    assert "stand in, which overstates" in part(report.markdown, "sure")
    assert report.json["overstates"] is True
    assert report.json["worst_attack"]["overstated"] is True
    assert report.json["best"]["overstated"] is False


# figures


def test_the_worst_figure_is_the_highest_mean_of_attacks_without_a_defense(report: AuditReport) -> None:
    assert report.worst == pytest.approx(0.70)
    assert report.json["worst_attack"]["attack"] == "ptaq_users20"
    assert report.json["worst"] == report.worst


def test_below_five_seeds_intervals_are_over_users_and_from_five_on_over_seeds() -> None:
    few, enough = (Audited(audit_results(seeds=range(n), scatter=0.1)) for n in (3, 5))
    assert few.best.result.by_users
    assert few.best.result.high - few.best.result.low > 0.03, "users scatter"
    assert not enough.best.result.by_users
    assert enough.best.result.high - enough.best.result.low == pytest.approx(0, abs=1e-9), (
        "the means of all seeds are alike"
    )


def test_without_the_users_of_a_figure_its_interval_is_that_of_its_rows(results: AuditResults) -> None:
    bare = AuditResults(**{**vars(results), "per_user": results.per_user.head(0)})
    assert not Audited(bare).best.result.by_users
    assert "not known" in part(audit(bare).markdown, "whom")


def test_variants_are_told_apart_and_stand_on_their_own(results: AuditResults) -> None:
    rows = results.agreement
    other = rows[rows["base"] == "ptd"].assign(clone="lmf", attack=lambda own: own["attack"] + "_lmf")
    audited = Audited(AuditResults(**{**vars(results), "agreement": pd.concat([rows, other])}))
    assert {one.method for one in audited.attacks if one.base == "ptd"} == {"ptd, clone bpr", "ptd, clone lmf"}


def test_a_named_attack_is_called_by_its_name_wherever_it_stands(results: AuditResults) -> None:
    rows = results.agreement
    other = rows[rows["base"] == "ptaq"].assign(base="stacked", otherwise="variants=(), taught=()", agreement=0.9)
    other = other.assign(attack=lambda own: own["attack"].str.replace("ptaq", "stacked_solved"))
    keys = {name: "stacked_solved" for name in other["attack"]}
    report = audit(AuditResults(**{**vars(results), "agreement": pd.concat([rows, other]), "keys": keys}))
    assert report.json["best"]["method"] == "stacked_solved"
    assert "variants=" not in report.markdown + report.html
    assert "by `stacked_solved` at" in part(report.markdown, "stands-out")


def test_calls_stand_beside_the_attack_without_questions_where_several_budgets_were_measured(
    results: AuditResults,
) -> None:
    rows = results.agreement
    some = rows[(rows["base"] == "ptq") & (rows["attacker_fraction"] == 0.1)]
    fewer = some.assign(query_fraction=0.5, attack="ptq_asked50", n_queries=16, agreement=some["agreement"] - 0.02)
    both = over_calls(Audited(AuditResults(**{**vars(results), "agreement": pd.concat([rows, fewer])})))
    assert both is not None
    assert both.share == 0.1
    assert [(one.base, one.calls) for one in both.curves[False]] == [("ptd", 0), ("ptq", 16), ("ptq", 32)]


def test_elsewhere_calls_grow_with_the_users_known(results: AuditResults) -> None:
    along = over_calls(Audited(results))
    assert along is not None
    assert along.share is None
    assert [one.calls for one in along.curves[True]] == [12, 32, 72]


# what it comes to


def test_what_stands_out(results: AuditResults) -> None:
    said = findings(Audited(results))
    assert "the best copy at 5 % known (`ptaq`) repeats 31 of 100 items more than popularity" in said[0]
    assert "(lists of the most similar users asked), give 35 of 100, and the best attack with questions 60" in said[1]
    assert "from 5 % to 20 % known, `ptaq` goes from 60 to 70 of 100." in said[4]
    assert "70 of 100, by `ptaq` at 20 % known. This is what `audit.fail_above`" in said[-1]
    assert "repeats 75 of 100. The best copy at 5 % known reaches 80 % of that." in said[5]


def test_a_defense_buys_only_down_to_who_asks_nothing(results: AuditResults) -> None:
    mixing, shuffle = defenses_bought(Audited(results))
    assert (mixing.defense, mixing.kept and mixing.kept.value) == ("popular_mixing_2", pytest.approx(0.9))
    assert (mixing.before.base, mixing.after.base) == ("ptaq", "knn_lists")
    assert mixing.before.value - mixing.after.value == pytest.approx(0.25)
    assert mixing.left.base == "pta", "who finds that the answers mislead asks nothing"
    assert mixing.hides
    assert mixing.said == "hides 8 of 100"
    assert not shuffle.hides
    assert shuffle.said == "nothing shown"


def test_no_defense_of_answers_hides_what_a_plain_model_copies_without_them() -> None:
    levels, defenses = {"ease_joint": 0.7}, {"popular_mixing_2": 0.3, "shuffle_20": 0.0}
    mixing, shuffle = defenses_bought(Audited(audit_results(levels=levels, defenses=defenses)))
    assert mixing.without.base == mixing.left.base == shuffle.left.base == "ease_joint"
    assert mixing.said == shuffle.said == "nothing shown"


def test_a_look_up_meets_a_defense_like_an_attack_and_may_not_mind_it() -> None:
    levels, defenses = {"knn_lists": 0.8}, {"random_replacement_2": 0.4}
    [replacing] = defenses_bought(Audited(audit_results(levels=levels, defenses=defenses, auxiliary="none")))
    assert replacing.after.base == "knn_lists"
    assert replacing.said == "nothing shown"


def test_who_asks_nothing_is_the_same_whoever_may_be_asked_about(results: AuditResults) -> None:
    rows = results.agreement
    fewer = rows[rows["base"] == "popularity"].assign(query_fraction=0.5)
    fewer = fewer.assign(attack=fewer["attack"] + "-asked50")
    before, after = results, AuditResults(**{**vars(results), "agreement": pd.concat([rows, fewer])})
    methods = [[one.method for one in Audited(one).points if one.base == "popularity"] for one in (before, after)]
    assert methods[0] == methods[1]
    assert set(methods[1]) == {"popularity alone"}


def test_the_page_says_what_a_defense_costs(report: AuditReport) -> None:
    said = part(report.markdown, "defenses")
    assert "Shown to hide something: 1 of 2 defenses." in said
    assert "keep 90 of 100 items of their own lists; 55 of 100 are copied instead of 63, by who asks nothing" in said


def test_without_a_defense_none_is_bought(results: AuditResults) -> None:
    assert "No defense was measured." in audit(audit_results()).markdown


def test_whom_it_concerns_most_is_told_by_quarters_of_users() -> None:
    found = concerns(Audited(audit_results(heavy=0.4, scatter=0.001)))
    by = [one for one in found if one.by == "n_interactions"]
    assert [(one.low, one.high, one.attack.n_users) for one in by] == [
        (10, 20, (6,)),
        (30, 40, (6,)),
        (50, 60, (6,)),
        (70, 80, (6,)),
    ]
    assert by[0].attack.value == pytest.approx(0.60 - 0.2 * 6 / 7, abs=0.002)
    assert by[3].attack.value == pytest.approx(0.60 + 0.2 * 6 / 7, abs=0.002)
    said = part(audit(audit_results(heavy=0.4, scatter=0.001)).markdown, "whom")
    assert "43 of 100 of users with few interactions, 77 of users with many; the intervals do not overlap." in said


def test_few_users_are_told_apart_by_halves() -> None:
    assert {one.parts for one in concerns(Audited(audit_results(seeds=(0,))))} == {2}


def test_what_an_outsider_needs(results: AuditResults) -> None:
    least = needs(Audited(results))[0]
    assert (least.share, least.accounts) == (0.05, 20)
    assert least.with_questions is not None
    assert (least.with_questions.method, least.with_questions.calls, least.with_questions.minutes) == ("ptaq", 12, 1.5)
    assert least.without_questions is not None
    assert (least.without_questions.method, least.without_questions.minutes) == ("pta", None)


def test_the_first_sentence_is_of_an_attack_with_most_seeds(results: AuditResults) -> None:
    rows = results.agreement
    ended = rows[~((rows["base"] == "ptaq") & (rows["seed"] > 0) & (rows["attacker_fraction"] == 0.05))]
    report = audit(AuditResults(**{**vars(results), "agreement": ended}))
    assert report.json["best"]["base"] == "pta"
    assert "Some figures have fewer seeds" in part(report.markdown, "sure")


def test_few_users_make_it_a_hint() -> None:
    report = audit(audit_results(seeds=(0,)))
    assert report.page.lead.endswith("Measured on 8 users: take it as a hint.")
    assert "intervals are too narrow" in part(report.markdown, "sure")


def test_other_held_out_users_at_other_shares_are_counted(results: AuditResults) -> None:
    rows = results.agreement
    fewer = rows.assign(n_users=rows["n_users"].where(rows["attacker_fraction"] > 0.05, 4))
    report = audit(AuditResults(**{**vars(results), "agreement": fewer}))
    assert "4 at 5 % known; 8 at 10 % known; 8 at 20 % known" in part(report.markdown, "sure")
    assert "4 held-out users at 5 %, seeds 0–2" in report.page.facts


def test_a_share_below_the_held_out_users_is_not_what_it_says() -> None:
    report = audit(audit_results(shares=(0.01, 0.05)))
    assert "At 1 % known the attacker knows more than that: the 8 held-out users, 2 % of all" in plain(report.markdown)
    assert report.json["needs"][0]["accounts"] == 8


def test_other_lengths_of_list_stand_beside_popularity_of_their_length(results: AuditResults) -> None:
    rows = results.agreement
    some = rows[(rows["attacker_fraction"] == 0.1) & rows["base"].isin(["ptd", "popularity"])]
    short = some.assign(list_length=5, k=5, attack=some["attack"] + "_length5", agreement=some["agreement"] - 0.1)
    both = lengths(Audited(AuditResults(**{**vars(results), "agreement": pd.concat([rows, short])})))
    assert [(one.best.list_length, one.best.base) for one in both] == [(5, "ptd"), (20, "ptd")]
    assert both[0].popularity is not None
    assert both[0].popularity.value == pytest.approx(0.19)
    assert lengths(Audited(results)) == []


def test_the_ceiling_is_named_where_it_was_measured_and_where_it_was_not(results: AuditResults) -> None:
    assert "The ceiling is measured" in part(audit(results).markdown, "proportion")
    bare = audit(without(results, "retrain"))
    assert "not measured**" in part(bare.markdown, "proportion")
    assert bare.json["ceiling"] is None
    assert "The ceiling" not in part(bare.markdown, "stands-out")


def test_what_the_budget_left_out_comes_first_of_what_was_not_tried(report: AuditReport) -> None:
    assert report.json["not_tried"][0] == "qsd at 20 % of the users known: the budget of 5 minutes was used up"
    assert "the budget of 5 minutes" in part(report.markdown, "not-tried")


# the three forms


def test_the_markdown_names_the_catalogues(report: AuditReport) -> None:
    said = part(report.markdown, "catalogues")
    assert "[AML.T0024.002, Extract AI Model](https://atlas.mitre.org/techniques/AML.T0024.002)" in said
    assert "ML05:2023, Model Theft" in said


def test_every_link_within_the_page_leads_somewhere(report: AuditReport) -> None:
    html = report.html
    assert set(re.findall(r'href="#([\w-]+)"', html)) <= set(re.findall(r'id="([\w-]+)"', html))
    assert 'href="https://atlas.mitre.org' in html
    assert not re.search(r'(src|url)\s*[=(]\s*"?https?:', html)


def test_pictures_and_tables_lie_where_the_markdown_looks(report: AuditReport) -> None:
    pictures = re.findall(r"\]\(audit/([\w-]+\.png)\)", report.markdown)
    assert set(pictures) == {name for name in report.files if name.endswith(".png")}
    assert {"curves.png", "bought.png", "figures.csv", "needs.csv", "whom.csv"} <= set(report.files)


def test_the_json_reads_back_as_its_schema(report: AuditReport) -> None:
    text = json.dumps(report.json, allow_nan=False)
    assert Audit.model_validate_json(text).model_dump(mode="json") == report.json
    with pytest.raises(ValidationError, match="nobody"):
        Audit.model_validate(report.json | {"nobody": 1})


def test_of_one_seed_nothing_is_nan() -> None:
    json.dumps(audit(audit_results(seeds=(4,))).json, allow_nan=False)


# what is asked for


def test_a_profile_counts_interactions_and_ranks_items_by_all_users() -> None:
    interactions = pd.DataFrame({"user": [0, 0, 1, 2, 2], "item": [7, 8, 7, 7, 9]})
    profile = profile_of(interactions, [0, 1], "mine", 3)
    assert profile.to_dict("list") == {
        "dataset": ["mine", "mine"],
        "seed": [3, 3],
        "user": [0, 1],
        "n_interactions": [2, 1],
        "popularity_rank": [1.5, 1.0],
    }


def test_what_cannot_be_audited_is_named(results: AuditResults) -> None:
    rows = results.agreement
    with pytest.raises(DataError, match=r"made for one target, got 2 \(mine shop, mine other\)"):
        AuditResults(pd.concat([rows, rows.assign(target="other")]), target=TARGET)
    with pytest.raises(SettingsError, match="there is no 'other'; did you mean 'others'"):
        AuditResults(rows, target=TARGET, auxiliary="other")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="the target's 'kind' is missing"):
        AuditResults(rows, target={"name": "shop"})
    with pytest.raises(DataError, match="no held-out row of an attack without a defense"):
        audit(without(results, "ptd", "ptq", "pta", "ptaq", "qsd"))


def test_of_lists_that_are_shorter_it_says_how_much_could_be_copied_at_all(results: AuditResults) -> None:
    said = plain(audit(replace(results, target={**TARGET, "filled": 0.72})).page.lead)
    assert (
        "no copy could have more than about 72 of 100. Of the items that are there the best copy has about 83" in said
    )
    assert "could have" not in audit(replace(results, target={**TARGET, "filled": 0.995})).page.lead
