"""Random streams depend on seed and role, and on nothing else."""

from __future__ import annotations

from itertools import product
from zlib import crc32

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rec_msa.foundation.randomness import keyed_uniforms, stream, torch_stream

ROLES = ("split", "target", "auxiliary", "retrain", "clone", "steal", "gate", "defense")
SEEDS = st.integers(0, 2**32)


@given(SEEDS, st.sampled_from(ROLES))
def test_a_stream_is_the_seed_sequence_of_seed_and_role(seed: int, role: str) -> None:
    expected = np.random.default_rng(np.random.SeedSequence([seed, crc32(role.encode())]))
    assert stream(seed, role).random(5).tolist() == expected.random(5).tolist()


@given(SEEDS, st.sampled_from(ROLES))
def test_a_torch_stream_repeats(seed: int, role: str) -> None:
    first, again = (torch.rand(5, generator=torch_stream(seed, role)) for _ in range(2))
    assert torch.equal(first, again)


def test_no_two_seeds_or_roles_share_a_stream() -> None:
    cells = list(product(range(5), ROLES))
    assert len({stream(*cell).random() for cell in cells}) == len(cells)
    assert len({torch.rand((), generator=torch_stream(*cell), dtype=torch.float64).item() for cell in cells}) == len(
        cells
    )


def test_a_stream_disturbs_neither_other_streams_nor_the_global_ones() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    other = stream(0, "target")
    stream(0, "split").random(100)
    torch_stream(0, "split")
    torch.rand(7, generator=torch_stream(0, "clone"))
    assert torch.equal(torch.rand(3), expected)
    assert other.random(3).tolist() == stream(0, "target").random(3).tolist()


@given(
    SEEDS, st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 99)), min_size=1, max_size=8), st.integers(0, 20)
)
def test_keyed_numbers_depend_on_their_key_and_not_on_the_others(
    seed: int, keys: list[tuple[int, int]], n: int
) -> None:
    together = keyed_uniforms(seed, "defense", keys, n)
    assert together.shape == (len(keys), n)
    for row, key in zip(together, keys, strict=True):
        assert row.tolist() == keyed_uniforms(seed, "defense", [key], n + 3)[0, :n].tolist()


def test_keyed_numbers_are_uniform_and_differ_by_seed_role_key_and_place() -> None:
    keys = np.stack([np.arange(500), np.zeros(500, dtype=int)], axis=1)
    drawn = [
        keyed_uniforms(seed, role, keys + np.array([0, turn]), 200)
        for seed, role, turn in [(0, "gate", 0), (1, "gate", 0), (0, "defense", 0), (0, "gate", 1)]
    ]
    assert len(np.unique(np.stack(drawn))) == 4 * 500 * 200
    for numbers in drawn:
        assert np.histogram(numbers, bins=10, range=(0, 1))[0] / numbers.size == pytest.approx(
            np.full(10, 0.1), abs=0.005
        )
        assert abs(np.corrcoef(numbers[:, 0], numbers[:, 1])[0, 1]) < 0.15
        assert numbers.mean(axis=1) == pytest.approx(np.full(500, 0.5), abs=0.09)
