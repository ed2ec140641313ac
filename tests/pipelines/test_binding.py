"""Bound functions look to Kedro like functions of what is still free."""

from __future__ import annotations

import inspect
import pickle
from typing import get_type_hints

from rec_msa.interactions import SplitSettings
from rec_msa.pipelines.binding import Bound
from rec_msa.pipelines.ingestion.nodes import split_by_seed


def test_constants_are_put_in():
    assert Bound(lambda a, b: a - b, b=1)(3) == 2


def test_only_the_free_arguments_are_left_in_the_signature():
    assert list(inspect.signature(Bound(split_by_seed, seed=0)).parameters) == ["interactions", "split_settings"]


def test_name_docstring_annotations_and_source_are_the_function_s_own():
    bound = Bound(split_by_seed, seed=0)
    assert bound.__name__ == "split_by_seed"
    assert bound.__doc__ == split_by_seed.__doc__
    assert get_type_hints(bound)["split_settings"] is SplitSettings
    assert "def split_by_seed" in inspect.getsource(inspect.unwrap(bound))


def test_it_crosses_process_borders():
    assert pickle.loads(pickle.dumps(Bound(split_by_seed, seed=7))).constants == {"seed": 7}
