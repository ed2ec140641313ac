"""The double of a GPU itself: what it computes, and the faults that it sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from tests.gpu import GPU, LeftOnCpuError, OnGpu, WaitError

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from tests.gpu import GpuDouble

NUMBERS, ROWS = torch.arange(12.0).reshape(4, 3), torch.tensor([2, 0, 2])

MIXES: dict[str, Callable[[Tensor, Tensor], object]] = {
    "a sum": lambda numbers, _: numbers + torch.ones(3),
    "an index": lambda numbers, _: numbers[torch.tensor([0])],
    "rows selected": lambda numbers, _: numbers.index_select(0, torch.tensor([0])),
    "an index to write to": lambda numbers, _: numbers.index_put_((torch.tensor([0]),), numbers[1]),
    "values written": lambda numbers, rows: numbers.index_add_(0, rows, torch.ones(3, 3)),
    "numbers of Python": lambda numbers, _: numbers + torch.tensor([1.0, 2.0, 3.0], device=GPU),
    "a search": lambda numbers, rows: torch.searchsorted(numbers[:, 0].contiguous(), torch.ones(2)),
}

WAITS: dict[str, Callable[[Tensor, Tensor], object]] = {
    "item": lambda numbers, _: numbers.sum().item(),
    "float": lambda numbers, _: float(numbers[0, 0]),
    "if": lambda numbers, _: 1 if numbers.sum() > 0 else 0,
    "tolist": lambda numbers, _: numbers.tolist(),
    "cpu": lambda numbers, _: numbers.cpu(),
    "a copy into a tensor of the CPU": lambda numbers, _: torch.zeros(4, 3).copy_(numbers),
    "nonzero": lambda numbers, _: numbers.nonzero(),
    "unique": lambda _, rows: torch.unique(rows),
    "isin": lambda _, rows: torch.isin(rows, rows),
    "bincount": lambda _, rows: torch.bincount(rows),
    "lengths": lambda numbers, rows: numbers[:3].repeat_interleave(rows, dim=0),
    "a mask": lambda numbers, _: numbers[numbers > 1],
    "a mask to write to": lambda numbers, _: numbers.index_put_((numbers > 1,), numbers[0, 0]),
    "equal": lambda numbers, _: torch.equal(numbers, numbers),
    "a copy from the CPU": lambda _, __: torch.ones(3).to(GPU),
    "a copy from the CPU into a tensor": lambda numbers, _: numbers.copy_(torch.zeros(4, 3)),
}

FREE: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "a single number of the CPU": lambda numbers, _: numbers * torch.tensor(2.0),
    "a product": lambda numbers, _: numbers @ numbers.T,
    "rows": lambda numbers, rows: numbers[rows],
    "rows written": lambda numbers, rows: numbers.clone().index_fill_(0, rows, 7.0),
    "a number written": lambda numbers, rows: torch.zeros_like(numbers).index_put_((rows,), numbers.new_zeros(())),
    "lengths that are known": lambda numbers, rows: numbers[:3].repeat_interleave(rows, dim=0, output_size=4),
    "a choice": lambda numbers, _: torch.where(numbers > 1, numbers, 0.0),
    "the best": lambda numbers, _: numbers.topk(2, dim=1).values,
    "a copy that is not waited for": lambda numbers, _: torch.ones(3).to(numbers.device, non_blocking=True),
    "a sparse tensor": lambda numbers, rows: torch.sparse_coo_tensor(
        rows[None], numbers[:3], (4, 3), check_invariants=False
    ).to_dense(),
}


def sent() -> tuple[Tensor, Tensor]:
    return NUMBERS.to(GPU), ROWS.to(GPU)


@pytest.mark.parametrize("fault", MIXES)
def test_a_tensor_left_on_the_cpu_is_seen(fault: str, gpu: GpuDouble) -> None:
    with gpu, pytest.raises(LeftOnCpuError, match="left on the"):
        MIXES[fault](*sent())


@pytest.mark.parametrize("fault", WAITS)
def test_what_waits_is_seen_where_nothing_may_wait(fault: str, gpu: GpuDouble) -> None:
    with gpu:
        there = sent()
        WAITS[fault](*there)
        with gpu.watch(), pytest.raises(WaitError):
            WAITS[fault](*there)


@pytest.mark.parametrize("name", FREE)
def test_what_does_not_wait_gives_the_numbers_of_a_cpu(name: str, gpu: GpuDouble) -> None:
    with gpu:
        there = sent()
        with gpu.watch():
            made = FREE[name](*there)
        assert isinstance(made, OnGpu)
        assert torch.equal(made.cpu(), FREE[name](NUMBERS, ROWS))
