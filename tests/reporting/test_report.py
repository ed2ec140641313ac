"""The report says what was measured, beside what the paper printed, and nothing that was not."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from rec_msa.evaluation.intervals import seed_interval
from rec_msa.foundation.errors import DataError
from rec_msa.reporting.claims import CLAIMS
from rec_msa.reporting.cost import duration, environment_section
from rec_msa.reporting.document import Report, Table
from rec_msa.reporting.figures import drawing_of
from rec_msa.reporting.measured import Measured
from rec_msa.reporting.names import NOT_IN_ALL, REFERENCE_NAMES
from rec_msa.reporting.report import build_report
from rec_msa.reporting.sections import SHOWN_REFERENCES
from rec_msa.reporting.writing import tables_of, to_html, to_markdown, to_page, to_plain
from tests.reporting.made_up import SEEDS, made_up

if TYPE_CHECKING:
    import pandas as pd

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Reader(HTMLParser):
    """Notes the elements of a page, and that each is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def nothing() -> Report:
    return build_report(Measured(**{name: table.head(0) for name, table in made_up(("tables",)).items()}))


@pytest.fixture(scope="module")
def reader(page: str) -> Reader:
    return Reader(page)


def table(report: Report, name: str) -> Table:
    [found] = [one for one in report.tables() if one.name == name]
    return found


def rows(shown: Table) -> dict[str, list[str]]:
    """Returns the texts of each row by the row's name."""
    found = [row for _, body in shown.bodies() for row in body]
    return {row[0].text: [f"{cell.text} {cell.below}".strip() for cell in row[1:]] for row in found}


def short(value: float, *, signed: bool = False) -> str:
    return f"{value:{'+' * signed}.3f}".replace("0.", ".").replace("-", "−")


def test_table_4_has_ours_with_its_interval_the_papers_figure_and_the_difference(
    results: dict[str, pd.DataFrame], report: Report
) -> None:
    own = results["agreement"].query(
        "dataset == 'ml-1m' and target == 'bpr' and attack == 'ptd' and defense == 'none' and against == 'served' and "
        "group == 'heldout' and k == 50"
    )
    assert len(own) == len(SEEDS)
    over = seed_interval(own["agreement"].to_numpy())
    ours, paper, difference = rows(table(report, "table4-ml-1m"))["`ptd`"][:3]
    assert ours == f"{short(over.mean)} [{short(over.low)}, {short(over.high)}]"
    assert (paper, difference) == (".499", short(over.mean - 0.4987, signed=True))


def test_a_column_says_which_seeds_and_users_are_behind_it(report: Report) -> None:
    heads = [name for name, _ in table(report, "table4-ta-feng").groups]
    assert heads == ["", "bpr, seeds 0–4, 6 users", "ncf, not measured", "lmf, seeds 0–4, 6 users"]


def test_what_was_not_measured_is_a_dash_that_says_so_and_never_zero(report: Report, page: str) -> None:
    row = table(report, "table4-ta-feng").bodies()[0][1][0]
    ours, paper, difference = row[4:7]
    assert (ours.text, ours.missing, ours.title) == ("–", True, "not measured")
    assert (paper.text, difference.text, difference.title) == (".440", "–", "not measured")
    assert 'title="not measured"' in page
    assert not re.search(r"\bnan\b", re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL).lower())


def test_references_stand_below_the_attacks_and_have_no_figure_of_the_paper(report: Report) -> None:
    (_, attacks), (_, references) = table(report, "table4-ml-1m").bodies()
    assert [row[0].text for row in attacks] == ["`qsd`", "`ptd`", "`ptq`", "`pta`", "`ptaq`"]
    assert "retrained target" in [row[0].text for row in references]
    assert {row[2].title for row in references} == {"not in the paper"}


def test_queried_users_stand_apart_and_a_reader_is_told_that_it_is_memory(report: Report) -> None:
    text = to_markdown(report)
    assert "memory, not theft" in text
    assert "queried" not in table(report, "table4-ml-1m").caption


def test_each_table_and_figure_of_the_paper_has_a_section(report: Report) -> None:
    anchors = {part.anchor for section in report.sections for part in section.sections}
    assert {f"table{number}" for number in range(4, 9)} | {f"figure{number}" for number in range(2, 10)} <= anchors


def test_sequential_targets_have_their_quality_at_10_beside_published_figures(report: Report) -> None:
    shown = table(report, "targets-at-10")
    found = {row[1].text: [f"{cell.text} {cell.below}".strip() for cell in row[3:]] for row in shown.bodies()[0][1]}
    assert found["sasrec"] == [".204 (.200–.208)", ".110 (.110–.110)", ".247", ".129"]
    assert "bpr" not in found
    assert shown.as_file().set_index("target").loc["sasrec", "recall_test_at_10"] == pytest.approx(0.204)


def test_figures_of_ml_1m_do_not_stand_beside_other_data() -> None:
    results = made_up(("sequences",))
    agreement, quality = (results[name].assign(dataset="mine") for name in ("agreement", "quality"))
    shown = table(build_report(Measured(agreement, quality)), "targets-at-10")
    assert {(cell.text, cell.title) for row in shown.bodies()[0][1] for cell in row[5:]} == {
        ("–", "no published figure")
    }


def test_table_8_says_that_it_is_not_the_papers_data(report: Report) -> None:
    shown = table(report, "table8-ml-1m-2999")
    assert rows(shown)["`qsd30`"][1] == ".513"
    assert [name for name, _ in shown.groups][3] == "gru4rec, not measured"
    assert "not the paper's data" in to_markdown(report)


def test_table_8_is_a_figure_too_with_qsd_by_its_calls_beside_level_lines(report: Report) -> None:
    [block] = [one for one in report.figures() if one.name == "table8-calls"]
    [sasrec, stamp] = block.drawing.rows[0]
    assert (sasrec.title, stamp.title) == ("ml-1m-2999 · sasrec", "ml-1m-2999 · stamp · seeds 0–1")
    qsd, *levels = sasrec.curves
    assert list(qsd.x) == [5, 10, 15, 20, 25, 30]
    assert qsd.y == pytest.approx([0.15, 0.2, 0.25, 0.3, 0.35, 0.4], abs=0.02)
    assert all(line.level and list(line.x) == [5, 30] for line in levels)
    assert sasrec.top == stamp.top > max(qsd.y)
    assert [row[1].text for row in block.table.bodies()[0][1]] == ["sasrec", "stamp"]
    assert block.table.as_file()["calls"].tolist() == [5, 10, 15, 20, 25, 30] * 2


def test_without_a_line_table_8_has_no_figure(nothing: Report) -> None:
    assert "table8-calls" not in [block.name for block in nothing.figures()]


def test_the_losses_of_table_7_stand_beside_the_papers(report: Report) -> None:
    shown = table(report, "table7-ml-1m")
    named = [(row[0].text, row[1].text, row[3].text) for _, body in shown.bodies() for row in body]
    assert ("`ptaq`", "bpr+hinge", ".651") in named
    assert sum(loss != "" for _, loss, _ in named) == 12
    shown_always = [name for name in SHOWN_REFERENCES if name not in NOT_IN_ALL]
    assert [name for name, loss, _ in named if not loss] == [REFERENCE_NAMES[name] for name in shown_always]


def test_table_6_sets_counts_beside_the_papers(report: Report) -> None:
    found = rows(table(report, "table6-counts"))
    assert found["ml-1m"][:3] == ["6,040", "6,040", "0"]
    assert found["steam"][:3] == ["–", "25,387", "–"]


def test_the_result_comes_first_and_stands_in_a_sentence_and_a_figure(report: Report) -> None:
    sentence, figure, words = report.sections[0].blocks
    assert re.search(r"popularity \*\*\.\d{3}\*\*.* best clone \*\*\.\d{3}\*\*, target retrained", sentence.text)
    assert [bars.title.partition(" · seed")[0] for row in figure.drawing.rows for bars in row][:2] == [
        "ml-1m · bpr",
        "ml-1m · lmf",
    ]
    assert re.search(r"the clone `ptaq` names \*\*3[123]\*\* \(\.6\d\d, 95 % interval", words.blocks[0].items[0])


def test_quality_under_mixing_was_said_to_be_of_held_out_users(report: Report) -> None:
    [price] = [figure for figure in report.figures() if figure.name == "figure8"]
    assert price.drawing.note == "Seeds 0–4, means over seeds; lists of 300 target users."
    assert "held-out" not in price.caption


def test_every_claim_has_a_verdict_its_test_and_what_the_papers_tables_say(report: Report) -> None:
    [claims] = [section for section in report.sections if section.anchor == "claims"]
    assert [part.anchor for part in claims.sections] == [f"claim-{number}" for number in range(1, 31)]
    text = to_markdown(Report("", sections=[claims]))
    for claim in CLAIMS:
        assert claim.says in text
        assert claim.check in text
        assert claim.paper_tables in text
    assert len(table(report, "scoreboard").bodies()[0][1]) == len(CLAIMS)


def test_the_headline_says_how_many_claims_were_measured_whole_and_how_many_in_part(report: Report) -> None:
    verdicts = {row[0].text: row for row in table(report, "scoreboard").bodies()[0][1]}
    part = [row for row in verdicts.values() if re.search(r"\d+ of \d+ cells$", row[1].text)]
    counts = [list(map(int, row[3].text.split(" of "))) for row in part]
    whole = len(verdicts) - len(part) - 1
    [headline] = [
        line for line in to_markdown(report).splitlines() if line.startswith("- **Of the paper's 30 claims**")
    ]
    assert f"**{whole} measured whole**" in headline
    assert f"**{len(part)} in part ({sum(n for n, _ in counts)} of {sum(n for _, n in counts)} cells)**" in headline
    assert all(n < expected for n, expected in counts)
    assert verdicts["[7](#claim-7)"][1].text == "borne out"
    assert verdicts["[11](#claim-11)"][1].text == "borne out so far, 20 of 24 cells"


def test_a_figure_has_the_points_of_its_axis_and_the_references_as_levels(
    results: dict[str, pd.DataFrame], report: Report
) -> None:
    [figure] = [one for one in report.figures() if one.name == "figure2"]
    curves = {curve.name: curve for curve in figure.drawing.rows[0][0].curves}
    ptq = curves["ptq: known data, answers"]
    own = results["agreement"].query("target == 'bpr' and base == 'ptq' and list_length == 20 and k == 20")
    own = own.query("group == 'heldout' and against == 'served'")
    assert list(ptq.x) == [10, 20, 50, 100]
    assert ptq.y[1] == pytest.approx(own["agreement"].mean())
    assert {"retrained target", "popularity in D_t"} <= set(curves)
    assert "Recall@50: bpr" in figure.caption


def test_a_point_of_fewer_seeds_does_not_bend_the_line_of_the_others(results: dict[str, pd.DataFrame]) -> None:
    table = results["agreement"]
    gone = (table["base"] == "ptq") & (table["list_length"] == 20) & (table["seed"] > 1) & (table["target"] == "bpr")
    less = results | {"agreement": table[~gone]}
    [plot, *_] = drawing_of(Measured(**less), "figure2").rows[0]
    [ptq] = [curve for curve in plot.curves if curve.name.startswith("ptq")]
    own = table[(table["seed"] <= 1) & (table["target"] == "bpr") & (table["base"] == "ptq")]
    own = own.query("list_length == 10 and k == 10 and group == 'heldout' and against == 'served'")
    assert plot.title == "ml-1m · bpr · seeds 0–1"
    assert ptq.y[0] == pytest.approx(own["agreement"].mean())


def test_an_axis_has_no_tick_where_references_alone_were_measured(results: dict[str, pd.DataFrame]) -> None:
    table = results["agreement"]
    alone = (table["kind"] == "attack") & (table["list_length"] == 20)
    [plot, *_] = drawing_of(Measured(**(results | {"agreement": table[~alone]})), "figure2").rows[0]
    assert list(plot.x_ticks) == [10, 50, 100]


def test_figure_6_leaves_a_gap_where_a_clone_was_not_measured(results: dict[str, pd.DataFrame]) -> None:
    [field, *_] = drawing_of(Measured(**results), "figure6").rows[0]
    shown = [[str(value) != "nan" for value in row] for row in field.values]
    assert shown == [[True, True, True], [True, True, False], [True, True, True]]
    assert field.details[1][2].endswith("not measured")


def test_a_figure_is_described_in_words(reader: Reader) -> None:
    described = [str(one["aria-label"]) for one in reader.all("div") if one.get("class") == "canvas"]
    assert described
    assert all(re.search(r"\.\d{3}", text) for text in described)


@pytest.mark.parametrize("name", ["figure2", "figure3", "figure4", "figure6", "figure9"])
def test_a_preview_of_nothing_says_which_command_measures_it(name: str) -> None:
    empty = {name: table.head(0) for name, table in made_up(("tables",)).items()}
    assert f"--params=study={name}" in drawing_of(Measured(**empty), name).picture().get_suptitle()


def test_a_part_with_nothing_measured_says_which_command_measures_it(nothing: Report) -> None:
    text = to_markdown(nothing)
    for name in ("table4", "table6", "table7", "table8", *(f"figure{number}" for number in range(2, 10))):
        assert f"`kedro run --env=paper --pipeline=study --params=study={name}`" in text
    assert "None of the paper's 30 claims was measured yet." in text
    assert not nothing.figures()
    Reader(to_page(nothing))


def test_the_page_needs_no_network_and_forbids_it(page: str, reader: Reader) -> None:
    links = [
        value for _, attributes in reader.elements for name, value in attributes.items() if name in ("src", "href")
    ]
    assert {link for link in links if not str(link).startswith(("#", "data:"))} == {"report.html"}
    assert "default-src 'none'" in page
    assert not re.search(r"@import|url\(", re.search(r"<style>.*?</style>", page, re.DOTALL).group())


def test_the_page_is_well_formed_and_its_links_lead_somewhere(reader: Reader) -> None:
    assert not reader.open
    ids = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {str(one["href"])[1:] for one in reader.all("a") if one["href"] != "report.html"}
    assert targets <= set(ids)
    labels = {one["aria-labelledby"] for _, one in reader.elements if "aria-labelledby" in one}
    assert labels <= set(ids)


def test_headings_follow_each_other_and_landmarks_are_there(reader: Reader) -> None:
    levels = [int(tag[1]) for tag, _ in reader.elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(len(reader.all(tag)) == 1 for tag in ("header", "nav", "main", "footer"))
    assert reader.all("a")[0]["href"] == "#main"


def test_tables_have_captions_and_scopes_and_figures_a_text_in_their_place(reader: Reader) -> None:
    assert len(reader.all("caption")) == len(reader.all("table"))
    assert all(one.get("scope") for one in reader.all("th"))
    canvases = [one for one in reader.all("div") if one.get("class") == "canvas"]
    assert len(canvases) == len(reader.all("svg")) - len(reader.all("button"))
    assert all(one["role"] == "img" and len(str(one["aria-label"])) > 30 for one in canvases)


def test_markdown_has_the_same_tables_and_a_picture_for_each_figure(report: Report, page: str) -> None:
    text = to_markdown(report)
    assert re.findall(r"\(report/([\w-]+)\.png\)", text) == [one.name for one in report.figures()]
    for shown in report.tables():
        assert f"**{shown.caption}**" in text
        assert page.count(f'<caption id="{shown.name}">') == 1


def test_each_table_has_a_file_with_plain_numbers(report: Report, results: dict[str, pd.DataFrame]) -> None:
    files = tables_of(report)
    assert {f"table{number}" for number in range(4, 9)} | {f"figure{number}" for number in range(2, 10)} <= set(files)
    [row] = files["table5"].query("dataset == 'ml-1m' and target == 'lmf' and attack == 'ptaq_pre'").to_dict("records")
    assert row["difference"] == pytest.approx(row["ours"] - 0.29)
    assert files["table4"].query("dataset == 'ta-feng' and target == 'ncf'")["ours"].isna().all()
    assert len(files["runs"]) == len(results["journal"])


def test_cost_and_machine_come_from_the_journal_and_what_is_not_recorded_is_missing(
    results: dict[str, pd.DataFrame],
) -> None:
    journal = results["journal"].drop(columns=["torch", "in_functions"])
    shown = rows(table(Report("", sections=[environment_section(journal)]), "cost"))
    assert shown["cost"] == ["1.9 core-hours"]
    assert shown["machine"] == ["a made-up processor"]
    assert shown["torch"] == shown["in the nodes' own functions"] == ["–"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(12.4, "12 s"), (59.7, "1 min 0 s"), (3599, "59 min 59 s"), (7500, "2 h 5 min")]
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_table_that_lacks_a_column_is_refused_by_its_name(results: dict[str, pd.DataFrame]) -> None:
    with pytest.raises(DataError, match="agreement: column 'ci_low' is missing"):
        Measured(results["agreement"].drop(columns="ci_low"), results["quality"])


def test_texts_are_escaped_but_for_their_own_markup() -> None:
    text = "**a < b** `<i>**x**</i>` [there](#x) [away](https://x.org) <script>"
    expected = (
        "<strong>a &lt; b</strong> <code>&lt;i&gt;**x**&lt;/i&gt;</code> "
        '<a href="#x">there</a> [away](https://x.org) &lt;script&gt;'
    )
    assert to_html(text) == expected
    assert to_plain("**a** `b` [c](#d)") == "a b c"


def test_names_from_data_cannot_break_out_of_the_page(results: dict[str, pd.DataFrame]) -> None:
    odd = {name: table.copy() for name, table in results.items()}
    odd["journal"]["command"] = "</script><script>alert(1)</script>"
    assert "<script>alert(1)" not in to_page(Report("", sections=[environment_section(odd["journal"])]))


def test_the_page_could_send_forms_and_take_another_base() -> None:
    elements = Reader(to_page(Report("title", "lead"))).elements
    policies = [str(has["content"]) for name, has in elements if name == "meta" and "http-equiv" in has]
    assert len(policies) == 1
    assert {"default-src 'none'", "base-uri 'none'", "form-action 'none'"} <= set(policies[0].split("; "))


def test_names_with_html_in_them_were_elements_of_the_markdown() -> None:
    page = to_markdown(Report("title", "lead", ("a <img src=x onerror=alert(1)> b", "<script>"), []))
    assert "<img" not in page
    assert "<script" not in page
