"""What ``kedro viz`` makes of the pipelines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kedro.framework.project import pipelines

from rec_msa.datasets.files import CurveDataset, ParquetDataset
from rec_msa.runners.sequential import CellByCellRunner

viz = pytest.importorskip("kedro_viz.server", reason="kedro-viz is an extra of its own")
LAYERS = ["01_raw", "02_intermediate", "03_primary", "04_feature", "05_model_input", "06_models", "07_model_output"]


@pytest.mark.parametrize("pipeline", ["__default__", "attack_ptaq", "attack_qsd", "defense", "evaluation"])
def test_a_box_whose_output_lay_in_a_layer_above_its_inputs_switched_all_layers_off(small_project, pipeline):
    from kedro_viz.api.rest.responses.pipelines import get_pipeline_response

    viz.load_and_populate_data(small_project.folder, pipeline_name=pipeline)
    assert get_pipeline_response(pipeline).layers == [*LAYERS, "08_reporting"]


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
