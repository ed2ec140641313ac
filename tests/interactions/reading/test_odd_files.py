"""Files in the odd forms in which known public data sets come."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from rec_msa.foundation.errors import DataError
from rec_msa.interactions.reading.text import _without_marks
from tests.interactions.reading.own_files import own, pairs, read_own, refused, times

if TYPE_CHECKING:
    from pathlib import Path

# ---- objects within objects

OTTO: list[dict[str, Any]] = [
    {"session": {"id": 5}, "events": [{"aid": 1, "ts": 7}, {"aid": 2, "ts": 8}]},
    {"session": {"id": 6}, "events": []},
    {"session": None, "events": None},
    {"session": {"id": 8}, "events": [{"aid": 3, "ts": 9}]},
]
NAMED = {"user": "session.id", "item": "events.aid", "time": "events.ts", "missing": "drop"}


def write_nested(folder: Path, kind: str) -> Path:
    path = folder / kind
    if kind == "lines":
        path.write_text("".join(f"{json.dumps(record)}\n" for record in OTTO))
    elif kind == "parquet":
        parquet.write_table(pa.Table.from_pylist(OTTO), path)
    else:
        feather.write_feather(pa.Table.from_pylist(OTTO[:1] + OTTO).slice(1), str(path))
    return path


@pytest.mark.parametrize("kind", ["lines", "parquet", "feather"])
def test_fields_of_objects_could_not_be_named(tmp_path: Path, kind: str) -> None:
    table = read_own(write_nested(tmp_path, kind), **NAMED)
    assert pairs(table) == [(5, 1), (5, 2), (8, 3)]
    assert times(table) == [7, 8, 9]


@pytest.mark.parametrize("kind", ["lines", "parquet"])
def test_an_object_in_the_place_of_an_id_names_the_field_within(tmp_path: Path, kind: str) -> None:
    content = write_nested(tmp_path, kind).read_bytes()
    assert "'session' holds objects" in refused(tmp_path, content, **(NAMED | {"user": "session"}))
    assert "name what is needed, as events.aid" in refused(tmp_path, content, **(NAMED | {"item": "events"}))
    said = refused(tmp_path, content, **(NAMED | {"user": "session.ids"}))
    assert "did you mean 'session.id'? Allowed: events, events.aid, events.ts, session, session.id" in said


def test_a_point_in_the_name_of_a_field_is_one(tmp_path: Path) -> None:
    assert pairs(own(tmp_path, '{"u.id": 1, "u": {"id": 9}, "item": 3}', user="u.id")) == [(1, 3)]


# ---- JSON that is not UTF-8, or no JSON


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16-be", "utf-32"])
def test_json_in_another_encoding_was_taken_for_text(tmp_path: Path, encoding: str) -> None:
    content = '{"user": "é", "item": "b"}\n\n{"user": "ĊĊ", "item": null}\n'.replace(
        "Ċ", "ÿ" if encoding[0] == "l" else "Ċ"
    )
    assert "line 3, column item" in refused(tmp_path, content.encode(encoding), encoding=encoding)
    table = own(tmp_path, content.encode(encoding), encoding=encoding, missing="drop")
    assert pairs(table) == [("é", "b")]
    likely = encoding if encoding in ("latin-1", "utf-16") else "utf-16"
    assert f"set datasets.mine.encoding, perhaps to {likely}" in refused(tmp_path, content.encode(encoding))


def test_what_python_prints_may_begin_like_json(tmp_path: Path) -> None:
    assert "as Python prints it" in refused(tmp_path, """{"user": "A", 'item': "it's"}\n""")


# ---- comments, blocks, blanks

KONECT = "% bip weighted\n% 3 2 2\n1 1\t5 100\n1  2 3 101 \n2 1 4 102\n"
COLUMNS = ["user", "item", "weight", "time"]


def test_the_files_of_konect_could_not_be_read(tmp_path: Path) -> None:
    table = own(tmp_path, KONECT, columns=COLUMNS, separator="whitespace", time="time")
    assert pairs(table) == [(1, 1), (1, 2), (2, 1)]
    assert times(table) == [100, 101, 102]
    assert table.attrs["reading"]["odd"] == ["2 lines before the first row are comments"]
    assert "line 3 has 3 fields separated by 'space'" in (
        said := refused(tmp_path, KONECT, columns=COLUMNS, separator="space")
    )
    assert "set separator to whitespace" in said
    wrong = KONECT.replace("2 1 4 102", "2 1 4 x\n3 3 3 3")
    assert "line 5, column time: 'x'" in refused(tmp_path, wrong, columns=COLUMNS, separator="whitespace", time="time")


@pytest.mark.parametrize(
    "content",
    [
        '# it\'s a "list\n\n# of a user and an item\nuser,item\n"1",2\n3,4\n',
        "\ufeff# a\r\n# b\r\nuser,item\r\n1,2\r\n3,4\r\n",
        "#\ruser,item\r1,2\r3,4\r",
        "sep=,\nuser,item\n1,2\n3,4\n",
        "# long\n" * 2000 + "user,item\n1,2\n3,4",
    ],
)
def test_comments_before_the_names_were_names(tmp_path: Path, content: str) -> None:
    assert pairs(own(tmp_path, content)) == [(1, 2), (3, 4)]
    assert "comments" in own(tmp_path, content).attrs["reading"]["odd"][0]
    n_lines = len(content.splitlines())
    assert f"line {n_lines}, column item" in refused(tmp_path, content.rstrip("\r\n").removesuffix("4"))


def test_the_size_of_a_matrix_is_no_interaction(tmp_path: Path) -> None:
    content = "%%MatrixMarket matrix coordinate real general\n%---\n9 9 2\n1 2 5\n3 4 5\n"
    assert pairs(own(tmp_path, content, columns=COLUMNS[:3], separator="space")) == [(1, 2), (3, 4)]


def test_the_size_below_a_comment_without_a_blank_was_an_interaction(tmp_path: Path) -> None:
    content = "%%MatrixMarket matrix coordinate real general\n%users by items\n%\n\n%%2024\n943 1682 3\n1 2 1\n3 4 1\n"
    assert pairs(own(tmp_path, content, columns=COLUMNS[:3], separator="space")) == [(1, 2), (3, 4)]


def test_what_has_no_blank_behind_its_mark_is_a_name_or_an_id(tmp_path: Path) -> None:
    assert pairs(own(tmp_path, "#python,5\n#java,6\n", columns=["user", "item"])) == [("#python", 5), ("#java", 6)]
    assert pairs(own(tmp_path, "# id,user,item\n0,1,2\n")) == [(1, 2)]
    assert "no rows" in refused(tmp_path, "# a\nuser,item") and "empty" in refused(tmp_path, "# a\n")


def test_netflix_blocks_are_told_how_to_become_rows(tmp_path: Path) -> None:
    content = "1:\n1488844,3,2005-09-06\n822109,5,2005-05-13\n2:\n2059652,4,2005-09-05\n"
    for asked in ({}, {"columns": ["user", "item", "day"]}, {"separator": ":"}):
        assert "has Netflix's blocks" in refused(tmp_path, content, **asked)
    command = refused(tmp_path, content).partition("line: ")[2].replace("FILE", str(tmp_path / "mine.csv"))
    rows = subprocess.run(command, shell=True, capture_output=True, check=True).stdout
    assert pairs(own(tmp_path, rows, columns=["item", "user", "rating", "day"])) == [
        (1488844, 1),
        (822109, 1),
        (2059652, 2),
    ]


def test_a_first_line_that_lacks_names_is_to_blame(tmp_path: Path) -> None:
    assert "line 2: 3 fields separated by ',' instead of 2; mend the line or the first one" in refused(
        tmp_path, 'user,item\n"1",1,2\n"2",3,4\n'
    )
    assert "add separator: whitespace" in refused(tmp_path, "user  item\n1     2\n")


# ---- times


@pytest.mark.parametrize(
    ("early", "late"),
    [("9:05:56", "12:34:56"), ("9:05", "10:05"), ("12:10 am", "3:34 PM"), ("12:34:56,7", "12:34:56.71")],
)
def test_a_clock_time_beside_a_day_was_no_order(tmp_path: Path, early: str, late: str) -> None:
    rows = [(2, "2020-01-02", early), (3, "2020-01-01", late), (4, "2020-01-01", early), (5, "2020-01-01", "")]
    lines = "".join(f'1,{item},{day},"{clock}"\n' for item, day, clock in rows)
    table = own(tmp_path, f"user,item,day,clock\n{lines}", time="day", order="clock")
    by_time = table.sort_values("timestamp", kind="stable")
    assert by_time["item"].tolist() == [4, 3, 5, 2]


def test_a_clock_time_alone_is_no_time(tmp_path: Path) -> None:
    said = refused(tmp_path, "user,item,clock\n1,2,12:34:56\n", time="clock")
    assert "is a clock time without a date: write both" in said and "name it as order beside a column of days" in said
    clock = pa.array([None, 3600, 60], pa.time32("s"))
    table = pa.table({"user": [1, 2, 3], "item": [2, 3, 4], "day": ["2020-01-01"] * 3, "clock": clock})
    parquet.write_table(table, tmp_path / "mine.csv")
    content = (tmp_path / "mine.csv").read_bytes()
    assert "row 2, column clock: datetime.time(1, 0) is a clock" in refused(tmp_path, content, time="clock")
    assert pairs(own(tmp_path, content, time="day", order="clock")) == [(3, 4), (2, 3), (1, 2)]


# ---- names of columns, and folders


def test_a_header_behind_a_byte_order_mark_was_a_user(tmp_path: Path) -> None:
    table = own(tmp_path, "user,item\n1,2\n\ufeffuser,item\n3,4\n")
    assert pairs(table) == [(1, 2), (3, 4)]
    assert table.attrs["reading"]["dropped"] == {"the header again": 1}


def test_a_name_before_a_blank_that_does_not_break_is_one(tmp_path: Path) -> None:
    assert pairs(own(tmp_path, "user\u00a0,item\n1,2\n")) == [(1, 2)]


@pytest.mark.parametrize("separator", [",", ";", "::"])
def test_advice_led_in_a_circle_where_whole_lines_are_in_quotation_marks(tmp_path: Path, separator: str) -> None:
    content = f'"user{separator}item"\n"1{separator}2"\n'
    assert "whole lines are in quotation marks; take these off" in refused(tmp_path, content, separator=separator)


def test_an_encoding_of_words_ended_in_a_traceback(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="punycode is no encoding of text"):
        own(tmp_path, "user,item\n1,2\n", encoding="punycode")


def test_of_ten_thousand_names_some_are_shown(tmp_path: Path) -> None:
    said = refused(tmp_path, json.dumps({f"u{number}": ["a"] for number in range(10_000)}))
    assert said.endswith(" and 9,900 others")


@pytest.mark.parametrize(("log", "lake"), [("_delta_log", "Delta Lake"), (".hoodie", "Hudi")])
def test_rows_that_a_lake_has_deleted_were_read(tmp_path: Path, log: str, lake: str) -> None:
    (tmp_path / log).mkdir()
    (tmp_path / "1.csv").write_text("user,item\n1,2\n")
    with pytest.raises(DataError, match=f"is a table of {lake}, whose folder keeps rows of before"):
        read_own(tmp_path)


@pytest.mark.parametrize("rule", ["----,----,------", "====,====,======", "---,:--:,--:", " --- , --- , --- "])
@pytest.mark.parametrize("again", ["", "user,item,rating\n"])
def test_dashes_below_the_names_were_a_user(tmp_path: Path, rule: str, again: str) -> None:
    table = own(tmp_path, f"user,item,rating\n{rule}\n1,2,3\n{again}{rule}\n3,4,5\n")
    assert pairs(table) == [(1, 2), (3, 4)]
    assert table.attrs["reading"]["dropped"] == {"lines of dashes": 2} | ({"the header again": 1} if again else {})


def test_a_dash_may_be_an_id(tmp_path: Path) -> None:
    assert pairs(own(tmp_path, "user,item\n-,-\n--,7\n")) == [("-", "-"), ("--", "7")]


@pytest.mark.parametrize("footer", ["(2 rows affected)", "2 rows selected.", "Total", "Completion time: 2020"])
@pytest.mark.parametrize("end", ["", "\nSQL> exit\n"])
def test_what_stands_below_the_rows_was_taken_for_a_cut_file(tmp_path: Path, footer: str, end: str) -> None:
    said = refused(tmp_path, f"user,item\n1,2\n3,4\n\n{footer}{end}")
    assert "line 5: 1 fields" in said
    assert "it looks like what a program writes below the rows and is none: take the line out" in said


MARKED = [
    ('\ufeff"user","item"\n"1","2"\n', '\ufeff"user","item"\n"3","4"\n', [(1, 2), (3, 4)], {}),
    ('\ufeff"user","item"\n"1","2"\n', '\ufeff"1","3"\n', [(1, 2), (1, 3)], {}),
    ('\ufeff"user","item"\r"1","2"\r', '\ufeff\ufeff"a, b","3"\r', [("1", 2), ("a, b", 3)], {}),
    ('\ufeff"kind","user","item"\n"x",1,2\n', '\ufeff"x",1,3\n', [(1, 2), (1, 3)], {"where": {"kind": "x"}}),
    ('\ufeff{"user": 1, "item": 2}\n', '\ufeff{"user": 1, "item": 3}\n', [(1, 2), (1, 3)], {}),
    ("\ufeffuser::item\n1::2\n", "\ufeff1::3\n", [(1, 2), (1, 3)], {"separator": "::"}),
]


@pytest.mark.parametrize(("first", "second", "expected", "settings"), MARKED)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_a_byte_order_mark_between_files_that_were_put_together_hid_what_follows(
    tmp_path: Path, first: str, second: str, expected: list[Any], settings: dict[str, Any], encoding: str
) -> None:
    table = own(tmp_path, (first + second).encode(encoding), encoding=encoding, **settings)
    assert pairs(table) == expected
    assert not table.attrs["reading"]["odd"]


def test_a_byte_order_mark_may_lie_across_two_pieces() -> None:
    text = "1,2\n\ufeff3,\ufeff4\r\ufeff5,6\n".encode()
    for size in range(1, 8):
        changed = _without_marks()
        pieces = [text[start : start + size] for start in range(0, len(text), size)]
        assert b"".join(map(changed, [*pieces, b""])).decode() == "1,2\n3,\ufeff4\r5,6\n"
