"""Reports in a real Chromium: every width, light and dark, without an error, a foreign request or an overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import pytest

from browsers import chromium
from openbell.inspection import open_run
from openbell.pages.data_check import check_page
from openbell.pages.report import run_report
from openbell.quality.checker import check_store
from openbell.store.store import BarStore
from pages.browsing import OUTSIDE, axe_violations

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.long

WIDTHS = (390, 1000, 1600)
SCHEMES = ("light", "dark")
COLOURS = """async (image, colours) => {
    await image.decode();
    const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight), context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const pixels = new Uint32Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
    const whole = c => 0xff000000 + parseInt(c.slice(5, 7) + c.slice(3, 5) + c.slice(1, 3), 16);
    return colours.map(c => pixels.includes(whole(c) >>> 0));
}"""
"""Whether a picture has a pixel of each colour."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def check(demo_master: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a data check."""
    page = tmp_path_factory.mktemp("check") / "check.html"
    page.write_text(check_page(check_store(BarStore.open(demo_master / "store"))), encoding="utf-8")
    return page


@pytest.fixture(scope="module")
def reports(kept_run: Path, hostile_run: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    found = {"kept": folder / "kept.html", "hostile": folder / "hostile.html"}
    for name, run in (("kept", kept_run), ("hostile", hostile_run)):
        found[name].write_text(run_report(run), encoding="utf-8")
    return found


class Opened:
    """A page with all that went wrong in it.

    Attributes:
        page: The page.
        messages: Errors and warnings of its console, and exceptions.
        requests: Addresses that it asked for.
    """

    def __init__(self, browser: Browser, file: Path, width: int, scheme: Any) -> None:
        self.page: Page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.messages: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.messages.append(message.text))
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(file.as_uri())
        if "candle-chart" in file.read_text(encoding="utf-8").partition("<script")[0].partition("<iframe")[0]:
            self.page.wait_for_selector("#candle-chart canvas")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.page.close()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["kept", "hostile"])
def test_a_report_opens_without_error_foreign_request_or_overflow(
    browser: Browser, reports: dict[str, Path], name: str, width: int, scheme: str
) -> None:
    with Opened(browser, reports[name], width, scheme) as opened:
        page = opened.page
        for details in page.locator("details > summary").all():
            details.click()

        assert opened.messages == []
        assert opened.requests == [reports[name].as_uri()]
        assert page.title() == "made: report"
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("script").count() == 5
        assert page.evaluate(OUTSIDE) == []


def test_a_chart_without_volumes_is_drawn_and_says_so(browser: Browser, without_measure: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(run_report(without_measure), encoding="utf-8")
    with Opened(browser, file, 1000, "light") as opened:
        opened.page.select_option("#window", "0")

        assert opened.messages == []
        assert "V \u2013" in opened.page.locator("#candle-legend").inner_text()
        assert "rsi_14_5m \u2013" in opened.page.locator("#candle-legend").inner_text()


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1600, "dark")])
def test_charts_are_drawn_in_the_cells_of_a_notebook(
    browser: Browser, kept_run: Path, tmp_path: Path, width: int, scheme: Any
) -> None:
    run = open_run(kept_run)
    session = run.session(run.days[0])
    cells = [page._repr_html_() for page in (run.plot(), session.plot("ALFA", "5m"))]
    file = tmp_path / "notebook.html"
    file.write_text(f"<!doctype html><title>cells</title>{''.join(cells)}", encoding="utf-8")

    with Opened(browser, file, width, scheme) as opened:
        frames = opened.page.frames[1:]
        for frame in frames:
            # A browser does not lay out the cells that nobody sees.
            frame.frame_element().scroll_into_view_if_needed()
            frame.wait_for_selector("#candle-chart canvas")

        assert len(frames) == 2
        assert frames[0].locator("#equity-chart canvas").count() > 0
        assert frames[1].locator(".key").count() == 0
        assert all(frame.evaluate("document.documentElement.scrollWidth <= innerWidth") for frame in frames)
        assert opened.messages == []
        assert opened.requests == [file.as_uri()]


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1600, "dark")])
def test_axe_finds_nothing(browser: Browser, reports: dict[str, Path], width: int, scheme: str) -> None:
    with Opened(browser, reports["kept"], width, scheme) as opened:
        for details in opened.page.locator("details > summary").all():
            details.click()
        found = axe_violations(opened.page)

        assert [(one["id"], [node["html"][:120] for node in one["nodes"][:3]]) for one in found] == []


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1600, "light")])
def test_the_page_of_a_data_check_likewise(browser: Browser, check: Path, width: int, scheme: str) -> None:
    with Opened(browser, check, width, scheme) as opened:
        found = axe_violations(opened.page)

        assert opened.messages == []
        assert opened.requests == [check.as_uri()]
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
        assert opened.page.evaluate(OUTSIDE) == []
        assert [(one["id"], [node["html"][:120] for node in one["nodes"][:3]]) for one in found] == []


def test_the_chart_follows_the_choice_and_a_click_on_a_trade(browser: Browser, reports: dict[str, Path]) -> None:
    with Opened(browser, reports["kept"], 1000, "light") as opened:
        page = opened.page
        first = page.locator("#candle-chart").get_attribute("aria-label")
        page.click("[data-chart=next]")
        second = page.locator("#candle-chart").get_attribute("aria-label")
        last = page.locator(".show").last
        number = last.get_attribute("data-window")
        last.click()

        assert first != second
        assert page.locator("#window").input_value() == number
        assert page.locator("#candle-legend").inner_text().startswith(("ALFA 1m", "PENNY 1m"))
        for name in ("in", "earlier", "later", "out", "all", "previous"):
            page.click(f"[data-chart={name}]")
        assert opened.messages == []


def test_everything_is_done_by_keyboard_alone(browser: Browser, reports: dict[str, Path]) -> None:
    with Opened(browser, reports["kept"], 1000, "light") as opened:
        page = opened.page
        order = page.locator("#trade-table tbody tr td:nth-child(8)")
        page.focus("#trade-table th:nth-child(8) button")
        page.keyboard.press("Enter")
        ascending = [float(v) for v in order.evaluate_all("cells => cells.map(cell => cell.dataset.v)")]
        page.keyboard.press("Enter")
        descending = [float(v) for v in order.evaluate_all("cells => cells.map(cell => cell.dataset.v)")]
        page.focus("#filter")
        page.keyboard.type("penny")
        shown = page.locator("#trade-table tbody tr:visible")
        page.focus("#theme")
        page.keyboard.press("Space")

        assert ascending == sorted(ascending)
        assert descending == sorted(ascending, reverse=True)
        assert 0 < shown.count() < len(ascending)
        assert all("PENNY" in text for text in shown.all_inner_texts())
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        assert opened.messages == []


def test_in_print_charts_are_pictures_in_light_colours(browser: Browser, reports: dict[str, Path]) -> None:
    with Opened(browser, reports["kept"], 1000, "dark") as opened:
        page = opened.page
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print")
        pictures = page.locator(".chart img")

        assert pictures.count() == 2
        assert page.evaluate("document.documentElement.dataset.theme") == "light"
        assert pictures.first.evaluate("image => image.naturalWidth") > 300
        assert pictures.last.evaluate(COLOURS, ["#c2571a", "#3d6fb5"]) == [True, True], "a stop and a target"
        assert page.evaluate("document.documentElement.scrollWidth") <= 1000
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert pictures.count() == 0
        assert opened.messages == []
        assert page.pdf()[:5] == b"%PDF-"
