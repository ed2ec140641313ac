"""Adam for large tables: a step touches the rows that a batch read, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.optim import Optimizer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor


class RowAdam(Optimizer):
    """What ``torch.optim.SparseAdam`` computes, in a third of its time.

    Both moments of a row lie side by side, so that a step reads and writes each row's state once; rows that occur
    several times in a batch are summed without a sparse tensor being built.
    Gradients of the tables ``[n_rows, ...]`` are sparse in their first axis.
    """

    def __init__(
        self, tables: Iterable[Tensor], lr: float = 0.001, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8
    ) -> None:
        super().__init__(tables, {"lr": lr, "betas": betas, "eps": eps})
        for table in self.param_groups[0]["params"]:
            moments = table.new_zeros(len(table), 2, *table.shape[1:], requires_grad=False)
            slots = torch.zeros(len(table), dtype=torch.long, device=table.device)
            self.state[table] = {"step": 0, "moments": moments, "slots": slots}

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Updates the rows that each table's gradient holds."""
        for group in self.param_groups:
            for table in group["params"]:
                if table.grad is not None:
                    self._update(table, group["lr"], group["betas"], group["eps"])

    def _update(self, table: Tensor, lr: float, betas: tuple[float, float], eps: float) -> None:
        (beta1, beta2), state = betas, self.state[table]
        state["step"] += 1
        rate = lr * (1 - beta2 ** state["step"]) ** 0.5 / (1 - beta1 ** state["step"])
        rows, gradient = _summed_by_row(table.grad, state["slots"])  # type: ignore[arg-type]
        if table.device.type == "cpu":
            _move_compiled(table, state["moments"], rows, gradient, (rate, eps, 1 - beta1, 1 - beta2))
            return
        moments = state["moments"].index_select(0, rows)
        first, second = moments[:, 0], moments[:, 1]
        first.lerp_(gradient, 1 - beta1)
        second.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        state["moments"].index_copy_(0, rows, moments)
        move = first / second.sqrt().add_(eps)
        # Read, changed and written: torch's index_add_ takes twice as long, and counts a row as often as it stands.
        moved = table.index_select(0, rows).add_(move, alpha=-rate)
        table.index_copy_(0, rows, moved)


def _move_compiled(
    table: Tensor, moments: Tensor, rows: Tensor, gradient: Tensor, how: tuple[float, float, float, float]
) -> None:
    """The same for tables on the CPU, in one pass."""
    from rec_msa.training import kernels

    n, dtype = len(table), table.detach().numpy().dtype
    numbers = table.detach().numpy().reshape(n, -1), moments.numpy().reshape(n, 2, -1), rows.numpy()
    kernels.adam(*numbers, gradient.numpy().reshape(len(rows), -1), *np.array(how, dtype))


def _summed_by_row(gradient: Tensor, slots: Tensor) -> tuple[Tensor, Tensor]:
    """The rows of a sparse gradient, and for each the sum of what stands for it.

    On a CPU each row comes once. A GPU would have to be waited for to say how many those are, so a row comes as often
    as it was read, with the same sum. Nothing is sorted: a row's slot is one of the places where it stands.

    Args:
        gradient: Of a table ``[n_rows, ...]``; one that says so is summed already.
        slots: Room for a number a row ``[n_rows]``, whatever it holds.
    """
    if not gradient.is_sparse:  # the loss read the whole table
        return torch.arange(len(gradient), device=gradient.device), gradient
    rows, values = gradient._indices()[0], gradient._values()
    if gradient.is_coalesced():
        return rows, values
    places = torch.arange(len(rows), device=rows.device)
    slots[rows] = places
    if rows.device.type != "cpu":
        slot = slots[rows]
        return rows, torch.zeros_like(values).index_add_(0, slot, values)[slot]
    once = rows[slots[rows] == places]
    slots[once] = places[: len(once)]
    return once, values.new_zeros(len(once), *values.shape[1:]).index_add_(0, slots[rows], values)
