"""What a key under ``attacks:`` may say."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from rec_msa.attacks.base import Target
from rec_msa.attacks.registry import ATTACKS, STARTS, attack_of, require_attack
from rec_msa.attacks.settings import CloneSettings, StealSettings
from rec_msa.foundation.errors import SettingsError

FRACTIONS = ("attacker_fraction", "query_fraction", "auxiliary_fraction", "item_fraction")


USERS, SEQUENCES = Target("bpr", sequential=False), Target("sasrec", sequential=True)
AUXILIARY = {"fused": ("auxiliary_model",), "pretrained": ("auxiliary_model",), "mean": ("auxiliary_model",)}


AUX_TRAIN = ("auxiliary_train",)
OF_THE_RUN = {"steal_settings", "clone_settings", "device", "seed", "statistics"}


@pytest.mark.parametrize(
    ("base", "variant", "queries"),
    [
        ("ptd", "own", False),
        ("ptq", "own", True),
        ("pta", "fused", False),
        ("ptaq", "fused", True),
        ("pta_pre", "pretrained", False),
        ("ptaq_pre", "pretrained", True),
        ("pta_joint", "joint", False),
        ("ptaq_joint", "joint", True),
        ("pta_mean", "mean", False),
    ],
)
def test_each_attack_knows_what_the_paper_gives_it(base: str, variant: str, queries: bool) -> None:
    attack = attack_of(base=base)
    extra = (AUXILIARY | {"joint": ("auxiliary_train",)}).get(variant, ())
    assert set(attack.knowledge(USERS)) == {"attacker_train", *extra, *(["served_lists"] if queries else [])}
    assert [stage.name for stage in attack.stages(USERS)] == ["train_clone", *(["steal"] if queries else [])]
    assert attack.stages(USERS)[0].shared == variant
    assert (attack.asking(USERS) is not None) is queries


@pytest.mark.parametrize("target", [USERS, SEQUENCES])
def test_qsd_knows_answers_alone(target: Target) -> None:
    qsd = attack_of(base="qsd")
    assert qsd.knowledge(target) == ("served_lists",)
    asking = qsd.asking(target)
    assert asking is not None
    assert asking.about_sequences is target.sequential


def test_attacks_with_queries_begin_as_the_same_without() -> None:
    papers = {"ptq": "ptd", "ptaq": "pta", "ptaq_pre": "pta_pre", "ptaq_joint": "pta_joint"}
    others = {f"{name}_{how}": papers[name] for name in ("ptq", "ptaq", "ptaq_joint") for how in ("listwise", "ridge")}
    assert papers | others == STARTS


@pytest.mark.parametrize(("name", "extra"), [("ptq", ()), ("ptaq", ("auxiliary_model",)), ("ptaq_joint", AUX_TRAIN)])
@pytest.mark.parametrize("how", ["listwise", "ridge"])
def test_other_steal_stages_know_what_the_attack_behind_them_knows(name: str, extra: tuple[str, ...], how: str) -> None:
    attack, plain = attack_of(base=f"{name}_{how}"), attack_of(base=name)
    assert attack.knowledge(USERS) == plain.knowledge(USERS)
    assert attack.stages(USERS)[0] == plain.stages(USERS)[0], "the clone stage is shared"
    also = extra if (name, how) == ("ptaq_joint", "listwise") else ()
    reads = {"clone_model", "served_lists", "attacker_train", *also}
    assert set(attack.stages(USERS)[1].reads) - OF_THE_RUN == reads


def test_an_unknown_attack_is_named_with_the_nearest() -> None:
    attacks = {"ptaq_half": attack_of(base="ptaq"), "ptd": attack_of(base="ptd")}
    assert require_attack("ptd", attacks).base == "ptd"
    with pytest.raises(SettingsError, match="no attack 'ptaq_hafl'; did you mean 'ptaq_half'"):
        require_attack("ptaq_hafl", attacks)


@pytest.mark.parametrize("key", FRACTIONS)
@pytest.mark.parametrize("value", [0, -0.1, 1.01, float("nan"), "many"])
def test_a_share_lies_above_zero_and_at_most_at_one(key: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=key):
        attack_of(**{"base": "ptaq", key: value})


@pytest.mark.parametrize("key", FRACTIONS)
def test_a_share_in_range_is_taken(key: str) -> None:
    assert getattr(attack_of(**{"base": "ptaq", key: 0.2}), key) == 0.2
    assert getattr(attack_of(**{"base": "ptaq", key: 1}), key) == 1


@pytest.mark.parametrize("wrong", [{"bse": "ptd"}, {"query_share": 0.1}, {"list_length": 0}, {"positive_loss": "mse"}])
def test_unknown_keys_and_impossible_values_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        attack_of(**{"base": "ptaq"} | wrong)


LACKING = [
    *((base, {"query_fraction": 0.5}) for base in ("ptd", "pta", "pta_pre", "pta_joint", "pta_mean")),
    *((base, {"auxiliary_fraction": 0.5}) for base in ("ptd", "ptq", "qsd")),
    *((base, {"item_fraction": 0.5}) for base in ("ptd", "ptq", "qsd", "pta_pre", "ptaq_pre", "pta_joint")),
    *((base, {"ranking_loss": "hinge"}) for base in ("ptd", "pta")),
    *((base, {"positive_loss": "bpr"}) for base in ("ptd", "pta")),
    *((base, {"calls_per_user": 2}) for base in ("ptd", "pta")),
    *((base, {"outside": "hardest"}) for base in ("ptd", "pta", "qsd")),
    *((base, {"denoise": {}}) for base in ("ptd", "pta")),
    *((base, {"sequences": "random"}) for base in ("ptd", "ptaq")),
]


@pytest.mark.parametrize(("base", "setting"), LACKING)
def test_a_setting_that_an_attack_lacks_is_refused(base: str, setting: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=f"{next(iter(setting))}\n.*not permitted"):
        attack_of(**{"base": base} | setting)


@pytest.mark.parametrize(
    ("base", "key"),
    [
        *((base, "query_fraction") for base in ("ptq", "ptaq", "qsd", "ptaq_pre", "ptaq_joint")),
        *((base, "auxiliary_fraction") for base in ("pta", "ptaq", "pta_pre", "pta_joint", "pta_mean")),
        *((base, "item_fraction") for base in ("pta", "ptaq", "pta_mean")),
    ],
)
def test_a_share_with_effect_is_taken(base: str, key: str) -> None:
    assert getattr(attack_of(**{"base": base, key: 0.5}), key) == 0.5


def test_more_calls_than_one_need_a_use_for_the_answers() -> None:
    with pytest.raises(ValidationError, match="calls_per_user: 3 has no effect without denoise"):
        attack_of(base="ptaq", calls_per_user=3)
    assert attack_of(base="ptaq", calls_per_user=3, denoise={"discount": 1}).denoise.kept == 1


def test_qsd_alone_may_spend_more_calls_on_sequences_or_else_denoise() -> None:
    assert attack_of(base="qsd", calls_per_user=5).needs_sequences
    assert attack_of(base="qsd", sequences="random").needs_sequences
    assert not attack_of(base="qsd", calls_per_user=5, denoise={}).needs_sequences
    with pytest.raises(ValidationError, match="sequences has no effect on an attack that denoises"):
        attack_of(base="qsd", sequences="random", denoise={})


@pytest.mark.parametrize("base", sorted(ATTACKS))
def test_settings_survive_being_written_out(base: str) -> None:
    settings = attack_of(base=base)
    assert attack_of(**settings.model_dump()) == settings
    assert settings.otherwise == ""


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"base": "ptaq", "list_length": 20, "ranking_loss": "hinge"}, ""),
        ({"base": "ptaq", "calls_per_user": 5, "denoise": {}}, "denoise"),
        ({"base": "ptaq", "outside": "hardest"}, "outside=hardest"),
        ({"base": "qsd", "sequences": "random", "query_fraction": 0.5}, "sequences=random"),
    ],
)
def test_what_has_no_column_in_the_results_is_said_in_words(settings: dict[str, Any], said: str) -> None:
    assert attack_of(**settings).otherwise == said


def test_the_losses_are_bpr_for_ranking_and_hinge_for_positive_items_but_two_hinges_for_qsd() -> None:
    assert attack_of(base="ptaq").losses == ("bpr", "hinge")
    assert attack_of(base="qsd").losses == ("hinge", "hinge")
    assert attack_of(base="qsd", ranking_loss="bpr", positive_loss="bpr").losses == ("bpr", "bpr")
    assert attack_of(base="ptq", ranking_loss="hinge").losses == ("hinge", "hinge")


def test_a_softmax_over_the_catalogue_takes_no_loss_of_pairs() -> None:
    with pytest.raises(ValidationError, match="positive_loss has no effect with outside: catalogue"):
        attack_of(base="ptq", outside="catalogue", positive_loss="bpr")
    assert attack_of(base="ptq", outside="catalogue", ranking_loss="hinge").losses == ("hinge", "hinge")


def test_the_defaults_are_those_of_the_specification() -> None:
    clone, steal = CloneSettings(), StealSettings()
    assert (clone.held_back_fraction, clone.held_back_from) == (0.05, 10)
    assert (steal.margin, steal.negatives) == (0.5, 50)
    assert (steal.held_back_fraction, steal.held_back_places) == (0.15, 0.2)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (CloneSettings, {"held_back_fraction": 0}),
        (CloneSettings, {"held_back_fraction": 0.5}),
        (CloneSettings, {"held_back_from": 1}),
        (CloneSettings, {"margin": 0.5}),
        (StealSettings, {"margin": -1}),
        (StealSettings, {"negatives": 0}),
        (StealSettings, {"held_back_fraction": 1}),
        (StealSettings, {"held_back_places": 0}),
        (StealSettings, {"prefix_patience": 0}),
    ],
)
def test_stage_settings_out_of_range_are_refused(kind: type[Any], wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        kind(**wrong)


@pytest.mark.parametrize("base", ["ptq", "ptq_ridge", "ptaq_listwise", "stacked"])
def test_calls_that_nobody_makes_are_refused_of_every_attack(base: str) -> None:
    with pytest.raises(ValidationError, match="calls_per_user: 5 has no effect"):
        attack_of(base=base, calls_per_user=5)
