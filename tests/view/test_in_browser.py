"""All pages in a real Chromium: every width, light and dark, without an error, a foreign request or an overlap."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from browsers import chromium
from pages.browsing import OUTSIDE, axe_violations
from view.test_live import going_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from view.conftest import Served

pytestmark = pytest.mark.long

DAY = "2024-03-12"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with chromium() as started:
        yield started


@contextmanager
def opened(browser: Browser, served: Served, width: int = 1000, scheme: Any = "light") -> Iterator[Page]:
    """Open a page, and let nothing go wrong in it until it is closed."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: wrong.append(request.url) if served.host not in request.url else None)
    yield page
    assert [text for text in wrong if not text.startswith("data:")] == []
    page.close()


def go(page: Page, served: Served, place: str) -> None:
    page.goto(f"http://{served.host}{place}")
    if page.locator("#candle-chart").count():
        page.wait_for_selector("#candle-chart canvas")


def places(served: Served) -> dict[str, str]:
    ids = served.ids()
    kept, plain = ids["kept"], ids["plain"]
    hostile = next(run for name, run in ids.items() if "onerror" in name)
    return {
        "runs": "/",
        "compare": f"/compare?run={kept}&run={plain}",
        "run": f"/run/{kept}",
        "session": f"/run/{kept}/session/{DAY}?symbol=HOLED&trade=3",
        "hostile": f"/run/{hostile}/session/{DAY}",
        "why": f"/run/{kept}/why?symbol=HOLED",
        "missing": f"/run/{kept}/why?symbol=IBM",
        "sweeps": "/sweeps",
        "data": "/data",
        "check": "/data/check?symbol=HOLED",
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_opens_without_error_foreign_request_or_overflow(
    browser: Browser, served: Served, scheme: str
) -> None:
    found = {}
    with opened(browser, served, 1000, scheme) as page:
        for name, place in places(served).items():
            go(page, served, place)
            for width in (390, 1000, 1600):
                page.set_viewport_size({"width": width, "height": 900})
                outside = page.evaluate(OUTSIDE), page.evaluate("document.documentElement.scrollWidth") - width
                axe = axe_violations(page) if name not in ("hostile", "missing") else []
                told = [(one["id"], [node["html"][:140] for node in one["nodes"][:3]]) for one in axe]
                if outside[0] or outside[1] > 0 or told:
                    found[name, width] = outside, told

    assert found == {}


def test_the_moment_of_a_session_moves_by_keyboard_and_shows_nothing_of_later(browser: Browser, served: Served) -> None:
    with opened(browser, served) as page:
        go(page, served, f"/run/{served.ids()['kept']}/session/{DAY}?symbol=ALFA")
        last = page.locator("#candle-legend").inner_text()
        page.focus("body")
        page.keyboard.press("Home")
        begin = page.locator("#moment-text").inner_text(), page.locator("#events button").all_inner_texts()
        for _ in range(3):
            page.keyboard.press("PageDown")
        page.keyboard.press("ArrowRight")
        middle = page.locator("#moment-text").inner_text(), page.locator("#events time").all_inner_texts()
        legend = page.locator("#candle-legend").inner_text()
        drawn = page.evaluate("openbell.candles.shown.rows")
        page.focus("#moment")
        page.keyboard.press("ArrowLeft")
        by_slider = page.locator("#moment-text").inner_text()
        page.focus("#play")
        page.keyboard.press("Enter")
        page.locator("#moment-text").filter(has_text=re.compile("11:0[3-9]|11:1")).wait_for()

    assert begin[0] == "09:30"
    assert all("09:30" in text for text in begin[1])
    assert middle[0] == "11:01"
    assert max(middle[1]) <= "11:01"
    assert drawn == 91
    assert "11:00" in legend
    assert legend != last
    assert by_slider == "11:00"


def test_three_questions_are_answered_within_three_clicks(browser: Browser, served: Served) -> None:
    with opened(browser, served) as page:
        go(page, served, "/")
        page.click("text=kept")
        page.fill("#why-symbol", "IBM")
        page.click("text=Ask")
        missing = page.locator(".answer").inner_text()

        go(page, served, "/")
        page.click("text=kept")
        page.locator("#trade-table a").first.click()
        page.wait_for_selector("#candle-chart canvas")
        bought = page.locator("#trade").inner_text()

        go(page, served, "/")
        page.click(".places >> text=Data")
        page.click("text=Is all of it good?")
        good = page.locator("main").inner_text()

    assert "has no bars of IBM" in missing
    assert bought.startswith("At ")
    assert "21 bars missing" in good


def test_symbols_runs_and_events_are_chosen_by_keyboard_alone(browser: Browser, served: Served) -> None:
    with opened(browser, served) as page:
        go(page, served, "/")
        for name in ("kept", "plain"):
            page.locator(f"[aria-label='compare {name}']").focus()
            page.keyboard.press("Space")
        page.keyboard.press("Enter")
        page.wait_for_selector("#compare-chart canvas")
        heading = page.locator("h1").inner_text()
        go(page, served, f"/run/{served.ids()['kept']}/session/{DAY}")
        page.focus("#theme")
        page.keyboard.press("Enter")
        page.focus("#symbol")
        page.keyboard.press("Control+a")
        page.keyboard.type("HOLED")
        page.keyboard.press("Enter")
        page.locator("#candle-legend").filter(has_text="HOLED").wait_for()
        page.locator("#events button").first.focus()
        page.keyboard.press("Enter")
        at_event = page.locator("#moment-text").inner_text()
        go(page, served, "/data")
        theme = page.evaluate("document.documentElement.dataset.theme")

    assert heading == "Comparison"
    assert at_event == "09:30"
    assert theme == "dark"


def test_hostile_names_change_nothing_in_the_browser(browser: Browser, served: Served) -> None:
    run = next(run for name, run in served.ids().items() if "onerror" in name)
    with opened(browser, served) as page:
        for place in (f"/run/{run}", f"/run/{run}/session/{DAY}", f"/run/{run}/why?day={DAY}", "/data"):
            go(page, served, place)
            assert page.title() != "owned"
            assert page.locator("main img, header img").count() == 0


def test_a_live_run_is_seen_as_it_goes_on_through_a_reload_and_after_its_end(
    browser: Browser, start_server: Callable[..., Served], tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    served = start_server(runs)
    with going_on(runs / "followed", speed=300.0) as playing, opened(browser, served, 390, "dark") as page:
        while "followed" not in served.ids():
            assert playing.is_alive()
        go(page, served, f"/run/{served.ids()['followed']}/live")
        legend = page.locator("#live-legend")
        legend.filter(has_text="ALFA 1m").wait_for()
        page.select_option("#interval", "900")
        legend.filter(has_text="of 15 bars of 1m").wait_for()
        seen: set[str] = set()
        for _ in range(300):
            seen.add(legend.inner_text())
            if len(seen) > 3:
                break
            page.wait_for_timeout(100)
        page.reload()
        legend.filter(has_text="ALFA 1m").wait_for()
        again = page.locator("#live-chart").get_attribute("aria-label")
        rate = page.locator(".tile", has_text="Bars per minute").locator("b").inner_text()
        sizes = []
        for width in (390, 1000, 1600):
            page.set_viewport_size({"width": width, "height": 900})
            outside = page.evaluate(OUTSIDE), page.evaluate("document.documentElement.scrollWidth") - width
            sizes.append(outside)
        violations = axe_violations(page)
        page.click("#stop")
        page.click("text=Stop it")
        page.locator("#state").filter(has_text="stopped").wait_for()
        playing.join()
        after = legend.inner_text()
        page.reload()
        legend.filter(has_text="ALFA 1m").wait_for()
        at_end = legend.inner_text()

    assert len(seen) > 3, "the last candle grows"
    assert again is not None
    assert int(re.findall(r"of (\d+) bars", again)[0]) > 5
    assert int(rate) > 0
    assert [size for size in sizes if size[0] or size[1] > 0] == []
    assert [one["id"] for one in violations] == []
    assert "ALFA" in after
    assert at_end.startswith("ALFA 1m")
