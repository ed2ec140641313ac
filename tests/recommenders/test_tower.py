"""A perceptron on pairs: the compiled blocks, and torch's path, which GPUs take, against the formula as it stands."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rec_msa.recommenders.items import FusedItemTable, Images, ItemTable
from rec_msa.recommenders.lookups import attended_shares, gather, set_row_sparse
from rec_msa.recommenders.tower import tower_scores
from tests.recommenders.gradients import assert_same_gradients, draw

N_ITEMS, BATCH, WIDTH = 11, 30, 6
PRECISIONS = pytest.mark.parametrize("precision", [torch.float32, torch.float64], ids=["compiled", "torch"])


def chosen(m: int, n: int = N_ITEMS) -> Tensor:
    return torch.randint(n, (BATCH, m), generator=torch.Generator().manual_seed(7))


def perceptron(widths: list[int], precision: torch.dtype) -> tuple[nn.ModuleList, nn.Linear]:
    torch.manual_seed(3)
    layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
    return layers.to(precision), nn.Linear(widths[-1], 1).to(precision)


def as_it_stands(first: Tensor, layers: nn.ModuleList, top: nn.Linear) -> Tensor:
    hidden = F.relu(first)
    for layer in layers:
        hidden = F.relu(layer(hidden))
    return top(hidden).squeeze(-1)  # type: ignore[no-any-return]


def ready(vectors: Tensor, precision: torch.dtype) -> Tensor:
    return vectors.detach().to(precision).requires_grad_()


@PRECISIONS
@pytest.mark.parametrize("widths", [[WIDTH], [WIDTH, 4], [WIDTH, 5, 3]], ids=len)
@pytest.mark.parametrize("m", [1, 5, 40], ids=["fewer pairs than a block", "a block and a part", "many blocks"])
def test_scores_of_what_users_and_items_bring(precision: torch.dtype, widths: list[int], m: int) -> None:
    offset, other = ready(draw(BATCH, WIDTH), precision), ready(draw(N_ITEMS, WIDTH, seed=1), precision)
    layers, top = perceptron(widths, precision)
    places = chosen(m)
    ours = tower_scores(offset, Images(other, None, None, places), layers, top)
    plain = as_it_stands(offset.unsqueeze(1) + other[places], layers, top)
    assert_same_gradients(ours, plain, (offset, other, *layers.parameters(), *top.parameters()))


@PRECISIONS
@pytest.mark.parametrize("m", [1, 5, 40])
def test_scores_of_what_two_vectors_of_an_item_bring_by_their_shares(precision: torch.dtype, m: int) -> None:
    offset, other, apart = (
        ready(draw(n, WIDTH, seed=seed), precision) for seed, n in enumerate((BATCH, N_ITEMS, N_ITEMS))
    )
    share = ready(draw(BATCH, m, seed=5).sigmoid(), precision)
    layers, top = perceptron([WIDTH, 5, 3], precision)
    places = chosen(m)
    ours = tower_scores(offset, Images(other, apart, share, places), layers, top)
    first = offset.unsqueeze(1) + other[places] + share.unsqueeze(-1) * apart[places]
    inputs = (offset, other, apart, share, *layers.parameters(), *top.parameters())
    assert_same_gradients(ours, as_it_stands(first, layers, top), inputs)


@PRECISIONS
@pytest.mark.parametrize("m", [1, 3, 40])
def test_shares_are_the_softmax_of_both_attentions(precision: torch.dtype, m: int) -> None:
    p, table, w = (
        ready(draw(*shape, seed=seed), precision) for seed, shape in enumerate([(BATCH, 5), (N_ITEMS, 5), (5,)])
    )
    auxiliary = draw(N_ITEMS, 5, seed=4, trained=False).to(precision)
    known, items = torch.arange(N_ITEMS) % 3 > 0, chosen(m)
    user = p.unsqueeze(1)
    both = torch.stack([F.relu(user * table[items]) @ w, F.relu(user * auxiliary[items]) @ w], dim=-1).softmax(-1)
    plain = torch.where(known[items], both[..., 0], 1.0)
    assert_same_gradients(attended_shares(p, table, auxiliary, w, known, items), plain, (p, table, w))


@pytest.mark.parametrize("row_sparse", [False, True])
@pytest.mark.parametrize("n_items", [5, 30, 500], ids=["all items", "those needed", "few of many"])
@pytest.mark.parametrize("attention", [None, True, False], ids=["plain", "attention", "mean"])
def test_images_are_those_of_the_vectors_that_a_user_sees(
    attention: bool | None, n_items: int, row_sparse: bool
) -> None:
    torch.manual_seed(1)
    table = ItemTable(n_items, 4) if attention is None else FusedItemTable(n_items, 4, attention=attention)
    nn.init.normal_(table.weight)
    if isinstance(table, FusedItemTable):
        nn.init.normal_(table.auxiliary)
        nn.init.normal_(table.w)
        table.known[::3] = False
    set_row_sparse(table.weight, row_sparse)
    p, linear, items = torch.randn(BATCH, 4), torch.randn(3, 4), chosen(2, n_items)
    images = table.images(p, items, linear)
    seen = gather(images.other, images.places)
    if images.apart is not None and images.share is not None:
        seen = seen + images.share.unsqueeze(-1) * gather(images.apart, images.places)
    torch.testing.assert_close(seen, table.pairs(p, items) @ linear.T, rtol=1e-4, atol=1e-5)
