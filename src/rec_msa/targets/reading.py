"""A file of recorded lists, and one that names users: read as a user's own interactions are, batch by batch."""

from __future__ import annotations

import contextlib
import logging
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute as pc

from rec_msa.foundation.errors import DataError
from rec_msa.interactions.reading.batches import OwnFile
from rec_msa.interactions.reading.columns import BadValueError, plain, require
from rec_msa.interactions.reading.files import parts_of
from rec_msa.interactions.reading.ids import NO_ID, ids_of, whole_ids
from rec_msa.interactions.reading.rows import Rows, split

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rec_msa.interactions.settings import DatasetSettings
    from rec_msa.targets.settings import TargetSettings

logger = logging.getLogger(__name__)


def read_lists(target: str, settings: TargetSettings) -> pd.DataFrame:
    """Reads lists: a row for each place, or for each user with a field that holds the whole list, best item first.

    Args:
        target: Its key under ``targets``.
        settings: Its settings, with ``lists``.

    Returns:
        A row for each place, user by user, best first: ``user`` and ``item``, int64 where all are whole numbers, else
        strings; users in the order in which the file has them.

    Raises:
        DataError: The file is missing, damaged or not laid out as said, has a bad value, a rank twice or a gap in the
            ranks, or a user has an item twice.
    """
    by = "rank" if settings.rank else "score" if settings.score else None
    order = settings.rank or settings.score
    columns = {"user": settings.user, "item": settings.item, **({by: order} if by and order else {})}
    found = _read(target, settings.table, columns, _numbers(by))
    table = pd.DataFrame({side: found[side] for side in ("user", "item")})
    user = pd.factorize(table["user"])[0]
    keys = found[by].to_numpy() if by else np.arange(len(table))
    in_order = np.lexsort((-keys if by == "score" else keys, user))
    table, user = table.iloc[in_order].reset_index(drop=True), user[in_order]
    if by == "rank":
        _require_ranks(settings, table, user, keys[in_order])
    elif by == "score" and _are_ranks(user, keys[in_order]):
        logger.warning(
            "targets.%s.score: of each user the scores are 1, 2, 3 and so on, as ranks are, and the highest counts as "
            "the best; name the column as rank if 1 is the best",
            target,
        )
    again = table.duplicated(["user", "item"])
    if again.any():
        who, what = table[again].iloc[0]
        raise DataError(f"{settings.lists}: the list of user {who} has item {what} twice; a list has each item once")
    return table


def read_users(target: str, settings: TargetSettings, table: DatasetSettings) -> pd.Series:
    """Reads the users whom a file names, in the column ``user`` of the target's settings; each may be there often.

    Raises:
        DataError: As of ``read_lists``.
    """
    return _read(target, table, {"user": settings.user}, None)["user"].drop_duplicates()


@contextlib.contextmanager
def told_of(target: str, dataset: str) -> Iterator[None]:
    """Names the key of a target where an error names that of a data set."""
    try:
        yield
    except DataError as error:
        said = str(error).replace(f"datasets.{dataset}.path", f"targets.{target}")
        raise DataError(re.sub(rf"datasets\.{re.escape(dataset)}(?![\w-])", f"targets.{target}", said)) from error


def _read(
    target: str, table: DatasetSettings, columns: Mapping[str, str], convert: Callable[[pa.Array], pa.Array] | None
) -> dict[str, pd.Series]:
    """The columns by what they hold; ids as ids are read everywhere, another column by its own conversion."""
    keys = {name: f"targets.{target}.{role}" for role, name in columns.items()}
    found: dict[str, list[pa.Array]] = {role: [] for role in columns}
    with told_of(target, target):
        for part in (parts := parts_of(target, table)):
            file, start = OwnFile(part, target, table, keys, is_alone=len(parts) == 1), 0
            for batch in file.batches():
                rows = Rows(batch, start)
                if part.kind == "text" and len(columns) > 1:  # of one column the name may be an id
                    rows = rows.without_names(list(columns.values()))
                with _blaming(file, rows, columns.get("item", columns["user"])):
                    rows = _one_each(rows, table, columns)
                start += len(next(iter(batch.values())))
                for role, name in columns.items():
                    with _blaming(file, rows, name):
                        convert_ids = role in ("user", "item") or convert is None
                        found[role].append(_ids(rows.columns[name]) if convert_ids else convert(rows.columns[name]))  # type: ignore[misc]
            if file.has_unclear_header:
                logger.warning("%s: the first line may name the columns and was read as data", part.name)
    if not sum(map(len, found["user"])):
        raise DataError(f"{', '.join(table.paths)} has no rows: write it again")
    return {role: _whole(role, arrays) for role, arrays in found.items()}


def _one_each(rows: Rows, table: DatasetSettings, columns: Mapping[str, str]) -> Rows:
    if table.list_separator is not None and "item" in columns:
        parted = split(rows.columns[columns["item"]], table.list_separator)
        rows = replace(rows, columns={**rows.columns, columns["item"]: parted})
    return rows.one_each()


def _ids(column: pa.Array) -> pa.Array:
    values = ids_of(column).values
    require(values.is_valid(), NO_ID)
    return values


def _numbers(by: str | None) -> Callable[[pa.Array], pa.Array]:
    """How ranks or scores are read: as numbers; ranks are whole and 1 or more."""

    def convert(column: pa.Array) -> pa.Array:
        column = plain(column)
        try:
            values = pc.cast(column, pa.float64())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise BadValueError(_first_no_number(column), f"is no {by}, which is a number") from None
        require(pc.fill_null(pc.is_finite(values), False), f"is no {by}, which is a number")
        if by == "rank":
            require(
                pc.and_(pc.greater_equal(values, 1), pc.equal(pc.floor(values), values)), "is no rank: 1 is the best"
            )
        return values

    return convert


def _first_no_number(column: pa.Array) -> int:
    texts = pd.to_numeric(pd.Series(column.to_pylist(), dtype=object), errors="coerce")
    return int(texts.isna().to_numpy().argmax())


def _whole(role: str, arrays: list[pa.Array]) -> pd.Series:
    if role in ("user", "item"):
        ids = whole_ids(arrays)
        return ids.to_pandas() if pa.types.is_string(ids.type) else pd.Series(ids.to_numpy())
    return pd.Series(pa.chunked_array(arrays).to_numpy())


@contextlib.contextmanager
def _blaming(file: OwnFile, rows: Rows, name: str) -> Iterator[None]:
    try:
        yield
    except BadValueError as error:
        value = rows.columns[name][error.row].as_py() if error.row < len(rows) else None
        raise error.at(f"{file.part.name}, {file.place_of(rows.place(error.row))}", name, value) from error


def _are_ranks(user: np.ndarray, scores: np.ndarray) -> bool:
    """Whether the scores of each user, descending ``[n]``, are the numbers from 1 on, and lists have several items."""
    from_end = np.searchsorted(user, user, side="right") - np.arange(len(user))
    return len(user) > len(np.unique(user)) and bool((scores == from_end).all())


def _require_ranks(settings: TargetSettings, table: pd.DataFrame, user: np.ndarray, ranks: np.ndarray) -> None:
    """Refuses a rank that a user has twice, and a gap in the ranks.

    Args:
        settings: The target's settings.
        table: The lists, sorted.
        user: A number for each user, sorted ``[n]``.
        ranks: Their ranks, ascending for each user ``[n]``.
    """
    expected = np.arange(len(user)) - np.searchsorted(user, user) + 1
    wrong = ranks != expected
    if not wrong.any():
        return
    row = int(wrong.argmax())
    who, rank = table["user"].iloc[row], int(ranks[row])
    twice = row and user[row - 1] == user[row] and ranks[row - 1] == rank
    fault = f"has two rows of rank {rank}" if twice else f"has no rank {expected[row]} before rank {rank}"
    remedy = (
        "ranks are 1, 2, 3, ... for each user; name a column of scores as score, or neither where the rows are in order"
    )
    raise DataError(f"{settings.lists}: the list of user {who} {fault}; {remedy}")
