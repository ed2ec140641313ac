"""Figures, intervals, verdicts and tables as the pages in Markdown write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rec_msa.evaluation.verdicts import SEEDS_FOR_A_VERDICT

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

MISSING = "–"
DECIMALS, SMALLEST_P = 3, 0.001


def p_value(value: float) -> str:
    """Returns a p-value, very small ones as such."""
    return "< .001" if value < SMALLEST_P else figure(value)


def figure(value: float, *, signed: bool = False) -> str:
    """Returns three decimals without the zero before the point, never ``-.000``."""
    if np.isnan(value):
        return MISSING
    rounded = round(float(value), DECIMALS) + 0.0
    text = f"{rounded:{'+' * (signed and rounded != 0)}.{DECIMALS}f}"
    return (text.replace("0.", ".", 1) if abs(rounded) < 1 else text).replace("-", "−")


def interval(low: float, high: float, *, signed: bool = False) -> str:
    """Returns ``[.1, .2]``, or a dash where there is none."""
    if np.isnan(low):
        return MISSING
    return f"[{figure(low, signed=signed)}, {figure(high, signed=signed)}]"


def verdict(row: pd.Series, so_far: str) -> str:
    """Returns a verdict; of one that is open for want of seeds, what they say so far.

    Args:
        row: ``verdict, note, n_seeds``.
        so_far: The direction in words.
    """
    if not row["note"]:
        return str(row["verdict"])
    return f"{row['verdict']} ({row['n_seeds']} of {SEEDS_FOR_A_VERDICT} seeds); so far {so_far}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], align: str) -> str:
    """Returns a table in Markdown whose columns are aligned in the source too.

    Args:
        head: The headings.
        rows: The cells of each row.
        align: ``l`` or ``r`` for each column.
    """
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    rule = ["-" * (width - 1) + ("-" if side == "l" else ":") for width, side in zip(widths, align, strict=True)]
    lines = [
        [
            cell.ljust(width) if side == "l" else cell.rjust(width)
            for cell, width, side in zip(line, widths, align, strict=True)
        ]
        for line in [head, *rows]
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in [lines[0], rule, *lines[1:]])
