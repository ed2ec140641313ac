"""Any table gives the same interactions, byte for byte, however it is written."""

from __future__ import annotations

import datetime as dt
import decimal
import gzip
import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather, parquet

from rec_msa.interactions import DatasetSettings, prepare
from tests.interactions.reading.own_files import csv, json_lines, read_own

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from tests.interactions.reading.own_files import Row

NAMES = ("user", "item", "time")
MOMENT = dt.datetime(2001, 9, 9, tzinfo=dt.UTC)

small = st.integers(0, 40)
large = st.integers(-(2**63), 2**64 - 1).filter(lambda number: abs(number) >= 10**18)
# no blanks, marks or words for nothing: what these mean has tests of its own
names = st.text("abcdeéß日", min_size=1, max_size=3).filter(lambda text: text not in ("nan", "na"))
clock = st.integers(0, 10**9)


def as_moments(unit: int) -> Callable[[int], dt.datetime]:
    return lambda number: MOMENT + dt.timedelta(microseconds=number * unit)


@st.composite
def tables(draw: st.DrawFn) -> list[Row]:
    """Rows of one kind of users, one of items and one of times each."""
    ids = [draw(st.sampled_from([small, large, names, st.one_of(small, names)])) for _ in range(2)]
    moments = st.integers(0, 10**5).map(as_moments(draw(st.sampled_from([1, 1_000, 1_000_000]))))
    time = draw(st.sampled_from([st.none(), clock, st.none() | clock, moments, st.none() | moments]))
    return draw(st.lists(st.tuples(*ids, time), min_size=1, max_size=12))


def spelt(rows: Sequence[Row]) -> list[Row]:
    """Moments as ISO strings."""
    return [(user, item, time.isoformat() if isinstance(time, dt.datetime) else time) for user, item, time in rows]


def column(values: Sequence[Any], exact: bool) -> pa.Array:
    """Values in the nearest of Arrow's types, or in a wider one."""
    present = [value for value in values if value is not None]
    if any(isinstance(value, str) for value in present):
        kind = pa.binary() if exact else pa.large_string()
        return pa.array([None if value is None else str(value).encode() for value in values], pa.binary()).cast(kind)
    if any(isinstance(value, dt.datetime) for value in present):
        return pa.array(values, pa.timestamp("us" if exact else "ns", "UTC"))
    if any(value >= 2**63 for value in present):
        wide = any(value < 0 for value in present) or not exact
        return (
            pa.array([None if v is None else decimal.Decimal(v) for v in values], pa.decimal128(38, 0))
            if wide
            else (pa.array(values, pa.uint64()))
        )
    if not exact and all(abs(value) < 2**53 for value in present):
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    return pa.array(values, pa.int64())


def arrow(rows: Sequence[Row], exact: bool) -> pa.Table:
    return pa.table({name: column(values, exact) for name, values in zip(NAMES, zip(*rows, strict=True), strict=True)})


def write(folder: Path, rows: Sequence[Row]) -> dict[str, tuple[Path, dict[str, Any]]]:
    """The same rows in files of many kinds, and the settings that each needs."""
    text = csv(spelt(rows), ",".join(NAMES)).encode()
    lines = json_lines(spelt(rows), NAMES)
    made: dict[str, tuple[Path, dict[str, Any]]] = {}

    def add(name: str, content: bytes, **asked: Any) -> None:
        (folder / name).write_bytes(content)
        made[name] = folder / name, asked

    add("plain", text)
    add("tabs", csv(spelt(rows), ",".join(NAMES), "\t").encode(), separator="tab")
    add("headless", text.split(b"\n", 1)[1], columns=NAMES)
    add("quoted", "".join('"' + '","'.join(row) + '"\n' for row in quotable(rows)).encode())
    add("gzipped", gzip.compress(text))
    add("zipped", zipped(text))
    # a line without time need not name it, but one line must
    add(
        "lines",
        ("" if any(row[2] is not None for row in rows) else f"{EMPTY}\n").encode() + lines.encode(),
        missing="drop",
    )
    for exact in (True, False):
        parquet.write_table(arrow(rows, exact), folder / f"parquet {exact}", row_group_size=3)
        made[f"parquet {exact}"] = folder / f"parquet {exact}", {}
        feather.write_feather(arrow(rows, exact), str(folder / f"feather {exact}"))
        made[f"feather {exact}"] = folder / f"feather {exact}", {}
    for name, cut in (("csv parts", csv_part), ("parquet parts", parquet_part)):
        (folder / name).mkdir()
        for start in range(0, len(rows), 2):
            cut(folder / name / f"{start}", rows[start : start + 2])
        made[name] = folder / name, {}
    return made


EMPTY = json.dumps({"user": None, "item": None, "time": None})


def quotable(rows: Sequence[Row]) -> list[list[str]]:
    return [list(NAMES), *([("" if value is None else str(value)) for value in row] for row in spelt(rows))]


def zipped(content: bytes) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("a/events.csv", content)
    return sink.getvalue()


def csv_part(path: Path, rows: Sequence[Row]) -> None:
    path.write_text(csv(spelt(rows), ",".join(NAMES)))


def parquet_part(path: Path, rows: Sequence[Row]) -> None:
    parquet.write_table(arrow(rows, exact=True), path)


def stored(table: pd.DataFrame) -> bytes:
    table.attrs.clear()
    return bytes(table.to_parquet())


@settings(max_examples=25)
@given(tables())
def test_any_table_gives_the_same_interactions_in_every_kind_of_file(rows: list[Row]) -> None:
    core = DatasetSettings(min_interactions=1)
    with tempfile.TemporaryDirectory() as folder:
        read = {name: read_own(path, time="time", **asked) for name, (path, asked) in write(Path(folder), rows).items()}
    interactions = {name: [stored(part) for part in prepare(table, core)[:3]] for name, table in read.items()}
    assert {name for name, parts in interactions.items() if parts != interactions["plain"]} == set()
    assert {name for name, table in read.items() if stored(table) != stored(read["plain"])} == set()
