"""Raw files as one table: the original files of the known data sets, and a user's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
from pyarrow import compute as pc

from rec_msa.interactions.reading.columns import NUMBER, BadValueError, by_distinct, interactions, require
from rec_msa.interactions.reading.files import Part
from rec_msa.interactions.reading.layout import Layout
from rec_msa.interactions.reading.own import read_own
from rec_msa.interactions.reading.text import TextFile

if TYPE_CHECKING:
    from rec_msa.interactions.acquisition import RawFile
    from rec_msa.interactions.settings import DatasetSettings

_Converter = Callable[[pa.ChunkedArray], pa.ChunkedArray]


def _holding(pattern: str, requirement: str, kind: pa.DataType | None = None) -> _Converter:
    """What checks a column of strings and converts it; Arrow alone would take 0x4, nan and inf, too."""

    def convert(column: pa.ChunkedArray) -> pa.ChunkedArray:
        if pc.all(pc.match_substring_regex(column.unique(), pattern)).as_py() is False:
            require(pc.match_substring_regex(column, pattern), requirement)
        return column if kind is None else pc.cast(column, kind)

    return convert


def _seconds(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Times in whole seconds; an empty one is missing."""
    try:
        return pc.cast(pc.if_else(pc.equal(column, ""), None, column), pa.int64())
    except pa.ArrowInvalid:
        require(pc.match_substring_regex(column, "^(-?[0-9]{1,18})?$"), "is not a time in whole seconds")
        raise


def _us_date(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Dates as month/day/year, as seconds since 1970 in UTC."""
    seconds = by_distinct(column.combine_chunks(), _since_1970)
    require(seconds.is_valid(), "is not a date as month/day/year")
    return pa.chunked_array([seconds])


def _since_1970(dates: pa.Array) -> pa.Array:
    found = pd.to_datetime(dates.to_pandas(), format="%m/%d/%Y", errors="coerce")
    return pc.cast(pa.array(found.dt.as_unit("s")), pa.int64())


_WHOLE = _holding("^[0-9]{1,18}$", "is not a whole number of 0 or more", pa.int64())
_NUMBER = _holding(NUMBER, "is not a number", pa.float64())
_DIGITS = _holding("^[0-9]+$", "is not an id made of digits")  # strings, since zeros at their start count
_TEXT = _holding("(?s)^.+$", "is empty")
_BEHAVIOUR = _holding("^(purchase|play)$", "is neither purchase nor play")  # both of them an interaction


@dataclass(frozen=True)
class Source:
    """What the columns of a raw file mean.

    Attributes:
        converters: How each column is checked and converted.
        roles: Which of them are user, item and time, if the file has times.
        layout: How the file is laid out; its columns are those that are converted.
    """

    converters: Mapping[str, _Converter]
    roles: tuple[str, str, str | None]
    layout: Layout


SOURCES: Mapping[str, Source] = {
    "u.data": Source(
        {"user": _WHOLE, "item": _WHOLE, "rating": _NUMBER, "timestamp": _seconds},
        ("user", "item", "timestamp"),
        Layout("\t"),
    ),
    "ml-100k.inter": Source(
        {"user_id:token": _WHOLE, "item_id:token": _WHOLE, "rating:float": _NUMBER, "timestamp:float": _seconds},
        ("user_id:token", "item_id:token", "timestamp:float"),
        Layout("\t", header=True),
    ),
    "ratings.dat": Source(
        {"UserID": _WHOLE, "MovieID": _WHOLE, "Rating": _NUMBER, "Timestamp": _seconds},
        ("UserID", "MovieID", "Timestamp"),
        Layout("::", optional=frozenset({"Timestamp"})),
    ),
    "ta_feng_all_months_merged.csv": Source(
        {"TRANSACTION_DT": _us_date, "CUSTOMER_ID": _DIGITS, "PRODUCT_ID": _DIGITS},
        ("CUSTOMER_ID", "PRODUCT_ID", "TRANSACTION_DT"),
        Layout(",", header=True, quoted="doubled"),
    ),
    "steam-200k.csv": Source(
        {"user": _WHOLE, "game": _TEXT, "behaviour": _BEHAVIOUR, "value": _NUMBER, "zero": _NUMBER},
        ("user", "game", None),
        Layout(",", quoted="doubled"),
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
    file = TextFile(Part(raw.path), replace(source.layout, columns=tuple(source.converters)))
    if not raw.known:
        file.require_sound_quotes()
    converted = _converted(file, source.converters)
    roles = zip(("user", "item", "timestamp"), source.roles, strict=True)
    return interactions({role: converted.pop(name) for role, name in roles if name in converted})


def _converted(file: TextFile, converters: Mapping[str, _Converter]) -> dict[str, pa.ChunkedArray]:
    columns, converted = file.columns(), {}
    for name in tuple(columns):
        column = columns.pop(name)  # nothing else holds on to it once it is converted
        try:
            converted[name] = converters[name](column)
        except BadValueError as error:
            raise error.at(f"{file.part.name}, {file.place_of(error.row)}", name, column[error.row].as_py()) from error
    return converted
