"""Uniform negatives outside what a user is known to have interacted with, without rejection."""

from __future__ import annotations

import torch
from torch import Tensor

from rec_msa.training.device import sent

ROWS_AT_ONCE = 1 << 20
"""Bounds what a draw needs beside its result."""

WORTH_COMPILING = 100_000
"""Draws on a CPU from which loading compiled code pays."""


class NegativeSampler:
    """Draws items uniformly from each row's complement.

    The r-th item that a row has not seen is r plus the number of seen items before it. With the row's seen items
    s_0 < s_1 < …, that is the number of k with s_k - k <= r: one binary search a draw, over sorted keys that hold all
    rows; no row is a loop and no draw is repeated.
    """

    def __init__(self, rows: Tensor, items: Tensor, n_rows: int, n_items: int) -> None:
        self.n_items = n_items
        pairs = torch.unique(rows * n_items + items)
        rows = pairs.div(n_items, rounding_mode="floor")
        counts = torch.bincount(rows, minlength=n_rows)
        self.offsets = torch.cumsum(counts, 0) - counts
        self.unseen = n_items - counts
        places = torch.arange(len(pairs), device=pairs.device) - self.offsets[rows]
        self.keys = rows * (n_items + 1) + pairs % n_items - places

    def draw(self, rows: Tensor, n: int, generator: torch.Generator) -> Tensor:
        """Draws n items for each row ``[batch, n]``, all of which must have an unseen one (``unseen[row] > 0``).

        The stream is on the CPU, so that numbers are the same on every device.
        """
        drawn = rows.new_empty(len(rows), n)
        for block, into in zip(rows.split(ROWS_AT_ONCE), drawn.split(ROWS_AT_ONCE), strict=True):
            self._draw(block, into, generator)
        return drawn

    def _draw(self, rows: Tensor, into: Tensor, generator: torch.Generator) -> None:
        uniform = sent(torch.rand(into.shape, generator=generator, dtype=torch.float64), rows.device)
        if rows.device.type == "cpu" and into.numel() >= WORTH_COMPILING:
            from rec_msa.training import kernels

            known = self.keys.numpy(), self.offsets.numpy(), self.unseen.numpy()
            kernels.unseen(rows.numpy(), uniform.numpy(), known, self.n_items, into.numpy())
            return
        unseen = self.unseen[rows].unsqueeze(1)
        r = torch.minimum((uniform * unseen).long(), unseen - 1)
        seen_before = torch.searchsorted(self.keys, rows.unsqueeze(1) * (self.n_items + 1) + r, right=True)
        torch.add(r, seen_before - self.offsets[rows].unsqueeze(1), out=into)
