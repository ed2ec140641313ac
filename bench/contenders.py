"""Who races on the speed task, and with which settings. New settings of ours are lines of ``OURS``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Setting:
    """How one contender is trained.

    Attributes:
        model: Settings of the model, as our parameters or the peer's constructor name them.
        training: Settings of our training loop.
        epochs: Epochs at the most.
        patience: Epochs without a better recall before the end.
    """

    model: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    epochs: int = 60
    patience: int = 8


def falling(learning_rate: float) -> dict[str, Any]:
    """A step size that falls to 0 with the last epoch."""
    return {"learning_rate": learning_rate, "schedule": "linear"}


OURS: dict[str, dict[str, Setting]] = {
    "bpr": {
        "paper": Setting({"l2": 0.0}, epochs=75),
        "rows": Setting({"l2": 0.0}, {"row_sparse_from": 1}, epochs=100, patience=15),
        "fast": Setting({"l2": 0.01, "bias": True, "negatives": 2}, falling(0.02), epochs=5),
        "best": Setting({"l2": 0.01, "bias": True, "negatives": 4}, falling(0.01), epochs=15),
    },
    "lmf": {
        "paper": Setting({"l2": 0.0001}),
        "fast": Setting({"l2": 0.01}, falling(0.02), epochs=8),
    },
    "ncf": {
        "paper": Setting({"l2": 0.0}, epochs=25, patience=5),
        "fast": Setting({"l2": 0.001}, falling(0.005), epochs=6),
    },
}
"""Named settings of our models. A model of the project that is not here runs with its defaults, as ``default``."""

DEFAULT = {"default": Setting(epochs=5)}

PEERS: dict[str, Setting] = {
    "cornac-bpr": Setting({"learning_rate": 0.05, "lambda_reg": 0.01, "use_bias": True}, epochs=100, patience=15),
    "implicit-bpr": Setting({"learning_rate": 0.01, "regularization": 0.01}, epochs=60, patience=15),
    "implicit-lmf": Setting({"learning_rate": 1.0, "regularization": 0.6, "neg_prop": 30}, epochs=100, patience=100),
}
"""Each with 64 dimensions; how they were chosen stands in docs/performance.md."""

PLAIN: dict[str, Setting] = {
    "bpr": Setting({"negatives": 1}, {"learning_rate": 0.001}, epochs=3),
    "lmf": Setting({"negatives": 4}, {"learning_rate": 0.001}, epochs=3),
    "ncf": Setting({"negatives": 4}, {"learning_rate": 0.001}, epochs=3),
}
"""The plain loop with the paper's setting, beside which ``OURS[model]["paper"]`` stands."""

RIVALS: dict[str, tuple[str, ...]] = {
    "bpr": ("cornac-bpr", "implicit-bpr"),
    "lmf": ("implicit-lmf",),
}
"""Which peers a model of ours is set beside."""


def settings_of(model: str) -> dict[str, Setting]:
    """The named settings of one of our models."""
    return OURS.get(model, DEFAULT)
