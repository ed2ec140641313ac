"""Kedro's parquet, JSON, matplotlib and text datasets, saved whole or not at all, with provenance."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa
from kedro_datasets import json as kedro_json
from kedro_datasets import matplotlib as kedro_matplotlib
from kedro_datasets import pandas as kedro_pandas
from kedro_datasets import text as kedro_text
from kedro_datasets._typing import PlotlyPreview, TablePreview

from rec_msa.datasets.recorded import OtherArtifactError, Recorded

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

LISTED = 10
"""Items of a list that a preview names."""


class ParquetDataset(Recorded, kedro_pandas.ParquetDataset):
    """``kedro_datasets.pandas.ParquetDataset``, atomic and recorded; the same catalog entry."""

    def load(self) -> pd.DataFrame:
        """Loads the table, and hands back the memory that Arrow took beside it."""
        table: pd.DataFrame = super().load()
        pa.default_memory_pool().release_unused()
        return table

    def preview(self, nrows: int = 5) -> TablePreview:
        """The first rows for kedro viz, which cannot show a list in a cell: there it becomes words."""
        table = super().preview(nrows)
        return TablePreview({**table, "data": [[_in_words(value) for value in row] for row in table["data"]]})


def _in_words(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    more = f", … ({len(value)})" if len(value) > LISTED else ""
    return ", ".join(map(str, value[:LISTED])) + more


class CurveDataset(ParquetDataset):
    """A training curve: a parquet file that kedro viz draws; the same catalog entry."""

    def preview(self) -> PlotlyPreview:  # type: ignore[override]
        """Loss and what decides over the steps, as Plotly reads it; plotly itself is not needed."""
        from rec_msa.reporting.curves import as_plotly

        return PlotlyPreview(as_plotly(self.load()))


class PartedParquetDataset(ParquetDataset):
    """A parquet file saved from an iterable of tables, one at a time in memory; loaded as one table.

    All tables must have the columns of the first.
    """

    def save(self, data: Iterable[pd.DataFrame]) -> None:
        """Saves whole or not at all."""
        super().save(_Parts(data))


class _Parts:
    """Looks to ``kedro_datasets.pandas.ParquetDataset`` like one table that can be written."""

    def __init__(self, tables: Iterable[pd.DataFrame]) -> None:
        self.tables = tables

    def to_parquet(self, file: IO[bytes]) -> None:
        """Writes the tables one after the other."""
        from pyarrow import parquet

        writer = None
        try:
            for table in self.tables:
                rows = pa.Table.from_pandas(table, preserve_index=False, schema=writer and writer.schema)
                writer = writer or parquet.ParquetWriter(file, rows.schema)
                writer.write_table(rows)
        finally:
            if writer is not None:
                writer.close()


class JSONDataset(Recorded, kedro_json.JSONDataset):
    """``kedro_datasets.json.JSONDataset``, atomic and recorded; the same catalog entry."""


class RawFileDataset(JSONDataset):
    """What is known of a raw file, as JSON with its checksum under ``sha256``; the same catalog entry.

    A run works out at its start what everything is made from. A raw file that was exchanged since is not recorded as
    the one of then.
    """

    def save(self, data: dict[str, Any]) -> None:
        """Saves, but not what is said of another file than the run began with (``OtherArtifactError``)."""
        if self.expected is not None and data["sha256"] != self.expected.raw:
            raise OtherArtifactError(
                f"{data['path']}: the raw file was exchanged since the run began; run again with "
                "--only-missing-outputs when it is whole"
            )
        super().save(data)


class PictureDataset(Recorded, kedro_matplotlib.MatplotlibDataset):
    """``kedro_datasets.matplotlib.MatplotlibDataset``, atomic and recorded; the same catalog entry."""


class TextDataset(Recorded, kedro_text.TextDataset):
    """``kedro_datasets.text.TextDataset``, atomic and recorded; the same catalog entry, but always UTF-8."""

    DEFAULT_FS_ARGS: ClassVar[dict[str, Any]] = {
        "open_args_save": {"mode": "w", "encoding": "utf-8"},
        "open_args_load": {"mode": "r", "encoding": "utf-8"},
    }
