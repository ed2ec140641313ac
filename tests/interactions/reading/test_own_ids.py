"""Ids of a user's own table: one id each, however it is spelt, and none where there is none."""

from __future__ import annotations

import decimal
import uuid
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from rec_msa.foundation.errors import DataError
from rec_msa.interactions.reading.columns import plain
from tests.interactions.reading.own_files import csv, json_lines, own, pairs, read_own

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

WORDS = ["NA", "NULL", "null", r"\N", "nan", "NaN", "None", "#N/A", "<NA>", "N/A", "  ", "", "undefined"]


def users(table: pd.DataFrame) -> list[Any]:
    return table["user"].to_list()


def stored(folder: Path, ids: pa.Array, **settings: Any) -> pd.DataFrame:
    path = folder / "mine.parquet"
    parquet.write_table(pa.table({"user": ids, "item": pa.array(range(len(ids)))}), path)
    return read_own(path, **settings)


@pytest.mark.parametrize("word", WORDS)
def test_a_word_for_nothing_was_a_user_with_half_of_the_rows(tmp_path: Path, word: str) -> None:
    content = csv([(1, 10), (word, 11), (2, 12), (word, 13)])
    with pytest.raises(DataError, match=r"line 3, column user: .* is no id; set datasets\.mine\.missing: drop"):
        own(tmp_path, content)
    table = own(tmp_path, content, missing="drop")
    assert pairs(table) == [(1, 10), (2, 12)]
    assert table.attrs["reading"]["rows"] == 4
    assert table.attrs["reading"]["dropped"] == {"no user": 2}


def test_rows_without_user_or_item_are_counted_once_each(tmp_path: Path) -> None:
    table = own(tmp_path, csv([("NA", 1), (1, "NA"), ("NA", "NA"), (2, 2)]), missing="drop")
    assert pairs(table) == [(2, 2)]
    assert table.attrs["reading"]["dropped"] == {"no user": 2, "no item": 1}


def test_a_game_may_be_called_none(tmp_path: Path) -> None:
    assert pairs(own(tmp_path, csv([(1, "None"), (2, "Chess")]), missing="keep")) == [(1, "None"), (2, "Chess")]
    with pytest.raises(DataError, match="'' is no id"):
        own(tmp_path, csv([(1, ""), (2, "Chess")]), missing="keep")


def test_ids_as_12_and_as_12_0_were_two_users_each(tmp_path: Path) -> None:
    table = own(tmp_path, csv([("12.0", 1), ("12", 2), ("7", 3), ("7.00", 4)]))
    assert users(table) == [12, 12, 7, 7]
    assert table.attrs["reading"]["odd"] == ["2 user ids were written as 12.0 and are 12"]


def test_ids_that_all_have_a_point_are_plain_floats_and_nothing_odd(tmp_path: Path) -> None:
    table = own(tmp_path, csv([("12.0", 1), ("7.0", 2)]))
    assert (users(table), table.attrs["reading"]["odd"]) == ([12, 7], [])


def test_padded_ids_were_users_of_their_own(tmp_path: Path) -> None:
    table = own(tmp_path, csv([("ann", 1), (" ann", 2), ("ann\u00a0", 3), ("bob ", 4)]))
    assert users(table) == ["ann", "ann", "ann", "bob"]
    assert table.attrs["reading"]["odd"] == ["3 user ids had blanks around them, which were taken off"]
    assert users(own(tmp_path, csv([(" 7", 1), ("7", 2)]))) == [7, 7]


def test_ids_that_look_alike_stay_apart_and_are_said(tmp_path: Path) -> None:
    table = own(tmp_path, csv([("Ann", 1), ("ann", 2), ("007", 3), ("7", 4), ("é", 5), ("e\u0301", 6), ("0", 7)]))
    assert table["user"].nunique() == 7
    assert "3 user ids differ from others" in table.attrs["reading"]["odd"][0]


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_floats_above_what_they_tell_apart_were_half_of_the_users(tmp_path: Path, kind: Any) -> None:
    largest = {np.float64: 2**53, np.float32: 2**24}[kind]
    assert users(stored(tmp_path, pa.array(np.array([largest - 1, 3], kind)))) == [largest - 1, 3]
    with pytest.raises(DataError, match=r"row 2, column user: .* may have lost digits: .* as whole numbers or strings"):
        stored(tmp_path, pa.array(np.array([3, largest], kind)))


@pytest.mark.parametrize("spelt", ["1.23457E+11", "1.2345678901234568e+18", "9.1e18"])
def test_ids_that_a_spreadsheet_shortened_are_refused(tmp_path: Path, spelt: str) -> None:
    with pytest.raises(DataError, match=r"line 3, column user: .* lost digits in a spreadsheet or as a float"):
        own(tmp_path, csv([(1, 2), (spelt, 3)]))


UUIDS = [uuid.UUID(int=5), uuid.UUID(int=2**127 + 1)]
LARGE = [-8_646_911_284_551_352_320, 12]
TYPED = {
    "decimal": (pa.array([decimal.Decimal(2), decimal.Decimal(1)], pa.decimal128(38, 0)), [2, 1]),
    "decimal with scale": (pa.array([decimal.Decimal("2.00"), decimal.Decimal("1.00")], pa.decimal128(10, 2)), [2, 1]),
    "large decimal": (
        pa.array([decimal.Decimal(10**30), decimal.Decimal(1)], pa.decimal128(38, 0)),
        [str(10**30), "1"],
    ),
    "UUID": (pa.array([each.bytes for each in UUIDS], pa.uuid()), list(map(str, UUIDS))),
    "binary": (pa.array([b"b", b"a"], pa.binary()), ["b", "a"]),
    "digits as binary": (pa.array([b"2", b"1"], pa.large_binary()), [2, 1]),
    "bytes that are no text": (pa.array([b"\xff\x00", b"a"], pa.binary()), ["ff00", "a"]),
    "unsigned": (pa.array([2**64 - 1, 1], pa.uint64()), [str(2**64 - 1), "1"]),
    "small unsigned": (pa.array([2, 1], pa.uint64()), [2, 1]),
    "hashes of 64 bits": (pa.array(LARGE, pa.int64()), list(map(str, LARGE))),
    "large string": (pa.array(["b", "a"], pa.large_string()), ["b", "a"]),
    "dictionary": (pa.array(["b", "a"]).dictionary_encode(), ["b", "a"]),
    "null in floats": (pa.array([2.0, 1.0], pa.float64()), [2, 1]),
}


@pytest.mark.parametrize(("ids", "expected"), TYPED.values(), ids=TYPED)
def test_parquet_of_any_type_gives_the_ids_that_text_gives(tmp_path: Path, ids: pa.Array, expected: list[Any]) -> None:
    assert users(stored(tmp_path, ids)) == expected
    assert users(own(tmp_path, csv([(each, 1) for each in expected]))) == expected
    assert users(own(tmp_path, json_lines([(each, 1) for each in expected], ["user", "item"]))) == expected


def test_one_byte_that_is_no_text_made_other_ids_of_its_batch_hexadecimal(tmp_path: Path) -> None:
    values = [b"abc", "Jos\u00e9".encode(), None, b"", "\u0161\u20ac\U0001f600".encode(), b"12"]
    odd = [b"Jos\xe9", b"\xed\xa0\x80", b"\xc0\x80", b"a\0", b"\xf4\x90\x80\x80"]
    texts = [None if value is None else value.decode() for value in values]
    assert plain(pa.array(values + odd, pa.binary_view())).to_pylist() == texts + [value.hex() for value in odd]
    assert [plain(pa.array([value], pa.binary()))[0].as_py() for value in values] == texts
    table = pa.table({"user": pa.array([b"abc", b"abd", b"abc", odd[0]]), "item": range(4)})
    parquet.write_table(table, tmp_path / "mine.parquet", row_group_size=2)
    assert users(read_own(tmp_path / "mine.parquet")) == ["abc", "abd", "abc", odd[0].hex()]


def test_a_uuid_that_is_text_by_chance_was_spelt_otherwise_than_the_others() -> None:
    values = [b"by chance a text", bytes(range(240, 256)), None]
    assert plain(pa.array(values, pa.binary(16)).dictionary_encode()).to_pylist() == [
        None if value is None else value.hex() for value in values
    ]


def test_columns_with_points_in_their_names_as_of_r_were_taken_for_objects(tmp_path: Path) -> None:
    table = pa.table({"user": [1, 2], "user.age": [30, 40], "item": [5, 6], "item.of": [{"shop": 7}, {"shop": 8}]})
    parquet.write_table(table, tmp_path / "mine.parquet")
    feather.write_feather(table, tmp_path / "mine.feather")
    for path in ("mine.parquet", "mine.feather"):
        assert pairs(read_own(tmp_path / path)) == [(1, 5), (2, 6)]
        assert pairs(read_own(tmp_path / path, user="user.age", item="item.of.shop")) == [(30, 7), (40, 8)]
    with pytest.raises(DataError, match=r"'item.of' holds objects.*; name what is needed, as item.of.shop"):
        read_own(tmp_path / "mine.parquet", item="item.of")


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        (pa.array([True, False]), "bool; ids are whole numbers or strings"),
        (pa.array([1, -2]), "row 2, column user: -2 is negative, which is no id; where: {user: '>= 0'} leaves it out"),
        (pa.array([1.0, 2.5]), "row 2, column user: 2.5 is not a whole number"),
        (pa.array([1.0, float("inf")]), "row 2, column user: inf is not a whole number"),
        (
            pa.array([decimal.Decimal("1.00"), decimal.Decimal("2.50")]),
            "row 2, column user: Decimal('2.50') is not a whole",
        ),
        (pa.array([None, None]), "row 1, column user: None is no id"),
        (pa.array([1.0, None]), "row 2, column user: None is no id"),
        (pa.array([{"id": 1}, {"id": 2}]), "the field 'user' holds objects"),
    ],
)
def test_what_is_no_id_is_named_by_row_and_value(tmp_path: Path, ids: pa.Array, said: str) -> None:
    with pytest.raises(DataError) as refusal:
        stored(tmp_path, ids)
    assert said in str(refusal.value)


def test_what_leaves_negative_ids_out_is_what_the_message_says(tmp_path: Path) -> None:
    assert users(stored(tmp_path, pa.array([1, -2, 3]), where={"user": ">= 0"})) == [1, 3]


def test_a_table_of_which_no_row_counts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has 2 rows and none of them counts: 2 left out by no user"):
        stored(tmp_path, pa.array([None, None]), missing="drop")


def test_one_empty_batch_made_all_decimal_ids_strings(tmp_path: Path) -> None:
    ids = pa.array([decimal.Decimal(7)], pa.decimal128(5, 0))
    for name, rows in (("1.parquet", ids), ("2.parquet", ids[:0])):
        table = pa.table({"user": rows, "item": rows})
        with pa.OSFile(str(tmp_path / name), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_batch(pa.record_batch([rows, rows], names=["user", "item"]))
    assert pairs(read_own(tmp_path)) == [(7, 7)]


@pytest.mark.parametrize("written", ["1e+05", "1.5e+05", "1,23457E+11", "1.23457E11"])
def test_ids_that_a_program_wrote_with_an_exponent_are_refused(tmp_path: Path, written: str) -> None:
    with pytest.raises(DataError, match=r"line 3, column item: .* lost digits"):
        own(tmp_path, csv([(1, 100000), (2, f'"{written}"')]))


def test_what_is_not_seen_around_an_id_is_none_of_it(tmp_path: Path) -> None:
    assert pairs(own(tmp_path, csv([("a", "x"), ("\ufeffa", "x\u200b")]))) == [("a", "x"), ("a", "x")]


def test_a_zero_byte_in_an_id_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 3.*zero byte"):
        own(tmp_path, csv([(1, "a"), (2, "\0003")]))


def test_minus_one_among_strings_is_noted(tmp_path: Path) -> None:
    found = own(tmp_path, csv([("-1", "a"), ("u7", "b")]))
    assert found.attrs["reading"]["odd"] == ["1 user ids are -1, which may stand for nobody: where leaves them out"]


def test_a_negative_item_of_a_list_has_a_remedy_that_works(tmp_path: Path) -> None:
    with pytest.raises(DataError) as refusal:
        own(tmp_path, json_lines([(1, [1, -1])], ["user", "item"]))
    assert "is negative" in str(refusal.value)
    assert "where" not in str(refusal.value)


@pytest.mark.parametrize("point", [".", ","])
def test_ids_as_12_and_as_12_0_of_europe_were_two_users_each(tmp_path: Path, point: str) -> None:
    table = own(tmp_path, csv([(f"12{point}0", 5), ("12", 6), (f"13{point}0", 7)], separator=";"), separator=";")
    assert users(table) == [12, 12, 13]
    assert table.attrs["reading"]["odd"] == ["2 user ids were written as 12.0 and are 12"]


@pytest.mark.parametrize("point", [".", ","])
def test_one_and_one_thousand_were_one_user(tmp_path: Path, point: str) -> None:
    found = [f"1{point}000", "1", f"1{point}001", "7.0"]
    table = own(tmp_path, csv([(each, 1) for each in found], separator=";"), separator=";")
    assert users(table) == [f"1{point}000", "1", f"1{point}001", "7"]
    assert table.attrs["reading"]["odd"][0] == "1 user ids were written as 12.0 and are 12"


def test_what_tells_thousands_may_stand_in_another_part(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("user,item\n1.000,1\n1,2\n")
    (tmp_path / "b.csv").write_text("user,item\n1.000.000,3\n")
    assert users(read_own([str(tmp_path / name) for name in ("a.csv", "b.csv")])) == ["1.000", "1", "1.000.000"]


def test_where_nothing_tells_whether_a_point_parts_thousands_it_is_said(tmp_path: Path) -> None:
    table = own(tmp_path, csv([("1.000", 1), ("1", 2), ("7.000", 3)]))
    assert users(table) == [1, 1, 7]
    assert "2 user ids were written as 1.000 and are 1: if that is a thousand" in table.attrs["reading"]["odd"][1]
    assert not own(tmp_path, csv([("1.000", 1), ("7.000", 3)])).attrs["reading"]["odd"]


def test_a_footer_was_a_user_and_nothing_was_said(tmp_path: Path) -> None:
    rows = [*((user, user) for user in range(30)), ("Total", 30), ("#REF!", 31)]
    said = "2 of 32 user ids are no whole numbers: if they are no users, where: {user: ['!= Total', '!= #REF!']}"
    table = own(tmp_path, csv(rows))
    assert table.attrs["reading"]["odd"] == [f"{said} leaves them out"]
    assert users(own(tmp_path, csv(rows), where={"user": ["!= Total", "!= #REF!"]})) == list(range(30))


def test_ids_that_are_words_here_and_there_are_nothing_odd(tmp_path: Path) -> None:
    rows = [(f"u{user}" if user % 10 == 0 else user, 1) for user in range(40)]
    assert not own(tmp_path, csv(rows)).attrs["reading"]["odd"]
    assert not own(tmp_path, csv([("Total", 1), *((user, 1) for user in range(9))])).attrs["reading"]["odd"]
