"""Parameters are typed: what is wrong is refused by key, value and nearest name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from bench.contenders import OURS
from rec_msa.experiments.parameters import Parameters, read_parameters
from rec_msa.foundation.errors import SettingsError

NAMED = ("dataset", "model", "seed", "datasets", "attacks")
STUDY = {"dataset": "ml-1m", "model": "bpr", "seed": 0, "attacks": ["ptd"]}
CONF = Path(__file__).resolve().parents[2] / "conf"


def base() -> dict:
    return {
        key: value
        for path in (CONF / "base").glob("parameters*.yml")
        for key, value in yaml.safe_load(path.read_text()).items()
    }


def test_the_project_s_own_parameters_are_valid():
    assert read_parameters(base()).dataset == ("ml-100k",)


@pytest.mark.parametrize("environment", ["paper", "tuned"])
def test_an_environment_changes_what_is_there(environment: str):
    merged = base() | {"dataset": "ml-1m", "model": "bpr", "seed": 0}
    for path in sorted((CONF / environment).glob("parameters*.yml")):
        for key, value in (yaml.safe_load(path.read_text()) or {}).items():
            if isinstance(value, dict):
                merged[key] = {
                    name: part | value.get(name, {}) if isinstance(part, dict) else value.get(name, part)
                    for name, part in (merged.get(key) or value).items()
                } | {name: part for name, part in value.items() if name not in (merged.get(key) or {})}
    assert read_parameters(merged).dataset == ("ml-1m",)


def test_tuned_targets_are_those_of_the_performance_page():
    tuned = yaml.safe_load((CONF / "tuned" / "parameters.yml").read_text())
    best = OURS["bpr"]["best"]
    assert tuned["recommenders"]["bpr"] == best.model
    assert tuned["target"] == tuned["auxiliary"] == {**best.training, "max_steps": 3000}


def test_a_parameter_stands_in_one_file():
    files = [yaml.safe_load(path.read_text()) for path in (CONF / "base").glob("parameters*.yml")]
    assert sum(map(len, files)) == len(base())


def test_the_base_file_shows_every_parameter_but_the_studies():
    assert set(base()) == set(Parameters.model_fields) - {"study", "studies"}


def test_the_base_file_and_the_classes_have_the_same_defaults():
    written, bare = read_parameters(base()), read_parameters({key: base()[key] for key in NAMED})
    assert written.model_dump(exclude={"datasets", "targets"}) == bare.model_dump(exclude={"datasets", "targets"})
    assert written.defenses.names() == bare.defenses.names()


def test_a_scalar_is_a_list_of_one():
    parameters = read_parameters(base() | {"seed": 3, "model": ["bpr", "ncf"]})
    assert parameters.seed == (3,)
    assert parameters.model == ("bpr", "ncf")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"modle": "ncf"}, "modle: there is no such parameter; did you mean 'model'?"),
        (
            {"target": {"learning_rat": 1}},
            "target.learning_rat: there is no such parameter; did you mean 'learning_rate'?",
        ),
        (
            {"attacks": {"a": {"base": "ptd", "clon": "bpr"}}},
            "attacks.a.clon: there is no such parameter; did you mean 'clone'?",
        ),
        (
            {"attacks": {"a": {"base": "ptd", "clone": "bpl"}}},
            "attacks.a.clone: there is no 'bpl'; did you mean 'bpr'?",
        ),
        (
            {"attacks": {"a": {"base": "ptd", "item_fraction": 0.5}}},
            "attacks.a.item_fraction: 'ptd' has no such setting; did you mean 'attacker_fraction'?",
        ),
        (
            {"attacks": {"a": {"base": "ptaq", "denoise": {"discont": 1}}}},
            "attacks.a.denoise.discont: there is no such parameter; did you mean 'discount'?",
        ),
        ({"attacks": {"a": {"base": "ptqa"}}}, "attacks.a.base: there is no base attack 'ptqa'; did you mean 'ptq'?"),
        ({"attacks": {"a": {"clone": "bpr"}}}, "attacks.a.base: this parameter is missing"),
        ({"attacks": {"A b": {"base": "ptd"}}}, "attacks.A b: a name may have only"),
        ({"attacks": {"knn_lists": {"base": "ptd"}}}, "attacks.knn_lists: this name belongs to a reference"),
        ({"attacks": {"ease": {"base": "ptd"}}}, "attacks.ease: this name belongs to a reference"),
        (
            {"attacks": {"retrain_ensemble": {"base": "ptd"}}},
            "attacks.retrain_ensemble: this name belongs to a referen",
        ),
        ({"export": 3}, "export: 3 is no setting; below it stand histories, item, user"),
        (
            {"recommenders": {"bpr": 4}},
            "recommenders.bpr: 4 is no setting; below it stand bias, dimensions, l2, negatives",
        ),
        ({"attacks": {"ptq": 3}}, "attacks.ptq: 3 is no setting; below it stand base and"),
        ({"attacks": 3}, "attacks: 3 is no setting; below it stand names of your own"),
        ({"retrained": 0}, "retrained: 0 is not valid"),
        ({"attacks": {"retrain-x": {"base": "ptd"}}}, "attacks.retrain-x: this name belongs to a reference"),
        ({"datasets": {"ml-1n": {}}}, "datasets.ml-1n: your own data need a path"),
        ({"studies": {"s": {"dataset": "ml-1m", "model": "bpr", "seed": 0, "attacks": ["ptb"]}}}, "there is no 'ptb'"),
        ({"seed": -1}, "seed: -1 is not valid"),
        ({"seed": [0, "one"]}, "seed.1: 'one' is not valid"),
        ({"seed": True}, "seed: True is not valid"),
        ({"threads": True}, "threads: True is not valid"),
        (
            {"attacks": {"ptaq": {"base": "ptaq"}, "ptaqq": {"clone": "ncf"}}},
            "attacks.ptaqq.base: this parameter is mis",
        ),
        ({"attacks": {"ptaq": {"base": "ptaq"}, "ptaqq": {"clone": "ncf"}}}, "or did you mean 'ptaq'?"),
        ({"list_length": 0}, "list_length: 0 is not valid"),
        ({"list_length": "ten"}, "list_length: 'ten' is not valid"),
        ({"device": "cpux"}, "device: 'cpux' is not valid: input should be 'auto', 'cpu' or 'cuda'"),
        (
            {"steal": {"held_back_fraction": 1.0}},
            "steal.held_back_fraction: 1.0 is not valid: input should be less than 1",
        ),
        ({"recommenders": {"lmf": {"bias": "maybe"}}}, "recommenders.lmf.bias: 'maybe' is not valid"),
        ({"recommenders": {"lmff": {}}}, "recommenders.lmff: there is no such parameter; did you mean 'lmf'?"),
        ({"defense": "popular_mixing"}, "says no strength; write 'popular_mixing_15'"),
        ({"defense": "shuffle_51"}, "'shuffle_51' alters 51 places, but a list has 50 (list_length)"),
        ({"defenses": {"swap_tail": {"deep": 5}}}, "defenses.swap_tail.deep: there is no such parameter"),
        (
            {
                "studies": {
                    "s": {"dataset": "ml-1m", "model": "bpr", "seed": 0, "attacks": ["ptd"], "defenses": ["mix_5"]}
                }
            },
            "there is no 'mix_5'",
        ),
    ],
)
def test_what_is_wrong_is_named(change, said):
    with pytest.raises(SettingsError) as refusal:
        read_parameters(base() | change)
    assert said in str(refusal.value)


def test_every_fault_is_named_at_once():
    with pytest.raises(SettingsError) as refusal:
        read_parameters(base() | {"list_length": 0, "threads": 0})
    assert len(str(refusal.value).splitlines()) == 2


def test_a_share_that_is_refused_left_an_empty_list_that_was_refused_too():
    with pytest.raises(SettingsError) as refusal:
        read_parameters(base() | {"audit": {"shares": 5}})
    assert str(refusal.value) == "audit.shares: 5 is not valid: input should be less than 1"


def test_relative_paths_are_put_under_the_project_s_root(tmp_path):
    own = {"datasets": {"mine": {"path": "x.csv", "user": "u", "item": "i"}}, "dataset": "mine"}
    parameters = read_parameters(base() | own).under(tmp_path)
    assert parameters.raw_folder == str(tmp_path / "data/01_raw")
    assert parameters.datasets["mine"].path == str(tmp_path / "x.csv")


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"seed": 10**30}, "seed"),
        ({"recommenders": {"bpr": {"dimensions": 10**9}}}, "recommenders.bpr.dimensions"),
        ({"recommenders": {"ncf": {"layers": [10**9]}}}, "recommenders.ncf.layers"),
        ({"recommenders": {"gru4rec": {"hidden": 10**9}}}, "recommenders.gru4rec.hidden"),
        ({"recommenders": {"sasrec": {"length": 10**9}}}, "recommenders.sasrec.length"),
        ({"list_length": 10**9}, "list_length"),
        ({"attacks": {"a": {"base": "ptq", "list_length": 10**9}}}, "attacks.a.list_length"),
        ({"attacks": {"a": {"base": "qsd", "calls_per_user": 10**9}}}, "attacks.a.calls_per_user"),
    ],
    ids=str,
)
def test_a_number_that_no_machine_can_serve_was_refused_late_or_never(change, key):
    with pytest.raises(SettingsError, match=rf"^{re.escape(key)}.*less than"):
        read_parameters(base() | change)


@pytest.mark.parametrize("key", ["attacks", "datasets"])
def test_a_name_that_no_file_can_have_was_refused_by_the_file_system(key):
    own = {"attacks": {"base": "ptd"}, "datasets": {"path": "mine.csv", "user": "u", "item": "i"}}[key]
    assert read_parameters(base() | {key: base()[key] | {"a" * 60: own}})
    with pytest.raises(SettingsError, match=f"{key}.a{{61}}: a name may have only a-z, 0-9, _ and -, and 60 of them"):
        read_parameters(base() | {key: base()[key] | {"a" * 61: own}})
