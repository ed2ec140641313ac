"""Files of recorded lists: what is read, and what is refused in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

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


@pytest.mark.parametrize(
    ("text", "layout"),
    [
        ("user;n\n7;1\n9;1\n", {"separator": ";"}),
        ("user,n\n7,1\n9,1\n", {"separator": ";"}),
        ("7\n9\n", {"columns": ["user", "rank", "item"]}),
        ("user\n7\n9\n", {"columns": ["user", "item"], "separator": "tab"}),
        ("7,1\n9,1\n", {"columns": ["user", "item"]}),
        ("7 1 2\n9 3\n", {"columns": ["user", "item..."], "separator": "space", "quotes": "none"}),
        ('{"user": 7}\n{"user": 9}\n', {"columns": ["user", "item"]}),
    ],
)
def test_a_file_of_auxiliary_users_was_told_to_set_what_was_set(tmp_path, text, layout):
    assert users_of(tmp_path, text, **layout) == [7, 9]


def test_the_encoding_that_is_set_was_not_that_of_auxiliary_users(tmp_path):
    assert users_of(tmp_path, "user\nJos\u00e9\n".encode("latin-1"), encoding="latin-1") == ["Jos\u00e9"]
    assert users_of(tmp_path, "Jos\u00e9\nAnna\n".encode("utf-16"), encoding="utf-16") == ["Jos\u00e9", "Anna"]


@pytest.mark.parametrize("text", ["7,1\n9,1\n", "customer\n7\n9\n"])
def test_a_layout_of_auxiliary_users_that_is_no_lists_one_has_a_remedy_that_works(tmp_path, text):
    with pytest.raises(
        DataError, match=r"others: no field of the first line is 'user'.*; write users alone, one a line"
    ):
        users_of(tmp_path, text, columns=["user", "rank", "item"])
    assert users_of(tmp_path, "7\n9\n", columns=["user", "rank", "item"]) == [7, 9]


def test_what_is_wrong_with_a_file_of_auxiliary_users_names_the_key_of_the_target(tmp_path):
    settings = TargetSettings(lists="lists.csv", auxiliary=str(tmp_path / "none.csv"))
    with pytest.raises(DataError, match=r"targets\.mine: "):
        read_users("mine", settings, settings.auxiliary_file)
    with pytest.raises(DataError, match=r"set targets\.mine\.missing: drop"):
        users_of(tmp_path, "user,item\n7,1\n,1\n")


@pytest.mark.parametrize(
    ("name", "text"), [("0.csv", "day,item\n1,10\n2,20\n"), ("0.txt", "10\n20\n"), ("0.parquet", "")]
)
def test_auxiliary_users_who_stand_in_the_names_of_folders_alone_could_not_be_read(tmp_path, name, text):
    for user in ("7", "x%209", "7", "__HIVE_DEFAULT_PARTITION__"):
        (folder := tmp_path / "others" / f"user={user}").mkdir(parents=True, exist_ok=True)
        if text:
            (folder / name).write_text(text)
        else:
            parquet.write_table(pa.table({"day": [1, 2]}), folder / name)
    settings = {"lists": "lists.csv", "auxiliary": str(tmp_path / "others")}
    target = TargetSettings(**settings, missing="drop")
    assert sorted(read_users("mine", target, target.auxiliary_file)) == ["7", "x 9"]
    with pytest.raises(DataError, match=r"PARTITION__/0\.\w+, the names of its folders, column user: None is no id"):
        read_users("mine", TargetSettings(**settings), target.auxiliary_file)


def users_of(folder: Path, text: str | bytes, **settings: object) -> list:
    (folder / "others").write_bytes(text.encode() if isinstance(text, str) else text)
    target = TargetSettings(lists="lists.csv", auxiliary=str(folder / "others"), **settings)
    return read_users("mine", target, target.auxiliary_file).tolist()


PADDED = {
    "by rows": ("user,item\n1,10\n2,30\n1,20\n1,-1\n1,30\n2,10\n2,\n1,NA\n1,-1\n", {"unknown": "drop"}),
    "in a field": ('user;item\n1;"10,20,30,,nan"\n2;30,10,-1\n3;\n', {"separator": ";", "list_separator": ","}),
    "ragged": (
        "1,10,20,30,\n2,30,10,,-1,-1,\n",
        {"columns": ["user", "item..."], "quotes": "none"},
    ),
    "json": ('{"user": 1, "item": [10, 20, 30]}\n{"user": 2, "item": [30, 10, -1, -1, null]}\n', {}),
    "scores of nobody": (
        "user,item,score\n1,-1,\n1,-1,nan\n1,20,2\n1,10,3\n1,30,1\n2,10,1\n2,30,5\n2,,-inf\n",
        {"score": "score"},
    ),
    "ranks of nobody": (
        "user,item,rank\n2,-1,3\n2,30,1\n2,10,2\n1,-1,-1\n1,20,2\n1,10,1\n1,30,3\n1,,4\n",
        {"rank": "rank"},
    ),
}


@pytest.mark.parametrize(("text", "layout"), PADDED.values(), ids=PADDED)
def test_places_at_a_lists_end_that_hold_no_item_made_it_unreadable(tmp_path, caplog, text, layout):
    assert sorted(lists_of(tmp_path / "lists.csv", text, **layout), key=lambda row: row[0]) == IN_ORDER
    assert "hold no item (missing, or -1) and are left out" in caplog.text


def test_lists_of_arrays_that_faiss_padded_could_not_be_read(tmp_path, caplog):
    table = pa.table({"user": [1, 2, 3], "item": [[10, 20, 30], [30, 10, -1], [-1, -1, -1]]})
    parquet.write_table(table, tmp_path / "lists.parquet")
    read = read_lists("mine", TargetSettings(lists=str(tmp_path / "lists.parquet")))
    assert list(read.itertuples(index=False, name=None)) == IN_ORDER
    assert "4 places of 2 lists hold no item (missing, or -1) and are left out; 1 lists have no other" in caplog.text


@pytest.mark.parametrize(("hole", "key"), [("", "missing"), ("null", "missing"), ("-1", "unknown")])
def test_a_place_without_an_item_before_others_names_its_line_and_what_leaves_it_out(tmp_path, hole, key):
    text = f"user;item\n1;10,20,30\n2;30,{hole},10,\n"
    layout = {"separator": ";", "list_separator": ","}
    said = refusal(tmp_path, text, **layout)
    assert "lists.csv, line 3, column item: " in said
    assert f"others follow in the list of user 2; set targets.mine.{key}: drop" in said
    assert lists_of(tmp_path / "lists.csv", text, **layout, **{key: "drop"}) == IN_ORDER


def test_minus_one_is_an_item_where_an_interaction_has_it(tmp_path):
    (tmp_path / "lists.csv").write_text("user,item\n1,a\n1,-1\n2,b\n2,-1\n2,-1\n")
    settings = TargetSettings(lists=str(tmp_path / "lists.csv"))
    read = {known: read_lists("mine", settings, pd.Series(["a", "b", known])) for known in ("-1", "c")}
    assert read["-1"].to_numpy().tolist() == [[1, "a"], [1, "-1"], [2, "b"]]
    assert read["c"].to_numpy().tolist() == [[1, "a"], [2, "b"]]


def test_an_item_called_none_could_not_stand_in_a_list(tmp_path):
    assert lists_of(tmp_path / "lists.csv", "user,item\n1,None\n1,x\n", missing="keep") == [(1, "None"), (1, "x")]


def test_rows_without_user_are_refused_or_left_out(tmp_path):
    text = "user,item\n1,10\n,20\n1,20\n"
    assert "line 3, column user: '' is no id; set targets.mine.missing: drop" in refusal(tmp_path, text)
    assert lists_of(tmp_path / "lists.csv", text, missing="drop") == [(1, 10), (1, 20)]
    assert "no rows with a user" in refusal(tmp_path, "user,item\n,20\n", missing="drop")
    assert "no list has an item" in refusal(tmp_path, "user,item\n1,\n")


@pytest.mark.parametrize("by", ["rank", "score"])
def test_a_blank_before_a_number_made_it_none(tmp_path, by):
    text = f"user, {by},item\n1, 2,20\n1,1 ,10\n1,\t3.0,30\n"
    items = [item for _, item in lists_of(tmp_path / "lists.csv", text, **{by: by})]
    assert items == ([10, 20, 30] if by == "rank" else [30, 20, 10])


def test_scores_too_large_for_floats_to_be_exact_were_no_numbers(tmp_path):
    table = pa.table({"user": [1, 1, 1], "item": [30, 20, 10], "score": [2**53 + 1, 2**62 + 1, 2**63 - 1]})
    parquet.write_table(table, tmp_path / "lists.parquet")
    read = read_lists("mine", TargetSettings(lists=str(tmp_path / "lists.parquet"), score="score"))
    assert read["item"].tolist() == [10, 20, 30]


def test_ranks_that_count_from_0_were_refused(tmp_path):
    text = LISTS.assign(rank=LISTS["rank"] - 1).to_csv(index=False)
    assert lists_of(tmp_path / "lists.csv", text, rank="rank") == IN_ORDER
    said = refusal(tmp_path, f"{text}3,1,10\n3,2,20\n", rank="rank")
    assert "lists.csv, line 7: the list of user 3 has no rank 0 before rank 1" in said


def test_scores_beside_a_field_with_a_list_may_be_a_list(tmp_path):
    text = 'user,item,score\n1,"[20, 10]","[0.5, 0.9]"\n'
    assert lists_of(tmp_path / "lists.csv", text, list_separator=",", score="score") == [(1, 10), (1, 20)]


def test_a_rank_twice_names_the_user(tmp_path):
    said = refusal(tmp_path, "user,rank,item\n1,1,10\n1,1,20\n", rank="rank")
    assert "the list of user 1 has two rows of rank 1" in said


def test_a_gap_in_the_ranks_names_the_user(tmp_path):
    said = refusal(tmp_path, "user,rank,item\n1,1,10\n2,1,5\n2,3,20\n", rank="rank")
    assert "the list of user 2 has no rank 2 before rank 3" in said


@pytest.mark.parametrize("value", ["-1", "1.5", "first", ""])
def test_what_is_no_rank_names_line_and_value(tmp_path, value):
    said = refusal(tmp_path, f"user,rank,item\n1,1,10\n1,{value},20\n", rank="rank")
    assert "lists.csv, line 3, column rank" in said


@pytest.mark.parametrize("value", ["nan", "inf", "much"])
def test_what_is_no_score_names_line_and_value(tmp_path, value):
    said = refusal(tmp_path, f"user,score,item\n1,.5,10\n1,{value},20\n", score="score")
    assert "lists.csv, line 3, column score" in said


def test_an_item_twice_names_user_and_item(tmp_path):
    said = refusal(tmp_path, "user,item\n1,10\n1,20\n1,10\n")
    assert "lists.csv, line 4: the list of user 1 has item 10 twice" in said


def test_a_missing_item_names_the_line(tmp_path):
    assert "lists.csv, line 2, column item" in refusal(tmp_path, "user,item\n1,\n1,10\n")


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
