"""The report as the pipeline ``reporting`` leaves it, made from tables that lie there, as published ones do."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pandas as pd
import pytest
import rich

from rec_msa.pipelines.reporting.pipeline import PREVIEWS
from tests.reporting.made_up import made_up
from tests.small_project import SmallProject

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def reported(tmp_path_factory) -> Path:
    """The reporting folder of a project with made-up results in which ``reporting`` has run."""
    project = SmallProject(tmp_path_factory.mktemp("reported"))
    folder, results = project.folder / "docs/published/08_reporting", made_up()
    names = {"agreement": "agreement", "per_user": "agreement_per_user", "quality": "target_quality", "costs": "costs"}
    (folder / "journal").mkdir(parents=True)
    for key, name in names.items():
        results[key].to_parquet(folder / f"{name}.parquet")
    for place, run in enumerate(results["journal"].to_dict("records")):
        (folder / "journal" / f"{place}.json").write_text(json.dumps(run))
    for row in results["statistics"].to_dict("records"):
        (place := project.folder / "docs/published/03_primary" / row.pop("dataset")).mkdir(parents=True)
        (place / "statistics.json").write_text(json.dumps(row))
    (raw := project.folder / "docs/published/01_raw/ml-1m").mkdir(parents=True)
    (raw / "raw_file.json").write_text(json.dumps({"sha256": "0123", "known": False}))
    with pytest.MonkeyPatch.context() as patch, project.session(env="published") as session:
        patch.chdir(project.folder)
        with rich.get_console().capture() as captured:
            session.run(pipeline_names=["reporting"])
        (folder / "said").write_text(captured.get())
    return folder


@pytest.fixture(scope="module")
def said(reported) -> str:
    """What the run has printed."""
    return (reported / "said").read_text()


def text_of(reported: Path) -> Path:
    return reported.parents[1] / "reproduction.md"


def files_of(reported: Path) -> Path:
    return reported.parents[1] / "report"


def test_any_file_by_the_name_of_a_public_one_stood_beside_the_paper_as_it(reported):
    for page in (text_of(reported), reported / "reproduction.html"):
        said = page.read_text()
        assert "Not the known ml-1m" in said
        assert "0123" in said
        assert "ml-1m another file" in said or "another file</" in said


def test_the_page_and_the_text_have_the_same_figures_and_each_has_its_picture(reported):
    page, text = (reported / "reproduction.html").read_text(), text_of(reported).read_text()
    pictures = re.findall(r"\(report/([\w-]+)\.png\)", text)
    assert {f"figure{number}" for number in range(2, 10)} <= set(pictures)
    assert set(pictures) == {path.stem for path in files_of(reported).glob("*.png")}
    assert re.findall(r'<figure id="([\w-]+)-drawn"', page) == pictures


def test_each_table_of_the_paper_is_a_file_of_numbers(reported):
    tables = {path.stem: pd.read_csv(path) for path in files_of(reported).glob("*.csv")}
    assert {f"table{number}" for number in range(4, 9)} | {"claims", "differences", "runs"} <= set(tables)
    assert tables["table6"].set_index("dataset").loc["ta-feng", "interactions"] == 630_767
    assert len(tables["runs"]) == 2


def test_ones_own_runs_have_a_page_that_leads_to_the_reproduction_and_back(reported):
    page = (reported / "report.html").read_text()
    assert "<h1>Your runs</h1>" in page
    assert 'href="reproduction.html"' in page
    assert 'href="report.html"' in (reported / "reproduction.html").read_text()


def test_a_report_says_where_its_pages_lie(said):
    for line in (
        "Your runs: docs/published/08_reporting/report.html",
        "The reproduction: docs/published/08_reporting/reproduction.html",
        "The same as text: docs/reproduction.md",
        "Its pictures and tables: docs/report",
    ):
        assert line in said


def test_kedro_viz_finds_the_main_figures(reported):
    for name in PREVIEWS:
        assert (reported / "previews" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
