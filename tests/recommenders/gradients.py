"""A gradient that is written out, against the one that torch derives from the plain formula."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from torch import Tensor


def draw(*shape: int, seed: int = 0, trained: bool = True) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_(trained)


def assert_same_gradients(ours: Tensor, plain: Tensor, inputs: tuple[Tensor, ...]) -> None:
    """The same values, and the same gradients of one arbitrary function of them."""
    near: dict[str, Any] = {"rtol": 1e-4, "atol": 1e-3} if ours.dtype == torch.float32 else {}
    torch.testing.assert_close(ours, plain, **near)
    towards = draw(*ours.shape, seed=9, trained=False).to(ours.dtype)
    expected = torch.autograd.grad(plain, inputs, towards)
    torch.testing.assert_close(torch.autograd.grad(ours, inputs, towards), expected, **near)
