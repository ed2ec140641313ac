"""Cells and named attacks, and the names of what they leave."""

from __future__ import annotations

import pytest

from rec_msa.cells import Cell
from rec_msa.errors import SettingsError
from rec_msa.experiments import Experiments
from rec_msa.parameters import read_parameters

ATTACKS = {
    "ptd": {"base": "ptd"},
    "pta": {"base": "pta"},
    "ptaq": {"base": "ptaq"},
    "ptaq_hinge": {"base": "ptaq", "ranking_loss": "hinge"},
    "ptaq_few": {"base": "ptaq", "query_fraction": 0.2},
    "ptaq_users": {"base": "ptaq", "attacker_fraction": 0.3},
    "ptaq_aux": {"base": "ptaq", "auxiliary_fraction": 0.2},
    "ptaq_items": {"base": "ptaq", "item_fraction": 0.025},
    "ptaq_short": {"base": "ptaq", "list_length": 20},
    "ptaq_ncf": {"base": "ptaq", "clone": "ncf"},
}
CELL = Cell("ml-1m", "bpr", 0)


def experiments(**change) -> Experiments:
    raw = {"dataset": "ml-1m", "model": "bpr", "seed": 0, "datasets": {"ml-1m": {}, "steam": {}}, "attacks": ATTACKS}
    study = {"dataset": ["ml-1m", "steam"], "model": ["bpr", "ncf"], "seed": [0, 1], "attacks": ["ptd"]}
    return Experiments(read_parameters(raw | {"studies": {"table4": study}} | change))


def test_lists_make_a_grid_of_cells():
    cells = experiments(model=["bpr", "lmf"], seed=[0, 1]).cells
    assert cells == [Cell("ml-1m", model, seed) for model in ("bpr", "lmf") for seed in (0, 1)]


def test_a_study_is_filtered_by_dataset_model_and_seed():
    cells = experiments(study="table4", dataset="steam", model=None, seed=1).cells
    assert cells == [Cell("steam", "bpr", 1), Cell("steam", "ncf", 1)]


def test_a_study_may_name_defenses_which_the_session_s_own_then_chooses_from():
    study = {"dataset": "ml-1m", "model": "bpr", "seed": 0, "attacks": ["ptd"], "defenses": ["none", "shuffle_5"]}
    studies = {"studies": {"defended": study, "plain": {**study, "defenses": None}}}
    assert [cell.defense for cell in experiments(**studies, study="defended").cells] == ["none", "shuffle_5"]
    for name in ("defended", "plain"):
        assert [cell.defense for cell in experiments(**studies, study=name, defense="shuffle_5").cells] == ["shuffle_5"]
    with pytest.raises(SettingsError, match="defense: 'shuffle_6' is not in the study 'defended'"):
        experiments(**studies, study="defended", defense="shuffle_6").cells  # noqa: B018


def test_nodes_of_a_defended_cell_read_the_settings_of_its_defense_alone():
    assert CELL.defense_settings == {}
    fresh = Cell("ml-1m", "bpr", 0, "swap_tail_fresh_5")
    assert fresh.defense_settings == {"defense_settings": "params:defenses.swap_tail"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"study": "table4", "seed": 7}, "seed: '7' is not in the study 'table4'"),
        ({"study": "tabel4"}, "did you mean 'table4'"),
        ({"dataset": None}, "dataset: nothing is chosen"),
        ({"seed": None}, "seed: nothing is chosen"),
        ({"model": []}, "model: nothing is chosen"),
    ],
)
def test_an_empty_selection_is_refused(change, said):
    with pytest.raises(SettingsError, match=said):
        experiments(**change).cells  # noqa: B018


def test_several_grids_of_a_study_ask_all_their_attacks_of_a_shared_cell():
    grid = {"dataset": "ml-1m", "model": "bpr", "attacks": "ptd"}
    both = grid | {"model": ["bpr", "ncf"], "attacks": ["pta", "ptd"]}
    known = experiments(studies={"s": [grid, both]}, study="s", model=None)
    assert {cell.model: names for cell, names in known.grid.items()} == {"bpr": ("ptd", "pta"), "ncf": ("pta", "ptd")}


def test_a_study_about_data_alone_has_no_target():
    known = experiments(studies={"s": {"dataset": ["ml-1m", "steam"]}}, study="s", dataset=None, model=None, seed=None)
    assert known.cells == []
    assert [cell.dataset for cell in known.grid] == ["ml-1m", "steam"]


def test_all_is_every_study():
    first = {"dataset": "ml-1m", "model": "bpr", "attacks": "ptd"}
    studies = {"a": first, "b": first | {"attacks": "pta"}, "c": first | {"model": "ncf"}}
    grid = experiments(studies=studies, study="all", dataset=None, model=None, seed=None).grid
    assert grid == {Cell("ml-1m", "bpr", 0): ("ptd", "pta"), Cell("ml-1m", "ncf", 0): ("ptd",)}


def test_a_filter_that_leaves_nothing_is_refused():
    studies = {"s": [{"dataset": d, "model": m, "attacks": "ptd"} for d, m in (("ml-1m", "bpr"), ("steam", "ncf"))]}
    with pytest.raises(SettingsError, match="no cell with dataset ml-1m, model ncf, seed 0 together"):
        experiments(studies=studies, study="s", model="ncf").cells  # noqa: B018


def test_two_attacks_that_would_write_to_one_place_are_refused():
    near = {"a": {"base": "ptq", "query_fraction": 0.1}, "b": {"base": "ptaq", "query_fraction": 0.1 + 1e-13}}
    with pytest.raises(SettingsError, match=r"attacks.a and attacks.b would write to one folder, 'users10-asked10'"):
        experiments(attacks=near, studies={}).cells  # noqa: B018


def test_an_attack_with_queries_needs_more_users_than_the_held_out_ones():
    few = {"x": {"base": "ptq", "attacker_fraction": 0.025}, "y": {"base": "ptd", "attacker_fraction": 0.025}}
    known = experiments(attacks=few, studies={})
    with pytest.raises(SettingsError, match=r"attacks.x.attacker_fraction: 0.025 .* nobody to ask"):
        known.attack(CELL, "x")
    assert known.attack(CELL, "y").attacker_fraction == 0.025


def test_an_unknown_attack_is_refused_with_the_nearest_name():
    with pytest.raises(SettingsError, match="did you mean 'pta'"):
        experiments().attack(CELL, "ptak")


@pytest.mark.parametrize("name", ["ptaq_hinge", "ptaq_few", "ptaq_short"])
def test_the_clone_stage_is_shared_by_losses_queries_and_list_lengths(name):
    known = experiments()
    assert known.attack(CELL, name).clone_space == known.attack(CELL, "pta").clone_space


def test_the_clone_stage_is_shared_by_targets_and_defenses():
    known, other = experiments(), Cell("ml-1m", "lmf", 0, "popular_mixing_5")
    assert known.attack(other, "ptaq_ncf").clone_space == known.attack(CELL, "ptaq_ncf").clone_space
    assert known.attack(other, "ptaq_ncf").space != known.attack(CELL, "ptaq_ncf").space


@pytest.mark.parametrize("name", ["ptd", "ptaq_users", "ptaq_aux", "ptaq_items", "ptaq_ncf"])
def test_what_changes_the_clone_stage_has_a_place_of_its_own(name):
    known = experiments()
    assert known.attack(CELL, name).clone_space != known.attack(CELL, "pta").clone_space


@pytest.mark.parametrize(
    ("name", "apart"),
    [("ptd", ""), ("ptaq_aux", ""), ("ptaq_few", "asked20"), ("ptaq_users", "users30"), ("ptaq_short", "length20")],
)
def test_references_with_other_users_or_lengths_are_told_apart(name, apart):
    attack = experiments().attack(CELL, name)
    assert attack.apart == apart
    assert attack.reference_space == f"ml-1m.seed0.bpr.none.references{'-' if apart else ''}{apart}"
    assert attack.reference.reference_space == attack.reference_space


def test_what_is_split_by_time_has_places_of_its_own_within_the_seed():
    known, by_time = experiments(), Cell("ml-1m", "sasrec", 0)
    attack, other = known.attack(by_time, "ptaq_few"), known.attack(CELL, "ptaq_few")
    assert by_time.split_space == "ml-1m.seed0.temporal"
    assert attack.users_space == "ml-1m.seed0.users10-temporal"
    assert attack.groups_space == "ml-1m.seed0.users10-asked20-temporal"
    assert attack.auxiliary_space == "ml-1m.seed0.auxiliary100-temporal.sasrec"
    assert attack.clone_space == "ml-1m.seed0.users10-temporal.sasrec.fused"
    assert attack.space == "ml-1m.seed0.sasrec.none.ptaq_few"
    assert attack.apart == other.apart
    assert other.users_space == "ml-1m.seed0.users10"
    assert CELL.split_space == "ml-1m.seed0"


def test_sequential_targets_share_their_split_and_clones_of_one_architecture():
    known = experiments(attacks=ATTACKS | {"ptaq_stamp": {"base": "ptaq", "clone": "stamp"}})
    first, second = (known.attack(Cell("ml-1m", model, 0), "ptaq_stamp") for model in ("sasrec", "stamp"))
    assert first.cell.split_space == second.cell.split_space
    assert first.clone_space == second.clone_space


@pytest.mark.parametrize(
    ("model", "settings", "said"),
    [
        ("bpr", {"base": "ptd", "clone": "sasrec"}, ".clone: 'sasrec' reads sequences, but bpr's data"),
        ("bpr", {"base": "qsd", "clone": "sasrec"}, ".clone: 'sasrec' reads sequences, but bpr's data"),
        ("sasrec", {"base": "qsd", "clone": "bpr"}, ".clone: 'bpr' reads no sequences"),
        ("sasrec", {"base": "qsd", "calls_per_user": 5, "denoise": {}}, ".denoise: users' repeated answers"),
        ("bpr", {"base": "qsd", "calls_per_user": 5}, ": its calls are about made-up sequences"),
        ("bpr", {"base": "qsd", "sequences": "random"}, ": its calls are about made-up sequences"),
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
    assert attack.clone_space == "ml-1m.seed0.users10.bpr.fused-items2_5"
