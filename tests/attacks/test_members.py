"""Members of stacked attacks: which clones there are, and what cannot be one."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from rec_msa.attacks.base import Target
from rec_msa.attacks.registry import attack_of

BPR, SASREC = Target("bpr", sequential=False), Target("sasrec", sequential=True)


def made(base: str, **settings: object) -> list[tuple[str, str]]:
    """The architecture and the place of each clone; no architecture is the clone's."""
    stages = attack_of(base=base, **settings).stages(BPR)
    return [(stage.architecture, stage.shared) for stage in stages if stage.name == "train_clone"]


def test_a_stacked_attack_has_a_fused_clone_three_joint_ones_and_closed_forms() -> None:
    assert made("stacked") == [
        *(("", place) for place in ("fused", "joint", "joint-start1", "joint-start2")),
        *(("ease", "joint-member"), ("ials", "joint-member")),
    ]


def test_who_does_not_know_the_architecture_has_clones_of_several() -> None:
    found = made("stacked", architectures=["bpr", "lmf"], variants=["joint"], taught=["joint"], starts=1, solved=[])
    assert found == [("bpr", "joint"), ("lmf", "joint")]


def test_without_auxiliary_data_nothing_reads_any() -> None:
    stages = attack_of(base="stacked", variants=["own"], taught=["own"]).stages(BPR)
    read = {name for stage in stages for name in stage.reads}
    assert not {name for name in read if "auxiliary" in name}
    assert [stage.shared for stage in stages if stage.architecture == "ease"] == ["own-member"]


def test_names_under_which_stages_read_clones_are_each_given_once() -> None:
    for settings in ({}, {"architectures": ["bpr", "ncf"]}, {"query_fraction": 0.5, "order": "coverage"}):
        stages = attack_of(base="stacked", **settings).stages(BPR)
        names = [name for stage in stages for name in stage.offers]
        assert len(names) == len(set(names))
        offered = set(names) | {"served_lists", "attackers", "attacker_train", "auxiliary_train", "auxiliary_model"}
        told = {"statistics", "device", "seed", "architecture", "recommender"}
        told |= {"clone_settings", "steal_settings", "learner_settings"}
        assert {name for stage in stages for name in stage.reads} <= offered | told


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"architectures": ["bpq"]}, "architectures: there is no 'bpq'; did you mean 'bpr'"),
        ({"solved": ["eese"]}, "solved: there is no 'eese'; did you mean 'ease'"),
        ({"solved": ["bpr"]}, "solved: there is no 'bpr'"),
        ({"variants": [], "taught": [], "solved": []}, "there is no member"),
        ({"taught": ["own"]}, "taught: 'own' is none of the variants"),
        ({"order": "coverage"}, "order: coverage has no effect where all are asked"),
        ({"variants": ["fused"], "taught": [], "starts": 5}, "starts has no effect without a variant"),
        ({"variants": [], "taught": [], "architectures": ["bpr"]}, "architectures has no effect without variants"),
        ({"taught": [], "outside": "catalogue"}, r"outside has no effect with taught: \[\]"),
        ({"taught": [], "positive_loss": "bpr"}, r"positive_loss has no effect with taught: \[\]"),
        ({"calls_per_user": 3}, "calls_per_user: 3 has no effect without denoise"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        attack_of(base="stacked", **settings)


def test_a_distilled_attack_has_members_that_know_auxiliary_users() -> None:
    with pytest.raises(ValidationError, match="the joint clones alone"):
        attack_of(base="distilled", variants=["fused"], taught=[])
    assert attack_of(base="distilled").stages(BPR)[-1].writes[0] == "stolen_model"


def test_a_member_that_reads_sequences_needs_a_target_that_has_them() -> None:
    attack = attack_of(base="stacked", architectures=["gru4rec"])
    assert "'gru4rec' reads sequences" in str(attack.refusal(BPR, "bpr"))
    assert attack.refusal(SASREC, "sasrec") is None


def test_an_architecture_without_gradients_cannot_be_taught() -> None:
    assert "cannot be taught" in str(attack_of(base="stacked", variants=["joint"], taught=["joint"]).unfit(BPR, "ease"))
