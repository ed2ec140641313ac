"""The steal stage: what it may see, and which state it keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rec_msa.attacks.held_back import places_held_back, users_held_back
from rec_msa.attacks.settings import StealSettings
from rec_msa.attacks.steal import steal, steal_from_lists_alone
from rec_msa.foundation.errors import DataError, SettingsError
from rec_msa.foundation.lists import Lists
from rec_msa.recommenders.checkpoint import Checkpoint, from_checkpoint, to_checkpoint
from rec_msa.recommenders.ranking import rank_lists
from rec_msa.training.settings import TrainingSettings
from tests.attacks.slow_lists import ALL_LOSSES, LENGTH, N_ITEMS, NOTHING, RAGGED, SINGLE, USERS, slow_agreement

if TYPE_CHECKING:
    from collections.abc import Callable

    from rec_msa.recommenders.base import Recommender
    from tests.attacks.slow_lists import Losses

pytestmark = pytest.mark.filterwarnings("error")

SHORT = TrainingSettings(learning_rate=0.05, batch_size=64, max_steps=60, validate_every=3, patience=30)


@pytest.mark.parametrize("name", ["sasrec", "stamp", "gru4rec"])
def test_a_sequential_clone_is_taught_with_whole_histories(make_model: Callable[..., Recommender], name: str) -> None:
    clone = to_checkpoint(make_model(name, range(4, 10), 30, length=3))
    known = pd.DataFrame([(user, (user + step) % 30) for user in range(4, 10) for step in range(5)])
    known.columns = pd.Index(["user", "item"])
    served = Lists(np.arange(4, 10), np.array([[(user + 9 + rank) % 30 for rank in range(4)] for user in range(4, 10)]))
    training = TrainingSettings(learning_rate=0.01, batch_size=16, max_steps=60, validate_every=20)
    stolen, curve = steal(clone, served, known, StealSettings(training=training), ("bpr", "hinge"), 0, "cpu")
    assert stolen["state"]["histories"].tolist() == [[user + 2, user + 3, user + 4] for user in range(4, 10)]
    assert curve["loss"].iloc[-1] < curve["loss"].iloc[1]


@given(st.integers(2, 200), st.integers(0, 100))
def test_a_share_of_the_queried_users_is_held_back(n: int, seed: int) -> None:
    users = np.arange(n) * 3 + 5
    held_back = users_held_back(users, 0.15, seed)
    assert len(held_back) == max(1, n * 15 // 100)
    assert sorted(set(held_back.tolist())) == held_back.tolist()
    assert set(held_back) < set(users)
    assert users_held_back(users, 0.15, seed).tolist() == held_back.tolist()


def test_other_seeds_hold_other_users_back() -> None:
    users = np.arange(40)
    assert {user for seed in range(100) for user in users_held_back(users, 0.15, seed).tolist()} == set(range(40))


@pytest.mark.parametrize("n", [0, 1])
def test_one_queried_user_is_not_enough(n: int) -> None:
    with pytest.raises(DataError, match=rf"only {n} user .* query_fraction"):
        users_held_back(np.arange(n), 0.15, 0)


@given(st.integers(2, 50), st.sampled_from([0.1, 0.2, 0.5]), st.integers(0, 100))
def test_places_held_back_and_taught_make_up_each_list(length: int, fraction: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    lists = Lists(np.arange(4, dtype=np.int32), np.array([rng.permutation(60)[:length] for _ in range(4)]))
    taught, held_back = places_held_back(lists, fraction, seed)
    assert held_back.items.shape == (4, max(1, int(length * fraction + 1e-9)))
    assert taught.length + held_back.length == length
    for part in (taught, held_back):
        assert part.users.tolist() == [0, 1, 2, 3]
        for whole, kept in zip(lists.items.tolist(), part.items.tolist(), strict=True):
            assert kept == [item for item in whole if item in kept]
    for whole, a, b in zip(lists.items, taught.items, held_back.items, strict=True):
        assert sorted([*a, *b]) == sorted(whole)


def test_ten_of_fifty_places_are_held_back_and_not_the_same_for_all_users(random_lists: Callable[..., Lists]) -> None:
    lists = random_lists(range(30), 100, 50)
    _, held_back = places_held_back(lists, StealSettings().held_back_places, 0)
    assert held_back.items.shape == (30, 10)
    places = [np.flatnonzero(np.isin(a, b)).tolist() for a, b in zip(lists.items, held_back.items, strict=True)]
    assert {place for row in places for place in row} == set(range(50))
    assert len({tuple(row) for row in places}) > 1


def test_short_lists_are_divided_without_padding_in_between() -> None:
    taught, held_back = places_held_back(RAGGED, 0.5, 3)
    for whole, a, b in zip(RAGGED.items, taught.items, held_back.items, strict=True):
        assert sorted({*a, *b} - {-1}) == sorted(set(whole) - {-1})


def test_a_list_of_one_place_cannot_be_divided() -> None:
    with pytest.raises(DataError, match="list_length: 1 leaves no place to learn from"):
        places_held_back(SINGLE, 0.2, 0)


class World:
    """A target's lists for all users, the attacker's clone and its history."""

    def __init__(self, make_model: Callable[..., Recommender], interactions: pd.DataFrame, fusion: str | None) -> None:
        self.known = interactions
        self.served = rank_lists(make_model("bpr", USERS, N_ITEMS, seed=77), list(USERS), self.known, LENGTH)
        self.clone = to_checkpoint(make_model("bpr", USERS, N_ITEMS, fusion, seed=1))

    def steal(
        self,
        losses: Losses = ("bpr", "hinge"),
        served: Lists | None = None,
        seed: int = 0,
        training: TrainingSettings = SHORT,
    ) -> tuple[Checkpoint, pd.DataFrame]:
        return steal(
            self.clone, served or self.served, self.known, StealSettings(training=training), losses, seed, "cpu"
        )

    def agreement(self, checkpoint: Checkpoint, served: Lists | None = None, seed: int = 0) -> tuple[float, float]:
        """Agreement with the lists held back and with those taught."""
        lists = served or self.served
        held_back = users_held_back(lists.users, 0.15, seed)
        parts = (lists.of(held_back), lists.of(np.setdiff1d(lists.users, held_back)))
        model = from_checkpoint(checkpoint)
        return slow_agreement(model, parts[0], self.known), slow_agreement(model, parts[1], self.known)


@pytest.fixture(params=[None, "attention"], ids=["own", "fused"])
def world(
    request: pytest.FixtureRequest,
    make_model: Callable[..., Recommender],
    random_interactions: Callable[..., pd.DataFrame],
) -> World:
    return World(make_model, random_interactions(USERS, N_ITEMS, 12), request.param)


@pytest.mark.parametrize("losses", ALL_LOSSES, ids="+".join)
@pytest.mark.parametrize("seed", [0, 1])
def test_stealing_never_ends_below_the_start_on_what_is_held_back(world: World, losses: Losses, seed: int) -> None:
    stolen, curve = world.steal(losses, seed=seed)
    before, after = (world.agreement(checkpoint, seed=seed)[0] for checkpoint in (world.clone, stolen))
    assert after >= before
    assert curve["validation"].iloc[0] == pytest.approx(before)
    assert curve.loc[curve["kept"], "validation"].item() == pytest.approx(after)


@pytest.fixture(params=[None, "attention"], ids=["own", "fused"])
def uniform_world(request: pytest.FixtureRequest, make_model: Callable[..., Recommender]) -> World:
    """One vector and one list for all users: what some lists teach holds for those held back."""
    world = World(make_model, NOTHING, request.param)
    world.clone["state"]["users.weight"][:] = world.clone["state"]["users.weight"][0].clone()
    world.served = Lists(np.array(USERS), np.tile(np.arange(LENGTH) * 5, (len(USERS), 1)))
    return world


@pytest.mark.parametrize("losses", ALL_LOSSES, ids="+".join)
def test_stealing_brings_lists_closer_the_held_back_ones_too(uniform_world: World, losses: Losses) -> None:
    stolen, curve = uniform_world.steal(losses, training=SHORT.model_copy(update={"max_steps": 150, "patience": 150}))
    assert min(uniform_world.agreement(stolen)) > max(uniform_world.agreement(uniform_world.clone)) + 0.5
    assert curve["loss"].iloc[-1] < curve["loss"].iloc[1]


def test_a_clone_that_agrees_already_is_left_as_it_was(world: World) -> None:
    own = rank_lists(from_checkpoint(world.clone), list(USERS), world.known, LENGTH)
    stolen, curve = world.steal(served=own)
    assert curve.loc[curve["kept"], "step"].tolist() == [0]
    assert all(torch.equal(stolen["state"][key], value) for key, value in world.clone["state"].items())


def test_lists_held_back_teach_nothing(world: World) -> None:
    """Other lists for the users held back change how states are judged, not the states: the losses stay the same."""
    held_back = users_held_back(world.served.users, 0.15, 0)
    items = world.served.items.copy()
    rows = np.isin(world.served.users, held_back)
    items[rows] = items[rows][:, ::-1]
    _, curve = world.steal()
    _, other = world.steal(served=Lists(world.served.users, items))
    assert curve["loss"].iloc[1:].tolist() == other["loss"].iloc[1:].tolist()


@pytest.mark.parametrize("uniform_world", ["attention"], indirect=True)
def test_stealing_leaves_the_auxiliary_vectors_of_a_fused_clone_unchanged(uniform_world: World) -> None:
    world = uniform_world
    stolen, curve = world.steal()
    assert curve.loc[curve["kept"], "step"].item() > 0
    for part in ("auxiliary", "known"):
        assert torch.equal(stolen["state"][f"items.{part}"], world.clone["state"][f"items.{part}"])
    for part in ("items.weight", "items.w", "users.weight"):
        assert not torch.equal(stolen["state"][part], world.clone["state"][part])


def test_the_same_seed_steals_the_same_model(world: World) -> None:
    (same, curve), (again, second), (_, other) = world.steal(seed=1), world.steal(seed=1), world.steal(seed=2)
    assert all(torch.equal(same["state"][key], again["state"][key]) for key in same["state"])
    pd.testing.assert_frame_equal(curve, second)
    assert not curve["loss"].equals(other["loss"])


def test_stealing_changes_neither_the_clone_nor_the_lists(world: World) -> None:
    before = {key: value.clone() for key, value in world.clone["state"].items()}
    items = world.served.items.copy()
    world.steal()
    assert all(torch.equal(world.clone["state"][key], value) for key, value in before.items())
    assert np.array_equal(world.served.items, items)


def test_stealing_takes_no_negative_from_the_history(world: World) -> None:
    """A user whose list and history leave nothing else has no negative at all."""
    taught = np.setdiff1d(world.served.users, users_held_back(world.served.users, 0.15, 0))[0]
    rest = sorted(set(range(N_ITEMS)) - set(world.served.of([taught]).items[0].tolist()))
    world.known = pd.concat([world.known, pd.DataFrame({"user": taught, "item": rest}, dtype="int64")])
    with pytest.raises(DataError, match="cover the whole catalogue"):
        world.steal()


def test_one_queried_user_cannot_be_stolen_from(world: World) -> None:
    with pytest.raises(DataError, match="only 1 user was queried"):
        world.steal(served=world.served.of([12]))


def qsd(
    served: Lists, training: TrainingSettings = SHORT, seed: int = 0, name: str = "bpr"
) -> tuple[Checkpoint, pd.DataFrame]:
    settings = StealSettings(training=training)
    losses: Losses = ("hinge", "hinge")
    return steal_from_lists_alone(
        name, {"dimensions": 6}, np.array(USERS), N_ITEMS, served, settings, losses, seed, "cpu"
    )


@pytest.mark.parametrize("name", ["bpr", "lmf", "ncf"])
def test_qsd_learns_the_lists_it_was_served(random_lists: Callable[..., Lists], name: str) -> None:
    served = random_lists(range(10, 20), N_ITEMS, LENGTH, seed=4)
    late = TrainingSettings(learning_rate=0.05, batch_size=64, max_steps=400, validate_every=400)
    taught, held_back = places_held_back(served, 0.2, 0)
    model = from_checkpoint(qsd(served, late, name=name)[0])
    # The places left out are no negatives, so they may stand among the others; by chance it were 0.14.
    assert slow_agreement(model, taught, held_back.to_frame()) > 0.75


def test_qsd_never_keeps_the_untrained_state(random_lists: Callable[..., Lists]) -> None:
    served = random_lists(range(10, 20), N_ITEMS, LENGTH, seed=4)
    for training in (SHORT, TrainingSettings(learning_rate=1e-12, max_steps=4, validate_every=2)):
        _, curve = qsd(served, training)
        kept = curve.loc[curve["kept"]]
        assert len(kept) == 1
        assert kept["step"].item() > 0
        assert kept["validation"].item() == curve["validation"].iloc[1:].max()


def test_qsd_is_judged_by_the_places_left_out_with_the_taught_ones_removed(random_lists: Callable[..., Lists]) -> None:
    served = random_lists(range(10, 20), N_ITEMS, LENGTH, seed=4)
    stolen, curve = qsd(served)
    taught, held_back = places_held_back(served, 0.2, 0)
    expected = slow_agreement(from_checkpoint(stolen), held_back, taught.to_frame())
    assert curve.loc[curve["kept"], "validation"].item() == pytest.approx(expected)


def test_qsd_leaves_users_without_a_list_at_their_first_vectors(random_lists: Callable[..., Lists]) -> None:
    vectors = {}
    for steps in (1, 9):
        training = TrainingSettings(learning_rate=0.05, max_steps=steps, validate_every=steps)
        vectors[steps] = qsd(random_lists(range(10, 20), N_ITEMS, LENGTH), training)[0]["state"]["users.weight"]
    assert torch.equal(vectors[1][10:], vectors[9][10:])
    assert not (vectors[1][:10] == vectors[9][:10]).any()


def test_qsd_starts_fresh_and_repeats_with_its_seed(random_lists: Callable[..., Lists]) -> None:
    served = random_lists(range(10, 20), N_ITEMS, LENGTH)
    (same, _), (again, _), (other, _) = qsd(served, seed=1), qsd(served, seed=1), qsd(served, seed=2)
    assert all(torch.equal(same["state"][key], again["state"][key]) for key in same["state"])
    assert not torch.equal(same["state"]["users.weight"], other["state"]["users.weight"])
    assert same["state"]["user_ids"].tolist() == list(USERS)
    assert same["fusion"] is None


def test_qsd_refuses_an_architecture_that_does_not_exist(random_lists: Callable[..., Lists]) -> None:
    with pytest.raises(SettingsError, match="did you mean 'ncf'"):
        qsd(random_lists(range(10, 20), N_ITEMS, LENGTH), name="nfc")


def test_qsd_takes_no_negative_from_the_places_left_out(random_lists: Callable[..., Lists]) -> None:
    with pytest.raises(DataError, match="cover the whole catalogue"):
        qsd(random_lists(range(10, 20), N_ITEMS, N_ITEMS))
