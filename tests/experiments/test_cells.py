"""The names of what cells and named attacks leave: what is shared, and what is told apart."""

from __future__ import annotations

import pytest

from rec_msa.experiments.cells import Cell, NamedAttack
from tests.named_attacks import ATTACKS, CELL, experiments


def clone_space(attack: NamedAttack) -> str:
    """Where the attack's clone lies before it is taught any list."""
    return attack.space_of(attack.stages[0])


@pytest.mark.parametrize("name", ["ptaq_hinge", "ptaq_few", "ptaq_short"])
def test_the_clone_stage_is_shared_by_losses_queries_and_list_lengths(name):
    known = experiments()
    assert clone_space(known.attack(CELL, name)) == clone_space(known.attack(CELL, "pta"))


def test_the_clone_stage_is_shared_by_targets_and_defenses():
    known, other = experiments(), Cell("ml-1m", "lmf", 0, "popular_mixing_5")
    assert clone_space(known.attack(other, "ptaq_ncf")) == clone_space(known.attack(CELL, "ptaq_ncf"))
    assert known.attack(other, "ptaq_ncf").space != known.attack(CELL, "ptaq_ncf").space


@pytest.mark.parametrize("name", ["ptd", "ptaq_users", "ptaq_aux", "ptaq_items", "ptaq_ncf"])
def test_what_changes_the_clone_stage_has_a_place_of_its_own(name):
    known = experiments()
    assert clone_space(known.attack(CELL, name)) != clone_space(known.attack(CELL, "pta"))


@pytest.mark.parametrize(
    ("name", "apart"),
    [("ptd", ""), ("ptaq_aux", ""), ("ptaq_few", "asked20"), ("ptaq_users", "users30"), ("ptaq_short", "length20")],
)
def test_references_with_other_users_or_lengths_are_told_apart(name, apart):
    attack = experiments().attack(CELL, name)
    assert attack.attacker.apart == apart
    assert attack.attacker.reference_space == f"ml-1m.seed0.bpr.none.references{'-' if apart else ''}{apart}"


def test_what_is_split_by_time_has_places_of_its_own_within_the_seed():
    known, by_time = experiments(), Cell("ml-1m", "sasrec", 0)
    attack, other = known.attack(by_time, "ptaq_few"), known.attack(CELL, "ptaq_few")
    assert by_time.split_space == "ml-1m.seed0.temporal"
    assert attack.attacker.users_space == "ml-1m.seed0.users10-temporal"
    assert attack.attacker.groups_space == "ml-1m.seed0.users10-asked20-temporal"
    assert attack.cell.auxiliary_space(attack.auxiliary_fraction) == "ml-1m.seed0.auxiliary100-temporal"
    assert clone_space(attack) == "ml-1m.seed0.users10-temporal.sasrec.fused"
    assert attack.space == "ml-1m.seed0.sasrec.none.ptaq_few"
    assert attack.attacker.apart == other.attacker.apart
    assert other.attacker.users_space == "ml-1m.seed0.users10"
    assert CELL.split_space == "ml-1m.seed0"


def test_sequential_targets_share_their_split_and_clones_of_one_architecture():
    known = experiments(attacks=ATTACKS | {"ptaq_stamp": {"base": "ptaq", "clone": "stamp"}})
    first, second = (known.attack(Cell("ml-1m", model, 0), "ptaq_stamp") for model in ("sasrec", "stamp"))
    assert first.cell.split_space == second.cell.split_space
    assert clone_space(first) == clone_space(second)


@pytest.mark.parametrize(
    ("model", "settings", "said"),
    [
        ("bpr", {"base": "ptd", "clone": "sasrec"}, ".clone: 'sasrec' reads sequences, but bpr's data"),
        ("bpr", {"base": "qsd", "clone": "sasrec"}, ".clone: 'sasrec' reads sequences, but bpr's data"),
        ("sasrec", {"base": "qsd", "clone": "bpr"}, ".clone: 'bpr' reads no sequences"),
        ("sasrec", {"base": "qsd", "calls_per_user": 5, "denoise": {}}, ".denoise: users' repeated answers"),
        ("bpr", {"base": "qsd", "calls_per_user": 5}, ": its calls are about made-up sequences"),
        ("bpr", {"base": "qsd", "sequences": "random"}, ": its calls are about made-up sequences"),
        ("bpr", {"base": "pta", "clone": "ease"}, ".clone: 'ease' has no item vectors that could be fused"),
        ("ials", {"base": "pta_pre"}, ".clone: 'ials' has no item vectors that could be fused"),
        (
            "ease",
            {"base": "ptq"},
            ".clone: 'ease' is not trained by gradients and cannot be taught lists; choose one of",
        ),
        ("lightgcn", {"base": "qsd"}, ".clone: 'lightgcn' knows users by interactions alone, and here are none"),
        ("bpr", {"base": "pta_joint", "clone": "ials"}, None),
        ("ease", {"base": "ptaq", "clone": "lightgcn"}, None),
        ("ease", {"base": "qsd", "clone": "bpr"}, None),
        ("sasrec", {"base": "ptd", "clone": "ease"}, None),
        ("sasrec", {"base": "qsd", "calls_per_user": 5}, None),
        ("sasrec", {"base": "ptq", "clone": "bpr"}, None),
        ("sasrec", {"base": "ptaq", "calls_per_user": 5, "denoise": {}}, None),
        ("bpr", {"base": "qsd", "calls_per_user": 5, "denoise": {}}, None),
    ],
)
def test_what_cannot_work_on_a_target_is_refused_by_key(model, settings, said):
    refusal = experiments(attacks=ATTACKS | {"odd": settings}).attack(Cell("ml-1m", model, 0), "odd").refusal
    assert (refusal is None) if said is None else refusal.startswith(f"attacks.odd{said}")


def test_names_are_free_of_dots():
    attack = experiments().attack(CELL, "ptaq_items")
    assert clone_space(attack) == "ml-1m.seed0.users10.bpr.fused-items2_5"
