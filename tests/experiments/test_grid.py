"""What parameters ask for: cells, and named attacks on them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from kedro.config import OmegaConfigLoader

from rec_msa.experiments.cells import Cell
from rec_msa.experiments.grid import Experiments
from rec_msa.experiments.parameters import read_parameters
from rec_msa.foundation.errors import SettingsError
from rec_msa.settings import CONFIG_LOADER_ARGS
from tests.named_attacks import CELL, experiments

PUBLISHED = Path(__file__).parents[2] / "docs/published/08_reporting/agreement.parquet"

MIXED = [
    {"dataset": "ml-1m", "model": "bpr", "seed": 0, "attacks": ["ptd", "ptaq"]},
    {"dataset": "ml-1m", "model": "lmf", "seed": 0, "attacks": ["ptaq"], "vary": {"query_fraction": [0.5, 1.0]}},
    {"dataset": "ml-1m", "model": "ncf", "seed": 0, "attacks": ["ptd"]},
    {"dataset": "steam"},
]


def names_of(known: Experiments) -> dict[str, list[str]]:
    """The names of the attacks on each target."""
    return {cell.model: [attack.name for attack in attacks] for cell, attacks in known.grid.items()}


def test_lists_make_a_grid_of_cells():
    cells = experiments(model=["bpr", "lmf"], seed=[0, 1]).cells
    assert cells == [Cell("ml-1m", model, seed) for model in ("bpr", "lmf") for seed in (0, 1)]


def test_a_study_is_filtered_by_dataset_model_and_seed():
    cells = experiments(study="table4", dataset="steam", model=None, seed=1).cells
    assert cells == [Cell("steam", "bpr", 1), Cell("steam", "ncf", 1)]


def test_of_a_study_one_attack_may_be_made_alone():
    chosen = experiments(study="mixed", attack="ptaq", model=None, seed=None, dataset=None, studies={"mixed": MIXED})
    assert {cell: [attack.name for attack in attacks] for cell, attacks in chosen.grid.items()} == {
        Cell("ml-1m", "bpr", 0): ["ptaq"],
        Cell("ml-1m", "lmf", 0): ["ptaq_asked50", "ptaq"],
    }


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
        ({"study": "table4", "attack": "ptaq"}, "attack: 'ptaq' is not in the study 'table4'; Allowed: ptd"),
        (
            {"study": "data", "attack": "ptd", "dataset": None, "model": None, "studies": {"data": MIXED[3:]}},
            "attack: 'ptd' is not in the study 'data'; it names none: leave it out",
        ),
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
    assert names_of(known) == {"bpr": ["ptd", "pta"], "ncf": ["pta", "ptd"]}


def test_a_study_about_data_alone_has_no_target():
    known = experiments(studies={"s": {"dataset": ["ml-1m", "steam"]}}, study="s", dataset=None, model=None, seed=None)
    assert known.cells == []
    assert [cell.dataset for cell in known.grid] == ["ml-1m", "steam"]


def test_all_is_every_study():
    first = {"dataset": "ml-1m", "model": "bpr", "attacks": "ptd"}
    studies = {"a": first, "b": first | {"attacks": "pta"}, "c": first | {"model": "ncf"}}
    known = experiments(studies=studies, study="all", dataset=None, model=None, seed=None)
    assert list(known.grid) == [Cell("ml-1m", "bpr", 0), Cell("ml-1m", "ncf", 0)]
    assert names_of(known) == {"bpr": ["ptd", "pta"], "ncf": ["ptd"]}


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
    assert known.attack(CELL, "y").attacker.attacker_fraction == 0.025


def test_an_unknown_attack_is_refused_with_the_nearest_name():
    with pytest.raises(SettingsError, match="did you mean 'pta'"):
        experiments().attack(CELL, "ptak")


def varying(attacks, model="bpr", **vary):
    grid = {"dataset": "ml-1m", "model": model, "attacks": attacks, "vary": vary}
    named = {name: {"base": name} for name in ("qsd", "ptd", "ptq", "pta", "ptaq")}
    return experiments(attacks=named, studies={"s": grid}, study="s", model=None)


@pytest.mark.parametrize(
    ("attacks", "vary", "names"),
    [
        (["ptd", "ptq"], {"list_length": [10, 50]}, ["ptd_length10", "ptd", "ptq_length10", "ptq"]),
        (["ptq"], {"query_fraction": [0.025, 1.0]}, ["ptq_asked2_5", "ptq"]),
        (["ptd", "pta"], {"auxiliary_fraction": [0.4, 1.0]}, ["ptd", "pta_auxiliary40", "pta"]),
        (["ptd"], {"clone": ["bpr", "ncf"]}, ["ptd", "ptd_ncf"]),
        (
            ["qsd"],
            {"ranking_loss": ["bpr", "hinge"], "positive_loss": ["bpr", "hinge"]},
            ["qsd_bpr_bpr", "qsd_bpr_hinge", "qsd_hinge_bpr", "qsd"],
        ),
        (["ptd", "ptq"], {"attacker_fraction": [0.025, 0.1]}, ["ptd_users2_5", "ptd", "ptq"]),
    ],
)
def test_a_study_varies_what_an_attack_has_and_names_what_differs(attacks, vary, names):
    assert names_of(varying(attacks, **vary)) == {"bpr": names}


def test_an_attack_at_another_value_is_that_attack_with_that_setting():
    (attacks,) = varying(["ptaq"], item_fraction=[0.2], list_length=[20]).grid.values()
    (attack,) = attacks
    assert (attack.name, attack.settings.item_fraction, attack.attacker.list_length) == (
        "ptaq_items20_length20",
        0.2,
        20,
    )
    assert attack.facts["base"] == "ptaq"


@pytest.mark.parametrize(
    ("vary", "said"),
    [
        ({"lst_length": [5]}, "studies.s.vary: there is no 'lst_length'; did you mean 'list_length'"),
        ({"list_length": [0]}, "studies.s.vary.list_length: 0: .* greater than or equal to 1"),
        ({"clone": ["nfc"]}, "studies.s.vary.clone: there is no 'nfc'; did you mean 'ncf'"),
    ],
)
def test_what_cannot_be_varied_is_refused_by_key(vary, said):
    with pytest.raises(SettingsError, match=said):
        varying(["ptd"], **vary)


def test_the_paper_s_studies_are_the_attacks_that_were_published():
    loader = OmegaConfigLoader(str(Path(__file__).parents[2] / "conf"), env="paper", **CONFIG_LOADER_ARGS)
    known = Experiments(read_parameters(loader["parameters"] | {"study": "all"}))
    asked = {(cell.dataset, cell.model, attack.name) for cell, attacks in known.grid.items() for attack in attacks}
    measured = pd.read_parquet(PUBLISHED).query("kind == 'attack' and dataset in ('ml-1m', 'ta-feng', 'steam')")
    assert set(measured[["dataset", "target", "attack"]].itertuples(index=False, name=None)) <= asked


def test_the_comparison_leaves_out_the_attacks_that_a_target_s_architecture_cannot_do(caplog):
    named = {name: {"base": name} for name in ("qsd", "ptd", "ptq", "pta", "ptaq")}
    known = experiments(attacks=named, studies={}, model=["ease", "bpr"])
    assert names_of(known) == {"ease": ["ptd"], "bpr": ["qsd", "ptd", "ptq", "pta", "ptaq"]}
    known.require_possible(["__default__"])
    assert "left out on ease: qsd, ptq" in caplog.text
    assert "on bpr" not in caplog.text
