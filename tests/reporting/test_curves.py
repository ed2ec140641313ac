"""Curves and heatmaps look alike on the page and as a picture, and say the same."""

from __future__ import annotations

from math import nan

import pytest

from rec_msa.reporting.curves import Curve, Plot, curves_picture, plot_figure
from rec_msa.reporting.heatmaps import Field, ends_of, heatmap_figure, heatmaps_figure, heatmaps_picture
from rec_msa.reporting.looks import ATTACK_LOOKS, DASHES, SYMBOLS

CURVE = Curve("ptq", "#D55E00", [10, 100], [0.4, 0.6], [0.1, 0.05], [0.2, 0.1], band=True, symbol="square")
PLOT = Plot("a title", "users known", "agreement", [CURVE], 1, (10, 100), "%", x_log=True)
FIELD = Field(
    "ptd", "clone", "target", ("bpr", "ncf"), ("bpr", "ncf"), [[0.5, 0.25], [nan, 0.75]], [["a", "b"], ["c", "d"]]
)


def test_a_band_goes_along_the_upper_ends_and_back_along_the_lower_ones() -> None:
    band, line = plot_figure(PLOT).data
    assert list(band.x) == [10, 100, 100, 10]
    assert list(band.y) == pytest.approx([0.6, 0.7, 0.55, 0.3])
    assert band.fillcolor == "rgba(213, 94, 0, 0.16)"
    assert line.error_y.array is None
    assert band.legendgroup == line.legendgroup == "ptq"


def test_pointing_at_a_point_tells_its_interval() -> None:
    _, line = plot_figure(PLOT).data
    assert line.customdata[0] == "<br>95 % interval 0.300 to 0.600"
    unknown = Curve("x", "#D55E00", [1], [0.5], [nan], [nan])
    assert plot_figure(Plot("", "", "", [unknown], 1)).data[0].customdata[0] == ""


def test_marks_of_the_axis_have_their_unit_and_equal_factors_are_equally_far_apart() -> None:
    axis, [place] = plot_figure(PLOT).layout.xaxis, curves_picture([[PLOT]], "", "").axes
    assert (axis.type, axis.ticktext) == ("log", ("10%", "100%"))
    assert place.get_xscale() == "log"
    assert [tick.get_text() for tick in place.get_xticklabels()] == ["10%", "100%"]


def test_a_level_is_a_line_without_points_dashed_unless_said_otherwise() -> None:
    levels = [
        Curve("a", "#808080", [0, 1], [1, 1], level=True),
        Curve("b", "#808080", [0, 1], [1, 1], level=True, dash="dot"),
    ]
    drawn = plot_figure(Plot("", "", "", levels, 1)).data
    assert [(trace.mode, trace.line.dash) for trace in drawn] == [("lines", "dash"), ("lines", "dot")]


def test_no_two_attacks_share_a_colour_or_a_mark_and_both_writers_know_each() -> None:
    colours, symbols = zip(*ATTACK_LOOKS.values(), strict=True)
    assert len(set(colours)) == len(set(symbols)) == len(ATTACK_LOOKS)
    assert set(symbols) <= set(SYMBOLS)
    assert {"solid", "dash", "dot"} == set(DASHES)


def test_a_heatmap_has_each_value_in_its_field_and_a_dash_where_there_is_none() -> None:
    heat, gaps = heatmap_figure(FIELD, ends_of([FIELD])).data
    assert [list(row) for row in heat.text] == [[".500", ".250"], ["", ".750"]]
    assert (heat.zmin, heat.zmax) == (0.25, 0.75)
    assert (list(gaps.x), list(gaps.y), list(gaps.text)) == (["bpr"], ["ncf"], ["–"])
    [place] = heatmaps_picture([FIELD], "", "").axes
    assert [text.get_text() for text in place.texts] == [".500", ".250", "–", ".750"]


def test_heatmaps_side_by_side_share_their_colours() -> None:
    other = Field("pta", "clone", "target", ("bpr",), ("bpr",), [[0.1]], [["a"]])
    traces = [trace for trace in heatmaps_figure([FIELD, other], "t", "n").data if trace.type == "heatmap"]
    assert {(trace.zmin, trace.zmax) for trace in traces} == {(0.1, 0.75)}


def test_figures_of_nothing_have_a_title_and_a_note() -> None:
    assert "a note" in heatmaps_figure([], "a title", "a note").layout.title.text
    assert "a note" in heatmaps_picture([], "a title", "a note").get_suptitle()
    assert ends_of([]) == (0, 1)
