"""What parameters ask for: cells, and named attacks on them."""

from __future__ import annotations

import pytest

from rec_msa.experiments.cells import Cell
from rec_msa.foundation.errors import SettingsError
from tests.named_attacks import CELL, experiments


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


def test_what_a_dataset_asks_of_every_training_is_asked_of_its_cells_alone():
    data = {"ml-1m": {}, "steam": {"patience": 2_000}}
    cells = experiments(study="table4", dataset=None, model=None, seed=1, datasets=data).cells
    asked = {cell.dataset: cell.waiting(cell.model) for cell in cells}
    assert asked == {"ml-1m": {}, "steam": {"patience": 2_000}}


def test_data_may_ask_for_the_patience_of_one_architecture_whose_ever_it_is():
    study = {"dataset": "ml-1m", "model": ["bpr", "ncf"], "seed": 0, "attacks": ["ptd"]}
    data = {"ml-1m": {"patience_of": {"ncf": 2_000}}}
    cells = experiments(study="own", dataset=None, model=None, seed=None, datasets=data, studies={"own": study}).cells
    for cell in cells:
        assert {model: cell.waiting(model) for model in ("bpr", "ncf")} == {"bpr": {}, "ncf": {"patience": 2_000}}
    with pytest.raises(SettingsError, match=r"datasets.ml-1m.patience_of: there is no 'nfc'; did you mean 'ncf'\?"):
        experiments(datasets={"ml-1m": {"patience_of": {"nfc": 2_000}}})


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
