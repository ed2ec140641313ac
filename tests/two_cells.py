"""Two cells of made-up nodes, for what orders and counts them."""

from __future__ import annotations

from kedro.pipeline import node

from rec_msa.bookkeeping.study_progress import LAST_OF_A_CELL

SPACES = ["small.seed0.bpr.none", "small.seed0.ncf.none"]


def train(raw: int) -> int:
    return raw


def attack(model: int) -> int:
    return model


def assess(model: int) -> int:
    return model


def draw(agreement: int) -> int:
    return agreement


def cell(space: str, *, shared: str = "raw") -> list:
    """A training, an attack, the last node of a cell, and one that nothing needs."""
    model, agreement = f"{space}.model", f"{space}.ptaq.agreement"
    return [
        node(train, shared, model, name="train", namespace=space),
        node(attack, model, agreement, name="attack", namespace=space),
        node(draw, agreement, f"{space}.figure", name="draw", namespace=space, tags=[LAST_OF_A_CELL]),
        node(assess, model, f"{space}.quality", name="assess", namespace=space),
    ]
