"""Files of many kinds, told by their bytes: each is read, or refused in a line that says what would be."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import tarfile
import zipfile
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fsspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import feather, ipc, orc, parquet

from rec_msa.foundation.errors import DataError
from rec_msa.interactions import DatasetSettings, acquire
from tests.interactions.reading.own_files import csv, json_lines, own, pairs, read_own, refused, times

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = [(1, 10, 5), (2, 11, 6), (1, 12, 7)]
PAIRS = [(1, 10), (2, 11), (1, 12)]
TEXT = csv(ROWS, "user,item,time").encode()
FRAME = pd.DataFrame(ROWS, columns=["user", "item", "time"])


def parquet_bytes(frame: pd.DataFrame = FRAME) -> bytes:
    return frame.to_parquet()


def feather_bytes() -> bytes:
    sink = io.BytesIO()
    feather.write_feather(FRAME, sink)
    return sink.getvalue()


def stream_bytes() -> bytes:
    sink = io.BytesIO()
    table = pa.Table.from_pandas(FRAME)
    with ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue()


def orc_bytes(codec: str) -> bytes:
    sink = pa.BufferOutputStream()
    orc.write_table(pa.Table.from_pandas(FRAME), sink, compression=codec)
    return bytes(sink.getvalue())


def npy_bytes() -> bytes:
    sink = io.BytesIO()
    np.save(sink, FRAME.to_numpy())
    return sink.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return sink.getvalue()


def tarred(format_: int) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=format_) as archive:
        archive.addfile(info := tarfile.TarInfo("a.csv"), io.BytesIO(TEXT[: info.size]))
    return sink.getvalue()


def by_arrow(content: bytes, codec: str) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as stream:
        stream.write(content)
    return sink.getvalue().to_pybytes()


PACKED = {
    "plain": TEXT,
    "byte order mark": b"\xef\xbb\xbf" + TEXT,
    "Windows line ends": TEXT.replace(b"\n", b"\r\n"),
    "gzip": gzip.compress(TEXT),
    "gzip in two": gzip.compress(TEXT[:20]) + gzip.compress(TEXT[20:]),
    "bz2": bz2.compress(TEXT),
    "xz": lzma.compress(TEXT),
    "zstd": by_arrow(TEXT, "zstd"),
    "lz4": by_arrow(TEXT, "lz4"),
    "zip": zipped({"events/events.csv": TEXT, "__MACOSX/events/._events.csv": b"\0\5"}),
    "JSON lines": json_lines(ROWS, ["user", "item", "time"]).encode(),
    "JSON lines, gzip": gzip.compress(json_lines(ROWS, ["user", "item", "time"]).encode()),
    "parquet": parquet_bytes(),
    "parquet in gzip": gzip.compress(parquet_bytes()),
    "parquet in zip": zipped({"events.parquet": parquet_bytes()}),
    "feather": feather_bytes(),
    "Arrow stream": stream_bytes(),
}


@pytest.mark.parametrize("name", ["mine.csv", "mine.gz", "mine.parquet", "MINE.PARQUET", "mine.pq", "mine"])
@pytest.mark.parametrize("kind", PACKED)
def test_what_a_file_is_its_first_bytes_say_and_not_its_name(tmp_path: Path, kind: str, name: str) -> None:
    table = own(tmp_path, PACKED[kind], name, time="time")
    assert pairs(table) == PAIRS
    assert times(table) == [5, 6, 7]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xd0\xcf\x11\xe0 rest", "old Excel workbook; save its sheet as CSV"),
        (zipped({"[Content_Types].xml": b"", "xl/workbook.xml": b""}), "an Excel workbook: save its sheet as CSV"),
        (b"SQLite format 3\0", "an SQLite database; write the table as CSV"),
        (b"\x80\x04\x95", "a pickle, which may run anything"),
        *((pickle.dumps(FRAME, protocol), "a pickle, which may run anything") for protocol in range(6)),
        *((pickle.dumps([{"user": 1}], protocol), "a pickle, which may run anything") for protocol in range(6)),
        *((orc_bytes(codec), "an ORC file") for codec in ("uncompressed", "zlib", "zstd")),
        (zipped({"a.npy": npy_bytes()}), "a file of NumPy"),
        (b"-- MySQL dump 10.13\n\nDROP TABLE", "is SQL; load it"),
        (b"% a\n%\n@RELATION ratings", "an ARFF file"),
        (gzip.compress(gzip.compress(TEXT)), "is packed or compressed twice; unpack it once"),
        (gzip.compress(zipped({"a.csv": TEXT})), "is packed or compressed twice; unpack it once"),
        (zipped({"a.zip": zipped({"a.csv": TEXT})}), "(a.zip) is packed or compressed twice; unpack it once"),
        (b"\x1f\x9d\x90abc", "of a compression that is not read; unpack it"),
        (zipped({"mimetype": b"", "content.xml": b""}), "an OpenDocument workbook: save its sheet as CSV"),
        (b"<!DOCTYPE html><html>log in</html>", "a web page or XML document; if it was downloaded"),
        (b'[{"user": 1, "item": 2}]', "one JSON document; write an object a line"),
        (tarred(tarfile.USTAR_FORMAT), "a tar archive; unpack it"),
        (tarred(tarfile.PAX_FORMAT), "a tar archive; unpack it"),
        (gzip.compress(tarred(tarfile.GNU_FORMAT)), "a tar archive; unpack it"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 12345\n", "get the file: git lfs pull"),
        (b"/annex/objects/SHA256E-s5--4d.csv\n", "get the file: git annex get"),
        (zipped({}), "holds no file"),
        (bz2.compress(TEXT)[:30], "get it again"),
        (lzma.compress(TEXT)[:40], "not a whole xz file"),
        (by_arrow(TEXT, "zstd")[:20], "mine.csv"),
        (b'{"user": 1, "item": 2}\nnot JSON\n', "line 2 is no JSON object"),
        (b'{"user": 1, "item": 2}\n[3]\n', "line 2 is no JSON object"),
        (b'{"user": 1, "thing": 2}\n', "there is no field 'item' (datasets.mine.item)"),
        (b'{"user": {"id": 1}, "item": 2}\n', "the field 'user' holds objects"),
        (b'{"user": 1, "item": 2}\n\n{"user": 2}\n', "line 3, column item: None is no id"),
    ],
)
def test_what_is_not_read_is_refused_with_what_would_be(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(DataError) as refusal:
        own(tmp_path, content)
    assert said in str(refusal.value)
    assert str(tmp_path / "mine.csv") in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_of_several_files_in_an_archive_one_is_named_by_the_user(tmp_path: Path) -> None:
    archive = zipped(
        {"ml/ratings-2.csv": csv([(2, 11)]).encode(), "ml/ratings-1.csv": csv([(1, 10)]).encode(), "ml/x": b"x"}
    )
    with pytest.raises(
        DataError, match=r"holds 3 files; say which in datasets\.mine\.member: ml/ratings-1\.csv, ml/rat"
    ):
        own(tmp_path, archive, "ml.zip")
    with pytest.raises(DataError, match=r"has no ratings\.csv; say which"):
        own(tmp_path, archive, "ml.zip", member="ratings.csv")
    assert pairs(own(tmp_path, archive, "ml.zip", member="ml/ratings-2.csv")) == [(2, 11)]
    assert pairs(own(tmp_path, archive, "ml.zip", member="*ratings-*")) == [(1, 10), (2, 11)]


def test_an_archive_was_read_twice_for_two_files_of_one_name(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        for name in ("a.csv", "a.csv", "b.csv"):
            archive.writestr(name, TEXT)
    for asked in ({}, {"member": "a.csv"}, {"member": "*.csv"}):
        with pytest.raises(DataError, match=r"several files of one name, a\.csv: pack it anew"):
            read_own(tmp_path / "two.zip", **asked)
    assert pairs(read_own(tmp_path / "two.zip", member="b.csv")) == PAIRS


def test_a_name_in_an_archive_was_taken_for_a_pattern(tmp_path: Path) -> None:
    archive = zipped({"ratings [1].csv": TEXT, "ratings 1.csv": b"x"})
    assert pairs(own(tmp_path, archive, "ml.zip", member="ratings [1].csv")) == PAIRS


@pytest.mark.parametrize("behind", [b"ustard,5\n", b"ustar,5\n", b"ustar  5,5\n"])
def test_text_with_ustar_at_the_place_of_a_tar_archive_was_one(tmp_path: Path, behind: bytes) -> None:
    content = b"user,item\n" + b"1,2\n" * 61 + b"13M" + behind
    assert content[257:262] == b"ustar"
    assert len(own(tmp_path, content)) == 62


# ---- streams one behind the other

HALVES = TEXT[:20], TEXT[20:]
LINES = json_lines(ROWS, ["user", "item", "time"]).encode()
PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zstd": partial(by_arrow, codec="zstd"),
    "lz4": partial(by_arrow, codec="lz4"),
}


@pytest.mark.parametrize("quotes", ["doubled", "none"])
@pytest.mark.parametrize("packed", PACK)
def test_an_empty_stream_or_zeros_between_two_ended_the_file(tmp_path: Path, packed: str, quotes: str) -> None:
    pack, zeros = PACK[packed], b"\0" * 8 if packed == "xz" else b""
    streams = [pack(b""), *map(pack, HALVES[:1]), pack(b""), pack(b""), *map(pack, HALVES[1:]), pack(b"")]
    table = own(tmp_path, zeros.join(streams) + zeros, time="time", quotes=quotes)
    assert (pairs(table), times(table)) == (PAIRS, [5, 6, 7])


CHANGES = ("zeros for its head", "zeros for it", "text behind it", "a damaged block")
UNSEEN = {("gzip", CHANGES[1]), ("zstd", CHANGES[3]), ("lz4", CHANGES[3])}
"""Zeros pad gzip, and Arrow writes no checksum into the others."""


@pytest.mark.parametrize("content", [TEXT, LINES])
@pytest.mark.parametrize(("packed", "change"), sorted({*product(PACK, CHANGES)} - UNSEEN))
def test_what_stood_behind_a_damaged_stream_was_lost(tmp_path: Path, packed: str, content: bytes, change: str) -> None:
    first, second = PACK[packed](content), PACK[packed](content)
    damaged = {
        "zeros for its head": b"\0\0\0" + second[3:],
        "zeros for it": bytes(5),
        "text behind it": second + b"user,item\n",
        "a damaged block": second[:20] + bytes(8) + second[28:],
    }[change]
    assert str(tmp_path / "mine.csv") in refused(tmp_path, first + damaged, quotes="none")
    with pytest.raises(DataError, match=r"mine\.csv"):
        acquire("mine", DatasetSettings(path=str(tmp_path / "mine.csv"), user="user", item="item"), tmp_path)


def test_an_empty_part_in_bz2_was_no_text(tmp_path: Path) -> None:
    (tmp_path / "part-0").write_bytes(bz2.compress(TEXT))
    (tmp_path / "part-1").write_bytes(bz2.compress(b""))
    assert pairs(read_own(tmp_path)) == PAIRS
    assert pairs(own(tmp_path, "BZh9,5\n", columns=["user", "item"])) == [("BZh9", 5)]


# ---- several files


def parts(folder: Path, write: Any = pd.DataFrame.to_parquet, suffix: str = "parquet", n: int = 12) -> Path:
    """A row in each part, of which the tenth comes after the ninth."""
    folder.mkdir(parents=True)
    for part in range(n):
        write(pd.DataFrame({"user": [part], "item": [part % 5]}), folder / f"part-{part}.{suffix}")
    (folder / "_SUCCESS").touch()
    (folder / ".part-0.crc").write_bytes(b"crc")
    return folder


def csv_without_index(frame: pd.DataFrame, path: Path) -> None:
    frame.to_csv(path, index=False)


@pytest.mark.parametrize(("write", "suffix"), [(pd.DataFrame.to_parquet, "parquet"), (csv_without_index, "csv")])
def test_a_folder_of_parts_is_read_in_the_order_of_their_numbers(tmp_path: Path, write: Any, suffix: str) -> None:
    folder = parts(tmp_path / f"events.{suffix}", write, suffix)
    expected = [(part, part % 5) for part in range(12)]
    assert pairs(read_own(folder)) == expected
    assert pairs(read_own(str(folder / "part-*"))) == expected
    assert pairs(read_own(str(tmp_path / "**" / f"*.{suffix}"))) == expected
    both = [str(folder / f"part-{part}.{suffix}") for part in (3, 1)]
    assert pairs(read_own(both)) == [(3, 3), (1, 1)]


def test_what_the_folders_of_hive_say_are_columns(tmp_path: Path) -> None:
    for day, user in (("2020-09-24", 1), ("2020-09-25", 2), ("__HIVE_DEFAULT_PARTITION__", 3)):
        folder = tmp_path / "events" / f"day={day}" / f"kind=a%20{user}"
        folder.mkdir(parents=True)
        pd.DataFrame({"user": [user], "item": [7]}).to_parquet(folder / "0.parquet")
    table = read_own(tmp_path / "events", time="day")
    assert times(table) == [1600905600, 1600992000, None]
    assert pairs(read_own(tmp_path / "events", item="kind")) == [(1, "a 1"), (2, "a 2"), (3, "a 3")]
    assert pairs(read_own(tmp_path / "events", where={"day": ">= 2020-09-25"})) == [(2, 7)]
    assert pairs(read_own(tmp_path / "events", user="day", item="kind", where={"day": "< 2021-01-01"})) == [
        ("2020-09-24", "a 1"),
        ("2020-09-25", "a 2"),
    ]


def test_parts_may_hold_ids_of_different_types(tmp_path: Path) -> None:
    (folder := tmp_path / "parts").mkdir()
    for part, ids in enumerate([pd.Series([1, 2]), pd.Series([3.0, 4.0]), pd.Series(["5", "6"]), pd.Series(["x"])]):
        pd.DataFrame({"user": ids, "item": 1}).to_parquet(folder / f"{part}.parquet")
    assert [user for user, _ in pairs(read_own(folder))] == ["1", "2", "3", "4", "5", "6", "x"]
    (folder / "3.parquet").unlink()
    assert [user for user, _ in pairs(read_own(folder))] == [1, 2, 3, 4, 5, 6]


def test_parts_of_different_kinds_are_refused_by_name(tmp_path: Path) -> None:
    folder = parts(tmp_path / "events", n=1)
    (folder / "readme.txt").write_text("user,item\n")
    with pytest.raises(
        DataError, match=r"part-0\.parquet \(parquet\) and .*readme\.txt \(text\); name those that belong"
    ):
        read_own(folder)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("gone.csv", "there is no file gone.csv"),
        ("gone*.csv", "no file fits gone*.csv"),
        ("empty", "the folder empty holds"),
    ],
)
def test_where_nothing_lies_the_path_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("empty/_SUCCESS").touch()
    with pytest.raises(DataError) as refusal:
        read_own(path)
    assert f"datasets.mine.path: {said}" in str(refusal.value)


def test_a_bad_value_names_its_own_part(tmp_path: Path) -> None:
    folder = parts(tmp_path / "events", csv_without_index, "csv", n=3)
    (folder / "part-1.csv").write_text("user,item\n1,2\n,3\n")
    with pytest.raises(DataError, match=r"part-1\.csv, line 3, column user: '' is no id"):
        read_own(folder)


def test_files_at_a_url_are_read_by_fsspec() -> None:
    files = fsspec.filesystem("memory")
    for part in (10, 9):
        files.pipe_file(f"/shop/part-{part}.csv", csv([(part, 1)]).encode())
    files.pipe_file("/shop/_SUCCESS", b"")
    files.pipe_file("/table.parquet", parquet_bytes())
    try:
        assert pairs(read_own("memory://shop/part-9.csv")) == [(9, 1)]
        assert pairs(read_own("memory://shop")) == pairs(read_own("memory://shop/*.csv")) == [(9, 1), (10, 1)]
        assert pairs(read_own("memory://table.parquet")) == PAIRS
        with pytest.raises(DataError, match="there is no file at memory://gone"):
            read_own("memory://gone.csv")
    finally:
        files.store.clear()
        files.pseudo_dirs[:] = [""]
    with pytest.raises(DataError, match=r"nothing://gone\.csv can't be opened"):
        read_own("nothing://gone.csv")


def test_the_checksum_of_parts_changes_with_each_of_them_and_not_with_the_folder_above(tmp_path: Path) -> None:
    def checksum(folder: Path) -> str:
        return acquire("mine", DatasetSettings(path=str(folder), user="user", item="item"), tmp_path).sha256

    one, other = parts(tmp_path / "one"), parts(tmp_path / "other")
    before = checksum(one)
    assert checksum(other) == before
    (other / "part-3.parquet").rename(other / "part-33.parquet")
    assert checksum(other) != before
    pd.DataFrame({"user": [1], "item": [2]}).to_parquet(one / "part-3.parquet")
    assert checksum(one) != before


def test_a_table_of_several_row_groups_and_batches_is_one(tmp_path: Path) -> None:
    frame = pd.DataFrame({"user": range(100), "item": [f"i{item}" for item in range(100)]})
    parquet.write_table(pa.Table.from_pandas(frame), tmp_path / "a.parquet", row_group_size=7)
    assert pairs(read_own(tmp_path / "a.parquet")) == list(zip(frame["user"], frame["item"], strict=True))
