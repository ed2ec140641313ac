"""Raw files of every supported kind as one table: user, item, time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from rec_msa.errors import DataError
from rec_msa.interactions import columns as kinds
from rec_msa.interactions.text import Layout, place_of, read_text, require_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rec_msa.interactions.acquisition import RawFile
    from rec_msa.interactions.settings import DatasetSettings

_BATCH = 1 << 20
"""Rows of a parquet file that are in memory as they stand there beside what they are converted to."""

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
        Layout(",", (), header=True, quoted=True),
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
        Layout(",", (), quoted=True),
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
        (Int64, seconds since 1970 or the numbers of a user's own file; missing where there is no time): one row for
        each row of the file, in its order.

    Raises:
        DataError: The file is missing, empty, truncated, not UTF-8, lacks a column or has a bad row; the message
            names the file, line, column and value.
    """
    path = Path(raw.path)
    if settings.path is None:
        source = SOURCES[path.name.removesuffix(".gz")]
    else:
        source = _own_source(raw.dataset, settings)
    if settings.path is not None and path.suffix == ".parquet":
        return _read_parquet(path, source)
    return _read_text(path, source)


def _own_source(dataset: str, settings: DatasetSettings) -> Source:
    roles = {"user": settings.user, "item": settings.item, "time": settings.time}
    keys = {column: f"datasets.{dataset}.{role}" for role, column in roles.items() if column is not None}
    converters = {column: kinds.own_ids for column in (settings.user, settings.item) if column is not None}
    if settings.time is not None:
        converters[settings.time] = kinds.own_times
    layout = Layout(",", (), header=True, quoted=True, keys=keys)
    return _source(converters, layout, (str(settings.user), str(settings.item), settings.time))


def _read_text(path: Path, source: Source) -> pd.DataFrame:
    columns = read_text(path, source.layout)
    converted = {}
    for name in tuple(columns):
        column = columns.pop(name)  # nothing else holds on to it once it is converted
        try:
            converted[name] = _series(source.converters[name](column))
        except kinds.BadValueError as error:
            raise _bad_value(path, place_of(path, source.layout, error.row), name, column, error) from error
    return _table(source, converted)


def _read_parquet(path: Path, source: Source) -> pd.DataFrame:
    """Reads column by column, so that little is in memory beside what they are converted to."""
    with _readable_parquet(path):
        file = parquet.ParquetFile(path, pre_buffer=False)
        require_columns(path, source.layout.columns, file.schema_arrow.names, source.layout.keys)
        if file.metadata.num_rows == 0:
            raise DataError(f"{path} has no rows: write it again")
        return _table(source, {name: _parquet_column(path, file, name, source) for name in source.converters})


def _parquet_column(path: Path, file: parquet.ParquetFile, name: str, source: Source) -> pd.Series:
    """Reads and converts whole numbers by batches; what other types hold is seen from all of their values alone."""
    if not pa.types.is_integer(file.schema_arrow.field(name).type):
        return _series(_converted(path, name, file.read([name]).column(name), source))
    values = np.empty(file.metadata.num_rows, dtype=np.int64)
    is_missing = np.zeros(len(values), dtype=bool)
    start = 0
    for batch in file.iter_batches(_BATCH, columns=[name]):
        column = _converted(path, name, pa.chunked_array([batch.column(0)]), source, start)
        rows = slice(start, start + len(column))
        values[rows] = column.fill_null(0).to_numpy()
        if column.null_count:
            is_missing[rows] = column.is_null().to_numpy()
        start = rows.stop
    return pd.Series(pd.arrays.IntegerArray(values, is_missing), copy=False)


def _converted(path: Path, name: str, column: pa.ChunkedArray, source: Source, start: int = 0) -> pa.ChunkedArray:
    """Checks and converts rows of a parquet file's column, from some row on."""
    try:
        return source.converters[name](column)
    except kinds.BadValueError as error:
        raise _bad_value(path, f"row {start + error.row + 1}", name, column, error) from error


def _bad_value(path: Path, where: str, name: str, column: pa.ChunkedArray, error: kinds.BadValueError) -> DataError:
    return DataError(
        f"{path}, {where}, column {name}: {column[error.row].as_py()!r} {error.requirement}; mend the row "
        f"or get the file again"
    )


@contextlib.contextmanager
def _readable_parquet(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise DataError(f"{path} can't be read as parquet: {error}. Write it again") from error


def _series(column: pa.ChunkedArray) -> pd.Series:
    if not pa.types.is_int64(column.type):
        return pd.Series(column.to_pandas(), copy=False)
    values = pd.arrays.IntegerArray(column.fill_null(0).to_numpy(), column.is_null().to_numpy())
    return pd.Series(values, copy=False)


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
