"""Shuffling changes the order and nothing else."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.mark.parametrize("n", [2, 9, 20])
def test_the_items_stay(defended, ranked, n):
    served = defended(f"shuffle_{n}").serve(ranked)
    assert (np.sort(served.items) == np.sort(ranked.items[:, :20])).all()


def test_at_full_strength_nothing_of_the_order_is_left(defended, ranked):
    places = np.concatenate([_new_places(defended, ranked, seed) for seed in range(30)])
    assert places.mean(axis=0) == pytest.approx(np.full(20, 9.5), abs=0.5)


def _new_places(defended, ranked, seed: int) -> np.ndarray:
    """Where the item of each place is now ``[n_users, 20]``."""
    served, own = defended("shuffle_20", seed=seed).serve(ranked).items.tolist(), ranked.items[:, :20].tolist()
    return np.array([[row.index(item) for item in items] for row, items in zip(served, own, strict=True)])
