"""What a tester found who wrote two hundred files in the shape of public data sets: each test has its name from it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from rec_msa.foundation.errors import DataError
from tests.interactions.reading.own_files import own, pairs, read_own, refused, times

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd


def odd(table: pd.DataFrame) -> str:
    return "; ".join(table.attrs["reading"]["odd"])


# ---- names of columns


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_rest_of_a_name_with_a_line_break_was_an_interaction(tmp_path: Path, end: str) -> None:
    content = end.join(['user,item,"Rating', '(1,2,3)", time', "1,2,5,7", "3,4,5,8", ""])
    table = own(tmp_path, content, time="time")
    assert pairs(table) == [(1, 2), (3, 4)]
    assert times(table) == [7, 8]
    assert "line 4, column item: 'NA' is no id" in refused(tmp_path, content.replace("3,4", "3,NA"))


@pytest.mark.parametrize("content", ["user,item", "user,item\n", '"user\n",item', "# a comment\nuser,item"])
def test_names_alone_are_no_rows(tmp_path: Path, content: str) -> None:
    assert "has no rows below its header" in refused(tmp_path, content, user="user\n" if '\n"' in content else "user")


def test_quotation_marks_behind_blanks_were_part_of_names(tmp_path: Path) -> None:
    content = '"user", "item", "list name"\n"1","2","P, 1"\n'
    assert pairs(own(tmp_path, content)) == [(1, 2)]


@pytest.mark.parametrize("settings", [{}, {"columns": ["user", "item"]}])
def test_quotation_marks_behind_blanks_are_refused_where_they_are_ids(tmp_path: Path, settings: dict[str, Any]) -> None:
    content = ("" if settings else '"user", "item"\n') + '"1", "2"\n"3", "4"\n'
    said = refused(tmp_path, content, **settings)
    assert f"line {1 if settings else 2}: a blank stands before a quotation mark" in said
    assert r"""sed -E 's/(^|,) +"/\1"/g' FILE""" in said


def test_blanks_before_quotation_marks_do_no_harm_in_a_column_that_is_not_read(tmp_path: Path) -> None:
    assert pairs(own(tmp_path, 'user,item,note\n1,2, "fine"\n')) == [(1, 2)]


@pytest.mark.parametrize("again", ["user,item", "USER,ITEM", "User,Item", "user, item", " user ,item "])
@pytest.mark.parametrize("settings", [{}, {"columns": ["user", "item"]}])
def test_names_once_more_were_a_user(tmp_path: Path, again: str, settings: dict[str, Any]) -> None:
    content = ("" if settings else "user,item\n") + f"1,2\n{again}\n3,4\n"
    table = own(tmp_path, content, **settings)
    assert pairs(table) == [(1, 2), (3, 4)]
    assert table.attrs["reading"]["dropped"] == {"the header again": 1}


def test_a_file_cut_by_split_names_its_columns_in_the_first_part_alone(tmp_path: Path) -> None:
    (tmp_path / "part0").write_text("user,item\n1,2\n")
    (tmp_path / "part1").write_text("3,4\n")
    parts = [str(tmp_path / name) for name in ("part0", "part1")]
    table = read_own(parts, columns=["user", "item"])
    assert pairs(table) == [(1, 2), (3, 4)]
    assert not odd(table)
    (tmp_path / "part0").write_text("user,  item\n1,2\n")
    assert pairs(read_own(parts, columns=["user", "item"])) == [(1, 2), (3, 4)]
    (tmp_path / "part1").write_text("3,NA\n")
    (tmp_path / "part0").write_text("user,item\n1,NA\n")
    with pytest.raises(DataError, match="part0, line 2, column item: 'NA' is no id"):
        read_own(parts, columns=["user", "item"])


LINES: dict[str, Any] = {"columns": ["user", "items..."], "separator": "space", "quotes": "none", "item": "items"}


def test_names_above_one_line_a_user_were_a_user(tmp_path: Path) -> None:
    assert "line 1 names the columns itself" in refused(tmp_path, "user items\n21 10 11\n", **LINES)
    table = own(tmp_path, "who what\n21 10 11\n", **LINES)
    assert "the first line of" in odd(table) and "may name the columns" in odd(table)
    assert not odd(own(tmp_path, "20 9\n21 10 11\n", **LINES))
    assert pairs(own(tmp_path, "bob items x\n", **LINES)) == [("bob", "items"), ("bob", "x")]


def test_lines_of_items_alone_name_no_columns(tmp_path: Path) -> None:
    (tmp_path / "user=5").mkdir()
    (tmp_path / "user=5" / "part0").write_text("10 11\n12\n")
    alone = LINES | {"columns": ["items..."]}
    assert pairs(read_own(tmp_path, **alone)) == [(5, 10), (5, 11), (5, 12)]


def test_lines_without_any_row_are_none(tmp_path: Path) -> None:
    assert "is empty" in refused(tmp_path, "\n \n", **LINES)
    (tmp_path / "part0").write_text("1 2\n")
    (tmp_path / "part1").write_text("\n\n")
    assert pairs(read_own([str(tmp_path / name) for name in ("part0", "part1")], **LINES)) == [(1, 2)]


def test_a_blank_that_does_not_break_parted_an_id(tmp_path: Path) -> None:
    assert pairs(own(tmp_path, "1 a\u00a0b \t c\u2003d\n", **LINES)) == [(1, "a\u00a0b"), (1, "c\u2003d")]


def test_quotation_marks_in_lines_of_a_user_group_nothing(tmp_path: Path) -> None:
    assert pairs(own(tmp_path, "5 'a b' c\n", **LINES)) == [(5, "'a"), (5, "b'"), (5, "c")]
    assert pairs(own(tmp_path, "5 'a' \"b\" 'c\n", **LINES)) == [(5, "'a'"), (5, '"b"'), (5, "'c")]
    tabs = LINES | {"separator": "tab", "columns": ["user", "name", "items..."], "missing": "drop"}
    for more in ("", "6\t'Til\t12\t13\n"):
        assert pairs(own(tmp_path, f"5\t\t10\t11\n{more}", **tabs))[:2] == [(5, 10), (5, 11)]


@pytest.mark.parametrize(
    ("content", "settings", "said"),
    [
        ("The data of May\nuser,item\n1,2\n", {}, "as tail -n +2 FILE does"),
        ("The data of May\n\nuser,item\n1,2\n", {}, "as tail -n +3 FILE does"),
        ("+------+------+\n| user | item |\n", {"separator": "|"}, "it is drawn as a table"),
    ],
)
def test_what_stands_above_the_names_was_taken_for_another_separator(
    tmp_path: Path, content: str, settings: dict[str, Any], said: str
) -> None:
    assert said in refused(tmp_path, content, **settings)


def test_excels_line_may_be_in_quotation_marks(tmp_path: Path) -> None:
    assert pairs(own(tmp_path, '"sep=;"\nuser;item\n1;2\n', separator=";")) == [(1, 2)]


# ---- lines


@pytest.mark.parametrize("blank", ["   ", "\t", " \n  "])
@pytest.mark.parametrize(
    ("separator", "rows"), [(",", "user,item\n1,2\n{}\n3,x\n"), ("whitespace", "user item\n1 2\n{}\n3 x\n")]
)
def test_a_line_of_blanks_was_a_cut_row(tmp_path: Path, separator: str, rows: str, blank: str) -> None:
    content = rows.format(blank)
    assert pairs(own(tmp_path, content, separator=separator)) == [(1, "2"), (3, "x")]
    line = content[: content.index("x")].count("\n") + 1
    said = refused(tmp_path, content.replace("x", "NA"), separator=separator)
    assert f"line {line}, column item: 'NA' is no id" in said


def test_a_row_of_empty_fields_is_no_blank_line(tmp_path: Path) -> None:
    content = "user\titem\n1\t2\n\t\n3\t1.5E+11\n"
    asked: dict[str, Any] = {"separator": "tab", "quotes": "none", "missing": "drop"}
    assert "line 4, column item: '1.5E+11'" in refused(tmp_path, content, **asked)
    assert pairs(own(tmp_path, content.replace("1.5E+11", "4"), **asked)) == [(1, 2), (3, 4)]
    assert "line 3: 1 fields" in refused(tmp_path, 'user,item\n1,2\n""\n3,4\n')


def test_text_whose_first_id_begins_like_feather_was_refused(tmp_path: Path) -> None:
    assert pairs(own(tmp_path, "FEA12,5\nFEA13,6\n", columns=["user", "item"])) == [("FEA12", 5), ("FEA13", 6)]


# ---- lists in text


@pytest.mark.parametrize(
    ("field", "separator", "items"),
    [
        ("['Hello, Dolly 10', 'Ponyo']", ",", ["Hello, Dolly 10", "Ponyo"]),
        ('[""Hello, Dolly"", ""It\'s, well"", 5]', ",", ["Hello, Dolly", "It's, well", "5"]),
        (r"['It\'s, well', " "x" "]", ",", ["It's, well", "x"]),
        ("['Hello Dolly' 'Ponyo']", "space", ["Hello Dolly", "Ponyo"]),
        ("'Til Tuesday, Rock 'n' Roll", ",", ["'Til Tuesday", "Rock 'n' Roll"]),
        ("array(['10', '11'], dtype=object)", ",", ["10", "11"]),
        ("[10 11\n 12]", "space", ["10", "11", "12"]),
        ("(5,)", ",", ["5"]),
        ("10,11,", ",", ["10", "11"]),
        ("(500) Days of Summer, Alien (1979)", ",", ["(500) Days of Summer", "Alien (1979)"]),
        ("{A-1},{B-2}", ",", ["{A-1}", "{B-2}"]),
        (r'[""The \""Best\"""", ""x""]', ",", ['The "Best"', "x"]),
    ],
)
def test_lists_as_python_and_numpy_write_them(tmp_path: Path, field: str, separator: str, items: list[str]) -> None:
    table = own(tmp_path, f'user,item\n21,"{field}"\n', list_separator=separator)
    assert table["item"].astype(str).tolist() == items


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("[10 11 ... 7 8]", "is cut: numpy writes ..."),
        ("[(10, 1400000000), (11, 1400000001)]", "holds objects or lists of lists"),
        ("[{'id': 10}]", "holds objects or lists of lists"),
        ("[{'id': 10}, {'id': 11}]", "holds objects or lists of lists"),
        ("[['a', 'b'], ['c']]", "holds objects or lists of lists"),
        ("['a' 'b']", "set list_separator to space"),
    ],
)
def test_other_text_in_brackets_became_ids(tmp_path: Path, field: str, said: str) -> None:
    separator, fine = ("space", "1 2") if "..." in field else (",", "1, 2")
    message = refused(tmp_path, f'user,item\n20,"[{fine}]"\n21,"{field}"\n', list_separator=separator)
    assert said in message and "line 3, column item" in message


@pytest.mark.parametrize(
    "field",
    [
        *("[np.int64(1), np.int64(2)]", "[1, np.int64(2)]", "(np.int64(1), 2)", "{np.str_('a')}"),
        *("[np.str_('Hello, Dolly')]", "[Decimal('5'), 6]", "array([np.int64(1)])", "[Row(id=1), Row(id=2)]"),
        *("WrappedArray(1, 2)", "WrappedArray(WrappedArray(1), WrappedArray(2))", "tensor([1, 2])", "List(a, b)"),
        *("frozenset({1, 2})", "set()", "Map(1 -> 5.0, 2 -> 3.0)", "dict_keys([1])", "c('a', 'b')", "deque([1])"),
    ],
)
def test_objects_as_programs_print_them_became_ids(tmp_path: Path, field: str) -> None:
    said = refused(tmp_path, f'user,item\n20,"[1, 2]"\n21,"{field}"\n', list_separator=",")
    assert "line 3, column item" in said and "write plain values within [ ], as tolist() gives them" in said


@pytest.mark.parametrize("field", ["{1: 5.0, 2: 3.0}", "{1:5}", "[{1: 5}]", "{a: b}", "{1=5, 2=3}", "{1: [2, 3]}"])
def test_keys_that_are_not_in_quotation_marks_became_ids(tmp_path: Path, field: str) -> None:
    assert "holds objects" in refused(tmp_path, f'user,item\n21,"{field}"\n', list_separator=",")


@pytest.mark.parametrize(
    ("field", "separator", "items"),
    [
        ("Shrek(2001)|C(89)", "|", ["Shrek(2001)", "C(89)"]),
        ("Shrek(2001), C(89)", ",", ["Shrek(2001)", "C(89)"]),
        ("['Shrek(2001)', 'C(89)']", ",", ["Shrek(2001)", "C(89)"]),
        ("{urn:a:1,YWI=}", ",", ["urn:a:1", "YWI="]),
        ("[7 11 store, 5]", ",", ["7 11 store", "5"]),
        ("['a\u00a0b' c\u00a0d]", "space", ["a\u00a0b", "c\u00a0d"]),
        ("1,5|2,5", "|", ["1,5", "2,5"]),
    ],
)
def test_values_that_look_like_objects_or_several_are_ids(
    tmp_path: Path, field: str, separator: str, items: list[str]
) -> None:
    assert own(tmp_path, f'user,item\n1,"{field}"\n', list_separator=separator)["item"].astype(str).tolist() == items


@pytest.mark.parametrize(
    ("field", "separator"),
    [
        ("[1 2 3]", ","),
        ("[1, 2]", "|"),
        ("[1 2, 3]", ","),
        ("1, 2, 3", "space"),
        ("[1, 2]", "space"),
        ("[1,2]", "space"),
    ],
)
def test_numbers_parted_by_something_else_were_one_id(tmp_path: Path, field: str, separator: str) -> None:
    said = refused(tmp_path, f'user,item\n1,5\n2,"{field}"\n', list_separator=separator)
    assert "line 3, column item" in said and "set list_separator to" in said


@pytest.mark.parametrize(
    ("field", "separator", "said"),
    [
        ("[a b c]", ",", "1 lists are one value with blanks in it: another list_separator may part them"),
        ("a, b, c", "space", "2 item ids end with a comma, semicolon or bar: list_separator or separator may be that"),
        ("[1, 2]", None, "1 item ids look like lists: set list_separator"),
        ("[1 2]", None, "1 item ids look like lists: set list_separator"),
        ("['a']", None, "1 item ids look like lists: set list_separator"),
        ("[REC]", None, ""),
        ("(500) Days of Summer (2009)", None, ""),
    ],
)
def test_a_wrong_or_no_list_separator_is_noted(tmp_path: Path, field: str, separator: str | None, said: str) -> None:
    found = odd(own(tmp_path, f'user,item\n1,z\n2,"{field}"\n', list_separator=separator))
    assert said in found if said else not found


def test_lists_of_items_and_of_times_are_read_together(tmp_path: Path) -> None:
    table = own(tmp_path, 'user,item,time\n21,"[10, 11]","[7, 8]"\n22,[12],[9]\n', list_separator=",", time="time")
    assert pairs(table) == [(21, 10), (21, 11), (22, 12)]
    assert times(table) == [7, 8, 9]
    table = own(tmp_path, 'user,item,time\n21,"[10, 11]",7\n22,[12],9\n', list_separator=",", time="time")
    assert times(table) == [7, 7, 9]
    assert times(own(tmp_path, "user,item,time\n22,[12],[9]\n", list_separator=",", time="time")) == [9]


def test_times_beside_lists_that_are_none_stay_whole(tmp_path: Path) -> None:
    table = own(tmp_path, "user,item,time\n1,10-11-12,2020-02-03\n", list_separator="-", time="time")
    assert times(table) == [1580688000] * 3
    content = "user,item,time\n1,10 11,2020-01-01 10:00:00\n"
    assert times(own(tmp_path, content, list_separator="space", time="time")) == [1577872800] * 2
    content = "user,item,time\n1,[5 6],[7 8]\n2,,\n"
    assert times(own(tmp_path, content, list_separator="space", time="time", missing="drop")) == [7, 8]


def test_rows_that_do_not_count_may_have_a_list_that_is_cut(tmp_path: Path) -> None:
    content = "user,item,kind\n1,[1 2],ok\n2,[1 ... 3],bad\n"
    assert pairs(own(tmp_path, content, list_separator="space", where={"kind": "ok"})) == [(1, 1), (1, 2)]


def test_a_user_with_a_separator_in_the_name_is_one(tmp_path: Path) -> None:
    table = own(tmp_path, 'user,item\n"Smith, Ann","10, 11"\n"Jones, Bo","12, 13"\n', list_separator=",")
    assert table["user"].unique().tolist() == ["Smith, Ann", "Jones, Bo"]


@pytest.mark.parametrize("kind", ["lines", "parquet"])
def test_a_condition_on_a_list_beside_the_items(tmp_path: Path, kind: str) -> None:
    events = [{"aid": 1, "type": "clicks"}, {"aid": 2, "type": "orders"}]
    records = [{"user": 5, "events": events}, {"user": 6, "events": events[:1]}, {"user": 7, "events": []}]
    path = tmp_path / kind
    if kind == "lines":
        path.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    else:
        parquet.write_table(pa.Table.from_pylist(records), path)
    table = read_own(path, item="events.aid", where={"events.type": "orders", "user": "< 7"})
    assert pairs(table) == [(5, 2)]
    assert table.attrs["reading"]["dropped"] == {"where user: < 7": 1, "where events.type: orders": 2}


# ---- ids and times


@pytest.mark.parametrize("kind", ["text", "lines"])
@pytest.mark.parametrize("written", ["76561197960265728.0", "9123456789012344.0"])
def test_text_of_floats_that_lost_digits_passed(tmp_path: Path, kind: str, written: str) -> None:
    content = f"user,item\n{written},1\n" if kind == "text" else f'{{"user": {written}, "item": 1}}\n'
    assert "may have lost digits" in refused(tmp_path, content)
    assert pairs(own(tmp_path, content.replace(written, "9007199254740991.0"))) == [(2**53 - 1, 1)]


def test_times_that_lost_digits_are_noted(tmp_path: Path) -> None:
    table = own(tmp_path, "user,item,time\n1,2,1.49E+12\n1,3,1.487366946E+09\n1,4,7\n", time="time")
    assert odd(table).startswith("1 times may have lost digits")
    single = pa.table({"user": [1], "item": [2], "time": pa.array([1487366946.0], pa.float32())})
    parquet.write_table(single, tmp_path / "single")
    assert "1 times may have lost digits" in odd(read_own(tmp_path / "single", time="time"))


@pytest.mark.parametrize(
    ("time", "said"),
    [
        ("0001-01-01 00:00:00", "1 times are before 1900 or after 2199"),
        ("9999-12-31", "1 times are before 1900 or after 2199"),
        ("1900-01-01", ""),
    ],
)
def test_dates_that_stand_for_none_are_noted(tmp_path: Path, time: str, said: str) -> None:
    table = own(tmp_path, f"user,item,time\n1,2,{time}\n1,3,2020-01-01 10:00:00\n", time="time")
    assert odd(table) == said


@pytest.mark.parametrize("time", ["0", "-1"])
def test_numbers_that_stand_for_no_time_are_noted(tmp_path: Path, time: str) -> None:
    table = own(tmp_path, f"user,item,time\n1,2,{time}\n1,3,1487366946\n", time="time")
    assert odd(table) == "1 times are 0 or less, and others look like times since 1970"
    assert not odd(own(tmp_path, f"user,item,time\n1,2,{time}\n1,3,500\n", time="time"))


def test_a_date_in_a_condition_is_compared_as_the_times_are_written(tmp_path: Path) -> None:
    content = "user,item,time\n1,2,2/17/2017 21:29\n1,3,2/17/2014 21:29\n"
    asked: dict[str, Any] = {"time": "time", "where": {"time": ">= 2015-01-01"}}
    assert pairs(own(tmp_path, content, time_format="%m/%d/%Y %H:%M", **asked)) == [(1, 2)]
    digits = "user,item,time\n1,2,1122020\n1,3,1112014\n1,4,\n"  # 1 December 2020, a zero lost
    assert pairs(own(tmp_path, digits, time_format="%d%m%Y", **asked)) == [(1, 2)]
    parquet.write_table(pa.table({"user": [1, 1], "item": [2, 3], "time": [20200101, 20140101]}), tmp_path / "days")
    assert pairs(read_own(tmp_path / "days", time_format="%Y%m%d", **asked)) == [(1, 2)]
    said = refused(tmp_path, "user,item,time\n1,2,1487366946\n", **asked)
    assert "compare numbers with a number, as 1420070400 for seconds" in said
