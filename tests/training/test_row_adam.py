"""Adam on rows against torch's SparseAdam."""

from __future__ import annotations

import pytest
import torch

from rec_msa.training.row_adam import RowAdam

N_ROWS = 9


def sparse_gradient(shape: tuple[int, ...], seed: int) -> torch.Tensor:
    """A gradient of six reads, some of the same row."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randint(shape[0], (6,), generator=generator)
    values = torch.randn(6, *shape[1:], generator=generator)
    return torch.sparse_coo_tensor(rows.unsqueeze(0), values, shape, check_invariants=False)


@pytest.mark.parametrize("shape", [(N_ROWS,), (N_ROWS, 4)], ids=["numbers", "vectors"])
def test_ten_steps_are_those_of_sparse_adam(shape: tuple[int, ...]) -> None:
    ours, theirs = (
        torch.nn.Parameter(torch.linspace(-1, 1, N_ROWS).reshape(-1, *[1] * (len(shape) - 1)).expand(shape).clone())
        for _ in range(2)
    )
    optimisers = RowAdam([ours], lr=0.05), torch.optim.SparseAdam([theirs], lr=0.05)
    for seed in range(10):
        for table, optimiser in zip((ours, theirs), optimisers, strict=True):
            table.grad = sparse_gradient(shape, seed)
            optimiser.step()
            optimiser.zero_grad()
    torch.testing.assert_close(ours, theirs)


def test_rows_that_no_batch_reads_stay_as_they_are() -> None:
    table = torch.nn.Parameter(torch.ones(N_ROWS, 2))
    optimiser = RowAdam([table], lr=0.1)
    for _ in range(3):
        table.grad = torch.sparse_coo_tensor([[1, 4, 4]], torch.randn(3, 2), (N_ROWS, 2), check_invariants=False)
        optimiser.step()
    moved = (table != 1).any(dim=1).nonzero().flatten().tolist()
    assert moved == [1, 4]


def test_a_table_without_a_gradient_is_left_alone() -> None:
    table = torch.nn.Parameter(torch.ones(N_ROWS, 2))
    RowAdam([table]).step()
    assert (table == 1).all()


def test_the_step_size_can_be_changed_between_steps() -> None:
    """Adam's first moves are its rate, whatever the slope."""
    table = torch.nn.Parameter(torch.zeros(2, 1))
    optimiser = RowAdam([table], lr=0.1)
    for rate in (0.1, 0.01):
        optimiser.param_groups[0]["lr"] = rate
        table.grad = torch.sparse_coo_tensor([[0]], torch.ones(1, 1), (2, 1), check_invariants=False)
        optimiser.step()
    assert table.flatten().tolist() == pytest.approx([-0.11, 0.0], abs=1e-6)


def test_a_gradient_of_the_whole_table_moves_every_row() -> None:
    """A loss over the whole catalogue has one, and a table of 30,000 items was refused it."""
    tables = [torch.nn.Parameter(torch.ones(N_ROWS, 2)) for _ in range(2)]
    gradient = torch.randn(N_ROWS, 2, generator=torch.Generator().manual_seed(0))
    optimisers = RowAdam(tables[:1], lr=0.1), torch.optim.SparseAdam(tables[1:], lr=0.1)
    for table, optimiser, whole in zip(tables, optimisers, (gradient, gradient.to_sparse(1)), strict=True):
        table.grad = whole
        optimiser.step()
    torch.testing.assert_close(*tables)
