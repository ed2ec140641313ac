"""Compiled losses against torch's: the same loss, the same gradients, and trainings that end in the same place."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rec_msa.foundation.errors import SettingsError
from rec_msa.recommenders.checkpoint import build, fuse
from rec_msa.training import fit as fitting
from rec_msa.training.compiled import CompiledLoss, compiled_loss
from rec_msa.training.interactions import InteractionTask
from rec_msa.training.settings import TrainingSettings
from tests.training.small import USERS, frame, random_interactions

if TYPE_CHECKING:
    from rec_msa.recommenders.base import GradientRecommender
    from rec_msa.training.fit import Batch

N_USERS, N_ITEMS = 6, 9
CASES = [*product(("bpr", "lmf"), (False, True), (0.0, 0.05), (1, 3))]
"""Model, biases, l2, negatives."""


def made(name: str, bias: bool, l2: float, negatives: int, n_users: int = N_USERS) -> GradientRecommender:
    how = {"dimensions": 5, "bias": bias, "l2": l2, "negatives": negatives}
    model: GradientRecommender = build(name, torch.arange(n_users), N_ITEMS, how)  # type: ignore[assignment]
    model.initialise(torch.Generator().manual_seed(1))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(2)))
    return model


def batch_of(n: int, negatives: int, seed: int) -> Batch:
    rng = np.random.default_rng(seed)
    shapes = ((N_USERS, (n,)), (N_ITEMS, (n,)), (N_ITEMS, (n, negatives)))
    return tuple(torch.from_numpy(rng.integers(0, high, shape)) for high, shape in shapes)


def learned(model: GradientRecommender) -> dict[str, torch.Tensor]:
    return {name: one for name, one in model.named_parameters() if one.requires_grad}


def torchs(model: GradientRecommender, batch: Batch) -> tuple[float, dict[str, torch.Tensor]]:
    model.zero_grad()
    loss = model.loss(*batch)
    loss.backward()
    return loss.item(), {name: one.grad.clone() for name, one in learned(model).items() if one.grad is not None}


def assert_same_gradients(model: GradientRecommender, compiled: CompiledLoss, batch: Batch) -> None:
    expected, gradients = torchs(model, batch)
    assert compiled(batch) == pytest.approx(expected, rel=1e-5)
    for name, parameter in learned(model).items():
        found = parameter.grad
        assert found is not None and found.is_sparse
        rows = found._indices()[0]
        assert len(rows.unique()) == len(rows), f"{name}: a row comes twice"
        torch.testing.assert_close(found.to_dense(), gradients[name], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("name", "bias", "l2", "negatives"), CASES)
def test_loss_and_gradients_are_torchs_whatever_the_length_of_a_batch(
    name: str, bias: bool, l2: float, negatives: int
) -> None:
    """More terms than rows, so that rows come often; one; as many as before, and more than any before."""
    model = made(name, bias, l2, negatives)
    compiled = CompiledLoss(model.dot_loss())  # type: ignore[arg-type]
    for seed, n in enumerate((16, 1, 16, 50)):
        assert_same_gradients(model, compiled, batch_of(n, negatives, seed))


@given(st.lists(st.tuples(*(st.integers(0, n - 1) for n in (N_USERS, N_ITEMS, N_ITEMS))), min_size=1, max_size=12))
@settings(deadline=None)
def test_rows_may_come_as_often_as_they_like(terms: list[tuple[int, int, int]]) -> None:
    """A positive that is a negative of the same term, too, among them."""
    model = made("bpr", bias=True, l2=0.05, negatives=1)
    users, positives, negatives = torch.tensor(terms).T.contiguous()
    batch = (users, positives, negatives.unsqueeze(1))
    assert_same_gradients(model, CompiledLoss(model.dot_loss()), batch)  # type: ignore[arg-type]


def test_scores_far_from_zero_have_a_finite_loss() -> None:
    model = made("lmf", bias=True, l2=0.0, negatives=3)
    with torch.no_grad():
        model.get_parameter("users.weight").mul_(100)
    assert_same_gradients(model, CompiledLoss(model.dot_loss()), batch_of(30, 3, 0))  # type: ignore[arg-type]


def test_a_batch_of_nothing_has_no_loss_and_touches_no_row() -> None:
    model = made("bpr", bias=False, l2=0.0, negatives=1)
    loss = CompiledLoss(model.dot_loss())(batch_of(0, 1, 0))  # type: ignore[arg-type]
    assert loss == 0
    assert all(one.grad is not None and not len(one.grad._values()) for one in learned(model).values())


def test_what_a_compiled_loss_cannot_say_is_left_to_torch() -> None:
    bpr, lmf, fused, frozen = (made(name, False, 0.0, 1) for name in ("bpr", "lmf", "bpr", "bpr"))
    fuse(fused)
    frozen.get_parameter("items.weight").requires_grad_(False)
    ncf: GradientRecommender = build("ncf", torch.arange(3), 4, {})  # type: ignore[assignment]
    served = [
        compiled_loss(one.dot_loss(), [p for p in one.row_parameters() if p.requires_grad]) is not None
        for one in (bpr, lmf, fused, frozen, ncf)
    ]
    assert served == [True, True, False, False, False]
    assert compiled_loss(bpr.dot_loss(), [bpr.get_parameter("users.weight")]) is None
    assert compiled_loss(bpr.double().dot_loss(), bpr.row_parameters()) is None


def trained(name: str = "bpr", seed: int = 0, **rules: Any) -> tuple[GradientRecommender, list[float]]:
    """A model trained by row on batches of which the last is short, and its losses."""
    model: GradientRecommender = build(name, torch.tensor(USERS), 40, {"dimensions": 4})  # type: ignore[assignment]
    model.initialise(torch.Generator().manual_seed(3))
    task = InteractionTask(model, random_interactions(40, 15, 2), frame((4, 0), (10, 1), (30, 2)))
    task.start_counts = False
    usual = {"batch_size": 7, "max_steps": 40, "validate_every": 40, "row_sparse_from": 1, "learning_rate": 0.05}
    chosen = TrainingSettings(**usual | rules)
    curve = fitting.fit(model, task, chosen, torch.Generator().manual_seed(seed), "compiled")
    return model, curve["loss"].tolist()[1:]


@pytest.mark.parametrize("schedule", ["constant", "linear"])
@pytest.mark.parametrize("name", ["bpr", "lmf"])
def test_a_training_ends_where_torchs_ends(name: str, schedule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, losses = trained(name, schedule=schedule)
    monkeypatch.setattr(fitting, "compiled_loss", lambda *_: None)
    theirs, expected = trained(name, schedule=schedule)
    assert losses == pytest.approx(expected, rel=1e-4)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-3, atol=1e-4)


def test_the_same_stream_gives_the_same_model_to_the_bit() -> None:
    (first, _), (again, _), (other, _) = trained(seed=1), trained(seed=1), trained(seed=2)
    assert torch.equal(first.get_parameter("items.weight"), again.get_parameter("items.weight"))
    assert not torch.equal(first.get_parameter("items.weight"), other.get_parameter("items.weight"))


def test_the_best_state_is_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    states: list[torch.Tensor] = []

    def quality(task: InteractionTask) -> float:
        states.append(task.model.get_parameter("users.weight").detach().clone())
        return [0.1, 0.2, 0.9, 0.3, 0.4][len(states) - 1]

    monkeypatch.setattr(InteractionTask, "quality", quality)
    model, _ = trained(validate_every=10)
    assert [torch.equal(model.get_parameter("users.weight"), state) for state in states] == [0, 0, 1, 0, 0]


def test_a_loss_that_is_no_number_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(InteractionTask, "quality", lambda _: 0.0)
    with pytest.raises(SettingsError, match="learning_rate"):
        trained(learning_rate=1e30)


@pytest.mark.parametrize("name", ["bpr", "lmf"])
def test_where_one_table_is_large_all_that_the_loss_reads_are_updated_by_row(name: str) -> None:
    """Four users, forty items: with thirty of them large, users are updated as in a training by row alone."""
    (by_row, _), (mixed, _), (whole, _) = (trained(name, row_sparse_from=n) for n in (1, 30, 50))
    assert torch.equal(by_row.get_parameter("users.weight"), mixed.get_parameter("users.weight"))
    assert not torch.equal(by_row.get_parameter("items.weight"), whole.get_parameter("items.weight"))
