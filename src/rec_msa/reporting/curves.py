"""A training curve as Plotly's JSON, which kedro viz draws; plotly need not be installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

LOSS, VALIDATION = "#888888", "#3b7dd8"


def as_plotly(curve: pd.DataFrame) -> dict[str, Any]:
    """Draws what the training was stopped by and its loss, over the steps; the step that was kept is marked.

    Args:
        curve: Columns step, loss, validation, kept.
    """
    kept = curve[curve["kept"]]
    left = {"x": curve["step"].tolist(), "type": "scatter", "mode": "lines"}
    traces = [
        {**left, "y": _numbers(curve["validation"]), "name": "validation", "line": {"color": VALIDATION}},
        {**left, "y": _numbers(curve["loss"]), "name": "loss", "yaxis": "y2", "line": {"color": LOSS, "dash": "dot"}},
        {
            "x": kept["step"].tolist(),
            "y": _numbers(kept["validation"]),
            "name": "kept",
            "type": "scatter",
            "mode": "markers",
            "marker": {"color": VALIDATION, "size": 11},
        },
    ]
    layout = {
        "xaxis": {"title": {"text": "step"}},
        "yaxis": {"title": {"text": "validation"}},
        "yaxis2": {"title": {"text": "loss"}, "overlaying": "y", "side": "right", "showgrid": False},
        "legend": {"orientation": "h", "y": 1.15},
    }
    return {"data": traces, "layout": layout}


def _numbers(values: pd.Series) -> list[float | None]:
    """JSON has no number for what was not measured."""
    return [None if value != value else float(value) for value in values]  # noqa: PLR0124 - only NaN differs from itself
