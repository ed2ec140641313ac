"""What items are called."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from rec_msa.interactions import titles as module
from rec_msa.interactions.titles import TITLES, titles

if TYPE_CHECKING:
    from pathlib import Path

ITEMS = pd.DataFrame({"item": [0, 1, 2], "raw_item": [1, 5, 9]})
FILE = b'item_id:token\tmovie_title:token_seq\trelease_year:token\n1\tToy Story\t1995\n5\t"Copycat\t1995\n'


def test_items_have_the_titles_of_a_file_that_lies_there_and_else_their_ids(tmp_path: Path) -> None:
    place = tmp_path / "ml-100k" / "ml-100k.item"
    place.parent.mkdir()
    place.write_bytes(FILE)
    assert titles("ml-100k", ITEMS, tmp_path).to_dict() == {0: "Toy Story", 1: '"Copycat', 2: "9"}


def test_a_data_set_without_titles_shows_ids(tmp_path: Path) -> None:
    assert titles("mine", ITEMS, tmp_path).to_dict() == {0: "1", 1: "5", 2: "9"}


def test_where_titles_cannot_be_fetched_ids_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TITLES", {"ml-100k": replace(TITLES["ml-100k"], copy=None)})
    assert titles("ml-100k", ITEMS, tmp_path).to_dict() == {0: "1", 1: "5", 2: "9"}


@pytest.mark.network
def test_the_titles_of_ml_100k_are_fetched_and_are_the_known_ones(tmp_path: Path) -> None:
    assert titles("ml-100k", ITEMS, tmp_path)[0] == "Toy Story"
    kept = (tmp_path / "ml-100k" / "ml-100k.item").read_bytes()
    assert hashlib.sha256(kept).hexdigest() in TITLES["ml-100k"].sha256
