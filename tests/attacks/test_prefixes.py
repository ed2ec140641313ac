"""QSD on sequential targets: made-up sequences, what they cost, and what a clone learns from them."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from rec_msa.attacks.gate import QueryGate, SequenceSide
from rec_msa.attacks.held_back import prefix_places_held_back
from rec_msa.attacks.list_learning import pair_loss
from rec_msa.attacks.prefix_learning import PrefixProbe, PrefixStealTask
from rec_msa.attacks.prefixes import MadeUpSequences, PrefixLists
from rec_msa.attacks.settings import StealSettings
from rec_msa.attacks.steal import steal_from_lists_alone
from rec_msa.defenses.settings import Serving
from rec_msa.foundation.errors import DataError, SettingsError
from rec_msa.recommenders.checkpoint import build, from_checkpoint, to_checkpoint
from rec_msa.recommenders.ranking import rank_sequences
from rec_msa.recommenders.settings import SETTINGS, is_sequential
from rec_msa.training.settings import TrainingSettings

if TYPE_CHECKING:
    from rec_msa.attacks.settings import Choice
    from rec_msa.defenses.serving import Server
    from rec_msa.recommenders.base import Recommender
    from rec_msa.recommenders.sequential import SequentialRecommender

NAMES = tuple(filter(is_sequential, SETTINGS))
N_ITEMS, LENGTH, K = 40, 6, 8


def target(name: str = "gru4rec", seed: int = 0, scale: float = 40, **settings: float) -> SequentialRecommender:
    """A target whose lists depend on the sequence."""
    model = build(name, torch.arange(3), N_ITEMS, {"dimensions": 8, "length": LENGTH} | settings)
    model.initialise(torch.Generator().manual_seed(seed))
    with torch.no_grad():
        model.items.weight.mul_(scale)  # type: ignore[operator, union-attr]
    return model  # type: ignore[return-value]


def made_up(model: SequentialRecommender, calls: int, choice: Choice = "recommended", seed: int = 0) -> PrefixLists:
    side = SequenceSide(N_ITEMS, partial(rank_sequences, model, list_length=K), K, [])
    gate = QueryGate(lambda _: None, [1], calls, side)  # type: ignore[arg-type, return-value]
    generator = np.random.default_rng(seed)
    users = np.array([1])
    strategy = MadeUpSequences(calls_per_user=calls, choice=choice)
    return strategy(gate.ask_sequences, users, generator, n_items=N_ITEMS, length=LENGTH)


@given(st.integers(1, 40), st.sampled_from(["recommended", "random"]))
def test_the_budget_is_used_up_and_may_end_within_a_sequence(calls: int, choice: Choice) -> None:
    made = made_up(target(), calls, choice)
    lengths = (made.sequences >= 0).sum(axis=1)
    assert lengths.sum() == calls
    assert set(lengths[:-1]) <= {LENGTH}
    assert lengths[-1] == (calls % LENGTH or LENGTH)
    asked = (made.lists >= 0).any(axis=2)
    assert np.array_equal(asked, made.sequences >= 0)


@given(st.integers(0, 100))
def test_the_next_item_is_in_the_list_just_served_and_never_repeats(seed: int) -> None:
    made = made_up(target(), 30, seed=seed)
    for items, lists in zip(made.sequences, made.lists, strict=True):
        assert len(set(items)) == len(items)
        for place in range(1, LENGTH):
            assert items[place] in lists[place - 1]


def test_every_list_is_what_the_target_says_after_that_prefix_without_its_items() -> None:
    model = target()
    made = made_up(model, 20)
    for items, lists in zip(made.sequences, made.lists, strict=True):
        for place in range(int((items >= 0).sum())):
            prefix = items[: place + 1]
            with torch.no_grad():
                scores = model.score_states(model.states(torch.from_numpy(prefix).long()[None])[:, -1])[0]
            scores[torch.from_numpy(prefix).long()] = -torch.inf
            assert lists[place].tolist() == scores.topk(K).indices.tolist()


@pytest.mark.parametrize("choice", ["recommended", "random"])
def test_a_smaller_budgets_sequences_begin_those_of_a_larger_one(choice: Choice) -> None:
    small, large = (made_up(target(), calls, choice) for calls in (15, 31))
    assert np.array_equal(small.sequences[:2], large.sequences[:2])
    assert np.array_equal(small.sequences[2, :3], large.sequences[2, :3])


def test_a_sequence_begins_anywhere_and_goes_on_at_any_place_of_the_list_alike() -> None:
    made = made_up(target(), 12_000)
    first = np.bincount(made.sequences[:, 0], minlength=N_ITEMS)
    assert (first.min(), first.max()) == (pytest.approx(50, abs=25), pytest.approx(50, abs=25))
    ranks = (made.lists[:, :-1] == made.sequences[:, 1:, None]).nonzero()[2]
    counts = np.bincount(ranks, minlength=K)
    assert len(ranks) == 10_000
    assert (counts.min(), counts.max()) == (pytest.approx(1_250, abs=120), pytest.approx(1_250, abs=120))


def test_random_sequences_take_every_item_equally_often() -> None:
    made = made_up(target(), 12_000, "random")
    counts = np.bincount(made.sequences.ravel(), minlength=N_ITEMS)
    assert counts.min() > 200
    assert counts.max() < 400
    assert all(len(set(row)) == LENGTH for row in made.sequences)


def test_a_frame_of_prefixes_is_read_back() -> None:
    made = made_up(target(), 15)
    again = PrefixLists.from_frame(made.to_frame())
    assert np.array_equal(again.sequences, made.sequences)
    assert np.array_equal(again.lists, made.lists)
    with pytest.raises(DataError, match="no list was served"):
        PrefixLists.from_frame(made.to_frame().head(0))


def halves(made: PrefixLists, seed: int = 3) -> tuple[PrefixLists, PrefixLists]:
    return prefix_places_held_back(made, 0.5, seed)


def inside(lists: PrefixLists, row: int, place: int) -> list[int]:
    return [int(item) for item in lists.lists[row, place] if item >= 0]


def prefixes(made: PrefixLists) -> list[tuple[int, int, list[int]]]:
    """Row, place and items so far of every prefix."""
    return [
        (row, place, items[: place + 1].tolist())
        for row, items in enumerate(made.sequences)
        for place in range(int((items >= 0).sum()))
    ]


def test_of_every_list_some_places_are_held_back_and_the_others_taught_in_their_order() -> None:
    made = made_up(target(), 20)
    taught, held_back = prefix_places_held_back(made, 0.25, seed=3)
    for row, place, _ in prefixes(made):
        served, parts = inside(made, row, place), [inside(part, row, place) for part in (taught, held_back)]
        assert [len(part) for part in parts] == [6, 2]
        assert set(parts[0]) | set(parts[1]) == set(served)
        assert all(part == sorted(part, key=served.index) for part in parts)
    others = prefix_places_held_back(made, 0.25, seed=4)[1]
    assert not np.array_equal(held_back.lists, others.lists)


def test_the_probe_equals_a_slow_count() -> None:
    model, clone = target(), target(seed=1)
    made = made_up(model, 20)
    taught, held_back = halves(made)
    hits, n = 0, 0
    for row, place, items in prefixes(made):
        known = {*items, *inside(taught, row, place)}
        ranked = rank_sequences(clone, np.array([items]), N_ITEMS - len(items))[0]
        own = [int(item) for item in ranked if int(item) not in known][: K // 2]
        wanted = inside(held_back, row, place)
        hits, n = hits + len(set(own) & set(wanted)), n + len(wanted)
    assert PrefixProbe(clone, held_back, taught)() == pytest.approx(hits / n)
    assert PrefixProbe(model, held_back, taught)() == 1


def task_of(model: SequentialRecommender, made: PrefixLists, losses: tuple = ("hinge", "hinge")) -> PrefixStealTask:
    taught, held_back = halves(made)
    probe = PrefixProbe(model, held_back, taught)
    return PrefixStealTask(model, taught, made, probe, StealSettings(negatives=2), losses)


def test_an_epoch_takes_every_taught_list_once_with_negatives_from_outside_the_whole_list() -> None:
    made = made_up(target(), 20)
    taught, _ = halves(made)
    task, seen = task_of(target(), made), []
    for chosen, ends, which, _, lists, negatives in task.epoch(70, torch.Generator().manual_seed(0)):
        rows, places = chosen[which // ends.shape[1]].tolist(), ends.flatten()[which].tolist()
        for row, place, learned, outside in zip(rows, places, lists.tolist(), negatives.tolist(), strict=True):
            assert learned == inside(taught, row, place)
            assert not {*outside} & {*inside(made, row, place), *made.sequences[row, : place + 1].tolist()}
            seen.append((row, place))
    assert len(seen) == len(set(seen)) == 20
    assert task.n_terms == 20 * K // 2


@pytest.mark.parametrize("losses", [("hinge", "bpr"), ("bpr", "hinge")])
def test_the_loss_equals_the_slow_sum(losses: tuple) -> None:
    model = target(scale=4, dropout=0)
    task = task_of(model, made_up(target(), 20), losses)
    batch = next(iter(task.epoch(70, torch.Generator().manual_seed(0))))
    chosen, ends, which, _, lists, negatives = batch
    terms, n_places = [], 0
    for one, learned, outside in zip(which.tolist(), lists.tolist(), negatives.tolist(), strict=True):
        row, place = chosen[one // ends.shape[1]], ends.flatten()[one]
        state = model.states(task.data.sequences[row, : place + 1][None])[0, -1]
        scores = model.items.weight @ state  # type: ignore[operator]
        terms += [pair_loss(losses[0], scores[a], scores[b], 0.5) for a, b in pairwise(learned)]
        terms += [pair_loss(losses[1], scores[a], scores[b], 0.5) for a in learned for b in outside]
        n_places += len(learned)
    slow = torch.stack(terms).sum() / n_places
    assert task.loss(batch).item() == pytest.approx(slow.item(), rel=1e-5)


@pytest.mark.parametrize("name", ["sasrec", "gru4rec"])
def test_learning_drops_what_the_model_s_settings_say(name: str) -> None:
    made = made_up(target(), 20)
    plain, thinned = (task_of(target(name, dropout=rate), made) for rate in (0.0, 0.5))
    batch = next(iter(plain.epoch(70, torch.Generator().manual_seed(0))))
    assert plain.loss(batch).item() == plain.loss(batch).item()
    assert thinned.loss(batch).item() == thinned.loss(batch).item()
    assert plain.loss(batch).item() != thinned.loss(batch).item()


def test_a_prefix_whose_list_leaves_no_negative_is_not_learned() -> None:
    model = build("gru4rec", torch.arange(3), K + 2, {"dimensions": 8, "length": LENGTH})
    model.initialise(torch.Generator().manual_seed(0))
    # After two items a list of eight is all that is left of ten.
    sequences = np.array([[0, 1, 2]], dtype=np.int32)
    lists = np.array([[range(2, 10), range(2, 10), [*range(3, 10), -1]]], dtype=np.int32)
    made = PrefixLists(sequences, lists)
    assert task_of(model, made).n_terms == K // 2  # type: ignore[arg-type]
    with pytest.raises(DataError, match="nothing is a negative"):
        task_of(model, PrefixLists(sequences, np.where([[[False], [True], [True]]], lists, -1)))  # type: ignore[arg-type]


@pytest.mark.parametrize("calls", [1, 300])
def test_what_a_clone_stops_by_is_what_it_does_not_learn(calls: int, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks: list[PrefixStealTask] = []

    def fitted(_: object, task: PrefixStealTask, *__: object) -> None:
        tasks.append(task)

    monkeypatch.setattr("rec_msa.attacks.steal.fit", fitted)
    made = made_up(target(), calls)
    chosen = {"dimensions": 8, "length": LENGTH}
    rules, losses = StealSettings(held_back_places=0.25), ("hinge", "hinge")
    steal_from_lists_alone("gru4rec", chosen, np.arange(3), N_ITEMS, made, rules, losses, 0, "cpu")  # type: ignore[arg-type]
    (task,) = tasks
    assert not task.start_counts
    learned, wanted = (set(zip(*map(Tensor.tolist, part.listed), strict=True)) for part in (task.data, task.probe.data))
    assert not learned & wanted
    assert len(learned) == calls * 6
    assert len(wanted) == min(calls, 20 * LENGTH) * 2
    whole = {(row * LENGTH + place, item) for row, place, _ in prefixes(made) for item in inside(made, row, place)}
    assert learned | wanted <= whole


@pytest.mark.parametrize("name", NAMES)
def test_a_clone_learns_the_lists_and_the_same_seed_gives_the_same_clone(name: str) -> None:
    model = target("gru4rec", scale=100)
    made = made_up(model, 600)
    training = TrainingSettings(learning_rate=0.02, batch_size=400, max_steps=400, validate_every=50, patience=1000)
    few = training.model_copy(update={"max_steps": 10, "validate_every": 5})
    chosen = {"dimensions": 16, "length": LENGTH}
    steal = partial(steal_from_lists_alone, name, chosen, np.arange(3), N_ITEMS, made)
    (checkpoint, curve), (same, _), (again, _) = (
        steal(StealSettings(training=settings), ("hinge", "hinge"), 0, "cpu") for settings in (training, few, few)
    )
    clone = from_checkpoint(checkpoint)
    fresh = made_up(model, 120, seed=9)
    nothing = PrefixLists(fresh.sequences, np.full_like(fresh.lists, -1))
    agreement = PrefixProbe(clone, fresh, nothing)()  # type: ignore[arg-type]
    assert agreement > 2 * K / N_ITEMS
    assert curve["kept"].sum() == 1
    assert torch.equal(same["state"]["items.weight"], again["state"]["items.weight"])
    assert (checkpoint["state"]["histories"] == -1).all()


@pytest.mark.parametrize(("prefix_patience", "longer"), [(1, 20), (60, 60)])
def test_lists_of_prefixes_are_waited_for_with_the_longer_patience(prefix_patience: int, longer: int) -> None:
    waits = {"validate_every": 10, "patience": 20, "patience_epochs": 0, "least_steps": 0, "max_steps": 400}
    hopeless = TrainingSettings(stop_by="loss", least_gain=1000.0, batch_size=400, **waits)  # type: ignore[arg-type]
    rules = StealSettings(training=hopeless, prefix_patience=prefix_patience)
    made, chosen, losses = made_up(target(), 120), {"dimensions": 8, "length": LENGTH}, ("hinge", "hinge")
    _, curve = steal_from_lists_alone("gru4rec", chosen, np.arange(3), N_ITEMS, made, rules, losses, 0, "cpu")  # type: ignore[arg-type]
    first_loss = 10
    assert curve["step"].max() == first_loss + longer


@pytest.mark.parametrize(("name", "change"), [("bpr", {}), ("sasrec", {"length": LENGTH - 1})])
def test_a_clone_that_cannot_read_the_sequences_is_refused(name: str, change: dict[str, Any]) -> None:
    made = made_up(target(), 20)
    chosen = {"dimensions": 8} | change
    with pytest.raises(SettingsError, match=f"{name} must read sequences of {LENGTH} items"):
        steal_from_lists_alone(name, chosen, np.arange(3), N_ITEMS, made, StealSettings(), ("hinge", "hinge"), 0, "cpu")


def asked(model: Recommender, defense: str = "none") -> Server:
    nobody = pd.DataFrame({"user": [0], "item": [0]})
    return Serving(list_length=K, defense=defense).of(to_checkpoint(model), nobody, "cpu")


def test_a_target_of_users_and_a_defended_one_answer_for_no_sequence() -> None:
    users = build("bpr", torch.arange(3), N_ITEMS, {"dimensions": 4})
    with pytest.raises(SettingsError, match="a bpr target knows users alone"):
        asked(users).after_sequences()
    with pytest.raises(SettingsError, match="alters the lists of users"):
        asked(target(), "shuffle_5").after_sequences()
    lists = asked(target()).after_sequences()(np.array([[3, 4], [5, -1]]))
    assert lists.shape == (2, K)
