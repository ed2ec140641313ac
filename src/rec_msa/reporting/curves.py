"""Figures of curves: a grid of plots with points, intervals and levels, interactive and as a picture.

Both renderers draw the same plots: what is shown is decided once, only how it is drawn stands twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isnan
from typing import TYPE_CHECKING, Any

from rec_msa.reporting.frames import empty_picture, headed
from rec_msa.reporting.looks import CLEAR, DASHES, GRID, GRID_ALPHA, LEGEND_BELOW, NEUTRAL, SYMBOLS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture
    from plotly.graph_objects import Figure, Scatter

_BAND = 0.16
"""How much of its colour a band has."""
_PLOT_WIDTH, _PLOT_HEIGHT, _HEAD, _FOOT = 380, 330, 90, 110  # pixels


@dataclass(frozen=True)
class Curve:
    """Points that belong together.

    Attributes:
        name: What the legend says; curves of one name share an entry.
        colour: The colour.
        x: ``[n]``.
        y: ``[n]``.
        below: How far intervals reach below y ``[n]``; empty for none.
        above: How far they reach above y ``[n]``.
        labels: A short text at each point ``[n]``; empty for none.
        open: Whether points are rings, not dots.
        level: Whether it is a level to compare with: a line without points.
        band: Whether intervals are a band along the line, not a line through each point.
        symbol: The mark of a point, a key of ``SYMBOLS``.
        dash: The line, a key of ``DASHES``; that of a level is dashed where nothing is said.
    """

    name: str
    colour: str
    x: Sequence[float]
    y: Sequence[float]
    below: Sequence[float] = ()
    above: Sequence[float] = ()
    labels: Sequence[str] = ()
    open: bool = False
    level: bool = False
    band: bool = False
    symbol: str = "circle"
    dash: str = ""

    @property
    def line(self) -> str:
        """How the line is drawn, a key of ``DASHES``."""
        return self.dash or ("dash" if self.level else "solid")


@dataclass(frozen=True)
class Plot:
    """One plot of a grid.

    Attributes:
        title: What stands above it.
        x_title: What x is.
        y_title: What y is.
        curves: What is drawn.
        top: Where y ends; it begins at 0, so that plots side by side compare.
        x_ticks: Where x is marked; everywhere it fits where empty.
        x_unit: What stands behind each mark of x, as ``%``.
        x_log: Whether equal factors of x are equally far apart.
    """

    title: str
    x_title: str
    y_title: str
    curves: Sequence[Curve]
    top: float
    x_ticks: Sequence[float] = field(default=())
    x_unit: str = ""
    x_log: bool = False


def plot_figure(plot: Plot) -> Figure:
    """Draws one plot alone, interactively, without title and legend: for a page that has them beside it.

    Args:
        plot: What is drawn.

    Returns:
        A figure as wide as its place, with a transparent ground and no text colour of its own.
    """
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=1, cols=1)
    _draw_plot(figure, plot, set(), row=1, col=1)
    figure.update_layout(
        height=_PLOT_HEIGHT - 30,
        margin={"l": 52, "r": 14, "t": 10, "b": 48},
        showlegend=False,
        **CLEAR,
    )
    return figure


def curves_figure(rows: Sequence[Sequence[Plot]], title: str, note: str) -> Figure:
    """Draws a grid of plots, interactively.

    Args:
        rows: The plots of each row, the first row at least as long as the others; none for a title and a note alone.
        title: What stands above all.
        note: Who was measured and what the intervals are, below the title.

    Returns:
        A figure with a transparent ground and no text colour of its own, so that it takes on a viewer's theme.
    """
    from plotly.subplots import make_subplots

    n_rows, n_columns = max(1, len(rows)), max([1, *map(len, rows)])
    height = n_rows * _PLOT_HEIGHT + _HEAD + _FOOT
    figure = make_subplots(
        rows=n_rows,
        cols=n_columns,
        subplot_titles=[plot.title for row in rows for plot in [*row, *[_NOTHING] * (n_columns - len(row))]],
        horizontal_spacing=0.18 / n_columns,
        vertical_spacing=90 / height if n_rows > 1 else None,
    )
    named: set[str] = set()
    for place, row in enumerate(rows, start=1):
        for column, plot in enumerate(row, start=1):
            _draw_plot(figure, plot, named, row=place, col=column)
    figure.update_layout(
        title={"text": headed(title, note), "x": 0, "xref": "paper"},
        height=height,
        margin={"l": 70, "r": 20, "t": _HEAD + 20, "b": _FOOT},
        legend=LEGEND_BELOW,
        **CLEAR,
    )
    figure.update_annotations(font_size=13)
    return figure


def curves_picture(rows: Sequence[Sequence[Plot]], title: str, note: str) -> Picture:
    """Draws a grid of plots as a picture.

    Args:
        rows: The plots of each row; none for a title and a note alone.
        title: What stands above all.
        note: Who was measured and what the intervals are, below the title.
    """
    n_rows, n_columns = max(1, len(rows)), max([1, *map(len, rows)])
    size = (n_columns * _PLOT_WIDTH / 90, (n_rows * _PLOT_HEIGHT + _HEAD) / 90)
    picture, places = empty_picture(size, n_rows, n_columns, f"{title}\n{note}")
    for drawn, row in zip(places, rows, strict=False):
        for place, plot in zip(drawn, row, strict=False):
            place.set_axis_on()
            _paint_plot(place, plot)
    found = {
        label: handle for place in places.flat for handle, label in zip(*place.get_legend_handles_labels(), strict=True)
    }
    columns = min(max(1, len(found)), 2 * n_columns)
    picture.legend(found.values(), found.keys(), loc="outside lower center", ncols=columns, frameon=False, fontsize=9)
    return picture


_NOTHING = Plot("", "", "", (), 1)


def _draw_plot(figure: Figure, plot: Plot, named: set[str], row: int, col: int) -> None:
    from plotly.graph_objects import Scatter

    for curve in plot.curves:
        if curve.band and curve.above:
            figure.add_trace(_band(curve), row=row, col=col)
        trace = Scatter(
            x=list(curve.x),
            y=list(curve.y),
            mode="lines" if curve.level else "lines+markers+text" if curve.labels else "lines+markers",
            text=list(curve.labels) or [""] * len(curve.x),
            customdata=_intervals(curve),
            textposition="top center",
            textfont={"size": 10, "color": curve.colour},
            line={"color": curve.colour, "width": 1.5 if curve.level else 2, "dash": curve.line},
            marker={"symbol": curve.symbol + "-open" * curve.open, "color": curve.colour, "size": 8},
            error_y=None if curve.band else _errors(curve),
            hovertemplate=_details(curve, plot),
            name=curve.name,
            legendgroup=curve.name,
            showlegend=curve.name not in named,
        )
        named.add(curve.name)
        figure.add_trace(trace, row=row, col=col)
    _draw_axes(figure, plot, row, col)


def _draw_axes(figure: Figure, plot: Plot, row: int, col: int) -> None:
    texts = [f"{tick:g}{plot.x_unit}" for tick in plot.x_ticks]
    ticks: dict[str, Any] = {"tickvals": list(plot.x_ticks), "ticktext": texts} if texts else {}
    ticks |= {"type": "log"} if plot.x_log else {}
    axis = {"zeroline": False, "gridcolor": GRID}
    titles = [{"text": text, "font": {"size": 12}, "standoff": 6} for text in (plot.x_title, plot.y_title)]
    figure.update_xaxes(title=titles[0], row=row, col=col, **axis, **ticks)
    figure.update_yaxes(title=titles[1], range=[0, plot.top], row=row, col=col, **axis)


def _band(curve: Curve) -> Scatter:
    from plotly.graph_objects import Scatter

    low, high = _ends(curve)
    return Scatter(
        x=[*curve.x, *reversed(curve.x)],
        y=[*high, *reversed(low)],
        fill="toself",
        fillcolor=f"rgba({', '.join(str(int(curve.colour[at : at + 2], 16)) for at in (1, 3, 5))}, {_BAND})",
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        legendgroup=curve.name,
        showlegend=False,
    )


def _ends(curve: Curve) -> tuple[list[float], list[float]]:
    """Where the intervals begin and end."""
    low = [y - below for y, below in zip(curve.y, curve.below, strict=True)]
    return low, [y + above for y, above in zip(curve.y, curve.above, strict=True)]


def _intervals(curve: Curve) -> list[str]:
    """The interval of each point in words; empty where there is none."""
    if not curve.above:
        return [""] * len(curve.x)
    return [
        "" if isnan(low) else f"<br>95 % interval {low:.3f} to {high:.3f}"
        for low, high in zip(*_ends(curve), strict=True)
    ]


def _errors(curve: Curve) -> dict[str, Any] | None:
    if not curve.above:
        return None
    ends = {"array": list(curve.above), "arrayminus": list(curve.below)}
    return {"type": "data", "symmetric": False, **ends, "width": 0, "thickness": 1, "color": curve.colour}


def _details(curve: Curve, plot: Plot) -> str:
    x = f"{plot.x_title} %{{x:.3~g}}{plot.x_unit}"
    return f"<b>{curve.name}</b> %{{text}}<br>{x}<br>{plot.y_title} %{{y:.3f}}%{{customdata}}<extra></extra>"


def _paint_plot(place: Axes, plot: Plot) -> None:
    for curve in plot.curves:
        _paint_curve(place, curve)
    place.set_title(plot.title, loc="left", fontsize=10)
    place.set(xlabel=plot.x_title, ylabel=plot.y_title, axisbelow=True)
    if plot.x_log:
        place.set_xscale("log")
        place.minorticks_off()
    if plot.x_ticks:
        place.set_xticks(plot.x_ticks, [f"{tick:g}{plot.x_unit}" for tick in plot.x_ticks])
    place.set_ylim(0, plot.top)
    place.grid(color=NEUTRAL, alpha=GRID_ALPHA)
    place.tick_params(length=0)
    place.spines[:].set_visible(False)


def _paint_curve(place: Axes, curve: Curve) -> None:
    style: dict[str, Any] = {"color": curve.colour, "label": curve.name, "linestyle": DASHES[curve.line]}
    if curve.band and curve.above:
        place.fill_between(curve.x, *_ends(curve), color=curve.colour, alpha=_BAND, linewidth=0)
    if curve.level:
        place.plot(curve.x, curve.y, linewidth=1.5, **style)
        return
    marker: dict[str, Any] = {
        "marker": SYMBOLS[curve.symbol],
        "markersize": 5.5,
        "markerfacecolor": "white" if curve.open else curve.colour,
    }
    errors = [list(curve.below), list(curve.above)] if curve.above and not curve.band else None
    place.errorbar(curve.x, curve.y, yerr=errors, elinewidth=1, linewidth=1.5, **marker, **style)
    for x, y, label in zip(curve.x, curve.y, curve.labels, strict=bool(curve.labels)):
        place.annotate(label, (x, y), (4, 4), "data", "offset points", fontsize=8, color=curve.colour)
