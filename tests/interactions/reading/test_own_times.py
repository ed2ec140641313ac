"""Times of a user's own table: whole numbers that keep the order, in the coarsest unit that loses nothing."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from rec_msa.foundation.errors import DataError
from tests.interactions.reading.own_files import csv, own, read_own, times

if TYPE_CHECKING:
    from pathlib import Path

MOMENTS = ["2014-04-13T14:40:01.898Z", "2014-04-13T14:40:01.100Z", "2014-04-13T14:40:01Z"]
MILLISECONDS = [1397400001898, 1397400001100, 1397400001000]


def written(folder: Path, column: list[Any], **settings: Any) -> list[int | None]:
    rows = [(row, 1, "" if value is None else value) for row, value in enumerate(column)]
    return times(own(folder, csv(rows, "user,item,time"), time="time", **settings))


def stored(folder: Path, column: pa.Array) -> list[int | None]:
    path = folder / "mine.parquet"
    parquet.write_table(pa.table({"user": range(len(column)), "item": range(len(column)), "time": column}), path)
    return times(read_own(path, time="time"))


def test_moments_within_a_second_came_in_the_files_order(tmp_path: Path) -> None:
    stamps = pd.Series(pd.to_datetime(MOMENTS, format="ISO8601"))
    assert written(tmp_path, MOMENTS) == MILLISECONDS
    assert written(tmp_path, MILLISECONDS) == MILLISECONDS
    assert written(tmp_path, [value / 1000 for value in MILLISECONDS]) == MILLISECONDS
    assert stored(tmp_path, pa.array([value / 1000 for value in MILLISECONDS])) == MILLISECONDS
    assert stored(tmp_path, pa.array([decimal.Decimal(value) / 1000 for value in MILLISECONDS])) == MILLISECONDS
    for unit in ("ms", "us", "ns"):
        assert stored(tmp_path, pa.array(stamps.dt.as_unit(unit))) == MILLISECONDS


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (["2014-04-13 14:40:01.898123", "2014-04-13"], [1397400001898123, 1397347200000000]),
        (["2014-04-13T14:40:01.898123456+02:00", None], [1397392801898123456, None]),
        (["2020-09-24 23:44:37 UTC", "2020-09-24 23:44:37 GMT"], [1600991077, 1600991077]),
        (["9999-12-31", "1600-01-01"], [253402214400, -11676096000]),
        (["-1.5", "+2", ".25", "3."], [-1500, 2000, 250, 3000]),
        (["1.6009910778e9", "16e8"], [1600991077800, 1600000000000]),
        (["1.500", "2.0000000000"], [1500, 2000]),
        (["1.0", "2.000000000000"], [1, 2]),
        ([" 5 ", "", "  "], [5, None, None]),
    ],
)
def test_text_is_read_to_its_last_digit(tmp_path: Path, column: list[Any], expected: list[int | None]) -> None:
    assert written(tmp_path, column) == expected


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([dt.date(1970, 1, 2), None]), [86400, None]),
        (pa.array([86_400_000, None], pa.date64()), [86400, None]),
        (pa.array([5.0, None, float("nan")]), [5, None, None]),
        (pa.array([None, None]), [None, None]),
        (pa.array(["", None]), [None, None]),
        (pa.array([7, 3], pa.uint64()), [7, 3]),
        (pa.array([0, 3600], pa.timestamp("s", "Europe/Berlin")), [0, 3600]),
        (pa.array(["5", "7"]).dictionary_encode(), [5, 7]),
    ],
)
def test_parquet_of_any_type_is_read(tmp_path: Path, column: pa.Array, expected: list[int | None]) -> None:
    assert stored(tmp_path, column) == expected


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (["5", "soon"], "line 3, column time: 'soon' is not a number"),
        (
            ["2014-04-13", "13.04.2014"],
            "'13.04.2014' is neither a number nor an ISO date; other dates need time_format",
        ),
        (["5", "0x10"], "'0x10' is not a number"),
        (["5", "1e300"], "'1e300' is too large or too fine"),
        (["0.12345678901", "5"], "line 2, column time: '0.12345678901' is too large or too fine"),
        (["10000000000000000000.5", "5"], "line 2"),
        (["2014-04-13", "5"], "line 3, column time: '5'"),
    ],
)
def test_what_is_no_time_is_named_by_line_and_value(tmp_path: Path, column: list[str], said: str) -> None:
    with pytest.raises(DataError) as refusal:
        written(tmp_path, column)
    assert said in str(refusal.value)


def test_dates_and_numbers_in_different_parts_are_refused(tmp_path: Path) -> None:
    for name, time in (("1", "2014-04-13"), ("2", "5")):
        (tmp_path / f"{name}.csv").write_text(f"user,item,time\n1,2,{time}\n")
    with pytest.raises(DataError, match=r"2\.csv, line 2, column time: '5' is a number, and other times are not"):
        read_own(tmp_path, time="time")


def test_parts_with_coarser_times_are_put_into_the_finest_unit(tmp_path: Path) -> None:
    for name, time in (("1", "2014-04-13"), ("2", "2014-04-13T14:40:01.898Z"), ("3", "")):
        (tmp_path / f"{name}.csv").write_text(f"user,item,time\n1,2,{time}\n")
    assert times(read_own(tmp_path, time="time")) == [1397347200000, 1397400001898, None]


def test_dates_of_another_form_are_read_as_the_settings_say(tmp_path: Path) -> None:
    column = ["24/12/2020 18:30", None, "01/02/2020 00:00"]
    assert written(tmp_path, column, time_format="%d/%m/%Y %H:%M") == [1608834600, None, 1580515200]
    assert written(tmp_path, ["20200924", "20200925"], time_format="%Y%m%d") == [1600905600, 1600992000]
    with pytest.raises(DataError, match="line 3, column time: '12-24-2020' is not written as %d/%m/%Y"):
        written(tmp_path, ["24/12/2020", "12-24-2020"], time_format="%d/%m/%Y")


def test_what_orders_a_day_may_be_in_a_second_column(tmp_path: Path) -> None:
    rows = [
        (1, "a", 20, "2020-01-01"),
        (1, "b", 10, "2020-01-01"),
        (1, "c", "", "2020-01-01"),
        (1, "d", 5, "2020-01-02"),
    ]
    table = own(tmp_path, csv(rows, "user,item,at,time"), time="time", order="at")
    assert table["item"].to_list() == ["d", "b", "a", "c"]
    assert list(table.index) == [0, 1, 2, 3]
    from rec_msa.interactions import SequenceSettings, in_sequence

    coded = table.assign(user=0, item=pd.factorize(table["item"])[0])
    in_order = in_sequence(coded, SequenceSettings())
    assert [table["item"][row] for row in in_order["item"]] == ["b", "a", "c", "d"]


@pytest.mark.parametrize(
    ("column", "span"),
    [
        (MOMENTS, ("2014-04-13", "2014-04-13")),
        (MILLISECONDS, ("2014-04-13", "2014-04-13")),
        ([1397400001, 1600991077], ("2014-04-13", "2020-09-24")),
        ([1397400001.5, 1600991077], ("2014-04-13", "2020-09-24")),
        ([3, 5], ("3", "5")),
        ([3.5, 5], ("3.5", "5")),
    ],
)
def test_the_account_says_from_when_to_when(tmp_path: Path, column: list[Any], span: tuple[str, str]) -> None:
    rows = [(row, 1, value) for row, value in enumerate(column)]
    reading = own(tmp_path, csv(rows, "user,item,time"), time="time").attrs["reading"]
    assert (reading["time_from"], reading["time_to"]) == span


def test_seconds_among_milliseconds_are_said(tmp_path: Path) -> None:
    rows = [(1, 1, 1397400001), (2, 2, 1397400001898)]
    reading = own(tmp_path, csv(rows, "user,item,time"), time="time").attrs["reading"]
    assert reading["odd"] == ["some times look like seconds and others like parts of them"]


def test_times_with_an_exponent_are_read_exactly(tmp_path: Path) -> None:
    assert times(own(tmp_path, csv([(1, 2, "1.5e-7"), (1, 3, "1")], "user,item,time"), time="time")) == [150, 10**9]
    assert times(own(tmp_path, csv([(1, 2, "5e18"), (1, 3, "1.0")], "user,item,time"), time="time")) == [5 * 10**18, 1]


def test_a_time_that_needs_a_sign_bit_ended_in_a_traceback(tmp_path: Path) -> None:
    clock = pa.array([1, 2**63], pa.uint64())
    parquet.write_table(pa.table({"user": [1, 2], "item": [5, 6], "time": clock}), tmp_path / "mine.parquet")
    with pytest.raises(DataError, match="row 2, column time: 9223372036854775808 is not a whole number that fits 64"):
        read_own(tmp_path / "mine.parquet", time="time")


@pytest.mark.parametrize("word", ["NA", "null", "nan", "\\N", "None", "0000-00-00", "0000-00-00 00:00:00"])
@pytest.mark.parametrize("other", ["5", "2014-04-13"])
def test_words_for_nothing_are_no_times(tmp_path: Path, word: str, other: str) -> None:
    found = own(tmp_path, csv([(1, 2, other), (1, 3, word)], "user,item,time"), time="time")
    assert [time is None for time in times(found)] == [False, True]


def test_numbers_that_pandas_made_floats_are_read_by_their_format(tmp_path: Path) -> None:
    path = tmp_path / "mine.parquet"
    parquet.write_table(pa.table({"user": [1, 1, 1], "item": [1, 2, 3], "time": [31122020.0, 1012021.0, None]}), path)
    day = 24 * 3600
    assert times(read_own(path, time="time", time_format="%d%m%Y")) == [18627 * day, 18628 * day, None]


def test_a_zero_that_a_number_lost_is_put_back(tmp_path: Path) -> None:
    content = csv([(1, 2, "1022020"), (1, 3, "12312020")], "user,item,time")
    assert times(own(tmp_path, content, time="time", time_format="%m%d%Y")) == [1577923200, 1609372800]
