"""The clone stage: what is held back, and where each variant's item vectors come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rec_msa.attacks import clone as clone_module
from rec_msa.attacks.clone import AttackerData, hold_back, train_clone
from rec_msa.attacks.settings import CloneSettings, StealSettings
from rec_msa.attacks.steal import steal
from rec_msa.foundation.errors import DataError, SettingsError
from rec_msa.foundation.lists import Lists
from rec_msa.recommenders.checkpoint import Checkpoint, build, from_checkpoint, fuse, item_vectors, to_checkpoint
from rec_msa.recommenders.settings import SETTINGS, claiming, is_sequential
from rec_msa.training.recommender import fit_interactions
from rec_msa.training.settings import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from rec_msa.attacks.settings import Variant

pytestmark = pytest.mark.filterwarnings("error")

USERS, AUXILIARY_USERS, N_ITEMS = range(5, 17), range(100, 120), 80
SHORT = TrainingSettings(learning_rate=0.01, batch_size=64, max_steps=12, validate_every=4, patience=100)
STILL = TrainingSettings(learning_rate=1e-12, max_steps=1)
NAMES = claiming("fusable")


@pytest.fixture
def data(random_interactions: Callable[..., pd.DataFrame]) -> AttackerData:
    return AttackerData(random_interactions(USERS, N_ITEMS, 20), N_ITEMS)


@pytest.fixture
def auxiliary(make_model: Callable[..., Any]) -> Callable[[str], Checkpoint]:
    return lambda name: to_checkpoint(make_model(name, AUXILIARY_USERS, N_ITEMS, seed=3))


def trained(
    variant: Variant, data: AttackerData, name: str = "bpr", training: TrainingSettings = SHORT, seed: int = 0
) -> Checkpoint:
    settings = CloneSettings(training=training)
    return train_clone(variant, data, name, {"dimensions": 6}, settings, seed, "cpu")[0]


def pairs(frame: pd.DataFrame) -> set[tuple[int, int]]:
    return set(frame[["user", "item"]].itertuples(index=False, name=None))


@given(
    st.lists(st.integers(0, 70), min_size=1, max_size=6).filter(lambda sizes: max(sizes) >= 10), st.integers(0, 1000)
)
def test_a_twentieth_of_each_long_history_is_held_back_and_at_least_one(sizes: list[int], seed: int) -> None:
    rows = [(7 * user, item) for user, size in enumerate(sizes) for item in range(size)]
    interactions = pd.DataFrame(rows, columns=["user", "item"]).sample(frac=1, random_state=seed)
    train, held_back = hold_back(interactions, CloneSettings(), seed)
    assert pairs(train) | pairs(held_back) == set(rows)
    assert len(train) + len(held_back) == len(rows)
    counts = held_back["user"].value_counts()
    for user, size in enumerate(sizes):
        assert counts.get(7 * user, 0) == (max(1, size * 5 // 100) if size >= 10 else 0)


def test_of_a_sequence_its_end_is_held_back(data: AttackerData) -> None:
    train, held_back = hold_back(data.interactions, CloneSettings(held_back_fraction=0.1), 0, last=True)
    for user, rows in data.interactions.groupby("user"):
        assert train.loc[train["user"] == user, "item"].tolist() == rows["item"].tolist()[:-2]
        assert held_back.loc[held_back["user"] == user, "item"].tolist() == rows["item"].tolist()[-2:]


@pytest.mark.parametrize("name", list(filter(is_sequential, NAMES)))
def test_a_sequential_clone_reads_what_is_not_held_back(data: AttackerData, name: str) -> None:
    settings = CloneSettings(training=SHORT)
    checkpoint, _ = train_clone("own", data, name, {"dimensions": 6, "length": 4}, settings, 0, "cpu")
    train, _ = hold_back(data.interactions, settings, 0, last=True)
    ends = [rows["item"].tolist()[-4:] for _, rows in train.groupby("user")]
    assert checkpoint["state"]["histories"].tolist() == ends


@pytest.mark.parametrize("name", ["ease", "ials", "lightgcn"])
def test_a_clone_made_of_interactions_knows_what_is_not_held_back(
    data: AttackerData, name: str, random_interactions: Callable[..., pd.DataFrame]
) -> None:
    others = random_interactions(AUXILIARY_USERS, N_ITEMS, 20)
    settings, full = CloneSettings(training=SHORT), data._replace(auxiliary_interactions=others)
    train, _ = hold_back(data.interactions, settings, 0)
    for variant, known in (("own", train), ("joint", pd.concat([train, others]))):
        model = from_checkpoint(train_clone(variant, full, name, {}, settings, 0, "cpu")[0])
        rows, items = model.histories.dense().nonzero().T
        assert set(zip(model.user_ids[rows].tolist(), items.tolist(), strict=True)) == pairs(known)


@pytest.mark.parametrize("name", ["ease", "ials"])
def test_a_solved_clone_can_neither_be_fused_nor_taught(data: AttackerData, name: str) -> None:
    with pytest.raises(SettingsError, match=rf"clone: '{name}' has no item vectors .* choose one of bpr, .*lightgcn"):
        train_clone("fused", data, name, {}, CloneSettings(training=SHORT), 0, "cpu")
    clone, _ = train_clone("own", data, name, {}, CloneSettings(training=SHORT), 0, "cpu")
    lists = Lists(np.array(USERS), np.tile(np.arange(5), (len(USERS), 1)))
    with pytest.raises(SettingsError, match=rf"clone: '{name}' is not trained by gradients .* choose one of bpr"):
        steal(clone, lists, data.interactions, StealSettings(), ("bpr", "hinge"), 0, "cpu")


def test_the_thresholds_are_settings(data: AttackerData) -> None:
    interactions = data.interactions[data.interactions["user"] < 8]
    _, held_back = hold_back(interactions, CloneSettings(held_back_fraction=0.35, held_back_from=20), 0)
    assert held_back["user"].value_counts().to_dict() == {5: 7, 6: 7, 7: 7}
    with pytest.raises(DataError, match="held_back_from: no attacker user has 21 interactions"):
        hold_back(interactions, CloneSettings(held_back_from=21), 0)


def test_what_is_held_back_is_drawn_by_the_seed_alone(data: AttackerData) -> None:
    same, again, other = (pairs(hold_back(data.interactions, CloneSettings(), seed)[1]) for seed in (4, 4, 5))
    assert same == again
    assert same != other


def test_every_interaction_of_a_user_may_be_held_back(data: AttackerData) -> None:
    held = [hold_back(data.interactions, CloneSettings(), seed)[1] for seed in range(120)]
    first = data.interactions["user"] == USERS[0]
    assert set().union(*(pairs(frame[frame["user"] == USERS[0]]) for frame in held)) == pairs(data.interactions[first])


def test_the_tables_index_does_not_matter(data: AttackerData) -> None:
    expected = [pairs(part) for part in hold_back(data.interactions, CloneSettings(), 1)]
    for index in (np.zeros(len(data.interactions), dtype=int), np.arange(len(data.interactions))[::-1]):
        parts = hold_back(data.interactions.set_axis(index), CloneSettings(), 1)
        assert [pairs(part) for part in parts] == expected


@pytest.fixture
def spied(monkeypatch: pytest.MonkeyPatch) -> dict[str, pd.DataFrame]:
    """What the training loop was given."""
    seen: dict[str, pd.DataFrame] = {}

    def spy(model: Any, train: pd.DataFrame, held_back: pd.DataFrame, *rest: Any) -> pd.DataFrame:
        seen.update(train=train, held_back=held_back)
        return fit_interactions(model, train, held_back, *rest)

    monkeypatch.setattr(clone_module, "fit_interactions", spy)
    return seen


def test_a_clone_trains_on_the_attackers_interactions_without_those_held_back(
    data: AttackerData, spied: dict[str, pd.DataFrame]
) -> None:
    checkpoint = trained("own", data)
    train, held_back = hold_back(data.interactions, CloneSettings(), 0)
    assert pairs(spied["train"]) == pairs(train)
    assert pairs(spied["held_back"]) == pairs(held_back)
    assert checkpoint["state"]["user_ids"].tolist() == list(USERS)
    assert checkpoint["fusion"] is None


def test_a_joint_clone_trains_on_auxiliary_users_too_and_stops_by_the_attackers(
    data: AttackerData, spied: dict[str, pd.DataFrame], random_interactions: Callable[..., pd.DataFrame]
) -> None:
    others = random_interactions(AUXILIARY_USERS, N_ITEMS, 30, seed=8).assign(timestamp=0)
    checkpoint = trained("joint", data._replace(auxiliary_interactions=others))
    train, held_back = hold_back(data.interactions, CloneSettings(), 0)
    assert pairs(spied["train"]) == pairs(train) | pairs(others)
    assert pairs(spied["held_back"]) == pairs(held_back)
    assert checkpoint["state"]["user_ids"].tolist() == [*USERS, *AUXILIARY_USERS]


def test_a_user_whose_interactions_are_few_is_known_to_the_clone_nonetheless(data: AttackerData) -> None:
    few = pd.DataFrame({"user": [1, 1, 1], "item": [3, 4, 5]})
    interactions = pd.concat([data.interactions, few])
    assert trained("own", data._replace(interactions=interactions))["state"]["user_ids"].tolist() == [1, *USERS]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("variant", "fusion"), [("fused", "attention"), ("mean", "mean")])
def test_a_fused_clone_keeps_the_auxiliary_vectors_as_they_were(
    data: AttackerData, auxiliary: Callable[[str], Checkpoint], name: str, variant: Variant, fusion: str
) -> None:
    known = np.array([0, 3, 79])
    model = auxiliary(name)
    checkpoint = trained(variant, data._replace(auxiliary_model=model, known_items=known), name)
    assert checkpoint["fusion"] == fusion
    tables = [key.removesuffix(".auxiliary") for key in checkpoint["state"] if key.endswith(".auxiliary")]
    assert len(tables) == len(item_vectors(model))
    for table, vectors in zip(tables, item_vectors(model), strict=True):
        assert torch.equal(checkpoint["state"][f"{table}.auxiliary"], vectors)
        assert checkpoint["state"][f"{table}.known"].nonzero().flatten().tolist() == known.tolist()
        assert not torch.equal(checkpoint["state"][f"{table}.weight"], vectors)


def test_all_auxiliary_vectors_may_be_used_unless_some_are_named(
    data: AttackerData, auxiliary: Callable[[str], Checkpoint]
) -> None:
    assert trained("fused", data._replace(auxiliary_model=auxiliary("bpr")))["state"]["items.known"].all()


@pytest.mark.parametrize("name", NAMES)
def test_a_pretrained_clone_starts_from_the_auxiliary_item_vectors_and_from_nothing_else(
    data: AttackerData, auxiliary: Callable[[str], Checkpoint], name: str
) -> None:
    model = auxiliary(name)
    started = trained("pretrained", data._replace(auxiliary_model=model), name, STILL)["state"]
    own = trained("own", data, name, STILL)["state"]
    tables = build(name, torch.tensor([0]), 1, SETTINGS[name]()).item_tables
    handed_on = {f"{table}.weight": one for table, one in zip(tables, item_vectors(model), strict=True)}
    assert started.keys() == own.keys()
    for key, value in started.items():
        torch.testing.assert_close(value, handed_on.get(key, own[key]))


@pytest.mark.parametrize("name", NAMES)
def test_a_pretrained_clones_vectors_are_its_own_and_learn(
    data: AttackerData, auxiliary: Callable[[str], Checkpoint], name: str
) -> None:
    checkpoint, curve = train_clone(
        "pretrained",
        data._replace(auxiliary_model=auxiliary(name)),
        name,
        {"dimensions": 6},
        CloneSettings(training=SHORT.model_copy(update={"max_steps": 80, "learning_rate": 0.05})),
        1,
        "cpu",
    )
    assert checkpoint["fusion"] is None
    assert curve["loss"].iloc[-1] < curve["loss"].iloc[1]


@pytest.mark.parametrize("variant", ["fused", "mean", "pretrained"])
def test_a_variant_with_auxiliary_vectors_needs_the_auxiliary_model(data: AttackerData, variant: Variant) -> None:
    with pytest.raises(DataError, match=f"'{variant}' needs an auxiliary model"):
        trained(variant, data)


def test_a_joint_clone_needs_auxiliary_interactions(data: AttackerData) -> None:
    with pytest.raises(DataError, match="'joint' needs auxiliary interactions"):
        trained("joint", data)


@pytest.mark.parametrize("variant", ["own", "fused", "mean", "pretrained", "joint"])
def test_the_same_seed_gives_the_same_clone(
    data: AttackerData, auxiliary: Callable[[str], Checkpoint], variant: Variant
) -> None:
    full = data._replace(
        auxiliary_model=auxiliary("bpr"), auxiliary_interactions=data.interactions.assign(user=lambda f: f["user"] + 50)
    )
    same, again, other = (trained(variant, full, seed=seed)["state"] for seed in (1, 1, 2))
    assert all(torch.equal(same[key], again[key]) for key in same)
    assert not torch.equal(same["users.weight"], other["users.weight"])


@pytest.mark.parametrize("name", ["bpr", "lmf", "ncf"])
def test_variants_of_one_clone_share_their_start(name: str) -> None:
    states = []
    for fused in (False, True):
        model = build(name, torch.arange(9), 30, SETTINGS[name](dimensions=6))
        if fused:
            fuse(model)
        model.initialise(torch.Generator().manual_seed(0))
        states.append(model.state_dict())
    own, fused_state = states
    assert all(torch.equal(value, fused_state[key]) for key, value in own.items())


def test_the_curve_marks_the_state_that_is_kept(data: AttackerData) -> None:
    _, curve = train_clone("own", data, "bpr", {"dimensions": 6}, CloneSettings(training=SHORT), 0, "cpu")
    assert list(curve.columns) == ["step", "loss", "validation", "kept"]
    assert curve["step"].tolist() == [0, 4, 8, 12]
    assert curve.loc[curve["kept"], "validation"].item() == curve["validation"].max()
