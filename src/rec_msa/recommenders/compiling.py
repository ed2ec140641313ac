"""How loops are compiled for CPUs: what a compiler may do with sums, and rows that are fetched before they are needed.

Importing it loads numba, so do that late.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba import config as config_of_numba
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

if TYPE_CHECKING:
    from collections.abc import Callable

SUMS = {"reassoc", "contract", "nsz"}
"""What compiled code may do with numbers: take sums in another order, so that they fill vector registers; no flag lets
NaN or infinity be forgotten."""


config: Any = config_of_numba  # its names are made as it is loaded


def kept_in(folder: Path) -> Path:
    """Where machine code of a folder's kernels is kept: elsewhere as soon as one of the texts is another.

    numba looks at a kernel's own file alone, and what is inlined there stands in others.
    """
    texts = b"".join(file.read_bytes() for file in (folder / "compiling.py", *sorted(folder.glob("*kernels.py"))))
    return Path(config.CACHE_DIR or folder / "__pycache__") / f"kernels-{sha256(texts).hexdigest()[:12]}"


KEPT_IN = str(kept_in(Path(__file__).parent))


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Machine code of a function, kept on disk."""
    named, config.CACHE_DIR = config.CACHE_DIR, KEPT_IN
    try:
        return njit(cache=True, nogil=True, error_model="numpy", fastmath=SUMS)(function)
    finally:
        config.CACHE_DIR = named


inlined = njit(inline="always", nogil=True, error_model="numpy", fastmath=SUMS)
AHEAD = 6
"""Rows that are on their way from memory while one is worked on."""
LINE = 64
LOG2_E, LN_2, LN_2_REST = np.float32(1.4426950408889634), np.float32(0.693359375), np.float32(-2.12194440e-4)
ZERO, HALF, ONE, TWO = np.float32(0), np.float32(0.5), np.float32(1), np.float32(2)
GREATEST = np.float32(87)
TAYLOR = tuple(np.float32(1 / n) for n in (5040, 720, 120, 24, 6, 2))
NO_POWER, FRACTION_BITS = np.int32(127), np.int32(23)


def fetch_row(_: Any, table: Any, row: Any) -> Any:
    """Has a row of a table brought into the cache, and waits for nothing."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        size = cgutils.unpack_tuple(builder, array.strides)[0]
        pointer, small, long = ir.IntType(8).as_pointer(), ir.IntType(32), ir.IntType(64)
        start = builder.gep(builder.bitcast(array.data, pointer), [builder.mul(size, arguments[1])])
        kind = ir.FunctionType(ir.VoidType(), [pointer, small, small, small])
        fetch = builder.module.declare_intrinsic("llvm.prefetch", [pointer], kind)
        to_read, stay, data = (ir.Constant(small, value) for value in (0, 3, 1))
        with cgutils.for_range_slice(builder, ir.Constant(long, 0), size, ir.Constant(long, LINE)) as (at, _):
            builder.call(fetch, [builder.gep(start, [at]), to_read, stay, data])
        return context.get_dummy_value()

    return types.void(table, row), emit


prefetch: Any = intrinsic(fetch_row)


def number_of_bits(_: Any, bits: Any) -> Any:
    """The number of single precision that 32 bits, given as an integer, stand for."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), emit


as_float: Any = intrinsic(number_of_bits)


@inlined
def exp(x: Any) -> Any:
    """e to the x in vector registers, which the C library's has not: 2^n e^r, |r| <= ln 2 / 2, with the series of e^r.

    It is right to two units in the last place from -87 to 87, and stays what it is there beyond.
    """
    x = min(max(x, -GREATEST), GREATEST)
    n = np.floor(x * LOG2_E + HALF)
    r = (x - n * LN_2) - n * LN_2_REST
    a, b, c, d, e, f = TAYLOR
    series = ((((((a * r + b) * r + c) * r + d) * r + e) * r + f) * r + ONE) * r + ONE
    return series * as_float((np.int32(n) + NO_POWER) << FRACTION_BITS)


@inlined
def sigmoid(x: Any) -> Any:
    return ONE / (ONE + exp(-x))


@inlined
def item_ahead(items: Any, row: Any, place: Any) -> Any:
    """Of items ``[batch, m]`` that are worked on one after the other the one whose turn comes next but ``AHEAD``."""
    later = place + AHEAD
    while later >= items.shape[1]:
        later -= items.shape[1]
        row += 1
    return np.uintp(items[row, later] if row < items.shape[0] else items[-1, -1])
