"""The training step against a plain loop: torch's own gradients, torch's own Adam, nothing written out."""

from __future__ import annotations

import copy
from itertools import islice, product
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch

from rec_msa.recommenders import lookups
from rec_msa.recommenders.checkpoint import build, fuse
from rec_msa.recommenders.items import FusedItemTable
from rec_msa.training.fit import fit
from rec_msa.training.interactions import InteractionTask
from rec_msa.training.settings import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from rec_msa.recommenders.base import Recommender

N_USERS, N_ITEMS, STEPS = 12, 40, 25
MATRIX_MODELS = ("bpr", "lmf", "ncf")
CASES = [*product(MATRIX_MODELS, (False, True), (0.0, 0.01))]


def interactions(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    pairs = [(user, item) for user in range(N_USERS) for item in rng.choice(N_ITEMS, 8, replace=False)]
    return pd.DataFrame(pairs, columns=["user", "item"]).sample(frac=1, random_state=seed)


def make(name: str, *, fused: bool, **settings: Any) -> Recommender:
    model = build(name, torch.arange(N_USERS), N_ITEMS, {"dimensions": 8, **settings})
    if fused:
        fuse(model)
    generator = torch.Generator().manual_seed(3)
    model.initialise(generator)
    with torch.no_grad():
        for table in model.tables():
            if isinstance(table, FusedItemTable):
                table.auxiliary.normal_(std=0.1, generator=generator)
                table.known[::5] = False
    return model


def use_torchs_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts the formulas in the place of the functions whose gradients are written out."""

    def regularised_dots(p: Tensor, q: Tensor, l2: float) -> tuple[Tensor, Tensor]:
        norms = [v.square().sum(-1).mean() for v in (p, q[:, 0], q[:, 1:])]
        return torch.einsum("bd,bmd->bm", p, q), 0.5 * l2 * torch.stack(norms).sum()

    def attend(p: Tensor, q_c: Tensor, q_a: Tensor, w: Tensor, known: Tensor) -> Tensor:
        alpha, beta = (torch.relu(p.unsqueeze(1) * q) @ w for q in (q_c, q_a))
        share = torch.stack([alpha, beta], dim=-1).softmax(-1).unsqueeze(-2)
        fused = share[..., 0] * q_c + share[..., 1] * q_a
        return torch.where(known.unsqueeze(-1), fused, q_c)

    plain: dict[str, Callable[..., Any]] = {
        "_Gather": lambda table, rows, sparse: table[rows],
        "_RegularisedDots": regularised_dots,
        "_Attend": attend,
    }
    for name, formula in plain.items():
        monkeypatch.setattr(lookups, name, SimpleNamespace(apply=formula))


def plain_loop(model: Recommender, optimiser: torch.optim.Optimizer, batch_size: int) -> None:
    task = InteractionTask(model, interactions(0), interactions(1).head(20))
    generator = torch.Generator().manual_seed(5)
    batches = (batch for _ in range(STEPS) for batch in task.epoch(batch_size, generator))
    for batch in islice(batches, STEPS):
        optimiser.zero_grad()
        model.loss(*batch).backward()
        optimiser.step()


def our_loop(model: Recommender, **settings: Any) -> None:
    task = InteractionTask(model, interactions(0), interactions(1).head(20))
    task.start_counts = False
    rules = TrainingSettings(max_steps=STEPS, validate_every=STEPS, batch_size=16, **settings)
    fit(model, task, rules, torch.Generator().manual_seed(5), "ours")


def assert_same_state(ours: Recommender, plain: Recommender) -> None:
    for (name, mine), theirs in zip(ours.named_parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, atol=2e-5, rtol=1e-3, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.parametrize(("name", "fused", "l2"), CASES)
def test_the_loop_ends_where_a_plain_loop_ends(
    name: str, fused: bool, l2: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = make(name, fused=fused, l2=l2)
    plain = copy.deepcopy(ours)
    our_loop(ours, learning_rate=0.01)
    use_torchs_gradients(monkeypatch)
    trained = [p for p in plain.parameters() if p.requires_grad]
    plain_loop(plain, torch.optim.Adam(trained, lr=0.01, foreach=False), batch_size=16)
    assert_same_state(ours, plain)


def test_an_item_bias_is_learned_as_in_a_plain_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = make("bpr", fused=False, bias=True)
    plain = copy.deepcopy(ours)
    our_loop(ours, learning_rate=0.01)
    use_torchs_gradients(monkeypatch)
    plain_loop(plain, torch.optim.Adam(plain.parameters(), lr=0.01, foreach=False), batch_size=16)
    assert ours.get_parameter("item_bias").abs().min() > 0
    assert_same_state(ours, plain)


@pytest.mark.parametrize(("name", "fused"), [*product(MATRIX_MODELS, (False, True))])
def test_row_sparse_updates_are_those_of_sparse_adam(name: str, fused: bool) -> None:
    """Tables by SparseAdam, all else by Adam; the batches of an epoch leave some rows untouched at every step."""
    ours = make(name, fused=fused)
    plain = copy.deepcopy(ours)
    our_loop(ours, learning_rate=0.01, row_sparse_from=1)
    tables = plain.row_parameters()
    for table in tables:
        lookups.set_row_sparse(table, True)
    others = [p for p in plain.parameters() if p.requires_grad and not any(p is table for table in tables)]
    groups = [torch.optim.SparseAdam(tables, lr=0.01), *([torch.optim.Adam(others, lr=0.01)] if others else [])]
    both = SimpleNamespace(
        zero_grad=lambda: [optimiser.zero_grad() for optimiser in groups],
        step=lambda: [optimiser.step() for optimiser in groups],
    )
    plain_loop(plain, both, batch_size=16)  # type: ignore[arg-type]
    assert_same_state(ours, plain)


def test_tables_below_the_size_are_updated_as_a_whole() -> None:
    whole, by_row, small = (make("bpr", fused=False) for _ in range(3))
    our_loop(whole), our_loop(by_row, row_sparse_from=N_USERS), our_loop(small, row_sparse_from=N_ITEMS + 1)
    assert torch.equal(whole.tables()[0].weight, small.tables()[0].weight)
    assert not torch.equal(whole.tables()[0].weight, by_row.tables()[0].weight)


def test_a_linear_schedule_takes_ever_smaller_steps_down_to_nothing() -> None:
    """Adam moves a weight whose slope never changes by its rate: the moves show the rates."""
    model = make("bpr", fused=False)
    moves: list[float] = []

    class Slope:
        measure, start_counts, n_terms = "figure", False, 1

        def epoch(self, batch_size: int, generator: torch.Generator) -> Any:
            yield ()

        def loss(self, batch: Any) -> Tensor:
            return model.tables()[0].weight.sum()

        def quality(self) -> float:
            moves.append(-float(model.tables()[0].weight.detach()[0, 0]))
            return float(len(moves))

    rules = TrainingSettings(max_steps=4, validate_every=1, learning_rate=0.1, schedule="linear")
    fit(model, Slope(), rules, torch.Generator().manual_seed(0), "slope")
    assert np.diff(moves) == pytest.approx([0.1, 0.075, 0.05, 0.025], rel=1e-3)
