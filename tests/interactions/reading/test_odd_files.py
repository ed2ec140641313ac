"""Files in the odd forms in which known public data sets come."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyarrow import feather, parquet

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
