"""Ensembles: nobody vouches for the own list, the learner believes who knows, and one clone can learn it all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch

from rec_msa.attacks import stacking
from rec_msa.attacks.learner import Candidates, beliefs, candidates, fit, learn
from rec_msa.attacks.settings import LearnerSettings, StealSettings
from rec_msa.foundation.errors import DataError
from rec_msa.foundation.lists import Lists
from rec_msa.recommenders.checkpoint import from_checkpoint, to_checkpoint
from rec_msa.recommenders.ensemble import Ensemble
from rec_msa.recommenders.ranking import rank_lists
from rec_msa.training.settings import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Callable

N_ITEMS, USERS = 40, np.arange(0, 36, 2)
QUERIED = USERS[:12]
SETTINGS = LearnerSettings(neighbours=3, depth=15, folds=2, strengths=(0.1, 1.0))
SHORT = StealSettings(
    held_back_fraction=0.3, training=TrainingSettings(learning_rate=0.05, max_steps=40, validate_every=10, patience=40)
)
LOSSES: Any = ("bpr", "hinge")


@pytest.fixture(scope="module")
def world(random_interactions: Callable[..., pd.DataFrame]) -> stacking.World:
    own = random_interactions(USERS, N_ITEMS, 6)
    return stacking.World(USERS, own, own, random_interactions(range(100, 130), N_ITEMS, 6, seed=1), N_ITEMS, "cpu")


@pytest.fixture(scope="module")
def clones(make_model: Callable[..., Any]) -> dict[str, list[Any]]:
    known = [*USERS.tolist(), *range(100, 130)]
    made = [to_checkpoint(make_model("bpr", known, N_ITEMS, seed=seed)) for seed in (1, 2, 3)]
    return {"joint": made[:2], "other": made[2:]}


@pytest.fixture(scope="module")
def served(clones: dict[str, list[Any]], world: stacking.World) -> Lists:
    """What a target serves that is the first clone."""
    return rank_lists(from_checkpoint(clones["joint"][0]), QUERIED, world.own, 10)


@pytest.fixture(scope="module")
def taught(world: stacking.World, clones: dict[str, list[Any]], served: Lists) -> Any:
    return taught_in_parts(world, clones)(served)


def signals_of(checkpoint: Any, world: stacking.World, user: int) -> dict[str, torch.Tensor]:
    ensemble = from_checkpoint(checkpoint)
    assert isinstance(ensemble, Ensemble)
    ensemble.read(world.known)
    names = [name for source in ensemble.sources for name in ensemble.signals_of_source(source)]
    with torch.no_grad():
        return dict(ensemble.signals(ensemble.rows_of(torch.tensor([user])), names))


def with_another_list(served: Lists, user: int) -> Lists:
    items = served.items.copy()
    row = np.searchsorted(served.users, user)
    items[row] = np.setdiff1d(np.arange(N_ITEMS), items[row])[: served.length]
    return Lists(served.users, items)


def vouching(
    world: stacking.World, clones: Any, served: Lists, teach: Callable[[Lists], Any], user: int = 8
) -> set[str]:
    """The signals of a queried user that are others once the user was served another list."""
    changed = with_another_list(served, user)
    before, after = (
        signals_of(stacking.stack(world, clones, teach(lists), lists, SETTINGS, 0)[0], world, user)
        for lists in (served, changed)
    )
    return {name for name in before if not torch.allclose(before[name], after[name], atol=1e-3)}


def taught_in_parts(world: stacking.World, clones: Any) -> Callable[[Lists], Any]:
    first = {"other": clones["other"][0]}
    return lambda lists: stacking.teach_folds(first, lists, world.own, SHORT, LOSSES, "sampled", 2, 0, "cpu")[0]


def test_no_source_vouches_for_a_list_that_it_was_taught_or_holds(world, clones, served, monkeypatch) -> None:
    # Which penalty ridge takes is one number for all users, and follows all lists.
    monkeypatch.setattr(stacking.list_votes, "STRENGTHS", (0.1,))
    monkeypatch.setattr(stacking.list_votes.ridge, "__defaults__", ((0.1,),))
    assert not vouching(world, clones, served, taught_in_parts(world, clones))


def test_a_member_that_was_taught_a_users_own_list_is_found_out(world, clones, served, monkeypatch) -> None:
    monkeypatch.setattr(stacking.list_votes.ridge, "__defaults__", ((0.1,),))
    parts = taught_in_parts(world, clones)

    def of_the_wrong_part(lists: Lists) -> Any:
        made = parts(lists)
        return made | {"fold": 1 - made["fold"]}

    # Some of those who were taught decide which state is kept, and teach nothing.
    found = (vouching(world, clones, served, of_the_wrong_part, user) for user in QUERIED[:6].tolist())
    assert any("taught other" in names for names in found)


def test_a_look_up_that_holds_a_users_own_list_is_found_out(world, clones, served, monkeypatch) -> None:
    monkeypatch.setattr(stacking.list_votes.ridge, "__defaults__", ((0.1,),))
    monkeypatch.setattr(stacking.list_votes, "_without_own", lambda weights, queried: weights)
    found = vouching(world, clones, served, lambda lists: None)
    assert {"list popularity", "ridge by items"} <= found
    assert "nearest by items" not in found


def test_of_a_queried_user_the_model_of_the_users_part_speaks_and_of_others_all(world, clones, taught) -> None:
    committee = stacking._taught(world, taught["models"]["other"], taught)
    speakers = dict(zip(USERS.tolist(), committee.speaker.tolist(), strict=True))
    assert [speakers[user] for user in taught["users"].tolist()] == taught["fold"].tolist()
    assert {speakers[user] for user in set(USERS.tolist()) - set(QUERIED.tolist())} == {-1}


def test_an_ensemble_out_of_a_checkpoint_ranks_the_same_and_needs_no_pickled_class(
    world, clones, served, taught, tmp_path
) -> None:
    checkpoint, told = stacking.stack(world, clones, taught, served, SETTINGS, 0)
    torch.save(checkpoint, tmp_path / "ensemble.pt")
    lists = []
    for one in (checkpoint, torch.load(tmp_path / "ensemble.pt", weights_only=True)):
        ensemble = from_checkpoint(one)
        ensemble.read(world.own)
        lists.append(rank_lists(ensemble, USERS, world.own, 10).items)
    assert np.array_equal(*lists)
    assert set(told["source"]) == set(from_checkpoint(checkpoint).sources)
    assert told["weight"].sum() == pytest.approx(1)
    assert told.set_index("source")["alone"].idxmax() == "joint"


def test_without_questions_all_clones_count_the_same(world, clones) -> None:
    ensemble = from_checkpoint(stacking.average(world, clones))
    ensemble.read(world.own)
    found = signals_of(stacking.average(world, clones), world, 8)
    with torch.no_grad():
        scores = ensemble.score_all(ensemble.rows_of(torch.tensor([8])))
    torch.testing.assert_close(scores, (found["joint"] + found["other"]) / 2)


def test_one_clone_learns_what_the_ensemble_says_also_of_auxiliary_users(world, clones, served) -> None:
    both = stacking.world_of(pd.DataFrame({"user": USERS}), world.own, world.auxiliary, N_ITEMS, "cpu", also_rank=20)
    assert len(both.users) == len(USERS) + 20
    ensemble = stacking.stack(both, clones, None, served, SETTINGS, 0)[0]
    pupil = clones["other"][0]
    model, curve = stacking.distil(ensemble, pupil, both, served, SHORT, LOSSES, "sampled", 0)
    said = lists_of(ensemble, world)
    assert shared(lists_of(model, world), said) > shared(lists_of(pupil, world), said) + 0.1
    assert curve["kept"].sum() == 1


def test_each_signal_comes_again_times_how_much_more_the_user_has_read(world, clones) -> None:
    some = world.own[(world.own["user"] != 8) | (world.own.groupby("user").cumcount() < 2)]
    ensemble = from_checkpoint(stacking.average(world, clones))
    assert isinstance(ensemble, Ensemble)
    ensemble.read(some)
    ensemble.take_as_usual()
    read = np.log1p(some.groupby("user")["item"].size().reindex(USERS).to_numpy())
    found = dict(ensemble.signals(ensemble.rows_of(torch.tensor([8])), ["joint place", "joint place by history"]))
    more = (read[4] - read.mean()) / read.std()
    torch.testing.assert_close(found["joint place by history"], found["joint place"] * more)


def lists_of(checkpoint: Any, world: stacking.World) -> np.ndarray:
    model = from_checkpoint(checkpoint)
    model.read(world.own)
    return rank_lists(model, np.setdiff1d(USERS, QUERIED), world.own, 10).items


def shared(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.mean([len(np.intersect1d(*rows)) / 10 for rows in zip(one, other, strict=True)]))


@pytest.mark.parametrize("n", [0, 1])
def test_lists_of_fewer_than_two_users_teach_nothing(world, clones, n: int) -> None:
    lists = Lists(QUERIED[:n], np.tile(np.arange(5), (n, 1)))
    with pytest.raises(DataError, match=f"stacked: {n} lists were served.*ask two users"):
        stacking.stack(world, clones, None, lists, SETTINGS, 0)


# ---- the learner


def test_two_users_are_enough_where_there_are_more_folds() -> None:
    weights = learn(made_up(n_users=2), LearnerSettings(folds=3), seed=0)
    assert weights["knows"] > 0


def made_up(n_users: int = 40, per_user: int = 20) -> Candidates:
    rng = np.random.default_rng(0)
    truth, noise, other = rng.normal(size=(3, n_users * per_user))
    user = np.repeat(np.arange(n_users), per_user)
    place = pd.Series(truth).groupby(user).rank(ascending=False).to_numpy()
    signals = np.column_stack([truth + 0.3 * noise, 100 * noise, other]).astype(np.float32)
    return Candidates(("knows", "noise", "guesses"), user, signals, place <= 5, 5)


def test_the_learner_believes_whoever_knows_and_takes_the_noise_out() -> None:
    known = made_up()
    weights = learn(known, SETTINGS, 0)
    assert known.agreement(weights) > known.agreement({"knows": 1.0}) > known.agreement({"guesses": 1.0})
    told = beliefs(known, {name: (name,) for name in known.names}, weights, 0).set_index("source")
    assert told.index[0] == "knows"
    assert told.loc["knows", "without"] < 0.5 < told.loc["knows", "alone"] < told.loc["knows", "together"]
    assert told.loc["guesses", "without"] > 0.85 > told.loc["noise", "without"]


def test_a_source_of_large_numbers_is_not_penalised_less() -> None:
    known = made_up()
    larger = Candidates(known.names, known.user, known.signals * np.float32([1, 1, 1000]), known.listed, 5)
    plain, scaled = (fit(one, one.names, 0.01) for one in (known, larger))
    assert scaled["guesses"] * 1000 == pytest.approx(plain["guesses"], rel=0.05, abs=1e-3)


def test_agreement_is_the_share_of_listed_items_among_each_users_best() -> None:
    known, weights = made_up(5), {"knows": 1.0, "noise": -0.002}
    scores = known.signals @ np.float32([1.0, -0.002, 0.0])
    shares = []
    for user in range(5):
        rows = np.flatnonzero(known.user == user)
        best = rows[np.argsort(-scores[rows])[:5]]
        shares.append(known.listed[best].sum() / 5)
    assert known.agreement(weights) == pytest.approx(np.mean(shares))


def test_candidates_are_each_sources_best_that_the_user_does_not_have(world, clones, served) -> None:
    ensemble = from_checkpoint(stacking.stack(world, clones, None, served, SETTINGS, 0)[0])
    assert isinstance(ensemble, Ensemble)
    ensemble.read(world.own)
    known = candidates(ensemble, served, 5)
    assert set(known.user) == set(range(len(QUERIED)))
    for place, user in enumerate(QUERIED):
        own = world.own.loc[world.own["user"] == user, "item"]
        found, best = signals_of(stacking.stack(world, clones, None, served, SETTINGS, 0)[0], world, int(user)), set()
        for source in ensemble.sources:
            allowed = found[source][0].clone()
            allowed[torch.tensor(own.to_numpy())] = -torch.inf
            best |= set(allowed.topk(5).indices.tolist())
        assert (known.user == place).sum() == len(best)
        listed = set(served.items[place]) & best
        assert known.listed[known.user == place].sum() == len(listed)
        break
