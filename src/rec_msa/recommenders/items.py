"""Item embeddings: a plain table, and the fusion of a clone's table with a frozen auxiliary one.

A model never asks which of the two it holds: both give an item's vector as a user sees it (``pairs``), its image
under a linear map (``images``, ``project_blocks``), and the products with the full catalogue (``products``).
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rec_msa.recommenders.lookups import (
    Table,
    attend,
    attended_dots,
    attended_shares,
    dots,
    draw_uniform,
    gather,
    is_compiled,
    is_row_sparse,
    length_penalty,
    picked_dots,
    regularised_dots,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


class Images(NamedTuple):
    """Images of chosen items under a linear map: rows of ``other``, plus their share of rows of ``apart`` if any.

    Attributes:
        other: ``[n, out]``.
        apart: ``[n, out]``.
        share: As each user has it ``[batch, m]``.
        places: The rows ``[batch, m]``.
    """

    other: Tensor
    apart: Tensor | None
    share: Tensor | None
    places: Tensor


class ItemTable(Table):
    """An item embedding of its own, the same for every user."""

    floats_per_score = 2
    """Temporary numbers that a full-catalogue score needs, for memory budgets."""

    @property
    def for_all(self) -> Tensor | None:
        """The vectors ``[n_items, d]`` where all users see the same ones."""
        return self.weight

    @property
    def fusion(self) -> tuple[Tensor, Tensor, Tensor, Tensor] | None:
        """What ``attend`` reads, where users see by it: own and auxiliary vectors, w, and which of these are known."""
        return None

    def draw_attention(self, generator: torch.Generator) -> None:
        """Draws what a fusion adds; a plain table has nothing."""

    def standing_for(self, vectors: Tensor) -> Self:
        """The same table, all else shared, with vectors ``[n_items, d]`` that a model made in place of its own."""
        view = copy.copy(self)
        view._parameters = {name: value for name, value in self._parameters.items() if name != "weight"}
        view.weight = vectors  # type: ignore[assignment]
        return view

    def pairs(self, p: Tensor, items: Tensor) -> Tensor:
        """Vectors ``[batch, m, d]`` of items ``[batch, m]`` as users ``p`` ``[batch, d]`` see them."""
        return self(items)  # type: ignore[no-any-return]

    def pair_products(self, p: Tensor, towards: Tensor, items: Tensor) -> Tensor:
        """Dot products of ``towards`` ``[batch, d]`` with items ``[batch, m]`` as ``p`` sees them: ``[batch, m]``."""
        return picked_dots(towards, self.weight, items)

    def regularised_products(self, p: Tensor, items: Tensor, l2: float) -> tuple[Tensor, Tensor]:
        """The products of ``p`` with items as it sees them, and ``regularised_dots``' penalty on what is multiplied."""
        return regularised_dots(p, self.pairs(p, items), l2)

    def images(self, p: Tensor, items: Tensor, linear: Tensor) -> Images:
        """Images of ``pairs`` under ``linear`` ``[out, d]``."""
        rows, places = self._read(items)
        return Images((self.weight if rows is None else self(rows)) @ linear.T, None, None, places)

    def _read(self, items: Tensor) -> tuple[Tensor | None, Tensor]:
        """Which rows items ``[batch, m]`` need, or none where most are needed; and where each item is among them."""
        n = len(self.weight)
        if items.numel() >= 2 * n and not is_row_sparse(self.weight):
            return None, items
        if not is_compiled(self.weight):  # counting would wait for a GPU, or walk through a large table
            return items.reshape(-1), torch.arange(items.numel(), device=items.device).view(items.shape)
        needed = torch.zeros(n, dtype=torch.bool).index_fill_(0, items.reshape(-1), True)
        return needed.nonzero().squeeze(1), (needed.cumsum(0) - 1)[items]

    def products(self, p: Tensor, towards: Tensor) -> Tensor:
        """Dot products of ``towards`` ``[batch, d]`` with every item as ``p`` sees it: ``[batch, n_items]``."""
        return towards @ self.weight.T

    def project_blocks(self, p: Tensor, linear: Tensor, offset: Tensor, size: int) -> Iterator[tuple[slice, Tensor]]:
        """Images of every item as ``p`` sees it under ``linear`` ``[out, d]``, plus an offset ``[batch, out]``.

        Comes in blocks of at most ``size`` items; the images ``[batch, block, out]`` are a tensor of their own.
        """
        images = self.weight @ linear.T
        for block in _blocks(len(images), size):
            yield block, images[block] + offset.unsqueeze(1)


class FusedItemTable(ItemTable):
    """Attention over a clone's own and a frozen auxiliary item embedding (Zhu et al. 2023, Eq. 5-8).

    For user i and item j, ``alpha = w . relu(p_i * q_c_j) + b`` and ``beta = w . relu(p_i * q_a_j) + b``; the fused
    vector is the softmax-weighted sum of q_c_j and q_a_j. b cancels in the softmax and is left out. With
    ``attention=False`` both weights are 1/2. Items without an auxiliary vector keep q_c_j alone.

    Attributes:
        auxiliary: The frozen vectors q_a ``[n_items, d]``.
        known: Whether an item's auxiliary vector may be used, ``[n_items]``.
        w: The attention vector ``[d]``.
    """

    floats_per_score = 8
    auxiliary: Tensor
    known: Tensor

    def __init__(self, n_items: int, dimensions: int, *, attention: bool = True) -> None:
        super().__init__(n_items, dimensions)
        self.attention = attention
        self.register_buffer("auxiliary", torch.zeros(n_items, dimensions))
        self.register_buffer("known", torch.ones(n_items, dtype=torch.bool))
        self.w = nn.Parameter(torch.zeros(dimensions), requires_grad=attention)

    @property
    def for_all(self) -> None:
        return None

    @property
    def fusion(self) -> tuple[Tensor, Tensor, Tensor, Tensor] | None:
        return (self.weight, self.auxiliary, self.w, self.known) if self.attention else None

    def draw_attention(self, generator: torch.Generator) -> None:
        if self.attention:
            draw_uniform(self.w.numel(), generator, self.w)

    def pairs(self, p: Tensor, items: Tensor) -> Tensor:
        q_c, q_a, known = self(items), gather(self.auxiliary, items), self.known[items]
        if not self.attention:
            return torch.lerp(q_a, q_c, torch.where(known, 0.5, 1.0).to(q_c).unsqueeze(-1))
        return attend(p, q_c, q_a, self.w, known)

    def pair_products(self, p: Tensor, towards: Tensor, items: Tensor) -> Tensor:
        if not self.attention:
            return dots(towards, self.pairs(p, items))
        return attended_dots(p, towards, self.weight, self.auxiliary, self.w, self.known, items)[0]

    def regularised_products(self, p: Tensor, items: Tensor, l2: float) -> tuple[Tensor, Tensor]:
        if not self.attention:
            return super().regularised_products(p, items, l2)
        products, squares = attended_dots(p, p, self.weight, self.auxiliary, self.w, self.known, items)
        return products, length_penalty(p, squares, l2) if l2 else p.new_zeros(())

    def images(self, p: Tensor, items: Tensor, linear: Tensor) -> Images:
        rows, places = self._read(items)
        if rows is None:
            own, other = self.weight, self.auxiliary
        else:
            own, other = self(rows), gather(self.auxiliary, rows)
        return Images(other @ linear.T, (own - other) @ linear.T, self._share_of(p, items), places)

    def _share_of(self, p: Tensor, items: Tensor) -> Tensor:
        """The softmax weight of q_c for chosen items ``[batch, m]``."""
        if self.attention:
            return attended_shares(p, self.weight, self.auxiliary, self.w, self.known, items)
        return torch.where(self.known[items], 0.5, 1.0).to(p)

    def products(self, p: Tensor, towards: Tensor) -> Tensor:
        return torch.lerp(towards @ self.auxiliary.T, towards @ self.weight.T, self._share_of_all(p))

    def project_blocks(self, p: Tensor, linear: Tensor, offset: Tensor, size: int) -> Iterator[tuple[slice, Tensor]]:
        other, apart = self.auxiliary @ linear.T, (self.weight - self.auxiliary) @ linear.T
        share = self._share_of_all(p).unsqueeze(-1)
        for block in _blocks(len(other), size):
            images = other[block] + offset.unsqueeze(1)
            yield block, images.addcmul_(share[:, block], apart[block])

    def _share_of_all(self, p: Tensor) -> Tensor:
        """The softmax weight of q_c for every item, ``[batch, n_items]``, by matrix products.

        relu(p * q) splits into relu(p) * relu(q) + relu(-p) * relu(-q), which is |p| * relu(q) - relu(-p) * q. So no
        ``[batch, n_items, d]`` tensor is made.
        """
        if not self.attention:
            share = p.new_full((len(p), len(self.weight)), 0.5)
        else:
            positive = F.relu(self.weight) - F.relu(self.auxiliary)
            logits = (p.abs() * self.w) @ positive.T
            share = logits.addmm_(F.relu(-p) * self.w, (self.weight - self.auxiliary).T, alpha=-1).sigmoid_()
        return torch.where(self.known, share, 1.0)


def _blocks(n: int, size: int) -> Iterator[slice]:
    yield from (slice(start, min(start + size, n)) for start in range(0, n, size))
