"""Pages of `openbell view`: a run of 250 sessions and 500 symbols, and a chart of 100,000 bars.

python -m benchmarks.view_pages [FOLDER]

Prints seconds to answer and bytes of each page of the wide run, cold (the first time) and warm, and of the long chart
the bytes, the time to the first candle and the frames while it scrolls, in Debian's Chromium. FOLDER keeps the runs.
"""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from urllib.request import urlopen

from openbell import RunFolder, SystemManager, load_config
from openbell.testing import bar_starts, make_store, random_bars
from openbell.view.catalogue import Catalogue
from openbell.view.server import ViewServer

SYMBOLS, FIRST, LAST = 500, "2023-01-03", "2023-12-29"
LONG_FIRST, LONG_LAST = "2023-01-03", "2024-01-12"
_SCROLL = """async () => {
  const scale = openbell.shown.candles.timeScale(), bars = openbell.shown.window.time.length, frames = [];
  scale.setVisibleLogicalRange({ from: bars - 600, to: bars });
  let before = performance.now();
  for (let i = 0; i < 120; i++) {
    await new Promise(requestAnimationFrame);
    scale.setVisibleLogicalRange({ from: bars - 600 - i * 40, to: bars - i * 40 });
    const now = performance.now();
    frames.push(now - before);
    before = now;
  }
  frames.sort((a, b) => a - b);
  return { bars: bars, median: frames[60], p95: frames[114], worst: frames[119] };
}"""


def make_runs(folder: Path) -> None:
    """Make both runs, unless they are there."""
    runs = folder / "runs"
    if not (runs / "wide").exists():
        bars = random_bars(bar_starts("2022-11-01", LAST, "1d"))
        names = [f"N{number:03}" for number in range(SYMBOLS)]
        store = make_store(folder / "wide-store", {name: {"1d": bars} for name in names})
        _run(
            runs / "wide",
            {
                "store": str(store), "backtest_config": {"start_date": FIRST, "end_date": LAST},
                "session_data_config": {
                    "symbols": [*names, "NOBODY"], "streams": ["1d"],
                    "historical": {"data": [{"trailing_days": 20, "intervals": ["1d"]}]},
                    "indicators": [{"name": "sma", "period": 10, "interval": "1d"}],
                },
            },
        )  # fmt: skip
    if not (runs / "long").exists():
        bars = random_bars(bar_starts(LONG_FIRST, LONG_LAST))
        store = make_store(folder / "long-store", {"LONG": {"1m": bars}})
        _run(
            runs / "long",
            {
                "store": str(store), "backtest_config": {"start_date": LONG_LAST, "end_date": LONG_LAST},
                "session_data_config": {"symbols": ["LONG"], "streams": ["1m"]},
            },
        )  # fmt: skip


def _run(folder: Path, whole: dict[str, object]) -> None:
    config = load_config({"session_name": folder.name, **whole})
    SystemManager(config).run(RunFolder(folder, config))


def measure(folder: Path) -> None:
    """Serve both runs, and measure."""
    server = ViewServer(lambda: [folder / "runs"])
    ids = {run.name: run.id for run in Catalogue(lambda: [folder / "runs"]).runs()}
    thread = Thread(target=server.serve)
    thread.start()
    try:
        wide, day = f"run/{ids['wide']}", LAST
        for name, place in {
            "runs": "", "run": wide, "session": f"{wide}/session/{day}",
            "chart": f"{wide}/data/chart?day={day}&symbol=N250&interval=1d",
            "why": f"{wide}/why?symbol=N250", "missing": f"{wide}/why?symbol=NOBODY",
            "journal": f"{wide}/why?day={day}",
        }.items():  # fmt: skip
            (cold, size), (warm, _) = (_asked(server.address + place) for _ in range(2))
            print(f"{name:10} cold {cold:6.3f} s  warm {warm:6.3f} s  {size / 1024:8.1f} KiB")
        _long_chart(server.address, ids["long"])
    finally:
        server.stop()
        thread.join()


def _asked(address: str) -> tuple[float, int]:
    began = time.perf_counter()
    with urlopen(address) as answer:
        size = len(answer.read())
    return time.perf_counter() - began, size


def _long_chart(address: str, run: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900}, bypass_csp=True)
        sizes: list[int] = []
        page.on("response", lambda answer: sizes.append(len(answer.body())) if "/data/chart" in answer.url else None)
        page.goto(f"{address}run/{run}/session/{LONG_LAST}?symbol=LONG&interval=1m")
        page.wait_for_selector("#candle-chart canvas")
        began = time.perf_counter()
        page.select_option("#sessions", "250")
        page.wait_for_function("openbell.shown.window && openbell.shown.window.time.length > 90000", timeout=120_000)
        first = time.perf_counter() - began
        frames = page.evaluate(_SCROLL)
        print(
            f"{frames['bars']:,} bars: {max(sizes) / 2**20:.1f} MiB, first candle after {first:.2f} s, frames of "
            f"{frames['median']:.1f} ms (median), {frames['p95']:.1f} ms (95 %), {frames['worst']:.1f} ms (worst)"
        )
        browser.close()


def main() -> None:
    """Make and measure, in a folder that is given or a temporary one."""
    logging.disable()
    with TemporaryDirectory() as made:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else made)
        folder.mkdir(parents=True, exist_ok=True)
        make_runs(folder)
        measure(folder)


if __name__ == "__main__":
    main()
