from __future__ import annotations

import gzip
import hashlib
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rec_msa.foundation.errors import DataError
from rec_msa.interactions import DatasetSettings, RawFile, read_raw
from rec_msa.interactions.reading import batches

OWN = {"user": "who", "item": "what"}
TA_FENG_HEADER = b'\xef\xbb\xbf"TRANSACTION_DT","CUSTOMER_ID","AGE_GROUP","PRODUCT_ID"\r\n'


def read(path: Path, content: bytes, **own: Any) -> pd.DataFrame:
    path.write_bytes(content)
    return read_existing(path, **own)


def read_existing(path: Path, **own: Any) -> pd.DataFrame:
    raw = RawFile("mine", str(path), hashlib.sha256(b"").hexdigest(), 1, "local", known=False)
    return read_raw(raw, DatasetSettings(path=str(path), **own) if own else DatasetSettings())


def rows(table: pd.DataFrame) -> list[tuple[Any, ...]]:
    """The rows with None for a missing time."""
    times = [None if pd.isna(time) else time for time in table["timestamp"]]
    return list(zip(table["user"], table["item"], times, strict=True))


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("u.data", b"2\t10\t3\t5\n1\t11\t4\t6\n", [(2, 10, 5), (1, 11, 6)]),
        (
            "ml-100k.inter",
            b"user_id:token\titem_id:token\trating:float\ttimestamp:float\n2\t10\t3\t5\n",
            [(2, 10, 5)],
        ),
        ("ratings.dat", b"2::10::3::5\n1::11::4::6\n", [(2, 10, 5), (1, 11, 6)]),
        ("ratings.dat", b"2::10::3\n1::11::4\n", [(2, 10, None), (1, 11, None)]),
        ("ratings.dat", b"2::10::3.5::5\r\n\r\n1::11::4::", [(2, 10, 5), (1, 11, None)]),
        (
            "ta_feng_all_months_merged.csv",
            TA_FENG_HEADER + b'"11/1/2000","007","45-49","471"\r\n"2/28/2001","7","","0471"\r\n',
            [("007", "471", 973036800), ("7", "0471", 983318400)],
        ),
        (
            "steam-200k.csv",
            b'7,"Game, the",purchase,1.0,0\n7,"Game, the",play,0.5,0\n8,"A ""B""",play,3,0\n',
            [(7, "Game, the", None), (7, "Game, the", None), (8, 'A "B"', None)],
        ),
    ],
    ids=["u.data", "inter", "four fields", "three fields", "blank lines and a missing time", "ta-feng", "steam"],
)
@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
def test_every_kind_of_file_is_read_in_its_order(
    name: str, content: bytes, expected: list[tuple[Any, ...]], compressed: bool, tmp_path: Path
) -> None:
    path = tmp_path / (f"{name}.gz" if compressed else name)
    table = read(path, gzip.compress(content) if compressed else content)
    assert rows(table) == expected
    assert list(table.columns) == ["user", "item", "timestamp"]
    assert table["timestamp"].dtype == "Int64"


def ratings(bad: bytes) -> bytes:
    return b"1::10::3::5\n2::11::4::6\n" + bad + b"\n3::12::5::7\n"


TA_FENG = TA_FENG_HEADER + b'"11/1/2000","007","45-49","471"\r\n'


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("ratings.dat", b"", ["is empty"]),
        ("ratings.dat", b"\n\n", ["is empty"]),
        ("ratings.dat", ratings(b"x::11::4::6"), ["line 3", "UserID", "'x'"]),
        ("ratings.dat", ratings(b"2::::4::6"), ["line 3", "MovieID", "''"]),
        ("ratings.dat", ratings(b"-2::11::4::6"), ["line 3", "UserID", "'-2'"]),
        ("ratings.dat", ratings(b"2::11::four::6"), ["line 3", "Rating", "'four'"]),
        ("ratings.dat", ratings(b"0x2::11::4::6"), ["line 3", "UserID", "'0x2'"]),
        ("ratings.dat", ratings(b"2::11::nan::6"), ["line 3", "Rating", "'nan'"]),
        ("ratings.dat", ratings(b"2::11::inf::6"), ["line 3", "Rating", "'inf'"]),
        ("ratings.dat", ratings(b"2::11::4::today"), ["line 3", "Timestamp", "'today'"]),
        ("ratings.dat", ratings(b"2::11::4::6.5"), ["line 3", "Timestamp", "'6.5'"]),
        ("ratings.dat", ratings(b"99999999999999999999::11::4::6"), ["line 3", "UserID"]),
        ("ratings.dat", ratings(b"2::11::4"), ["line 3", "3 fields", "instead of 4"]),
        ("ratings.dat", ratings(b"2:11:4:6"), ["line 3", "1 fields", "instead of 4"]),
        ("ratings.dat", ratings(b"2::11:3::4:6"), ["line 3", "3 fields", "instead of 4"]),
        ("ratings.dat", ratings(b"2::11::4::6::7"), ["line 3", "5 fields", "instead of 4"]),
        ("ratings.dat", b"1::2\n", ["line 1", "2 fields", "instead of 3 or 4"]),
        ("ratings.dat", b"1::10::3::5\n2::11", ["line 2", "truncated"]),
        ("ratings.dat", ratings(b"2::11::4::6").decode().encode("utf-16"), ["line 1", "UTF-8"]),
        ("ratings.dat", ratings(b"2::11::4::6").decode().encode("utf-16-le"), ["line 1", "UTF-8"]),
        ("ratings.dat", ratings(b"2::11::\xff::6"), ["line 3", "UTF-8", "0xff"]),
        ("u.data", b"1\t2\t3\t4\n1\t2\t3\n", ["line 2", "3 fields", "separated by 'tab'"]),
        ("u.data", b"1,2,3,4\n", ["line 1", "1 fields"]),
        ("u.data", b"1\t2\t3\t4\r1\t2\t3\tx\r", ["line 2", "timestamp", "'x'"]),
        ("ml-100k.inter", b"user_id:token\titem:token\n1\t2\n", ["no column 'item_id:token'", "'item:token'"]),
        ("ml-100k.inter", b"user_id:token\titem_id:token\trating:float\ttimestamp:float\n", ["no rows"]),
        ("ta_feng_all_months_merged.csv", b'"TRANSACTION_DT","CUSTOMER"\n"1/1/2000","1"\n', ["'CUSTOMER_ID'"]),
        ("ta_feng_all_months_merged.csv", TA_FENG + b'"13/1/2000","7","",  "1"\r\n', ["line 3", "'13/1/2000'"]),
        ("ta_feng_all_months_merged.csv", TA_FENG + b'"1/1/2000","","","1"\r\n', ["line 3", "CUSTOMER_ID", "''"]),
        ("ta_feng_all_months_merged.csv", TA_FENG + b'"1/1/2000","7","","-1"\r\n', ["line 3", "PRODUCT_ID", "'-1'"]),
        ("ta_feng_all_months_merged.csv", TA_FENG + b'"1/1/2000","7"\r\n', ["line 3", "2 fields"]),
        ("ta_feng_all_months_merged.csv", TA_FENG + b'"1/1/2000","7', ["line 3", "truncated"]),
        ("steam-200k.csv", b"7,Game,purchase,1.0,0\n7,,play,1,0\n", ["line 2", "game", "''"]),
        ("steam-200k.csv", b"7,Game,purchase,1.0,0\n7,Game,sold,1,0\n", ["line 2", "'sold'"]),
        ("steam-200k.csv", b"7,Game,purchase,1.0,0\nseven,Game,play,1,0\n", ["line 2", "user", "'seven'"]),
        ("steam-200k.csv", b"7,Game,purchase,1.0,0\n7,G\xe4me,play,1,0\n", ["line 2", "UTF-8", "0xe4"]),
        ("steam-200k.csv", b"7,Game,purchase,1.0,0\n7,Game,play,much,0\n", ["line 2", "value", "'much'"]),
    ],
)
def test_bad_data_is_named_by_file_line_and_value(
    name: str, content: bytes, expected: list[str], tmp_path: Path
) -> None:
    path = tmp_path / name
    with pytest.raises(DataError) as caught:
        read(path, content)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    for part in expected:
        assert part in message


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        read_existing(tmp_path / "ratings.dat")


@pytest.mark.parametrize("kept", [20, 200, 3000])
def test_a_truncated_gzip_is_one_clear_error(kept: int, tmp_path: Path) -> None:
    content = b"".join(b"%d::%d::3::%d\n" % (user, user * 7919 % 3001, user * 104729) for user in range(1, 2000))
    with pytest.raises(DataError, match="not a whole gzip file"):
        read(tmp_path / "ratings.dat.gz", gzip.compress(content)[:kept])


@settings(max_examples=100)
@given(st.lists(st.tuples(*[st.integers(0, 2**59)] * 2, st.none() | st.integers(-(2**59), 2**59)), min_size=1))
def test_what_was_written_is_read(written: list[tuple[int, int, int | None]]) -> None:
    content = "".join(f"{user}::{item}::1::{'' if time is None else time}\n" for user, item, time in written)
    with tempfile.TemporaryDirectory() as folder:
        assert rows(read(Path(folder) / "ratings.dat", content.encode())) == written


NOISE = st.text('01:,\t"-.\n\ré\x00').map(str.encode) | st.binary(max_size=40)


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("u.data", b"1\t2\t3\t4\n"),
        ("ratings.dat", b"1::2::3::4\n"),
        ("steam-200k.csv", b"1,G,play,1,0\n"),
        ("mine.csv", b"who,what,when\n1,2,3\n"),
        ("mine.csv.gz", b""),
        ("mine.parquet", b""),
    ],
)
@settings(max_examples=100)
@given(content=NOISE, is_start_kept=st.booleans())
def test_any_content_is_a_table_or_one_clear_error(
    name: str, start: bytes, content: bytes, is_start_kept: bool
) -> None:
    own = {**OWN, "time": "when"} if name.startswith("mine") else {}
    with tempfile.TemporaryDirectory() as folder:
        try:
            table = read(Path(folder) / name, start * is_start_kept + content, **own)
        except DataError as error:
            assert folder in str(error)
        else:
            assert len(table) > 0


# ---- a user's own table


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"who,what\n2,b\n10,a\n", [(2, "b", None), (10, "a", None)]),
        (b"what,more,who\n1,x,007\n2,y,7\n", [("007", 1, None), ("7", 2, None)]),
        (b'who,what\n"a\nb","c, d"\n', [("a\nb", "c, d", None)]),
        ("who,what\nJosé,日本\n".encode(), [("José", "日本", None)]),
    ],
    ids=["numbers and strings", "leading zeros", "quoted", "unicode"],
)
def test_own_csv_is_read_by_its_named_columns(content: bytes, expected: list[tuple[Any, ...]], tmp_path: Path) -> None:
    assert rows(read(tmp_path / "mine.csv", content, **OWN)) == expected


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (["5", "", "-6"], [5, None, -6]),
        (["5.9", "1e3", ""], [5900, 1_000_000, None]),
        (["1970-01-02", "1970-01-01T00:00:07Z", "1970-01-01 01:00:00+01:00"], [86400, 7, 0]),
        (["", "", ""], [None, None, None]),
    ],
    ids=["whole", "fractions", "dates", "none"],
)
def test_own_times_are_numbers_or_dates(times: list[str], expected: list[int | None], tmp_path: Path) -> None:
    content = "who,what,when\n" + "".join(f"{row},1,{time}\n" for row, time in enumerate(times))
    table = read(tmp_path / "mine.csv", content.encode(), time="when", **OWN)
    assert [row[2] for row in rows(table)] == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"whom,what\n1,2\n", ["no column 'who' (datasets.mine.user)", "did you mean 'whom'"]),
        (b"who,who,what\n1,1,2\n", ["2 columns are named 'who'"]),
        (b"who,what\n", ["no rows"]),
        (b"\nwho,what\n1,2\n", ["line 1 is blank"]),
        (b"who,what\n1,2\n\n3,\n", ["line 4", "what", "''"]),
        (b"who,what\n1,2\n-3,2\n", ["line 3", "who", "'-3'", "negative"]),
        (b'who,what\n1,"a\nb"\n1,\n', ["line 4", "what"]),
        (b"who,what\n1,2\n1\n", ["line 3", "1 fields"]),
        (b"who;what\n1;2\n", ["no column 'who'", "it looks separated by ';': add separator: ';'"]),
        (b"who,what\n1,\xe9\n", ["line 2", "UTF-8"]),
        (b"PK\x03\x04\xff\xfe", ["zip archive"]),
        (b"\xff\xfe\x03\x04", ["line 1", "UTF-8", "datasets.mine.encoding, perhaps to utf-16"]),
    ],
)
def test_bad_own_csv_is_named_by_line_and_value(content: bytes, expected: list[str], tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path / "mine.csv", content, **OWN)
    for part in [str(tmp_path / "mine.csv"), *expected]:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("good", "bad"), [("5", "soon"), ("1970-01-02", "soon"), ("1970-01-02", "7 May"), ("5", "inf")]
)
def test_a_bad_own_time_is_named_by_line_and_value(good: str, bad: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"line 3, column when: '{bad}'"):
        read(tmp_path / "mine.csv", f"who,what,when\n1,2,{good}\n1,3,{bad}\n".encode(), time="when", **OWN)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pd.Series([2, 1], dtype="int8"), [2, 1]),
        (pd.Series([2.0, 1.0]), [2, 1]),
        (pd.Series(["b", "a"], dtype="category"), ["b", "a"]),
        (pd.Series(["2", "1"]), [2, 1]),
    ],
    ids=["int8", "float", "category", "digits"],
)
def test_own_parquet_may_hold_ids_of_many_types(column: pd.Series, expected: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "mine.parquet"
    pd.DataFrame({"who": column, "what": [1, 2], "when": pd.to_datetime(["1970-01-02", None])}).to_parquet(path)
    table = read_existing(path, time="when", **OWN)
    assert table["user"].to_list() == expected
    assert rows(table)[0][2] == 86400
    assert rows(table)[1][2] is None


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({"who": [1, 2], "item": [1, 2]}, ["no column 'what' (datasets.mine.item)"]),
        ({"who": pd.Series([1, None], dtype="Int64"), "what": [1, 2]}, ["row 2", "who", "None"]),
        ({"who": ["a", None], "what": [1, 2]}, ["row 2", "who", "None"]),
        ({"who": [1, -2], "what": [1, 2]}, ["row 2", "who", "-2", "negative"]),
        ({"who": [1.0, 2.5], "what": [1, 2]}, ["row 2", "who", "2.5"]),
        ({"who": [True, False], "what": [1, 2]}, ["who", "bool"]),
        ({"who": [], "what": []}, ["no rows"]),
    ],
)
def test_bad_own_parquet_is_named_by_row_and_value(table: dict[str, Any], expected: list[str], tmp_path: Path) -> None:
    path = tmp_path / "mine.parquet"
    pd.DataFrame(table).to_parquet(path)
    with pytest.raises(DataError) as caught:
        read_existing(path, **OWN)
    for part in [str(path), *expected]:
        assert part in str(caught.value)


def test_a_damaged_parquet_file_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "mine.parquet"
    pd.DataFrame({"who": [1], "what": [2]}).to_parquet(path)
    with pytest.raises(DataError, match="can't be read as parquet"):
        read(path, path.read_bytes()[:100], **OWN)


def test_batches_of_a_parquet_file_do_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.parquet"
    written = pd.DataFrame({"who": range(7), "what": range(7), "when": pd.array([5, None, 4, None, 3, 2, 1], "Int64")})
    written.to_parquet(path, row_group_size=3)
    whole = read_existing(path, time="when", **OWN)
    monkeypatch.setattr(batches, "_BATCH", 2)
    pd.testing.assert_frame_equal(read_existing(path, time="when", **OWN), whole)
    assert rows(whole) == [(0, 0, 5), (1, 1, None), (2, 2, 4), (3, 3, None), (4, 4, 3), (5, 5, 2), (6, 6, 1)]
    written.assign(what=[0, 1, 2, 3, 4, 5, -6]).to_parquet(path, row_group_size=3)
    with pytest.raises(DataError, match="row 7, column what: -6 is negative"):
        read_existing(path, time="when", **OWN)
