"""Raw files of every supported kind as one table: user, item, time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from rec_msa.foundation.errors import DataError
from rec_msa.interactions import columns as kinds
from rec_msa.interactions.files import Part
from rec_msa.interactions.own import as_integers, read_own
from rec_msa.interactions.text import Layout, place_of, read_text, require_sound_quotes

if TYPE_CHECKING:
    from rec_msa.interactions.acquisition import RawFile
    from rec_msa.interactions.settings import DatasetSettings

_Converter = Callable[[pa.ChunkedArray], pa.ChunkedArray]


@dataclass(frozen=True)
class Source:
    """What the columns of a raw file mean.

    Attributes:
        layout: How the file is laid out.
        converters: How each column is checked and converted.
        user: The column of the users' ids.
        item: The column of the items' ids.
        time: The column of the times, if any.
    """

    layout: Layout
    converters: Mapping[str, _Converter]
    user: str
    item: str
    time: str | None = None


def _source(converters: Mapping[str, _Converter], layout: Layout, roles: tuple[str, str, str | None]) -> Source:
    return Source(replace(layout, columns=tuple(converters)), converters, *roles)


SOURCES: Mapping[str, Source] = {
    "u.data": _source(
        {"user": kinds.whole, "item": kinds.whole, "rating": kinds.number, "timestamp": kinds.seconds},
        Layout("\t", ()),
        ("user", "item", "timestamp"),
    ),
    "ml-100k.inter": _source(
        {
            "user_id:token": kinds.whole,
            "item_id:token": kinds.whole,
            "rating:float": kinds.number,
            "timestamp:float": kinds.seconds,
        },
        Layout("\t", (), header=True),
        ("user_id:token", "item_id:token", "timestamp:float"),
    ),
    "ratings.dat": _source(
        {"UserID": kinds.whole, "MovieID": kinds.whole, "Rating": kinds.number, "Timestamp": kinds.seconds},
        Layout("::", (), optional=frozenset({"Timestamp"})),
        ("UserID", "MovieID", "Timestamp"),
    ),
    "ta_feng_all_months_merged.csv": _source(
        {"TRANSACTION_DT": kinds.us_date, "CUSTOMER_ID": kinds.digits, "PRODUCT_ID": kinds.digits},
        Layout(",", (), header=True, quoted="doubled"),
        ("CUSTOMER_ID", "PRODUCT_ID", "TRANSACTION_DT"),
    ),
    "steam-200k.csv": _source(
        {
            "user": kinds.whole,
            "game": kinds.text,
            "behaviour": kinds.behaviour,
            "value": kinds.number,
            "zero": kinds.number,
        },
        Layout(",", (), quoted="doubled"),
        ("user", "game", None),
    ),
}
"""How the original files of the known data sets are read, by their names."""


def read_raw(raw: RawFile, settings: DatasetSettings) -> pd.DataFrame:
    """Reads a raw file's interactions.

    Args:
        raw: The file.
        settings: The data set's settings, which name the columns of a user's own file.

    Returns:
        The columns ``user`` and ``item`` (int64 where the file's ids are numbers, else strings) and ``timestamp``
        (Int64, seconds since 1970; of a user's own file its numbers, or dates in the coarsest unit that loses nothing;
        missing where there is no time): one row for each interaction of the file, in its order. Of a user's own table
        ``attrs["reading"]`` is the account of ``read_own``.

    Raises:
        DataError: The file is missing, empty, truncated, not UTF-8, lacks a column or has a bad row; the message
            names the file, line, column and value.
    """
    if settings.path is not None:
        table, account = read_own(raw.dataset, settings)
        table.attrs["reading"] = account
        return table
    source = SOURCES[Path(raw.path).name.removesuffix(".gz")]
    part = Part(raw.path)
    if not raw.known:
        require_sound_quotes(part, source.layout)
    return _read_text(part, source)


def _read_text(part: Part, source: Source) -> pd.DataFrame:
    columns = read_text(part, source.layout)
    converted = {}
    for name in tuple(columns):
        column = columns.pop(name)  # nothing else holds on to it once it is converted
        try:
            converted[name] = _series(source.converters[name](column))
        except kinds.BadValueError as error:
            value, where = column[error.row].as_py(), place_of(part, source.layout, error.row)
            raise DataError(
                f"{part.name}, {where}, column {name}: {value!r} {error.requirement}; mend the row or get the file "
                "again"
            ) from error
    return _table(source, converted)


def _series(column: pa.ChunkedArray) -> pd.Series:
    if not pa.types.is_int64(column.type):
        return pd.Series(column.to_pandas(), copy=False)
    return pd.Series(as_integers(column), copy=False)


def _table(source: Source, columns: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Keeps the columns with a meaning."""
    user, item = columns[source.user], columns[source.item]
    times = columns.get(source.time) if source.time is not None else None
    if times is None:  # a file may lack it
        times = pd.Series(pd.NA, index=user.index, dtype="Int64")
    return pd.DataFrame(
        {
            "user": user if user.dtype != "Int64" else user.to_numpy(dtype=np.int64),
            "item": item if item.dtype != "Int64" else item.to_numpy(dtype=np.int64),
            "timestamp": times,
        },
        copy=False,
    )
