"""References are made from what an attacker may know: D_t, auxiliary data, and the lists of queried users alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from rec_msa.attacks.settings import REFERENCES, ReferenceSettings
from rec_msa.experiments.cells import Attacker, Cell
from rec_msa.pipelines.evaluation.pipeline import create_reference_pipeline

if TYPE_CHECKING:
    from collections.abc import Callable

N_ITEMS, LENGTH = 30, 5
HELDOUT, QUERIED = (0, 1), (2, 3, 4, 5)
KNOWN = {user: [0, 1] if user in HELDOUT else [0, 2] for user in (*HELDOUT, *QUERIED)}
AUXILIARY = {user: [7, 8] for user in range(10, 20)}


def frame(rows: dict[int, list[int]]) -> pd.DataFrame:
    return pd.DataFrame([(user, item) for user, items in rows.items() for item in items], columns=["user", "item"])


def served(of_heldout: int) -> pd.DataFrame:
    """Lists of five items each; those of held-out users begin with the item that is given."""
    first = {**dict.fromkeys(HELDOUT, of_heldout), **dict.fromkeys(QUERIED, 10)}
    rows = [(user, rank, item + rank) for user, item in first.items() for rank in range(1, LENGTH + 1)]
    return pd.DataFrame(rows, columns=["user", "rank", "item"])


@pytest.fixture(scope="module")
def lists() -> Callable[[pd.DataFrame], dict[str, dict[int, list[int]]]]:
    """Returns a function from served lists to the lists of every reference, made by the pipeline's own nodes."""
    pipeline = create_reference_pipeline(Attacker(Cell("small", "bpr", 0), 0.1, 1.0, LENGTH, (0.1, LENGTH)))
    nodes = [one for name in ("solve", "rank") for one in pipeline.nodes if one.name.endswith(f"{name}_references")]

    def make(served_lists: pd.DataFrame) -> dict[str, dict[int, list[int]]]:
        groups = {**dict.fromkeys(HELDOUT, "heldout"), **dict.fromkeys(QUERIED, "queried")}
        data = {
            "attacker_train": frame(KNOWN),
            "auxiliary_train": frame(AUXILIARY),
            "attackers": pd.DataFrame(groups.items(), columns=["user", "group"]),
            "served_target_lists": served_lists,
            "statistics": {"items": N_ITEMS},
            "params:references": ReferenceSettings(),
            "params:device": "cpu",
        }
        for node in nodes:
            [(name, made)] = node.run({name: data[name.rpartition(".")[2]] for name in node.inputs}).items()
            data[name.rpartition(".")[2]] = made
        by_name = {name: own.sort_values("rank") for name, own in made.groupby("attack")}
        return {str(name): own.groupby("user")["item"].agg(list).to_dict() for name, own in by_name.items()}

    return make


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_what_no_target_has_a_part_in_is_solved_once_for_all_targets_defenses_and_list_lengths(share: float) -> None:
    cells = [Cell("small", model, 0, defense) for model in ("bpr", "lmf") for defense in ("none", "shuffle_5")]
    attackers = [Attacker(cell, 0.1, share, length, (0.1, LENGTH)) for cell in cells for length in (LENGTH, 50, 100)]
    made = [node for one in attackers for node in create_reference_pipeline(one).nodes]
    assert {node.name for node in made if "solve_references" in node.name} == {"small.seed0.users10.solve_references"}
    assert len({node for node in made if "solve_references" in node.name}) == 1


def test_a_list_longer_than_those_solved_for_others_has_longer_ones_of_its_own() -> None:
    longer = Attacker(Cell("small", "bpr", 0), 0.1, 1.0, 101, (0.1, LENGTH))
    assert (longer.solved_length, longer.solved_lists) == (200, "small.seed0.users10.solved_lists_200")


def test_popularity_is_counted_in_what_the_attacker_knows_of_the_target_and_not_in_auxiliary_data(
    lists: Callable[[pd.DataFrame], dict[str, dict[int, list[int]]]],
) -> None:
    made = lists(served(20))
    # Of what a held-out user does not have, four others have 2; of what a queried one does not, two others have 1.
    assert made["popularity"][HELDOUT[0]] == [2, 3, 4, 5, 6]
    assert made["popularity"][QUERIED[0]] == [1, 3, 4, 5, 6]
    assert made["auxiliary_popularity"][HELDOUT[0]][:2] == [7, 8]


def test_models_in_closed_form_know_auxiliary_data_where_their_name_says_so(
    lists: Callable[[pd.DataFrame], dict[str, dict[int, list[int]]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = lists(served(20))
    # Auxiliary users have 1 beside 0 and 3 beside 2: more of them than D_t has users.
    monkeypatch.setitem(globals(), "AUXILIARY", {user: [0, 3] for user in range(10, 40)})
    otherwise = lists(served(20))
    for name in ("ease", "ials"):
        assert made[name] == otherwise[name]
        assert otherwise[f"{name}_joint"][HELDOUT[0]][0] == 3
        assert otherwise[name][HELDOUT[0]][0] == 2


def test_no_reference_sees_the_lists_of_held_out_users(
    lists: Callable[[pd.DataFrame], dict[str, dict[int, list[int]]]],
) -> None:
    made, otherwise = lists(served(20)), lists(served(3))
    assert set(made) == set(REFERENCES)
    for name in REFERENCES:
        assert made[name] == otherwise[name], name
    assert np.isin(range(11, 16), made["knn_lists"][HELDOUT[0]]).all()
