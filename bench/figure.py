"""The scaling figure: an epoch by interactions, a step by the size of the catalogue, on log-log axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rec_msa.reporting.drawing import COLOURS, GRID_ALPHA, NEUTRAL
from rec_msa.training.settings import TrainingSettings

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from bench.tables import Table

BY_ROW: int = TrainingSettings().row_sparse_from
"""Items from which a training updates single rows of a table."""


def draw_scaling(tables: dict[str, Table], target: Path) -> None:
    """Draws the measured points with the line that their slope is of, and what linear would be.

    Args:
        tables: Measured tables by name.
        target: The PNG to write.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine
    from matplotlib.ticker import FormatStrFormatter

    picture = Figure(figsize=(8.5, 3.8), layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.08))
    left, right = picture.subplots(1, 2)
    slopes = [row.median("slope") for row in tables["scaling-slopes"].rows]
    _paint(left, tables["scaling-interactions"], ("interactions", "epoch_s"), slopes[0])
    _name(left, "An epoch of bpr", "interactions", "processor seconds")
    _paint(right, tables["scaling-items"], ("items", "step_ms"), slopes[2])
    _name(right, "A step of 2,048 interactions", "items in the catalogue", "processor milliseconds")
    right.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    right.yaxis.set_minor_formatter(FormatStrFormatter("%g"))
    picture.savefig(target, dpi=120)


def _paint(place: Axes, table: Table, keys: tuple[str, str], slope: float | None) -> None:
    points = [(row.median(keys[0]), row.median(keys[1])) for row in table.rows if not row.error]
    found = [(x, y) for x, y in points if x and y]
    x, y = zip(*found, strict=True)
    exponent = 1.0 if keys[0] == "interactions" else 0.0
    place.loglog(x, [y[0] * (value / x[0]) ** exponent for value in x], "--", color=NEUTRAL, linewidth=1)
    place.loglog(x, y, "o-", color=COLOURS[0], markersize=6, linewidth=1.5)
    label = "linear" if exponent else "independent"
    where = "" if exponent else f" from {BY_ROW:,} items on"
    said = f"slope {slope:.2f}{where} (dashed: {label})" if slope is not None else f"dashed: {label}"
    place.text(0, 1.02, said, transform=place.transAxes, fontsize=9)
    place.grid(color=NEUTRAL, alpha=GRID_ALPHA, linewidth=0.8)
    place.tick_params(length=0, which="both")
    place.spines[:].set_visible(False)


def _name(place: Axes, title: str, x: str, y: str) -> None:
    place.set(xlabel=x, ylabel=y)
    place.set_title(title, loc="left", fontweight="bold", fontsize=11, pad=20)
