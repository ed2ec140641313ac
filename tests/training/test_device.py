"""The choice of the device, with and without a GPU."""

from __future__ import annotations

import pytest
import torch

from rec_msa.foundation.errors import SettingsError
from rec_msa.training.device import TINY, choose_device, tiny_is_nothing


@pytest.fixture(params=[True, False], ids=["gpu", "no-gpu"])
def gpu(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: request.param)
    return bool(request.param)


def test_auto_takes_a_gpu_where_there_is_one(gpu: bool) -> None:
    assert choose_device("auto").type == ("cuda" if gpu else "cpu")


@pytest.mark.usefixtures("gpu")
def test_cpu_is_taken_whatever_there_is() -> None:
    assert choose_device("cpu").type == "cpu"


def test_cuda_is_refused_without_a_gpu_naming_the_key_and_the_remedy(gpu: bool) -> None:
    if gpu:
        assert choose_device("cuda").type == "cuda"
    else:
        with pytest.raises(SettingsError, match=r"device: 'cuda' .* no GPU .* device=auto or device=cpu"):
            choose_device("cuda")


@pytest.mark.parametrize("before", [False, True])
def test_tiny_numbers_are_nothing_within_and_what_they_were_behind(before: bool) -> None:
    torch.set_flush_denormal(before)
    try:
        with pytest.raises(KeyError), tiny_is_nothing():
            assert doubled(TINY) == 0
            raise KeyError
        assert (doubled(TINY) == 0) is before
    finally:
        torch.set_flush_denormal(False)


def doubled(number: float) -> float:
    return float(torch.tensor(number) * 2)
