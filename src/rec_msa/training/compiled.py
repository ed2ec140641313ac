"""Losses of dot products and their gradients in one compiled pass, for tables whose rows are updated apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from rec_msa.recommenders.base import DotLoss
    from rec_msa.training.fit import Batch


class _Room(NamedTuple):
    """Where the gradients of one side's rows are summed; whatever it holds, nothing has to be cleared."""

    slots: np.ndarray
    rows: np.ndarray
    vectors: np.ndarray
    biases: np.ndarray


class CompiledLoss:
    """What ``loss(batch).backward()`` does, with the same numbers but for rounding.

    A row that occurs several times in a batch comes once in its table's gradient, which is sparse.
    """

    def __init__(self, loss: DotLoss) -> None:
        self.loss = loss
        self.sides = (loss.users, loss.user_bias), (loss.items, loss.item_bias)
        self.tables = tuple(_numbers(table) for table in (loss.users, loss.items, loss.user_bias, loss.item_bias))
        self.rooms = [_room(vectors, 0) for vectors, _ in self.sides]

    def __call__(self, batch: Batch) -> float:
        """The loss of users' rows, positives and negatives; the gradients are the tables' own."""
        from rec_msa.training import kernels

        users, positives, negatives = batch
        items = torch.cat([positives.unsqueeze(1), negatives], dim=1)
        for place, n in enumerate((len(users), items.numel())):
            if len(self.rooms[place].rows) < n:
                self.rooms[place] = _room(self.sides[place][0], n)
        what = users.numpy(), items.numpy(), self.loss.pairwise, self.loss.l2, self.tables
        loss, *counts = kernels.gradients(*what, *map(tuple, self.rooms))
        for (vectors, bias), room, n in zip(self.sides, self.rooms, counts, strict=True):
            vectors.grad = _sparse(room.rows[:n], room.vectors[:n], vectors)
            if bias is not None:
                bias.grad = _sparse(room.rows[:n], room.biases[:n, 0], bias)
        return float(loss)


def compiled_loss(loss: DotLoss | None, row_sparse: list[Tensor]) -> CompiledLoss | None:
    """The loss compiled, where all its tables are updated by row and lie on the CPU; else there is none."""
    if loss is None:
        return None
    tables = [table for table in (loss.users, loss.items, loss.user_bias, loss.item_bias) if table is not None]
    fit = {id(table) for table in row_sparse if table.device.type == "cpu" and table.dtype == torch.float32}
    return CompiledLoss(loss) if all(id(table) in fit for table in tables) else None


def _numbers(table: Tensor | None) -> np.ndarray:
    """A table as it lies in memory, a number a row as a vector of one; nothing where there is none."""
    return np.empty((0, 1), np.float32) if table is None else table.detach().numpy().reshape(len(table), -1)


def _room(vectors: Tensor, n: int) -> _Room:
    parts = np.zeros(len(vectors), np.int64), np.empty(n, np.int64)
    return _Room(*parts, np.empty((n, vectors.shape[1]), np.float32), np.empty((n, 1), np.float32))


def _sparse(rows: np.ndarray, values: np.ndarray, table: Tensor) -> Tensor:
    numbers = torch.from_numpy(rows).unsqueeze(0), torch.from_numpy(values)
    return torch.sparse_coo_tensor(*numbers, table.shape, check_invariants=False, is_coalesced=True)
