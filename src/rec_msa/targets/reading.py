"""A file of recorded lists, and one that names users: read as a user's own interactions are, batch by batch."""

from __future__ import annotations

import contextlib
import logging
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute as pc

from rec_msa.foundation.errors import DataError
from rec_msa.interactions.reading.batches import OwnFile
from rec_msa.interactions.reading.columns import NUMBER, BadValueError, plain, require
from rec_msa.interactions.reading.files import parts_of
from rec_msa.interactions.reading.ids import NO_ID, ids_of, whole_ids
from rec_msa.interactions.reading.layout import names_columns
from rec_msa.interactions.reading.rows import Rows, with_lists
from rec_msa.interactions.settings import REST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from rec_msa.interactions.settings import DatasetSettings
    from rec_msa.targets.settings import TargetSettings

logger = logging.getLogger(__name__)

_NOBODY = -1
"""What FAISS and others write in the places of a list that hold no item."""


def read_lists(target: str, settings: TargetSettings, items: pd.Series | None = None) -> pd.DataFrame:
    """Reads lists: a row for each place, or for each user with a field that holds the whole list, best item first.

    Places at the end that hold no item shorten a list: what is missing, and -1 where it is no item or is there twice.

    Args:
        target: Its key under ``targets``.
        settings: Its settings, with ``lists``.
        items: The items of the interactions, of which -1 may be one.

    Returns:
        A row for each place, user by user, best first: ``user`` and ``item``, int64 where all are whole numbers, else
        strings; users in the order in which the file has them.

    Raises:
        DataError: The file is missing, damaged or not laid out as said, has a bad value, a rank twice or a gap in the
            ranks, a list has no item in a place before others, or a user has an item twice.
    """
    by = "rank" if settings.rank else "score" if settings.score else None
    order = settings.rank or settings.score
    columns = {"user": settings.user, "item": settings.item, **({by: order} if by and order else {})}
    is_item = items is not None and bool(items.isin([_NOBODY, str(_NOBODY)]).any())
    file = _Source(target, settings, settings.table, columns, is_item)
    table = file.read()
    if is_item:
        table["nobody"] &= table.duplicated(["user", "item"], keep=False)
    table["list"] = pd.factorize(table["user"])[0]
    table["key"] = -table[by] if by == "score" else table[by] if by else np.arange(len(table))
    table = table.iloc[np.lexsort((table["key"], table["list"]))]
    table = table[_hold_items(file, table)]
    if by == "score" and _are_ranks(table["list"].to_numpy(), -table["key"].to_numpy()):
        logger.warning(
            "targets.%s.score: of each user the scores are 1, 2, 3 and so on, as ranks are, and the highest counts as "
            "the best; name the column as rank if 1 is the best",
            target,
        )
    _require_no_item_twice(file, table)
    return table[["user", "item"]].reset_index(drop=True)


def read_users(target: str, settings: TargetSettings, table: DatasetSettings) -> pd.Series:
    """Reads the users whom a file names, in the column ``user`` of the target's settings or one a line.

    Raises:
        DataError: As of ``read_lists``.
    """
    with told_of(target, target):
        laid_out = _laid_out(target, settings, table)
    return _Source(target, settings, laid_out, {"user": settings.user}).read()["user"].drop_duplicates()


def _laid_out(target: str, settings: TargetSettings, table: DatasetSettings) -> DatasetSettings:
    """How users are read: by the names of folders or of the first line, as a list of users, or as lists without names.

    What is set for the lists cannot be set anew for this file, so what its first lines say goes before it.
    """
    keys, name = {settings.user: f"targets.{target}.user"}, settings.user
    for part in parts_of(target, table):
        if name in part.given:
            return table
        for separator in dict.fromkeys((table.separator or ",", ",", ";", "\t", "|")):
            named = table.model_copy(update={"separator": separator, "columns": None})
            first, *_ = OwnFile(part, target, named, keys, is_alone=True).first_rows() or [[]]
            if name in map(str.strip, first):
                return named
        rows = OwnFile(part, target, table, keys, is_alone=True).first_rows()
        if {len(fields) for fields in rows} == {1} and not names_columns(rows):
            return table.model_copy(update={"columns": (name,)})
        fit = rows and table.columns and (len(rows[0]) == len(table.columns) or table.columns[-1].endswith(REST))
        if rows and not fit:
            remedy = "write users alone, one a line, or that name above their column"
            raise DataError(f"{part.name}: no field of the first line is '{name}' (targets.{target}.user); {remedy}")
    return table


@contextlib.contextmanager
def told_of(target: str, dataset: str) -> Iterator[None]:
    """Names the key of a target where an error names that of a data set."""
    try:
        yield
    except DataError as error:
        said = str(error).replace(f"datasets.{dataset}.path", f"targets.{target}")
        raise DataError(re.sub(rf"datasets\.{re.escape(dataset)}(?![\w-])", f"targets.{target}", said)) from error


@dataclass(frozen=True)
class _Source:
    """The file of lists of a target, or the one that names users.

    Attributes:
        target: The target's key.
        settings: Its settings.
        table: How the file is read.
        columns: Names of the columns by what they hold: ``user``, ``item``, ``rank``, ``score``.
        minus_one: Whether -1 is an item.
    """

    target: str
    settings: TargetSettings
    table: DatasetSettings
    columns: Mapping[str, str]
    minus_one: bool = False

    def read(self) -> pd.DataFrame:
        """The columns by what they hold, without rows that lack a user; the index says which row of the file it was.

        Two columns say of an item whether it is ``missing`` and whether it is -1 (``nobody``).
        """
        found: dict[str, list[pa.Array]] = defaultdict(list)
        with told_of(self.target, self.target):
            for file, rows in self._batches():
                for role, values in self._converted(file, rows).items():
                    found[role].append(values)
        if not any(pc.any(known).as_py() for known in found["known"]):
            raise DataError(f"{', '.join(self.table.paths)} has no rows with a user: write it again")
        table = pd.DataFrame({role: _whole(role, arrays) for role, arrays in found.items()})
        return table[table.pop("known")]

    def place(self, row: int) -> str:
        """The file and the line of a row, which is looked for in the file: only an error asks."""
        for file, rows in self._batches():
            if row < len(rows):
                return f"{file.part.name}, {file.place_of(rows.place(row))}"
            row -= len(rows)
        raise IndexError(row)

    def _batches(self) -> Iterator[tuple[OwnFile, Rows]]:
        keys = {name: f"targets.{self.target}.{role}" for role, name in self.columns.items()}
        for part in (parts := parts_of(self.target, self.table)):
            file, start = OwnFile(part, self.target, self.table, keys, is_alone=len(parts) == 1), 0
            for batch in file.batches():
                rows = Rows(batch, start)
                start += len(rows)
                if part.kind == "text" and len(keys) > 1:  # of one column the name may be an id
                    rows = rows.without_rules(list(keys)).without_names(list(keys))
                with self._blaming(file, rows, "item" if "item" in self.columns else "user"):
                    rows = self._one_each(rows)
                yield file, rows
            if file.has_unclear_header:
                logger.warning("%s: the first line may name the columns and was read as data", part.name)

    def _one_each(self, rows: Rows) -> Rows:
        if self.table.list_separator is not None and (item := self.columns.get("item")) is not None:
            beside = [name for role, name in self.columns.items() if role not in ("user", "item")]
            rows = with_lists(rows, item, beside, self.table.list_separator)
        return rows.one_each()

    def _converted(self, file: OwnFile, rows: Rows) -> dict[str, pa.Array]:
        user = self._ids(file, rows, "user")
        with self._blaming(file, rows, "user"):
            remedy = f"{NO_ID}; set targets.{self.target}.missing: drop to leave out rows without user"
            require(pc.or_(user.is_valid(), self.settings.missing == "drop"), remedy)
        found = {"user": _filled(user), "known": user.is_valid()}
        if "item" not in self.columns:
            return found
        item = self._ids(file, rows, "item")
        missing, nobody = item.is_null(), pc.fill_null(pc.equal(item, pa.scalar(_NOBODY).cast(item.type)), False)
        found |= {"item": _filled(item), "missing": missing, "nobody": nobody}
        for by in self.columns.keys() - {"user", "item"}:
            with self._blaming(file, rows, by):
                may_lack = pc.or_(missing, pc.and_(nobody, not self.minus_one))
                found[by] = _numbers(by, rows.columns[self.columns[by]], may_lack)
        return found

    def _ids(self, file: OwnFile, rows: Rows, side: str) -> pa.Array:
        with self._blaming(file, rows, side):
            return ids_of(rows.columns[self.columns[side]], self.settings.missing == "keep").values

    @contextlib.contextmanager
    def _blaming(self, file: OwnFile, rows: Rows, role: str) -> Iterator[None]:
        name = self.columns[role]
        try:
            yield
        except BadValueError as error:
            value = rows.columns[name][error.row].as_py() if error.row < len(rows) else None
            raise error.at(f"{file.part.name}, {file.place_of(rows.place(error.row))}", name, value) from error


def _filled(ids: pa.Array) -> pa.Array:
    return ids.fill_null("" if pa.types.is_string(ids.type) else 0)


def _numbers(by: str, column: pa.Array, may_lack: pa.Array) -> pa.Array:
    """Ranks or scores as floats, which order alone; NaN, the last of all, where a place without item has none."""
    values = _floats(plain(column))
    right = pc.fill_null(pc.is_finite(values), False)
    require(pc.or_(right, may_lack), f"is no {by}, which is a number")
    if by == "rank":
        whole = pc.and_(pc.greater_equal(values, 0), pc.equal(pc.floor(values), values))
        right = pc.and_(right, pc.fill_null(whole, False))
        require(pc.or_(right, may_lack), "is no rank: the best is 1, or 0 in every list, and the next one more")
    return pc.if_else(right, values, float("nan"))


def _floats(column: pa.Array) -> pa.Array:
    """Numbers, or strings that are some but for blanks around them; null where one is none."""
    try:
        return pc.cast(column, pa.float64(), safe=False)
    except pa.ArrowNotImplementedError:
        return pa.nulls(len(column), pa.float64())
    except pa.ArrowInvalid:
        bare = pc.utf8_trim_whitespace(column)
        return pc.cast(pc.if_else(pc.match_substring_regex(bare, NUMBER), bare, None), pa.float64())


def _whole(role: str, arrays: list[pa.Array]) -> pd.Series:
    if role in ("user", "item"):
        ids = whole_ids(arrays)
        return ids.to_pandas() if pa.types.is_string(ids.type) else pd.Series(ids.to_numpy())
    return pd.Series(pa.chunked_array(arrays).to_numpy())


def _hold_items(file: _Source, table: pd.DataFrame) -> NDArray[np.bool_]:
    """Which places of lists, sorted, hold an item; refuses others that items follow, unless they are to be dropped."""
    lists, nobody = table["list"].to_numpy(), table["nobody"].to_numpy()
    is_empty: NDArray[np.bool_] = table["missing"].to_numpy() | nobody
    last = np.full(len(table), -1)
    last[lists[~is_empty]] = np.flatnonzero(~is_empty)  # the last of each list stays
    is_inside = np.arange(len(table)) <= last[lists]
    if "rank" in file.columns:
        _require_ranks(file, table[is_inside])
    drop = np.where(nobody, file.settings.unknown == "drop", file.settings.missing == "drop")
    if (refused := is_empty & is_inside & ~drop).any():
        raise _no_item(file, table[refused])
    if is_empty.all():
        raise DataError(f"{', '.join(file.table.paths)}: no list has an item; write it again")
    if is_empty.any():
        logger.warning(
            "targets.%s: %d places of %d lists hold no item (missing, or -1) and are left out; %d lists have no other",
            *(file.target, is_empty.sum(), len(np.unique(lists[is_empty])), len(np.unique(lists[last[lists] < 0]))),
        )
    return ~is_empty


def _no_item(file: _Source, rows: pd.DataFrame) -> DataError:
    row, place = rows.iloc[0], file.place(rows.index[0])
    key, value = ("missing", None) if row["missing"] else ("unknown", row["item"])
    wrong = f"is no item, and others follow in the list of user {row['user']}; set targets.{file.target}.{key}: drop"
    return BadValueError(0, f"{wrong} to leave such places out").at(place, file.columns["item"], value)


def _require_no_item_twice(file: _Source, table: pd.DataFrame) -> None:
    again = table.duplicated(["user", "item"])
    if again.any():
        row = table[again].iloc[0]
        said = f"the list of user {row['user']} has item {row['item']} twice; a list has each item once"
        raise DataError(f"{file.place(table.index[again][0])}: {said}")


def _are_ranks(user: np.ndarray, scores: np.ndarray) -> bool:
    """Whether the scores of each user, descending ``[n]``, are the numbers from 1 on, and lists have several items."""
    from_end = np.searchsorted(user, user, side="right") - np.arange(len(user))
    return len(user) > len(np.unique(user)) and bool((scores == from_end).all())


def _require_ranks(file: _Source, table: pd.DataFrame) -> None:
    """Refuses a rank that a user has twice, and a gap in the ranks, which count from 1 or, in all lists, from 0."""
    user, ranks = table["list"].to_numpy(), table["key"].to_numpy()
    expected = np.arange(len(user)) - np.searchsorted(user, user) + min(1, int(ranks.min(initial=1)))
    wrong = ranks != expected
    if not wrong.any():
        return
    row = int(wrong.argmax())
    who, rank = table["user"].iloc[row], int(ranks[row])
    twice = row and user[row - 1] == user[row] and ranks[row - 1] == rank
    fault = f"has two rows of rank {rank}" if twice else f"has no rank {expected[row]} before rank {rank}"
    remedy = (
        "ranks are 1, 2, 3, ... of each user, or 0, 1, 2, ...; name a column of scores as score, or neither where the "
        "rows are in order"
    )
    raise DataError(f"{file.place(table.index[row])}: the list of user {who} {fault}; {remedy}")
