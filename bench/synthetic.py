"""Interactions of any number whose users and items follow power laws, written in bounded memory.

``python -m bench.synthetic OUT.parquet --rows 10M``; ``OUT.csv --rows 20M --users 138000 --items 27000 --text`` writes
text, with ids that are no numbers.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

FIRST_TIME = 1_500_000_000
SECONDS = 3 * 365 * 86_400


@dataclass(frozen=True)
class Population:
    """Users or items, the k-th of which (from 0) is drawn with a weight of about (k + shift)^-exponent.

    Attributes:
        size: How many there are.
        exponent: How steep the power law is; 0 draws all alike.
        shift: How many at its head are about as frequent as the first, above 0.
        id_step: Distance between neighbouring ids, which have no order.
    """

    size: int
    exponent: float
    shift: float
    id_step: int

    def ids(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """The id of each rank, ``[size]``."""
        return rng.permutation(self.size) * self.id_step + 1

    def ranks(self, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draws ranks, ``[n]``: the weights' integral from 0 to the rank, inverted, at uniform places."""
        place, first, last = rng.random(n), self.shift, self.shift + self.size
        rest = 1 - self.exponent
        if rest == 0:
            ranks = first * (last / first) ** place
        else:
            ranks = (first**rest + place * (last**rest - first**rest)) ** (1 / rest)
        return np.minimum((ranks - first).astype(np.int64), self.size - 1)


def populations(n_rows: int) -> tuple[Population, Population]:
    """Users and items in numbers that grow with the rows, so that what an ingestion does to a row stays the same."""
    n_users, n_items = max(n_rows * 3 // 20, 1), max(n_rows // 20, 1)
    return Population(n_users, 0.9, n_users / 2000, id_step=7), Population(n_items, 1.0, 50, id_step=13)


def shop(n_users: int, n_items: int) -> tuple[Population, Population]:
    """Users and items in given numbers, as active and as popular as MovieLens' are where there are as many."""
    return Population(n_users, 0.9, n_users / 20, id_step=7), Population(n_items, 1.0, 50, id_step=13)


def write_interactions(
    path: Path,
    n_rows: int,
    repeats: float = 0.05,
    seed: int = 0,
    chunk: int = 5_000_000,
    of: tuple[Population, Population] | None = None,
    text: bool = False,
) -> None:
    """Writes rows in the order of their times: ``user_id``, ``item_id``, ``timestamp``, all int64.

    Args:
        path: The file, parquet; or CSV where its name says so.
        n_rows: Number of rows.
        repeats: Share of the rows that repeat an earlier pair of their chunk.
        seed: Of everything that is drawn.
        chunk: Rows that are in memory at once.
        of: Users and items; by default as many as fit the rows.
        text: Whether ids are no numbers (``u17``, ``i4``).
    """
    ids = pa.string() if text else pa.int64()
    schema = pa.schema([("user_id", ids), ("item_id", ids), ("timestamp", pa.int64())])
    with (
        csv.CSVWriter(path, schema)
        if path.suffix == ".csv"
        else parquet.ParquetWriter(path, schema, compression="zstd") as file
    ):
        for user, item, time in _chunks(n_rows, repeats, np.random.default_rng(seed), chunk, of or populations(n_rows)):
            columns = [_named("u", user), _named("i", item)] if text else [user, item]
            file.write_table(pa.table([*columns, time], schema=schema))


def _named(letter: str, ids: NDArray[np.int64]) -> pa.Array:
    return pc.binary_join_element_wise(letter, pa.array(ids).cast(pa.string()), "")


def row_count(text: str) -> int:
    """Reads a number such as ``500k`` or ``10M``."""
    units = {"k": 1_000, "m": 1_000_000}
    unit = units.get(text[-1:].lower())
    return int(text) if unit is None else int(float(text[:-1]) * unit)


def _chunks(
    n_rows: int, repeats: float, rng: np.random.Generator, chunk: int, of: tuple[Population, Population]
) -> Iterator[list[NDArray[np.int64]]]:
    users, items = of
    user_ids, item_ids = users.ids(rng), items.ids(rng)
    for start in range(0, n_rows, chunk):
        n = min(chunk, n_rows - start)
        user, item = user_ids[users.ranks(n, rng)], item_ids[items.ranks(n, rng)]
        again = np.flatnonzero(rng.random(n) < repeats)
        earlier = (rng.random(len(again)) * again).astype(np.int64)
        user[again], item[again] = user[earlier], item[earlier]
        span = [FIRST_TIME + SECONDS * place // n_rows for place in (start, start + n)]
        yield [user, item, np.sort(rng.integers(span[0], span[1] + 1, n))]


def main() -> None:
    """Writes one file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--rows", type=row_count, default="10M")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--users", type=int, help="users and items of one's own number, as --items")
    parser.add_argument("--items", type=int)
    parser.add_argument("--repeats", type=float, default=0.05)
    parser.add_argument("--text", action="store_true", help="ids that are no numbers")
    arguments = parser.parse_args()
    of = shop(arguments.users, arguments.items) if arguments.users and arguments.items else None
    how = {"repeats": arguments.repeats, "seed": arguments.seed, "of": of, "text": arguments.text}
    write_interactions(arguments.path, arguments.rows, **how)


if __name__ == "__main__":
    main()
