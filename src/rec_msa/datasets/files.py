"""Kedro's parquet, JSON, plotly, matplotlib and text datasets, saved whole or not at all, with provenance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa
from kedro_datasets import json as kedro_json
from kedro_datasets import matplotlib as kedro_matplotlib
from kedro_datasets import pandas as kedro_pandas
from kedro_datasets import plotly as kedro_plotly
from kedro_datasets import text as kedro_text

from rec_msa.datasets.recorded import Recorded

if TYPE_CHECKING:
    import pandas as pd


class ParquetDataset(Recorded, kedro_pandas.ParquetDataset):
    """``kedro_datasets.pandas.ParquetDataset``, atomic and recorded; the same catalog entry."""

    def load(self) -> pd.DataFrame:
        """Loads the table, and hands back the memory that Arrow took beside it."""
        table: pd.DataFrame = super().load()
        pa.default_memory_pool().release_unused()
        return table


class JSONDataset(Recorded, kedro_json.JSONDataset):
    """``kedro_datasets.json.JSONDataset``, atomic and recorded; the same catalog entry."""


class PlotlyDataset(Recorded, kedro_plotly.JSONDataset):
    """``kedro_datasets.plotly.JSONDataset``, atomic and recorded; the same catalog entry."""


class PictureDataset(Recorded, kedro_matplotlib.MatplotlibDataset):
    """``kedro_datasets.matplotlib.MatplotlibDataset``, atomic and recorded; the same catalog entry."""


class TextDataset(Recorded, kedro_text.TextDataset):
    """``kedro_datasets.text.TextDataset``, atomic and recorded; the same catalog entry, but always UTF-8."""

    DEFAULT_FS_ARGS: ClassVar[dict[str, Any]] = {
        "open_args_save": {"mode": "w", "encoding": "utf-8"},
        "open_args_load": {"mode": "r", "encoding": "utf-8"},
    }
