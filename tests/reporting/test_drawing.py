"""What is drawn is what was measured: the plots of a figure, as a picture and as SVG on the page."""

from __future__ import annotations

import re
from math import nan
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pandas as pd
import pytest

from rec_msa.foundation.errors import DataError
from rec_msa.reporting.drawing import ATTACK_LOOKS, COLOURS, PALETTE, Bars, Curve, Drawing, Heatmap, Plot, strips
from rec_msa.reporting.measured import Estimate
from rec_msa.reporting.names import share
from rec_msa.reporting.panels import Panel, panels_of

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import AgreementMaker
    from matplotlib.axes import Axes

CURVE = Curve("ptq", "#D55E00", [10, 100], [0.4, 0.6], [0.3, 0.55], [0.6, 0.7], band=True, symbol="s")
LEVELS = [
    Curve("a", "#808080", [10, 100], [0.5, 0.5], level=True),
    Curve("b", "#808080", [10, 100], [0.2, 0.2], level=True, line=":"),
]
PLOT = Plot("a title", "users known", "agreement", [CURVE, *LEVELS], 1, (10, 100), "%")
NAMES = ("bpr", "ncf")
FIELD = Heatmap(
    "ptd", "clone", "target", NAMES, NAMES, [[0.5, 0.25], [nan, 0.75]], [["a", "b"], ["c", "d"]], (0.25, 0.75)
)


def tips_of(svg: str) -> list[str]:
    return [str(one.text) for one in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}title")]


def painted(place: Axes, colour: str, *, filled: bool) -> Any:
    """Returns the one line of dots or rings of a colour."""
    [line] = [
        line
        for line in place.lines
        if line.get_marker() == "o" and line.get_color() == colour and (line.get_markerfacecolor() != "none") == filled
    ]
    return line


def values(panel: Panel, group: str, *, is_reference: bool) -> list[float]:
    return [row.groups[group].value for row in panel.rows if row.is_reference == is_reference]


def test_a_curve_has_its_points_and_its_band_between_the_ends_of_its_intervals() -> None:
    [place] = Drawing([[PLOT]]).picture().axes
    [band] = place.collections
    assert list(place.lines[0].get_ydata()) == [0.4, 0.6]
    assert {(x, round(y, 2)) for x, y in band.get_paths()[0].vertices} == {
        (10, 0.3),
        (10, 0.6),
        (100, 0.55),
        (100, 0.7),
    }


def test_pointing_at_a_point_tells_its_interval_where_it_has_one() -> None:
    [part] = Drawing([[PLOT]]).parts()
    assert tips_of(part.svg)[0] == "ptq\nusers known 10%\nagreement 0.400\n95 % interval 0.300 to 0.600"
    unknown = Curve("x", "#D55E00", [1], [0.5], [nan], [nan])
    [part] = Drawing([[Plot("", "x", "y", [unknown], 1)]]).parts()
    assert tips_of(part.svg) == ["x\nx 1\ny 0.500"]


def test_marks_of_the_axis_have_their_unit() -> None:
    [place] = Drawing([[PLOT]]).picture().axes
    assert [tick.get_text() for tick in place.get_xticklabels()] == ["10%", "100%"]


def test_a_level_is_a_line_without_points_dashed_unless_said_otherwise() -> None:
    [place] = Drawing([[PLOT]]).picture().axes
    drawn = [(line.get_marker(), line.get_linestyle()) for line in place.lines]
    assert drawn == [("s", "-"), ("None", "--"), ("None", ":")]


def test_no_two_attacks_share_a_colour_or_a_mark() -> None:
    colours, symbols = zip(*ATTACK_LOOKS.values(), strict=True)
    assert len(set(colours)) == len(set(symbols)) == len(ATTACK_LOOKS)


def test_a_heatmap_has_each_value_in_its_field_and_a_dash_where_there_is_none() -> None:
    drawing = Drawing([[FIELD]])
    [place], [part] = drawing.picture().axes, drawing.parts()
    assert [text.get_text() for text in place.texts] == [".500", ".250", "–", ".750"]
    assert tips_of(part.svg) == ["a", "b", "c", "d"]
    lightest, darkest, gap = (place.patches[at].get_facecolor() for at in (1, 3, 2))
    assert lightest[2] > darkest[2]
    assert gap[3] == 0


def test_bars_have_their_figures_and_the_one_that_matters_stands_out() -> None:
    found = [Estimate(value, value - 0.1, value + 0.1, (0,), (9,)) for value in (0.3, 0.5)]
    drawing = Drawing([[Bars("bpr", "repeated share", ["popularity", "clone"], found, ["clone"])]])
    [place], [part] = drawing.picture().axes, drawing.parts()
    assert [text.get_text() for text in place.texts] == [".300", ".500"]
    assert place.patches[0].get_facecolor() != place.patches[1].get_facecolor()
    assert tips_of(part.svg)[1] == "clone\n.500, 95 % interval .400 to .600"
    assert part.described == "Repeated share: popularity .300, clone .500."


def test_labels_stand_apart_and_one_without_room_is_left_to_its_tip() -> None:
    x, labels = [*(0.5 + n / 1000 for n in range(12)), 9], [*(["label"] * 12), "far"]
    [place] = Drawing([[Plot("", "x", "y", [Curve("x", COLOURS[0], x, [0.5] * 13, labels=labels)], 1)]]).picture().axes
    beside = [text.get_position() for text in place.texts]
    assert len({(round(x), round(y)) for x, y in beside}) == len(beside) > 1, "no two lie on each other"
    assert len(beside) < 13
    assert place.texts[-1].get_text() == "far"


@pytest.mark.parametrize(("scheme", "ground"), [(0, "#fdfdfc"), (1, "#16181b")])
def test_each_colour_stands_out_from_its_ground(scheme: int, ground: str) -> None:
    for pair in PALETTE.items():
        lightness = sorted(map(luminance, (pair[scheme], ground)))
        assert (lightness[1] + 0.05) / (lightness[0] + 0.05) >= 4.5


def luminance(colour: str) -> float:
    """Returns the relative luminance of WCAG 2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_page_colours_a_drawing_as_its_ground_asks() -> None:
    [part] = Drawing([[Plot("", "x", "y", [Curve("x", COLOURS[0], [1, 2], [0.5, 0.6])], 1)]]).parts()
    assert f"stroke: var(--c{COLOURS[0][1:]})" in part.svg
    assert COLOURS[0] not in part.svg


def test_a_figure_of_nothing_has_a_title_and_a_note() -> None:
    assert Drawing([], "a title", "a note").picture().get_suptitle() == "a title\na note"


def test_each_name_stands_once_in_the_legend_and_its_entry_hides_all_of_it() -> None:
    drawing = Drawing([[PLOT, PLOT]])
    [legend] = drawing.picture().legends
    assert [text.get_text() for text in legend.get_texts()] == ["ptq: known data, answers", "a", "b"]
    drawn = drawing.parts()[0].svg
    assert drawn.count('data-group="ptq"') == 2, "the line and its band"
    assert [entry.group for entry in drawing.legend] == ["ptq", "a", "b"]


def test_drawings_of_one_page_share_no_id_and_take_on_its_colour_of_text() -> None:
    drawn = [part.svg for name in ("one", "two") for part in Drawing([[PLOT, FIELD]]).parts(name)]
    ids = [found for svg in drawn for found in re.findall(r'\bid="([^"]+)"', svg)]
    assert len(ids) == len(set(ids))
    assert all("<style" not in svg for svg in drawn)
    assert all("fill" not in text for svg in drawn[::2] for text in re.findall(r"<text[^>]*>", svg))


@pytest.mark.parametrize(("is_reference", "colour"), [(False, COLOURS[0]), (True, COLOURS[1])])
def test_a_comparison_draws_the_results(one_cell: pd.DataFrame, is_reference: bool, colour: str) -> None:
    [panel] = panels_of(one_cell)
    [place] = strips([panel]).picture().axes
    for group, filled in (("heldout", True), ("queried", False)):
        expected = values(panel, group, is_reference=is_reference)
        assert list(painted(place, colour, filled=filled).get_xdata()) == expected


def test_every_mark_lies_on_the_line_of_its_label(one_cell: pd.DataFrame) -> None:
    [panel] = panels_of(one_cell)
    [place] = strips([panel]).picture().axes
    labels = [tick.get_text() for tick in place.get_yticklabels()]
    assert labels == [line if isinstance(line, str) else line.label for line in panel.lines]
    drawn = painted(place, COLOURS[1], filled=True)
    assert [labels[int(y)] for y in drawn.get_ydata()] == [row.label for row in panel.rows if row.is_reference]


def test_only_held_out_users_have_intervals_and_printed_values(one_cell: pd.DataFrame) -> None:
    [panel] = panels_of(one_cell)
    [place] = strips([panel]).picture().axes
    best = panel.rows[0].groups["heldout"]
    attacks = place.collections[1].get_segments()
    assert len(place.collections) == 3, "the lines that lead the eye, and intervals of attacks and references"
    assert list(attacks[0][:, 0]) == pytest.approx([best.low, best.high])
    beside = [text.get_text() for text in place.texts]
    assert sorted(beside) == sorted(["held-out", *(share(row.groups["heldout"].value) for row in panel.rows)])


def test_the_title_says_where_and_the_note_on_whom(one_cell: pd.DataFrame) -> None:
    [place] = strips(panels_of(one_cell)).picture().axes
    assert place.get_title(loc="left").splitlines() == [
        "ml-100k · bpr · seed 0",
        "12 held-out and 35 queried users",
        "lines: 95 % intervals, bootstrap over users",
    ]


def test_the_head_of_a_strip_ran_into_the_next_one(make_agreement: AgreementMaker) -> None:
    seeds = pd.concat([make_agreement(target=target, seed=seed) for target in ("bpr", "lmf") for seed in range(5)])
    picture = strips(panels_of(seeds[(seeds["attack"] != "ptaq") | (seeds["seed"] < 2)])).picture()
    picture.draw_without_rendering()
    left, right = (
        place.findobj(lambda one: "held-out and" in getattr(one, "get_text", str)())[0] for place in picture.axes
    )
    assert "fewer than 5 seeds" in left.get_text()
    assert left.get_window_extent().x1 < right.get_window_extent().x0


def test_pointing_at_a_mark_tells_its_figures(one_cell: pd.DataFrame) -> None:
    [panel] = panels_of(one_cell)
    [ptaq] = [row for row in panel.rows if row.attack == "ptaq"]
    [part] = strips([panel]).parts()
    [told] = [text for text in tips_of(part.svg) if text.startswith("ptaq,") and "held-out" in text]
    for said in ("clone bpr", share(ptaq.groups["heldout"].value), "12 held-out users", "35 calls"):
        assert said in told


def test_each_target_has_its_place_and_the_legend_says_who_is_who(study: pd.DataFrame) -> None:
    picture = strips(panels_of(study)).picture()
    wheres = ["ml-100k · bpr · seeds 0–2", "ml-100k · lmf · seeds 0–2", "ml-100k · ncf · seed 0"]
    assert [place.get_title(loc="left").splitlines()[0] for place in picture.axes] == wheres
    [legend] = picture.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "held-out users (never asked about)",
        "queried users (lists the attacker already holds)",
    ]


def test_a_grid_with_room_to_spare_is_left_empty(make_agreement: AgreementMaker) -> None:
    many = pd.concat([make_agreement(dataset=f"data-{n}", attacks=("ptaq", "random")) for n in range(4)])
    assert [place.axison for place in strips(panels_of(many)).picture().axes] == [True] * 4 + [False] * 2


def test_a_defended_target_is_compared_with_its_undefended_lists(make_agreement: AgreementMaker) -> None:
    [place] = strips(panels_of(make_agreement(defense="popular_mixing_15"))).picture().axes
    assert place.get_xlabel() == "repeated share of the undefended 50 items"
    assert "target as served" in [tick.get_text() for tick in place.get_yticklabels()]


def test_the_picture_needs_no_pyplot(one_cell: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "comparison.png"
    strips(panels_of(one_cell)).picture().savefig(path, dpi=50)
    assert path.stat().st_size > 0


def test_nothing_to_draw_is_said(one_cell: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="no row to show"):
        panels_of(one_cell.iloc[:0])
