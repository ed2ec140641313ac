"""What ``kedro viz`` makes of the pipelines."""

from __future__ import annotations

import pytest

viz = pytest.importorskip("kedro_viz.server", reason="kedro-viz is an extra of its own")
LAYERS = ["01_raw", "02_intermediate", "03_primary", "04_feature", "05_model_input", "06_models", "07_model_output"]


@pytest.mark.parametrize("pipeline", ["__default__", "attack_ptaq", "attack_qsd", "defense", "evaluation"])
def test_a_box_whose_output_lay_in_a_layer_above_its_inputs_switched_all_layers_off(small_project, pipeline):
    from kedro_viz.api.rest.responses.pipelines import get_pipeline_response

    viz.load_and_populate_data(small_project.folder, pipeline_name=pipeline)
    assert get_pipeline_response(pipeline).layers == [*LAYERS, "08_reporting"]
