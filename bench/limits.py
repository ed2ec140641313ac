"""Limits on paper: what a hot path has to move and to compute, over what the machine can do.

Bytes are counted once for each necessary read and write of 32-bit floats, at the rate of adding in place to an array
that fits the cache; operations at the rate of a large matrix product. Index arithmetic, masks and random numbers are
not counted: a limit is what no implementation of the same mathematics beats.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from bench.tables import Metric, Row, Table

FLOAT = 4
D, BATCH, USERS, ITEMS, PAIRS = 64, 2048, 3020, 3706, 410_380
STEPS = -(-PAIRS // BATCH)
TOWER = (64, 32, 16)
ADAM_PASSES = 8
"""Reads of parameter, gradient and both moments, writes of all but the gradient, and the gradient set to zero."""


@dataclass(frozen=True)
class Path:
    """What one hot path needs.

    Attributes:
        what: Its name.
        gigabytes: Moved.
        gigaflops: Computed.
        measured: Table, row and figure that hold its measured seconds of the processor.
    """

    what: str
    gigabytes: float
    gigaflops: float
    measured: tuple[str, str, str]

    def seconds(self, gigabytes_per_s: float, gigaflops_per_s: float) -> float:
        """The limit: moving and computing one after the other."""
        return self.gigabytes / gigabytes_per_s + self.gigaflops / gigaflops_per_s


def paths() -> list[Path]:
    """The hot paths, worked out for the speed task."""
    return [
        Path("an epoch of bpr", *_factors(negatives=1), ("training", "bpr paper", "epoch_cpu_s")),
        Path("an epoch of lmf", *_factors(negatives=4), ("training", "lmf paper", "epoch_cpu_s")),
        Path("an epoch of ncf", *_ncf(negatives=4), ("training", "ncf paper", "epoch_cpu_s")),
        Path("fused top 50, bpr", *_fused_factors(), ("scoring", "bpr", "cpu_s")),
        Path("fused top 50, lmf", *_fused_factors(), ("scoring", "lmf", "cpu_s")),
        Path("fused top 50, ncf", *_fused_ncf(), ("scoring", "ncf", "cpu_s")),
    ]


def _factors(negatives: int) -> tuple[float, float]:
    """An epoch of a dot-product model: the batch's vectors read, their gradients added, Adam on all parameters."""
    vectors = BATCH * (2 + negatives)
    row_bytes = vectors * D * FLOAT * 3  # read the vector; read and write the sum of gradients
    adam_bytes = (USERS + ITEMS) * D * FLOAT * ADAM_PASSES
    scores = BATCH * (1 + negatives)
    flops = 6 * D * scores + 12 * (USERS + ITEMS) * D  # a product forward, two backward; a dozen a parameter in Adam
    return STEPS * (row_bytes + adam_bytes) / 1e9, STEPS * flops / 1e9


def _ncf(negatives: int) -> tuple[float, float]:
    """An epoch of NeuMF: two branches of vectors, and a tower whose first layer is computed once for each row."""
    scores = BATCH * (1 + negatives)
    bytes_of_factors, flops_of_factors = _factors(negatives)
    layers = sum(a * b for a, b in itertools.pairwise(TOWER)) + TOWER[-1]
    first = (BATCH + ITEMS) * D * TOWER[0]
    flops = 3 * 2 * (scores * layers + first)  # forward, and backward to inputs and to weights
    activations = scores * sum(TOWER) * FLOAT * 4  # written and read forward, gradient written and read
    return 2 * bytes_of_factors + STEPS * activations / 1e9, 2 * flops_of_factors + STEPS * flops / 1e9


def _fused_factors() -> tuple[float, float]:
    """Products with own and auxiliary vectors and with the attention's doubled ones; scores go through memory twice."""
    scores = USERS * ITEMS
    return scores * FLOAT * 8 / 1e9, 2 * scores * (D + D + 2 * D) / 1e9


def _fused_ncf() -> tuple[float, float]:
    """The product branch as above; the tower's attention, its mixed first layer and its upper layers for each pair."""
    gigabytes, gigaflops = _fused_factors()
    scores = USERS * ITEMS
    layers = sum(a * b for a, b in itertools.pairwise(TOWER)) + TOWER[-1]
    flops = 2 * scores * (2 * D + layers + 2 * TOWER[0])
    return gigabytes + scores * sum(TOWER) * FLOAT * 2 / 1e9, gigaflops + flops / 1e9


def limits(tables: dict[str, Table]) -> Table:
    """Every hot path beside its measured seconds.

    Args:
        tables: Measured tables by name; ``machine`` among them.
    """
    rates = {row.what: row.median("rate") for row in tables["machine"].rows}
    bytes_rate = next(rate for what, rate in rates.items() if "adding" in what)
    flops_rate = next(rate for what, rate in rates.items() if "product" in what)
    rows = []
    for path in paths():
        table, what, key = path.measured
        measured = _find(tables.get(table), what, key)
        if measured and bytes_rate and flops_rate:
            limit = path.seconds(bytes_rate, flops_rate)
            figures = {"gigabytes": path.gigabytes, "gigaflops": path.gigaflops, "limit": limit}
            rows.append(Row(path.what, [figures | {"measured": measured, "times": measured / limit}]))
    columns = [("gigabytes", "GB moved", 2), ("gigaflops", "Gflop", 1), ("limit", "limit s", 3)]
    columns += [("measured", "measured processor s", 3), ("times", "measured / limit", 1)]
    return Table("limits", "limits on paper", [Metric(*column) for column in columns], rows)


def _find(table: Table | None, what: str, key: str) -> float | None:
    return next((row.median(key) for row in table.rows if row.what == what), None) if table else None
