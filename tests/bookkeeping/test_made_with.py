"""What a run would replace that was made with other settings, told before it does."""

from __future__ import annotations

from typing import Any

import pytest
from kedro.framework.project import pipelines

from rec_msa.bookkeeping.made_with import Replaced, replaced, tell_settings
from rec_msa.bookkeeping.provenance import expect
from tests.small_project import SmallProject

NARROW = {"recommenders": {"bpr": {"dimensions": 4}}}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    """A small project in which two attacks have run."""
    project = SmallProject(tmp_path_factory.mktemp("made_with"))
    for name in ("attack_ptd", "attack_ptq"):
        project.run(name, only_missing_outputs=True)
    return project


def would_replace(project: SmallProject, name: str = "attack_ptd", **params: Any) -> Replaced | None:
    catalog = project.catalog(name, **params)
    expect(pipelines[name], catalog)
    tell_settings(pipelines[name], catalog)
    return replaced(pipelines[name].nodes, catalog)


def test_the_same_settings_replace_nothing(project):
    assert would_replace(project) is None


def test_another_setting_is_named_with_both_values_and_what_it_costs(project):
    found = would_replace(project, **NARROW)
    assert found.settings == {"recommenders.bpr.dimensions": [64, 4]}
    assert "small.seed0.bpr.target_model" in found.artifacts
    assert "small.seed0.bpr.none.ptd.agreement" in found.artifacts
    assert not {"small.interactions", "small.seed0.users10.attacker_train"} & set(found.artifacts)
    assert found.lost == ["small.seed0.bpr.none.ptq"]


def test_a_setting_of_an_attack_is_named_by_its_key(project):
    found = would_replace(project, "attack_ptq", attacks={"ptq": {"query_fraction": 0.5}})
    assert found.settings == {"attacks.ptq.query_fraction": [1.0, 0.5]}


def test_a_label_replaces_nothing(project):
    assert would_replace(project, label="narrow", **NARROW) is None


def test_another_cell_replaces_nothing(project):
    assert would_replace(project, seed=1, **NARROW) is None


def test_a_long_list_is_cut_short():
    text = str(Replaced(["a.agreement"], {}, [f"cell{n}" for n in range(6)]))
    assert "cell3 and 2 more" in text
    assert "label" in text


def test_who_forgets_the_settings_of_a_label_is_not_told_to_take_one(tmp_path):
    project = SmallProject(tmp_path)
    project.run("attack_ptd", params={"label": "narrow", **NARROW})
    said = str(would_replace(project, label="narrow"))
    assert "repeat the settings of label narrow" in said
    assert "<a name>" not in said
