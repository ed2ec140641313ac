"""What every defense promises, whatever it puts into the lists."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rec_msa.defenses.defended import Defended
from rec_msa.defenses.settings import DEFENSES, build_defense
from rec_msa.foundation.errors import SettingsError
from rec_msa.foundation.lists import Lists

LENGTH = 20
STRENGTHS = (1, 4, 15, LENGTH)
every_defense = pytest.mark.parametrize("name", sorted(DEFENSES))
fresh_or_not = pytest.mark.parametrize("fresh", ["", "_fresh"])


@every_defense
def test_strength_zero_changes_nothing(defended, ranked, name):
    assert (defended(f"{name}_0").serve(ranked).items == ranked.items[:, :LENGTH]).all()


@every_defense
@fresh_or_not
@pytest.mark.parametrize("n", STRENGTHS)
def test_lists_keep_their_length_and_at_most_n_places_change(defended, ranked, name, fresh, n):
    served = defended(f"{name}{fresh}_{n}").serve(ranked)
    assert served.items.shape == (60, LENGTH)
    assert (served.users == ranked.users).all()
    changed = (served.items != ranked.items[:, :LENGTH]).sum(axis=1)
    assert (changed <= n).all()
    if name != "shuffle":
        assert (changed == n).all()


@every_defense
@pytest.mark.parametrize("n", STRENGTHS)
def test_no_item_is_served_twice_and_none_of_the_training_interactions(defended, ranked, interactions, name, n):
    served = defended(f"{name}_{n}").serve(ranked)
    assert all(len(set(row)) == LENGTH for row in served.items.tolist())
    trained = set(interactions.itertuples(index=False, name=None))
    assert not trained & set(served.to_frame()[["user", "item"]].itertuples(index=False, name=None))


@every_defense
@fresh_or_not
def test_the_seed_decides(defended, ranked, name, fresh):
    answers = [defended(f"{name}{fresh}_8", seed=seed).serve(ranked).items for seed in (3, 3, 4)]
    assert (answers[0] == answers[1]).all()
    assert (answers[0] != answers[2]).any()


@every_defense
@fresh_or_not
@given(st.lists(st.sets(st.integers(0, 59), min_size=1), min_size=1, max_size=4))
def test_an_answer_depends_on_nobody_else_who_is_asked_about(defended, ranked, name, fresh, batches):
    together, alone = defended(f"{name}{fresh}_8"), defended(f"{name}{fresh}_8")
    for users in batches:
        answer = together.serve(ranked.of(sorted(users)))
        for user in users:
            assert (answer.of([user]).items == alone.serve(ranked.of([user])).items).all()


@every_defense
def test_the_same_question_gets_the_same_answer_unless_draws_are_fresh(defended, ranked, name):
    for settings, same in (({}, True), ({"consistent": False}, False)):
        defense = defended(f"{name}_8", **settings)
        assert (defense.serve(ranked).items == defense.serve(ranked).items).all() == same
    fresh = defended(f"{name}_fresh_8")
    assert (fresh.serve(ranked).items != fresh.serve(ranked).items).any()


@every_defense
def test_places_are_spread_over_the_list(defended, ranked, name):
    changed = [defended(f"{name}_8", seed=seed).serve(ranked).items != ranked.items[:, :LENGTH] for seed in range(30)]
    expected = 0.4 * (7 / 8 if name == "shuffle" else 1)
    assert np.mean(changed, axis=(0, 1)) == pytest.approx(np.full(LENGTH, expected), abs=0.05)


@pytest.mark.parametrize("name", sorted(set(DEFENSES) - {"shuffle"}))
def test_a_higher_strength_alters_the_places_of_a_lower_one_alike(defended, ranked, name):
    low, high = (defended(f"{name}_{n}").serve(ranked).items for n in (5, 10))
    altered = low != ranked.items[:, :LENGTH]
    assert (high[altered] == low[altered]).all()


@every_defense
def test_padding_stays_at_the_end(defended, interactions, name):
    new = np.setdiff1d(np.arange(120), interactions.loc[interactions["user"] == 0, "item"])
    padded = Lists(np.array([0]), np.r_[new[:10], np.full(10, -1), new[10:20]][None].repeat(1, axis=0)[:, :LENGTH])
    rule, strength = build_defense(f"{name}_0", {})
    assert (Defended(rule, strength, interactions, 120, LENGTH, 0).serve(padded).items == padded.items).all()
    if name != "swap_tail":
        served = defended(f"{name}_6").serve(padded).items[0]
        assert (served[:10] >= 0).all()
        assert (served[10:] == -1).all()


@every_defense
def test_more_than_a_list_has_is_refused(defended, ranked, name):
    with pytest.raises(SettingsError, match="more than the 20 of user 0's list"):
        defended(f"{name}_21").serve(ranked)


@every_defense
def test_nobody_asked_about_is_no_answer(defended, ranked, name):
    nobody = Lists(ranked.users[:0], ranked.items[:0])
    assert defended(f"{name}_4").serve(nobody).items.shape == (0, LENGTH)


@every_defense
def test_blocks_of_users_change_nothing(defended, ranked, name, monkeypatch):
    whole = defended(f"{name}_8").serve(ranked).items
    monkeypatch.setattr("rec_msa.defenses.defended._CELLS_AT_ONCE", 700)
    assert (defended(f"{name}_8").serve(ranked).items == whole).all()
