"""The yardstick: the obvious PyTorch loop for bpr, lmf and ncf, as a tutorial writes it: ``bpr TASK``.

Embeddings, index batches, negatives drawn until they hit no training pair, autograd, ``torch.optim.Adam``. Nothing here
is tuned, and nothing of the project is used but the task.
"""

from __future__ import annotations

import argparse
import itertools
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.contenders import PLAIN
from bench.measure import report
from bench.race import FinishedError, Race
from bench.speed_task import RECALL_AT, SpeedTask

if TYPE_CHECKING:
    import numpy as np

    from bench.contenders import Setting

DIMENSIONS, SCALE, BATCH = 64, 0.01, 2048


def main() -> None:
    """Runs the race that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=PLAIN)
    parser.add_argument("task", help="file that SpeedTask.save wrote")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    task = SpeedTask.load(arguments.task)
    race = train(arguments.model, PLAIN[arguments.model], task)
    report(**race.figures(len(task.train_users)))


class Factors(nn.Module):
    """Matrix factorisation with item and user biases where they are wanted."""

    def __init__(self, n_users: int, n_items: int, biases: bool) -> None:
        super().__init__()
        self.users, self.items = _embedding(n_users), _embedding(n_items)
        self.user_bias, self.item_bias = nn.Embedding(n_users, 1), nn.Embedding(n_items, 1)
        for bias in (self.user_bias, self.item_bias):
            nn.init.zeros_(bias.weight)
            bias.weight.requires_grad_(biases)

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """Scores of pairs, any shape."""
        products = (self.users(users) * self.items(items)).sum(-1)
        scores: Tensor = products + self.user_bias(users).squeeze(-1) + self.item_bias(items).squeeze(-1)
        return scores


class NeuMF(nn.Module):
    """A product branch and a perceptron 128-64-32-16 on both vectors, each with its own embeddings."""

    def __init__(self, n_users: int, n_items: int) -> None:
        super().__init__()
        self.product_users, self.product_items = _embedding(n_users), _embedding(n_items)
        self.tower_users, self.tower_items = _embedding(n_users), _embedding(n_items)
        widths = (2 * DIMENSIONS, 64, 32, 16)
        layers = [[nn.Linear(a, b), nn.ReLU()] for a, b in itertools.pairwise(widths)]
        self.tower = nn.Sequential(*(part for layer in layers for part in layer))
        self.output = nn.Linear(DIMENSIONS + widths[-1], 1)

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """Scores of pairs, any shape."""
        product = self.product_users(users) * self.product_items(items)
        hidden = self.tower(torch.cat([self.tower_users(users), self.tower_items(items)], dim=-1))
        scores: Tensor = self.output(torch.cat([product, hidden], dim=-1)).squeeze(-1)
        return scores


def build(name: str, n_users: int, n_items: int) -> nn.Module:
    """Makes the model of a name, its parameters drawn."""
    return NeuMF(n_users, n_items) if name == "ncf" else Factors(n_users, n_items, biases=name == "lmf")


def loss(name: str, model: nn.Module, users: Tensor, positives: Tensor, negatives: Tensor) -> Tensor:
    """The model's loss on rows ``[batch]``, positives ``[batch]`` and negatives ``[batch, n]``."""
    better = model(users, positives).unsqueeze(1)
    worse = model(users.unsqueeze(1).expand_as(negatives), negatives)
    if name == "bpr":
        return -F.logsigmoid(better - worse).mean()
    scores = torch.cat([better, worse], dim=1)
    return F.binary_cross_entropy_with_logits(scores, torch.zeros_like(scores).index_fill_(1, torch.tensor([0]), 1.0))


def draw(users: Tensor, n: int, n_items: int, seen: Tensor) -> Tensor:
    """Negatives ``[batch, n]``, drawn again where the pair is seen (``[n_users x n_items]`` of bool)."""
    rows = users.unsqueeze(1).expand(-1, n)
    drawn = torch.randint(n_items, rows.shape)
    while (again := seen[rows * n_items + drawn]).any():
        drawn[again] = torch.randint(n_items, (int(again.sum()),))
    return drawn


def train(name: str, setting: Setting, task: SpeedTask) -> Race:
    """Trains a model until the race is over."""
    race = Race(lambda: task.recall(top_lists(model, task)), setting)
    model = build(name, task.n_users, task.n_items)
    users, items = torch.from_numpy(task.train_users), torch.from_numpy(task.train_items)
    seen = torch.zeros(task.n_users * task.n_items, dtype=torch.bool)
    seen[users * task.n_items + items] = True
    optimiser = torch.optim.Adam(model.parameters(), lr=setting.training["learning_rate"])
    try:
        while True:
            race.look()
            for batch in torch.randperm(len(users)).split(BATCH):
                negatives = draw(users[batch], setting.model["negatives"], task.n_items, seen)
                optimiser.zero_grad()
                loss(name, model, users[batch], items[batch], negatives).backward()
                optimiser.step()
    except FinishedError:
        return race


@torch.no_grad()
def top_lists(model: nn.Module, task: SpeedTask) -> np.ndarray:
    """The 50 best items of each user ``[n_users, 50]``, training items left out."""
    seen = torch.zeros(task.n_users, task.n_items, dtype=torch.bool)
    seen[torch.from_numpy(task.train_users), torch.from_numpy(task.train_items)] = True
    parts = []
    for users in torch.arange(task.n_users).split(16):
        scores = model(*torch.meshgrid(users, torch.arange(task.n_items), indexing="ij"))
        parts.append(scores.masked_fill(seen[users], -torch.inf).topk(RECALL_AT).indices)
    return torch.cat(parts).numpy()


def _embedding(n: int) -> nn.Embedding:
    table = nn.Embedding(n, DIMENSIONS)
    nn.init.normal_(table.weight, std=SCALE)
    return table


if __name__ == "__main__":
    main()
