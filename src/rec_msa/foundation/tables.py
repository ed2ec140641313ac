"""What every table that is handed from one part to another must be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rec_msa.foundation.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


def require_table(name: str, table: pd.DataFrame, columns: Sequence[str]) -> None:
    """Refuses a table that lacks a column (``DataError``)."""
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise DataError(f"{name}: column {missing[0]!r} is missing; needed are {', '.join(columns)}")
