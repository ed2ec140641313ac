"""What the pages say agrees with the code, and their links lead somewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml

from docs.generate import attacks, audit_json, columns, paper, parameters, picture, tables
from rec_msa.attacks.settings import REFERENCES
from rec_msa.evaluation.results import COLUMNS, MEANINGS
from rec_msa.experiments.parameters import Parameters
from tests.small_project import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
CONF = ROOT / "conf" / "base"


def test_every_column_has_a_meaning_and_is_on_the_page() -> None:
    assert set(MEANINGS) == {*COLUMNS, "user"}
    assert all(f"| `{name}` |" in columns.page() for name in MEANINGS)


def test_the_document_of_the_schema_is_made_from_it() -> None:
    assert (ROOT / "docs/audit-json.md").read_text(encoding="utf-8") == audit_json.schema_markdown()


def leaves(values: dict[str, object], place: str = "") -> list[str]:
    """The keys of plain parameters, with dots; names of the user's own (data sets, targets, …) left out."""
    named = ("datasets", "targets", "attacks", "studies")
    found = []
    for key, value in values.items():
        if key not in named:
            found += leaves(value, f"{place}{key}.") if isinstance(value, dict) else [f"{place}{key}"]
    return found


@pytest.mark.parametrize("path", sorted(CONF.glob("parameters*.yml")), ids=lambda path: path.stem)
def test_every_parameter_of_base_is_on_the_page(path: Path) -> None:
    page = parameters.page()
    assert [key for key in leaves(yaml.safe_load(path.read_text())) if f"| `{key}` |" not in page] == []


@pytest.mark.parametrize("name", Parameters.model_fields)
def test_every_key_of_the_parameters_is_on_the_page(name: str) -> None:
    assert re.search(rf"(\| `{name}` \||## `{name}[`.])", parameters.page())


def test_a_parameter_stands_with_its_default_what_is_allowed_and_its_meaning() -> None:
    page = parameters.page()
    assert "| `steal.margin` | `0.5` | number ≥ 0 | m of the hinge loss |" in page
    assert "| `steal.training.stop_by` | `loss` | `validation`, `loss` |" in page
    assert "| `datasets.<name>.user` | none | text |" in page
    assert "of `qsd`" in page


def test_every_named_attack_stands_with_what_it_knows() -> None:
    page = attacks.page()
    assert all(f"| `{name}` |" in page for name in parameters.base().attacks)
    assert [name for name in (*REFERENCES, "retrain") if f"`{name}`" not in page] == []
    assert "| `pta` | yes | yes | – |" in page
    assert "| `qsd` | users' ids | – | 1 a user |" in page
    assert "| `qsd30` | – | – | 30 a user |" in page


def test_the_page_from_the_paper_to_the_code_names_only_what_is_there() -> None:
    assert "`rank_lists` in `recommenders/ranking.py`" in paper.page()
    with pytest.raises(LookupError, match="say where it is now"):
        tables.place_of("rec_msa.attacks.gate:Door")


def test_the_picture_of_the_first_page_shows_the_published_results() -> None:
    assert picture.PICTURE.read_text(encoding="utf-8") == picture.drawn()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_of_the_repository(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", text) for link in link]
    missing = [link for link in links if link and "://" not in link and not (path.parent / link).exists()]
    assert missing == []
