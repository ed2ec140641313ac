"""A perceptron on pairs of users and items, whose first layer is the sum of what each of both brings to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from rec_msa.recommenders.lookups import arrays, gather, is_compiled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rec_msa.recommenders.items import Images


def tower_scores(offset: Tensor, images: Images, layers: nn.ModuleList, top: nn.Linear) -> Tensor:
    """The perceptron's scores of chosen items ``[batch, m]``.

    Args:
        offset: What users bring to the first layer ``[batch, width]``.
        images: What items bring to it.
        layers: The layers above it, each followed by a relu.
        top: The last one, of one number.
    """
    linear = [cast("nn.Linear", layer) for layer in layers]
    if not linear or not is_compiled(offset, images.other):
        return climbed(_first(offset, images), layers, top)
    weights = [*(one.weight for one in linear), *(one.bias for one in linear), top.weight]
    shared = (images.apart, images.share) if images.share is not None else (None, None)
    scores: Tensor = _Tower.apply(offset, images.other, *shared, images.places, *weights)  # type: ignore[no-untyped-call]
    return scores + top.bias


def climbed(hidden: Tensor, layers: nn.ModuleList, top: nn.Linear) -> Tensor:
    """The scores ``[batch, m]`` of the first layer's sums ``[batch, m, width]``, which are overwritten."""
    hidden = torch.relu_(hidden)
    for layer in layers:
        hidden = torch.relu_(layer(hidden))
    return cast("Tensor", top(hidden)).squeeze(-1)


def _first(offset: Tensor, images: Images) -> Tensor:
    first = offset.unsqueeze(1) + gather(images.other, images.places)
    if images.apart is None or images.share is None:
        return first
    return first.addcmul_(images.share.unsqueeze(-1), gather(images.apart, images.places))


class _Tower(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        offset: Tensor,
        other: Tensor,
        apart: Tensor | None,
        share: Tensor | None,
        places: Tensor,
        *layers: Tensor,
    ) -> Tensor:
        from rec_msa.recommenders import tower_kernels

        if apart is None or share is None:
            apart, share = other.new_empty(0, other.shape[1]), other.new_empty(0, 0)
        ctx.save_for_backward(offset, other, apart, share, places, *layers)
        scores = offset.new_empty(places.shape)
        weights, biases, last = _parted(layers)
        n_blocks = -(-places.numel() // tower_kernels.BLOCK)
        ctx.above = tuple(np.empty((n_blocks, tower_kernels.BLOCK, len(one)), np.float32) for one in weights)
        [first] = _room([offset.shape[1]])
        read = _read(offset, other, apart, share, places)
        tower_kernels.scores(*read, weights, biases, last, first, ctx.above, *arrays(scores))
        return scores

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_scores: Tensor) -> tuple[Tensor | None, ...]:
        from rec_msa.recommenders import tower_kernels

        offset, other, apart, share, places, *layers = ctx.saved_tensors
        made = [torch.zeros_like(one) for one in (offset, other, apart, share, *layers)]
        to_offset, to_other, to_apart, to_share, *to_layers = made
        weights, _, last = _parted(layers)
        widths = [offset.shape[1], *(len(one) for one in weights)]
        [first], parts = _room(widths[:1]), tuple(np.empty_like(one) for one in weights)
        into = *arrays(to_offset), tuple(arrays(to_other, to_apart)), *arrays(to_share), _parted(to_layers)
        read = _read(offset, other, apart, share, places)
        room = first, _room(widths), parts
        tower_kernels.gradients(*arrays(to_scores), *read, weights, last, ctx.above, room, *into)
        by_share = (to_apart, to_share) if len(apart) else (None, None)
        return to_offset, to_other, *by_share, None, *to_layers


def _read(offset: Tensor, other: Tensor, apart: Tensor, share: Tensor, places: Tensor) -> tuple[Any, ...]:
    """What both kernels read, as they want it."""
    return *arrays(offset), tuple(arrays(other, apart)), *arrays(share, places)


def _parted(layers: Any) -> tuple[Any, ...]:
    """Weights, biases and the last weights, as the kernels want them."""
    *both, last = arrays(*layers)
    depth = len(both) // 2
    return tuple(both[:depth]), tuple(both[depth:]), last.reshape(-1)


def _room(widths: Sequence[int]) -> tuple[np.ndarray, ...]:
    """Zeros for a block of pairs in layers of these widths: ``[BLOCK, width]`` each."""
    from rec_msa.recommenders.tower_kernels import BLOCK

    return tuple(np.zeros((BLOCK, one), np.float32) for one in widths)
