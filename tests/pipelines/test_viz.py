"""What ``kedro viz`` makes of the pipelines."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from kedro.framework.project import pipelines

from rec_msa.datasets.files import CurveDataset, ParquetDataset
from rec_msa.framework.boxes import VARIABLE, draws_stages
from rec_msa.runners.sequential import CellByCellRunner

if TYPE_CHECKING:
    from kedro_viz.api.rest.responses.pipelines import GraphAPIResponse

viz = pytest.importorskip("kedro_viz.server", reason="kedro-viz is an extra of its own")
LAYERS = [
    *("01_raw", "02_intermediate", "03_primary", "04_feature"),
    *("05_model_input", "06_models", "07_model_output", "08_reporting"),
]
STAGES = {"ingestion", "target", "auxiliary", "gate", "attack", "evaluation", "reporting"}


@pytest.fixture
def under_kedro_viz(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the hook does when the command is ``kedro viz``; taken back after the test."""
    monkeypatch.setenv(VARIABLE, "")
    draws_stages.before_command_run(["viz", "run", "--no-browser"])


def shown(folder: Path, pipeline: str) -> GraphAPIResponse:
    """What the browser is sent."""
    from kedro_viz.api.rest.responses.pipelines import get_pipeline_response

    viz.data_access_manager.reset_fields()
    viz.load_and_populate_data(folder, pipeline_name=pipeline)
    return get_pipeline_response(pipeline)


@pytest.mark.usefixtures("under_kedro_viz")
@pytest.mark.parametrize("pipeline", ["__default__", "attack_stacked_few_coverage", "defense"])
def test_collapsed_there_was_one_box_and_not_one_for_each_stage_in_its_layer(small_project, pipeline):
    graph = shown(small_project.folder, pipeline)
    top = graph.modular_pipelines["__root__"].children
    assert {one.id for one in top if one.type == "modularPipeline"} == STAGES
    assert not [one for one in top if one.type == "task"]
    # A box that reads of a layer below the one that it writes to switches all layers off.
    assert graph.layers == LAYERS


@pytest.mark.usefixtures("under_kedro_viz")
def test_a_node_in_a_box_has_the_names_that_a_run_takes_and_writes_down(small_project):
    small_project.session().load_context()
    drawn = pipelines["defense"]
    os.environ.pop(VARIABLE)
    small_project.session().load_context()
    run = pipelines["defense"]
    assert {node.namespace for node in drawn.nodes} == STAGES
    assert drawn.nodes == run.nodes
    assert [str(node) for node in drawn.nodes] == [str(node) for node in run.nodes]  # the workflow tab's


def test_only_kedro_viz_changes_namespaces(small_project, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    draws_stages.before_command_run(["run", "--namespaces=viz"])
    small_project.session().load_context()
    served = pipelines["attack_ptaq"].only_nodes_with_namespaces(["small.seed0.bpr.none.ptaq"])
    assert "small.seed0.bpr.none.ptaq.query_target" in {node.name for node in served.nodes}


def test_a_node_shows_the_file_and_the_code_of_its_function(small_project):
    from kedro_viz.models.flowchart.node_metadata import TaskNodeMetadata
    from kedro_viz.models.flowchart.nodes import GraphNode

    small_project.session().load_context()
    steal = next(node for node in pipelines["attack_ptaq"].nodes if node.name.endswith(".ptaq.steal"))
    shown = TaskNodeMetadata(task_node=GraphNode.create_task_node(steal, "steal", set()))
    assert Path(shown.filepath).name != "binding.py"
    assert shown.code.startswith(f"def {steal.func.__name__}(")


def test_the_workflow_tab_follows_the_default_runner():
    from kedro_viz.integrations.kedro.hooks_utils import is_sequential_runner

    assert is_sequential_runner({"runner": str(CellByCellRunner())})


def test_a_curve_is_drawn_with_the_step_that_was_kept(tmp_path):
    curve = pd.DataFrame({"step": [0, 200], "loss": [np.nan, 0.5], "validation": [0.1, 0.4], "kept": [False, True]})
    saved = CurveDataset(filepath=str(tmp_path / "curve.parquet"))
    saved.save(curve)
    validation, loss, kept = saved.preview()["data"]
    assert (validation["y"], loss["y"]) == ([0.1, 0.4], [None, 0.5])
    assert (kept["x"], kept["y"]) == ([200], [0.4])


def test_a_preview_of_the_ledger_has_its_lists_in_words(tmp_path):
    saved = ParquetDataset(filepath=str(tmp_path / "ledger.parquet"))
    saved.save(pd.DataFrame({"user": [7, 8], "items": [list(range(12)), [3, 1]]}))
    assert saved.preview(nrows=2)["data"] == [[7, "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, … (12)"], [8, "3, 1"]]
