"""How figures are drawn: one description of a plot is painted by matplotlib, as SVG for the page and as a picture."""

from __future__ import annotations

import io
import re
import textwrap
from dataclasses import dataclass, field
from math import isnan
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from rec_msa.defenses.settings import NO_DEFENSE
from rec_msa.reporting.names import GROUP_LABELS, share, span, with_words
from rec_msa.reporting.panels import Panel, Row, intervals_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

    from rec_msa.reporting.measured import Estimate

PALETTE = {
    "#0067a8": "#56a8e8",
    "#b84700": "#f0813f",
    "#00704f": "#2cc08f",
    "#a8457f": "#e08cbf",
    "#8a5f00": "#e69f00",
    "#6a4fb3": "#b7a5f2",
    "#6b6b6b": "#9a9a9a",
}
"""Colours on a light ground and, of the same hue, on a dark one; each is 4.5 times as light or dark as its ground."""
*COLOURS, NEUTRAL = PALETTE
_INK = "#1c1d1f"
ATTACK_LOOKS = {
    "ptd": (COLOURS[0], "o"),
    "ptq": (COLOURS[1], "s"),
    "pta": (COLOURS[2], "D"),
    "ptaq": (COLOURS[3], "^"),
    "qsd": (COLOURS[4], "X"),
    "random_sequences": (COLOURS[5], "v"),
}
"""The colour and the mark of each of the paper's attacks, and of the baseline of QSD, the same in every figure."""
_SCALE = ("#fff8e6", "#e69f00")
"""From nearly white to orange: one hue, which reads in grey, and dark text on all of it."""
GRID_ALPHA, _BAND = 0.25, 0.16
"""How much of their colour the grid and bands have."""
_SIZES = {"heldout": 7, "queried": 9}
"""Of dots and rings: where both groups agree, the ring is seen around the dot."""
_SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_VALUES_AT = 1.05
_HEAD_WIDTH = 45  # letters that fit above a strip; more would run into the next one
_STRIPS_IN_A_ROW = 3
_ROOM = 1.1
_LETTER, _LINE = 0.07, 0.12
"""Inches that a letter of a label is wide, and that lines are apart."""
_BESIDE = ((1, 1), (1, -1), (-1, 1), (-1, -1), (0, 1), (0, -1), (1, 0), (-1, 0))
"""Where a label may stand, seen from its point."""
_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"


class Tips:
    """What is read on pointing at what was painted, and which entry of the legend hides it."""

    def __init__(self) -> None:
        self.found: dict[str, tuple[str, list[str]]] = {}

    def add(self, artist: Artist, group: str = "", texts: Sequence[str] = ()) -> None:
        """Notes an artist's entry of the legend, and a text for each of its marks."""
        artist.set_gid(f"tip-{len(self.found)}")
        self.found[f"tip-{len(self.found)}"] = group, list(texts)


@dataclass(frozen=True)
class Entry:
    """An entry of a legend: what it says and what it hides; its line and mark in matplotlib's words, empty for none."""

    name: str
    group: str
    colour: str
    line: str
    symbol: str
    open: bool


@dataclass(frozen=True)
class Curve:
    """Points that belong together.

    Attributes:
        name: What the legend says; curves of one name share an entry.
        low: Where intervals begin ``[n]``; empty for none.
        labels: A short text at each point ``[n]``; empty for none.
        open: Whether points are rings, not dots.
        level: Whether it is a level to compare with: a line without points.
        band: Whether intervals are a band along the line, not a line through each point.
        line: The line, in matplotlib's words; empty for the usual: dashed of a level.
    """

    name: str
    colour: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    labels: Sequence[str] = ()
    open: bool = False
    level: bool = False
    band: bool = False
    symbol: str = "o"
    line: str = ""

    @classmethod
    def of(cls, name: str, colour: str, x: Sequence[float], found: Sequence[Estimate], **looks: Any) -> Curve:
        """Returns a curve of estimates with their intervals."""
        values, low, high = ([getattr(one, end) for one in found] for end in ("value", "low", "high"))
        return cls(name, colour, x, values, low, high, **looks)

    @property
    def style(self) -> str:
        """How the line is drawn."""
        return self.line or ("--" if self.level else "-")

    @property
    def entry(self) -> Entry:
        """Its entry of the legend."""
        symbol = "" if self.level else self.symbol
        return Entry(with_words(self.name), self.name, self.colour, self.style, symbol, self.open)

    def paint(self, place: Axes, tips: Tips, texts: Sequence[str]) -> None:
        """Paints it; ``texts`` are read on pointing at its points."""
        if self.band and self.high:
            band = place.fill_between(self.x, self.low, self.high, color=self.colour, alpha=_BAND, linewidth=0)
            tips.add(band, self.name)
        elif self.high:
            tips.add(place.vlines(self.x, self.low, self.high, color=self.colour, linewidth=1), self.name)
        face, marks = "none" if self.open else self.colour, {} if self.level else {"marker": self.symbol}
        look: dict[str, Any] = {"color": self.colour, "linestyle": self.style, "linewidth": 1.5, **marks}
        [line] = place.plot(self.x, self.y, markersize=5.5, markerfacecolor=face, label=self.name, **look)
        tips.add(line, self.name, texts)


@dataclass(frozen=True)
class Plot:
    """Curves over an axis. y ends at ``top`` and begins at 0, so that plots side by side compare; x may be ``log``."""

    title: str
    x_title: str
    y_title: str
    curves: Sequence[Curve]
    top: float
    x_ticks: Sequence[float] = field(default=())
    x_unit: str = ""
    inches: tuple[float, float] = (4.2, 3.6)
    log: bool = False

    @property
    def described(self) -> str:
        """Each curve from its first point to its last, in words."""
        return f"{self.y_title} over {self.x_title}. " + " ".join(map(self._course, self.curves))

    @property
    def legend(self) -> list[Entry]:
        """An entry for each curve."""
        return [curve.entry for curve in self.curves]

    def paint(self, place: Axes, tips: Tips) -> None:
        """Paints curves and axes."""
        for curve in self.curves:
            curve.paint(place, tips, self._texts(curve))
        place.set(xlabel=self.x_title, ylabel=self.y_title, axisbelow=True, ylim=(0, self.top))
        if self.log:
            place.set_xscale("log")
            place.minorticks_off()
        if self.x_ticks:
            place.set_xticks(self.x_ticks, [f"{tick:g}{self.x_unit}" for tick in self.x_ticks])
        else:
            place.locator_params(axis="x", nbins=5)
        place.grid(color=NEUTRAL, alpha=GRID_ALPHA)
        self._label(place, tips)

    def _label(self, place: Axes, tips: Tips) -> None:
        """Writes labels beside their points where there is room; who points at a mark reads all."""
        marks = [
            (x, y, curve, at) for curve in self.curves for at, (x, y) in enumerate(zip(curve.x, curve.y, strict=True))
        ]
        taken = [(*self._inches(place, x, y), 0.05) for x, y, *_ in marks]
        for x, y, curve, at in marks:
            label = curve.labels[at] if curve.labels else ""
            width, (left, low) = _LETTER * len(label), self._inches(place, x, y)
            for dx, dy in _BESIDE if label else ():
                box = left + dx * (0.06 + width / 2), low + dy * 0.11, width / 2
                if not any(abs(box[0] - x0) < box[2] + half and abs(box[1] - y0) < _LINE for x0, y0, half in taken):
                    taken.append(box)
                    look: Any = {"ha": "center", "va": "center", "fontsize": 8, "color": curve.colour}
                    offset = 72 * (box[0] - left), 72 * (box[1] - low)
                    tips.add(place.annotate(label, (x, y), offset, "data", "offset points", **look), curve.name)
                    break

    def _inches(self, place: Axes, x: float, y: float) -> tuple[float, float]:
        """Where a point lies, nearly: axes take away some of the room."""
        (left, right), (low, high) = place.get_xlim(), place.get_ylim()
        return (x - left) / (right - left) * 0.8 * self.inches[0], (y - low) / (high - low) * 0.75 * self.inches[1]

    def _texts(self, curve: Curve) -> list[str]:
        labels = [f" {label}" * bool(label) for label in curve.labels] or [""] * len(curve.x)
        ends = [(low, high) for low, high in zip(curve.low, curve.high, strict=True)] or [(float("nan"),) * 2] * len(
            curve.x
        )
        return [
            f"{curve.name}{label}\n{self.x_title} {x:.3g}{self.x_unit}\n{self.y_title} {y:.3f}"
            + ("" if isnan(low) else f"\n95 % interval {low:.3f} to {high:.3f}")
            for label, x, y, (low, high) in zip(labels, curve.x, curve.y, ends, strict=True)
        ]

    def _course(self, curve: Curve) -> str:
        if not len(curve.y):
            return f"{curve.name}: not measured."
        first, last = (f"{share(curve.y[at])} at {curve.x[at]:g}{self.x_unit}" for at in (0, -1))
        one = curve.level or len(curve.y) == 1
        return f"{curve.name}: {share(curve.y[0])}." if one else f"{curve.name}: from {first} to {last}."


@dataclass(frozen=True)
class Heatmap:
    """Shares ``[n_y, n_x]`` on one scale of colours from one end to the other, each written in its field; NaN for none.

    ``details`` are read on pointing at a field.
    """

    title: str
    x_title: str
    y_title: str
    x: Sequence[str]
    y: Sequence[str]
    values: Sequence[Sequence[float]]
    details: Sequence[Sequence[str]]
    ends: tuple[float, float]
    legend: Sequence[Entry] = ()
    inches: tuple[float, float] = (3.0, 3.0)

    @property
    def described(self) -> str:
        """Each row, in words."""
        lines = [
            f"{self.y_title} {row}: "
            + ", ".join(f"{name} {share(value)}" for name, value in zip(self.x, line, strict=True))
            for row, line in zip(self.y, self.values, strict=True)
        ]
        return f"Columns are the {self.x_title}. " + "; ".join(lines) + "."

    def paint(self, place: Axes, tips: Tips) -> None:
        """Paints a coloured field for each value, and a dash where there is none."""
        from matplotlib.colors import LinearSegmentedColormap, Normalize
        from matplotlib.patches import Rectangle

        scale, to_scale = LinearSegmentedColormap.from_list("shares", list(_SCALE)), Normalize(*self.ends)
        for row, line in enumerate(self.values):
            for column, value in enumerate(line):
                colour, ink = ("none", "black") if isnan(value) else (scale(to_scale(value)), _INK)
                drawn = place.add_patch(Rectangle((column - 0.49, row - 0.49), 0.98, 0.98, facecolor=colour))
                tips.add(drawn, texts=[self.details[row][column]])
                place.text(column, row, share(value), ha="center", va="center", color=ink)
        place.set(
            xlim=(-0.5, len(self.x) - 0.5), ylim=(len(self.y) - 0.5, -0.5), xlabel=self.x_title, ylabel=self.y_title
        )
        place.set_xticks(range(len(self.x)), list(self.x))
        place.set_yticks(range(len(self.y)), list(self.y))


@dataclass(frozen=True)
class Strip:
    """Attacks beside references on one target, the best first: dots with intervals, and rings of queried users."""

    panel: Panel

    @property
    def title(self) -> str:
        """The target and the seeds."""
        return self.panel.where

    @property
    def described(self) -> str:
        """What each has, in words."""
        rows = [row for row in self.panel.rows if "heldout" in row.groups]
        values = ", ".join(f"{row.label} {share(row.groups['heldout'].value)}" for row in rows)
        return f"Agreement of held-out users: {values}."

    @property
    def inches(self) -> tuple[float, float]:
        """As high as its lines need."""
        return 4.8, 0.9 + 0.27 * len(self.panel.lines)

    @property
    def legend(self) -> list[Entry]:
        """Held-out users and queried ones, as far as they are there."""
        known = {group for row in self.panel.rows for group in row.groups}
        labels = {group: label for group, label in GROUP_LABELS.items() if group in known}
        return [Entry(label, group, NEUTRAL, "", "o", group != "heldout") for group, label in labels.items()]

    @property
    def note(self) -> str:
        """Who was asked, and what the lines are."""
        lines = textwrap.fill(f"lines: {intervals_text([self.panel])}", _HEAD_WIDTH)
        return f"{self.panel.users}\n{lines}"

    def paint(self, place: Axes, tips: Tips) -> None:
        """Paints queried users first, so that dots lie on rings."""
        rows = [(y, line) for y, line in enumerate(self.panel.lines) if isinstance(line, Row)]
        place.hlines([y for y, _ in rows], 0, 1, color=NEUTRAL, alpha=GRID_ALPHA, linewidth=0.8, zorder=0)
        for group in ("queried", "heldout"):
            for is_reference, colour in ((False, COLOURS[0]), (True, COLOURS[1])):
                own = [(y, row) for y, row in rows if row.is_reference == is_reference and group in row.groups]
                self._paint_marks(place, tips, own, group, colour)
        place.text(_VALUES_AT, 0, "held-out", va="center", fontsize=9)
        labels = [line if isinstance(line, str) else line.label for line in self.panel.lines]
        place.set_yticks(range(len(labels)), labels)
        for line, tick in zip(self.panel.lines, place.get_yticklabels(), strict=True):
            tick.set_fontweight("bold" if isinstance(line, str) else "normal")
        whose = "target's" if self.panel.defense == NO_DEFENSE else "undefended"
        title = f"repeated share of the {whose} {self.panel.k} items"
        place.set(ylim=(len(labels) - 0.4, -0.6), xlim=(-0.02, 1.25), xticks=_SHARES, xlabel=title, axisbelow=True)
        place.grid(axis="x", color=NEUTRAL, alpha=GRID_ALPHA)

    def _paint_marks(self, place: Axes, tips: Tips, own: list[tuple[int, Row]], group: str, colour: str) -> None:
        if not own:
            return
        y, found = [at for at, _ in own], [row.groups[group] for _, row in own]
        face = colour if group == "heldout" else "none"
        look: dict[str, Any] = {"marker": "o", "markersize": _SIZES[group], "markerfacecolor": face, "color": colour}
        [marks] = place.plot([one.value for one in found], y, linestyle="none", **look)
        tips.add(marks, group, [_details(row, group) for _, row in own])
        if group == "heldout":
            lines = place.hlines(y, [one.low for one in found], [one.high for one in found], color=colour, linewidth=2)
            tips.add(lines, group)
            for at, one in zip(y, found, strict=True):
                tips.add(place.text(_VALUES_AT, at, share(one.value), va="center", fontsize=9), group)


def _details(row: Row, group: str) -> str:
    one = row.groups[group]
    clone = f", clone {row.clone}" if row.clone and not row.is_reference else ""
    figures = f"{share(one.value)}, 95 % interval {share(one.low)} to {share(one.high)}"
    return f"{row.label}{clone}\n{figures}\n{span(one.n_users)} {GROUP_LABELS[group]}\n{row.calls} calls to the target"


@dataclass(frozen=True)
class Bars:
    """Shares from nothing to all, a bar each with its figure behind it; ``marked`` are the names that stand out."""

    title: str
    x_title: str
    names: Sequence[str]
    found: Sequence[Estimate]
    marked: Sequence[str] = ()
    legend: Sequence[Entry] = ()

    @property
    def described(self) -> str:
        """Each bar, in words."""
        values = (f"{name} {share(one.value)}" for name, one in zip(self.names, self.found, strict=True))
        return f"{self.x_title.capitalize()}: {', '.join(values)}."

    @property
    def inches(self) -> tuple[float, float]:
        """As high as its bars need."""
        return 4.4, 0.7 + 0.32 * len(self.names)

    def paint(self, place: Axes, tips: Tips) -> None:
        """Paints a bar for each name, the first above."""
        for y, (name, one) in enumerate(zip(self.names, self.found, strict=True)):
            colour = COLOURS[1] if name in self.marked else NEUTRAL
            [bar] = place.barh([y], [one.value], 0.62, color=colour)
            text = f"{name}\n{share(one.value)}" + f", 95 % interval {share(one.low)} to {share(one.high)}" * (
                one.high > one.low
            )
            tips.add(bar, texts=[text])
            weight = "bold" if name in self.marked else "normal"
            place.text(one.value + 0.02, y, share(one.value), va="center", fontsize=9, fontweight=weight)
        place.set(
            xlim=(0, 1.17), ylim=(len(self.names) - 0.5, -0.5), xticks=_SHARES, xlabel=self.x_title, axisbelow=True
        )
        place.set_yticks(range(len(self.names)), list(self.names))
        place.grid(axis="x", color=NEUTRAL, alpha=GRID_ALPHA)


Shape = Plot | Heatmap | Strip | Bars


@dataclass(frozen=True)
class Part:
    """One plot on the page: its title, what it shows in words, and the drawing as SVG."""

    title: str
    described: str
    svg: str


@dataclass(frozen=True)
class Drawing:
    """A figure: rows of plots below a title and a note, which says who was measured.

    ``size`` is how wide its plots are on the page: ``wide``, ``half``, ``narrow``, or empty for none of these.
    """

    rows: Sequence[Sequence[Shape]]
    title: str = ""
    note: str = ""
    size: str = ""

    @property
    def legend(self) -> list[Entry]:
        """An entry for each name; none where the plots say who is who."""
        return list({one.group: one for row in self.rows for shape in row for one in shape.legend}.values())

    def parts(self, name: str = "part") -> list[Part]:
        """Returns its plots for a page, without title and legend; ``name`` tells their ids from other figures'."""
        shapes = [shape for row in self.rows for shape in row]
        return [Part(one.title, one.described, _as_svg(one, f"{name}-{at}")) for at, one in enumerate(shapes)]

    def picture(self) -> Picture:
        """Returns all of it as a picture."""
        shapes, columns = [shape for row in self.rows for shape in row], max([1, *map(len, self.rows)])
        width = columns * max((shape.inches[0] for shape in shapes), default=4.2)
        height = sum(max(shape.inches[1] for shape in row) for row in self.rows) or 3.6
        picture, places = _empty(width, height + 1, max(1, len(self.rows)), columns)
        for row, own in zip(self.rows, places, strict=False):
            for shape, place in zip(row, own, strict=False):
                _paint(shape, place, Tips())
                note = f"\n{shape.note}" if isinstance(shape, Strip) else ""
                place.set_title(shape.title + note, loc="left", fontsize=10)
        if self.title:
            picture.suptitle(f"{self.title}\n{self.note}", x=0.01, ha="left", fontsize=10)
        _add_legend(picture, self.legend, 2 * columns)
        return picture


def top_of(values: Iterable[float], most: float = 1.05) -> float:
    """Returns where a plot ends: a little above the highest of its values, and at most at ``most``."""
    return min(most, _ROOM * max(values, default=1.0))


def strips(panels: Sequence[Panel]) -> Drawing:
    """Returns attacks beside references, a plot for each target, three in a row."""
    shapes = [Strip(panel) for panel in panels]
    rows = [shapes[start : start + _STRIPS_IN_A_ROW] for start in range(0, len(shapes), _STRIPS_IN_A_ROW)]
    return Drawing(rows, size="half")


def _empty(width: float, height: float, n_rows: int, n_columns: int) -> tuple[Picture, Any]:
    """A picture and its places, on which nothing is seen until they are on; without pyplot and its global state."""
    from matplotlib.figure import Figure as Picture
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    picture = Picture(figsize=(width, height), layout=ConstrainedLayoutEngine(h_pad=0.08, w_pad=0.08))
    places = picture.subplots(n_rows, n_columns, squeeze=False)
    for place in places.flat:
        place.set_axis_off()
    return picture, places


def _paint(shape: Shape, place: Axes, tips: Tips) -> None:
    place.set_axis_on()
    shape.paint(place, tips)
    place.tick_params(length=0, pad=5)
    place.spines[:].set_visible(False)


def _add_legend(picture: Picture, entries: Sequence[Entry], columns: int) -> None:
    from matplotlib.lines import Line2D

    handles = []
    for one in entries:
        look: Any = {"color": one.colour, "linestyle": one.line or "none", "marker": one.symbol, "label": one.name}
        handles.append(Line2D([], [], markerfacecolor="none" if one.open else one.colour, **look))
    if handles:
        columns = min(len(handles), columns)
        picture.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False, fontsize=9)


def _as_svg(shape: Shape, name: str) -> str:
    """A plot as SVG that takes on the page's colour of text, with what is read on pointing at it."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    tips, file = Tips(), io.StringIO()
    picture, places = _empty(*shape.inches, 1, 1)
    _paint(shape, places[0, 0], tips)
    for ground in (picture.patch, places[0, 0].patch):
        ground.set_visible(False)
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        canvas: Any = FigureCanvasSVG(picture)
        canvas.print_svg(file, metadata={"Date": None})  # `savefig` draws twice
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    root = ElementTree.fromstring(file.getvalue())
    _add_tips(root, tips)
    return on_page(ElementTree.tostring(root, encoding="unicode"))


def on_page(drawn: str) -> str:
    """Returns a drawing in whose place of each colour of ours is the page's variable, which knows the ground."""
    return re.sub("#([0-9a-f]{6})", lambda found: f"var(--c{found[1]})" if found[0] in PALETTE else found[0], drawn)


def _add_tips(root: ElementTree.Element, tips: Tips) -> None:
    """Adds the texts to the marks, and takes out what a page has by itself."""
    styles = [defs for defs in root.findall(f"{{{_SVG}}}defs") if defs.find(f"{{{_SVG}}}style") is not None]
    for found in [*root.findall(f"{{{_SVG}}}metadata"), *styles]:
        root.remove(found)
    for group in root.iter(f"{{{_SVG}}}g"):
        entry, texts = tips.found.get(group.attrib.pop("id", ""), ("", []))
        if entry:
            group.set("data-group", entry)
        marks = list(group.iter(f"{{{_SVG}}}use")) or list(group.iter(f"{{{_SVG}}}path"))
        for mark, text in zip(marks, texts, strict=False):
            ElementTree.SubElement(mark, f"{{{_SVG}}}title").text = text
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
