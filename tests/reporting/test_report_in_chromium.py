"""The report in a real browser: its tables, figures and verdicts, at both widths and in both colour schemes."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from rec_msa.reporting.claims import CLAIMS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rec_msa.reporting.document import Report

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
support = pytest.importorskip("selenium.webdriver.support.wait")
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="no chromium on this machine (Debian: apt install chromium)"),
    pytest.mark.skipif(not DRIVER, reason="no chromedriver on this machine (Debian: apt install chromium-driver)"),
]
TAB = "\ue004"
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
DESKTOP, PHONE = (1280, 900), (375, 740)
TOO_WIDE = """
return [...document.querySelectorAll('main *')]
  .filter((one) => !one.parentElement.closest('.scroll, svg') && !one.closest('.unseen'))
  .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map((one) => one.outerHTML.slice(0, 80));
"""
CONTRAST = """
const level = (colour) => {
  const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map((v) => v / 255)
    .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = level(getComputedStyle(document.body).backgroundColor);
const texts = 'p, li, td, th, figcaption, .verdict, .canvas text:not([style*="fill: #"])';
return [...document.querySelectorAll(texts)].map((one) => {
  const style = getComputedStyle(one);
  const own = level(one.namespaceURI.endsWith('svg') ? style.fill : style.color);
  return (Math.max(own, ground) + 0.05) / (Math.min(own, ground) + 0.05);
}).reduce((a, b) => Math.min(a, b));
"""


@pytest.fixture(scope="module")
def page_file(page: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page as a file."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    os.environ["SE_OFFLINE"] = "true"
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.set_script_timeout(120)
    yield driver
    driver.quit()


def open_page(browser: Any, page_file: Path, size: tuple[int, int], scheme: str) -> int:
    """Opens the page, and returns how many plots there are."""
    browser.get("about:blank")
    for log in ("browser", "performance"):
        browser.get_log(log)
    device = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size == PHONE}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", device)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    browser.get(page_file.as_uri())
    support.WebDriverWait(browser, 30).until(lambda _: browser.find_elements("css selector", "body > .foot"))
    return browser.execute_script("return document.querySelectorAll('.canvas svg').length")


def requests_of(browser: Any) -> list[str]:
    """Returns every address that was asked for since the page was opened, but the page's own and data in it."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    sockets = [event["params"]["url"] for event in events if event["method"] == "Network.webSocketCreated"]
    return [url for url in urls if not url.startswith(("file:", "data:", "about:", "chrome:", "blob:"))] + sockets


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_it_shows_all_without_an_error_or_a_request(
    browser: Any, page_file: Path, report: Report, size: tuple[int, int], scheme: str
) -> None:
    n_plots = open_page(browser, page_file, size, scheme)
    assert n_plots == sum(len(row) for figure in report.figures() for row in figure.drawing.rows)
    shown = [caption.get_attribute("id") for caption in browser.find_elements("css selector", "main table caption")]
    assert sorted(shown) == sorted(table.name for table in report.tables())
    verdicts = browser.find_elements("css selector", "table:has(#scoreboard) td .verdict")
    assert len(verdicts) == len(CLAIMS)
    assert all(len(one.text.split(" ", 1)) == 2 for one in verdicts), "a symbol and a word"
    assert browser.get_log("browser") == []
    assert requests_of(browser) == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_page_never_scrolls_sideways(browser: Any, page_file: Path, size: tuple[int, int]) -> None:
    open_page(browser, page_file, size, "light")
    browser.execute_script("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert browser.execute_script(TOO_WIDE) == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= size[0]


def test_tables_and_figures_of_parts_made_fifty_screens_on_a_phone(browser: Any, page_file: Path) -> None:
    open_page(browser, page_file, PHONE, "light")
    unfolded = "return [...document.querySelectorAll('section.level3 > :is(.scroll, .figure)')].map((one) => one.id)"
    assert browser.execute_script(unfolded) == []
    assert browser.execute_script("return document.documentElement.scrollHeight") <= 25 * PHONE[1]


def test_on_paper_nothing_is_folded(browser: Any, page_file: Path) -> None:
    open_page(browser, page_file, DESKTOP, "light")
    unseen = "return [...document.querySelectorAll('main table')].filter((one) => !one.checkVisibility()).length"
    assert browser.execute_script(unseen) > 0
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    support.WebDriverWait(browser, 10).until(lambda _: browser.execute_script(unseen) == 0)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_the_ground_in_figures_too(browser: Any, page_file: Path, scheme: str) -> None:
    open_page(browser, page_file, DESKTOP, scheme)
    assert browser.execute_script(CONTRAST) >= 4.5


def test_figures_follow_the_colour_scheme_when_it_changes(browser: Any, page_file: Path) -> None:
    open_page(browser, page_file, DESKTOP, "light")
    colour = "return getComputedStyle(document.querySelector('.canvas text')).fill"
    before = browser.execute_script(colour)
    media = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    support.WebDriverWait(browser, 10).until(lambda _: browser.execute_script(colour) != before)


def test_the_legend_hides_and_shows_a_curve_by_keyboard(browser: Any, page_file: Path) -> None:
    open_page(browser, page_file, DESKTOP, "light")
    browser.execute_script("document.querySelector('#figure2-drawn').closest('details').open = true")
    button = browser.find_element("css selector", "#figure2-drawn .legend button")
    hidden = """return [...document.querySelectorAll('#figure2-drawn .canvas [data-group="' + arguments[0] + '"]')]
      .filter((one) => getComputedStyle(one).display === 'none').length"""
    group = button.get_attribute("data-group")
    browser.execute_script("arguments[0].focus()", button)
    for pressed in ("false", "true"):
        browser.switch_to.active_element.send_keys(" ")
        assert button.get_attribute("aria-pressed") == pressed
        assert bool(browser.execute_script(hidden, group)) is (pressed == "false")


def test_the_first_tab_stop_skips_to_the_content_and_a_claim_leads_to_its_detail(browser: Any, page_file: Path) -> None:
    open_page(browser, page_file, DESKTOP, "light")
    browser.find_element("css selector", "body").send_keys(TAB)
    assert browser.switch_to.active_element.get_attribute("href").endswith("#main")
    link = browser.find_element("css selector", "table:has(#scoreboard) a[href='#claim-14']")
    browser.execute_script("arguments[0].click()", link)
    assert browser.execute_script("return document.querySelector(':target').textContent").startswith("14. ")
