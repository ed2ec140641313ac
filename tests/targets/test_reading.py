"""Files of recorded lists: what is read, and what is refused in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from rec_msa.foundation.errors import DataError
from rec_msa.targets.reading import read_lists, read_users
from rec_msa.targets.settings import TargetSettings

if TYPE_CHECKING:
    from pathlib import Path

LISTS = pd.DataFrame({"user": [1, 1, 1, 2, 2], "rank": [2, 1, 3, 1, 2], "item": [20, 10, 30, 30, 10]})
IN_ORDER = [(1, 10), (1, 20), (1, 30), (2, 30), (2, 10)]


def lists_of(path: Path, text: str, **settings: object) -> list[tuple]:
    path.write_text(text)
    return list(read_lists("mine", TargetSettings(lists=str(path), **settings)).itertuples(index=False, name=None))


def refusal(tmp_path: Path, text: str, **settings: object) -> str:
    with pytest.raises(DataError) as error:
        lists_of(tmp_path / "lists.csv", text, **settings)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_ranks_say_the_order(tmp_path):
    assert lists_of(tmp_path / "lists.csv", LISTS.to_csv(index=False), rank="rank") == IN_ORDER


def test_scores_say_the_order_the_highest_first(tmp_path):
    text = LISTS.assign(rank=-LISTS["rank"] / 3).to_csv(index=False)
    assert lists_of(tmp_path / "lists.csv", text, score="rank") == IN_ORDER


def test_ranks_that_are_taken_for_scores_turn_lists_round_and_are_noted(tmp_path, caplog):
    lists_of(tmp_path / "lists.csv", LISTS.to_csv(index=False), score="rank")
    assert "name the column as rank if 1 is the best" in caplog.text
    caplog.clear()
    lists_of(tmp_path / "lists.csv", LISTS.assign(rank=[7, 1, 3, 1, 2]).to_csv(index=False), score="rank")
    lists_of(tmp_path / "lists.csv", "user,item,rank\n1,10,1\n2,20,1\n", score="rank")
    assert not caplog.text


def test_a_layout_that_is_wrong_names_the_key_of_the_target(tmp_path):
    said = refusal(tmp_path, "user;item\n1;10\n")
    assert "add separator: ';' to targets.mine" in said
    assert "datasets" not in said


@pytest.mark.parametrize("items", ["[10, 11, ..., 19]", "[[10, 11], [12]]"])
def test_a_list_that_could_not_be_parted_ended_in_a_traceback(tmp_path, items):
    said = refusal(tmp_path, f'user,item\n1,"{items}"\n', list_separator=",")
    assert "line 2, column item" in said


def test_without_either_rows_are_in_order(tmp_path):
    text = LISTS.sort_values(["user", "rank"]).drop(columns="rank").to_csv(index=False)
    assert lists_of(tmp_path / "lists.csv", text) == IN_ORDER


def test_a_row_may_hold_a_whole_list(tmp_path):
    text = "user;item\n1;10 20 30\n2;30 10\n"
    assert lists_of(tmp_path / "lists.csv", text, separator=";", list_separator=" ") == IN_ORDER


def test_a_header_in_the_middle_made_all_ids_strings(tmp_path):
    text = "user;item\n1;10 20 30\n\ufeffuser;item\n2;30 10\n"
    assert lists_of(tmp_path / "lists.csv", text, separator=";", list_separator=" ") == IN_ORDER


def test_lists_of_objects_as_spark_recommends(tmp_path):
    text = '{"user": 1, "recs": [{"item": 20, "s": 2}, {"item": 10, "s": 3}]}\n'
    assert lists_of(tmp_path / "lists.json", text, item="recs.item", score="recs.s") == [(1, 10), (1, 20)]


def test_parquet_with_lists_of_strings(tmp_path):
    path = tmp_path / "lists.parquet"
    pd.DataFrame({"who": ["a", "b"], "what": [["x", "y"], ["z"]]}).to_parquet(path)
    read = read_lists("mine", TargetSettings(lists=str(path), user="who", item="what"))
    assert read.to_numpy().tolist() == [["a", "x"], ["a", "y"], ["b", "z"]]


def test_users_who_were_left_out_of_training_are_read_from_any_table_that_names_them(tmp_path):
    (tmp_path / "others.csv").write_text("user,item\n7,1\n7,2\n9,1\n")
    settings = TargetSettings(lists="lists.csv", auxiliary=str(tmp_path / "others.csv"))
    assert read_users("mine", settings, settings.auxiliary_file).tolist() == [7, 9]


def test_a_rank_twice_names_the_user(tmp_path):
    said = refusal(tmp_path, "user,rank,item\n1,1,10\n1,1,20\n", rank="rank")
    assert "the list of user 1 has two rows of rank 1" in said


def test_a_gap_in_the_ranks_names_the_user(tmp_path):
    said = refusal(tmp_path, "user,rank,item\n1,1,10\n2,1,5\n2,3,20\n", rank="rank")
    assert "the list of user 2 has no rank 2 before rank 3" in said


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "first", ""])
def test_what_is_no_rank_names_line_and_value(tmp_path, value):
    said = refusal(tmp_path, f"user,rank,item\n1,1,10\n1,{value},20\n", rank="rank")
    assert "lists.csv, line 3, column rank" in said


@pytest.mark.parametrize("value", ["nan", "inf", "much"])
def test_what_is_no_score_names_line_and_value(tmp_path, value):
    said = refusal(tmp_path, f"user,score,item\n1,.5,10\n1,{value},20\n", score="score")
    assert "lists.csv, line 3, column score" in said


def test_an_item_twice_names_user_and_item(tmp_path):
    assert "the list of user 1 has item 10 twice" in refusal(tmp_path, "user,item\n1,10\n1,20\n1,10\n")


def test_a_missing_item_names_the_line(tmp_path):
    assert "lists.csv, line 3, column item" in refusal(tmp_path, "user,item\n1,10\n1,\n")


def test_a_missing_column_names_the_key(tmp_path):
    assert "targets.mine.user" in refusal(tmp_path, "customer,item\n1,10\n")


def test_a_missing_file_names_the_target(tmp_path):
    with pytest.raises(DataError, match=r"targets\.mine"):
        read_lists("mine", TargetSettings(lists=str(tmp_path / "none.csv")))


def test_a_file_without_rows_is_refused(tmp_path):
    assert "has no rows" in refusal(tmp_path, "user,item\n")


def test_a_first_line_that_may_be_names_was_a_user_and_nothing_was_said(tmp_path, caplog):
    lists_of(tmp_path / "lists.csv", "user_id,parent_asin\nAE1,B00\n", columns=("user", "item"))
    assert "lists.csv: the first line may name the columns and was read as data" in caplog.text
