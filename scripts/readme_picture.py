"""Make the picture in the README with Chromium: `python scripts/readme_picture.py`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "docs" / "_ext"))

from gallery import make_pages  # noqa: E402  it lies beside the documents


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        make_pages(Path(folder))
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1120, "height": 706})
        page.goto((Path(folder) / "trades.html").as_uri())
        page.wait_for_selector("#candle-chart canvas")
        page.wait_for_timeout(500)
        page.screenshot(path=PROJECT / "docs" / "_static" / "trades.png")
        browser.close()


if __name__ == "__main__":
    main()
