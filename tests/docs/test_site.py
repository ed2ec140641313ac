"""The site: it is built without a warning, and opens from the file system in a real browser."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.reporting import test_report_in_chromium as chromium
from tests.small_project import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("mkdocs", reason="mkdocs is not installed (the extra docs)")
browser = chromium.browser
in_chromium = chromium.pytestmark
SIZES = {"desktop": (1280, 900), "phone": (390, 800)}
SCHEMES = {"light": "default", "dark": "slate"}
CHOSEN = "return document.body.dataset.mdColorScheme"
"""A script of the page says so, on a busy machine after a while."""
PAGES = ("index", "findings", "reference/parameters", "reference/api")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_it_is_built_without_a_warning(site: Path) -> None:
    assert all((site / f"{page}.html").exists() for page in PAGES)


def test_links_to_made_pages_and_to_the_root_are_links_of_the_site(site: Path) -> None:
    assert 'href="reference/columns.html"' in (site / "concepts.html").read_text()
    assert 'href="../contributing.html#a-new-attack"' in (site / "howto/attack.html").read_text()
    assert 'src="images/result.svg"' in (site / "index.html").read_text()


def apply(marks: list[pytest.MarkDecorator]) -> Any:
    def marked(test: Any) -> Any:
        for mark in marks:
            test = mark(test)
        return test

    return marked


@apply(in_chromium)
@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light"), ("phone", "dark")])
def test_pages_open_from_the_disk_without_a_request_or_an_error_and_never_scroll_sideways(
    browser: Any, site: Path, size: str, scheme: str
) -> None:
    open_page(browser, site / "index.html", SIZES[size], scheme)
    browser.execute_script("localStorage.clear()")  # where the site remembers what a reader chose
    for page in PAGES:
        open_page(browser, site / f"{page}.html", SIZES[size], scheme)
        chromium.support.WebDriverWait(browser, 10).until(lambda _: browser.execute_script(CHOSEN) == SCHEMES[scheme])
        assert browser.execute_script("return document.documentElement.scrollWidth") <= SIZES[size][0], page
        assert browser.get_log("browser") == [], page
        assert chromium.requests_of(browser) == [], page


@apply(in_chromium)
def test_the_search_finds_a_page_from_the_disk(browser: Any, site: Path) -> None:
    open_page(browser, site / "index.html", SIZES["desktop"], "light")
    box = browser.find_element("css selector", ".md-search__input")
    browser.execute_script("arguments[0].focus()", box)
    box.send_keys("popular mixing")
    found = chromium.support.WebDriverWait(browser, 30).until(
        lambda _: browser.find_elements("css selector", ".md-search-result__link")
    )
    assert any("defenses.html" in one.get_attribute("href") for one in found)


def open_page(browser: Any, path: Path, size: tuple[int, int], scheme: str) -> None:
    """Opens a page of the site in a window of such a size, for someone who prefers such a scheme."""
    browser.get("about:blank")
    for log in ("browser", "performance"):
        browser.get_log(log)
    metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size[0] < SIZES["desktop"][0]}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    browser.get(path.as_uri())
