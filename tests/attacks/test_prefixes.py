"""QSD on sequential targets: made-up sequences, what they cost, and what a clone learns from them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rec_msa.attacks.gate import QueryGate, SequenceSide
from rec_msa.attacks.prefixes import PrefixLists, ask_prefixes
from rec_msa.attacks.settings import StealSettings
from rec_msa.attacks.steal_prefixes import PrefixProbe, PrefixStealTask, prefixes_held_back, steal_from_prefixes
from rec_msa.defenses.sequences import served_after_sequences
from rec_msa.errors import DataError, SettingsError
from rec_msa.recommenders.checkpoint import build, from_checkpoint, to_checkpoint
from rec_msa.recommenders.ranking import rank_sequences
from rec_msa.recommenders.settings import SETTINGS, is_sequential
from rec_msa.training.settings import TrainingSettings

if TYPE_CHECKING:
    from rec_msa.attacks.settings import Choice
    from rec_msa.recommenders.sequential import SequentialRecommender

NAMES = tuple(filter(is_sequential, SETTINGS))
N_ITEMS, LENGTH, K = 40, 6, 8


def target(name: str = "gru4rec", seed: int = 0, scale: float = 40) -> SequentialRecommender:
    """A target whose lists depend on the sequence."""
    model = build(name, torch.arange(3), N_ITEMS, {"dimensions": 8, "length": LENGTH})
    model.initialise(torch.Generator().manual_seed(seed))
    with torch.no_grad():
        model.items.weight.mul_(scale)  # type: ignore[operator, union-attr]
    return model  # type: ignore[return-value]


def made_up(model: SequentialRecommender, calls: int, choice: Choice = "recommended", seed: int = 0) -> PrefixLists:
    gate = QueryGate(lambda _: None, [1], calls, SequenceSide(N_ITEMS, partial(rank_sequences, model, list_length=K)))  # type: ignore[arg-type, return-value]
    generator = np.random.default_rng(seed)
    users = np.array([1])
    return ask_prefixes(
        gate.ask_sequences, users, generator, n_items=N_ITEMS, length=LENGTH, calls_per_user=calls, choice=choice
    )


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


def test_whole_sequences_are_held_back_and_of_a_single_one_its_longest_prefixes() -> None:
    taught, held_back = prefixes_held_back(made_up(target(), 60), 0.15, seed=3)
    assert (len(taught.sequences), len(held_back.sequences)) == (9, 1)
    taught, held_back = prefixes_held_back(made_up(target(), 5), 0.4, seed=3)
    assert [int((part.lists >= 0).any(axis=2).sum()) for part in (taught, held_back)] == [3, 2]
    assert (held_back.lists[0, 3:5] >= 0).all()
    with pytest.raises(DataError, match="only one call was made"):
        prefixes_held_back(made_up(target(), 1), 0.15, seed=3)


def test_the_probe_equals_a_slow_count() -> None:
    model, clone = target(), target(seed=1)
    held_back = made_up(model, 20)
    hits, n = 0, 0
    for items, lists in zip(held_back.sequences, held_back.lists, strict=True):
        for place in range(int((items >= 0).sum())):
            own = rank_sequences(clone, items[None, : place + 1], K)[0]
            hits, n = hits + len(set(own) & set(lists[place])), n + K
    assert PrefixProbe(clone, held_back)() == pytest.approx(hits / n)
    assert PrefixProbe(model, held_back)() == 1


def test_an_epoch_takes_every_place_of_every_list_once_with_negatives_from_outside() -> None:
    model, made = target(), made_up(target(), 20)
    task = PrefixStealTask(model, made, PrefixProbe(model, made), StealSettings(), ("hinge", "hinge"))
    seen = []
    for chosen, prefixes, items, successors, negatives, _ in task.epoch(70, torch.Generator().manual_seed(0)):
        rows, places = chosen[prefixes // LENGTH].numpy(), (prefixes % LENGTH).numpy()
        for row, place, item, after, negative in zip(rows, places, items, successors, negatives[:, 0], strict=True):
            served = made.lists[row, place].tolist()
            rank = served.index(int(item))
            assert int(after) == (served[rank + 1] if rank + 1 < K else -1)
            assert int(negative) not in {*served, *made.sequences[row, : place + 1].tolist()}
            seen.append((row, place, rank))
    assert len(seen) == len(set(seen)) == task.n_terms == 20 * K


@pytest.mark.parametrize("name", NAMES)
def test_a_clone_learns_the_lists_and_the_same_seed_gives_the_same_clone(name: str) -> None:
    model = target("gru4rec", scale=100)
    made = made_up(model, 600)
    rules = StealSettings(
        training=TrainingSettings(learning_rate=0.02, batch_size=400, max_steps=400, validate_every=50, patience=1000)
    )
    chosen = {"dimensions": 16, "length": LENGTH}
    steal = partial(steal_from_prefixes, name, chosen, np.arange(3), N_ITEMS, made, rules, ("hinge", "hinge"))
    (checkpoint, curve), (again, _) = steal(0, "cpu"), steal(0, "cpu")
    clone = from_checkpoint(checkpoint)
    fresh = made_up(model, 120, seed=9)
    agreement = PrefixProbe(clone, fresh)()  # type: ignore[arg-type]
    assert agreement > 2 * K / N_ITEMS
    assert curve["kept"].sum() == 1
    assert torch.equal(checkpoint["state"]["items.weight"], again["state"]["items.weight"])
    assert (checkpoint["state"]["histories"] == -1).all()


@pytest.mark.parametrize(("name", "change"), [("bpr", {}), ("sasrec", {"length": LENGTH - 1})])
def test_a_clone_that_cannot_read_the_sequences_is_refused(name: str, change: dict[str, Any]) -> None:
    made = made_up(target(), 20)
    chosen = {"dimensions": 8} | change
    with pytest.raises(SettingsError, match=f"{name} must read sequences of {LENGTH} items"):
        steal_from_prefixes(name, chosen, np.arange(3), N_ITEMS, made, StealSettings(), ("hinge", "hinge"), 0, "cpu")


def test_a_target_of_users_and_a_defended_one_answer_for_no_sequence() -> None:
    users = build("bpr", torch.arange(3), N_ITEMS, {"dimensions": 4})
    with pytest.raises(SettingsError, match="a bpr target knows users alone"):
        served_after_sequences(to_checkpoint(users), K, "none", "cpu")
    with pytest.raises(SettingsError, match="alters the lists of users"):
        served_after_sequences(to_checkpoint(target()), K, "popular_mixing_5", "cpu")
    lists = served_after_sequences(to_checkpoint(target()), K, "none", "cpu")(np.array([[3, 4], [5, -1]]))
    assert lists.shape == (2, K)
