"""Make the picture in the README with Chromium: `python scripts/readme_picture.py`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from openbell.view.server import ViewServer

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "docs" / "_ext"))

from gallery import make_runs  # noqa: E402  it lies beside the documents


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        make_runs(folder)
        with served(folder) as address:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            page.goto(address)
            page.get_by_role("link", name="breakout", exact=True).click()
            page.wait_for_url("**/run/*")
            page.goto(f"{page.url}/session/2024-07-02?symbol=CHRL")
            page.wait_for_selector("#candle-chart canvas")
            page.wait_for_timeout(500)
            top, bottom = page.evaluate(
                "['.crumbs', '.key'].map(name => document.querySelector(name).getBoundingClientRect().top)"
            )
            part = {"x": 0, "y": top - 12, "width": 1280, "height": bottom - top + 12}
            page.screenshot(path=PROJECT / "docs" / "_static" / "session.png", clip=part)
            browser.close()


@contextmanager
def served(runs: Path) -> Iterator[str]:
    """Serve the pages of runs, and yield the address."""
    server = ViewServer(lambda: [runs], port=0)
    serving = Thread(target=server.serve)
    serving.start()
    try:
        yield server.address
    finally:
        server.stop()
        serving.join()


if __name__ == "__main__":
    main()
