"""Both figures show the same rows; what is drawn is compared with the results, not with pixels."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from rec_msa.foundation.errors import DataError
from rec_msa.reporting.comparison import comparison_figure, comparison_picture
from rec_msa.reporting.panels import Panel, panels_of

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import AgreementMaker
    from matplotlib.axes import Axes

ATTACK_BLUE, REFERENCE_ORANGE = "#0072B2", "#D55E00"


def expected_values(panel: Panel, group: str, is_reference: bool) -> list[float]:
    return [row.groups[group].value for row in panel.rows if row.is_reference == is_reference]


def drawn(figure: Any, group: str, colour: str) -> Any:
    """Returns the one trace of a group and colour."""
    [trace] = [t for t in figure.data if t.legendgroup == group and t.marker.color == colour]
    return trace


def painted(place: Axes, colour: str, filled: bool) -> Any:
    """Returns the one line of markers of a colour."""
    [line] = [
        line
        for line in place.lines
        if line.get_marker() == "o" and line.get_color() == colour and (line.get_markerfacecolor() != "none") == filled
    ]
    return line


@pytest.mark.parametrize(("is_reference", "colour"), [(False, ATTACK_BLUE), (True, REFERENCE_ORANGE)])
def test_both_renderers_draw_the_results(one_cell: pd.DataFrame, is_reference: bool, colour: str) -> None:
    [panel] = panels_of(one_cell)
    figure, [place] = comparison_figure(one_cell), comparison_picture(one_cell).axes
    for group, filled in (("heldout", True), ("queried", False)):
        expected = expected_values(panel, group, is_reference)
        assert list(drawn(figure, group, colour).x) == expected
        assert list(painted(place, colour, filled).get_xdata()) == expected


def test_every_mark_lies_on_the_line_of_its_label(one_cell: pd.DataFrame) -> None:
    [panel] = panels_of(one_cell)
    figure, [place] = comparison_figure(one_cell), comparison_picture(one_cell).axes
    for labels in (figure.layout.yaxis.ticktext, [tick.get_text() for tick in place.get_yticklabels()]):
        assert [label.removeprefix("<b>").removesuffix("</b>") for label in labels] == [
            line if isinstance(line, str) else line.label for line in panel.lines
        ]
    trace = drawn(figure, "heldout", REFERENCE_ORANGE)
    labels = [row.label for row in panel.rows if row.is_reference]
    assert [figure.layout.yaxis.ticktext[y] for y in trace.y] == labels
    assert list(painted(place, REFERENCE_ORANGE, filled=True).get_ydata()) == list(trace.y)
    assert figure.layout.yaxis.range == place.get_ylim() == (13.6, -0.6)


def test_only_held_out_users_have_intervals_and_printed_values(one_cell: pd.DataFrame) -> None:
    [panel] = panels_of(one_cell)
    figure, [place] = comparison_figure(one_cell), comparison_picture(one_cell).axes
    best = panel.rows[0].groups["heldout"]
    bars = drawn(figure, "heldout", ATTACK_BLUE).error_x
    assert (bars.arrayminus[0], bars.array[0]) == pytest.approx((best.value - best.low, best.high - best.value))
    assert drawn(figure, "queried", ATTACK_BLUE).error_x.array is None
    ends = place.containers[0].lines[2][0].get_segments()[0][:, 0]
    assert list(ends) == pytest.approx([best.low, best.high])
    printed = [text for trace in figure.data if trace.mode == "text" for text in trace.text]
    assert printed == ["held-out", *(f"{row.groups['heldout'].value:.2f}" for row in panel.rows)]
    beside = [text.get_text() for text in place.texts if text.get_position()[0] > 1]
    assert sorted(beside) == sorted(printed)


def test_the_title_says_what_and_the_note_on_whom(one_cell: pd.DataFrame) -> None:
    title = comparison_figure(one_cell).layout.title.text
    assert "ml-100k · bpr · seed 0: agreement at 50" in title
    assert "12 held-out and 35 queried users; lines: 95 % intervals, bootstrap over users" in title
    [place] = comparison_picture(one_cell).axes
    assert place.get_title(loc="left") == "ml-100k · bpr · seed 0: agreement at 50"
    assert any(text.get_text().startswith("12 held-out and 35 queried users") for text in place.texts)


def test_the_legend_says_who_is_who(one_cell: pd.DataFrame, study: pd.DataFrame) -> None:
    labels = ["held-out users (never asked about)", "queried users (lists the attacker already holds)"]
    for agreement in (one_cell, study):
        figure = comparison_figure(agreement)
        assert [trace.name for trace in figure.data if trace.showlegend is not False] == labels
        [legend] = comparison_picture(agreement).legends
        assert [text.get_text() for text in legend.get_texts()] == labels


def test_pointing_at_a_mark_tells_its_figures(one_cell: pd.DataFrame) -> None:
    [panel] = panels_of(one_cell)
    [ptaq] = [row for row in panel.rows if row.attack == "ptaq"]
    trace = drawn(comparison_figure(one_cell), "heldout", ATTACK_BLUE)
    [details] = [text for text in trace.customdata if "<b>ptaq</b>" in text]
    for part in ("clone bpr", f"{ptaq.groups['heldout'].value:.2f}", "12 held-out users", "35 calls"):
        assert part in details


def test_each_target_has_its_panel(study: pd.DataFrame) -> None:
    figure, picture = comparison_figure(study), comparison_picture(study)
    wheres = ["ml-100k · bpr · seeds 0–2", "ml-100k · lmf · seeds 0–2", "ml-100k · ncf · seed 0"]
    assert [place.get_title(loc="left") for place in picture.axes] == wheres
    assert [head.text.split("</b>")[0].removeprefix("<b>") for head in figure.layout.annotations] == wheres
    for number, panel in enumerate(panels_of(study), start=1):
        axis = "x" if number == 1 else f"x{number}"
        dots = [t for t in figure.data if t.xaxis == axis and t.legendgroup == "heldout" and t.x[0] is not None]
        assert [value for trace in dots for value in trace.x] == [row.groups["heldout"].value for row in panel.rows]


def test_a_grid_with_room_to_spare_is_left_empty(make_agreement: AgreementMaker) -> None:
    many = pd.concat([make_agreement(dataset=f"data-{n}", attacks=("ptaq", "random")) for n in range(4)])
    shown = [place.axison for place in comparison_picture(many).axes]
    assert shown == [True] * 4 + [False] * 2
    assert len(comparison_figure(many).layout.annotations) == 4


def test_a_defended_target_is_compared_with_its_undefended_lists(make_agreement: AgreementMaker) -> None:
    defended = make_agreement(defense="popular_mixing_15")
    figure, [place] = comparison_figure(defended), comparison_picture(defended).axes
    assert "undefended" in figure.layout.xaxis.title.text
    assert place.get_xlabel() == figure.layout.xaxis.title.text
    assert "target as served" in figure.layout.yaxis.ticktext


def test_the_figure_takes_on_a_viewers_theme(one_cell: pd.DataFrame) -> None:
    layout = json.loads(comparison_figure(one_cell).to_json())["layout"]
    assert (layout["paper_bgcolor"], layout["plot_bgcolor"]) == ("rgba(0, 0, 0, 0)",) * 2
    assert "font" not in layout
    assert "width" not in layout


def test_the_picture_needs_no_pyplot(one_cell: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "comparison.png"
    comparison_picture(one_cell).savefig(path, dpi=50)
    assert path.stat().st_size > 0


@pytest.mark.parametrize("draw", [comparison_figure, comparison_picture])
def test_nothing_to_draw_is_said(one_cell: pd.DataFrame, draw: Any) -> None:
    with pytest.raises(DataError, match="no row to show"):
        draw(one_cell.iloc[:0])
