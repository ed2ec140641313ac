"""Raw files of every supported kind as one table: user, item, time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from rec_msa.errors import DataError
from rec_msa.interactions import columns as kinds
from rec_msa.interactions.text import Layout, place_of, read_text, require_columns

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
        return _table(path, source, _read_parquet(path, source.layout), in_text=False)
    return _table(path, source, read_text(path, source.layout), in_text=True)


def _own_source(dataset: str, settings: DatasetSettings) -> Source:
    roles = {"user": settings.user, "item": settings.item, "time": settings.time}
    keys = {column: f"datasets.{dataset}.{role}" for role, column in roles.items() if column is not None}
    converters = {column: kinds.own_ids for column in (settings.user, settings.item) if column is not None}
    if settings.time is not None:
        converters[settings.time] = kinds.own_times
    layout = Layout(",", (), header=True, quoted=True, keys=keys)
    return _source(converters, layout, (str(settings.user), str(settings.item), settings.time))


def _read_parquet(path: Path, layout: Layout) -> dict[str, pa.ChunkedArray]:
    try:
        require_columns(path, layout.columns, parquet.read_schema(path).names, layout.keys)
        table = parquet.read_table(path, columns=list(layout.columns))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise DataError(f"{path} can't be read as parquet: {error}. Write it again") from error
    if table.num_rows == 0:
        raise DataError(f"{path} has no rows: write it again")
    return {name: table.column(name) for name in layout.columns}


def _table(path: Path, source: Source, columns: dict[str, pa.ChunkedArray], in_text: bool) -> pd.DataFrame:
    """Checks and converts every column, and keeps those with a meaning."""
    converted = {}
    for name, column in columns.items():
        try:
            converted[name] = source.converters[name](column)
        except kinds.BadValueError as error:
            where = place_of(path, source.layout, error.row) if in_text else f"row {error.row + 1}"
            raise DataError(
                f"{path}, {where}, column {name}: {column[error.row].as_py()!r} {error.requirement}; mend the row "
                f"or get the file again"
            ) from error
    times = converted.get(source.time) if source.time is not None else None
    if times is None:
        times = pa.chunked_array([pa.nulls(len(converted[source.user]), pa.int64())])
    return pd.DataFrame(
        {
            "user": converted[source.user].to_pandas(),
            "item": converted[source.item].to_pandas(),
            "timestamp": times.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get),
        }
    )
