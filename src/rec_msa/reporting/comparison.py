"""The figure that compares attacks with references: a panel for each target, interactive and as a picture.

Both renderers draw the same panels and marks: what is shown is decided once, only how it is drawn stands twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rec_msa.reporting.names import GROUP_LABELS, number
from rec_msa.reporting.panels import Panel, Row, panels_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture
    from plotly.graph_objects import Figure

# Colours of Okabe and Ito's, which colour-blind people tell apart; these stand out on white and on black.
_ATTACK_COLOUR, _REFERENCE_COLOUR, _NEUTRAL = "#0072B2", "#D55E00", "#808080"
_SIZES = {"heldout": 9, "queried": 12}  # where both groups agree, the ring is seen around the dot
_TITLE = "Agreement with the target"
_TICKS = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
_RANGE = (-0.02, 1.16)
_VALUES_AT = 1.05
_COLUMNS = 3


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
    heads = [f"<b>{panel.where}</b><br><sup>{_note(panel, '<br>')}</sup>" for panel in panels]
    figure = make_subplots(
        rows=n_rows,
        cols=n_columns,
        subplot_titles=None if alone else heads,
        horizontal_spacing=0.5 / n_columns,
        vertical_spacing=170 / _height(panels) if n_rows > 1 else None,
    )
    for place, panel in enumerate(panels):
        _draw_panel(figure, panel, row=place // n_columns + 1, col=place % n_columns + 1)
    _draw_legend(figure)
    title = f"<b>{_headline(panels[0])}</b><br><sup>{_note(panels[0], '; ')}</sup>" if alone else f"<b>{_TITLE}</b>"
    figure.update_annotations(font_size=14)
    figure.update_layout(
        template="none",
        title={"text": title, "x": 0, "xref": "paper", "xanchor": "left", "font": {"size": 17}},
        height=_height(panels),
        margin={"l": 190, "r": 20, "t": 80 if alone else 130, "b": 90},
        legend={"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"},
        paper_bgcolor="rgba(0, 0, 0, 0)",
        plot_bgcolor="rgba(0, 0, 0, 0)",
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

    panels = panels_of(agreement)
    n_rows, n_columns = _grid(panels)
    alone = len(panels) == 1
    picture = Picture(figsize=(8.5 if n_columns == 1 else 5.5 * n_columns, _height(panels) / 90), layout="constrained")
    axes = list(picture.subplots(n_rows, n_columns, squeeze=False).flat)
    for panel, place in zip(panels, axes, strict=False):
        _paint_panel(place, panel, _headline(panel) if alone else panel.where)
    for unused in axes[len(panels) :]:
        unused.set_axis_off()
    if not alone:
        picture.suptitle(_TITLE, fontweight="bold")
    _paint_legend(picture)
    return picture


def _grid(panels: list[Panel]) -> tuple[int, int]:
    n_columns = min(_COLUMNS, len(panels))
    return -(-len(panels) // n_columns), n_columns


def _height(panels: list[Panel]) -> int:
    """Returns the height in pixels that leaves each line its room."""
    n_rows, _ = _grid(panels)
    lines = max(len(panel.lines) for panel in panels)
    return n_rows * (24 * lines + 150) + 60


def _headline(panel: Panel) -> str:
    return f"{panel.where}: agreement at {panel.k}"


def _note(panel: Panel, separator: str) -> str:
    return separator.join([panel.users, f"lines: {panel.intervals}", *panel.remarks])


def _axis_title(panel: Panel) -> str:
    return f"share of the target's {panel.k} items that are repeated"


def _labels(panel: Panel) -> list[tuple[str, bool]]:
    """Returns what stands beside each line, and whether it is a heading."""
    return [(line, True) if isinstance(line, str) else (line.label, False) for line in panel.lines]


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
        f"{estimate.n_users} {GROUP_LABELS[group]}",
        f"{row.calls} calls to the target",
    ]
    return "<br>".join(lines)


def _draw_panel(figure: Figure, panel: Panel, row: int, col: int) -> None:
    from plotly.graph_objects import Scatter

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
            style = {"mode": "text", "textposition": "middle right", "hoverinfo": "skip", "showlegend": False}
            figure.add_trace(Scatter(**values, **style, textfont={"color": marks.colour}), row=row, col=col)
    labels = [f"<b>{label}</b>" if heading else label for label, heading in _labels(panel)]
    grid = {"showgrid": True, "gridcolor": "rgba(128, 128, 128, 0.25)", "zeroline": False}
    title = {"text": _axis_title(panel), "font": {"size": 13}}
    figure.update_xaxes(range=_RANGE, tickvals=_TICKS, title=title, row=row, col=col, **grid)
    places = list(range(len(labels)))
    bottom_up = [len(labels) - 0.4, -0.6]
    figure.update_yaxes(range=bottom_up, tickvals=places, ticktext=labels, row=row, col=col, **grid)


def _draw_legend(figure: Figure) -> None:
    from plotly.graph_objects import Scatter

    for group, label in GROUP_LABELS.items():
        marker = _marker(group, _NEUTRAL)
        figure.add_trace(Scatter(x=[None], y=[None], mode="markers", marker=marker, name=label, legendgroup=group))


def _marker(group: str, colour: str) -> dict[str, object]:
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
    labels = _labels(panel)
    place.set_yticks(range(len(labels)), [label for label, _ in labels])
    for tick, (_, heading) in zip(place.get_yticklabels(), labels, strict=True):
        tick.set_fontweight("bold" if heading else "normal")
    place.set_ylim(len(labels) - 0.4, -0.6)
    place.set_xlim(*_RANGE)
    place.set_xticks(_TICKS)
    place.set_xlabel(_axis_title(panel))
    place.grid(color=_NEUTRAL, alpha=0.25)
    place.set_axisbelow(True)
    place.tick_params(length=0)
    place.spines[:].set_visible(False)
    note = _note(panel, "\n")
    place.set_title(title, loc="left", fontweight="bold", fontsize=11, pad=10 + 12 * (note.count("\n") + 1))
    place.annotate(note, (0, 1), (0, 6), "axes fraction", "offset points", fontsize=9, linespacing=1.3)


def _paint_legend(picture: Picture) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], label=label, **_look(group, _NEUTRAL)) for group, label in GROUP_LABELS.items()]
    picture.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)


def _look(group: str, colour: str) -> dict[str, object]:
    inside = colour if group == "heldout" else "none"
    size = 0.75 * _SIZES[group]
    return {"linestyle": "none", "marker": "o", "color": colour, "markerfacecolor": inside, "markersize": size}
