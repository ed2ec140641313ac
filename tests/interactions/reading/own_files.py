"""A user's own files as the tests write and read them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from rec_msa.foundation.errors import DataError
from rec_msa.interactions import DatasetSettings, RawFile, read_raw

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Row = tuple[Any, ...]


def read_own(path: Path | str | Sequence[str], **settings: Any) -> pd.DataFrame:
    """Reads files whose columns are ``user``, ``item`` and, where settings say so, others."""
    asked = {"path": path if isinstance(path, str | tuple | list) else str(path), "user": "user", "item": "item"}
    raw = RawFile("mine", str(path), "", 1, "local", known=False)
    return read_raw(raw, DatasetSettings(**(asked | settings)))


def own(folder: Path, content: str | bytes, name: str = "mine.csv", **settings: Any) -> pd.DataFrame:
    """Writes a file and reads it."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_own(path, **settings)


def refused(folder: Path, content: str | bytes, **settings: Any) -> str:
    """Writes a file and reads it in vain; returns what is said, one line."""
    with pytest.raises(DataError) as refusal:
        own(folder, content, **settings)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def pairs(table: pd.DataFrame) -> list[Row]:
    """Users and items."""
    return list(zip(table["user"], table["item"], strict=True))


def times(table: pd.DataFrame) -> list[int | None]:
    """Times, None where there is none."""
    return [None if pd.isna(time) else int(time) for time in table["timestamp"]]


def csv(rows: Sequence[Row], header: str = "user,item", separator: str = ",") -> str:
    """Rows as text; None as nothing."""
    lines = [separator.join("" if value is None else str(value) for value in row) for row in rows]
    return "\n".join([header.replace(",", separator), *lines, ""])


def json_lines(rows: Sequence[Row], names: Sequence[str]) -> str:
    """Rows as an object a line; None as a field that is not there."""
    records = [{name: value for name, value in zip(names, row, strict=True) if value is not None} for row in rows]
    return "".join(f"{json.dumps(record)}\n" for record in records)
