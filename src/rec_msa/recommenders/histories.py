"""What models that read interactions know of each row: its items, as a sparse matrix of ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Iterator


class Histories(nn.Module):
    """The items of each row, each once, in compressed rows (CSR); they are part of a checkpoint.

    Attributes:
        starts: The first place of each row in ``items``, and their number ``[n_rows + 1]``.
        items: Row by row ``[n_pairs]``.
    """

    starts: Tensor
    items: Tensor

    def __init__(self, n_rows: int, n_items: int) -> None:
        super().__init__()
        self.n_items = n_items
        self.register_buffer("starts", torch.zeros(n_rows + 1, dtype=torch.int32))
        self.register_buffer("items", torch.zeros(0, dtype=torch.int32))
        self._across: tuple[Tensor, Histories] | None = None

    @property
    def counts(self) -> Tensor:
        """Items of each row ``[n_rows]``."""
        return self.starts.diff()

    @property
    def rows(self) -> Tensor:
        """The row of each of ``items`` ``[n_pairs]``."""
        return torch.repeat_interleave(self.counts)

    def read(self, rows: Tensor, items: Tensor) -> None:
        """Takes pairs ``[n]`` for all that these rows have; other rows keep theirs."""
        own = self.rows
        kept = ~torch.isin(own, rows)
        keys = torch.cat([own[kept] * self.n_items + self.items[kept], rows * self.n_items + items])
        pairs = torch.unique(keys)
        counts = torch.bincount(pairs.div(self.n_items, rounding_mode="floor"), minlength=len(self.starts) - 1)
        self.starts = F.pad(counts.cumsum(0), (1, 0)).int()
        self.items = (pairs % self.n_items).int()

    def transposed(self) -> Histories:
        """The rows of each item."""
        if self._across is None or self._across[0] is not self.items:
            across = Histories(self.n_items, len(self.starts) - 1).to(self.items.device)
            across.read(self.items.long(), self.rows)
            self._across = self.items, across
        return self._across[1]

    def sums(self, vectors: Tensor) -> Tensor:
        """The sum of the vectors ``[n_items, d]`` of each row's items ``[n_rows, d]``: a product of matrices."""
        return F.embedding_bag(self.items, vectors, self.starts[:-1], mode="sum")

    def of(self, rows: Tensor) -> Histories:
        """The histories of some rows ``[n]`` in their order, which may repeat."""
        counts, chosen = self.counts[rows], Histories(len(rows), self.n_items).to(self.items.device)
        chosen.starts = F.pad(counts.cumsum(0), (1, 0)).int()
        moved = torch.repeat_interleave(self.starts[:-1][rows] - chosen.starts[:-1], counts)
        chosen.items = self.items[moved + torch.arange(len(moved), device=moved.device)]
        return chosen

    def dense(self) -> Tensor:
        """The matrix of ones and zeros ``[n_rows, n_items]``."""
        matrix = torch.zeros(len(self.starts) - 1, self.n_items, device=self.items.device)
        matrix[self.rows, self.items] = 1
        return matrix

    def padded(self, places: int, at_least: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """All rows in blocks of about equal length.

        Args:
            places: Of a block with its padding, but for a row that is longer.
            at_least: What a row counts for, however short it is.

        Yields:
            Rows ``[n]``, their items ``[n, longest]``, and whether each is one and no padding ``[n, longest]``.
        """
        order = torch.argsort(self.counts, descending=True, stable=True)
        lengths, start = self.counts[order].tolist(), 0
        while start < len(lengths):
            rows = order[start : start + max(1, places // max(at_least, lengths[start]))]
            place = torch.arange(lengths[start], device=rows.device)
            there = place < self.counts[rows].unsqueeze(1)
            yield rows, self.items[torch.where(there, self.starts[rows].unsqueeze(1) + place, 0)].long(), there
            start += len(rows)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        self.items = self.items.new_zeros(state_dict[f"{prefix}items"].shape)
        super()._load_from_state_dict(state_dict, prefix, *args)
