"""The page of an audit in a real browser: at both widths and in both colour schemes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rec_msa.reporting.audit import audit
from tests.reporting.made_up_audit import audit_results
from tests.reporting.test_report_in_chromium import (
    CONTRAST,
    DESKTOP,
    PHONE,
    TOO_WIDE,
    browser,
    open_page,
    pytestmark,
    requests_of,
)

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["browser", "pytestmark"]
FIRST_SCREEN = "return document.querySelector(arguments[0]).getBoundingClientRect().bottom"


@pytest.fixture(scope="module")
def audit_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page as a file."""
    path = tmp_path_factory.mktemp("audit") / "audit.html"
    path.write_text(audit(audit_results(defenses={"popular_mixing_2": 0.3})).html, encoding="utf-8")
    return path


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_page_fits_and_reads_well_without_a_request(
    browser: Any,
    audit_file: Path,
    size: tuple[int, int],
) -> None:
    for scheme in ("light", "dark"):
        open_page(browser, audit_file, size, scheme)
        browser.execute_script("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        assert browser.execute_script(TOO_WIDE) == []
        assert browser.execute_script(CONTRAST) >= 4.5
        assert browser.get_log("browser") == []
        assert requests_of(browser) == []


def test_the_first_screen_has_the_figures_that_matter(
    browser: Any,
    audit_file: Path,
) -> None:
    open_page(browser, audit_file, DESKTOP, "light")
    assert browser.execute_script(FIRST_SCREEN, "#curves-drawn .plots") <= DESKTOP[1] + 40
