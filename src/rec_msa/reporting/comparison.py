"""The figure that compares attacks with references: a panel for each target, interactive and as a picture.

Both renderers draw the same panels and marks: what is shown is decided once, only how it is drawn stands twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rec_msa.defenses.settings import NO_DEFENSE
from rec_msa.reporting.frames import headed
from rec_msa.reporting.looks import CLEAR, COLOURS, GRID, GRID_ALPHA, LEGEND_BELOW, NEUTRAL
from rec_msa.reporting.names import GROUP_LABELS, number, span
from rec_msa.reporting.panels import Panel, Row, intervals_text, panels_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture
    from plotly.graph_objects import Figure

_ATTACK_COLOUR, _REFERENCE_COLOUR = COLOURS[:2]
_SIZES = {"heldout": 9, "queried": 12}  # where both groups agree, the ring is seen around the dot
_TICKS = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
_RANGE = (-0.02, 1.2)
_VALUES_AT = 1.05
_VALUES_ARE = "held-out"
_COLUMNS = 3
_TEXT = {"mode": "text", "textposition": "middle right", "hoverinfo": "skip", "showlegend": False, "cliponaxis": False}


@dataclass(frozen=True)
class _Marks:
    """What one group of users scores, for the attacks or for the references of a panel.

    Attributes:
        group: ``heldout``, drawn as dots with intervals, or ``queried``, drawn as rings.
        colour: The colour of attacks or of references.
        y: Lines of the panel, counted from the top ``[n]``.
        x: Agreement ``[n]``.
        below: How far the interval reaches below x ``[n]``.
        above: How far it reaches above x ``[n]``.
        details: What is read on pointing at a mark ``[n]``.
    """

    group: str
    colour: str
    y: list[int]
    x: list[float]
    below: list[float]
    above: list[float]
    details: list[str]

    @property
    def filled(self) -> bool:
        """Whether these are the figures that count, drawn as dots with intervals and printed values."""
        return self.group == "heldout"


def comparison_figure(agreement: pd.DataFrame) -> Figure:
    """Draws attacks beside references, interactively.

    Args:
        agreement: Rows of one or several cells, with the columns of ``rec_msa.evaluation.results``.

    Returns:
        A figure with a transparent ground and no text colour of its own, so that it takes on a viewer's theme.

    Raises:
        DataError: If a column is missing or there is no row.
    """
    from plotly.subplots import make_subplots

    panels = panels_of(agreement)
    n_rows, n_columns = _grid(panels)
    alone = len(panels) == 1
    heads = [headed(panel.where, _note(panel, "<br>")) for panel in panels]
    figure = make_subplots(
        rows=n_rows,
        cols=n_columns,
        subplot_titles=None if alone else heads,
        horizontal_spacing=0.5 / n_columns,
        vertical_spacing=200 / _height(panels) if n_rows > 1 else None,
    )
    for place, panel in enumerate(panels):
        _draw_panel(figure, panel, row=place // n_columns + 1, col=place % n_columns + 1)
    _draw_legend(figure)
    for head, axis in zip(figure.layout.annotations, figure.select_xaxes(), strict=False):
        head.update(x=axis.domain[0], xanchor="left", align="left", font_size=14)
    figure.update_layout(
        title=headed(_headline(panels[0]), _note(panels[0], "; ")) if alone else None,
        title_x=0,
        title_xref="paper",
        height=_height(panels),
        margin={"l": 190, "r": 20, "t": 80, "b": 90},
        legend=LEGEND_BELOW,
        **CLEAR,
    )
    return figure


def comparison_picture(agreement: pd.DataFrame) -> Picture:
    """Draws attacks beside references as a picture, without pyplot and its global state.

    Args:
        agreement: Rows of one or several cells, with the columns of ``rec_msa.evaluation.results``.

    Raises:
        DataError: If a column is missing or there is no row.
    """
    from matplotlib.figure import Figure as Picture
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    panels = panels_of(agreement)
    n_rows, n_columns = _grid(panels)
    alone = len(panels) == 1
    width = 8.5 if n_columns == 1 else 5.5 * n_columns
    picture = Picture(figsize=(width, _height(panels) / 90), layout=ConstrainedLayoutEngine(h_pad=0.12))
    axes = list(picture.subplots(n_rows, n_columns, squeeze=False).flat)
    for panel, place in zip(panels, axes, strict=False):
        _paint_panel(place, panel, _headline(panel) if alone else panel.where)
    for unused in axes[len(panels) :]:
        unused.set_axis_off()
    _paint_legend(picture)
    return picture


def _grid(panels: list[Panel]) -> tuple[int, int]:
    n_columns = min(_COLUMNS, len(panels))
    return -(-len(panels) // n_columns), n_columns


def _height(panels: list[Panel]) -> int:
    """Returns the height in pixels that leaves each line its room."""
    n_rows, _ = _grid(panels)
    lines = max(len(panel.lines) for panel in panels)
    return n_rows * (24 * lines + 180) + 60


def _headline(panel: Panel) -> str:
    return f"{panel.where}: agreement at {panel.k}"


def _note(panel: Panel, separator: str) -> str:
    return separator.join([panel.users, f"lines: {intervals_text([panel])}"])


def _axis_title(panel: Panel) -> str:
    whose = "target's" if panel.defense == NO_DEFENSE else "undefended"
    return f"repeated share of the {whose} {panel.k} items"


def _labels(panel: Panel) -> list[tuple[str, bool]]:
    """Returns what stands beside each line, and whether it is a heading."""
    return [(line, True) if isinstance(line, str) else (line.label, False) for line in panel.lines]


def _bottom_up(panel: Panel) -> tuple[float, float]:
    """Returns the range of the lines' axis, which has the first line on top."""
    return len(panel.lines) - 0.4, -0.6


def _marks(panel: Panel) -> list[_Marks]:
    """Returns the marks of attacks and references, queried users first, so that dots lie on rings."""
    marks = []
    for group in ("queried", "heldout"):
        for is_reference, colour in ((False, _ATTACK_COLOUR), (True, _REFERENCE_COLOUR)):
            placed = [
                (place, line, line.groups[group])
                for place, line in enumerate(panel.lines)
                if isinstance(line, Row) and line.is_reference == is_reference and group in line.groups
            ]
            found = [estimate for _, _, estimate in placed]
            marks.append(
                _Marks(
                    group,
                    colour,
                    y=[place for place, _, _ in placed],
                    x=[estimate.value for estimate in found],
                    below=[estimate.value - estimate.low for estimate in found],
                    above=[estimate.high - estimate.value for estimate in found],
                    details=[_details(row, group) for _, row, _ in placed],
                )
            )
    return [mark for mark in marks if mark.x]


def _details(row: Row, group: str) -> str:
    estimate = row.groups[group]
    clone = f", clone {row.clone}" if row.clone and not row.is_reference else ""
    lines = [
        f"<b>{row.label}</b>{clone}",
        f"{number(estimate.value)}, 95 % interval {number(estimate.low)} to {number(estimate.high)}",
        f"{span(estimate.n_users)} {GROUP_LABELS[group]}",
        f"{row.calls} calls to the target",
    ]
    return "<br>".join(lines)


def _draw_panel(figure: Figure, panel: Panel, row: int, col: int) -> None:
    from plotly.graph_objects import Scatter

    _draw_lines(figure, panel, row, col)
    for marks in _marks(panel):
        errors = {"type": "data", "symmetric": False, "array": marks.above, "arrayminus": marks.below, "width": 0}
        trace = Scatter(
            x=marks.x,
            y=marks.y,
            mode="markers",
            marker=_marker(marks.group, marks.colour),
            error_x=errors | {"color": marks.colour, "thickness": 2} if marks.filled else None,
            customdata=marks.details,
            hovertemplate="%{customdata}<extra></extra>",
            legendgroup=marks.group,
            showlegend=False,
        )
        figure.add_trace(trace, row=row, col=col)
        if marks.filled:
            values = {"x": [_VALUES_AT] * len(marks.x), "y": marks.y, "text": [number(value) for value in marks.x]}
            figure.add_trace(Scatter(**values, **_TEXT, textfont={"color": marks.colour, "size": 11}), row=row, col=col)
    labels = [f"<b>{label}</b>" if heading else label for label, heading in _labels(panel)]
    title = {"text": _axis_title(panel), "font": {"size": 13}, "standoff": 8}
    x_ticks = {"tickvals": _TICKS, "tickformat": ".1f", "gridcolor": GRID}
    figure.update_xaxes(range=_RANGE, zeroline=False, title=title, row=row, col=col, **x_ticks)
    y_ticks = {"tickvals": list(range(len(labels))), "ticktext": labels, "showgrid": False}
    figure.update_yaxes(range=_bottom_up(panel), zeroline=False, row=row, col=col, **y_ticks)


def _draw_lines(figure: Figure, panel: Panel, row: int, col: int) -> None:
    """Leads the eye from each label to its marks, and says what the printed values are."""
    from plotly.graph_objects import Scatter

    places = [place for place, (_, heading) in enumerate(_labels(panel)) if not heading]
    x, y = [0, 1, None] * len(places), [end for place in places for end in (place, place, None)]
    line = {"color": GRID, "width": 1}
    figure.add_trace(Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False), row=row, col=col)
    figure.add_trace(Scatter(x=[_VALUES_AT], y=[0], text=[_VALUES_ARE], **_TEXT), row=row, col=col)


def _draw_legend(figure: Figure) -> None:
    from plotly.graph_objects import Scatter

    for group, label in GROUP_LABELS.items():
        marker = _marker(group, NEUTRAL)
        figure.add_trace(Scatter(x=[None], y=[None], mode="markers", marker=marker, name=label, legendgroup=group))


def _marker(group: str, colour: str) -> dict[str, Any]:
    symbol = "circle" if group == "heldout" else "circle-open"
    return {"symbol": symbol, "color": colour, "size": _SIZES[group], "line": {"width": 2 * (group == "queried")}}


def _paint_panel(place: Axes, panel: Panel, title: str) -> None:
    for marks in _marks(panel):
        look = _look(marks.group, marks.colour)
        if marks.filled:
            place.errorbar(marks.x, marks.y, xerr=[marks.below, marks.above], elinewidth=2, **look)
            for y, value in zip(marks.y, marks.x, strict=True):
                place.text(_VALUES_AT, y, number(value), color=marks.colour, va="center", fontsize=9)
        else:
            place.plot(marks.x, marks.y, **look)
    place.text(_VALUES_AT, 0, _VALUES_ARE, va="center", fontsize=9)
    place.set(ylim=_bottom_up(panel), xlim=_RANGE, xticks=_TICKS, xlabel=_axis_title(panel), axisbelow=True)
    place.grid(axis="x", color=NEUTRAL, alpha=GRID_ALPHA)
    place.tick_params(length=0)
    place.spines[:].set_visible(False)
    labels = _labels(panel)
    place.set_yticks(range(len(labels)), [label for label, _ in labels])
    for y, (tick, (_, heading)) in enumerate(zip(place.get_yticklabels(), labels, strict=True)):
        tick.set_fontweight("bold" if heading else "normal")
        if not heading:
            place.hlines(y, 0, 1, color=NEUTRAL, alpha=GRID_ALPHA, linewidth=0.8, zorder=0)
    note = _note(panel, "\n")
    place.set_title(title, loc="left", fontweight="bold", fontsize=11, pad=10 + 12 * (note.count("\n") + 1))
    place.annotate(note, (0, 1), (0, 6), "axes fraction", "offset points", fontsize=9, linespacing=1.3)


def _paint_legend(picture: Picture) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], label=label, **_look(group, NEUTRAL)) for group, label in GROUP_LABELS.items()]
    picture.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)


def _look(group: str, colour: str) -> dict[str, Any]:
    inside = colour if group == "heldout" else "none"
    size = 0.75 * _SIZES[group]
    return {"linestyle": "none", "marker": "o", "color": colour, "markerfacecolor": inside, "markersize": size}
