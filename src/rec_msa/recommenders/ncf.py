"""NCF (NeuMF): He et al., "Neural collaborative filtering", WWW 2017 (arXiv 1708.05031), without pretraining."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from rec_msa.recommenders.base import FusableRecommender, cross_entropy, squared_norms
from rec_msa.recommenders.items import ItemTable
from rec_msa.recommenders.lookups import Table, draw_uniform
from rec_msa.recommenders.tower import climbed, tower_scores

if TYPE_CHECKING:
    from rec_msa.recommenders.settings import NcfSettings

TOWER_PAIRS, TOWER_PAIRS_ON_GPU = 2**12, 2**20
"""Users times items that the perceptron scores at a time: what stays in a core's cache, and what fills a GPU."""


class Ncf(FusableRecommender):
    """A product branch p * q and a perceptron branch on [p; q], each with its own embeddings, and one output logit.

    The perceptron's first layer is linear in [p; q], so the parts of users and items are computed apart and added:
    no concatenated input is ever made. In the fusion each item table has its own attention; losses act on the logit.
    """

    name = "ncf"
    settings: NcfSettings
    item_tables = ("product_items", "tower_items")

    def __init__(self, user_ids: Tensor, n_items: int, settings: NcfSettings) -> None:
        super().__init__(user_ids, n_items, settings)
        d, widths = settings.dimensions, self.settings.layers
        self.product_users = Table(self.n_users, d)
        self.product_items = ItemTable(n_items, d)
        self.tower_users = Table(self.n_users, d)
        self.tower_items = ItemTable(n_items, d)
        self.first_user = nn.Linear(d, widths[0])
        self.first_item = nn.Parameter(torch.zeros(widths[0], d))
        self.tower = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.output_product = nn.Parameter(torch.zeros(d))
        self.output_tower = nn.Linear(widths[-1], 1)

    def _draw(self, generator: torch.Generator) -> None:
        self.product_users.initialise(generator)
        self.tower_users.initialise(generator)
        for table in self.tables():
            table.initialise(generator)
        d = self.settings.dimensions
        draw_uniform(2 * d, generator, self.first_user.weight, self.first_user.bias, self.first_item)
        for layer in self.tower.children():
            draw_uniform(cast("nn.Linear", layer).in_features, generator, *layer.parameters())
        width = d + self.settings.layers[-1]
        draw_uniform(width, generator, self.output_product, self.output_tower.weight, self.output_tower.bias)

    def row_parameters(self) -> list[nn.Parameter]:
        return [table.weight for table in (self.product_users, self.tower_users, *self.tables())]

    def loss(self, users: Tensor, positives: Tensor, negatives: Tensor) -> Tensor:
        loss = cross_entropy(self.score_pairs(users, torch.cat([positives.unsqueeze(1), negatives], dim=1)))
        if self.settings.l2:
            rows = [table(users) for table in (self.product_users, self.tower_users)]
            loss = loss + 0.5 * self.settings.l2 * squared_norms(*rows, *(table(positives) for table in self.tables()))
        return loss

    def score_pairs(self, users: Tensor, items: Tensor) -> Tensor:
        p = self.product_users(users)
        product = self.product_items.pair_products(p, p * self.output_product, items)
        p = self.tower_users(users)
        images = self.tower_items.images(p, items, self.first_item)
        return product + tower_scores(self.first_user(p), images, self.tower, self.output_tower)

    def score_all(self, users: Tensor) -> Tensor:
        p = self.product_users(users)
        scores = self.product_items.products(p, p * self.output_product)
        p = self.tower_users(users)
        pairs = TOWER_PAIRS if self.on_cpu else TOWER_PAIRS_ON_GPU
        size = max(1, pairs // max(1, len(users)))
        for block, first in self.tower_items.project_blocks(p, self.first_item, self.first_user(p), size):
            scores[:, block].add_(climbed(first, self.tower, self.output_tower))
        return scores
