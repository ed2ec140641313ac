"""Attacks with steal stages that are not the paper's, run whole on a small dataset."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.small_project import SmallProject

ATTACKS = ("ptaq_ridge", "ptaq_joint_listwise")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    project = SmallProject(tmp_path_factory.mktemp("stages"))
    with project.session() as session:
        session.run(pipeline_names=[f"attack_{name}" for name in ATTACKS])
    return project


def test_each_is_measured_and_says_which_state_was_kept(finished: SmallProject) -> None:
    agreement = pd.read_parquet(finished.folder / "data/08_reporting/agreement.parquet")
    own = agreement[agreement["attack"].isin(ATTACKS) & (agreement["k"] == 20) & (agreement["against"] == "served")]
    assert len(own) == len(ATTACKS) * 2
    assert own["agreement"].between(0, 1).all()
    assert own["kept_step"].notna().all()
    assert (own["n_queries"] > 0).all()


def test_a_correction_agrees_more_with_the_lists_that_taught_it(finished: SmallProject) -> None:
    curve = finished.load("small.seed0.bpr.none.ptaq_ridge.steal_curve")
    assert isinstance(curve, pd.DataFrame)
    assert curve["validation"].max() == curve.loc[curve["kept"], "validation"].item()
    assert len(curve) == 1 + 5 * 5
