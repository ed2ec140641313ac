"""What an audit plans: every part of it, and only what the target's data allow."""

from __future__ import annotations

import pytest

from rec_msa.experiments.audit import planned, refused
from rec_msa.experiments.grid import Experiments
from rec_msa.experiments.parameters import read_parameters
from rec_msa.foundation.errors import SettingsError

ATTACKS = {name: {"base": name} for name in ("qsd", "ptd", "ptq", "pta", "ptaq", "ptaq_joint")}
ATTACKS["stacked_solved"] = {"base": "stacked", "variants": [], "taught": []}

ALONE = {"others": [], "clones": [], "query_fractions": [], "list_lengths": [], "defenses": []}


def plan_of(**given: object) -> tuple[Experiments, list]:
    raw = {"dataset": "ml-100k", "model": "bpr", "seed": 0, "datasets": {"ml-100k": {}}, "attacks": ATTACKS} | given
    experiments = Experiments(read_parameters(raw))
    return experiments, planned(experiments, experiments.cells[0])


def names(plan: list, part: str) -> set[str]:
    return {one.attack.name for one in plan if one.part == part}


def test_each_attack_is_tried_at_each_share_with_each_seed():
    _, plan = plan_of()
    shares = [one for one in plan if one.part == "shares of users known"]
    assert len(shares) == 5 * 5 * 3
    assert {one.attack.attacker.attacker_fraction for one in shares} == {0.01, 0.02, 0.05, 0.1, 0.2}
    assert {one.attack.cell.seed for one in shares} == {0, 1, 2}


def test_the_most_telling_part_comes_first_for_all_seeds():
    _, plan = plan_of()
    parts = list(dict.fromkeys(one.part for one in plan))
    assert parts[:2] == ["shares of users known", "defenses"]
    assert [one.part for one in plan] == sorted((one.part for one in plan), key=parts.index)


def test_everything_else_is_varied_at_one_share():
    _, plan = plan_of()
    assert names(plan, "other attacks") == {"qsd_known10", "ptaq_joint_known10"}
    assert names(plan, "fewer questions") == {"stacked_solved_known10_asked25", "stacked_solved_known10_asked50"}
    assert names(plan, "shorter lists") == {"stacked_solved_known10_length20"}
    assert names(plan, "guessed architectures") == {
        *("ptd_known10_lmf", "ptq_known10_lmf", "ptd_known10_ials", "ptd_known10_ease")
    }
    defended = {one.attack.cell.defense for one in plan if one.part == "defenses"}
    assert defended == {"popular_mixing_15", "random_replacement_15", "shuffle_50", "swap_tail_15"}


def test_without_other_users_only_attacks_that_need_none_are_planned():
    _, plan = plan_of(model="mine", targets={"mine": {"lists": "lists.csv"}})
    assert {one.attack.settings.base for one in plan} == {"ptd", "ptq", "qsd"}


def test_held_out_users_are_a_part_of_those_known_and_lie_apart():
    _, plan = plan_of()
    one = plan[0].attack
    assert one.attacker.held_out_of_known
    assert one.attacker.users_space == "ml-100k.seed0.known5"
    assert one.attacker.named("popularity") == "popularity-known5"


def test_a_defense_that_alters_more_than_a_list_has_is_left_out_and_said():
    experiments, plan = plan_of(list_length=20)
    assert not any(one.attack.cell.defense == "shuffle_50" for one in plan)
    [said] = [said for said in refused(experiments, experiments.cells[0]) if "shuffle_50" in said]
    assert said.startswith("audit.defenses: 'shuffle_50' alters 50 places, but a list has 20")


def test_a_defense_that_needs_longer_lists_than_were_recorded_was_left_out_without_a_word():
    experiments, plan = plan_of(model="mine", targets={"mine": {"lists": "lists.csv", "auxiliary": "none"}})
    assert not any(one.attack.cell.defense == "swap_tail_15" for one in plan)
    assert "audit.defenses: 'swap_tail_15' draws items from behind the list, and mine has none" in refused(
        experiments, experiments.cells[0]
    )


def test_a_target_that_an_audit_does_not_ask_is_said(caplog):
    targets = {"served": {"lists": "lists.csv"}, "als": {"fit": "rec_msa.victims.implicit_als:fit"}}
    experiments, _ = plan_of(targets=targets)
    experiments.require_possible(["audit"])
    assert "the audit is of bpr, and not of targets.served; --params=model=served chooses it" in caplog.text


@pytest.mark.parametrize(("key", "said"), [("attacks", "ptqa"), ("others", "ptqa"), ("clones", "bprr")])
def test_a_name_that_is_not_there_is_refused_by_its_key(key, said):
    experiments = Experiments(
        read_parameters(
            {
                "dataset": "ml-100k",
                "model": "bpr",
                "seed": 0,
                "datasets": {"ml-100k": {}},
                "attacks": ATTACKS,
                "audit": {key: [said]},
            }
        )
    )
    with pytest.raises(Exception, match=rf"audit\.{key}: there is no '{said}'"):
        experiments.require_possible(["audit"])


def test_where_users_of_the_target_stand_in_defenses_are_tried_by_an_attack_without_them():
    _, plan = plan_of(model="mine", targets={"mine": {"lists": "lists.csv", "auxiliary": "others"}})
    assert {one.attack.settings.base for one in plan if one.part == "defenses"} == {"ptq"}
    _, plan = plan_of(model="mine", targets={"mine": {"lists": "lists.csv", "auxiliary": "others.csv"}})
    assert {one.attack.settings.base for one in plan if one.part == "defenses"} == {"stacked"}


def test_an_audit_of_attacks_that_its_target_refuses_names_the_reason():
    experiments, _ = plan_of(
        attacks={"qsd5": {"base": "qsd", "calls_per_user": 5}}, audit={"attacks": ["qsd5"], **ALONE}
    )
    with pytest.raises(SettingsError, match=r"none of them works on bpr.*made-up sequences"):
        experiments.require_possible(["audit"])
