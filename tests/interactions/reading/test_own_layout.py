"""How a user's own text file is laid out, and which of its rows count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from rec_msa.foundation.errors import DataError
from rec_msa.interactions.reading.layout import look_at_quotes
from tests.interactions.reading.own_files import csv, json_lines, own, pairs, read_own, refused, times

if TYPE_CHECKING:
    from pathlib import Path

SECRETS = [("A00142", "B00076", "4.0"), ("A00018", "B00028", "1.0"), ("A00141", "B00010", "5.0")]


# ---- quotation marks


def plays(titles: list[str]) -> str:
    return csv([(row, row + 10, title) for row, title in enumerate(titles)], "user,item,title")


def test_a_stray_quotation_mark_swallowed_the_rows_up_to_the_next(tmp_path: Path) -> None:
    content = plays(["a", '"Weird song', "b", "c", '"Weird other', "d"])
    said = refused(tmp_path, content)
    assert "line 3: a quotation mark opens a field and none closes it" in said
    assert "datasets.mine.quotes to none" in said
    assert len(own(tmp_path, content, quotes="none")) == 6


def test_a_quotation_mark_that_nothing_closes_is_refused(tmp_path: Path) -> None:
    assert "line 4" in refused(tmp_path, plays(["a", "b", '"c', "d"]))


def test_quotation_marks_within_a_field_harm_nothing(tmp_path: Path) -> None:
    content = plays(['5" disc', '"a ""b"" c"', '"a, b"', '"two\nlines"', '""', 'x"y"z'])
    assert len(own(tmp_path, content)) == 6
    assert own(tmp_path, content).attrs["reading"]["odd"] == ["1 line breaks within quoted fields"]


def test_quotation_marks_after_a_backslash_are_read_where_settings_say_so(tmp_path: Path) -> None:
    content = csv([(1, r'"a \"b\", c"'), (2, "d")])
    assert "to backslash where \\ stands before those within a field" in refused(tmp_path, content)
    assert pairs(own(tmp_path, content, quotes="backslash")) == [(1, 'a "b", c'), (2, "d")]


def plainly_sound(text: str) -> bool:
    """Character by character: each mark opens or closes a field, or is one of two within a field."""
    inside, place = False, 0
    while place < len(text):
        before, after = text[place - 1 : place] or "\n", text[place + 1 : place + 2] or "\n"
        if text[place] == '"' and inside and after == '"':
            place += 1
        elif text[place] == '"':
            if (after if inside else before) not in ",\n\r":
                return False
            inside = not inside
        place += 1
    return not inside


@settings(max_examples=100)
@given(st.text('",a\n\r', max_size=30), st.integers(1, 5))
def test_the_quick_look_at_quotes_is_the_slow_one(text: str, chunk: int) -> None:
    import io

    from rec_msa.interactions.reading import layout

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "_CHUNK", chunk)
        sound, _ = look_at_quotes(io.BytesIO(text.encode()), ",")
    assert sound == plainly_sound(text)


# ---- separators, headers, encodings


@pytest.mark.parametrize(
    ("separator", "shown"), [(";", "';'"), ("\t", "tab"), ("|", "'|'"), ("::", "'::'"), (" ", "space")]
)
def test_another_separator_is_named_and_then_read(tmp_path: Path, separator: str, shown: str) -> None:
    content = csv([(1, 10, 5), (2, 11, 6)], "user,item,time", separator)
    assert f"there is no column 'user' (datasets.mine.user); it looks separated by {shown!s}" in refused(
        tmp_path, content
    ).replace("'tab'", "tab").replace("'space'", "space")
    assert f"add separator: {shown}" in refused(tmp_path, content)
    table = own(tmp_path, content, separator=shown.strip("'"), time="time")
    assert (pairs(table), times(table)) == ([(1, 10), (2, 11)], [5, 6])


def test_a_row_of_a_person_is_never_shown_as_names_of_columns(tmp_path: Path) -> None:
    said = refused(tmp_path, csv(SECRETS[1:], ",".join(SECRETS[0])))
    assert "none of its 3 fields is user or item" in said
    assert "add columns: [...] with a name for each field" in said
    assert not any(secret in said for row in SECRETS for secret in row)
    words = csv([("bob", "1984"), ("eve", "emma")], "ann,dune")
    assert "ann" not in refused(tmp_path, words).replace(str(tmp_path), "")


def test_names_of_columns_are_shown_where_the_line_surely_has_names(tmp_path: Path) -> None:
    said = refused(tmp_path, csv([(1, 10), (2, 11)], "users,thing"))
    assert "there is no column 'user' (datasets.mine.user); did you mean 'users'? Allowed: thing, users" in said


def test_a_file_without_names_is_read_by_those_that_settings_give(tmp_path: Path) -> None:
    content = csv(SECRETS[1:], ",".join(SECRETS[0]))
    table = own(tmp_path, content, columns=["user", "item", "rating"])
    assert pairs(table) == [row[:2] for row in SECRETS]
    assert "line 1 has 3 fields separated by ',', and datasets.mine.columns names 2" in refused(
        tmp_path, content, columns=["user", "item"]
    )


def test_given_names_have_every_column_that_is_needed(tmp_path: Path) -> None:
    said = refused(tmp_path, csv(SECRETS[1:], ",".join(SECRETS[0])), columns=["users", "item", "rating"])
    assert "datasets.mine.columns: there is no column 'user' (datasets.mine.user); did you mean 'users'?" in said


def test_names_for_a_file_that_has_its_own_are_refused_or_said(tmp_path: Path) -> None:
    content = csv([(1, 10), (2, 11)])
    assert "line 1 names the columns itself" in refused(tmp_path, content, columns=["user", "item"])
    table = own(tmp_path, csv([(1, 10), (2, 11)], "userId,itemId"), columns=["user", "item"])
    assert "may name the columns and was read as data" in table.attrs["reading"]["odd"][-1]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8-sig"])
def test_another_encoding_is_named_and_then_read(tmp_path: Path, encoding: str) -> None:
    content = csv([(1, "é"), (2, "b")]).encode(encoding)
    if encoding != "utf-8-sig":
        assert f"set datasets.mine.encoding, perhaps to {encoding}" in refused(tmp_path, content)
    assert pairs(own(tmp_path, content, encoding=encoding)) == [(1, "é"), (2, "b")]


# ---- several items in a row


def test_a_line_a_user_is_read_as_a_row_for_each_item(tmp_path: Path) -> None:
    content = "0 3 4  5\n1 7 \n\n2 3\n9\n"
    settings = {"columns": ["user", "items..."], "item": "items", "separator": "space", "quotes": "none"}
    table = own(tmp_path, content, **settings)
    assert pairs(table) == [(0, 3), (0, 4), (0, 5), (1, 7), (2, 3)]
    assert table.attrs["reading"]["rows"] == 4
    assert "line 2, column items: 'x' is no id" not in refused(tmp_path, "0 3\n1 NA\n", **settings)
    assert "line 2, column items: 'NA' is no id" in refused(tmp_path, "0 3\n1 NA\n", **settings)


@pytest.mark.parametrize("field", ['"3,4"', '"[3, 4]"', "\"['3', '4']\"", '"(3,4)"'])
def test_a_field_that_holds_several_items_is_split_where_settings_say_so(tmp_path: Path, field: str) -> None:
    table = own(tmp_path, csv([(1, field), (2, 5)]), list_separator=",")
    assert pairs(table) == [(1, 3), (1, 4), (2, 5)]


def test_lists_in_parquet_and_json_are_a_row_for_each_value(tmp_path: Path) -> None:
    rows = [(1, [3, 4], [7, 6]), (2, [], []), (3, [5], [8])]
    path = tmp_path / "lists.parquet"
    parquet.write_table(
        pa.Table.from_pylist([dict(zip(("user", "item", "time"), row, strict=True)) for row in rows]), path
    )
    for table in (
        read_own(path, time="time"),
        own(tmp_path, json_lines(rows, ["user", "item", "time"]), time="time"),
    ):
        assert (pairs(table), times(table)) == ([(1, 3), (1, 4), (3, 5)], [7, 6, 8])
        assert table.attrs["reading"]["rows"] == 3


def test_lists_that_do_not_fit_each_other_are_refused(tmp_path: Path) -> None:
    rows = [(1, [3], [7]), (2, [3, 4], [7])]
    said = refused(tmp_path, json_lines(rows, ["user", "item", "time"]), time="time")
    assert "line 2, column item" in said
    assert "have not as many values" in said


@pytest.mark.parametrize("empty", ["", "user,item\n"])
def test_an_empty_part_among_others_was_refused(tmp_path: Path, empty: str) -> None:
    for name, content in (("0.csv", empty), ("1.csv", csv([(1, 2)])), ("2.csv", empty)):
        (tmp_path / name).write_text(content)
    assert pairs(read_own(tmp_path)) == [(1, 2)]
    (tmp_path / "1.csv").write_text(empty)
    with pytest.raises(DataError, match="has no rows"):
        read_own(tmp_path)


def test_an_empty_part_among_json_lines_was_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "0.json").write_text("")
    (tmp_path / "1.json").write_text(json_lines([(1, 2)], ["user", "item"]))
    assert pairs(read_own(tmp_path)) == [(1, 2)]


# ---- which rows count

RATINGS = [
    (1, 10, 5, "buy", "false"),
    (2, 11, 4, "cart", "true"),
    (3, 12, 3.5, "buy", "False"),
    (4, 13, "", "view", "1"),
]
HEADER = "user,item,rating,event,cancelled"


def left(folder: Path, where: dict[str, Any], as_parquet: bool) -> list[int]:
    if as_parquet:
        frame = pd.DataFrame(
            {
                "user": [1, 2, 3, 4],
                "item": [10, 11, 12, 13],
                "rating": [5, 4, 3.5, None],
                "event": pd.Series(["buy", "cart", "buy", "view"], dtype="category"),
                "cancelled": [False, True, False, True],
                "day": pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-03", None]),
            }
        )
        frame.to_parquet(folder / "rated.parquet")
        table = read_own(folder / "rated.parquet", where=where)
    else:
        days = ["2020-01-01", "2020-01-02", "2020-01-03", "NA"]
        rows = [(*row, day) for row, day in zip(RATINGS, days, strict=True)]
        table = own(folder, csv(rows, f"{HEADER},day"), where=where)
    n_dropped = sum(table.attrs["reading"]["dropped"].values())
    assert n_dropped == 4 - len(table)
    return table["user"].to_list()


@pytest.mark.parametrize("as_parquet", [False, True], ids=["csv", "parquet"])
@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"rating": ">= 4"}, [1, 2]),
        ({"rating": "< 4"}, [3]),
        ({"rating": 5}, [1]),
        ({"rating": "!= 5"}, [2, 3]),
        ({"rating": [5, 3.5]}, [1, 3]),
        ({"event": "buy"}, [1, 3]),
        ({"event": "!= buy"}, [2, 4]),
        ({"event": ["buy", "cart"]}, [1, 2, 3]),
        ({"event": "*e*"}, [4]),
        ({"event": "!= c*"}, [1, 3, 4]),
        ({"cancelled": False}, [1, 3]),
        ({"event": "buy", "rating": ">= 4"}, [1]),
        ({"day": ">= 2020-01-02"}, [2, 3]),
        ({"day": "< 2020-01-02"}, [1]),
        ({"user": "<= 2"}, [1, 2]),
    ],
)
def test_rows_count_where_they_fulfil_every_condition(
    tmp_path: Path, where: dict[str, Any], expected: list[int], as_parquet: bool
) -> None:
    assert left(tmp_path, where, as_parquet) == expected


def test_rows_that_do_not_count_may_be_bad(tmp_path: Path) -> None:
    assert pairs(own(tmp_path, csv([("NA", 1, "view"), (2, 3, "buy")], "user,item,event"), where={"event": "buy"})) == [
        (2, 3)
    ]


def test_a_bad_value_after_rows_that_do_not_count_is_named_by_its_own_line(tmp_path: Path) -> None:
    content = csv([(1, 1, "view"), (2, 3, "buy"), (1, 1, "view"), ("NA", 3, "buy")], "user,item,event")
    assert "line 5, column user: 'NA'" in refused(tmp_path, content, where={"event": "buy"})


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"rating": ">= 4"}, "line 3, column rating: 'good' is not a number, as where compares it with"),
        ({"rating": ">= 2020-01-01"}, "line 2, column rating: '5' is no ISO date"),
        ({"rating": False}, "line 2, column rating: '5' is neither true nor false"),
        ({"ratings": 4}, "there is no column 'ratings' (datasets.mine.where.ratings); did you mean 'rating'?"),
        ({"event": "sold"}, "has 2 rows and none of them counts: 2 left out by where event: sold; event has buy, view"),
    ],
)
def test_a_condition_that_cannot_be_asked_is_said(tmp_path: Path, where: dict[str, Any], said: str) -> None:
    content = csv([(1, 1, 5, "buy"), (2, 3, "good", "view")], "user,item,rating,event")
    assert said in refused(tmp_path, content, where=where)


LARGE = [2**53, 2**53 + 1]


@pytest.mark.parametrize("asked", [2**53 + 1, str(2**53 + 1), f"!= {2**53}", f"{2**53 + 1}.0"])
@pytest.mark.parametrize("kind", [pa.int64(), pa.uint64(), pa.string(), pa.decimal128(30, 2)], ids=str)
def test_two_large_numbers_were_equal_as_floats(tmp_path: Path, kind: pa.DataType, asked: Any) -> None:
    campaigns = pa.array(LARGE if kind != pa.string() else map(str, LARGE)).cast(kind)
    parquet.write_table(pa.table({"user": [1, 2], "item": [5, 6], "campaign": campaigns}), tmp_path / "mine.parquet")
    assert pairs(read_own(tmp_path / "mine.parquet", where={"campaign": asked})) == [(2, 6)]


@pytest.mark.parametrize(
    ("where", "expected"), [(">= 0", 2), ("> -1", 2), ("> +3", 1), ("!= -1", 2), (f"!= {2**70}", 2), (2**64 - 1, 1)]
)
def test_numbers_above_64_bits_with_sign_could_not_be_compared(tmp_path: Path, where: Any, expected: int) -> None:
    users = pa.array([3, 2**64 - 1], pa.uint64())
    parquet.write_table(pa.table({"user": users, "item": [5, 6]}), tmp_path / "mine.parquet")
    assert len(read_own(tmp_path / "mine.parquet", where={"user": where})) == expected


def test_a_region_called_na_could_not_be_asked_for(tmp_path: Path) -> None:
    content = csv([(1, 1, "NA"), (2, 2, "EU"), (3, 3, "null"), (4, 4, "")], "user,item,region")
    assert pairs(own(tmp_path, content, where={"region": ["NA", "EU"]})) == [(1, 1), (2, 2)]
    assert pairs(own(tmp_path, content, where={"region": "!= NA"})) == [(2, 2)]


@pytest.mark.parametrize("asked", ["buy", True, ["buy", "cart"]])
def test_a_condition_on_a_column_of_lists_ended_in_a_traceback(tmp_path: Path, asked: Any) -> None:
    parquet.write_table(pa.table({"user": [1], "item": [5], "event": [["buy"]]}), tmp_path / "mine.parquet")
    with pytest.raises(DataError, match=r"column event: \['buy'\] is of the type list.*compares single values"):
        read_own(tmp_path / "mine.parquet", where={"event": asked})


def test_a_float_of_32_bits_is_what_is_written(tmp_path: Path) -> None:
    ratings = pa.array([4.1, 3.5], pa.float32())
    parquet.write_table(pa.table({"user": [1, 2], "item": [5, 6], "rating": ratings}), tmp_path / "mine.parquet")
    assert pairs(read_own(tmp_path / "mine.parquet", where={"rating": 4.1})) == [(1, 5)]


# ---- separators of several characters, or of a character that is not ASCII


def test_a_quotation_mark_beside_a_separator_of_two_characters_swallowed_rows(tmp_path: Path) -> None:
    content = '1::"abc::3\n2::x::4\n3::y::6\n4::"z"::5\n5::q::7\n'
    found = own(tmp_path, content, columns=["user", "title", "item"], separator="::")
    assert pairs(found) == [(1, 3), (2, 4), (3, 6), (4, 5), (5, 7)]


def test_a_single_character_of_a_longer_separator_is_one_of_a_field(tmp_path: Path) -> None:
    content = "1::2::2010-10-10 12:30:00\n2::3::2010-10-10 12:30:01\n"
    found = own(tmp_path, content, columns=["user", "item", "time"], separator="::", time="time")
    assert times(found) == [1286713800, 1286713801]


def test_names_in_quotation_marks_between_longer_separators(tmp_path: Path) -> None:
    content = '"user"||"item"\n"1"||"a|b"\n2||c\n'
    assert pairs(own(tmp_path, content, separator="||")) == [(1, "a|b"), (2, "c")]


def test_a_line_with_a_field_too_many_is_named(tmp_path: Path) -> None:
    assert "line 2: 3 fields separated by '::' instead of 2" in refused(
        tmp_path, "1::2\n2::3::4\n3::4\n", columns=["user", "item"], separator="::"
    )


def test_a_separator_that_is_not_ascii_ended_in_a_traceback(tmp_path: Path) -> None:
    assert pairs(own(tmp_path, csv([(1, "a"), (2, '"b"')], separator="¦"), separator="¦")) == [(1, "a"), (2, "b")]


# ---- backslashes


def test_mysql_writes_nothing_as_a_backslash_and_n(tmp_path: Path) -> None:
    content = csv([(r"\N", 2, r'"a \"N b"'), (7, 3, r"\\N")], "user,item,text")
    found = own(tmp_path, content, quotes="backslash", missing="drop")
    assert pairs(found) == [(7, 3)]
    assert found.attrs["reading"]["dropped"] == {"no user": 1}


# ---- long lines


@pytest.mark.parametrize("n", [200_000, 20_000_000])
def test_long_fields_and_lines_are_read(tmp_path: Path, n: int) -> None:
    content = csv([(1, 2, '5" pipe'), (1, 3, "x" * n)], "user,item,text")
    assert pairs(own(tmp_path, content)) == [(1, 2), (1, 3)]


# ---- first lines


def test_advice_led_in_a_circle_where_names_are_in_quotation_marks(tmp_path: Path) -> None:
    content = '"user";"item"\n"1";"2"\n'
    assert "it looks separated by ';'" in refused(tmp_path, content)
    assert "quotes: doubled" in refused(tmp_path, content, separator=";", quotes="none")
    assert pairs(own(tmp_path, content, separator=";")) == [(1, 2)]


def test_names_with_blanks_around_them_are_names(tmp_path: Path) -> None:
    assert pairs(own(tmp_path, "user, item\n1, 2\n")) == [(1, 2)]


def test_no_separator_is_advised_that_parts_a_name(tmp_path: Path) -> None:
    content = "user:token\titem:token\n1\t2\n"
    said = refused(tmp_path, content, separator="tab")
    assert "there is no column 'user'" in said
    assert "add separator" not in said


def test_a_header_in_the_middle_was_a_user(tmp_path: Path) -> None:
    found = own(tmp_path, csv([(1, 2), ("user", "item"), (3, 4)]))
    assert pairs(found) == [(1, 2), (3, 4)]
    assert found.attrs["reading"]["dropped"] == {"the header again": 1}


def test_a_part_that_is_a_header_without_a_line_end_has_no_rows(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "a.csv").write_text("user,item")
    (tmp_path / "parts" / "b.csv").write_text("user,item\n1,2\n")
    assert pairs(read_own(tmp_path / "parts")) == [(1, 2)]


# ---- lists


@pytest.mark.parametrize(
    ("field", "items"),
    [
        ("Alien (1979)|Brazil (1985)", ["Alien (1979)", "Brazil (1985)"]),
        ("Brazil (1985)|Alien (1979)", ["Brazil (1985)", "Alien (1979)"]),
        ("[REC]|Alien", ["[REC]", "Alien"]),
        ("Alien|[REC]", ["Alien", "[REC]"]),
        ("['Livin'' | \"b\"]", ["Livin'", "b"]),
        ("Livin'|it", ["Livin'", "it"]),
        ("((3|4))", ["3", "4"]),
    ],
)
def test_only_brackets_around_a_whole_field_are_taken_off(tmp_path: Path, field: str, items: list[str]) -> None:
    found = own(tmp_path, json_lines([(1, field), (1, "z")], ["user", "item"]), list_separator="|")
    assert [str(item) for item in found["item"]] == [*items, "z"]


@pytest.mark.parametrize("value", [[{"aid": 5}], [["1", "2"]], {"aid": 5}])
def test_lists_of_objects_became_ids(tmp_path: Path, value: Any) -> None:
    assert "holds objects, or lists of them" in refused(tmp_path, json_lines([(1, value)], ["user", "item"]))


def test_what_python_prints_is_no_json(tmp_path: Path) -> None:
    assert "json.dumps(ast.literal_eval(line))" in refused(tmp_path, "{'user': 1, 'item': 2}\n")


# ---- conditions


def test_a_missing_float_fulfils_no_condition(tmp_path: Path) -> None:
    path = tmp_path / "mine.parquet"
    parquet.write_table(pa.table({"user": [1, 2], "item": [3, 4], "rating": [float("nan"), 1.0]}), path)
    assert pairs(read_own(path, where={"rating": "!= 0"})) == [(2, 4)]


def test_a_zone_behind_a_time_may_be_compared(tmp_path: Path) -> None:
    content = csv([(1, 2, "2019-10-01 00:00:00 UTC"), (3, 4, "2019-10-06 00:00:00 UTC")], "user,item,time")
    assert pairs(own(tmp_path, content, where={"time": ">= 2019-10-05"})) == [(3, 4)]


def test_an_encoding_that_is_not_the_files_is_named(tmp_path: Path) -> None:
    assert "is not in the encoding that is set" in refused(tmp_path, b"user,item\n1,\x81\n", encoding="cp1252")


def test_names_above_a_file_of_words_were_a_user(tmp_path: Path) -> None:
    content = "user_id,parent_asin\nAE1,B00\nAE2,B01\n"
    table = own(tmp_path, content, columns=["user", "item"])
    assert "mine.csv may name the columns and was read as data" in table.attrs["reading"]["odd"][-1]
    assert not own(tmp_path, content.partition("\n")[2], columns=["user", "item"]).attrs["reading"]["odd"]
    assert "'user_id'" in refused(tmp_path, content)
