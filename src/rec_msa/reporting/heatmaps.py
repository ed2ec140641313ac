"""Figures of heatmaps: shares from 0 up on one scale of colours, with each figure written in its field."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan, nan
from typing import TYPE_CHECKING

from rec_msa.reporting.frames import empty_picture, headed
from rec_msa.reporting.looks import CLEAR, COLOURS
from rec_msa.reporting.markdown import figure as figure_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture
    from plotly.graph_objects import Figure, Heatmap, Scatter

_SCALE = ("#FFF8E6", COLOURS[4])
"""From nearly white to Okabe and Ito's orange: one hue, which reads in grey, and dark text on all of it."""
_INK = "#1c1d1f"
_WIDTH, _HEIGHT, _HEAD = 290, 290, 100  # pixels


@dataclass(frozen=True)
class Field:
    """One heatmap of a row.

    Attributes:
        title: What stands above it.
        x_title: What the columns are.
        y_title: What the rows are.
        x: Names of the columns ``[n_x]``.
        y: Names of the rows, the first on top ``[n_y]``.
        values: ``[n_y, n_x]``; NaN where nothing was measured.
        details: What is read on pointing at a field ``[n_y, n_x]``.
    """

    title: str
    x_title: str
    y_title: str
    x: Sequence[str]
    y: Sequence[str]
    values: Sequence[Sequence[float]]
    details: Sequence[Sequence[str]]


def heatmap_figure(shown: Field, ends: tuple[float, float]) -> Figure:
    """Draws one heatmap alone, interactively, without a title: for a page that has it beside it.

    Args:
        shown: What is drawn.
        ends: The values at which the colours begin and end.
    """
    from plotly.graph_objects import Figure

    figure = Figure([_trace(shown, ends), _gaps(shown)])
    figure.update_xaxes(title={"text": shown.x_title, "font": {"size": 12}, "standoff": 6}, showgrid=False)
    figure.update_yaxes(title={"text": shown.y_title, "font": {"size": 12}, "standoff": 6})
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_layout(height=_HEIGHT, margin={"l": 62, "r": 10, "t": 10, "b": 48}, **CLEAR)
    return figure


def heatmaps_figure(row: Sequence[Field], title: str, note: str) -> Figure:
    """Draws heatmaps side by side, interactively; none for a title and a note alone."""
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=1, cols=max(1, len(row)), subplot_titles=[shown.title for shown in row] or None)
    for column, shown in enumerate(row, start=1):
        for trace in (_trace(shown, ends_of(row)), _gaps(shown)):
            figure.add_trace(trace, row=1, col=column)
        figure.update_xaxes(title={"text": shown.x_title, "font": {"size": 12}}, row=1, col=column)
        figure.update_yaxes(title={"text": shown.y_title, "font": {"size": 12}}, row=1, col=column)
    figure.update_xaxes(showgrid=False)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_layout(
        title={"text": headed(title, note), "x": 0, "xref": "paper"},
        height=_HEIGHT + 2 * _HEAD,
        margin={"l": 70, "r": 20, "t": _HEAD + 20, "b": 60},
        **CLEAR,
    )
    figure.update_annotations(font_size=13)
    return figure


def heatmaps_picture(row: Sequence[Field], title: str, note: str) -> Picture:
    """Draws the same as a picture."""
    columns = max(1, len(row))
    size = (columns * _WIDTH / 90, (_HEIGHT + _HEAD) / 90)
    picture, places = empty_picture(size, 1, columns, f"{title}\n{note}")
    for place, shown in zip(places[0], row, strict=False):
        place.set_axis_on()
        _paint(place, shown, ends_of(row))
    return picture


def ends_of(row: Sequence[Field]) -> tuple[float, float]:
    """Returns the lowest and the highest value of some heatmaps: where their scale of colours begins and ends."""
    values = [value for shown in row for line in shown.values for value in line if not isnan(value)]
    return min(values, default=0.0), max(values, default=1.0)


def _trace(shown: Field, ends: tuple[float, float]) -> Heatmap:
    from plotly.graph_objects import Heatmap

    return Heatmap(
        x=list(shown.x),
        y=list(shown.y),
        z=[[None if isnan(value) else value for value in line] for line in shown.values],
        text=[["" if isnan(value) else figure_text(value) for value in line] for line in shown.values],
        texttemplate="%{text}",
        textfont={"color": _INK, "size": 13},
        customdata=[list(line) for line in shown.details],
        hovertemplate="%{customdata}<extra></extra>",
        hoverongaps=False,
        zmin=ends[0],
        zmax=ends[1],
        colorscale=list(_SCALE),
        showscale=False,
        xgap=2,
        ygap=2,
    )


def _gaps(shown: Field) -> Scatter:
    """A dash where nothing was measured, in the colour of the text around."""
    from plotly.graph_objects import Scatter

    places = [
        (column, row)
        for row, line in zip(shown.y, shown.values, strict=True)
        for column, value in zip(shown.x, line, strict=True)
        if isnan(value)
    ]
    return Scatter(
        x=[column for column, _ in places],
        y=[row for _, row in places],
        text=[figure_text(nan)] * len(places),
        mode="text",
        hovertemplate="not measured<extra></extra>",
        showlegend=False,
    )


def _paint(place: Axes, shown: Field, ends: tuple[float, float]) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    scale = LinearSegmentedColormap.from_list("shares", list(_SCALE))
    place.imshow(shown.values, cmap=scale, vmin=ends[0], vmax=ends[1], aspect="auto")
    for row, line in enumerate(shown.values):
        for column, value in enumerate(line):
            place.text(column, row, figure_text(value), ha="center", va="center", color=_INK, fontsize=10)
    place.set_title(shown.title, loc="left", fontsize=10)
    place.set_xticks(range(len(shown.x)), list(shown.x))
    place.set_yticks(range(len(shown.y)), list(shown.y))
    place.set(xlabel=shown.x_title, ylabel=shown.y_title)
    place.tick_params(length=0)
    place.spines[:].set_visible(False)
