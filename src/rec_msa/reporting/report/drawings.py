"""What figures of the report are drawn from: parts for the HTML page, a picture for Markdown, one for kedro viz."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from rec_msa.reporting.comparison import comparison_figure, comparison_picture
from rec_msa.reporting.curves import Curve, Plot, curves_figure, curves_picture, plot_figure
from rec_msa.reporting.heatmaps import Field, ends_of, heatmap_figure, heatmaps_figure, heatmaps_picture
from rec_msa.reporting.looks import NEUTRAL
from rec_msa.reporting.markdown import figure as figure_text
from rec_msa.reporting.names import GROUP_LABELS, with_words
from rec_msa.reporting.panels import panels_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.figure import Figure as Picture
    from plotly.graph_objects import Figure


@dataclass(frozen=True)
class Part:
    """One plot of a figure on the page.

    Attributes:
        title: What stands above it.
        described: What it shows, in words.
        figure: What is drawn.
    """

    title: str
    described: str
    figure: Figure


@dataclass(frozen=True)
class Entry:
    """An entry of a legend.

    Attributes:
        name: What it says.
        group: The ``legendgroup`` of its traces.
        colour: Its colour.
        line: How its line is drawn; empty for none.
        symbol: Its mark; empty for none.
        open: Whether the mark is not filled.
    """

    name: str
    group: str
    colour: str
    line: str
    symbol: str
    open: bool


class Drawing(Protocol):
    """A figure, not drawn yet."""

    @property
    def size(self) -> str:
        """How wide its parts are beside others': ``wide``, ``half``, ``narrow``, or empty for none of these."""
        ...

    def parts(self) -> list[Part]:
        """Its plots, each alone."""
        ...

    def legend(self) -> list[Entry]:
        """Who is who; nobody where the plots say so."""
        ...

    def picture(self) -> Picture:
        """All of it as a picture."""
        ...

    def preview(self) -> Figure:
        """All of it, interactively."""
        ...


@dataclass(frozen=True)
class Curves:
    """A grid of plots.

    Attributes:
        rows: The plots of each row.
        title: What stands above all.
        note: Who was measured, and what the intervals are.
    """

    rows: Sequence[Sequence[Plot]]
    title: str
    note: str
    size: str = ""

    def parts(self) -> list[Part]:
        """Its plots, each alone."""
        return [Part(plot.title, _described(plot), plot_figure(plot)) for row in self.rows for plot in row]

    def legend(self) -> list[Entry]:
        """An entry for each name."""
        curves = {curve.name: curve for row in self.rows for plot in row for curve in plot.curves}
        return [
            Entry(with_words(name), name, one.colour, one.line, "" if one.level else one.symbol, one.open)
            for name, one in curves.items()
        ]

    def picture(self) -> Picture:
        """All of it as a picture."""
        return curves_picture(self.rows, self.title, self.note)

    def preview(self) -> Figure:
        """All of it, interactively."""
        return curves_figure(self.rows, self.title, self.note)


@dataclass(frozen=True)
class Heatmaps:
    """Heatmaps side by side, on one scale of colours.

    Attributes:
        row: The heatmaps.
        title: What stands above all.
        note: Who was measured.
    """

    row: Sequence[Field]
    title: str
    note: str
    size: str = "narrow"

    def parts(self) -> list[Part]:
        """Its heatmaps, each alone."""
        ends = ends_of(self.row)
        return [Part(shown.title, _fields(shown), heatmap_figure(shown, ends)) for shown in self.row]

    def legend(self) -> list[Entry]:
        """None: each field has its figure in it."""
        return []

    def picture(self) -> Picture:
        """All of it as a picture."""
        return heatmaps_picture(self.row, self.title, self.note)

    def preview(self) -> Figure:
        """All of it, interactively."""
        return heatmaps_figure(self.row, self.title, self.note)


@dataclass(frozen=True)
class Comparison:
    """Attacks beside references, a plot for each target.

    Attributes:
        agreement: Rows of the cells to show, at least one.
    """

    agreement: pd.DataFrame
    size: str = "wide"

    def parts(self) -> list[Part]:
        """A plot for each target, without its head, which the page has."""
        found = []
        for (_, _), own in self.agreement.groupby(["dataset", "target"]):
            [panel] = panels_of(own)
            figure = comparison_figure(own)
            layout = {"l": 150, "r": 34, "t": 10, "b": 50}
            figure.update_layout(title=None, showlegend=False, margin=layout, height=figure.layout.height - 110)
            best = [row for row in panel.rows if "heldout" in row.groups]
            values = ", ".join(f"{row.label} {figure_text(row.groups['heldout'].value)}" for row in best)
            found.append(Part(panel.where, f"Agreement of held-out users: {values}.", figure))
        return found

    def legend(self) -> list[Entry]:
        """Held-out users and queried ones."""
        return [Entry(label, group, NEUTRAL, "", "circle", group != "heldout") for group, label in GROUP_LABELS.items()]

    def picture(self) -> Picture:
        """All of it as a picture."""
        return comparison_picture(self.agreement)

    def preview(self) -> Figure:
        """All of it, interactively."""
        return comparison_figure(self.agreement)


def _described(plot: Plot) -> str:
    """Each curve from its first point to its last, in words."""
    return f"{plot.y_title} over {plot.x_title}. " + " ".join(_course(curve, plot) for curve in plot.curves)


def _course(curve: Curve, plot: Plot) -> str:
    if not len(curve.y):
        return f"{curve.name}: not measured."
    first, last = (f"{figure_text(curve.y[at])} at {curve.x[at]:g}{plot.x_unit}" for at in (0, -1))
    if curve.level or len(curve.y) == 1:
        return f"{curve.name}: {figure_text(curve.y[0])}."
    return f"{curve.name}: from {first} to {last}."


def _fields(shown: Field) -> str:
    lines = [
        f"{shown.y_title} {row}: "
        + ", ".join(f"{column} {figure_text(value)}" for column, value in zip(shown.x, line, strict=True))
        for row, line in zip(shown.y, shown.values, strict=True)
    ]
    return f"Columns are the {shown.x_title}. " + "; ".join(lines) + "."
