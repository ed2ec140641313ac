"""The training loop on scripted tasks: which state is kept, when it stops, what the curve says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import torch
from pydantic import ValidationError

from rec_msa.recommenders.checkpoint import build
from rec_msa.recommenders.settings import BprSettings
from rec_msa.training.fit import fit
from rec_msa.training.settings import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from rec_msa.recommenders.base import Recommender


class Scripted:
    """Moves the model at every step, and finds it as good as the script says; the last figure repeats."""

    measure = "figure"

    def __init__(self, script: list[float], *, start_counts: bool = True, batches: int = 3) -> None:
        self.model: Recommender = build("bpr", torch.arange(3), 4, BprSettings(dimensions=2))
        self.model.initialise(torch.Generator().manual_seed(0))
        self.script, self.start_counts, self.batches = script, start_counts, batches
        self.losses: list[float] = []
        self.n_terms = 2 * batches
        self.seen: list[list[Tensor]] = []
        self.steps = 0

    def epoch(self, batch_size: int, generator: torch.Generator) -> Iterator[tuple[Tensor, ...]]:
        yield from ((torch.rand(batch_size, generator=generator),) for _ in range(self.batches))

    def loss(self, batch: tuple[Tensor, ...]) -> Tensor:
        """The step's number, or what ``losses`` says, with a slope that depends on the batch."""
        self.steps += 1
        height = self.losses[min(self.steps, len(self.losses)) - 1] if self.losses else self.steps
        drift = torch.stack([parameter.sum() for parameter in self.model.parameters()]).sum() * batch[0].mean()
        return drift - drift.detach() + height

    def quality(self) -> float:
        self.seen.append([parameter.detach().clone() for parameter in self.model.parameters()])
        return self.script[min(len(self.seen), len(self.script)) - 1]

    def fit(self, seed: int = 0, **settings: Any) -> pd.DataFrame:
        usual = {
            "batch_size": 2,
            "validate_every": 2,
            "max_steps": 20,
            "patience": 100,
            "patience_epochs": 0,
            "least_steps": 0,
        }
        rules = TrainingSettings(**usual | settings)
        return fit(self.model, self, rules, torch.Generator().manual_seed(seed), "scripted")

    def ends_in(self, look: int) -> bool:
        """Whether the model now is what it was at the given look at the held-back data (0: before training)."""
        return all(torch.equal(a, b) for a, b in zip(self.model.parameters(), self.seen[look], strict=True))


@pytest.mark.parametrize(
    ("script", "best"),
    [([0.1, 0.2, 0.7, 0.3], 2), ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.91, 0.92], 10), ([0.5, 0.2, 0.4], 0)],
)
def test_the_best_state_is_restored_and_marked_as_kept(script: list[float], best: int) -> None:
    task = Scripted(script)
    curve = task.fit()
    assert task.ends_in(best)
    assert sum(task.ends_in(look) for look in range(len(task.seen))) == 1
    assert curve.loc[curve["kept"], "step"].tolist() == [2 * best]
    assert curve.loc[curve["kept"], "validation"].item() == curve["validation"].max() == script[best]


def test_of_equally_good_states_the_first_is_kept() -> None:
    task = Scripted([0.1, 0.6, 0.6, 0.2, 0.6])
    curve = task.fit()
    assert curve.loc[curve["kept"], "step"].tolist() == [2]
    assert task.ends_in(1)


@pytest.mark.parametrize("script", [[0.9, 0.1, 0.3, 0.2], [0.0], [0.3, 0.3, 0.3]])
def test_the_start_is_no_candidate_where_it_does_not_count(script: list[float]) -> None:
    task = Scripted(script, start_counts=False)
    curve = task.fit()
    kept = curve.loc[curve["kept"]]
    assert len(kept) == 1
    looks = (script + script[-1:] * 20)[1:11]
    assert kept["step"].item() == 2 * (1 + looks.index(max(looks)))
    assert not task.ends_in(0)


def test_a_start_that_counts_is_kept_where_nothing_is_better() -> None:
    task = Scripted([0.3, 0.3, 0.2])
    curve = task.fit()
    assert curve.loc[curve["kept"], "step"].tolist() == [0]
    assert task.ends_in(0)


def test_patience_counts_steps_since_the_best_state() -> None:
    curve = Scripted([0.1, 0.2, 0.7, 0.3]).fit(patience=6, max_steps=1000)
    assert curve["step"].tolist() == [0, 2, 4, 6, 8, 10]


def test_a_better_state_renews_the_patience() -> None:
    curve = Scripted([0.1, 0.2, 0.1, 0.3, 0.1]).fit(patience=4, max_steps=1000)
    assert curve["step"].iloc[-1] == 10


def test_patience_runs_from_the_start_too() -> None:
    assert Scripted([0.5, 0.1]).fit(patience=4, max_steps=1000)["step"].iloc[-1] == 4


def test_a_training_that_stops_by_its_loss_goes_on_through_a_dip_of_what_is_held_back() -> None:
    task = Scripted([0.5, 0.4, 0.3, 0.3, 0.4, 0.7, 0.6])
    task.losses = [5.0, 5.0, 4.0, 4.0, 3.0, 3.0, 2.5, 2.5, 2.4, 2.4, 2.39]
    curve = task.fit(stop_by="loss", least_gain=0.05, patience=4, max_steps=1000)
    assert curve["step"].tolist() == [0, 2, 4, 6, 8, 10, 12, 14]
    assert curve.loc[curve["kept"], "step"].tolist() == [10]
    assert task.ends_in(5)
    by_what_is_held_back = Scripted([0.5, 0.4, 0.3, 0.3, 0.4, 0.7, 0.6]).fit(patience=4, max_steps=1000)
    assert by_what_is_held_back.loc[by_what_is_held_back["kept"], "step"].tolist() == [0]


def test_losses_that_fall_by_little_each_time_count_once_they_have_fallen_by_enough() -> None:
    task = Scripted([0.1, 0.2])
    task.losses = [1.0 - 0.01 * step for step in range(11)] + [0.9]
    curve = task.fit(stop_by="loss", least_gain=0.055, patience=6, max_steps=1000, validate_every=1)
    # From 1 at step 1 the loss has fallen by more than .055 at step 7, and from then on by .04 at the most.
    assert curve["step"].iloc[-1] == 13


def test_a_model_that_stands_at_popularity_first_is_waited_for() -> None:
    standing_first = [0.0, 0.20, 0.19, 0.19, 0.19, 0.3, 0.4]
    given_up = Scripted(standing_first).fit(patience=4, max_steps=1000)
    waited_for = Scripted(standing_first).fit(patience=4, least_steps=10, max_steps=1000)
    assert given_up["validation"].max() == 0.20
    assert waited_for["validation"].max() == 0.4


def test_the_least_steps_are_no_more_than_the_limit_and_add_nothing_to_a_longer_patience() -> None:
    falling = [0.5, 0.4, 0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1]
    assert Scripted(falling).fit(patience=2, least_steps=8, max_steps=6)["step"].iloc[-1] == 6
    assert Scripted(falling).fit(patience=12, least_steps=8, max_steps=1000)["step"].iloc[-1] == 12


def test_data_may_ask_for_more_patience_and_never_for_less() -> None:
    settings = TrainingSettings(patience=500)
    asked = {steps: settings.waiting(steps) for steps in (None, 100, 2_000)}
    assert {steps: waiting.patience for steps, waiting in asked.items()} == {None: 500, 100: 500, 2_000: 2_000}
    assert asked[2_000] == TrainingSettings(patience=2_000)


@pytest.mark.parametrize(
    ("patience", "epochs", "batch_size", "end"),
    [(4, 0, 2, 6), (4, 1, 2, 6), (4, 3, 2, 12), (1, 3, 4, 8), (100, 3, 2, 102)],
    ids=["no-epochs", "short-epoch", "long-epoch", "last-batch-not-full", "long-patience"],
)
def test_of_patience_in_steps_and_in_epochs_the_longer_counts(
    patience: int, epochs: int, batch_size: int, end: int
) -> None:
    """Three batches of two, or one and a half of four, are an epoch; the best state comes with step 2."""
    rules = {"patience": patience, "patience_epochs": epochs, "batch_size": batch_size}
    assert Scripted([0.1, 0.2, 0.1]).fit(**rules, max_steps=1000)["step"].iloc[-1] == end


def test_the_last_step_is_looked_at_whatever_the_rhythm() -> None:
    task = Scripted([0.1, 0.2, 0.3, 0.4])
    curve = task.fit(max_steps=5)
    assert curve["step"].tolist() == [0, 2, 4, 5]
    assert task.steps == 5
    assert task.ends_in(3)


def test_one_step_is_enough_to_look() -> None:
    assert Scripted([0.1, 0.2]).fit(max_steps=1, validate_every=100)["step"].tolist() == [0, 1]


def test_the_curve_has_the_mean_loss_since_the_last_look() -> None:
    curve = Scripted([0.1, 0.2, 0.3, 0.4]).fit(max_steps=5)
    assert list(curve.columns) == ["step", "loss", "validation", "kept"]
    assert curve["loss"].iloc[1:].tolist() == pytest.approx([1.5, 3.5, 5.0])
    assert pd.isna(curve["loss"].iloc[0])


def test_long_epochs_have_ten_looks_however_often_they_were_asked_for() -> None:
    curve = Scripted([0.1, 0.2], batches=45).fit(validate_every=1, max_steps=10)
    assert curve["step"].tolist() == [0, 4, 8, 10]


def test_epochs_follow_each_other_until_the_steps_are_done() -> None:
    task = Scripted([0.1, 0.2], batches=1)
    task.fit(max_steps=7)
    assert task.steps == 7


def test_parameters_that_do_not_train_stay_as_they_are() -> None:
    task = Scripted([0.1, 0.2])
    task.model.tables()[0].weight.requires_grad_(False)
    before = task.model.tables()[0].weight.clone()
    task.fit()
    assert torch.equal(task.model.tables()[0].weight, before)
    assert not task.ends_in(0)


def test_the_same_stream_gives_the_same_model() -> None:
    # Adam's first step is its rate whatever the slope, so later states are compared.
    first, again, other = (Scripted([0.1] * 10 + [0.2]) for _ in range(3))
    first.fit(seed=1), again.fit(seed=1), other.fit(seed=2)
    assert torch.equal(first.model.tables()[0].weight, again.model.tables()[0].weight)
    assert not torch.equal(first.model.tables()[0].weight, other.model.tables()[0].weight)


@pytest.mark.parametrize(
    "wrong",
    [
        {"learning_rate": 0},
        {"batch_size": 0},
        {"max_steps": 0},
        {"validate_every": 0},
        {"patience": 0},
        {"patience_epochs": -1},
        {"least_steps": -1},
        {"stop_by": "time"},
        {"least_gain": 0},
    ],
)
def test_unknown_keys_and_impossible_values_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        TrainingSettings(**wrong)


class Forgotten(Scripted):
    """Has a slope at the first step alone, and holds how large Adam's tiny products are at each."""

    def loss(self, batch: tuple[Tensor, ...]) -> Tensor:
        self.products = [*getattr(self, "products", []), float(torch.tensor(1e-20) * 1e-20)]
        return super().loss(batch) * (self.steps == 1)


def test_moments_of_what_learns_nothing_any_more_end_at_0_and_not_where_a_cpu_is_slow() -> None:
    task = Forgotten([0.5])
    task.fit(max_steps=5)
    assert task.products == [0.0] * 5
    assert float(torch.tensor(1e-20) * 1e-20) > 0
