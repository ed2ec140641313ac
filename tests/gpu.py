"""A double of a GPU: tensors that say they lie on another device, and refuse what a GPU refuses or would wait for.

Their numbers lie on the CPU. So whole trainings run on it, and must end where they end on a CPU.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from torch.optim import optimizer
from torch.utils._foreach_utils import _get_fused_kernels_supported_devices
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map_only

from rec_msa.recommenders import items, lookups, ranking, tower
from rec_msa.training import fit
from rec_msa.training.device import choose_device

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

    from rec_msa.recommenders.checkpoint import Checkpoint

GPU = torch.device("meta")
"""The one device beside the CPU that every build of torch can differentiate on; the project uses it for nothing."""

aten = torch.ops.aten
COPIES = (aten._to_copy.default, aten.copy_.default)
INDEXING = (aten.index.Tensor, aten.index_put_.default, aten.index_put.default, aten._index_put_impl_.default)
READ_BACK = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}


class LeftOnCpuError(AssertionError):
    """A tensor of the CPU meets one of the GPU."""


class WaitError(AssertionError):
    """The CPU would wait here until the GPU has done all that it was told."""


class OnGpu(torch.Tensor):
    """A tensor on the double; ``numbers`` is the one on the CPU that it stands for."""

    numbers: torch.Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @staticmethod
    def __new__(cls, numbers: torch.Tensor) -> OnGpu:
        strides = None if numbers.is_sparse else numbers.stride()
        made: OnGpu = torch.Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls, numbers.shape, strides=strides, dtype=numbers.dtype, layout=numbers.layout, device=GPU
        )
        made.numbers = numbers
        return made

    @classmethod
    def __torch_dispatch__(cls, *_: Any) -> Any:
        return NotImplemented

    def tolist(self) -> Any:
        """Reads all numbers back; torch has no such method for tensors of one's own."""
        return self.cpu().tolist()


class GpuDouble(TorchDispatchMode):
    """Runs what is asked of tensors on the double, as long as the mode is on.

    Attributes:
        watched: Whether nothing may make the CPU wait just now.
        may_wait: Whether it may for once, watched or not.
    """

    def __init__(self) -> None:
        super().__init__()
        self.watched = self.may_wait = False

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Nothing may wait."""
        before, self.watched = self.watched, True
        try:
            yield
        finally:
            self.watched = before

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        tensors = [one for one in tree_leaves((args, kwargs)) if isinstance(one, torch.Tensor)]
        device = kwargs.get("device")
        if device != GPU and not any(isinstance(one, OnGpu) for one in tensors):
            return function(*args, **kwargs)
        if function not in COPIES:
            _require_one_device(function, tensors)
        if self.watched and not self.may_wait and (why := _wait(function, args, kwargs)):
            raise WaitError(f"{function} {why}")
        numbers, named = tree_map_only(OnGpu, lambda one: one.numbers, (args, kwargs))
        made = function(*numbers, **(named | {"device": torch.device("cpu")} if device is not None else named))
        if device is not None and device != GPU:
            return made
        if function is COPIES[1] and not isinstance(args[0], OnGpu):
            return args[0]
        return return_and_correct_aliasing(function, args, kwargs, tree_map_only(torch.Tensor, OnGpu, made))


def _require_one_device(function: Any, tensors: list[torch.Tensor]) -> None:
    """Single numbers may come from the CPU, as on a real GPU."""
    for one in tensors:
        if not isinstance(one, OnGpu) and one.dim():
            raise LeftOnCpuError(f"{function} meets a tensor {list(one.shape)} that was left on the {one.device.type}")


def _wait(function: Any, args: Any, kwargs: Any) -> str:
    """Why a function makes the CPU wait; nothing where it does not."""
    if function in INDEXING:
        masked = any(one is not None and one.dtype == torch.bool for one in args[1])
        return "reads back how many places a mask has" if masked else ""
    if READ_BACK.intersection(function.tags) and kwargs.get("output_size") is None:
        return "reads a number back"
    if function.overloadpacket is aten.isin:
        return "reads back how many there are"
    if function is aten._to_copy.default:
        there = kwargs.get("device", args[0].device) == GPU
        return _wait_of_copy(args[0], there, kwargs.get("non_blocking", False))
    if function is aten.copy_.default:
        return _wait_of_copy(args[1], isinstance(args[0], OnGpu), True in args[2:])
    return ""


def _wait_of_copy(source: torch.Tensor, to_gpu: bool, non_blocking: bool) -> str:
    if not to_gpu:
        return "copies numbers back"
    return "" if isinstance(source, OnGpu) or non_blocking else "waits until a copy is there; non_blocking does not"


class _Generator(torch.Generator):
    """A stream on the double draws on the CPU."""

    def __new__(cls, device: torch.device | str = "cpu") -> _Generator:
        return super().__new__(cls, "cpu" if device == GPU else device)


def stand_in(monkeypatch: pytest.MonkeyPatch) -> GpuDouble:
    """A double that ``device=cuda`` means from now on, and that watches each step, and each chunk of a ranking."""
    gpu = GpuDouble()

    def watched(function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any) -> Any:
            with gpu.watch():
                return function(*args)

        return run

    def watched_batches(*args: Any) -> Iterator[Any]:
        batches = endless(*args)
        while True:
            with gpu.watch():
                batch = next(batches)
            yield batch

    endless, chosen = fit._endless, choose_device
    monkeypatch.setattr(fit, "_endless", watched_batches)
    monkeypatch.setattr(fit._Fitting, "step", watched(fit._Fitting.step))
    monkeypatch.setattr(ranking, "_best", watched(ranking._best))
    monkeypatch.setattr(torch, "Generator", _Generator)
    for module in (lookups, items, tower):
        monkeypatch.setattr(module, "is_compiled", lambda *_: False)  # the CPU beside it takes the same way
    fused = _get_fused_kernels_supported_devices()
    monkeypatch.setattr(optimizer, "_get_fused_kernels_supported_devices", lambda: [*fused, GPU.type])
    for module in filter(None, list(sys.modules.values())):  # None stands for one that is known not to be there
        if vars(module).get("choose_device") is chosen:
            monkeypatch.setattr(module, "choose_device", lambda name: GPU if name == "cuda" else torch.device("cpu"))
    return gpu


def assert_same(there: tuple[Checkpoint, pd.DataFrame], here: tuple[Checkpoint, pd.DataFrame]) -> None:
    """Two trainings went the same way and ended at the same numbers."""
    torch.testing.assert_close(there[0]["state"], here[0]["state"], rtol=1e-4, atol=1e-5)
    pd.testing.assert_frame_equal(there[1], here[1], rtol=1e-4)
