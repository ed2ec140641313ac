"""Bound functions look to Kedro like functions of what is still free."""

from __future__ import annotations

import inspect
import pickle
from importlib import import_module
from typing import get_type_hints

import pandas as pd
import pytest

from rec_msa.pipelines.binding import bind
from rec_msa.pipelines.ingestion.nodes import split_by_seed


@pytest.fixture
def interactions() -> pd.DataFrame:
    pairs = [(user, item) for user in range(10) for item in range(5)]
    return pd.DataFrame(pairs, columns=["user", "item"]).assign(timestamp=pd.array([None] * 50, dtype="Int64"))


def test_constants_are_put_in(interactions):
    bound = bind(split_by_seed, seed=3)
    pd.testing.assert_frame_equal(
        bound(interactions, 0.5, 0.1, 0.1), split_by_seed(interactions, 0.5, 0.1, 0.1, seed=3)
    )


def test_only_the_free_arguments_are_left_in_the_signature():
    shares = ["target_fraction", "validation_fraction", "test_fraction"]
    assert list(inspect.signature(bind(split_by_seed, seed=0)).parameters) == ["interactions", *shares]


def test_name_docstring_annotations_and_source_are_the_function_s_own():
    bound = bind(split_by_seed, seed=0)
    assert bound.__name__ == "split_by_seed"
    assert bound.__doc__ == split_by_seed.__doc__
    assert get_type_hints(bound)["target_fraction"] is float
    assert "def split_by_seed" in inspect.getsource(bound)
    assert inspect.getfile(bound) == split_by_seed.__code__.co_filename


def test_it_crosses_process_borders():
    assert pickle.loads(pickle.dumps(bind(split_by_seed, seed=7))).constants == {"seed": 7}


@pytest.mark.parametrize("stage", ["ingestion", "target", "attack", "evaluation", "reporting"])
def test_the_annotations_of_every_node_can_be_read_at_run_time_else_kedro_warns_at_each_start(stage):
    module = import_module(f"rec_msa.pipelines.{stage}.nodes")
    functions = [f for _, f in inspect.getmembers(module, inspect.isfunction) if f.__module__ == module.__name__]
    assert all("return" in get_type_hints(function) for function in functions)
