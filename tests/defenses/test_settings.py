"""Names of defenses are read, and what cannot be is refused."""

from __future__ import annotations

import pytest

from rec_msa.defenses.settings import DefenseSettings, build_defense, parse_defense, require_room, settings_key
from rec_msa.foundation.errors import SettingsError


def test_names_of_defenses_are_read():
    assert parse_defense("none") == ("none", 0)
    assert parse_defense("popular_mixing_15") == ("popular_mixing", 15)
    assert parse_defense("swap_tail_fresh_5") == ("swap_tail_fresh", 5)


@pytest.mark.parametrize("name", ["popular_mixing", "popular_mixing_x", "popular_mixing_²", "mixing_5", "fresh_5", ""])
def test_other_names_are_refused(name):
    with pytest.raises(ValueError, match="popular_mixing"):
        parse_defense(name)


@pytest.mark.parametrize(
    ("name", "said"),
    [("popular_mixing", "says no strength; write 'popular_mixing_15'"), ("shuffle_05", "is written 'shuffle_5'")],
)
def test_a_name_that_is_nearly_right_is_put_right(name, said):
    with pytest.raises(ValueError, match=said):
        parse_defense(name)


def test_a_fresh_defense_is_the_same_with_fresh_draws():
    plain, fresh = (build_defense(f"popular_mixing{kind}_5", {"pool": 30})[0] for kind in ("", "_fresh"))
    assert plain.consistent
    assert fresh == plain.model_copy(update={"consistent": False})


def test_settings_lie_under_the_defense_s_own_name():
    assert settings_key("none") is None
    assert settings_key("shuffle_fresh_50") == "shuffle"


def test_every_strength_is_a_cell():
    settings = DefenseSettings(popular_mixing={"strengths": [0, 5], "fresh_strengths": []}, shuffle={"strengths": [50]})
    names = settings.names()
    assert [name for name in names if name.startswith(("popular", "shuffle"))] == [
        "popular_mixing_5",
        "shuffle_50",
        "shuffle_fresh_50",
    ]
    assert all(parse_defense(name) for name in names)


def test_which_strengths_are_run_is_no_part_of_what_an_artifact_is_made_from():
    few, many = (DefenseSettings(swap_tail={"strengths": strengths}) for strengths in ([5], [5, 10]))
    assert few.model_dump() == many.model_dump()


def test_more_places_than_a_list_has_are_refused():
    require_room("shuffle_50", 50)
    with pytest.raises(SettingsError, match=r"'shuffle_50' alters 50 places, but a list has 20 \(list_length\)"):
        require_room("shuffle_50", 20)
